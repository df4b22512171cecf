"""SGD, momentum and Nesterov's rule: one learning rate for all parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import optimizers as reference

from descent_autograder.questions.entry import Case, Entry, Mistake, Rng, Said
from descent_autograder.questions.units._opt.rules import (
    RATE_FORGOTTEN,
    RATE_TWICE,
    SHARED,
    STATE_LOST,
    STEP_RETURNED,
    UPHILL,
    bowl,
    constant,
    in_turn,
    stability,
    uneven,
)

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
    question="sgd",
    reference=reference.sgd,
    cases=sgd_cases,
    mistakes=(
        UPHILL("w -", "w +"),
        RATE_FORGOTTEN("learning_rate *", "1.0 *"),
        RATE_TWICE("learning_rate *", "learning_rate**2 *"),
        STEP_RETURNED("return w", "return 0 * w"),
        Mistake(
            "summed",
            "return",
            "dw = dw if state is None else state + dw\nreturn",
            ", state\n",
            ", dw",
            says="It looks as if the gradients of all steps so far are added up.",
            hint="Plain SGD has no memory: use this step's gradient alone.",
        ),
        Mistake(
            "normalized",
            "* dw",
            "* dw / np.linalg.norm(dw)",
            says="It looks as if the gradient is divided by its length.",
            hint="Use it as it is: where the slope is small, the step is small.",
        ),
        Mistake(
            "divided-again",
            "* dw",
            "* dw / len(dw)",
            says="It looks as if the gradient is divided by the number of rows of w.",
            hint="`dw` is a mean over the batch already; nothing is left to divide by.",
        ),
        Mistake(
            "relative",
            "* dw",
            "* dw * w",
            says="It looks as if the step is proportional to w.",
            hint="The step is learning_rate · dw, however large w is.",
        ),
    ),
    variants={"in place": sgd_in_place, "loops": sgd_loop},
)

# ---- momentum ------------------------------------------------------------------------------------

FIRST_RATE = Said(
    "first-rate",
    "It looks as if the first learning rate is used in every step.",
    "The rate may differ from step to step: take the one that you are given, and keep only v.",
)


def _with_the_first_rate(rule: Any) -> Any:
    """The rule at the rate of its first step, which is kept in the state."""

    def stubborn(w: Any, dw: Any, state: Any = None, *, learning_rate: float, **named: Any) -> Any:
        inner, learning_rate = (None, learning_rate) if state is None else state
        moved, after = rule(w, dw, inner, learning_rate=learning_rate, **named)
        return moved, (after, learning_rate)

    return stubborn


def _velocity_mistakes(gradient: str) -> tuple[Mistake, ...]:
    """What goes wrong where a velocity is made from `gradient`, in all rules that have one."""
    push = f"- learning_rate * {gradient}"
    return (
        UPHILL(push, push.replace("-", "+")),
        RATE_FORGOTTEN(push, f"- {gradient}"),
        STATE_LOST,
        *SHARED,
        FIRST_RATE(wrap=_with_the_first_rate),
        Mistake(
            "mu-on-all",
            f"= mu * v {push}",
            f"= mu * (v {push})",
            says="It looks as if the push is multiplied by mu as well: μ(v − ηg).",
            hint="Only the old velocity is: μ·v − η·g.",
        ),
        Mistake(
            "ema-rate-inside",
            push,
            push.replace("learning_rate", "(1 - mu) * learning_rate"),
            says="It looks as if the push is multiplied by 1 − mu.",
            hint="Here the push −ηg comes in whole; that is why steps grow up to 1/(1 − μ) times.",
        ),
        Mistake(
            "mu-fixed",
            "v = 0.0",
            "mu = 0.9\nv = 0.0",
            says="It looks as if mu is always 0.9.",
            hint="Use the argument `mu`; 0.9 is only what it is when left out.",
        ),
        Mistake(
            "mu-added",
            "= mu * v",
            "= mu + v",
            says="It looks as if mu is added to the velocity.",
            hint="The old velocity is multiplied by mu: μ·v.",
        ),
        Mistake(
            "friction",
            "= mu * v",
            "= (1 - mu) * v",
            says="It looks as if the velocity is multiplied by 1 − mu.",
            hint="mu is the share of the velocity that is kept: μ·v.",
        ),
        Mistake(
            "no-friction",
            "= mu * v",
            "= v",
            says="It looks as if the velocity is never slowed down: the gradients just add up.",
            hint="Multiply the old velocity by mu before the new push comes in.",
        ),
    )


def momentum_cases(rng: Rng) -> list[Case]:
    # After 40 steps 0.5^t has gone: the step is η·g / (1 − μ).
    return [
        uneven(rng),
        bowl(rng, {"mu": 0.6}),
        constant(rng, {"mu": 0.5}, 40, [2, 40]),
        stability(rng, 0.8),
        in_turn(rng),
    ]


MOMENTUM = Entry(
    question="momentum",
    reference=reference.momentum,
    cases=momentum_cases,
    mistakes=(
        *_velocity_mistakes("dw"),
        Mistake(
            "rate-twice",
            "w + v",
            "w + learning_rate * v",
            says="It looks as if the learning rate enters twice: in the velocity and again in the "
            "step.",
            hint="The rate is inside v; then w moves by v as it is.",
        ),
        Mistake(
            "pytorch",
            "- learning_rate * dw",
            "+ dw",
            "w + v",
            "w - learning_rate * v",
            says="It looks as if the rate is outside the velocity (v ← μv + g, w ← w − ηv), as in "
            "PyTorch.",
            hint="The two agree only while the rate stays the same. Here the rate belongs into v.",
        ),
        Mistake(
            "ema",
            "- learning_rate * dw",
            "+ (1 - mu) * dw",
            "w + v",
            "w - learning_rate * v",
            says="It looks as if the velocity is an average: the gradient is multiplied by 1 − mu.",
            hint="Here the push −ηg comes in whole; that is why steps grow up to 1/(1 − μ) times.",
        ),
        Mistake(
            "old-velocity",
            "v = mu",
            "old = v\nv = mu",
            "w + v",
            "w + old",
            says="It looks as if w moves by the old velocity, before the gradient has changed it.",
            hint="First update v, then move by the new v.",
        ),
        Mistake(
            "nesterov",
            "v = mu",
            "old = v\nv = mu",
            "w + v",
            "w - mu * old + (1 + mu) * v",
            says="It looks as if this is Nesterov's rule.",
            hint="That one comes next; here w moves by the new velocity and nothing else.",
        ),
        Mistake(
            "gradient-again",
            "w + v",
            "w + v - learning_rate * dw",
            says="It looks as if w moves by the velocity and by the gradient as well.",
            hint="The gradient only pushes the velocity; the velocity alone moves w.",
        ),
        STEP_RETURNED("return w", "return 0 * w"),
    ),
)
