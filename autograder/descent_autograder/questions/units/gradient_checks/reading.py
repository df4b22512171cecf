"""Reading errors: how large one is, what it says, and at which step it is smallest."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent.questions.gradient_checks import bend
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

# ---- relative error ------------------------------------------------------------------------------


def relative_error_cases(rng: Rng) -> list[Case]:
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    a[0, 1] = b[0, 1] = 0.0
    a[1, 2], b[1, 2] = 0.0, 0.3
    b[2, 0] = -a[2, 0]
    # Sizes below 1e-8 also when both are added, and only when they aren't.
    near = np.array([0.2, 0.8, *rng.normal(size=3)]) * rng.choice([-1, 1], 5)
    c, d = near * 1e-8, near * (1e-8 + 3e-12)
    e, f = rng.normal(size=4), rng.normal(size=4)
    e[1], f[2] = np.nan, np.nan
    return [
        {"about": "two (3, 4) arrays, one pair of zeros", "a": a, "b": b},
        {"about": "numbers near 1e-8", "a": c, "b": d},
        {"about": "arrays with a NaN", "a": e, "b": f},
    ]


def relative_error_loop(a: Any, b: Any) -> Any:
    """Plain loops and Python floats."""
    out = []
    for p, q in zip(np.ravel(a).tolist(), np.ravel(b).tolist(), strict=True):
        top = max(abs(p), abs(q))
        if p != p or q != q:
            out.append(float("nan"))
        else:
            out.append(abs(p - q) / top if top > 0 else 0.0)
    return np.array(out).reshape(np.shape(np.atleast_1d(a)))


RELATIVE_ERROR = Entry(
    "relative_error",
    reference.relative_error,
    relative_error_cases,
    variants={"loops": relative_error_loop},
    mistakes=written("""
        absolute: np.maximum(np.abs(a), np.abs(b))  →  1.0
            It looks as if this is the absolute error. Try: Divide by the larger of |a| and |b|:
            1e-4 means little next to 1, a lot to 1e-5.
        signed: np.abs(a - b)  →  (a - b)
            It looks as if the difference keeps its sign. Try: Take the absolute value of a − b, or
            errors of one sign pass every threshold.
        sum: np.maximum(np.abs(a), np.abs(b))  →  np.abs(a) + np.abs(b)
            It looks as if you divide by |a| + |b|.
            Try: Divide by the larger of the two; the thresholds are meant for that.
        minimum: np.maximum  →  np.minimum
            It looks as if you divide by the smaller of |a| and |b|.
            Try: Divide by the larger of the two, elementwise.
        first-only: np.maximum(np.abs(a), np.abs(b))  →  np.abs(a)
            It looks as if you divide by |a| alone.
            Try: Neither is known to be right: divide by the larger of |a| and |b|.
        no-zero-case: np.where(both_zero, 1.0, larger)  →  larger
            It looks as if 0 against 0 isn't taken care of.
            Try: Where both are 0 they agree: the error is 0, not 0/0.
        epsilon: np.where(both_zero, 1.0, larger)  →  (larger + 1e-8)
            It looks as if a small number is added to the denominator. Try: It hides the errors of
            small gradients; treat the case of two zeros by itself.
        floored: both_zero =  →  larger = np.maximum(1e-8, larger)⏎both_zero =
            It looks as if the denominator is never smaller than 1e-8. Try: It hides the errors of
            small gradients; treat the case of two zeros by itself.
        larger-signed: np.maximum(np.abs(a), np.abs(b))  →  np.maximum(a, b)
            It looks as if you divide by the larger of a and b, not of their sizes.
            Try: Of two negative numbers that is the smaller size: take np.abs of each first.
        nan-swallowed: return np.asarray  →  return np.nan_to_num
            It looks as if NaN is turned into a number. Try: A NaN is a finding: leave it in.
        largest-only: 1.0, larger))  →  1.0, larger)).max()
            It looks as if only the largest error comes back.
            Try: Return one error an element; the caller takes the maximum.
    """),
)

# ---- verdict -------------------------------------------------------------------------------------


def verdict_cases(rng: Rng) -> list[Case]:
    def errors(lows: list[float], highs: list[float]) -> list[float]:
        return [float(error) for error in 10 ** rng.uniform(lows, highs)]

    # In every band, and just above every threshold.
    lows, highs = [-9.5, -6.9, -5.9, -3.9, -2.9, -1.9], [-7.2, -6.1, -4.2, -3.1, -2.2, -1.1]
    edges = [1e-2, 1e-4, 1e-7, float("nan")]
    without, with_kinks = [*errors(lows, highs), *edges, 0.0], [*errors(lows, highs), *edges]
    return [
        {"about": "has_kinks=False", "errors": without, "has_kinks": False},
        {"about": "has_kinks=True", "errors": with_kinks, "has_kinks": True},
        # Only where kinks matter is there something to see.
        {"about": "has_kinks left out", "errors": errors(lows[1:3], highs[1:3]), "has_kinks": None},
    ]


VERDICT = Entry(
    "verdict",
    reference.verdict,
    verdict_cases,
    mistakes=written("""
        border: error <= 1e-2  →  error < 1e-2
            error > 1e-4  →  error >= 1e-4
            error > 1e-7  →  error >= 1e-7
            It looks as if a value exactly on a threshold counts as above it.
            Try: 1e-7 itself is still happy: use >, not >=.
        nan-passes: if not error  →  if error == error and not error
            It looks as if NaN passes every comparison down to the best verdict.
            Try: Every comparison with NaN is False. Ask `not error <= 1e-2`, or np.isnan.
        nan-uncomfortable: if not error
            →  if error != error:⏎    return "uncomfortable"⏎if not error
            It looks as if NaN is called uncomfortable. Try: A NaN is wrong, whatever made it.
        kinks-ignored: "okay" if has_kinks else "uncomfortable"  →  "uncomfortable"
            It looks as if kinks make no difference.
            Try: With kinks, up to 1e-4 is okay; without, it is uncomfortable.
        kinks-swapped: if has_kinks  →  if not has_kinks
            It looks as if has_kinks is read the wrong way round.
            Try: Kinks excuse an error; a smooth function has no excuse.
        always-okay: "okay" if has_kinks else "uncomfortable"  →  "okay"
            It looks as if 1e-4 is okay without kinks as well.
            Try: Only a function with kinks may be called okay.
        kinks-excuse-all: 1e-4:⏎    return "uncomfortable"
            →  1e-4:⏎    return "okay" if has_kinks else "uncomfortable"
            It looks as if kinks excuse errors up to 1e-2.
            Try: Between 1e-4 and 1e-2 even a function with kinks is uncomfortable.
        shifted: 1e-2  →  1e-1
            1e-4  →  1e-3
            1e-7  →  1e-6
            It looks as if the thresholds are ten times too large.
            Try: They are 1e-2, 1e-4 and 1e-7.
    """),
)

# ---- best step -----------------------------------------------------------------------------------


def best_step_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # The best step is small where f bends sharply, large where it bends slowly, and never stands in
    # the middle of the list by rule, but once at its end and once at its start; the error's sign
    # turns with the third derivative; the worst step may be the smallest one (a step lost in
    # rounding) or the largest.
    for decades, steepness, lowest, phase, place in (
        ((-1, -5, -17), 1.0, 2.0, 0.3, None),
        ((-1, -3, -5), 1.0, 2.0, 1.0, None),
        ((-1, -2, -4, -10), 1.0, -3.0, 1.0, 3),
        ((-2, -6, -7, -8, -12), 1e3, 2.0, 0.3, 0),
        ((1, -2, -6, -12), 1e-2, 2.0, 0.3, None),
    ):
        steps = [float(10.0**d) for d in rng.permutation(decades)]
        k = float(rng.uniform(1.0, 1.6)) * steepness
        x, slope = phase / k, lowest + float(rng.uniform(0.0, 1.0))
        best = steps.index(reference.best_step(*bend(k, slope), x, steps))
        if place is not None:
            steps[best], steps[place] = steps[place], steps[best]
        about = "steps " + ", ".join(f"{h:g}" for h in steps)
        cases.append({"about": about, "x": x, "steepness": k, "slope": slope, "steps": steps})
    return cases


def best_step_relative(f: Any, df: Any, x: Any, steps: Any) -> Any:
    """By the relative error, with a running minimum."""
    best, least = steps[0], np.inf
    for h in steps:
        numerical, exact = (f(x + h) - f(x - h)) / (2 * h), df(x)
        error = abs(numerical - exact) / max(abs(numerical), abs(exact))
        if error < least:
            best, least = h, error
    return best


BEST_STEP = Entry(
    "best_step",
    reference.best_step,
    best_step_cases,
    through=(reference.central_difference,),
    variants={"relative error, running minimum": best_step_relative},
    mistakes=written("""
        smallest: steps[int(np.argmin(errors))]  →  min(steps)
            It looks as if the smallest h is taken. Try: Below some h, rounding in f(x + h) −
            f(x − h) makes it worse. Measure each error.
        largest: steps[int(np.argmin(errors))]  →  max(steps)
            It looks as if the largest h is taken.
            Try: Measure the error at each h and take the h of the smallest.
        worst: np.argmin  →  np.argmax
            It looks as if you take the h with the largest error. Try: Use argmin, not argmax.
        forward: central_difference(f, x, h)  →  forward_difference(f, x, h)
            It looks as if the errors are those of the forward difference.
            Try: Use the centred difference: it has its best h elsewhere.
        signed: np.abs(central_difference  →  (central_difference
            It looks as if the errors keep their sign.
            Try: Take absolute values before looking for the smallest.
        index: steps[int(np.argmin(errors))]  →  int(np.argmin(errors))
            It looks as if the position in `steps` comes back.
            Try: Return the step itself: steps[i].
        not-halved: (2 * h)  →  h
            It looks as if the centred difference is divided by h.
            Try: The distance from x − h to x + h is 2h.
        precedence: (2 * h)  →  2 * h
            It looks as if the quotient is halved and then multiplied by h.
            Try: `a / 2 * h` means (a / 2) · h; put brackets around `2 * h`.
        df-forgotten: - df(x)  →
            It looks as if the slopes aren't compared with df(x).
            Try: An error is the distance from the exact derivative: subtract df(x).
    """),
)
