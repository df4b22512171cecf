"""Averages: of the members' probabilities, and of a parameter along its path."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from descent_solutions import ensembles as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

Array = npt.NDArray[Any]


def softmax(logits: Array) -> Array:
    """Each row's exponentials, divided by their sum."""
    exps = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(exps / exps.sum(axis=1, keepdims=True))


# ---- averaging -----------------------------------------------------------------------------------


def average_cases(rng: Rng) -> list[Case]:
    return [
        {"about": f"{m} members, N = {n}, C = {c}"}
        | {"probabilities": [softmax(2 * rng.normal(size=(n, c))) for _ in range(m)]}
        for m, n, c in ((3, 5, 4), (4, 2, 3), (2, 4, 6))
    ]


def average_by_hand(probabilities: Any) -> Any:
    """A running sum, divided at the end."""
    total = 0 * probabilities[0]
    for member in probabilities:
        total += member
    return total / len(probabilities)


AVERAGE_PROBABILITIES = Entry(
    "average_probabilities",
    reference.average_probabilities,
    average_cases,
    variants={"a running sum": average_by_hand},
    mistakes=written("""
        votes: return
            →  probabilities = [np.eye(len(p[0]))[p.argmax(axis=1)] for p in probabilities]⏎return
            It looks as if the members' labels are averaged.
            Try: A vote throws away how sure each member is: average the probabilities.
        logits: return  →  logs = np.mean(np.log(np.maximum(probabilities, 1e-300)), axis=0)⏎return
            np.mean(probabilities, axis=0)
            →  np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
            It looks as if logarithms are averaged, and normalised again.
            Try: Average the probabilities themselves.
        softmax-again: return  →  exps = np.exp(probabilities)⏎return
            probabilities, axis  →  exps / exps.sum(axis=2, keepdims=True), axis
            It looks as if a softmax is taken of the probabilities.
            Try: They are probabilities already.
        softmax-of-mean: return  →  mean = np.exp(np.mean(probabilities, axis=0))⏎return
            np.mean(probabilities, axis=0)  →  mean / mean.sum(axis=1, keepdims=True)
            It looks as if a softmax is taken of the average.
            Try: A mean of probabilities is one already: each row sums to 1.
        summed: np.mean  →  np.sum
            It looks as if the sum isn't divided by the number of members.
            Try: Each row of the average must sum to one.
        running: return  →  from functools import reduce⏎return
            np.mean(probabilities, axis=0)  →  reduce(lambda a, b: (a + b) / 2, probabilities)
            It looks as if each new member is averaged with the average so far.
            Try: So the last one counts half: add them all up, then divide once.
        largest: np.mean  →  np.max
            It looks as if the largest probability among the members is taken.
            Try: Take the mean over the members.
        over-examples: axis=0  →  axis=1
            It looks as if the mean is over the examples.
            Try: Members stand along the first axis of the stack: axis 0.
        over-classes: axis=0  →  axis=2
            It looks as if the mean is over the classes.
            Try: Members stand along the first axis of the stack: axis 0.
    """),
)


def log_losses_cases(rng: Rng) -> list[Case]:
    return [
        {**case, "y": rng.integers(0, case["probabilities"][0].shape[1], n)}
        for case in average_cases(rng)
        for n in [len(case["probabilities"][0])]
    ]


def _exchanged(function: Any) -> Any:
    """The function's two results the other way round."""
    return lambda *given, **named: function(*given, **named)[::-1]


LOG_LOSSES = Entry(
    "log_losses",
    reference.log_losses,
    log_losses_cases,
    through=(reference.average_probabilities,),
    mistakes=written(
        """
        best-member: np.mean(members)  →  np.min(members)
            It looks as if the best member's loss stands in for the mean.
            Try: Jensen speaks of the mean of the members' losses, not of the best one.
        swapped:
            It looks as if the two numbers have changed places.
            Try: The loss of the average comes first.
        logits: return np.asarray
            →  logs = np.mean(np.log(np.maximum(probabilities, 1e-300)), axis=0)⏎return np.asarray
            np.mean(probabilities, axis=0)
            →  np.exp(logs) / np.exp(logs).sum(axis=1, keepdims=True)
            It looks as if logarithms are averaged to make the ensemble.
            Try: Average the probabilities.
        largest: member[rows, y]  →  member.max(axis=1)
            average[rows, y]  →  average.max(axis=1)
            It looks as if the largest probability is taken, not the true class's.
            Try: Pick the probability of y, row by row.
        no-log: np.log(  ⇒  (
            It looks as if the logarithm is missing.
            Try: The loss of an example is −log of its true class's probability.
        log10: np.log(  ⇒  np.log10(
            It looks as if the logarithm has base 10. Try: Use np.log.
        summed: ]).mean()  ⇒  ]).sum()
            It looks as if the losses are summed over the examples.
            Try: Take means over the examples.
        sign: -np.log  ⇒  np.log
            It looks as if the minus sign is missing.
            Try: A loss falls when the probability rises: −log p.
        """,
        wrap={"swapped": _exchanged},
    ),
)

# ---- the running average -------------------------------------------------------------------------


def ema_cases(rng: Rng) -> list[Case]:
    return [
        {"about": f"decay {decay:g}, parameters of shape {shape}", "decay": decay}
        | {"values": [rng.normal(size=shape) for _ in range(4)]}
        for decay, shape in ((0.9, (2, 3)), (0.99, (4,)), (0.6, (3, 1)))
    ]


def ema_in_place(average: Any, value: Any, *, decay: float, step: int) -> Any:
    """Moves the average a little towards the value, in place."""
    average += (1 - decay) * (value - average)
    return average, average / (1 - decay**step)


def _corrected_kept(ema: Any) -> Any:
    return lambda *given, **named: (ema(*given, **named)[1],) * 2


EMA = Entry(
    "ema",
    reference.ema,
    ema_cases,
    variants={"in place": ema_in_place},
    mistakes=written(
        """
        decay-swapped: decay * average  →  (1 - decay) * average
            + (1 - decay) * value  →  + decay * value
            It looks as if decay weighs the new value.
            Try: A decay of 0.99 keeps 99 % of the average and takes 1 % of the new value.
        not-corrected: average / (1 - decay**step)  →  average
            It looks as if the start at zero isn't made up for.
            Try: Divide by 1 − decay^step; at the first step that gives the value itself.
        sum: (1 - decay) * value  →  value
            It looks as if the factor 1 − decay is missing.
            Try: Without it this is a decaying sum, as some notes say, and not an average.
        step-from-0: **step  →  **(step - 1)
            It looks as if the correction counts steps from 0.
            Try: The first step is step 1: 1 − decay^step as it is handed in.
        step-from-2: **step  →  **(step + 1)
            It looks as if the correction is one step ahead.
            Try: Use the step that is handed in; it starts at 1.
        correction-per-step: decay**step  →  decay
            It looks as if you divide by 1 − decay at every step.
            Try: The start weighs less and less: divide by 1 − decay^step.
        multiplied: average /  →  average *
            It looks as if you multiply by 1 − decay^step.
            Try: The average is too small at first: divide.
        corrected-kept:
            It looks as if the corrected average is kept for the next step.
            Try: Keep the plain one; correct a copy for use.
        swapped:
            It looks as if the two results have changed places.
            Try: Return the average first, then the corrected one.
        """,
        wrap={"corrected-kept": _corrected_kept, "swapped": _exchanged},
    ),
)
