"""How the functions of unit 1 are exercised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.judging.observing import Case, Observer, question

Array = npt.NDArray[Any]
Params = Mapping[str, Array]

CHECK_NOISE = 1e-6
"""Relative errors below this are rounding in the differences: they agree with each other."""


class Counted:
    """A function that counts its calls and remembers what it was called with."""

    def __init__(self, function: Callable[..., Any]) -> None:
        # Private: what is public can be read, and then called uncounted, from within the answer.
        self._function = function
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self._function(*args)


def wave(w: Array) -> Callable[[Any], Any]:
    """A smooth function of an array of w's shape: not quadratic, not separable, fit for complex."""

    def f(x: Any) -> Any:
        value = np.sum(w * np.sin(x)) + 0.2 * np.sum(w * np.exp(0.4 * x)) * np.sum(np.cos(x))
        return value if np.iscomplexobj(value) else float(value)

    return f


def wave_gradient(w: Array) -> Callable[[Any], Array]:
    """The exact gradient of `wave(w)`."""

    def df(x: Any) -> Array:
        rising, turning = w * np.exp(0.4 * x), np.cos(x)
        coupled = 0.4 * rising * np.sum(turning) - np.sin(x) * np.sum(rising)
        return np.asarray(w * np.cos(x) + 0.2 * coupled)

    return df


def difference_floor(value: float, h: float) -> float:
    """What rounding alone may change in a difference quotient of numbers of this size."""
    return 100 * float(np.finfo(float).eps) * (1 + abs(value)) / h


def _difference(see: Observer, case: Case, fewest: int, most: int) -> None:
    exact = wave(case["w"])
    f = Counted(exact)
    (difference,) = see.functions
    given = {} if case["h"] is None else {"h": case["h"]}
    gradient = difference(f, case["x"], **given)
    floor = difference_floor(exact(np.asarray(case["x"], float)), case["h"] or 1e-5)
    see("gradient", gradient, floor=floor)
    # One call more than needed is a habit (looking at f(x) first), not a mistake.
    enough = fewest <= f.calls <= most
    see("calls of f", fewest if enough else f.calls)
    see("x is left as it was", not see.changed)


@question(rtol=1e-7)
def forward_difference(see: Observer, case: Case) -> None:
    n = case["x"].size
    _difference(see, case, n + 1, 2 * n + 1)


@question(rtol=1e-7)
def central_difference(see: Observer, case: Case) -> None:
    n = case["x"].size
    _difference(see, case, 2 * n, 2 * n + 1)


@question(rtol=1e-9)
def complex_step(see: Observer, case: Case) -> None:
    (difference,) = see.functions
    given = {} if case["h"] is None else {"h": case["h"]}
    see("gradient", difference(wave(case["w"]), case["x"], **given), floor=1e-13)
    see("x is left as it was", not see.changed)


@question()
def relative_error(see: Observer, case: Case) -> None:
    (function,) = see.functions
    error = see.array(function(case["a"], case["b"]), "relative error")
    see("relative error", np.where(np.isnan(error), -1.0, error))
    see("NaN stays NaN", np.isnan(error))


@question()
def verdict(see: Observer, case: Case) -> None:
    (function,) = see.functions
    keywords = {} if case["has_kinks"] is None else {"has_kinks": case["has_kinks"]}
    for error in case["errors"]:
        see(f"verdict on {error:.3g}", function(error, **keywords))


@question()
def best_step(see: Observer, case: Case) -> None:
    (function,) = see.functions
    k = case["frequency"]

    def f(x: Any) -> Any:
        return np.sin(k * x) + case["slope"] * x

    def df(x: Any) -> Any:
        return k * np.cos(k * x) + case["slope"]

    see("step", function(f, df, case["x"], case["steps"]))


@question()
def crossed_kinks(see: Observer, case: Case) -> None:
    (function,) = see.functions
    see("mask", function(case["pre_plus"], case["pre_minus"]))


@question()
def winner_changed(see: Observer, case: Case) -> None:
    (function,) = see.functions
    see("mask", function(case["scores_plus"], case["scores_minus"]))


@question()
def count_crossed(see: Observer, case: Case) -> None:
    (function,) = see.functions
    given = {} if case["h"] is None else {"h": case["h"]}
    see("count", function(case["W"], case["X"], case["index"], **given))


@question()
def sample_coordinates(see: Observer, case: Case) -> None:
    (function,) = see.functions
    params = {name: np.zeros(shape) for name, shape in case["shapes"].items()}
    k, seed = case["per_parameter"], case["seed"]

    def draw(rng: np.random.Generator) -> dict[str, list[Any]]:
        chosen = function(params, k, rng)
        return {name: list(see.entry(chosen, name)) for name in params}

    rng = np.random.default_rng(seed)
    first = draw(rng)
    see("how many of each", {name: len(items) for name, items in first.items()})
    see(
        "index tuples that fit",
        {name: all(_fits(i, params[name]) for i in items) for name, items in first.items()},
    )
    see(
        "no coordinate twice",
        {name: len(set(map(_plain, items))) == len(items) for name, items in first.items()},
    )
    start = [np.unravel_index(i, params["W1"].shape) for i in range(k)]
    see("not just the first ones", set(map(_plain, first["W1"])) != set(map(_plain, start)))
    again = draw(np.random.default_rng(seed))
    see("an equal generator gives an equal sample", _plain_all(first) == _plain_all(again))
    see("another draw gives another sample", _plain_all(first) != _plain_all(draw(rng)))
    # Six elements, two at a time: a coordinate is missed by all 80 draws once in 10^13 runs.
    small = {name: value for name, value in params.items() if value.size <= 6}
    met: dict[str, set[Any]] = {name: set() for name in small}
    for _ in range(80):
        for name, items in function(small, 2, rng).items():
            if name in met:
                met[name] |= set(map(_plain, items))
    see(
        "every coordinate comes up in the end",
        {name: len(met[name]) == value.size for name, value in small.items()},
    )


def _plain(index: Any) -> Any:
    return tuple(int(i) for i in index) if isinstance(index, tuple | list) else repr(index)


def _plain_all(chosen: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [_plain(i) for i in items] for name, items in chosen.items()}


def _fits(index: Any, value: Array) -> bool:
    return (
        isinstance(index, tuple | list)
        and len(index) == value.ndim
        and all(0 <= int(i) < n for i, n in zip(index, value.shape, strict=True))
    )


@question(rtol=1e-6)
def scaled_check(see: Observer, case: Case) -> None:
    (function,) = see.functions
    exact = wave_gradient(case["w"])

    def df(x: Any) -> Array:
        return np.asarray(exact(x) * case["planted"])

    scale = case["scale"]
    given = {} if case["h"] is None else {"h": case["h"]}
    error = function(wave(case["w"]), df, case["x"], scale=scale, **given)
    if scale < 1e-300:
        # So small that the scaled loss has only a few digits left: no difference can be right.
        see("error where the scaled loss is too small", bool(see.array(error) > 0.01))
    else:
        see("largest relative error", error, floor=1e-8)


@question()
def softmax_loss(see: Observer, case: Case) -> None:
    (function,) = see.functions
    loss, grad = see.unpack(function(case["W"], case["X"], case["y"], case["reg"]), "loss, dW")
    size = float(np.abs(case["X"]).max())
    see("loss", loss, part="loss", floor=1e-11)
    see("dW", grad, part="gradient", floor=1e-12 * (1 + size))


# ---- checking a whole network --------------------------------------------------------------------


def network(case: Case, bugs: Mapping[str, Any] | None = None) -> Callable[..., Any]:
    """A small tanh network with squared loss, `loss_and_grads(params)`, with bugs planted.

    `bugs` maps a parameter to the factor by which its gradient is off; "tanh" set to a number
    leaves that share of the derivative of tanh out, which only shows once weights have grown.
    """
    bugs = case["bugs"] if bugs is None else bugs
    X, target = case["X"], case["target"]

    def loss_and_grads(params: Params) -> tuple[float, dict[str, Array]]:
        hidden = np.tanh(X @ params["W"] + params["b"])
        out = hidden @ params["V"]
        gap = out - target
        dhidden = gap @ params["V"].T * (1 - (1 - bugs.get("tanh", 0.0)) * hidden**2)
        grads = {"W": X.T @ dhidden, "b": dhidden.sum(axis=0), "V": hidden.T @ gap}
        return 0.5 * float(np.sum(gap**2)), {
            name: bugs.get(name, 1.0) * grads[name] / case["divide"].get(name, 1.0)
            for name in params
        }

    return loss_and_grads


def along(directions: Params, h: float = 1e-5) -> Callable[..., dict[str, float]]:
    """A checker to hand to the student: one directional derivative a parameter."""

    def check(loss_and_grads: Callable[..., Any], params: Params) -> dict[str, float]:
        _, grads = loss_and_grads(params)
        errors = {}
        for name, direction in directions.items():
            rise = loss_and_grads({**params, name: params[name] + h * direction})[0]
            rise -= loss_and_grads({**params, name: params[name] - h * direction})[0]
            slope, expected = rise / (2 * h), float(np.sum(grads[name] * direction))
            larger = max(abs(slope), abs(expected))
            errors[name] = abs(slope - expected) / larger if larger > 0 else 0.0
        return errors

    return check


@question(rtol=1e-6)
def check_gradients(see: Observer, case: Case) -> None:
    (function,) = see.functions
    loss_and_grads = Counted(network(case))
    given = {} if case["h"] is None else {"h": case["h"]}
    errors = function(
        loss_and_grads,
        case["params"],
        per_parameter=case["per_parameter"],
        rng=np.random.default_rng(case["seed"]),
        **given,
    )
    see("largest relative errors", errors, floor=CHECK_NOISE)
    # A grid of all coordinates would be right and too slow for a real network.
    sampled = sum(min(case["per_parameter"], p.size) for p in case["params"].values())
    see("no more calls than the sample needs", loss_and_grads.calls <= 3 * sampled + 3)
    see("params are left as they were", not see.changed)


@question(rtol=1e-6)
def penalty_check(see: Observer, case: Case) -> None:
    (function,) = see.functions
    data = network(case)

    def loss_and_grads(params: Params, reg: float) -> tuple[float, dict[str, Array]]:
        loss, grads = data(params)
        penalty = 0.5 * reg * sum(float(np.sum(p**2)) for p in params.values())
        factor = case["penalty_factor"]
        return loss + penalty, {n: g + factor * reg * params[n] for n, g in grads.items()}

    result = function(loss_and_grads, case["params"], along(case["directions"]), reg=case["reg"])
    see("data", see.entry(result, "data"), floor=CHECK_NOISE)
    see("penalty", see.entry(result, "penalty"), floor=CHECK_NOISE)


@question(rtol=1e-6)
def burn_in_check(see: Observer, case: Case) -> None:
    (function,) = see.functions
    before, after = see.unpack(
        function(
            network(case),
            case["params"],
            along(case["directions"]),
            learning_rate=case["learning_rate"],
            num_steps=case["num_steps"],
        ),
        "before, after",
    )
    see("errors at initialisation", before, floor=CHECK_NOISE)
    see("errors after the burn-in", after, floor=CHECK_NOISE)


@question(rtol=1e-6)
def seeded_check(see: Observer, case: Case) -> None:
    (function,) = see.functions
    draws: list[float] = []

    def loss_and_grads(params: Params, rng: np.random.Generator) -> tuple[float, dict[str, Array]]:
        kept = rng.random(case["X"].shape) < 0.5
        draws.append(float(rng.random()))
        thinned: tuple[float, dict[str, Array]] = network({**case, "X": case["X"] * kept})(params)
        return thinned

    def run(seed: int) -> Any:
        return function(loss_and_grads, case["params"], along(case["directions"]), seed=seed)

    see("errors", run(case["seed"]), floor=CHECK_NOISE)
    see("every call draws the same numbers", len(draws) > 1 and len(set(draws)) == 1)
    first = draws[:1]
    draws.clear()
    run(case["seed"] + 1)
    see("another seed draws other numbers", draws[:1] != first)


@question()
def precision_errors(see: Observer, case: Case) -> None:
    (function,) = see.functions
    seen: list[str] = []

    def check(loss_and_grads: Callable[..., Any], params: Params) -> dict[str, float]:
        loss_and_grads(params)
        dtypes = {str(p.dtype) for p in params.values()}
        dtype = dtypes.pop() if len(dtypes) == 1 else "mixed"
        seen.append(dtype)
        errors: dict[str, float] = case["errors"].get(dtype, case["errors"]["mixed"])
        return errors

    result = function(network(case), case["params"], check)
    see("float32", see.entry(result, "float32"))
    see("float64", see.entry(result, "float64"))
    see("dtypes that were checked", set(seen))


@question()
def find_bugs(see: Observer, case: Case) -> None:
    (function,) = see.functions
    layers = {
        layer["name"]: (network({**case, **layer}), layer["params"]) for layer in case["layers"]
    }
    found = function(layers, np.random.default_rng(case["seed"]))
    names = {str(name) for name in found} if isinstance(found, set | list | tuple) else found
    if not isinstance(names, set):
        see("names", names)
        return
    for layer in case["layers"]:
        see(f"{layer['name']} has a bug", layer["name"] in names)
    see("names of layers only", names <= set(layers))
