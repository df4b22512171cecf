"""Small networks on which whole gradient checks are tried."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from descent.questions.gradient_checks import network
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Rng

CLEAR = {1e-4: 3e-7, 1e-5: 5e-8, 1e-6: 1e-6}
"""The largest error of a right network at each step: which coordinates are drawn doesn't show."""


def network_case(rng: Rng, sizes: tuple[int, int, int] = (4, 3, 2), *, scale: float = 0.7) -> Case:
    """A network without bugs; `sizes` are its inputs, hidden units and outputs."""
    n, (d, h, c) = 6, sizes
    X, target = rng.normal(size=(n, d)), rng.normal(size=(n, c))
    shapes = {"W": (d, h), "b": (h,), "V": (h, c)}
    params = {name: scale * rng.normal(size=shape) for name, shape in shapes.items()}
    return {"X": X, "target": target, "params": params, "bugs": {}}


def directions(rng: Rng, case: Case) -> dict[str, npt.NDArray[Any]]:
    """A direction a parameter for `along`, uphill in every coordinate: no slope is nearly 0."""
    _, grads = network(case, {})(case["params"])
    return {name: np.copysign(rng.normal(size=g.shape), g) for name, g in grads.items()}


def clear_case(rng: Rng, sizes: tuple[int, int, int], size: float = 1.0) -> Case:
    """A network in which rounding and truncation are nowhere taken for a bug.

    `size` is that of its outputs.
    """

    def of_that_size(rng: Rng) -> Case:
        case = network_case(rng, sizes)
        case["params"]["V"] *= size
        case["target"] *= size
        return case

    def is_clear(case: Case) -> bool:
        return all(_every_error(case, h) <= limit for h, limit in CLEAR.items())

    return drawn(of_that_size, is_clear, rng)


def _every_error(case: Case, h: float) -> float:
    """The largest relative error over every coordinate of a network without its bugs.

    All coordinates are moved at once, each in a network of its own: this is asked often.
    """
    params = case["params"]
    _, grads = network({**case, "bugs": {}})(params)
    here, slopes = (np.concatenate([a[name].ravel() for name in params]) for a in (params, grads))
    moved = here + h * np.concatenate([np.eye(here.size), -np.eye(here.size)])
    ends = np.cumsum([value.size for value in params.values()])[:-1]
    parts = zip(np.split(moved, ends, axis=1), params.values(), strict=True)
    W, b, V = (part.reshape(-1, *value.shape) for part, value in parts)
    gap = np.tanh(case["X"] @ W + b[:, None, :]) @ V - case["target"]
    up, down = np.split(0.5 * np.sum(gap**2, axis=(1, 2)), 2)
    return float(np.max(reference.relative_error((up - down) / (2 * h), slopes)))


def wide(rng: Rng, size: int) -> Case:
    """A network of one hidden unit with a weight of `size` numbers, all of which weigh the same.

    Few different numbers, so that the public case stays a small file.
    """

    def of_that_width(rng: Rng) -> Case:
        case = network_case(rng, (1, 1, 1))
        case["X"] = rng.choice([-1.0, 1.0], (1, size))
        case["target"] = case["target"][:1]
        case["params"]["W"] = np.round(0.01 * rng.integers(-4, 5, (size, 1)), 2)
        return case

    def slopes_are_clear(case: Case) -> bool:
        _, grads = network(case)(case["params"])
        return all(np.abs(g).min() > 0.1 for g in grads.values())

    return drawn(of_that_width, slopes_are_clear, rng)
