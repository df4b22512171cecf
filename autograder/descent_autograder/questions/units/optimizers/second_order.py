"""Newton's step, and gradients that are clipped together."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from descent_solutions import optimizers as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

Array = npt.NDArray[Any]

# ---- Newton's step -------------------------------------------------------------------------------


def newton_step_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for about, curvature in (
        ("a bowl of three parameters", rng.uniform([0.5, 3.0, 20.0], [1.0, 6.0, 40.0])),
        ("a saddle of two parameters", np.array([1.0, -1.0]) * rng.uniform(0.5, 2.0, 2)),
        ("a ravine of four parameters", rng.uniform([0.01, 1, 2, 50], [0.02, 2, 4, 90])),
    ):
        size = len(curvature)
        turn, _ = np.linalg.qr(rng.normal(size=(size, size)))
        hessian = turn @ np.diag(curvature) @ turn.T
        x = rng.normal(size=size)
        gradient = hessian @ (x - rng.normal(size=size))
        symmetric = (hessian + hessian.T) / 2
        cases.append({"about": about, "x": x, "gradient": gradient, "hessian": symmetric})
    return cases


def newton_inverse(x: Any, gradient: Any, hessian: Any) -> Any:
    """By the inverse: right, if slower and less exact."""
    return x - np.linalg.inv(hessian).dot(gradient)


NEWTON_STEP = Entry(
    "newton_step",
    reference.newton_step,
    newton_step_cases,
    variants={"with the inverse": newton_inverse},
    mistakes=written("""
        not-inverted: np.linalg.solve(hessian, gradient)  →  (hessian @ gradient)
            It looks as if the gradient is multiplied by the Hessian.
            Try: By its inverse: np.linalg.solve(hessian, gradient).
        diagonal: np.linalg.solve(hessian, gradient)  →  gradient / np.diag(hessian)
            It looks as if only the diagonal of the Hessian is used.
            Try: The parameters are coupled: solve the whole linear system.
        elementwise: np.linalg.solve(hessian, gradient)  →  (gradient / hessian).sum(axis=1)
            It looks as if the division is element by element.
            Try: H⁻¹g solves a linear system: np.linalg.solve(hessian, gradient).
        gradient-only: np.linalg.solve(hessian, gradient)  →  gradient
            It looks as if the Hessian isn't used.
            Try: That is a gradient step with a rate of 1. Solve with the Hessian first.
        uphill: x -  →  x +
            It looks as if the step is added. Try: Subtract it: x − H⁻¹g.
        halved: - np  →  - 0.5 * np
            It looks as if the step is halved.
            Try: The ½ of Taylor's formula has gone with the derivative: the whole step.
        absolute: return  →  values, vectors = np.linalg.eigh(hessian)⏎return
            (hessian,  →  (vectors @ np.diag(np.abs(values)) @ vectors.T,
            It looks as if negative curvature is turned round. Try: A good idea against saddles, but
            not Newton's step: use the Hessian as it is.
        step-returned: asarray(x -  →  asarray(-
            It looks as if the step comes back, not x after it. Try: Return x − H⁻¹g.
    """),
)

# ---- clipping ------------------------------------------------------------------------------------


def clip_by_global_norm_cases(rng: Rng) -> list[Case]:
    def grads(size: float) -> dict[str, Array]:
        shapes = {"W1": (3, 2), "b1": (2,), "W2": (2, 4)}
        made = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        made["b1"][0] = 0.0
        norm = float(np.sqrt(sum(np.sum(g**2) for g in made.values())))
        return {name: g * size / norm for name, g in made.items()}

    zeros = {name: np.zeros_like(g) for name, g in grads(1.0).items()}
    cases = (
        ("a norm of 20 above a limit of 2", grads(20.0), 2.0),
        ("a norm of 6 below a limit of 7", grads(6.0), 7.0),
        ("gradients that are all zero", zeros, 2.0),
        # Every array alone is below the limit; together they are above it.
        ("a norm just above a limit of 7", grads(7.28), 7.0),
        ("a norm of 3 above a limit of 0.3", grads(3.0), 0.3),
    )
    return [{"about": about, "grads": made, "max_norm": most} for about, made, most in cases]


def clip_in_place(grads: Any, max_norm: float) -> Any:
    """In place, with a tiny number against 0/0."""
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads.values()]))
    for g in grads.values():
        g *= min(1.0, max_norm / (norm + 1e-6))
    return grads


def _each_alone(clip: Any) -> Any:
    return lambda grads, max_norm: {n: clip({n: g}, max_norm)[n] for n, g in grads.items()}


CLIP_BY_GLOBAL_NORM = Entry(
    "clip_by_global_norm",
    reference.clip_by_global_norm,
    clip_by_global_norm_cases,
    variants={"in place": clip_in_place},
    mistakes=written(
        """
        each-alone:
            It looks as if each array is clipped by its own norm.
            Try: One norm over all arrays, one factor for all: the direction stays.
        elementwise: factor * g  →  np.clip(g, -max_norm, max_norm)
            It looks as if each element is cut off at the limit.
            Try: That bends the direction. Multiply everything by one factor.
        always: max_norm / norm if norm > max_norm else 1.0  →  max_norm / norm
            It looks as if small gradients are scaled up to the limit.
            Try: Only shrink: leave gradients within the limit alone.
        squared: np.sqrt(sum(np.sum(g**2)  →  (sum(np.sum(g**2)
            It looks as if the root of the sum of squares is missing.
            Try: The norm is the root of the sum of all squares.
        norms-added: np.sqrt(sum(np.sum(g**2)  →  (sum(np.sqrt(np.sum(g**2))
            It looks as if the norms of the arrays are added up.
            Try: Add their squares, then take one root.
        largest: np.sqrt(sum(np.sum(g**2)  →  (max(np.sqrt(np.sum(g**2))
            It looks as if the largest of the arrays' norms is taken.
            Try: Add the squares of all arrays, then take one root.
        l1: np.sqrt(sum(np.sum(g**2)  →  (sum(np.sum(np.abs(g))
            It looks as if absolute values are added up.
            Try: Use the L2 norm: the root of the sum of squares.
        mean: factor =  →  norm = norm / np.sqrt(sum(g.size for g in grads.values()))⏎factor =
            It looks as if the norm is divided by the number of elements.
            Try: Use the root of the *sum* of squares, not of their mean.
        to-one: max_norm / norm  →  1.0 / norm
            It looks as if large gradients are scaled to a norm of 1.
            Try: Scale them to max_norm: multiply by max_norm / norm.
        fixed: norm =  →  max_norm = 5.0⏎norm =
            It looks as if the limit is always 5. Try: Use the argument `max_norm`.
        """,
        wrap={"each-alone": _each_alone},
    ),
)
