"""How large a rate may be, and how noise leads away from a saddle."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import optimizers as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

# ---- stability -----------------------------------------------------------------------------------


def largest_stable_rate_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for about, curvature, mu in (
        ("a bowl", [1.0, 9.0, 3.0], None),
        ("a bowl", [1.0, 9.0], 0.9),
        ("a bowl", [1.0, 9.0, 3.0, 0.2], 0.5),
        # What matters is the largest eigenvalue, not the one of the largest size.
        ("a saddle", [1.0, -9.0, 3.0], 0.3),
        # Eigenvalues in no order: neither the first nor the last one is the largest.
        ("a bowl along the axes", [1.0, 9.0, 3.0], None),
    ):
        values = rng.uniform(0.8, 1.2, len(curvature)) * curvature
        turn, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
        hessian = np.diag(values) if "axes" in about else turn @ np.diag(values) @ turn.T
        said = "mu left out" if mu is None else f"mu = {mu:g}"
        about = f"{about} of {len(values)} parameters, {said}"
        cases.append({"about": about, "hessian": (hessian + hessian.T) / 2, "mu": mu})
    return cases


LARGEST_STABLE_RATE = Entry(
    "largest_stable_rate",
    reference.largest_stable_rate,
    largest_stable_rate_cases,
    mistakes=written("""
        flattest: .max()  →  .min()
            It looks as if the smallest eigenvalue is taken.
            Try: The steepest direction gives way first: take the largest eigenvalue.
        one: 2 *  →  1 *
            It looks as if the 2 is missing. Try: At 1/λ one step lands in the minimum; only beyond
            2/λ it gets further away.
        no-mu: 1 + mu  →  1 + 0
            It looks as if mu makes no difference. Try: With momentum the limit is 2(1 + μ)/λ.
        minus-mu: 1 + mu  →  1 - mu
            It looks as if the factor is 1 − mu.
            Try: Momentum damps the zigzag and *widens* the range: 1 + μ.
        trace: np.linalg.eigvalsh(hessian).max()  →  np.trace(hessian)
            It looks as if the eigenvalues are added up.
            Try: Only the largest one counts: np.linalg.eigvalsh(hessian).max().
        diagonal: linalg.eigvalsh  →  diag
            It looks as if the largest diagonal element is taken.
            Try: The steepest direction need not be an axis: use the eigenvalues.
        by-size: np.linalg.eigvalsh(hessian)  →  np.abs(np.linalg.eigvalsh(hessian))
            It looks as if the sign of an eigenvalue makes no difference. Try: Take the largest one:
            norms and singular values lose the sign of curvature.
    """),
)

# ---- saddles -------------------------------------------------------------------------------------


def escape_steps_cases(rng: Rng) -> list[Case]:
    alone = [frozenset[str](), *(frozenset({m.id}) for m in ESCAPE_STEPS.mistakes)]
    versions: list[Any] = [ESCAPE_STEPS.version(ids) for ids in alone]

    def all_differ(cases: list[Case]) -> bool:
        # Counts are whole numbers: a sample in which two of them agree would hide a mistake.
        return len({tuple(_steps(version, cases)) for version in versions}) == len(versions)

    return drawn(_escapes, all_differ, rng)


def _steps(function: Any, cases: list[Case]) -> list[Any]:
    """What a function answers, case by case and level by level."""
    return [
        function(
            lambda w, case=case: case["curvature"] * w,
            case["w"],
            level * case["noise"],
            learning_rate=case["learning_rate"],
            radius=case["radius"],
        )
        for case in cases
        for level in case["levels"]
    ]


def _escapes(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for about, radius, start, learning_rate, levels in (
        ("a start near balance, a small circle", 0.4, (0.3, 1e-3), 0.1, [0.0, 1e-2, 0.3]),
        ("a start in balance, a large circle", 2.5, (0.5, 0.0), 0.05, [0.0, 1e-3, 0.1]),
        # Inside, but not by the sum of the absolute values; and no element alone gets far.
        ("a start just inside the circle", 2.5, (0.9, 0.3), 0.1, [0.0, 0.5]),
        ("a start just inside a small circle", 0.4, (0.9, 0.3), 0.1, [0.0, 0.05]),
        ("a start outside the circle", 0.4, (0.9, -0.8), 0.1, [0.0, 0.05]),
        # 2.5 is a number that computers hold exactly, so that its length is exact as well.
        ("a start on the circle", 2.5, (1.0, 0.0), 0.1, [0.0]),
    ):
        curvature = np.array([0.2, -float(rng.uniform(0.8, 1.2))])
        w = radius * np.array(start) * _near_one(rng, start)
        case: Case = {"about": about, "curvature": curvature, "w": w, "levels": levels}
        case |= {"noise": rng.standard_normal((160, 2)), "learning_rate": learning_rate}
        cases.append(case | {"radius": radius})
    return cases


def _near_one(rng: Rng, start: tuple[float, float]) -> float:
    """A factor that moves a start a little, unless it stands on the circle."""
    return 1.0 if start == (1.0, 0.0) else float(rng.uniform(0.97, 1.03))


ESCAPE_STEPS = Entry(
    "escape_steps",
    reference.escape_steps,
    escape_steps_cases,
    mistakes=written("""
        no-noise: + disturbance  →  + 0.0 * disturbance
            It looks as if the noise isn't used.
            Try: Add row i of the noise to the gradient in step i.
        noise-outside: (gradient(w) + disturbance)  →  gradient(w) - disturbance
            It looks as if the noise isn't multiplied by the learning rate.
            Try: It belongs to the gradient: learning_rate · (gradient + noise).
        shared-noise: + disturbance  →  + disturbance[0]
            It looks as if one number of noise is used for all parameters.
            Try: Each row holds one number a parameter: add the whole row.
        one-more: return steps  →  return steps + 1
            return len(noise)  →  return len(noise) + 1
            It looks as if one step too many is counted.
            Try: Look at the distance before each step; a start outside needs 0 steps.
        from-start: for steps  →  start = w⏎for steps
            norm(w  →  norm(w - start
            It looks as if the distance is measured from the start.
            Try: The saddle is at the origin: measure the length of w itself.
        diameter: > radius  →  > 2 * radius
            It looks as if w has to get two radii away.
            Try: It is out as soon as its length exceeds radius.
        squared: norm(w)  →  norm(w) ** 2
            It looks as if the square of the length is compared with radius.
            Try: Take the root: np.linalg.norm(w).
        absolute-sum: norm(w  →  norm(w, 1
            It looks as if absolute values are added up.
            Try: The length is the root of the sum of squares: np.linalg.norm(w).
        largest: norm(w  →  norm(w, np.inf
            It looks as if only the largest element of w counts.
            Try: The length is the root of the sum of squares: np.linalg.norm(w).
        radius-one: > radius  →  > 1.0
            It looks as if the radius is always 1. Try: Use the argument `radius`.
        on-circle: > radius  →  >= radius
            It looks as if a w on the circle counts as out.
            Try: It is out when its length *exceeds* radius: > rather than >=.
        one-less: return steps  →  return max(steps - 1, 0)
            It looks as if one step too few is counted. Try: The step that brings w out counts too.
        uphill: w - learning_rate  →  w + learning_rate
            It looks as if the steps go uphill. Try: Subtract learning_rate · (gradient + noise).
        never-is-none: return len(noise)  →  return None⏎return len(noise)
            It looks as if nothing comes back when w never gets out.
            Try: Return the number of rows of the noise then.
    """),
)
