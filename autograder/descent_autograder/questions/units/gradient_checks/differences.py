"""Difference quotients: forward, centred, and along the imaginary axis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.entry import Case, Cases, Entry, Rng
from descent_autograder.questions.written import sentences, written

SHAPES: tuple[tuple[int, ...], ...] = ((3, 2), (2, 1, 2), (), (3,), (2,))

# ---- what they share -----------------------------------------------------------------------------


def difference_cases(*steps: float | None) -> Cases:
    """Draws an array of each shape, and gives it one of the steps; None leaves h out."""

    def cases(rng: Rng) -> list[Case]:
        return [_case(rng, i, h) for i, h in enumerate(steps)]

    return cases


def _case(rng: Rng, i: int, h: float | None) -> Case:
    shape = SHAPES[i]
    x: Any = np.asarray(rng.uniform(-1.5, 1.5, shape))
    if i == 3:
        x = np.asarray(rng.integers(-3, 4, shape))
        # Cutting off moves a negative integer towards 0, and a positive one not at all.
        x[:2] = -2, 3
    if i == 4:
        x = x.astype(np.float32)
    about = f"x of shape {shape} and dtype {x.dtype}, " + (
        "h left out" if h is None else f"h = {h:g}"
    )
    return {"about": about, "x": x, "w": np.asarray(rng.uniform(0.5, 2.0, shape)), "h": h}


REAL_STEPS = difference_cases(1e-2, None, 1e-1, 1e-4, 1e-3)

OF_THE_LOOP = sentences("""
    all-at-once:
        It looks as if every coordinate of x is moved at the same time.
        Try: Move one coordinate, measure f, put it back, and only then go on to the next.
    not-put-back:
        It looks as if a coordinate isn't back in its place when the next one moves.
        Try: Work on a fresh copy for each coordinate, or put the old value back.
""")

OF_THE_ARRAYS = written("""
    x-left-changed: x = np.array  →  given = x⏎x = np.array
        return gradient  →  given += 1⏎return gradient
        It looks as if x is not what it was after the call.
        Try: Work on a copy, or put every coordinate back before you go on.
    integer-truncation: np.array(x, dtype=np.float64)  →  np.array(x)
        np.zeros(x.shape)  →  np.zeros_like(x)
        It looks as if x and the gradient keep x's integer or float32 type, which cuts them off.
        Try: Make a float64 array of x first: an integer array drops everything after the point.
    x-truncated: np.array(x, dtype=np.float64)  →  np.array(x)
        It looks as if x keeps its integer or float32 type, so that x + h is cut off.
        Try: Make a float64 array of x first: in an integer array, 3 + 1e-5 is 3 again.
    gradient-truncated: x = np.array  →  given = x⏎x = np.array
        np.zeros(x.shape)  →  np.zeros_like(given)
        It looks as if the gradient has x's integer or float32 type.
        Try: np.zeros_like(x) takes over x's type: make the gradient float64.
    single: return gradient  →  return gradient.astype(np.float32)
        It looks as if the gradient is kept in float32.
        Try: It rounds to seven digits: np.zeros(x.shape) is float64 by itself.
    flattened: return gradient  →  return gradient.ravel()
        It looks as if the gradient comes back flat. Try: Give it the shape of x.
    sign: return gradient  →  return -gradient
        It looks as if the sign of the difference is turned round.
        Try: The value further along x comes first: f(x + h) minus the other one.
""")

# ---- forward difference --------------------------------------------------------------------------


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


FORWARD_DIFFERENCE = Entry(
    "forward_difference",
    reference.forward_difference,
    REAL_STEPS,
    variants={"a flat list of floats": flat_forward},
    mistakes=(
        *written(
            """
            halved: / h  →  / (2 * h)
                It looks as if the difference is divided by 2h.
                Try: From x to x + h is one step of length h.
            not-divided: / h  →  / 1
                It looks as if the difference isn't divided by h.
                Try: A slope is a rise over a run: divide by the run.
            backward-difference: += h  →  -= h
                f(moved) - f_x  →  f_x - f(moved)
                It looks as if you step back, to x − h, rather than forward.
                Try: The forward difference compares f(x + h) with f(x).
            centred: moved = x  →  back = x.copy()⏎back[index] -= h⏎moved = x
                f_x) / h  →  f(back)) / (2 * h)
                It looks as if this is the centred difference.
                Try: That one comes next; here, compare f(x + h) with f(x).
            all-at-once: moved[index]  →  for i in np.ndindex(x.shape): moved[i]
            not-put-back: moved = x.copy()  →  moved = x
            aliased: np.array(x  →  np.asarray(x
                moved = x.copy()  →  moved = x
                It looks as if the caller's own x is moved, and not put back.
                Try: `moved = x` is a second name for the same array: use x.copy().
            """,
            said=OF_THE_LOOP,
        ),
        *OF_THE_ARRAYS,
    ),
)

# ---- centred difference --------------------------------------------------------------------------


def in_place_central(f: Callable[[Any], Any], x: Any, h: float = 1e-5) -> Any:
    """Moves each coordinate of a float copy there and back."""
    z = np.array(x, dtype=float)
    gradient = np.empty(z.shape)
    for i in np.ndindex(z.shape):
        old = float(z[i])
        z[i] = old + h
        high = f(z)
        z[i] = old - h
        low = f(z)
        z[i] = old
        gradient[i] = (high - low) / (2.0 * h)
    return gradient


CENTRAL_DIFFERENCE = Entry(
    "central_difference",
    reference.central_difference,
    REAL_STEPS,
    variants={"in place on a copy": in_place_central},
    mistakes=(
        *written(
            """
            not-halved: (2 * h)  →  h
                It looks as if the difference is divided by h.
                Try: From x − h to x + h the distance is 2h.
            precedence: (2 * h)  →  2 * h
                It looks as if the quotient is halved and then multiplied by h.
                Try: `a / 2 * h` means (a / 2) · h; put brackets around `2 * h`.
            one-sided: f(minus)) / (2 * h)  →  f(x)) / h
                It looks as if this is the forward difference.
                Try: Step both ways: compare f(x + h) with f(x − h).
            half-step: += h  →  += h / 2
                -= h  →  -= h / 2
                It looks as if you step by h/2 to either side and divide by 2h.
                Try: Step by h to either side; the distance is then 2h.
            lower-at-x: -= h  →  -= 0
                It looks as if the lower value is taken at x, not at x − h.
                Try: After `x[i] += h`, `x[i] -= h` is back at x: go down by 2h.
            all-at-once: plus[index]  →  for i in np.ndindex(x.shape): plus[i]
                minus[index]  →  for i in np.ndindex(x.shape): minus[i]
            not-put-back: / (2 * h)  →  / (2 * h)⏎x[index] -= h
            aliased: plus, minus = x.copy(), x.copy()  →  plus = minus = x
                It looks as if both values are taken at the same place, so that they cancel.
                Try: `plus = minus = x` gives one array two names: copy it for each.
            """,
            said=OF_THE_LOOP,
        ),
        *OF_THE_ARRAYS,
    ),
)

# ---- complex step --------------------------------------------------------------------------------

COMPLEX_STEP = Entry(
    "complex_step",
    reference.complex_step,
    difference_cases(1e-3, None, 1e-30, 1e-100, 1e-2),
    mistakes=(
        *written(
            """
            real-step: 1j * h  →  h
                It looks as if the step is real. Try: Step along the imaginary axis: add 1j * h.
            real-part: np.imag  →  np.real
                It looks as if the real part is taken.
                Try: The slope is in the imaginary part of f(x + ih).
            not-divided: / h  →  / 1
                It looks as if the imaginary part isn't divided by h.
                Try: Divide the imaginary part by the length of the step.
            difference-taken: np.imag(f(moved))  →  np.real(f(moved) - f(x))
                It looks as if f(x) is subtracted and the real part kept.
                Try: No difference is needed: that is the point of the complex step.
            halved: / h  →  / (2 * h)
                It looks as if you divide by 2h. Try: There is one step of length h, so divide by h.
            all-at-once: moved[index]  →  moved
            """,
            said=OF_THE_LOOP,
        ),
        *(m for m in OF_THE_ARRAYS if m.id in {"x-left-changed", "flattened"}),
    ),
)
