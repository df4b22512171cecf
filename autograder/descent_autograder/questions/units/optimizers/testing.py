"""Testing a rule on losses of a known kind, and choosing one for each landscape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from descent_solutions import optimizers as reference

from descent_autograder.questions.entry import Case, Entry, Rng, Wrapper
from descent_autograder.questions.units.optimizers.rules import signs
from descent_autograder.questions.written import written

Array = npt.NDArray[Any]

# ---- testing a rule ------------------------------------------------------------------------------


def unit_test_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for factors in ([1.0], [1.0] * 4 + [3.0], [1.0] * 6 + [0.0]):
        curvature = rng.uniform([0.5, 2.0], [0.9, 3.0])
        # A first loss well above 1, so that a last loss judged by itself is seen.
        w = rng.uniform(4.0, 8.0, 2) * np.array([1.0, 0.3]) * signs(rng, (2,))
        close = [_rate_that_leaves(share, curvature, w, 12) for share in (0.49, 0.0098)]
        rates = [0.004, 0.08, *close, 1.02 * 2 / float(curvature[1]), 1.5, 2.5, 1e200]
        case: Case = {
            "about": "a bowl of two parameters, eight rates",
            "curvature": curvature,
            "w": w,
        }
        case |= {"rates": rates, "num_steps": 12, "factors": factors}
        cases.append(case | {"outcome": "outcome at a rate of", "counted": False})
    # At half of 1 / curvature a step halves w, one of factor −2 doubles it, one of 0 does nothing.
    return [
        *cases,
        _course_of(rng, "that solves the bowl and then leaves", [1.0] * 6 + [-2.0] * 4),
        _course_of(rng, "that rises first and then solves the bowl", [-2.0] * 3 + [1.0] * 10),
        _course_of(rng, "that stands still", [0.0] * 8),
    ]


def _course_of(rng: Rng, what: str, factors: list[float]) -> Case:
    """A round bowl, and one run of a rule with these factors."""
    curvature = float(rng.uniform(0.5, 2.0))
    return {
        "about": f"a rule {what}",
        "curvature": np.full(2, curvature),
        "w": rng.uniform(4.0, 8.0, 2) * signs(rng, (2,)),
        "rates": [0.5 / curvature],
        "num_steps": len(factors),
        # A step too many would bring w back to the minimum.
        "factors": [*factors, 2.0],
        "outcome": f"outcome of a rule {what}, at a rate of",
        "counted": True,
    }


def _rate_that_leaves(share: float, curvature: Array, w: Array, num_steps: int) -> float:
    """The rate at which plain gradient descent leaves that share of a bowl's loss."""
    low, high = 0.0, 1 / float(curvature.max())
    for _ in range(60):
        rate = (low + high) / 2
        losses = curvature * w**2
        left = float(np.sum(losses * (1 - rate * curvature) ** (2 * num_steps)) / np.sum(losses))
        low, high = (rate, high) if left > share else (low, rate)
    return high


UNIT_TEST = Entry(
    "unit_test",
    reference.unit_test,
    unit_test_cases,
    mistakes=written("""
        state-lost: state, learning_rate  →  None, learning_rate
            It looks as if the rule gets an empty state in every step.
            Try: Hand the state that the rule returned to the next call.
        stale-gradient: loss(w), None  →  loss(w), None⏎dw = gradient(w)
            gradient(w)  →  dw
            It looks as if every step uses the first gradient.
            Try: Ask for the gradient anew at each w.
        nan-passes: not left <= 1  →  left > 1
            It looks as if a loss that is NaN counts as solved.
            Try: Every comparison with NaN is False. Ask `not left <= 1` for divergence.
        best-not-last: loss(w), None  →  loss(w), None⏎best = first
            =learning_rate)  →  =learning_rate)⏎best = np.fmin(best, loss(w))
            left = loss(w)  →  left = best
            It looks as if the best loss on the way is judged. Try: Judge the last one: a rule that
            finds the valley and leaves it hasn't solved it.
        absolute: loss(w) / first  →  loss(w)
            It looks as if the last loss is judged by itself.
            Try: Divide it by the first one: how much is left?
        other-limits: 0.5  →  0.1
            0.01  →  1e-4
            It looks as if the limits are other ones.
            Try: More than half left is stalled, more than a hundredth is slow.
        one-less: num_steps)  →  num_steps - 1)
            It looks as if one step is missing. Try: Take exactly num_steps steps.
        one-more: num_steps)  →  num_steps + 1)
            It looks as if there is one step too many. Try: Take exactly num_steps steps.
        rule-ignored: loss(w), None
            →  loss(w), None⏎rule = lambda w, dw, s, *, learning_rate: (w - learning_rate * dw, s)
            It looks as if the rule that is handed in isn't called. Try: Let it take the steps:
            w, state = rule(w, gradient(w), state, learning_rate=…).
        on-the-way: =learning_rate)
            →  =learning_rate)⏎if not loss(w) <= first:⏎    return "diverged"
            It looks as if a rule has diverged as soon as one loss on the way is above the first.
            Try: Judge the last loss: a rule may climb before it finds its way down.
        stops-when-solved: =learning_rate)
            →  =learning_rate)⏎if loss(w) <= 0.01 * first:⏎    return "solved"
            It looks as if the test ends as soon as a hundredth is left.
            Try: Take all steps: a rule may find the valley and leave it again.
        still-is-diverged: <= 1  →  < 1
            It looks as if a last loss that equals the first counts as diverged.
            Try: Diverged is *more* than all of it: a rule that stands still has stalled.
        distance: loss(w), None  →  loss(w), None⏎start = w
            loss(w) / first  →  np.sum(w**2) / np.sum(start**2)
            It looks as if the length of w is judged, not the loss.
            Try: Divide the last loss by the first.
    """),
)

# ---- choosing a rule -----------------------------------------------------------------------------


def choose_rule_cases(rng: Rng) -> list[Case]:
    about = "300 steps on each landscape, without noise and with a little"
    return [{"about": about, "levels": [0.0, 0.01], "noise": rng.standard_normal((300, 2))}]


def choose_other(landscape: str) -> Any:
    """Adagrad with one rate for all."""
    return reference.adagrad, 0.25, "one for all"


def _then(change: Callable[[Any, float], Any]) -> Wrapper:
    """The choice, and what is done with it."""
    return lambda choose: lambda landscape: change(*choose(landscape))


CHOOSE_RULE = Entry(
    "choose_rule",
    reference.choose_rule,
    choose_rule_cases,
    variants={"one rule for all": choose_other},
    mistakes=written(
        """
        sgd-everywhere:
            It looks as if one rule at one small rate runs everywhere, its steps as small as the
            gradient. Try: On the plateau gradients are tiny: take a rule that rescales, or a larger
            rate.
        rate-of-one:
            It looks as if the rate is about 1 everywhere.
            Try: Steep landscapes throw such steps out: try 0.1, 0.03, 0.01.
        tiny-rate:
            It looks as if the rate is so small that nothing moves.
            Try: 300 steps have to be enough: try 0.1, 0.03, 0.01.
        no-root-everywhere:
            It looks as if Adagrad without its root runs everywhere.
            Try: Without the root small gradients make huge steps and large ones tiny steps.
        uphill:
            It looks as if the rule goes uphill.
            Try: The learning rate is positive; check the rule's own sign.
        exchanged:
            It looks as if rule and rate have changed places.
            Try: Return the rule first, then its learning rate.
        name-returned:
            It looks as if the rule's name comes back, in quotes.
            Try: Return the function itself: sgd, not "sgd".
        called:
            It looks as if the rule is called, and what it returned comes back.
            Try: Return the function itself, without brackets: sgd, not sgd(…).
        sgd-at-a-tenth:
            It looks as if plain SGD runs everywhere, at a rate of about 0.1.
            Try: Steep landscapes throw such steps out, and on a plateau they lead nowhere: choose
            landscape by landscape.
        """,
        wrap={
            "sgd-everywhere": _then(lambda rule, rate: (reference.sgd, 0.01)),
            "rate-of-one": _then(lambda rule, rate: (rule, 1.0)),
            "tiny-rate": _then(lambda rule, rate: (rule, 1e-6)),
            "no-root-everywhere": _then(lambda rule, rate: (reference.adagrad_without_root, 0.1)),
            "uphill": _then(lambda rule, rate: (rule, -rate)),
            "exchanged": _then(lambda rule, rate: (rate, rule)),
            "name-returned": _then(lambda rule, rate: (rule.__name__, rate)),
            "called": _then(
                lambda rule, rate: (rule(np.ones(2), np.ones(2), learning_rate=rate), rate)
            ),
            "sgd-at-a-tenth": _then(lambda rule, rate: (reference.sgd, 0.1)),
        },
    ),
)
