"""SGD and momentum."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import optimizers as reference

from descent_autograder.questions.entry import Case, Entry, Mistake, Rng
from descent_autograder.questions.units.optimizers.rules import (
    MEMORY,
    OF_EVERY_RULE,
    bowl,
    constant,
    in_turn,
    stability,
    uneven,
)
from descent_autograder.questions.written import sentences, written

# ---- SGD -----------------------------------------------------------------------------------------


def sgd_cases(rng: Rng) -> list[Case]:
    return [uneven(rng), bowl(rng, {}), constant(rng, {}, 3, [1, 3]), stability(rng, None)]


def sgd_in_place(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
    """Changes w, and returns more than it need."""
    w -= learning_rate * dw
    return w, {}, "done"


def sgd_loop(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
    """Element by element, in Python floats."""
    moved = np.empty(w.shape)
    for index in np.ndindex(w.shape):
        moved[index] = float(w[index]) - float(dw[index]) * learning_rate
    return moved, state


SGD = Entry(
    "sgd",
    reference.sgd,
    sgd_cases,
    variants={"in place": sgd_in_place, "loops": sgd_loop},
    mistakes=written(
        """
        uphill: w -  →  w +
        rate-forgotten: learning_rate *  →  1.0 *
        rate-twice: learning_rate *  →  learning_rate**2 *
        step-returned: return w  →  return 0 * w
        summed: return  →  dw = dw if state is None else state + dw⏎return
            , state⏎  →  , dw
            It looks as if the gradients of all steps so far are added up.
            Try: Plain SGD has no memory: use this step's gradient alone.
        normalized: * dw  →  * dw / np.linalg.norm(dw)
            It looks as if the gradient is divided by its length.
            Try: Use it as it is: where the slope is small, the step is small.
        divided-again: * dw  →  * dw / len(dw)
            It looks as if the gradient is divided by the number of rows of w.
            Try: `dw` is a mean over the batch already; nothing is left to divide by.
        relative: * dw  →  * dw * w
            It looks as if the step is proportional to w.
            Try: The step is learning_rate · dw, however large w is.
        """,
        said=OF_EVERY_RULE,
    ),
)

# ---- momentum ------------------------------------------------------------------------------------


def _with_the_first_rate(rule: Any) -> Any:
    """The rule at the rate of its first step, which is kept in the state."""

    def stubborn(w: Any, dw: Any, state: Any = None, *, learning_rate: float, **named: Any) -> Any:
        inner, learning_rate = (None, learning_rate) if state is None else state
        moved, after = rule(w, dw, inner, learning_rate=learning_rate, **named)
        return moved, (after, learning_rate)

    return stubborn


def velocity_mistakes(gradient: str) -> tuple[Mistake, ...]:
    """What goes wrong where a velocity is made from `gradient`, in all rules that have one."""
    push = f"learning_rate * {gradient}"
    text = f"""
        uphill: - {push}  →  + {push}
        rate-forgotten: - {push}  →  - {gradient}
        first-rate:
            It looks as if the first learning rate is used in every step. Try: The rate may differ
            from step to step: take the one that you are given, and keep only v.
        mu-on-all: = mu * v - {push}  →  = mu * (v - {push})
            It looks as if the push is multiplied by mu as well: μ(v − ηg).
            Try: Only the old velocity is: μ·v − η·g.
        ema-rate-inside: - {push}  →  - (1 - mu) * {push}
            It looks as if the push is multiplied by 1 − mu. Try: Here the push −ηg comes in whole;
            that is why steps grow up to 1/(1 − μ) times.
        mu-fixed: v = 0.0  →  mu = 0.9⏎v = 0.0
            It looks as if mu is always 0.9.
            Try: Use the argument `mu`; 0.9 is only what it is when left out.
        mu-added: = mu * v  →  = mu + v
            It looks as if mu is added to the velocity.
            Try: The old velocity is multiplied by mu: μ·v.
        friction: = mu * v  →  = (1 - mu) * v
            It looks as if the velocity is multiplied by 1 − mu.
            Try: mu is the share of the velocity that is kept: μ·v.
        no-friction: = mu * v  →  = v
            It looks as if the velocity is never slowed down: the gradients just add up.
            Try: Multiply the old velocity by mu before the new push comes in.
        """
    return (
        *MEMORY,
        *written(text, said=OF_EVERY_RULE, wrap={"first-rate": _with_the_first_rate}),
    )


RATE_OUTSIDE = sentences("""
    rate-twice:
        It looks as if the learning rate enters twice: in the velocity and again in the step.
        Try: The rate is inside v; then w moves by v as it is.
    pytorch:
        It looks as if the rate is outside the velocity (v ← μv + g, w ← w − ηv), as in PyTorch.
        Try: The two agree only while the rate stays the same. Here the rate belongs into v.
    ema:
        It looks as if the velocity is an average: the gradient is multiplied by 1 − mu.
        Try: Here the push −ηg comes in whole; that is why steps grow up to 1/(1 − μ) times.
""")


def momentum_cases(rng: Rng) -> list[Case]:
    # After 40 steps 0.5^t has gone: the step is η·g / (1 − μ).
    return [
        uneven(rng),
        bowl(rng, {"mu": 0.6}),
        constant(rng, {"mu": 0.5}, 40, [2, 40]),
        stability(rng, 0.8),
        in_turn(rng),
    ]


class Ball:
    """A state of one's own making."""

    def __init__(self, velocity: Any) -> None:
        self.velocity = velocity


def momentum_object(
    w: Any, dw: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
) -> Any:
    """An object as state, changed in place."""
    ball = state if state is not None else Ball(np.zeros_like(w))
    ball.velocity *= mu
    ball.velocity -= learning_rate * dw
    w += ball.velocity
    return w, ball


def momentum_list(
    w: Any, dw: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
) -> Any:
    """Flat lists and loops; the state is a list of floats."""
    old = state or [0.0] * w.size
    new = [mu * v - learning_rate * g for v, g in zip(old, dw.ravel().tolist(), strict=True)]
    return w + np.reshape(new, w.shape), new, "and more"


MOMENTUM = Entry(
    "momentum",
    reference.momentum,
    momentum_cases,
    variants={"an object as state, in place": momentum_object, "lists": momentum_list},
    mistakes=(
        *velocity_mistakes("dw"),
        *written(
            """
            rate-twice: w + v  →  w + learning_rate * v
            pytorch: - learning_rate * dw  →  + dw
                w + v  →  w - learning_rate * v
            ema: - learning_rate * dw  →  + (1 - mu) * dw
                w + v  →  w - learning_rate * v
            old-velocity: v = mu  →  old = v⏎v = mu
                w + v  →  w + old
                It looks as if w moves by the old velocity, before the gradient has changed it.
                Try: First update v, then move by the new v.
            nesterov: v = mu  →  old = v⏎v = mu
                w + v  →  w - mu * old + (1 + mu) * v
                It looks as if this is Nesterov's rule.
                Try: That one comes next; here w moves by the new velocity and nothing else.
            gradient-again: w + v  →  w + v - learning_rate * dw
                It looks as if w moves by the velocity and by the gradient as well.
                Try: The gradient only pushes the velocity; the velocity alone moves w.
            step-returned: return w  →  return 0 * w
            """,
            said=OF_EVERY_RULE | RATE_OUTSIDE,
        ),
    ),
)
