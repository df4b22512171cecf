"""How the functions of unit 1 are exercised."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.judging.observing import Case, Observer, question
from descent.judging.values import describe, read

Array = npt.NDArray[Any]
Params = Mapping[str, Array]

CHECK_NOISE = 1e-6
"""Relative errors below this are rounding in the differences: they agree with each other."""


class Counted:
    """A function that counts its calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        # Private: what is public can be read, and then called uncounted, from within the answer.
        self._function = function
        self.calls = 0

    def __call__(self, *args: Any) -> Any:
        self.calls += 1
        return self._function(*args)


class Watched(Counted):
    """A `loss_and_grads` that counts its calls and notes which coordinates are h from the start."""

    def __init__(self, function: Callable[..., Any], params: Params, h: float) -> None:
        super().__init__(function)
        # From half a step on: a number put back by subtracting isn't quite what it was.
        self._params, self._least, self._most = params, 0.5 * h, 1.5 * h
        self.moved: dict[str, set[int]] = {name: set() for name in params}
        """The flat positions of each parameter at which a loss was asked for."""

    def __call__(self, *args: Any) -> Any:
        given = args[0] if args else None
        if isinstance(given, Mapping):
            for name, start in self._params.items():
                value = given.get(name)
                if isinstance(value, np.ndarray) and value.shape == start.shape:
                    by = abs(value - start).ravel()
                    elsewhere = (by > self._least).nonzero()[0].tolist()
                    self.moved[name].update(k for k in elsewhere if by[k] < self._most)
        return super().__call__(*args)


def silent(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function` without numpy's warnings: they would be about our code, not the student's."""

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args)

    return call


def total(array: Any) -> Any:
    """np.sum, without the time it takes to look at what it is given."""
    return np.add.reduce(array, axis=None)


def wave(w: Array) -> Callable[[Any], Any]:
    """A smooth function of an array of w's shape: not quadratic, not separable, fit for complex."""

    @silent
    def f(x: Any) -> Any:
        value = total(w * np.sin(x)) + 0.2 * total(w * np.exp(0.4 * x)) * total(np.cos(x))
        return value if isinstance(value, np.complexfloating) else float(value)

    return f


def wave_gradient(w: Array) -> Callable[[Any], Array]:
    """The exact gradient of `wave(w)`."""

    @silent
    def df(x: Any) -> Array:
        rising, turning = w * np.exp(0.4 * x), np.cos(x)
        coupled = 0.4 * rising * total(turning) - np.sin(x) * total(rising)
        return np.asarray(w * np.cos(x) + 0.2 * coupled)

    return df


def difference_floor(value: float, h: float) -> float:
    """What rounding alone may change in a difference quotient of numbers of this size."""
    return 100 * float(np.finfo(float).eps) * (1 + abs(value)) / h


def _difference(see: Observer, case: Case) -> None:
    exact = wave(case["w"])
    f = Counted(exact)
    (difference,) = see.functions
    given = {} if case["h"] is None else {"h": case["h"]}
    gradient = difference(f, case["x"], **given)
    floor = difference_floor(exact(np.asarray(case["x"], float)), case["h"] or 1e-5)
    see("gradient", gradient, floor=floor)
    see("gradient has the precision of float64", _is_double(gradient))
    # Two calls more are habits, not mistakes: a look at f(x), the probe of np.vectorize.
    see("f is called at most twice for each number", f.calls <= 2 * case["x"].size + 2)
    see("x is left as it was", not see.changed)


def _is_double(value: Any) -> bool:
    try:
        dtype = np.asarray(value).dtype
    except Exception:  # ragged lists, objects with a hostile __array__
        return False
    return dtype.kind == "f" and dtype.itemsize >= 8


@question(rtol=1e-7)
def forward_difference(see: Observer, case: Case) -> None:
    _difference(see, case)


@question(rtol=1e-7)
def central_difference(see: Observer, case: Case) -> None:
    _difference(see, case)


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
    see("relative error", np.where(np.isnan(error), 0.0, error))
    see("NaN stays NaN", np.isnan(error))


@question()
def verdict(see: Observer, case: Case) -> None:
    (function,) = see.functions
    keywords = {} if case["has_kinks"] is None else {"has_kinks": case["has_kinks"]}
    for error in case["errors"]:
        see(f"verdict on {error:.3g}", function(error, **keywords))


def bend(steepness: float, slope: float) -> tuple[Callable[[Any], Any], Callable[[Any], Any]]:
    """A function of one number and its derivative, for `best_step`.

    Bent near 0 and nearly straight far from it: which step is best depends on x.
    """
    k = steepness

    @silent
    def f(x: Any) -> Any:
        return np.arctan(k * x) + slope * x

    @silent
    def df(x: Any) -> Any:
        return k / (1 + (k * x) ** 2) + slope

    return f, df


@question()
def best_step(see: Observer, case: Case) -> None:
    (function,) = see.functions
    f, df = bend(case["steepness"], case["slope"])
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
    see("W and X are left as they were", not see.changed)


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
        "positions are tuples",
        {name: all(isinstance(i, tuple | list) for i in items) for name, items in first.items()},
    )
    drawn = _plain_all(first)
    see(
        "positions that fit",
        {name: all(_fits(i, params[name]) for i in items) for name, items in drawn.items()},
    )
    see("no coordinate twice", {name: len(set(i)) == len(i) for name, i in drawn.items()})
    start = [_plain(np.unravel_index(i, params["W1"].shape)) for i in range(k)]
    see("not just the first ones", set(drawn["W1"]) != set(start))
    again = _plain_all(draw(np.random.default_rng(seed)))
    see("an equal generator gives an equal sample", drawn == again)
    other = _plain_all(draw(rng))
    see("another draw gives another sample", drawn != other)
    if drawn != other and case["followed"]:
        _follow(see, params, [drawn, other, *(_plain_all(draw(rng)) for _ in range(2))])


def _follow(see: Observer, params: dict[str, Array], draws: list[dict[str, list[Any]]]) -> None:
    """What only several draws show. A right answer fails here less than once in 10^10 runs.

    Few draws are enough because many coordinates are drawn from little more: 11 of 12 miss each of
    them once in 12 times, and parameters of the same shape make as many draws in one call.
    """
    flat = {n: [_flat(draw[n], value) for draw in draws] for n, value in params.items()}
    met = {name: set(np.concatenate(drawn).tolist()) for name, drawn in flat.items()}
    large = [name for name, value in params.items() if value.size > 100]
    alike = {
        value.shape: set[int]().union(
            *(met[n] for n, p in params.items() if p.shape == value.shape)
        )
        for value in params.values()
    }
    samples = [set(draw["V"]) for draw in draws]
    see("no draw comes up again", all(s not in samples[:i] for i, s in enumerate(samples)))
    see(
        "every coordinate comes up in the end",
        {n: alike[p.shape] == set(range(p.size)) for n, p in params.items() if n not in large},
    )
    halves = {name: _parts(met[name], params[name].shape, 2) for name in large}
    see(
        "both halves of the rows and of the columns come up in the end",
        {name: all(len(parts) == 2 for parts in axes) for name, axes in halves.items()},
    )
    rows, columns = (
        set[int]().union(*axis)
        for axis in zip(*(_parts(met[n], params[n].shape, 4) for n in large), strict=True)
    )
    see("every quarter of them comes up in the end", len(rows) == len(columns) == 4)
    # Rows and columns drawn apart, each without replacement, never meet twice.
    apart = zip(*(np.unravel_index(k, params["V"].shape) for k in flat["V"]), strict=True)
    see(
        "two positions of a draw may share a row, or a column",
        all(any(len(np.unique(i)) < len(i) for i in axis) for axis in apart),
    )
    see("positions of a draw are scattered", {n: all(map(_uneven, flat[n])) for n in large})


def _flat(positions: Any, value: Array) -> Array:
    """Flat positions, of those that fit."""
    strides = [value[0].size, 1] if value.ndim == 2 else [1] * value.ndim
    fitting = (i for i in positions if _fits(i, value))
    return np.array([sum(map(operator.mul, i, strides)) for i in fitting], dtype=int)


def _parts(met: set[int], shape: tuple[int, ...], count: int) -> list[set[int]]:
    """Axis by axis, which of `count` equal parts of it were met."""
    axes = np.unravel_index(np.array(sorted(met), dtype=int), shape)
    return [set((count * axis // n).tolist()) for axis, n in zip(axes, shape, strict=True)]


def _uneven(flat: Array) -> bool:
    return len(set(np.diff(np.sort(flat)).tolist())) > 1


def _plain(index: Any) -> Any:
    if isinstance(index, np.ndarray) and index.ndim == 1:
        index = tuple(index)
    return tuple(map(int, index)) if isinstance(index, tuple | list) else repr(index)


def _plain_all(chosen: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [_plain(i) for i in items] for name, items in chosen.items()}


def _fits(plain: Any, value: Array) -> bool:
    return (
        isinstance(plain, tuple)
        and len(plain) == value.ndim
        and all(0 <= i < n for i, n in zip(plain, value.shape, strict=True))
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
        see("error where the scaled loss is too small", bool(np.all(see.array(error) > 0.01)))
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
    factors = {name: factor for name, factor in bugs.items() if name != "tanh"}
    kept = 1 - bugs.get("tanh", 0.0)
    X, target = case["X"], case["target"]
    columns = X.T

    @silent
    def loss_and_grads(params: Params) -> tuple[float, dict[str, Array]]:
        V = params["V"]
        hidden = np.tanh(X @ params["W"] + params["b"])
        gap = hidden @ V - target
        slope = hidden * hidden if kept == 1 else kept * (hidden * hidden)
        dhidden = gap @ V.T * (1 - slope)
        grads = {"W": columns @ dhidden, "b": np.add.reduce(dhidden), "V": hidden.T @ gap}
        for name, factor in factors.items():
            grads[name] = factor * grads[name]
        return 0.5 * float(total(gap * gap)), {name: grads[name] for name in params}

    return loss_and_grads


def along(directions: Params, h: float = 1e-5) -> Callable[..., dict[str, float]]:
    """A checker to hand to the student: one directional derivative a parameter.

    It holds the rise over a step against the mean of the slopes at its two ends. So each
    evaluation counts twice, for its loss and for its gradients, and there is one a parameter.
    """

    def check(loss_and_grads: Callable[..., Any], params: Params) -> dict[str, float]:
        start, grads = loss_and_grads(params)
        errors = {}
        for name, direction in directions.items():
            end, there = loss_and_grads({**params, name: params[name] + h * direction})
            slope = (end - start) / h
            both = grads[name] * direction + there[name] * direction
            expected = 0.5 * float(total(both))
            larger = max(abs(slope), abs(expected))
            errors[name] = abs(slope - expected) / larger if larger > 0 else 0.0
        return errors

    return check


@question(rtol=1e-6)
def check_gradients(see: Observer, case: Case) -> None:
    (function,) = see.functions
    params, per_parameter = case["params"], case["per_parameter"]
    given = {} if case["h"] is None else {"h": case["h"]}

    def run(seed: int) -> tuple[Any, Watched]:
        watched = Watched(network(case), params, case["h"] or 1e-5)
        rng = np.random.default_rng(seed)
        errors = function(watched, params, per_parameter=per_parameter, rng=rng, **given)
        return errors, watched

    errors, watched = run(case["seed"])
    unchanged = not see.changed
    found = {name: see.array(see.entry(errors, name), "error") for name in params}
    see("largest relative errors", found, floor=CHECK_NOISE)
    see("coordinates that were moved", {name: len(k) for name, k in watched.moved.items()})
    # A grid of all coordinates would be right and too slow for a real network.
    sampled = sum(min(per_parameter, p.size) for p in params.values())
    see("no more calls than the sample needs", watched.calls <= 3 * sampled + 3)
    see("params are left as they were", unchanged)
    if case["other"] is not None:
        # Four of 600: another generator moves the same ones once in 5·10^9 runs.
        moved = [watched.moved["W"], run(case["other"])[1].moved["W"]]
        see("not always the first coordinates", any(k != set(range(per_parameter)) for k in moved))
        see("another generator moves others", moved[0] != moved[1])


@question(rtol=1e-6)
def penalty_check(see: Observer, case: Case) -> None:
    (function,) = see.functions
    data = network(case)

    def loss_and_grads(params: Params, reg: float) -> tuple[float, dict[str, Array]]:
        loss, grads = data(params)
        penalty = 0.5 * reg * sum(float(total(p * p)) for p in params.values())
        factor = case["penalty_factor"]
        return loss + penalty, {n: g + factor[n] * reg * params[n] for n, g in grads.items()}

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

    checker = along(case["directions"])
    errors = function(loss_and_grads, case["params"], checker, seed=case["seed"])
    see("errors", errors, floor=CHECK_NOISE)
    see("every call draws the same numbers", len(draws) > 1 and len(set(draws)) == 1)
    # The next case has another seed: numbers of its own pass in neither.
    own = np.random.default_rng(case["seed"])
    own.random(case["X"].shape)
    see("the numbers are those that come from seed", draws[:1] == [float(own.random())])


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
    # A third precision does no harm.
    see("precisions that were checked", set(seen) & {"float32", "float64", "mixed"})


@question()
def find_bugs(see: Observer, case: Case) -> None:
    (function,) = see.functions
    layers = {
        layer["name"]: (network({**case, **layer}), layer["params"]) for layer in case["layers"]
    }
    names = _names(see, function(layers, np.random.default_rng(case["seed"])))
    for layer in case["layers"]:
        see(f"{layer['name']} has a bug", layer["name"] in names)
    see("names of layers only", names <= set(layers))


def _names(see: Observer, found: Any) -> set[str]:
    """The names in a returned set, list, tuple or array, or the end of the case.

    Views and generators end it: behind a wall they can't be read once the call is over.
    """
    if isinstance(found, np.ndarray):
        found = found.ravel()
    if not isinstance(found, set | frozenset | list | tuple | np.ndarray):
        see.end(f"Return a set or list of names; it is {describe(read(found))}.")
    return {str(name) for name in found}
