"""Whole trainings, read off their curves: which rate, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.questions.babysitting import CURVES, FAULTS, HEALTHY
from descent_solutions import babysitting as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng, Wrapper
from descent_autograder.questions.units.babysitting.trainings import LEARNING_RATES, trainings
from descent_autograder.questions.written import written

Array = npt.NDArray[Any]
RUNS_PER_KIND = 16

# ---- what they share -----------------------------------------------------------------------------


def _short(curve: Array) -> Array:
    """A curve in four digits: all that the eye sees, and a short file."""
    return np.array([float(f"{value:.4g}") for value in curve])


def _runs(kinds: dict[str, str], rng: Rng, curves: tuple[str, ...]) -> list[Case]:
    """Fresh trainings of every kind, in random order; halves of a kind differ in their network."""
    runs: list[Case] = []
    for name, fault in kinds.items():
        for _ in range(2):
            for history in trainings(fault, RUNS_PER_KIND // 2, rng):
                runs.append({"planted": name} | {c: _short(history[c]) for c in curves})
    return [runs[i] for i in rng.permutation(len(runs))]


def _in_no_doubt(
    kinds: dict[str, str], curves: tuple[str, ...], right: Callable[[Case], bool], rng: Rng
) -> list[Case]:
    """A sample of runs, most of which the reference reads right.

    One in which the words themselves are in doubt would be unfair to everybody.
    """

    def mostly_right(runs: list[Case]) -> bool:
        return sum(map(right, runs)) > 0.95 * len(runs)

    runs = drawn(lambda rng: _runs(kinds, rng, curves), mostly_right, rng)
    return [{"about": f"{len(runs)} trainings", "runs": runs}]


def _then(change: Callable[[Any], Any]) -> Wrapper:
    """What is said of a run, and what is done with that."""
    return lambda function: lambda run: change(function(run))


# ---- the learning rate ---------------------------------------------------------------------------


def classify_learning_rate_cases(rng: Rng) -> list[Case]:
    def is_right(run: Case) -> bool:
        return bool(reference.classify_learning_rate(run["loss"]) == run["planted"])

    return _in_no_doubt(LEARNING_RATES, ("loss",), is_right, rng)


def classify_by_slopes(losses: Any) -> Any:
    """Straight lines through the beginning and the end."""
    if not np.isfinite(losses).all() or losses.max() > 2 * losses[0]:
        return "very high"
    steps = np.arange(10)
    line = np.polyval(np.polyfit(steps, losses[-10:], 1), steps)
    if np.std(losses[-10:] - line) > 0.03 * losses[-10:].mean():
        return "high"
    first, last = (np.polyfit(steps[:8], part, 1)[0] for part in (losses[:8], losses[-8:]))
    return "low" if last < 0.35 * first else "good"


LOW_AND_HIGH = {"low": "high", "high": "low"}
CLASSIFY_LEARNING_RATE = Entry(
    "classify_learning_rate",
    reference.classify_learning_rate,
    classify_learning_rate_cases,
    variants={"straight lines": classify_by_slopes},
    mistakes=written(
        """
        nan-not-caught: not np.isfinite(losses).all() or losses  →  losses
            It looks as if curves with NaN or infinity in them aren't recognised.
            Try: Ask first whether all losses are finite: any comparison with NaN is False.
        explosion-is-high: "very high"  →  "high"
            It looks as if curves that explode are called "high".
            Try: High means that the loss fell and got stuck; "very high" that it exploded.
        never-high: if np.mean  →  if False and np.mean
            It looks as if "high" is never the answer.
            Try: Look at the last part of the curve: does it settle, or jump up and down?
        low-is-flat: middle - losses[-1] >= 0.5 * (losses[0] - middle)
            →  losses[-1] > 0.999 * losses[0]
            It looks as if only a flat line counts as "low".
            Try: A low rate makes progress, in a nearly straight line.
        low-is-not-zero: middle - losses[-1] >= 0.5 * (losses[0] - middle)  →  losses[-1] > 0.01
            It looks as if every loss that doesn't reach 0 counts as "low".
            Try: The floor differs from problem to problem: judge the shape, not the last value.
        swapped:
            It looks as if "low" and "high" have changed places.
            Try: A straight line is low; a quick fall that gets stuck is high.
        other-words:
            It looks as if "very high" is spelt in another way.
            Try: The four words are "low", "good", "high" and "very high", with a blank.
        nothing-returned:
            It looks as if nothing comes back. Try: Return the word; printing it isn't enough.
        set-returned:
            It looks as if a set comes back. Try: Return the word itself, without braces.
        capitals:
            It looks as if the answers begin with capitals.
            Try: The four words are "low", "good", "high" and "very high".
        """,
        wrap={
            "swapped": _then(lambda word: LOW_AND_HIGH.get(word, word)),
            "other-words": _then(lambda word: word.replace(" ", "_")),
            "nothing-returned": _then(lambda word: None),
            "set-returned": _then(lambda word: {word}),
            "capitals": _then(lambda word: word.title()),
        },
    ),
)

# ---- diagnosis -----------------------------------------------------------------------------------


def diagnose_cases(rng: Rng) -> list[Case]:
    def is_right(run: Case) -> bool:
        return reference.diagnose(run) == {run["planted"]} - {HEALTHY}

    return _in_no_doubt({kind: kind for kind in (HEALTHY, *FAULTS)}, CURVES, is_right, rng)


def diagnose_by_other_signs(history: Any) -> Any:
    """Other thresholds, fewer early returns, and a list."""
    loss, ratio = history["loss"], np.median(history["update_ratio"])
    train, val = (history[name][-5:].mean() for name in CURVES[1:3])
    if not np.isfinite(loss).all() or loss[-1] > loss[0]:
        return ["diverged", "learning rate too high"]
    if ratio < 6e-4:
        return ["learning rate too low"]
    if loss[3] > 0.97 * loss[0]:
        return ["bad initialization"]
    if np.std(np.diff(loss[-12:])) > 0.05 * loss[-12:].mean() and ratio > 5e-3:
        return ["learning rate too high"]
    found = ["overfitting"] if train - val > 0.12 else []
    return found + (["low capacity"] if train < 0.7 and train - val < 0.1 else [])


RATES = {"learning rate too low": "learning rate too high"}
RATES |= {high: low for low, high in RATES.items()}


def _each(change: Callable[[str], str]) -> Wrapper:
    """What becomes of every name."""
    return _then(lambda found: {change(name) for name in found})


DIAGNOSE = Entry(
    "diagnose",
    reference.diagnose,
    diagnose_cases,
    variants={"other signs, as a list": diagnose_by_other_signs},
    mistakes=written(
        """
        nan-not-caught: not np.isfinite(loss).all() or loss  →  loss
            It looks as if runs with NaN in the loss aren't recognised as diverged.
            Try: Ask first whether all losses are finite: any comparison with NaN is False.
        gap-ignored: if np.mean(train[end] - val  →  if False and np.mean(train[end] - val
            It looks as if overfitting is never named. Try: Compare training and validation accuracy
            at the end: a clear gap is overfitting.
        any-gap: > 0.15  →  > 0
            It looks as if any gap at all is called overfitting.
            Try: Training accuracy is nearly always a little higher: ask for a clear gap.
        small-gap-is-low-capacity: < 0.75  →  < 0.75 or np.mean(train[end] - val[end]) < 0.05
            It looks as if a small gap is enough for low capacity.
            Try: Only if training accuracy is itself low; otherwise a small gap is good news.
        capacity-ignored: {"low capacity"}  →  set()
            It looks as if low capacity is never named. Try: Both accuracies low, side by side, at a
            rate that works: the model is too small.
        bounce-ignored: if bounce  →  if False and bounce
            It looks as if too high a learning rate is never named.
            Try: Look for a loss that still jumps late in training, with large update ratios.
        take-off-ignored: if np.ptp  →  if False and np.ptp
            It looks as if a bad initialisation is never named.
            Try: Look for a loss that lies flat at first and then takes off.
        ratio-upside-down: ratio.max()  →  (1 / ratio).max()
            It looks as if the update ratio is read upside down.
            Try: It is update : weight: far below 1e-3 means that steps are too small.
        swapped:
            It looks as if too low and too high a learning rate have changed places.
            Try: Small update ratios and a straight loss are low, jumps are high.
        healthy-named:
            It looks as if a healthy run gets a name. Try: Return an empty set when all is well.
        empty-dictionary:
            It looks as if {} comes back when all is well: an empty dictionary.
            Try: An empty set is written set().
        nothing-returned:
            It looks as if nothing comes back when all is well.
            Try: Return an empty set, set(), then.
        initialisation:
            It looks as if "initialization" is spelt with an s.
            Try: The name has a z, as in the table.
        underscores:
            It looks as if the names are spelt with underscores.
            Try: They have blanks, as in the table.
        capitals:
            It looks as if the names begin with capitals.
            Try: They are in small letters, as in the table.
        letters:
            It looks as if a set of single letters comes back.
            Try: set("overfitting") takes the word apart; write {"overfitting"}.
        string:
            It looks as if a string comes back.
            Try: Return a set: {"overfitting"}, and an empty one, set(), when all is well.
        """,
        wrap={
            "swapped": _each(lambda name: RATES.get(name, name)),
            "healthy-named": _then(lambda found: found or {"healthy"}),
            "empty-dictionary": _then(lambda found: found or {}),
            "nothing-returned": _then(lambda found: found or None),
            "initialisation": _each(lambda name: name.replace("initialization", "initialisation")),
            "underscores": _each(lambda name: name.replace(" ", "_")),
            "capitals": _each(str.capitalize),
            "letters": _then(lambda found: {letter for name in found for letter in name}),
            "string": _then(lambda found: next(iter(found), "")),
        },
    ),
)
