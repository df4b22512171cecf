"""Unit 1 for the grader: fresh cases, accepted variants, and the mistakes students make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.judging import Mistake
from descent.questions.gradient_checks import bend, network, wave_gradient
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.legacy import Entry, Switches, add

Array = npt.NDArray[Any]
Rng = np.random.Generator
Case = dict[str, Any]

# ---- difference quotients ------------------------------------------------------------------------

SHAPES: tuple[tuple[int, ...], ...] = ((3, 2), (2, 1, 2), (), (3,), (2,))


def _difference_cases(rng: Rng, steps: tuple[float | None, ...]) -> list[Case]:
    cases = []
    for i, (shape, h) in enumerate(zip(SHAPES, steps, strict=True)):
        x: Any = np.asarray(rng.uniform(-1.5, 1.5, shape))
        kind = "float64"
        if i == 3:
            x, kind = np.asarray(rng.integers(-3, 4, shape)), "int64"
            # Cutting off moves a negative integer towards 0, and a positive one not at all.
            x[:2] = -2, 3
        if i == 4:
            x, kind = x.astype(np.float32), "float32"
        weights = np.asarray(rng.uniform(0.5, 2.0, shape))
        about = f"x of shape {shape} and dtype {kind}, " + (
            "h left out" if h is None else f"h = {h:g}"
        )
        cases.append({"about": about, "x": x, "w": weights, "h": h})
    return cases


def real_step_cases(rng: Rng) -> list[Case]:
    return _difference_cases(rng, (1e-2, None, 1e-1, 1e-4, 1e-3))


def complex_step_cases(rng: Rng) -> list[Case]:
    return _difference_cases(rng, (1e-3, None, 1e-30, 1e-100, 1e-2))


def _quotient(
    on: Switches, step: Callable[..., Any], start: Callable[..., Any], left: int
) -> Callable[..., Any]:
    """A difference quotient with the faults that all of them share.

    `left` says how many h away a coordinate stays that isn't put back.
    """

    def difference(f: Callable[[Any], Any], x: Any, h: float) -> Any:
        given, exact = np.asarray(x), np.array(x, dtype=np.float64)
        work = given if on & {"integer-truncation", "x-truncated"} else exact
        truncated = on & {"integer-truncation", "gradient-truncated"}
        gradient = np.zeros_like(given if truncated else exact)
        f_x = start(f, work)
        every = list(np.ndindex(work.shape))
        for index in every:
            moved = every if "all-at-once" in on else [index]
            gradient[index] = step(f, work, moved, h, f_x)
            if on & {"not-put-back", "aliased"}:
                work[index] += left * h
        if "aliased" in on and isinstance(x, np.ndarray) and x.dtype == np.float64:
            x[...] = work
        if "single" in on:
            gradient = gradient.astype(np.float32)
        if "x-left-changed" in on and isinstance(x, np.ndarray):
            x += np.asarray(max(h, 1.0)).astype(x.dtype)
        if "flattened" in on:
            gradient = gradient.ravel()
        return -gradient if "sign" in on else gradient

    return difference


def _shifted(x: Any, moved: list[tuple[int, ...]], by: float) -> Any:
    shifted = x.copy()
    for index in moved:
        shifted[index] += by
    return shifted


def forward_family(on: Switches) -> Callable[..., Any]:
    def start(f: Callable[[Any], Any], x: Any) -> Any:
        return f(x.copy())

    def step(f: Callable[[Any], Any], x: Any, moved: Any, h: float, f_x: Any) -> Any:
        if "backward-difference" in on:
            return (f_x - f(_shifted(x, moved, -h))) / h
        if "centred" in on:
            rise = f(_shifted(x, moved, h)) - f(_shifted(x, moved, -h))
            return rise / (2 * h)
        rise = f(_shifted(x, moved, h)) - f_x
        if "not-divided" in on:
            return rise
        return rise / (2 * h) if "halved" in on else rise / h

    quotient = _quotient(on, step, start, 1)

    def forward_difference(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
        return quotient(f, x, h)

    return forward_difference


def central_family(on: Switches) -> Callable[..., Any]:
    def start(f: Callable[[Any], Any], x: Any) -> Any:
        return f(x.copy()) if "one-sided" in on else None

    def step(f: Callable[[Any], Any], x: Any, moved: Any, h: float, f_x: Any) -> Any:
        plus = f(_shifted(x, moved, h))
        if "one-sided" in on:
            return (plus - f_x) / h
        minus = f(_shifted(x, moved, 0.0 if "lower-at-x" in on else -h))
        if "aliased" in on:
            minus = plus
        if "not-halved" in on:
            return (plus - minus) / h
        if "precedence" in on:
            return (plus - minus) / 2 * h
        if "half-step" in on:
            half = (f(_shifted(x, moved, h / 2)), f(_shifted(x, moved, -h / 2)))
            return (half[0] - half[1]) / (2 * h)
        return (plus - minus) / (2 * h)

    quotient = _quotient(on, step, start, 0 if "aliased" in on else -1)

    def central_difference(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
        return quotient(f, x, h)

    return central_difference


def complex_family(on: Switches) -> Callable[..., Any]:
    def complex_step(f: Callable[[Any], Any], x: Any, h: float = 1e-20) -> Any:
        base = np.array(x, dtype=np.float64)
        gradient = np.zeros(base.shape)
        for index in np.ndindex(base.shape):
            moved = base.astype(np.complex128)
            if "all-at-once" in on:
                moved += 1j * h
            elif "real-step" in on:
                moved[index] += h
            else:
                moved[index] += 1j * h
            value = f(moved)
            part = value.real if "real-part" in on else value.imag
            if "difference-taken" in on:
                part = (value - f(base)).real
            gradient[index] = part if "not-divided" in on else part / h
            if "halved" in on:
                gradient[index] /= 2
        if "x-left-changed" in on and isinstance(x, np.ndarray):
            x += np.asarray(1.0).astype(x.dtype)
        return gradient.ravel() if "flattened" in on else gradient

    return complex_step


def in_place_central(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    """Moves each coordinate of a float copy there and back."""
    z = np.asarray(x, dtype=float)
    z = z.copy() if z is x else z
    gradient = np.empty(z.shape)
    it = np.nditer(z, flags=["multi_index"])
    for _ in it:
        i = it.multi_index
        old = float(z[i])
        z[i] = old + h
        high = f(z)
        z[i] = old - h
        low = f(z)
        z[i] = old
        gradient[i] = (high - low) / (2.0 * h)
    return gradient


def flat_forward(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    """Loops over a flat list of floats."""
    shape = np.shape(x)
    flat = [float(v) for v in np.ravel(x)]
    rises = []
    for i in range(len(flat)):
        moved = list(flat)
        moved[i] = moved[i] + h
        rises.append((f(np.reshape(moved, shape)) - f(np.reshape(flat, shape))) / h)
    return np.array(rises).reshape(shape)


_ALL_AT_ONCE = Mistake(
    "all-at-once",
    "It looks as if every coordinate of x is moved at the same time.",
    "Move one coordinate, measure f, put it back, and only then go on to the next.",
)
_LEFT_CHANGED = Mistake(
    "x-left-changed",
    "It looks as if x is not what it was after the call.",
    "Work on a copy, or put every coordinate back before you go on.",
)
_TRUNCATED = (
    Mistake(
        "integer-truncation",
        "It looks as if x and the gradient keep x's integer or float32 type, which cuts them off.",
        "Make a float64 array of x first: an integer array drops everything after the point.",
    ),
    Mistake(
        "x-truncated",
        "It looks as if x keeps its integer or float32 type, so that x + h is cut off.",
        "Make a float64 array of x first: in an integer array, 3 + 1e-5 is 3 again.",
    ),
    Mistake(
        "gradient-truncated",
        "It looks as if the gradient has x's integer or float32 type.",
        "np.zeros_like(x) takes over x's type: make the gradient float64.",
    ),
)
_SINGLE = Mistake(
    "single",
    "It looks as if the gradient is kept in float32.",
    "It rounds to seven digits: np.zeros(x.shape) is float64 by itself.",
)
_NOT_PUT_BACK = Mistake(
    "not-put-back",
    "It looks as if a coordinate isn't back in its place when the next one moves.",
    "Work on a fresh copy for each coordinate, or put the old value back.",
)
_FLATTENED = Mistake(
    "flattened",
    "It looks as if the gradient comes back flat.",
    "Give it the shape of x.",
)
_SIGN = Mistake(
    "sign",
    "It looks as if the sign of the difference is turned round.",
    "The value further along x comes first: f(x + h) minus the other one.",
)

add(
    Entry(
        question="forward_difference",
        reference=reference.forward_difference,
        cases=real_step_cases,
        family=forward_family,
        mistakes=(
            Mistake(
                "halved",
                "It looks as if the difference is divided by 2h.",
                "From x to x + h is one step of length h.",
            ),
            Mistake(
                "not-divided",
                "It looks as if the difference isn't divided by h.",
                "A slope is a rise over a run: divide by the run.",
            ),
            Mistake(
                "backward-difference",
                "It looks as if you step back, to x − h, rather than forward.",
                "The forward difference compares f(x + h) with f(x).",
            ),
            Mistake(
                "centred",
                "It looks as if this is the centred difference.",
                "That one comes next; here, compare f(x + h) with f(x).",
            ),
            _ALL_AT_ONCE,
            _NOT_PUT_BACK,
            Mistake(
                "aliased",
                "It looks as if the caller's own x is moved, and not put back.",
                "`moved = x` is a second name for the same array: use x.copy().",
            ),
            _LEFT_CHANGED,
            *_TRUNCATED,
            _SINGLE,
            _FLATTENED,
            _SIGN,
        ),
        variants={"a flat list of floats": flat_forward},
    )
)

add(
    Entry(
        question="central_difference",
        reference=reference.central_difference,
        cases=real_step_cases,
        family=central_family,
        mistakes=(
            Mistake(
                "not-halved",
                "It looks as if the difference is divided by h.",
                "From x − h to x + h the distance is 2h.",
            ),
            Mistake(
                "precedence",
                "It looks as if the quotient is halved and then multiplied by h.",
                "`a / 2 * h` means (a / 2) · h; put brackets around `2 * h`.",
            ),
            Mistake(
                "one-sided",
                "It looks as if this is the forward difference.",
                "Step both ways: compare f(x + h) with f(x − h).",
            ),
            Mistake(
                "half-step",
                "It looks as if you step by h/2 to either side and divide by 2h.",
                "Step by h to either side; the distance is then 2h.",
            ),
            Mistake(
                "lower-at-x",
                "It looks as if the lower value is taken at x, not at x − h.",
                "After `x[i] += h`, `x[i] -= h` is back at x: go down by 2h.",
            ),
            _ALL_AT_ONCE,
            _NOT_PUT_BACK,
            Mistake(
                "aliased",
                "It looks as if both values are taken at the same place, so that they cancel.",
                "`plus = minus = x` gives one array two names: copy it for each.",
            ),
            _LEFT_CHANGED,
            *_TRUNCATED,
            _SINGLE,
            _FLATTENED,
            _SIGN,
        ),
        variants={"in place on a copy": in_place_central},
    )
)

add(
    Entry(
        question="complex_step",
        reference=reference.complex_step,
        cases=complex_step_cases,
        family=complex_family,
        mistakes=(
            Mistake(
                "real-step",
                "It looks as if the step is real.",
                "Step along the imaginary axis: add 1j * h.",
            ),
            Mistake(
                "real-part",
                "It looks as if the real part is taken.",
                "The slope is in the imaginary part of f(x + ih).",
            ),
            Mistake(
                "not-divided",
                "It looks as if the imaginary part isn't divided by h.",
                "Divide the imaginary part by the length of the step.",
            ),
            Mistake(
                "difference-taken",
                "It looks as if f(x) is subtracted and the real part kept.",
                "No difference is needed: that is the point of the complex step.",
            ),
            Mistake(
                "halved",
                "It looks as if you divide by 2h.",
                "There is one step of length h, so divide by h.",
            ),
            _ALL_AT_ONCE,
            _LEFT_CHANGED,
            _FLATTENED,
        ),
    )
)

# ---- reading errors ------------------------------------------------------------------------------


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


def relative_error_family(on: Switches) -> Callable[..., Any]:
    def relative_error(a: Any, b: Any) -> Any:
        a, b = np.atleast_1d(a, b)
        gap = np.asarray(a - b) if "signed" in on else np.abs(a - b)
        size_a, size_b = np.abs(a), np.abs(b)
        if "sum" in on:
            size = size_a + size_b
        elif "minimum" in on:
            size = np.minimum(size_a, size_b)
        elif "first-only" in on:
            size = size_a
        elif "absolute" in on:
            size = np.ones_like(gap)
        elif "larger-signed" in on:
            size = np.maximum(a, b)
        else:
            size = np.maximum(size_a, size_b)
        if "floored" in on:
            size = np.maximum(1e-8, size)
        if "epsilon" in on:
            error = gap / (size + 1e-8)
        elif "no-zero-case" in on:
            error = gap / size
        else:
            error = np.where(size == 0, gap, gap / np.where(size == 0, 1.0, size))
        if "nan-swallowed" in on:
            error = np.nan_to_num(error, nan=0.0)
        if "largest-only" in on:
            return np.max(error)
        return error

    return relative_error


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


add(
    Entry(
        question="relative_error",
        reference=reference.relative_error,
        cases=relative_error_cases,
        family=relative_error_family,
        mistakes=(
            Mistake(
                "absolute",
                "It looks as if this is the absolute error.",
                "Divide by the larger of |a| and |b|: 1e-4 means little next to 1, a lot to 1e-5.",
            ),
            Mistake(
                "signed",
                "It looks as if the difference keeps its sign.",
                "Take the absolute value of a − b, or errors of one sign pass every threshold.",
            ),
            Mistake(
                "sum",
                "It looks as if you divide by |a| + |b|.",
                "Divide by the larger of the two; the thresholds are meant for that.",
            ),
            Mistake(
                "minimum",
                "It looks as if you divide by the smaller of |a| and |b|.",
                "Divide by the larger of the two, elementwise.",
            ),
            Mistake(
                "first-only",
                "It looks as if you divide by |a| alone.",
                "Neither is known to be right: divide by the larger of |a| and |b|.",
            ),
            Mistake(
                "no-zero-case",
                "It looks as if 0 against 0 isn't taken care of.",
                "Where both are 0 they agree: the error is 0, not 0/0.",
            ),
            Mistake(
                "epsilon",
                "It looks as if a small number is added to the denominator.",
                "It hides the errors of small gradients; treat the case of two zeros by itself.",
            ),
            Mistake(
                "floored",
                "It looks as if the denominator is never smaller than 1e-8.",
                "It hides the errors of small gradients; treat the case of two zeros by itself.",
            ),
            Mistake(
                "larger-signed",
                "It looks as if you divide by the larger of a and b, not of their sizes.",
                "Of two negative numbers that is the smaller size: take np.abs of each first.",
            ),
            Mistake(
                "nan-swallowed",
                "It looks as if NaN is turned into a number.",
                "A NaN is a finding: leave it in.",
            ),
            Mistake(
                "largest-only",
                "It looks as if only the largest error comes back.",
                "Return one error an element; the caller takes the maximum.",
            ),
        ),
        variants={"loops": relative_error_loop},
    )
)


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


def verdict_family(on: Switches) -> Callable[..., Any]:
    def verdict(error: float, *, has_kinks: bool = False) -> Any:
        if "nan-passes" in on and error != error:
            return "happy"
        if "nan-uncomfortable" in on and error != error:
            return "uncomfortable"
        if "kinks-swapped" in on:
            has_kinks = not has_kinks
        if "kinks-ignored" in on:
            has_kinks = False
        if "always-okay" in on:
            has_kinks = True
        limits = [1e-2, 1e-4, 1e-7]
        if "shifted" in on:
            limits = [1e-1, 1e-3, 1e-6]

        def above(limit: float) -> bool:
            return error >= limit if "border" in on else error > limit

        if error != error or above(limits[0]):
            return "wrong"
        if above(limits[1]):
            return "okay" if "kinks-excuse-all" in on and has_kinks else "uncomfortable"
        if above(limits[2]):
            return "okay" if has_kinks else "uncomfortable"
        return "happy"

    return verdict


add(
    Entry(
        question="verdict",
        reference=reference.verdict,
        cases=verdict_cases,
        family=verdict_family,
        mistakes=(
            Mistake(
                "border",
                "It looks as if a value exactly on a threshold counts as above it.",
                "1e-7 itself is still happy: use >, not >=.",
            ),
            Mistake(
                "nan-passes",
                "It looks as if NaN passes every comparison down to the best verdict.",
                "Every comparison with NaN is False. Ask `not error <= 1e-2`, or np.isnan.",
            ),
            Mistake(
                "nan-uncomfortable",
                "It looks as if NaN is called uncomfortable.",
                "A NaN is wrong, whatever made it.",
            ),
            Mistake(
                "kinks-ignored",
                "It looks as if kinks make no difference.",
                "With kinks, up to 1e-4 is okay; without, it is uncomfortable.",
            ),
            Mistake(
                "kinks-swapped",
                "It looks as if has_kinks is read the wrong way round.",
                "Kinks excuse an error; a smooth function has no excuse.",
            ),
            Mistake(
                "always-okay",
                "It looks as if 1e-4 is okay without kinks as well.",
                "Only a function with kinks may be called okay.",
            ),
            Mistake(
                "kinks-excuse-all",
                "It looks as if kinks excuse errors up to 1e-2.",
                "Between 1e-4 and 1e-2 even a function with kinks is uncomfortable.",
            ),
            Mistake(
                "shifted",
                "It looks as if the thresholds are ten times too large.",
                "They are 1e-2, 1e-4 and 1e-7.",
            ),
        ),
    )
)


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


def best_step_family(on: Switches) -> Callable[..., Any]:
    def best_step(f: Any, df: Any, x: Any, steps: Any) -> Any:
        def slope(h: float) -> Any:
            if "forward" in on:
                return (f(x + h) - f(x)) / h
            if "precedence" in on:
                return (f(x + h) - f(x - h)) / 2 * h
            return (f(x + h) - f(x - h)) / (h if "not-halved" in on else 2 * h)

        errors = [slope(h) - (0.0 if "df-forgotten" in on else df(x)) for h in steps]
        if "signed" not in on:
            errors = [abs(e) for e in errors]
        if "smallest" in on:
            return min(steps)
        if "largest" in on:
            return max(steps)
        best = int(np.argmax(errors) if "worst" in on else np.argmin(errors))
        if "index" in on:
            return best
        return steps[best]

    return best_step


def best_step_relative(f: Any, df: Any, x: Any, steps: Any) -> Any:
    """By the relative error, with a running minimum."""
    best, least = steps[0], np.inf
    for h in steps:
        numerical, exact = (f(x + h) - f(x - h)) / (2 * h), df(x)
        error = abs(numerical - exact) / max(abs(numerical), abs(exact))
        if error < least:
            best, least = h, error
    return best


add(
    Entry(
        question="best_step",
        reference=reference.best_step,
        cases=best_step_cases,
        family=best_step_family,
        mistakes=(
            Mistake(
                "smallest",
                "It looks as if the smallest h is taken.",
                "Below some h, rounding in f(x + h) − f(x − h) makes it worse. Measure each error.",
            ),
            Mistake(
                "largest",
                "It looks as if the largest h is taken.",
                "Measure the error at each h and take the h of the smallest.",
            ),
            Mistake(
                "worst",
                "It looks as if you take the h with the largest error.",
                "Use argmin, not argmax.",
            ),
            Mistake(
                "forward",
                "It looks as if the errors are those of the forward difference.",
                "Use the centred difference: it has its best h elsewhere.",
            ),
            Mistake(
                "signed",
                "It looks as if the errors keep their sign.",
                "Take absolute values before looking for the smallest.",
            ),
            Mistake(
                "index",
                "It looks as if the position in `steps` comes back.",
                "Return the step itself: steps[i].",
            ),
            Mistake(
                "not-halved",
                "It looks as if the centred difference is divided by h.",
                "The distance from x − h to x + h is 2h.",
            ),
            Mistake(
                "precedence",
                "It looks as if the quotient is halved and then multiplied by h.",
                "`a / 2 * h` means (a / 2) · h; put brackets around `2 * h`.",
            ),
            Mistake(
                "df-forgotten",
                "It looks as if the slopes aren't compared with df(x).",
                "An error is the distance from the exact derivative: subtract df(x).",
            ),
        ),
        variants={"relative error, running minimum": best_step_relative},
    )
)

# ---- kinks ---------------------------------------------------------------------------------------


def crossed_kinks_cases(rng: Rng) -> list[Case]:
    plus = rng.normal(size=(4, 3))
    minus = np.where(rng.random((4, 3)) < 0.5, -plus, plus + 0.1 * np.sign(plus))
    plus[0], minus[0] = [0.4, -0.4, 0.3], [-0.2, 0.1, 0.5]
    edge_plus = np.array([0.0, 0.0, 0.0, 0.5, -0.5, 0.7])
    edge_minus = np.array([1.0, -1.0, 0.0, 0.0, 0.0, 0.2]) * rng.uniform(0.5, 2)
    near_plus, near_minus = 1e-6 * plus, 1e-6 * minus
    near_plus[0, 0], near_minus[0, 0] = 1e-12, -1e-12
    return [
        {"about": "pre-activations of shape (4, 3)", "pre_plus": plus, "pre_minus": minus},
        {"about": "numbers near 1e-6", "pre_plus": near_plus, "pre_minus": near_minus},
        {"about": "some exactly 0", "pre_plus": edge_plus, "pre_minus": edge_minus},
    ]


def crossed_kinks_family(on: Switches) -> Callable[..., Any]:
    def crossed_kinks(pre_plus: Any, pre_minus: Any) -> Any:
        if "product" in on:
            mask = pre_plus * pre_minus < 0
        elif "sign" in on:
            mask = np.sign(pre_plus) != np.sign(pre_minus)
        elif "not-negative" in on:
            mask = (pre_plus >= 0) != (pre_minus >= 0)
        elif "either" in on:
            mask = (pre_plus > 0) | (pre_minus > 0)
        elif "one-way" in on:
            mask = (pre_plus > 0) & ~(pre_minus > 0)
        else:
            mask = (pre_plus > 0) != (pre_minus > 0)
        if "inverted" in on:
            mask = ~mask
        if "any" in on:
            return bool(mask.any())
        if "indices" in on:
            return np.argwhere(mask)
        return mask

    return crossed_kinks


_SIDES = (
    Mistake(
        "product",
        "It looks as if only products below zero count.",
        "A ReLU at exactly 0 is off: 0 against 1 crosses too, though the product is 0.",
    ),
    Mistake(
        "sign",
        "It looks as if 0 and a negative number count as different sides.",
        "At 0 a ReLU is as flat as below it: compare (pre > 0), not the signs.",
    ),
    Mistake(
        "not-negative",
        "It looks as if 0 counts as the side where the ReLU is on.",
        "Use > 0 on both sides.",
    ),
)
_ONE_WAY = Mistake(
    "one-way",
    "It looks as if only crossings in one direction count.",
    "On at −h and off at +h is a crossing as well.",
)
_ANY = Mistake(
    "any",
    "It looks as if one answer comes back for everything.",
    "Return a mask: one True or False for each.",
)
_INVERTED = Mistake(
    "inverted",
    "It looks as if the mask is turned round: True where nothing happened.",
    "True marks the places to be careful about.",
)

add(
    Entry(
        question="crossed_kinks",
        reference=reference.crossed_kinks,
        cases=crossed_kinks_cases,
        family=crossed_kinks_family,
        mistakes=(
            *_SIDES,
            Mistake(
                "either",
                "It looks as if every unit counts that is on at either side.",
                "Only a change counts: on at one side and off at the other.",
            ),
            _ONE_WAY,
            _INVERTED,
            _ANY,
            Mistake(
                "indices",
                "It looks as if the positions come back.",
                "Return the mask itself, of the shape of the pre-activations.",
            ),
        ),
    )
)


def winner_changed_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for rows, columns in ((6, 4), (4, 5), (7, 3)):
        plus = rng.normal(size=(rows, columns))
        minus = plus.copy()
        for row in range(0, rows, 2):
            # The runner-up overtakes.
            first, second = plus[row].argsort()[[-1, -2]]
            minus[row, first], minus[row, second] = plus[row, second], plus[row, first] + 0.3
        for row in range(1, rows, 4):
            # The same winner with the same score; the two at the bottom change places.
            low, lower = plus[row].argsort()[[1, 0]]
            minus[row, low], minus[row, lower] = plus[row, lower], plus[row, low]
        for row in range(3, rows, 4):
            # The same order; every score a little higher.
            minus[row] = plus[row] + 0.01
        cases.append(
            {
                "about": f"scores of shape {(rows, columns)}",
                "scores_plus": plus,
                "scores_minus": minus,
            }
        )
    return [*cases, _tied_scores(rng)]


def _tied_scores(rng: Rng) -> Case:
    """Scores of which several are the largest, on one side or on both."""
    winners = [  # of columns 0, 1 and 2: those that win at x + h, and at x − h
        ((0, 2), (0,)),
        ((0, 2), (2,)),
        ((0, 2), (0, 1)),
        ((2,), (0, 2)),
        ((0, 1), (0, 1)),
        ((1, 2), (0, 2)),
        ((0, 1), (1, 2)),
    ]
    rows, columns = len(winners), 5
    plus, minus = rng.integers(-3, 3, (2, rows, columns)).astype(float)
    for row, (ahead, behind) in enumerate(winners):
        place = np.sort(rng.choice(columns, 3, replace=False))
        plus[row, place[list(ahead)]] = 4.0
        minus[row, place[list(behind)]] = 4.0
    return {"about": "some scores equal", "scores_plus": plus, "scores_minus": minus}


def winner_changed_family(on: Switches) -> Callable[..., Any]:
    def winner_changed(scores_plus: Any, scores_minus: Any) -> Any:
        axis = 0 if "columns" in on else 1
        if "values" in on:
            mask = scores_plus.max(axis=axis) != scores_minus.max(axis=axis)
        elif "losers" in on:
            mask = scores_plus.argmin(axis=axis) != scores_minus.argmin(axis=axis)
        elif "order" in on:
            ranks = [s.argsort(axis=axis, kind="stable") for s in (scores_plus, scores_minus)]
            mask = (ranks[0] != ranks[1]).any(axis=axis)
        elif "last-of-equals" in on:
            last = [np.flip(s, axis).argmax(axis=axis) for s in (scores_plus, scores_minus)]
            mask = last[0] != last[1]
        elif "all-of-equals" in on:
            best = [s == s.max(axis=axis, keepdims=True) for s in (scores_plus, scores_minus)]
            mask = (best[0] != best[1]).any(axis=axis)
        elif "overtaken" in on:
            old = np.expand_dims(scores_plus.argmax(axis=axis), axis)
            kept = np.take_along_axis(scores_minus, old, axis).squeeze(axis)
            mask = kept < scores_minus.max(axis=axis)
        else:
            mask = scores_plus.argmax(axis=axis) != scores_minus.argmax(axis=axis)
        if "inverted" in on:
            mask = ~mask
        return bool(mask.any()) if "any" in on else mask

    return winner_changed


add(
    Entry(
        question="winner_changed",
        reference=reference.winner_changed,
        cases=winner_changed_cases,
        family=winner_changed_family,
        mistakes=(
            Mistake(
                "columns",
                "It looks as if the winner is sought down the columns.",
                "Each row is an example: arg max along axis 1.",
            ),
            Mistake(
                "values",
                "It looks as if the largest values are compared.",
                "They nearly always differ a little. Compare who wins: the arg max.",
            ),
            Mistake(
                "losers",
                "It looks as if the smallest score is followed.",
                "The max depends on its winner: use argmax.",
            ),
            Mistake(
                "order",
                "It looks as if any change of order counts.",
                "Only the winner matters; the rest may swap places.",
            ),
            Mistake(
                "last-of-equals",
                "It looks as if the last of equal scores wins.",
                "The first one wins, as with argmax.",
            ),
            Mistake(
                "all-of-equals",
                "It looks as if equal scores win together.",
                "The first of them wins: compare the arg max of the two sides.",
            ),
            Mistake(
                "overtaken",
                "It looks as if you ask whether the old winner has been overtaken.",
                "Of equal scores the first wins: compare the arg max of the two sides.",
            ),
            _INVERTED,
            _ANY,
        ),
    )
)


def count_crossed_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for num_examples, h in ((2, 0.8), (200, 0.4), (200, None), (30, 0.3)):
        W, X = rng.normal(size=(4, 3)), rng.normal(size=(num_examples, 4))
        index = (int(rng.integers(4)), int(rng.integers(3)))
        if h is None:
            # At the default h a kink is crossed only where one lies almost on the boundary: a third
            # of the kinks lie within 1e-5 of W[index], a third a little further away.
            _put_kinks(W, X, index, slice(0, None, 3), rng.uniform(2e-6, 8e-6, 67))
            _put_kinks(W, X, index, slice(1, None, 3), -rng.uniform(3e-5, 3e-4, 67))
        about = f"{num_examples} examples, " + ("h left out" if h is None else f"h = {h:g}")
        cases.append({"about": about, "W": W, "X": X, "index": index, "h": h})
    return [*cases, _exact_zeros(rng)]


def _put_kinks(
    W: Array, X: Array, index: tuple[int, int], rows: slice, where: npt.ArrayLike
) -> None:
    """Change the inputs of some rows so that their kinks lie `where` away from W[index]."""
    d, c = index
    other = (d + 1) % len(W)
    gap = X[rows] @ W[:, c] + X[rows, d] * np.asarray(where)
    X[rows, other] -= gap / W[other, c]


def _exact_zeros(rng: Rng) -> Case:
    """Small numbers, exact in binary: the pre-activations are 0 at one end of the step."""
    W = rng.integers(-3, 4, (4, 3)) / 2
    index = (int(rng.integers(4)), int(rng.integers(3)))
    W[(index[0] + 1) % 4, index[1]] = 1.0
    X = rng.integers(1, 4, (9, 4)).astype(float)
    # Five kinks that count and four that don't, at the lower and at the upper end.
    X[[1, 3, 4, 6], index[0]] *= -1
    _put_kinks(W, X, index, slice(0, 4), 0.5)
    _put_kinks(W, X, index, slice(4, 9), -0.5)
    return {"about": "pre-activations of exactly 0", "W": W, "X": X, "index": index, "h": 0.5}


def count_crossed_family(on: Switches) -> Callable[..., Any]:
    def count_crossed(W: Any, X: Any, index: Any, h: float = 1e-5) -> Any:
        h = h / 2 if "half-step" in on else h
        plus, minus = W.copy(), W.copy()
        if "all-at-once" in on:
            plus, minus = plus + h, minus - h
        else:
            plus[index] += h
            if "one-sided" not in on:
                minus[index] -= h
        ahead, behind = X @ plus, X @ minus
        mask = (ahead > 0) != (behind > 0)
        if "product" in on:
            mask = ahead * behind < 0
        elif "sign" in on:
            mask = np.sign(ahead) != np.sign(behind)
        elif "not-negative" in on:
            mask = (ahead >= 0) != (behind >= 0)
        if "one-way" in on:
            mask = (ahead > 0) & mask
        if "unmoved-again" in on:
            mask = (X @ W > 0) & mask
        if "inverted" in on:
            mask = ~mask
        if "W-left-changed" in on:
            W[index] -= h
        if "share" in on:
            return mask.mean()
        return int(mask.any()) if "yes-or-no" in on else int(mask.sum())

    return count_crossed


add(
    Entry(
        question="count_crossed",
        reference=reference.count_crossed,
        cases=count_crossed_cases,
        family=count_crossed_family,
        mistakes=(
            Mistake(
                "one-sided",
                "It looks as if W − h isn't looked at.",
                "The centred difference goes from −h to +h: compare those two ends.",
            ),
            Mistake(
                "all-at-once",
                "It looks as if every weight is moved.",
                "Move the one at `index`, and leave the others.",
            ),
            Mistake(
                "half-step",
                "It looks as if the weight moves by h/2 to either side.",
                "It moves by h to either side.",
            ),
            Mistake(
                "inverted",
                "It looks as if the pre-activations are counted that stay on their side.",
                "Count where (plus > 0) differs from (minus > 0).",
            ),
            Mistake(
                "share",
                "It looks as if the share of crossings comes back.",
                "Return how many there are, not their mean.",
            ),
            Mistake(
                "yes-or-no",
                "It looks as if the answer is whether any kink is crossed.",
                "Sum the mask to count them.",
            ),
            Mistake(
                "unmoved-again",
                "It looks as if only units that are on at W itself count.",
                "A unit that is off at W may be on at W + h or W − h.",
            ),
            *_SIDES,
            _ONE_WAY,
            Mistake(
                "W-left-changed",
                "It looks as if W is not what it was after the call.",
                "Move the weight in copies of W, or put it back.",
            ),
        ),
    )
)

# ---- sampling ------------------------------------------------------------------------------------


def sample_coordinates_cases(rng: Rng) -> list[Case]:
    shapes = {"W1": (20, 24), "b1": (3,), "scale": (), "W2": (2, 5), "V": (13, 12)}
    # Three of a kind, of which nearly everything is drawn: every draw says much about them.
    twelves = {f"b{i}": (12,) for i in (2, 3, 4)} | {f"W{i}": (3, 4) for i in (2, 3, 4)}
    return [
        {
            "about": f"{k} coordinates a parameter",
            "shapes": shapes | twelves if followed else shapes,
            "per_parameter": k,
            "seed": int(rng.integers(2**31)),
            "followed": followed,
        }
        for k, followed in ((11, True), (7, False))
    ]


def sample_coordinates_family(on: Switches) -> Callable[..., Any]:
    def sample_coordinates(params: Mapping[str, Any], per_parameter: int, rng: Rng) -> Any:
        if "own-seed" in on:
            rng = np.random.default_rng(0)
        if "one-long-vector" in on:
            return _from_one_vector(params, per_parameter, rng, flat="flat" in on)
        chosen: dict[str, Any] = {}
        for name, value in params.items():
            count = min(per_parameter, value.size)
            size = max(1, value.size - 1) if "never-last" in on else value.size
            count = min(count, size)
            if "with-replacement" in on:
                flat = rng.integers(0, size, count)
            elif "first-ones" in on:
                flat = np.arange(count)
            elif "run" in on:
                flat = (rng.integers(size) + np.arange(count)) % size
            elif "axes-apart" in on and value.ndim == 2 and min(value.shape) >= count:
                axes = [rng.choice(n, size=count, replace=False) for n in value.shape]
                flat = np.ravel_multi_index(axes, value.shape)
            else:
                flat = rng.choice(size, size=count, replace=False)
            if "flat" in on:
                chosen[name] = [int(k) for k in flat]
            elif "arrays" in on:
                chosen[name] = [np.array(np.unravel_index(k, value.shape)) for k in flat]
            else:
                chosen[name] = [
                    tuple(int(i) for i in np.unravel_index(k, value.shape)) for k in flat
                ]
        return chosen

    return sample_coordinates


def _from_one_vector(
    params: Mapping[str, Any], per_parameter: int, rng: Rng, *, flat: bool
) -> dict[str, Any]:
    total = sum(v.size for v in params.values())
    picks = rng.choice(total, size=min(total, per_parameter * len(params)), replace=False)
    chosen: dict[str, Any] = {}
    start = 0
    for name, value in params.items():
        mine: list[Any] = [int(k - start) for k in picks if start <= k < start + value.size]
        shape = value.shape
        chosen[name] = (
            mine if flat else [tuple(int(i) for i in np.unravel_index(k, shape)) for k in mine]
        )
        start += value.size
    return chosen


def sample_by_shuffling(params: Mapping[str, Any], per_parameter: int, rng: Rng) -> Any:
    """Lists every index and shuffles the list."""
    chosen = {}
    for name, value in params.items():
        every = list(np.ndindex(value.shape))
        order = rng.permutation(len(every))[:per_parameter]
        chosen[name] = [every[int(k)] for k in order]
    return chosen


add(
    Entry(
        question="sample_coordinates",
        reference=reference.sample_coordinates,
        cases=sample_coordinates_cases,
        family=sample_coordinates_family,
        mistakes=(
            Mistake(
                "one-long-vector",
                "It looks as if the coordinates come from one long vector of all parameters.",
                "The biases all but vanish beside the weights: draw from each parameter by itself.",
            ),
            Mistake(
                "with-replacement",
                "It looks as if a coordinate may come up twice.",
                "Draw without replacement: rng.choice(..., replace=False).",
            ),
            Mistake(
                "own-seed",
                "It looks as if a generator of your own is used, with a fixed seed.",
                "Draw from the `rng` that is handed in.",
            ),
            Mistake(
                "first-ones",
                "It looks as if the first coordinates are taken.",
                "Bugs don't live in the first rows only: draw at random.",
            ),
            Mistake(
                "flat",
                "It looks as if flat positions come back.",
                "Return index tuples, one number an axis: np.unravel_index.",
            ),
            Mistake(
                "arrays",
                "It looks as if each position is an array.",
                "An array as an index picks whole rows: make it a tuple.",
            ),
            Mistake(
                "run",
                "It looks as if the positions follow one another, from a random start.",
                "Neighbours share their bugs: draw every position by itself.",
            ),
            Mistake(
                "axes-apart",
                "It looks as if rows and columns are drawn apart, none of them twice.",
                "Two positions may share a row. Draw flat positions, and unravel them.",
            ),
            Mistake(
                "never-last",
                "It looks as if the last coordinate is never drawn.",
                "The upper end of a range is left out already; don't subtract one.",
            ),
        ),
        variants={"every index, shuffled": sample_by_shuffling},
    )
)


_H_IGNORED = Mistake(
    "h-ignored",
    "It looks as if the step is 1e-5 whatever `h` is.",
    "Hand `h` on to the difference.",
)


# ---- scaling -------------------------------------------------------------------------------------


def scaled_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for shape, scale, h, side in (
        ((2, 2), 1e4, 1e-4, 1),
        ((), 50.0, None, 1),
        ((3,), 1e-7, 0.3, -1),
    ):
        x = np.asarray(rng.uniform(-1, 1, shape))
        w = np.asarray(rng.uniform(0.5, 2.0, shape))
        # Too large in every coordinate, so that a signed error is negative throughout; once too
        # small, by more than the difference itself is off at its large h.
        planted = 1 + rng.uniform(0.01, 0.05, shape) * np.sign(wave_gradient(w)(x))
        if side < 0:
            planted = np.asarray(rng.uniform(0.5, 0.7, shape))
        about = f"x of shape {shape}, scale = {scale:g}"
        cases.append({"about": about, "x": x, "w": w, "planted": planted, "scale": scale, "h": h})
    few = {name: cases[0][name][0] for name in ("x", "w")}
    tiny = {**cases[0], **few, "planted": np.ones(2), "scale": 1e-320}
    return [*cases, {**tiny, "about": "a scale so small that digits are lost"}]


def scaled_check_family(on: Switches) -> Callable[..., Any]:
    def scaled_check(f: Any, df: Any, x: Any, *, scale: float, h: float = 1e-5) -> Any:
        x = np.array(x, dtype=float)
        h = 1e-5 if "h-ignored" in on else h
        left = 1.0 if "analytic-only" in on or "forgotten" in on else scale
        right = 1.0 if "numerical-only" in on or "forgotten" in on else scale
        analytic = right * np.asarray(df(x))
        numerical = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            plus, minus = x.copy(), x.copy()
            plus[index] += h
            minus[index] -= h
            if "forward" in on:
                numerical[index] = (left * f(plus) - left * f(x)) / h
            else:
                numerical[index] = (left * f(plus) - left * f(minus)) / (2 * h)
        error = np.abs(numerical - analytic)
        if "signed" in on:
            error = numerical - analytic
        size = np.maximum(np.abs(numerical), np.abs(analytic))
        if "analytic-size" in on:
            size = np.abs(analytic)
        if "epsilon" in on:
            size = size + 1e-8
        if "absolute" not in on:
            error = error / size
        return float(error.mean() if "mean" in on else error.max())

    return scaled_check


add(
    Entry(
        question="scaled_check",
        reference=reference.scaled_check,
        cases=scaled_check_cases,
        family=scaled_check_family,
        mistakes=(
            Mistake(
                "forgotten",
                "It looks as if `scale` isn't used before the difference is taken.",
                "Take the difference of `scale * f`; the factor of a finished one cancels.",
            ),
            Mistake(
                "numerical-only",
                "It looks as if only f is scaled.",
                "The gradient of scale · f is scale · df: scale both.",
            ),
            Mistake(
                "analytic-only",
                "It looks as if only df is scaled.",
                "Scale f as well, before the difference is taken.",
            ),
            Mistake(
                "absolute",
                "It looks as if the absolute error comes back.",
                "Divide by the larger of the two gradients, elementwise.",
            ),
            Mistake(
                "mean",
                "It looks as if the mean of the errors comes back.",
                "One wrong coordinate drowns in a mean: return the largest.",
            ),
            Mistake(
                "forward",
                "It looks as if the forward difference is used.",
                "Use the centred difference; its own error is far smaller.",
            ),
            Mistake(
                "signed",
                "It looks as if the errors keep their sign.",
                "Take absolute values before the maximum.",
            ),
            Mistake(
                "analytic-size",
                "It looks as if you divide by the size of the analytic gradient alone.",
                "Neither is known to be right: divide by the larger of the two sizes.",
            ),
            Mistake(
                "epsilon",
                "It looks as if a small number is added to the denominator.",
                "It hides the errors of small gradients, and this check is about scale.",
            ),
            _H_IGNORED,
        ),
    )
)

# ---- the softmax loss ----------------------------------------------------------------------------


FAINT = 250.0
"""From how large a mean of 1/p on, relative to the loss, 1e-11 inside the logarithm shows."""


def softmax_loss_cases(rng: Rng) -> list[Case]:
    return [
        _softmax_case(rng, shape, reg, offsets)
        for shape, reg, offsets in (
            ((5, 4, 3), 0.0, "none"),
            ((4, 3, 6), 1.0, "none"),
            ((6, 5, 4), 2.0, "±1000"),
            ((7, 2, 5), 0.0, "+1000"),
            # Within the range of exp row by row, and twice that from one row to another.
            ((4, 3, 4), 0.5, "±680"),
        )
    ] + [_faint_case(rng)]


def _softmax_case(rng: Rng, shape: tuple[int, int, int], reg: float, offsets: str) -> Case:
    """A case in which a tiny number inside the logarithm, up to 1e-12, doesn't show."""
    case = _scores_case(rng, shape, reg, offsets)
    while _faintness(case) > FAINT:
        case = _scores_case(rng, shape, reg, offsets)
    return case


def _scores_case(rng: Rng, shape: tuple[int, int, int], reg: float, offsets: str) -> Case:
    n, d, c = shape
    W, X = rng.normal(size=(d, c)), rng.normal(size=(n, d))
    y = rng.integers(0, c, n)
    y[0] = c - 1
    if offsets != "none":
        # A column of ±1000s against a row of ones: each example's scores have their own offset.
        size = float(offsets[1:])
        X[:, 0] = size if offsets[0] == "+" else size * np.resize([1.0, -1.0], n)
        W[0] = 1.0
    about = f"N = {n}, D = {d}, C = {c}, reg = {reg:g}" + (
        f", scores shifted by {offsets}" if offsets != "none" else ""
    )
    return {"about": about, "W": W, "X": X, "y": y, "reg": reg}


def _faintness(case: Case) -> float:
    """The mean of 1/p of the true classes, relative to the loss."""
    scores = case["X"] @ case["W"]
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = exps[np.arange(len(exps)), case["y"]] / exps.sum(axis=1)
    loss = -np.log(p).mean() + 0.5 * case["reg"] * np.sum(case["W"] ** 2)
    return float((1 / p).mean() / loss)


def _faint_case(rng: Rng) -> Case:
    """One true class is so improbable that from 1e-11 on a number inside the logarithm shows."""
    case = _softmax_case(rng, (4, 3, 5), 0.0, "none")
    case["y"][0] = int(np.argmin(case["X"][0] @ case["W"]))
    # In large steps to the last one before, then in small ones.
    while _faintness(case) < FAINT:
        case["X"][0] *= 1.2
    case["X"][0] /= 1.2
    while _faintness(case) < FAINT:
        case["X"][0] *= 1.01
    return {**case, "about": "an example whose true class is improbable"}


EPSILONS = {f"epsilon-{text}": float(text) for text in ("1e-5", "1e-6", "1e-8", "1e-10")}


def softmax_loss_family(on: Switches) -> Callable[..., Any]:
    def softmax_loss(W: Any, X: Any, y: Any, reg: float) -> Any:
        n = len(y)
        rows = np.arange(n)
        scores = X @ W
        if "shift-whole" in on:
            scores = scores - scores.max()
        elif "shift-columns" in on:
            scores = scores - scores.max(axis=0)
        elif "no-shift" not in on:
            scores = scores - scores.max(axis=1, keepdims=True)
        exps = np.exp(scores)
        probs = exps / exps.sum(axis=0 if "over-examples" in on else 1, keepdims=True)
        chosen = probs[rows, y]
        if "no-log" in on:
            losses = -chosen
        elif "log10" in on:
            losses = -np.log10(chosen)
        elif on & EPSILONS.keys():
            losses = -np.log(chosen + max(EPSILONS[i] for i in on & EPSILONS.keys()))
        else:
            losses = -np.log(chosen)
        loss = losses.sum() if "loss-summed" in on else losses.mean()
        dscores = probs.copy()
        if "no-minus-one" not in on:
            dscores[rows, y] -= 1
        grad = X.T @ dscores
        if "grad-summed" not in on:
            grad = grad / n
        penalty, slope = 0.5 * reg * np.sum(W**2), reg * W
        if "no-half" in on:
            penalty = 2 * penalty
        if "half-in-grad" in on:
            slope = slope / 2
        if "double-in-grad" in on:
            slope = 2 * slope
        if "penalty-over-n" in on:
            penalty, slope = penalty / n, slope / n
        if "without-reg" in on:
            penalty, slope = (0.5 * np.sum(W**2), W) if reg else (penalty, slope)
        if "loss-penalty-missing" not in on:
            loss = loss + penalty
        if "grad-penalty-missing" not in on:
            grad = grad + slope
        return loss, grad

    return softmax_loss


def softmax_loss_loops(W: Any, X: Any, y: Any, reg: float) -> Any:
    """Example by example."""
    loss, grad = 0.0, np.zeros(W.shape)
    for x, label in zip(X, y, strict=True):
        scores = x.dot(W)
        top = max(scores)
        exps = [np.exp(s - top) for s in scores]
        total = sum(exps)
        loss += np.log(total) - (scores[label] - top)
        for c in range(W.shape[1]):
            grad[:, c] += (exps[c] / total - (c == label)) * x
    loss /= len(y)
    grad /= len(y)
    return loss + 0.5 * reg * (W * W).sum(), grad + reg * W


add(
    Entry(
        question="softmax_loss",
        reference=reference.softmax_loss,
        cases=softmax_loss_cases,
        family=softmax_loss_family,
        mistakes=(
            Mistake(
                "no-shift",
                "It looks as if the scores aren't shifted, so that exp overflows.",
                "Subtract each row's largest score first; the loss stays what it is.",
            ),
            Mistake(
                "shift-whole",
                "It looks as if the largest score of the whole batch is subtracted.",
                "Rows far below it underflow to 0. Subtract the maximum row by row.",
            ),
            Mistake(
                "shift-columns",
                "It looks as if the maximum is taken down the columns.",
                "Each row is an example: max(axis=1, keepdims=True).",
            ),
            Mistake(
                "over-examples",
                "It looks as if the probabilities are normalised over the examples.",
                "They sum to one over the classes, axis 1.",
            ),
            Mistake(
                "no-log",
                "It looks as if the logarithm is missing.",
                "The loss of an example is −log of its true class's probability.",
            ),
            Mistake(
                "log10",
                "It looks as if the logarithm has base 10.",
                "Use the natural one, np.log: the gradient p − 1 belongs to it.",
            ),
            *(
                Mistake(
                    name,
                    f"It looks as if {size:g} is added inside the logarithm.",
                    "It hides how wrong an improbable class is. Work with the log-probabilities: "
                    "score − log of the sum of exp.",
                )
                for name, size in EPSILONS.items()
            ),
            Mistake(
                "loss-summed",
                "It looks as if the loss is summed over the batch.",
                "Take the mean, so that the learning rate needn't know the batch size.",
            ),
            Mistake(
                "grad-summed",
                "It looks as if the gradient isn't divided by N.",
                "The loss is a mean over the batch; so is its gradient.",
            ),
            Mistake(
                "no-minus-one",
                "It looks as if the −1 at the true class is missing from the gradient.",
                "The gradient of the scores is p, with 1 subtracted at the true class.",
            ),
            Mistake(
                "loss-penalty-missing",
                "It looks as if the loss leaves the penalty out.",
                "Add 0.5 · reg · ΣW² to the loss.",
            ),
            Mistake(
                "grad-penalty-missing",
                "It looks as if the gradient leaves the penalty out.",
                "Add reg · W to the gradient.",
            ),
            Mistake(
                "penalty-over-n",
                "It looks as if the penalty is divided by N as well.",
                "Only the data loss is a mean over the batch; the penalty is added once.",
            ),
            Mistake(
                "without-reg",
                "It looks as if the penalty isn't multiplied by reg.",
                "Both 0.5 · ΣW² and W are multiplied by reg.",
            ),
            Mistake(
                "no-half",
                "It looks as if the ½ of the penalty is missing from the loss.",
                "With 0.5 · reg · ΣW² in the loss, the gradient is reg · W.",
            ),
            Mistake(
                "half-in-grad",
                "It looks as if the gradient of the penalty keeps the ½.",
                "The 2 from the square cancels it: reg · W.",
            ),
            Mistake(
                "double-in-grad",
                "It looks as if the gradient of the penalty is 2 · reg · W.",
                "The ½ in the loss cancels that 2: reg · W.",
            ),
        ),
        variants={"loops": softmax_loss_loops},
    )
)

# ---- checking a network --------------------------------------------------------------------------


def _network_case(rng: Rng, sizes: tuple[int, int, int] = (4, 3, 2), *, scale: float = 0.7) -> Case:
    """A network without bugs; `sizes` are its inputs, hidden units and outputs."""
    n, (d, h, c) = 6, sizes
    return {
        "X": rng.normal(size=(n, d)),
        "target": rng.normal(size=(n, c)),
        "params": {
            "W": scale * rng.normal(size=(d, h)),
            "b": scale * rng.normal(size=h),
            "V": scale * rng.normal(size=(h, c)),
        },
        "bugs": {},
    }


def _directions(rng: Rng, case: Case) -> dict[str, Array]:
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


def _clear_case(rng: Rng, sizes: tuple[int, int, int], size: float = 1.0) -> Case:
    """A network in which rounding and truncation are nowhere taken for a bug.

    `size` is that of its outputs.
    """
    while True:
        case = _network_case(rng, sizes)
        case["params"]["V"] *= size
        case["target"] *= size
        if all(_every_error(case, h) <= limit for h, limit in CLEAR.items()):
            return case


CLEAR = {1e-4: 3e-7, 1e-5: 5e-8, 1e-6: 1e-6}
"""The largest error of a right network at each step: which coordinates are drawn doesn't show."""


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


def _wide(rng: Rng, size: int) -> Case:
    """A network of one hidden unit with a weight of `size` numbers, all of which weigh the same.

    Few different numbers, so that the public case stays a small file.
    """
    while True:
        case = _network_case(rng, (1, 1, 1))
        case["X"] = rng.choice([-1.0, 1.0], (1, size))
        case["target"] = case["target"][:1]
        case["params"]["W"] = np.round(0.01 * rng.integers(-4, 5, (size, 1)), 2)
        _, grads = network(case)(case["params"])
        if all(np.abs(g).min() > 0.1 for g in grads.values()):
            return case


def check_gradients_family(on: Switches) -> Callable[..., Any]:
    def check_gradients(
        loss_and_grads: Any, params: Any, *, per_parameter: int, rng: Rng, h: float = 1e-5
    ) -> Any:
        _, grads = loss_and_grads(params)
        h = 1e-5 if "h-ignored" in on else h
        rng = np.random.default_rng(0) if "own-generator" in on else rng
        if "one-long-vector" in on:
            total = sum(v.size for v in params.values())
            picks = rng.choice(total, size=min(per_parameter, total), replace=False)
        errors: dict[str, float] = {}
        start = 0
        for name, value in params.items():
            if "one-long-vector" in on:
                flat = [int(k) - start for k in picks if start <= k < start + value.size]
                start += value.size
            else:
                count = value.size if "every-coordinate" in on else min(per_parameter, value.size)
                count = 1 if "first-only" in on else count
                flat = list(rng.choice(value.size, size=count, replace=False))
                if on & {"first-ones", "first-only"}:
                    flat = list(range(count))
            pairs = [
                _slopes(on, loss_and_grads, params, name, int(k), grads[name], h) for k in flat
            ]
            errors[name] = _together(on, pairs)
        if "one-number" in on:
            return float(np.max(list(errors.values())))
        return errors

    return check_gradients


def _slopes(
    on: Switches, loss_and_grads: Any, params: Any, name: str, k: int, grad: Any, h: float
) -> tuple[float, float]:
    """The numerical and the analytic slope at one coordinate."""
    index = np.unravel_index(k, params[name].shape)

    def loss(by: float) -> float:
        moved = params[name] if "left-moved" in on and by < 0 else params[name].copy()
        moved[index] += by
        return float(loss_and_grads({**params, name: moved})[0])

    if "forward" in on:
        numerical = (loss(h) - float(loss_and_grads(params)[0])) / h
    else:
        numerical = (loss(h) - loss(-h)) / (h if "not-halved" in on else 2 * h)
    return numerical, float(grad[index])


def _together(on: Switches, pairs: list[tuple[float, float]]) -> float:
    """One error of all the slopes of a parameter."""
    if not pairs:
        return 0.0
    numerical, analytic = np.array(pairs).T
    if "norms" in on:
        size = max(np.linalg.norm(numerical), np.linalg.norm(analytic))
        return float(np.linalg.norm(numerical - analytic) / size)
    gaps, sizes = np.abs(numerical - analytic), np.maximum(np.abs(numerical), np.abs(analytic))
    if "sum" in on:
        sizes = np.abs(numerical) + np.abs(analytic)
    errors = (
        gaps if "absolute" in on else np.where(sizes == 0, 0.0, gaps / np.where(sizes, sizes, 1))
    )
    if "nan-swallowed" in on:
        errors = np.nan_to_num(errors, nan=0.0)
    if "smallest" in on:
        return float(errors.min())
    return float(errors.mean() if "mean" in on else errors.max())


_WORST_COORDINATE_MEAN = Mistake(
    "mean",
    "It looks as if the mean of the errors is taken.",
    "One wrong coordinate drowns in a mean: take the largest.",
)

add(
    Entry(
        question="check_gradients",
        reference=reference.check_gradients,
        cases=check_gradients_cases,
        family=check_gradients_family,
        mistakes=(
            Mistake(
                "one-long-vector",
                "It looks as if the coordinates are drawn from all parameters together.",
                "Draw `per_parameter` from every parameter, or small biases are never looked at.",
            ),
            Mistake(
                "not-halved",
                "It looks as if the difference is divided by h.",
                "From −h to +h the distance is 2h.",
            ),
            Mistake(
                "forward",
                "It looks as if the forward difference is used.",
                "Its own error, near 1e-5, hides what you look for: use the centred one.",
            ),
            Mistake(
                "absolute",
                "It looks as if absolute errors come back.",
                "Divide by the larger of the two gradients.",
            ),
            Mistake(
                "sum",
                "It looks as if you divide by the sum of the two gradients' sizes.",
                "Divide by the larger one.",
            ),
            Mistake(
                "left-moved",
                "It looks as if a parameter is not what it was after its step.",
                "Step on a copy, or put the number back before the next coordinate.",
            ),
            Mistake(
                "every-coordinate",
                "It looks as if every coordinate is checked.",
                "Only `per_parameter` of each: a real network has millions.",
            ),
            Mistake(
                "one-number",
                "It looks as if one number comes back for all parameters.",
                "Return a dictionary, one error a parameter: it tells where to look.",
            ),
            _WORST_COORDINATE_MEAN,
            Mistake(
                "smallest",
                "It looks as if the smallest error of each parameter is returned.",
                "A check is as good as its worst coordinate: take the largest.",
            ),
            Mistake(
                "norms",
                "It looks as if whole gradients are compared by their length.",
                "A wrong coordinate drowns among many: compare one by one, and take the largest.",
            ),
            Mistake(
                "first-only",
                "It looks as if only the first coordinate of each parameter is checked.",
                "Check `per_parameter` coordinates of each, drawn at random.",
            ),
            Mistake(
                "first-ones",
                "It looks as if the first coordinates of each parameter are checked.",
                "Bugs don't live in the first rows only: draw at random.",
            ),
            Mistake(
                "own-generator",
                "It looks as if a generator of your own is used, with a fixed seed.",
                "Draw from the `rng` that is handed in.",
            ),
            _H_IGNORED,
        ),
    )
)


def penalty_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # The worst parameter is never the first one, nor the last one by rule.
    for bugs, factors, reg, about in (
        ({"b": 1.4, "V": 1.1}, (1.0, 1.0, 1.0), 5.0, "bugs in the data loss"),
        ({}, (1.0, 0.5, 0.7), 0.5, "bugs in the penalty"),
        ({"W": 1.2, "V": 0.7}, (1.2, 2.0, 1.0), 2.0, "bugs in both"),
    ):
        case = _network_case(rng)
        case["directions"] = _directions(rng, case)
        while any(abs(np.sum(case["directions"][n] * p)) < 0.1 for n, p in case["params"].items()):
            # The penalty's slope isn't nearly 0 either.
            case["directions"] = _directions(rng, case)
        factor = dict(zip("WbV", factors, strict=True))
        case |= {"bugs": bugs, "penalty_factor": factor, "reg": reg, "about": about}
        cases.append(case)
    return cases


def penalty_check_family(on: Switches) -> Callable[..., Any]:
    def penalty_check(loss_and_grads: Any, params: Any, check: Any, *, reg: float) -> Any:
        def data(p: Any) -> Any:
            return loss_and_grads(p, reg if "data-with-penalty" in on else 0.0)

        def penalty(p: Any) -> Any:
            (total, total_grads), (loss, grads) = loss_and_grads(p, reg), loss_and_grads(p, 0.0)
            rest = {n: total_grads[n] - grads[n] for n in grads}
            if "grads-not-subtracted" in on:
                rest = total_grads
            if "loss-not-subtracted" in on:
                loss = 0.0
            if "not-subtracted" in on:
                return total, total_grads
            return total - loss, rest

        def worst(errors: Any) -> Any:
            values = list(errors.values())
            if "first-only" in on:
                return values[0]
            if "smallest" in on:
                return min(values)
            return sum(values) / len(values) if "mean" in on else max(values)

        result = {"data": worst(check(data, params)), "penalty": worst(check(penalty, params))}
        if "swapped" in on:
            result = {"data": result["penalty"], "penalty": result["data"]}
        return result

    return penalty_check


_WORST_MEAN = Mistake(
    "mean",
    "It looks as if the mean of the errors is taken.",
    "One wrong parameter drowns in a mean: take the largest.",
)
_SMALLEST = Mistake(
    "smallest",
    "It looks as if the smallest error is returned.",
    "A check is as good as its worst coordinate: take the largest.",
)

add(
    Entry(
        question="penalty_check",
        reference=reference.penalty_check,
        cases=penalty_check_cases,
        family=penalty_check_family,
        mistakes=(
            Mistake(
                "data-with-penalty",
                "It looks as if the data loss is checked with the penalty on.",
                "Take it at reg = 0: a large penalty hides what is wrong in the data gradient.",
            ),
            Mistake(
                "not-subtracted",
                "It looks as if the penalty is checked together with the data loss.",
                "What reg adds is the difference from reg = 0, in the loss and in the gradients.",
            ),
            Mistake(
                "grads-not-subtracted",
                "It looks as if the penalty's gradients still hold the data gradients.",
                "Subtract the gradients at reg = 0, as you do with the loss.",
            ),
            Mistake(
                "loss-not-subtracted",
                "It looks as if the penalty's loss still holds the data loss.",
                "Subtract the loss at reg = 0, at the same parameters, as with the gradients.",
            ),
            Mistake(
                "first-only",
                "It looks as if only the first parameter's error is returned.",
                "Take the largest error over all parameters.",
            ),
            _WORST_MEAN,
            _SMALLEST,
            Mistake(
                "swapped",
                "It looks as if the two answers have changed places.",
                '"data" is the loss at reg = 0, "penalty" is what reg adds.',
            ),
        ),
    )
)


def burn_in_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for scale, num_steps, learning_rate in ((1e-3, 4, 0.1), (0.1, 3, 0.03)):
        case = _network_case(rng, scale=scale)
        # Tiny weights leave the saddle at zero slowly: the output layer starts larger.
        case["params"]["V"] = rng.normal(size=case["params"]["V"].shape)
        case |= {
            "bugs": {"tanh": 0.5},
            "directions": _directions(rng, case),
            "num_steps": num_steps,
            "learning_rate": learning_rate,
            "about": f"{num_steps} steps at a learning rate of {learning_rate:g}",
        }
        cases.append(case)
    return cases


def burn_in_check_family(on: Switches) -> Callable[..., Any]:
    def burn_in_check(
        loss_and_grads: Any, params: Any, check: Any, *, learning_rate: float, num_steps: int
    ) -> Any:
        moved = dict(params)
        steps = num_steps + ("one-more" in on) - ("one-less" in on)
        steps = 0 if "no-burn-in" in on else steps
        _, stale = loss_and_grads(moved)
        for _ in range(steps):
            grads = stale if "stale-gradient" in on else loss_and_grads(moved)[1]
            rate = (1 if "uphill" in on else -1) * (1 if "no-rate" in on else learning_rate)
            start, moved = moved, dict(moved)
            for name in start:
                if "one-by-one" in on:
                    grads = loss_and_grads(moved)[1]
                if "first-only" not in on or name == next(iter(start)):
                    moved[name] = start[name] + rate * grads[name]
        before, after = check(loss_and_grads, params), check(loss_and_grads, moved)
        if "both-after" in on:
            before = after
        return (after, before) if "swapped" in on else (before, after)

    return burn_in_check


add(
    Entry(
        question="burn_in_check",
        reference=reference.burn_in_check,
        cases=burn_in_check_cases,
        family=burn_in_check_family,
        mistakes=(
            Mistake(
                "no-burn-in",
                "It looks as if the parameters don't move before the second check.",
                "Keep the result of every step and check at the end of the burn-in.",
            ),
            Mistake(
                "uphill",
                "It looks as if the steps go uphill.",
                "Subtract learning_rate · gradient.",
            ),
            Mistake(
                "stale-gradient",
                "It looks as if every step uses the first gradient.",
                "Ask for the gradient anew at the parameters of each step.",
            ),
            Mistake(
                "one-less",
                "It looks as if one step is missing.",
                "Take exactly `num_steps` steps between the two checks.",
            ),
            Mistake(
                "one-more",
                "It looks as if there is one step too many.",
                "Take exactly `num_steps` steps between the two checks.",
            ),
            Mistake(
                "first-only",
                "It looks as if only the first parameter moves.",
                "Update every parameter in each step.",
            ),
            Mistake(
                "one-by-one",
                "It looks as if the gradient is taken anew after each parameter has moved.",
                "Compute all gradients first, then move all parameters.",
            ),
            Mistake(
                "no-rate",
                "It looks as if the steps leave out the learning rate.",
                "Subtract learning_rate · gradient.",
            ),
            Mistake(
                "both-after",
                "It looks as if both checks see the parameters after the burn-in.",
                "Check first, or move copies: the start must still be there.",
            ),
            Mistake(
                "swapped",
                "It looks as if the two results have changed places.",
                "Return the errors before the burn-in first.",
            ),
        ),
    )
)


def seeded_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for bugs, about in (
        ({"tanh": 0.4}, "a bug that shows in some masks more"),
        ({}, "a right network"),
    ):
        case = _network_case(rng)
        case |= {"bugs": bugs, "seed": int(rng.integers(2**30)), "about": about}
        case["directions"] = _directions(rng, case)
        cases.append(case)
    return cases


def seeded_check_family(on: Switches) -> Callable[..., Any]:
    def seeded_check(loss_and_grads: Any, params: Any, check: Any, *, seed: int) -> Any:
        shared = np.random.default_rng(seed)
        calls = 0

        def frozen(p: Any) -> Any:
            nonlocal calls
            calls += 1
            if "shared" in on:
                return loss_and_grads(p, shared)
            if "seed-per-call" in on:
                return loss_and_grads(p, np.random.default_rng(seed + calls))
            if "own-seed" in on:
                return loss_and_grads(p, np.random.default_rng(0))
            if "seed-moved" in on:
                return loss_and_grads(p, np.random.default_rng(seed + 1))
            if "gradient-apart" in on and calls == 1:
                return loss_and_grads(p, shared)[0], loss_and_grads(p, shared)[1]
            return loss_and_grads(p, np.random.default_rng(seed))

        errors = check(frozen, params)
        return max(errors.values()) if "one-number" in on else errors

    return seeded_check


add(
    Entry(
        question="seeded_check",
        reference=reference.seeded_check,
        cases=seeded_check_cases,
        family=seeded_check_family,
        mistakes=(
            Mistake(
                "shared",
                "It looks as if one generator runs on from call to call.",
                "Make a new generator from `seed` in every call.",
            ),
            Mistake(
                "seed-per-call",
                "It looks as if every call has a seed of its own.",
                "f(x + h), f(x − h) and the analytic pass must meet the same mask.",
            ),
            Mistake(
                "own-seed",
                "It looks as if `seed` isn't used.",
                "Make the generator from the seed that is handed in.",
            ),
            Mistake(
                "seed-moved",
                "It looks as if the generator is made from seed + 1.",
                "Make it from `seed` itself.",
            ),
            Mistake(
                "gradient-apart",
                "It looks as if the analytic gradient comes from another mask than the losses.",
                "Take loss and gradients from one call, with a generator made for it.",
            ),
            Mistake(
                "one-number",
                "It looks as if one number comes back.",
                "Return what `check` returns: one error a parameter.",
            ),
        ),
    )
)


def precision_errors_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # Each parameter is the worst one once, the best one once and in between once.
    for order in ("WbV", "bVW", "VWb"):
        case = _network_case(rng)
        case["about"] = "a network of three parameters"
        case["errors"] = {
            dtype: _in_order(order, low * rng.uniform([3, 1, 6], [5, 2, 9]))
            for dtype, low in (
                ("float16", 1e-1),
                ("float32", 1e-3),
                ("float64", 1e-9),
                ("mixed", 1e-2),
            )
        }
        cases.append(case)
    return cases


def _in_order(names: str, errors: Array) -> dict[str, float]:
    """The errors of W, b and V, in that order whatever that of `names` is."""
    by_name = dict(zip(names, errors.tolist(), strict=True))
    return {name: by_name[name] for name in "WbV"}


def precision_errors_family(on: Switches) -> Callable[..., Any]:
    def precision_errors(loss_and_grads: Any, params: Any, check: Any) -> Any:
        def worst(dtype: str) -> Any:
            cast = {
                name: value.astype(dtype) if name == "W" or "one-cast" not in on else value
                for name, value in params.items()
            }
            if "not-cast" in on:
                cast = params
            values = list(check(loss_and_grads, cast).values())
            if on & {"first-only", "last-only"}:
                return values[0 if "first-only" in on else -1]
            if "smallest" in on:
                return min(values)
            return sum(values) / len(values) if "mean" in on else max(values)

        low, high = worst("float16" if "half" in on else "float32"), worst("float64")
        if "swapped" in on:
            low, high = high, low
        return {"float32": low, "float64": high}

    return precision_errors


add(
    Entry(
        question="precision_errors",
        reference=reference.precision_errors,
        cases=precision_errors_cases,
        family=precision_errors_family,
        mistakes=(
            Mistake(
                "not-cast",
                "It looks as if the parameters stay in float64.",
                "Cast every parameter with astype before the check.",
            ),
            Mistake(
                "one-cast",
                "It looks as if only one parameter is cast.",
                "One float64 array turns the whole sum back into float64: cast them all.",
            ),
            Mistake(
                "half",
                "It looks as if float16 is used.",
                "Single precision is float32.",
            ),
            _WORST_MEAN,
            Mistake(
                "first-only",
                "It looks as if only the first parameter's error is returned.",
                "Take the largest error over all parameters.",
            ),
            _SMALLEST,
            Mistake(
                "last-only",
                "It looks as if only the last parameter's error is returned.",
                "Take the largest error over all parameters.",
            ),
            Mistake(
                "swapped",
                "It looks as if the two answers have changed places.",
                "Each key names the precision its error was found in.",
            ),
        ),
    )
)


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


def find_bugs_family(on: Switches) -> Callable[..., Any]:
    def find_bugs(layers: Any, rng: Rng) -> Any:
        found = set()
        threshold = 1e-2 if "too-lenient" in on else 1e-4
        check = check_gradients_family(on & {"one-long-vector", "absolute", "nan-swallowed"})
        for name, (loss_and_grads, params) in layers.items():
            errors = check(loss_and_grads, params, per_parameter=5, rng=rng)
            worst = errors["W"] if "first-only" in on else np.max(list(errors.values()))
            if (worst <= threshold) == ("inverted" in on):
                found.add(name)
        if on & {"none-named", "all-named"}:
            return set(layers) if "all-named" in on else set()
        return found

    return find_bugs


add(
    Entry(
        question="find_bugs",
        reference=reference.find_bugs,
        cases=find_bugs_cases,
        family=find_bugs_family,
        mistakes=(
            Mistake(
                "too-lenient",
                "It looks as if errors up to 1e-2 pass.",
                "A smooth layer in float64 should come out at 1e-7 or below; 1e-3 is a bug.",
            ),
            Mistake(
                "first-only",
                "It looks as if only the first parameter of each layer is checked.",
                "A layer is wrong when any of its parameters is.",
            ),
            Mistake(
                "one-long-vector",
                "It looks as if the coordinates are drawn from all parameters together.",
                "A bug in a bias of 1 beside a weight of 1,000 is then missed: draw from each.",
            ),
            Mistake(
                "absolute",
                "It looks as if absolute errors are compared with the threshold.",
                "Small gradients hide their bugs so, and large ones are accused.",
            ),
            Mistake(
                "inverted",
                "It looks as if the right layers are named.",
                "Return the layers with a bug.",
            ),
            Mistake(
                "nan-swallowed",
                "It looks as if NaN gets lost on the way.",
                "max(0.0, nan) is 0.0, and nan > 1e-4 is False: "
                "use np.max, and ask `not error <= limit`.",
            ),
            Mistake(
                "none-named",
                "No layer is named.",
                "Some do have a bug: add the name of each whose error is above the threshold.",
            ),
            Mistake(
                "all-named",
                "Every layer is named.",
                "Some are right, but for rounding near 1e-10: put the threshold well above that.",
            ),
        ),
    )
)
