"""Adam, without its bias correction and with a decay of the weights beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import optimizers as reference

from descent_autograder.questions.entry import Case, Entry, Mistake, Rng
from descent_autograder.questions.units.optimizers.adaptive import NO_ROOT, denominator_mistakes
from descent_autograder.questions.units.optimizers.rules import (
    MEMORY,
    bowl,
    constant,
    in_turn,
    step_mistakes,
    uneven,
)
from descent_autograder.questions.written import accepted, written

# ---- what they share -----------------------------------------------------------------------------


def _moment_mistakes(m: str, v: str) -> tuple[Mistake, ...]:
    """What goes wrong in the two averages, and where the step is made of `m` and `v`."""
    mixed_up = f"* {m} / (np.sqrt({v})  →  * {v} / (np.sqrt({m})"
    if m == "m_hat":  # said so, it combines with more, and m and v are kept as they are
        mixed_up = f"return w  →  {m}, {v} = {v}, {m}⏎return w"
    text = f"""
        no-root: np.sqrt({v})  →  ({v})
        m-one-minus-missing: (1 - beta1) * dw  →  dw
            It looks as if the factor 1 − β₁ is missing in the first moment.
            Try: m ← β₁·m + (1 − β₁)·dw, an average, not a sum.
        v-one-minus-missing: (1 - beta2) * dw  →  dw
            It looks as if the factor 1 − β₂ is missing in the second moment.
            Try: v ← β₂·v + (1 − β₂)·dw², an average, not a sum.
        betas-wrong-way: beta1 * m + (1 - beta1) * dw  →  (1 - beta1) * m + beta1 * dw
            beta2 * v + (1 - beta2) * dw  →  (1 - beta2) * v + beta2 * dw
            It looks as if the decay is the wrong way round: the new gradient weighs most.
            Try: β belongs to the old average, 1 − β to what is new.
        betas-added: beta1 * m  →  beta1 + m
            beta2 * v  →  beta2 + v
            It looks as if the betas are added to the old averages.
            Try: The old averages are multiplied by β₁ and β₂.
        betas-exchanged: m, v  →  beta1, beta2 = beta2, beta1⏎m, v
            It looks as if β₁ and β₂ have changed places.
            Try: β₁ belongs to the average of the gradient, β₂ to that of its square.
        m-and-v-mixed-up: {mixed_up}
            It looks as if m and v have changed places in the step. Try: The average of the
            gradient, m, is divided by the root of v, the average of its square.
        raw-gradient: * {m} /  →  * dw /
            It looks as if the step uses the gradient itself, as in RMSprop.
            Try: Put the average m where RMSprop has the gradient.
        v-beta1: v = beta2  →  beta2 = beta1⏎v = beta2
            It looks as if β₁ is used for the second moment too.
            Try: v has a decay of its own: β₂·v + (1 − β₂)·dw².
        v-factor: (1 - beta2) * dw  →  (1 - beta1) * dw
            It looks as if the new square comes into v with the weight 1 − β₁.
            Try: Its weight is 1 − β₂.
        one-array: v = beta2 * v  →  m = v = beta2 * m
            It looks as if m and v are one and the same array.
            Try: `m = v = np.zeros_like(w)` makes one array with two names: make two arrays.
        m-squared: dw**2  →  m**2
            It looks as if v averages the square of m.
            Try: It averages the square of the gradient itself: dw².
        betas-fixed: m, v  →  beta1, beta2 = 0.9, 0.999⏎m, v
            It looks as if the betas are always 0.9 and 0.999.
            Try: Use the arguments; those numbers are only what they are when left out.
        """
    return (
        *written(text, said=NO_ROOT),
        *step_mistakes(m),
        *MEMORY,
        *denominator_mistakes(f"np.sqrt({v})"),
    )


ALONE = (
    *("t-from-two", "corrected-kept", "betas-added", "v-beta1", "v-factor", "shared-count"),
    *("v-corrected-by-beta1", "after-root", "one-array", "m-squared", "brackets", "eps-fixed"),
    *("betas-fixed", "shared-memory", "shared-default"),
)
"""Mistakes enough by themselves, in rules that have many."""


def adam_cases(rng: Rng) -> list[Case]:
    return [
        uneven(rng),
        bowl(rng, {"beta1": 0.7, "beta2": 0.95, "eps": 1e-3}),
        constant(rng, {}, 12, [1, 12]),
        in_turn(rng),
    ]


# ---- Adam ----------------------------------------------------------------------------------------


def _counts_together(rule: Any) -> Any:
    """The rule with its number of steps, and nothing else, in a global."""
    count = 0

    def counting(w: Any, dw: Any, state: Any = None, **named: Any) -> Any:
        nonlocal count
        known = None if state is None else {**state, "t": count}
        moved, after = rule(w, dw, known, **named)
        count = after["t"]
        return moved, after

    return counting


BIAS = written("""
    uncorrected: return w  →  m_hat, v_hat = m, v⏎return w
        It looks as if the bias correction is missing.
        Try: Divide m by 1 − β₁ᵗ and v by 1 − β₂ᵗ before the step.
    v-not-corrected: return w  →  v_hat = v⏎return w
        It looks as if the second moment isn't divided by 1 − β₂ᵗ.
        Try: Both averages start at zero, so both are corrected.
    m-not-corrected: return w  →  m_hat = m⏎return w
        It looks as if the first moment isn't divided by 1 − β₁ᵗ.
        Try: Both averages start at zero, so both are corrected.
""")

CORRECTION = written(
    """
    t-from-zero: m_hat =  →  t = t - 1⏎m_hat =
        "t": t  →  "t": t + 1
        It looks as if t is 0 in the first step, so that 1 − βᵗ is 0.
        Try: Increase t before you use it: the first step has t = 1.
    t-from-two: m_hat =  →  t = t + 1⏎m_hat =
        "t": t  →  "t": t - 1
        It looks as if t is 2 in the first step.
        Try: Start the counter at 0 and increase it once a step: the first step has t = 1.
    t-stays: m_hat =  →  steps, t = t, 1⏎m_hat =
        "t": t  →  "t": steps
        It looks as if t stays at 1, or isn't an exponent: you always divide by 1 − β.
        Try: Count the steps in the state and use beta1**t and beta2**t.
    corrected-kept: "m": m, "v": v  →  "m": m_hat, "v": v_hat
        It looks as if the corrected averages are kept for the next step.
        Try: The correction is for this step only: return m and v as they were before it.
    shared-count:
        It looks as if the steps are counted outside `state`. Try: A rule serves many parameters in
        turn, and each has its own t: keep it in the state.
    v-corrected-by-beta1: m_hat =  →  beta2 = beta1⏎m_hat =
        It looks as if the second moment is divided by 1 − β₁ᵗ.
        Try: Each average is corrected with its own β: v by 1 − β₂ᵗ.
    after-root: (1 - beta2**t)  →  (1 - beta2**t) ** 2
        It looks as if the root of v is taken first, and divided by 1 − β₂ᵗ after that.
        Try: Correct v, then take the root: √(v / (1 − β₂ᵗ)).
    """,
    wrap={"shared-count": _counts_together},
)

# In the paper's faster form ε joins the root before that is corrected.
EPS_ELSEWHERE = accepted("""
    eps-inside: (np.sqrt(v_hat) + eps)  →  np.sqrt(v_hat + eps)
    eps-before: m_hat /  →  m_hat * np.sqrt(1 - beta2**t) /
        sqrt(v_hat  →  sqrt(v_hat * (1 - beta2**t)
""")


class Moments:
    """Adam's memory as an object."""

    def __init__(self) -> None:
        self.first: Any = 0.0
        self.second: Any = 0.0
        self.steps = 0


def adam_object(
    w: Any,
    dw: Any,
    state: Any = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """An object as state, differences instead of weights, in place."""
    state = state or Moments()
    state.steps += 1
    state.first = state.first + (1 - beta1) * (dw - state.first)
    state.second = state.second + (1 - beta2) * (np.square(dw) - state.second)
    root = np.sqrt(state.second / (1 - beta2**state.steps))
    w -= learning_rate / (1 - beta1**state.steps) * state.first / (root + eps)
    return w, state


def adam_loop(
    w: Any,
    dw: Any,
    state: Any = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Element by element; a tuple as state; the powers kept, not t."""
    if state is None:
        state = (np.zeros(w.shape), np.zeros(w.shape), 1.0, 1.0)
    m, v, power1, power2 = state
    power1, power2 = power1 * beta1, power2 * beta2
    moved = np.zeros(w.shape)
    for i in np.ndindex(w.shape):
        m[i] = beta1 * m[i] + (1 - beta1) * dw[i]
        v[i] = beta2 * v[i] + (1 - beta2) * dw[i] ** 2
        step = (m[i] / (1 - power1)) / ((v[i] / (1 - power2)) ** 0.5 + eps)
        moved[i] = w[i] - learning_rate * step
    return moved, (m, v, power1, power2), {"extra": True}


ADAM = Entry(
    "adam",
    reference.adam,
    adam_cases,
    accepted=EPS_ELSEWHERE,
    variants={"an object as state, in place": adam_object, "loops": adam_loop},
    unpaired=ALONE,
    mistakes=(*BIAS, *CORRECTION, *_moment_mistakes("m_hat", "v_hat")),
)

ADAM_UNCORRECTED = Entry(
    "adam_uncorrected",
    reference.adam_uncorrected,
    adam_cases,
    accepted=accepted("eps-inside: (np.sqrt(v) + eps)  →  np.sqrt(v + eps)"),
    unpaired=ALONE,
    mistakes=(
        *written("""
            uncorrected: m, v =  →  t = 1 if state is None else state["t"] + 1⏎m, v =
                * m /  →  * (m / (1 - beta1**t)) /
                sqrt(v)  →  sqrt(v / (1 - beta2**t))
                "v": v  →  "v": v, "t": t
                It looks as if the averages are corrected: this is Adam itself. Try: Leave the bias
                correction out for once, so that you see what it is good for.
        """),
        *_moment_mistakes("m", "v"),
    ),
)

# ---- AdamW ---------------------------------------------------------------------------------------


def adamw_cases(rng: Rng) -> list[Case]:
    cases = adam_cases(rng)
    cases[1]["settings"] |= {"weight_decay": 0.3}
    # Without a decay it is Adam.
    cases[2]["settings"] |= {"weight_decay": 0.0}
    return cases


def adamw_first(
    w: Any,
    dw: Any,
    state: Any = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> Any:
    """Shrinks w first, in place, as PyTorch does."""
    w *= 1 - learning_rate * weight_decay
    moved, state, _ = adam_loop(
        w, dw, state, learning_rate=learning_rate, beta1=beta1, beta2=beta2, eps=eps
    )
    return moved, state


def _decays_as_usual(rule: Any) -> Any:
    return lambda *given, weight_decay=0.01, **named: rule(*given, **named)


ADAMW = Entry(
    "adamw",
    reference.adamw,
    adamw_cases,
    accepted=EPS_ELSEWHERE,
    variants={"shrinks first, in place": adamw_first},
    through=(reference.adam,),
    unpaired=("shared-memory", "shared-default"),
    mistakes=(
        *written(
            """
            l2: moved, state = adam  →  dw = dw + weight_decay * w⏎moved, state = adam
                weight_decay * w, state  →  0.0 * w, state
                It looks as if the decay is added to the gradient: this is Adam with L2. Try: Keep
                weight_decay · w out of m and v: subtract it from w beside the Adam step.
            no-decay: weight_decay * w, state  →  0.0 * w, state
                It looks as if the weights don't decay.
                Try: Subtract learning_rate · weight_decay · w besides the Adam step.
            decay-without-rate: learning_rate * weight_decay  →  weight_decay
                It looks as if the decay isn't multiplied by the learning rate.
                Try: Both parts of the step have the rate: learning_rate · weight_decay · w.
            decay-halved: moved - learning_rate  →  moved - 0.5 * learning_rate
                It looks as if the decay is halved.
                Try: There is no ½ in a decay: learning_rate · weight_decay · w.
            grows: moved - learning_rate  →  moved + learning_rate
                It looks as if the weights grow instead of decaying. Try: Subtract the decay.
            decays-the-moved: weight_decay * w,  →  weight_decay * moved,
                It looks as if the decay is taken from w after the Adam step.
                Try: Both parts are taken from the same w, the one you were given.
            decay-fixed:
                It looks as if weight_decay is always 0.01.
                Try: Use the argument; 0.01 is only what it is when left out.
            betas-fixed: beta1=beta1, beta2=beta2  →  beta1=0.9, beta2=0.999
                It looks as if the betas aren't handed on to Adam: they are always 0.9 and 0.999.
                Try: Call it with beta1=beta1, beta2=beta2.
            eps-fixed: eps=eps  →  eps=1e-8
                It looks as if eps isn't handed on to Adam: it is always 1e-8.
                Try: Call it with eps=eps.
            """,
            wrap={"decay-fixed": _decays_as_usual},
        ),
        *BIAS,
        *step_mistakes("m_hat"),
        *MEMORY,
    ),
)
