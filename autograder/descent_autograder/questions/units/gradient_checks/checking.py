"""Checking a network: which of its parameters have wrong gradients, which of many layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from descent.questions.gradient_checks import network
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.gradient_checks.sampling import (
    H_IGNORED,
    HELPERS,
    usual_step,
)
from descent_autograder.questions.written import written

Array = npt.NDArray[Any]

# ---- networks ------------------------------------------------------------------------------------


def network_case(rng: Rng, sizes: tuple[int, int, int] = (4, 3, 2), *, scale: float = 0.7) -> Case:
    """A network without bugs; `sizes` are its inputs, hidden units and outputs."""
    n, (d, h, c) = 6, sizes
    X, target = rng.normal(size=(n, d)), rng.normal(size=(n, c))
    shapes: dict[str, tuple[int, ...]] = {"W": (d, h), "b": (h,), "V": (h, c)}
    params = {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}
    return {"X": X, "target": target, "params": params, "bugs": {}}


def directions(rng: Rng, case: Case) -> dict[str, Array]:
    """A direction a parameter for `along`, uphill in every coordinate: no slope is nearly 0."""
    _, grads = network(case, {})(case["params"])
    return {name: np.copysign(rng.normal(size=g.shape), g) for name, g in grads.items()}


def _every_error(case: Case, h: float) -> float:
    """The largest relative error over every coordinate of a network without its bugs.

    All coordinates are moved at once, each in a network of its own: this is asked often.
    """
    params = case["params"]
    _, grads = network({**case, "bugs": {}})(params)
    here = np.concatenate([value.ravel() for value in params.values()])
    there = np.concatenate([grads[name].ravel() for name in params])
    moves = h * np.eye(here.size)
    W, b, V = (
        part.reshape(-1, *value.shape)
        for part, value in zip(
            np.split(
                np.concatenate([here + moves, here - moves]),
                np.cumsum([value.size for value in params.values()])[:-1],
                axis=1,
            ),
            params.values(),
            strict=True,
        )
    )
    gap = np.tanh(case["X"] @ W + b[:, None, :]) @ V - case["target"]
    up, down = np.split(0.5 * np.sum(gap**2, axis=(1, 2)), 2)
    return float(np.max(reference.relative_error((up - down) / (2 * h), there)))


CLEAR = {1e-4: 3e-7, 1e-5: 5e-8, 1e-6: 1e-6}
"""The largest error of a right network at each step: which coordinates are drawn doesn't show."""


def _clear_case(rng: Rng, sizes: tuple[int, int, int], size: float = 1.0) -> Case:
    """A network in which rounding and truncation are nowhere taken for a bug.

    `size` is that of its outputs.
    """

    def draw(rng: Rng) -> Case:
        case = network_case(rng, sizes)
        case["params"]["V"] *= size
        case["target"] *= size
        return case

    def is_clear(case: Case) -> bool:
        return all(_every_error(case, h) <= limit for h, limit in CLEAR.items())

    return drawn(draw, is_clear, rng)


def _wide(rng: Rng, size: int) -> Case:
    """A network of one hidden unit with a weight of `size` numbers, all of which weigh the same.

    Few different numbers, so that the public case stays a small file.
    """

    def draw(rng: Rng) -> Case:
        case = network_case(rng, (1, 1, 1))
        case["X"] = rng.choice([-1.0, 1.0], (1, size))
        case["target"] = case["target"][:1]
        case["params"]["W"] = np.round(0.01 * rng.integers(-4, 5, (size, 1)), 2)
        return case

    def has_slopes(case: Case) -> bool:
        _, grads = network(case)(case["params"])
        return all(np.abs(g).min() > 0.1 for g in grads.values())

    return drawn(draw, has_slopes, rng)


# ---- one network ---------------------------------------------------------------------------------


def check_gradients_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # W, b and V are of 6, 2 and 2 numbers.
    for bugs, per_parameter, h, about in (
        ({"W": 1.5, "b": 0.4}, 2, 1e-4, "gradients off by a factor, and a right one"),
        ({"tanh": 0.4}, 50, None, "a bug of another size in each coordinate"),
        ({"tanh": 0.1, "V": -1.0}, 50, 0.1, "a large step, every coordinate"),
    ):
        case = _clear_case(rng, (3, 2, 1))
        case |= {"bugs": bugs, "per_parameter": per_parameter, "h": h, "about": about}
        case |= {"seed": int(rng.integers(2**31)), "other": None}
        cases.append(case)
    wide = _wide(rng, 600) | {"bugs": {"b": 2.0, "V": 1.02}, "per_parameter": 4, "h": 1e-5}
    seed, other = (int(k) for k in rng.integers(2**31, size=2))
    wide |= {"seed": seed, "other": other}
    return [*cases, {**wide, "about": "a bug in a bias of 1 beside a weight of 600"}]


def _own_generator(check: Any) -> Any:
    return lambda *given, rng, **named: check(*given, rng=np.random.default_rng(0), **named)


ONE_LONG_VECTOR = """chosen = {}
            →  chosen, flats = {}, from_one_vector(params, per_parameter, rng)
            rng.choice(value.size, size=count, replace=False)  →  flats[name]
            max(found)  →  max(found or [0.0])"""
ABSOLUTE = """relative_error(grads[name][index], rise / (2 * h))
            →  np.abs(grads[name][index] - rise / (2 * h))"""

CHECK_GRADIENTS = Entry(
    "check_gradients",
    reference.check_gradients,
    check_gradients_cases,
    through=(reference.sample_coordinates,),
    bound=HELPERS,
    mistakes=written(
        f"""
        one-long-vector: {ONE_LONG_VECTOR}
            It looks as if the coordinates are drawn from all parameters together.
            Try: Draw `per_parameter` from every parameter, or small biases are never looked at.
        not-halved: (2 * h)  →  h
            It looks as if the difference is divided by h. Try: From −h to +h the distance is 2h.
        forward: minus[index] -= h  →  minus[index] -= 0
            (2 * h)  →  h
            It looks as if the forward difference is used.
            Try: Its own error, near 1e-5, hides what you look for: use the centred one.
        absolute: {ABSOLUTE}
            It looks as if absolute errors come back.
            Try: Divide by the larger of the two gradients.
        sum: relative_error(grads[name][index], rise / (2 * h))
            →  np.abs((a := grads[name][index]) - (b := rise / (2 * h))) / (np.abs(a) + np.abs(b))
            It looks as if you divide by the sum of the two gradients' sizes.
            Try: Divide by the larger one.
        left-moved: .copy(), params[name].copy()  →  .copy(), params[name]
            It looks as if a parameter is not what it was after its step.
            Try: Step on a copy, or put the number back before the next coordinate.
        every-coordinate: sample_coordinates(params, per_parameter, rng)
            →  sample_coordinates(params, 10**9, rng)
            It looks as if every coordinate is checked.
            Try: Only `per_parameter` of each: a real network has millions.
        one-number: return errors  →  return float(np.max([*errors.values()]))
            It looks as if one number comes back for all parameters.
            Try: Return a dictionary, one error a parameter: it tells where to look.
        mean: np.max(found)  →  np.mean(found)
            It looks as if the mean of the errors is taken.
            Try: One wrong coordinate drowns in a mean: take the largest.
        smallest: np.max(found)  →  np.min(found)
            It looks as if the smallest error of each parameter is returned.
            Try: A check is as good as its worst coordinate: take the largest.
        norms: relative_error(grads  →  (grads
            errors[name] =  →  a, b = np.array(found).T⏎errors[name] =
            np.max(found)
            →  np.linalg.norm(a - b) / max(np.linalg.norm(a), np.linalg.norm(b))
            It looks as if whole gradients are compared by their length.
            Try: A wrong coordinate drowns among many: compare one by one, and take the largest.
        first-only: rng.choice(value.size, size=count, replace=False)  →  range(1)
            It looks as if only the first coordinate of each parameter is checked.
            Try: Check `per_parameter` coordinates of each, drawn at random.
        first-ones: rng.choice(value.size, size=count, replace=False)  →  range(count)
            It looks as if the first coordinates of each parameter are checked.
            Try: Bugs don't live in the first rows only: draw at random.
        own-generator:
            It looks as if a generator of your own is used, with a fixed seed.
            Try: Draw from the `rng` that is handed in.
        h-ignored:
        """,
        said=H_IGNORED,
        wrap={"own-generator": _own_generator, "h-ignored": usual_step},
    ),
)

# ---- many layers ---------------------------------------------------------------------------------


def find_bugs_cases(rng: Rng) -> list[Case]:
    """Layers whose bugs, or whose soundness, only a careful check tells apart."""
    plans: tuple[tuple[Case, Case], ...] = (
        ({}, _clear_case(rng, (2, 1, 1))),
        ({}, _clear_case(rng, (3, 2, 1), size=1e3)),
        ({"W": -1.0}, _clear_case(rng, (2, 1, 1))),
        ({"V": 1.003}, _clear_case(rng, (2, 1, 1))),
        ({"b": 2.0}, _wide(rng, 1000)),
        ({"b": 0.6}, _wide(rng, 1000)),
        (dict.fromkeys("WbV", float("nan")), _clear_case(rng, (2, 1, 1))),
        (dict.fromkeys("WbV", 1.4), _clear_case(rng, (2, 1, 1), size=1e-5)),
    )
    names = [f"layer {i}" for i in rng.permutation(20) + 1]
    layers = [
        {"name": name, **case, "bugs": bugs}
        for name, (bugs, case) in zip(names[: len(plans)], plans, strict=True)
    ]
    return [
        {
            "about": f"{len(layers)} layers",
            "layers": [layers[i] for i in rng.permutation(len(layers))],
            "seed": int(rng.integers(2**31)),
        }
    ]


FIND_BUGS = Entry(
    "find_bugs",
    reference.find_bugs,
    find_bugs_cases,
    through=(reference.sample_coordinates, reference.check_gradients),
    bound=HELPERS,
    mistakes=written(f"""
        too-lenient: <= 1e-4  →  <= 1e-2
            It looks as if errors up to 1e-2 pass.
            Try: A smooth layer in float64 should come out at 1e-7 or below; 1e-3 is a bug.
        first-only: in errors.values()  →  in [errors["W"]]
            It looks as if only the first parameter of each layer is checked.
            Try: A layer is wrong when any of its parameters is.
        one-long-vector: {ONE_LONG_VECTOR}
            It looks as if the coordinates are drawn from all parameters together.
            Try: A bug in a bias of 1 beside a weight of 1,000 is then missed: draw from each.
        absolute: {ABSOLUTE}
            It looks as if absolute errors are compared with the threshold.
            Try: Small gradients hide their bugs so, and large ones are accused.
        inverted: if not all  →  if all
            It looks as if the right layers are named. Try: Return the layers with a bug.
        nan-swallowed: float(np.max(found))  →  float(np.max(np.nan_to_num(found)))
            It looks as if NaN gets lost on the way. Try: max(0.0, nan) is 0.0, and nan > 1e-4 is
            False: use np.max, and ask `not error <= limit`.
        none-named: return suspects  →  return set()
            No layer is named.
            Try: Some do have a bug: add the name of each whose error is above the threshold.
        all-named: return suspects  →  return set(layers)
            Every layer is named. Try: Some are right, but for rounding near 1e-10: put the
            threshold well above that.
    """),
)
