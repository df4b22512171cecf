"""Rules that divide by what has been collected of squared gradients: Adagrad and RMSprop."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import optimizers as reference

from descent_autograder.questions.entry import Case, Entry, Mistake, Rng
from descent_autograder.questions.units.optimizers.rules import (
    MEMORY,
    bowl,
    constant,
    in_turn,
    step_mistakes,
    uneven,
)
from descent_autograder.questions.written import accepted, sentences, written

# ---- what they share -----------------------------------------------------------------------------

NO_ROOT = sentences("""
    no-root:
        It looks as if the square root is missing. Try: Divide by np.sqrt of what is collected;
        without the root the units don't even match.
""")


def denominator_mistakes(root: str) -> tuple[Mistake, ...]:
    """What goes wrong where a step is divided by `root` + eps, and dw**2 is collected."""
    return written(f"""
        brackets: / ({root} + eps)  →  / {root} + eps
            It looks as if brackets are missing around the denominator, so that eps is added to w.
            Try: `a / b + eps` means (a / b) + eps: put brackets around the denominator.
        eps-fixed: + eps)  →  + 1e-8)
            It looks as if eps is always 1e-8.
            Try: Use the argument; 1e-8 is only what it is when left out.
        no-eps: + eps)  →  + 0.0)
            It looks as if nothing keeps a gradient of exactly 0 from becoming 0/0.
            Try: Add eps to the denominator.
        no-square: dw**2  →  dw
            It looks as if the gradient isn't squared.
            Try: Collect dw**2: its sign must not matter here.
    """)


ONE_FOR_ALL = written("""
    one-for-all: dw**2  →  np.full(dw.shape, np.sum(dw**2))
        It looks as if all elements of w share one denominator.
        Try: Keep an array of the shape of w: the point is a rate for each parameter.
""")


def cache_mistakes(root: str) -> tuple[Mistake, ...]:
    """What goes wrong in rules that have one cache."""
    old = root.replace("cache", "(old + 0 * dw)")
    return (
        *written(f"""
            old-cache: cache = 0.0 if state is None else state["cache"]
                →  cache = old = 0.0 if state is None else state["cache"]
                {root} + eps  →  {old} + eps
                It looks as if you divide by the cache as it was before this gradient came in.
                Try: Update the cache first, then divide by it.
        """),
        *step_mistakes("dw"),
        *MEMORY,
        *denominator_mistakes(root),
        *ONE_FOR_ALL,
    )


EPS_INSIDE = accepted("eps-inside: (np.sqrt(cache) + eps)  →  np.sqrt(cache + eps)")

# ---- Adagrad -------------------------------------------------------------------------------------


def adagrad_cases(rng: Rng) -> list[Case]:
    # Under a constant gradient Adagrad's step t is η/√t.
    return [
        uneven(rng),
        bowl(rng, {"eps": 1e-3}),
        constant(rng, {}, 16, [4, 16]),
        in_turn(rng),
    ]


def adagrad_tuple(
    w: Any, dw: Any, state: Any = None, *, learning_rate: float, eps: float = 1e-8
) -> Any:
    """Loops; the state is a tuple."""
    cache = np.zeros(w.shape) if state is None else state[0].copy()
    moved = w.copy()
    for i in np.ndindex(w.shape):
        cache[i] += dw[i] * dw[i]
        moved[i] -= learning_rate * dw[i] / (cache[i] ** 0.5 + eps)
    return moved, (cache,)


OF_ADAGRAD = written("""
    twice: + dw**2  →  + 2 * dw**2
        It looks as if each squared gradient is added twice.
        Try: Add dw**2 to the cache once a step.
    leaky: cache + dw**2  →  0.99 * cache + 0.01 * dw**2
        It looks as if the cache leaks, as in RMSprop.
        Try: Adagrad's cache only grows: add dw**2 to all of it.
    leaky-more: cache + dw**2  →  0.9 * cache + 0.1 * dw**2
        It looks as if the cache leaks a tenth a step, as in RMSprop with 0.9.
        Try: Adagrad's cache only grows: add dw**2 to all of it.
    averaged: cache = cache  →  n = 1 if state is None else state["n"] + 1⏎cache = cache
        dw**2  →  (dw**2 - cache) / n
        "cache": cache  →  "cache": cache, "n": n
        It looks as if the cache is the mean of the squared gradients.
        Try: It is their sum; that is what makes the steps shrink.
""")

ADAGRAD = Entry(
    "adagrad",
    reference.adagrad,
    adagrad_cases,
    accepted=EPS_INSIDE,
    variants={"loops, a tuple as state": adagrad_tuple},
    mistakes=(
        *written("no-root: np.sqrt(cache)  →  (cache)", said=NO_ROOT),
        *OF_ADAGRAD,
        *cache_mistakes("np.sqrt(cache)"),
    ),
)

ADAGRAD_WITHOUT_ROOT = Entry(
    "adagrad_without_root",
    reference.adagrad_without_root,
    adagrad_cases,
    mistakes=(
        *written("""
            no-root: (cache + eps)  →  (np.sqrt(cache) + eps)
                It looks as if the square root is still there.
                Try: Leave it out for once: divide by the cache itself.
        """),
        *OF_ADAGRAD,
        *cache_mistakes("cache"),
    ),
)

# ---- RMSprop -------------------------------------------------------------------------------------


def rmsprop_cases(rng: Rng) -> list[Case]:
    return [
        uneven(rng),
        bowl(rng, {"decay_rate": 0.7, "eps": 1e-3}),
        constant(rng, {"decay_rate": 0.8}, 60, [1, 60]),
        in_turn(rng),
    ]


def rmsprop_in_place(
    w: Any,
    dw: Any,
    state: Any = None,
    *,
    learning_rate: float,
    decay_rate: float = 0.99,
    eps: float = 1e-8,
) -> Any:
    """Moves the cache towards the squared gradient, in place; ε inside the root."""
    cache = np.zeros_like(w) if state is None else state
    cache += (1 - decay_rate) * (dw * dw - cache)
    w -= learning_rate * dw * (cache + eps) ** -0.5
    return w, cache


RMSPROP = Entry(
    "rmsprop",
    reference.rmsprop,
    rmsprop_cases,
    accepted=EPS_INSIDE,
    variants={"in place, ε inside the root": rmsprop_in_place},
    mistakes=(
        *written(
            """
            no-root: np.sqrt(cache)  →  (cache)
            cache-wrong-way: decay_rate * cache + (1 - decay_rate) * dw
                →  (1 - decay_rate) * cache + decay_rate * dw
                It looks as if the decay is the wrong way round: the new square weighs most.
                Try: decay_rate belongs to the old cache, 1 − decay_rate to the new square.
            cache-one-minus-missing: (1 - decay_rate) * dw  →  dw
                It looks as if the factor 1 − decay_rate is missing.
                Try: The new square comes in with the weight 1 − decay_rate.
            cache-added: decay_rate * cache  →  decay_rate + cache
                It looks as if decay_rate is added to the cache.
                Try: The old cache is multiplied by decay_rate.
            summed: decay_rate * cache + (1 - decay_rate) * dw  →  cache + dw
                It looks as if the cache never leaks, as in Adagrad.
                Try: Multiply the old cache by decay_rate, the new square by 1 − decay_rate.
            corrected: return  →  n = 1 if state is None else state["n"] + 1⏎return
                sqrt(cache)  →  sqrt(cache / (1 - decay_rate**n))
                "cache": cache  →  "cache": cache, "n": n
                It looks as if the average is corrected for its start at zero, as in Adam.
                Try: RMSprop leaves the cache as it is: the first steps are long ones.
            decay-fixed: cache = 0.0  →  decay_rate = 0.99⏎cache = 0.0
                It looks as if decay_rate is always 0.99.
                Try: Use the argument; 0.99 is only what it is when left out.
            """,
            said=NO_ROOT,
        ),
        *cache_mistakes("np.sqrt(cache)"),
    ),
)
