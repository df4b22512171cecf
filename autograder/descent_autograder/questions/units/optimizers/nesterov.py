"""Nesterov's rule, with the gradient asked for ahead and with the look-ahead point stored."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import optimizers as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.optimizers.momentum import RATE_OUTSIDE, velocity_mistakes
from descent_autograder.questions.units.optimizers.rules import bowl, constant, in_turn, uneven
from descent_autograder.questions.written import written

# ---- the look-ahead point stored -----------------------------------------------------------------


def nesterov_cases(rng: Rng) -> list[Case]:
    return [
        uneven(rng),
        bowl(rng, {"mu": 0.6}),
        constant(rng, {"mu": 0.5}, 40, [2, 40]),
        in_turn(rng),
    ]


def nesterov_twice(
    w: Any, dw: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
) -> Any:
    """Goes back to the ball itself, moves it, and looks ahead again; a tuple as state."""
    (v,) = state if state is not None else (np.zeros(w.shape),)
    ball = w - mu * v
    v = mu * v - learning_rate * dw
    ball = ball + v
    return ball + mu * v, (v,)


NESTEROV = Entry(
    "nesterov",
    reference.nesterov,
    nesterov_cases,
    variants={"by way of the ball itself": nesterov_twice},
    mistakes=(
        *velocity_mistakes("dw"),
        *written(
            """
            rate-twice: - mu * v + (1  →  - learning_rate * mu * v + learning_rate * (1
            pytorch: - learning_rate * dw  →  + dw
                - mu * v + (1 + mu) * v_next  →  - learning_rate * (dw + mu * v_next)
                It looks as if the rate is outside the velocity (v ← μv + g), as in PyTorch.
                Try: The two agree only while the rate stays the same. Here the rate belongs into v.
            overwritten: w - mu * v  →  w - mu * v_next
                It looks as if w moves by the new velocity alone, which is plain momentum.
                Try: The step needs both velocities, −μ·old + (1 + μ)·new: keep the old one.
            exchanged: w - mu * v + (1 + mu) * v_next  →  w - mu * v_next + (1 + mu) * v
                It looks as if the old and the new velocity have changed places.
                Try: Take −μ times the old velocity and (1 + μ) times the new one.
            sign: w - mu  →  w + mu
                It looks as if μ times the old velocity is added.
                Try: It is taken back: w − μ·old + (1 + μ)·new.
            one-missing: 1 + mu  →  0 + mu
                It looks as if the new velocity is multiplied by μ.
                Try: By 1 + μ: the ball moves by v, and looks ahead by another μ·v.
            mu-forgotten: w - mu * v  →  w - v
                It looks as if the whole old velocity is taken back.
                Try: Only μ times the old velocity had been added, so take back that much.
            """,
            said=RATE_OUTSIDE,
        ),
    ),
)

# ---- the gradient asked for ahead ----------------------------------------------------------------


def lookahead_cases(rng: Rng) -> list[Case]:
    first = uneven(rng)
    # The gradient has to depend on where it is taken, or looking ahead changes nothing.
    first["curvature"] = rng.uniform(0.5, 2.0, (3, 2))
    return [
        first,
        bowl(rng, {"mu": 0.6}),
        constant(rng, {"mu": 0.5}, 40, [2, 40]),
        in_turn(rng),
    ]


def lookahead_in_place(
    w: Any, gradient: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
) -> Any:
    """Walks ahead in place, and lets the gradient do the rest."""
    v = np.zeros_like(w) if state is None else state
    v *= mu
    w += v
    push = -learning_rate * gradient(w)
    w += push
    return w, v + push


NESTEROV_LOOKAHEAD = Entry(
    "nesterov_lookahead",
    reference.nesterov_lookahead,
    lookahead_cases,
    variants={"in place": lookahead_in_place},
    mistakes=(
        *velocity_mistakes("gradient(w + mu * v)"),
        *written(
            """
            rate-twice: return w + v  →  return w + learning_rate * v
                gradient(w + mu  →  gradient(w + learning_rate * mu
            pytorch: - learning_rate * gradient  →  + gradient
                gradient(w + mu  →  gradient(w - learning_rate * mu
                return w + v  →  return w - learning_rate * v
            ema: - learning_rate * gradient  →  + (1 - mu) * gradient
                gradient(w + mu  →  gradient(w - learning_rate * mu
                return w + v  →  return w - learning_rate * v
            not-ahead: w + mu * v  →  w + 0.0 * v
                It looks as if the gradient is taken at w itself, which is plain momentum.
                Try: Call gradient at w + μ·v, with the old v.
            too-far: w + mu * v  →  w + v
                It looks as if you look ahead by the whole velocity.
                Try: The velocity alone will carry w by μ·v: look there.
            behind: w + mu  →  w - mu
                It looks as if you look back, at w − μ·v.
                Try: Look where the velocity leads: w + μ·v.
            from-ahead: v = mu  →  ahead = w + mu * v⏎v = mu
                return w  →  return ahead
                It looks as if the step starts from the look-ahead point. Try: Only the gradient is
                taken there; v already holds the way to it. Move w by v.
            stays-ahead: return w + v  →  return w + v + mu * v
                It looks as if the next look-ahead point comes back.
                Try: Return w + v, the place itself; the next call looks ahead anew.
            called-twice: v = mu  →  gradient(w)⏎v = mu
                It looks as if `gradient` is called twice a step. Try: Call it once, at w + μ·v: on
                a network every call is a pass through all layers.
            """,
            said=RATE_OUTSIDE,
        ),
    ),
)
