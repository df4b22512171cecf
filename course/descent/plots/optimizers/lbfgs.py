"""L-BFGS, to be measured: the two-loop recursion of Nocedal (1980) with a backtracking search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
LossAndGrad = Callable[[Array], tuple[float, Array]]


def lbfgs(
    loss_and_grad: LossAndGrad,
    x: Array,
    num_evaluations: int,
    *,
    memory: int = 10,
    seen: Callable[[Array], None] = lambda x: None,
) -> Array:
    """Minimise `loss_and_grad` from `x` (D,) with at most `num_evaluations` of it.

    `seen(x)` is called after every evaluation with the best point so far. Returns that point.
    """
    pairs: list[tuple[Array, Array]] = []
    loss, grad = loss_and_grad(x)
    seen(x)
    left = num_evaluations - 1
    while left > 0:
        step = -_times_inverse(pairs, grad)
        slope = float(step @ grad)
        if slope >= 0:
            pairs.clear()
            step, slope = -grad, -float(grad @ grad)
        if slope > -1e-20:
            break
        length = 1.0 if pairs else min(1.0, 1 / float(np.linalg.norm(grad)))
        while left > 0:
            moved = x + length * step
            new_loss, new_grad = loss_and_grad(moved)
            left -= 1
            if new_loss <= loss + 1e-4 * length * slope:
                change, turn = moved - x, new_grad - grad
                # Only a pair of positive curvature keeps the approximation positive definite.
                if change @ turn > 1e-10 * (change @ change):
                    pairs = [*pairs[-memory + 1 :], (change, turn)]
                x, loss, grad = moved, new_loss, new_grad
                seen(x)
                break
            seen(x)
            length /= 2
    return x


def _times_inverse(pairs: list[tuple[Array, Array]], grad: Array) -> Array:
    """The approximate inverse Hessian times `grad`, from the last changes and their turns."""
    if not pairs:
        return grad
    q, weights = grad.copy(), []
    for change, turn in reversed(pairs):
        weight = (change @ q) / (turn @ change)
        q -= weight * turn
        weights.append(weight)
    change, turn = pairs[-1]
    q *= (change @ turn) / (turn @ turn)
    for (change, turn), weight in zip(pairs, reversed(weights), strict=True):
        q += (weight - (turn @ q) / (turn @ change)) * change
    return np.asarray(q)
