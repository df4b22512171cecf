"""How the functions of unit 5 are exercised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.judging.observing import Case, Observer, question

Array = npt.NDArray[Any]

FAULTS = (
    "overfitting",
    "low capacity",
    "learning rate too low",
    "learning rate too high",
    "diverged",
    "bad initialization",
)
"""What `diagnose` may name."""

LABELS = ("low", "good", "high", "very high")
"""What `classify_learning_rate` may answer."""

HEALTHY = "healthy"
CURVES = ("loss", "train_accuracy", "val_accuracy", "update_ratio")

ENOUGH = {**dict.fromkeys((*FAULTS, *LABELS, HEALTHY), 0.8), "other": 0.9}
"""Shares to reach: of a fault's own runs to name, of healthy and of all other runs to let pass."""


@question()
def epochs_axis(see: Observer, case: Case) -> None:
    (function,) = see.functions
    see("epochs", function(case["num_iterations"], case["num_examples"], case["batch_size"]))


@question()
def update_ratio(see: Observer, case: Case) -> None:
    (function,) = see.functions
    ratio = see.array(function(case["w"], case["update"]), "ratio")
    see("is NaN", np.isnan(ratio))
    see("ratio", np.where(np.isnan(ratio), -1.0, ratio))


@question()
def layer_statistics(see: Observer, case: Case) -> None:
    (function,) = see.functions
    statistics = see.items(function(case["activations"]), "dictionaries")
    see("number of layers", len(statistics))
    for name in ("mean", "std", "saturated"):
        values = [_single(see.array(see.entry(layer, name), name)) for layer in statistics]
        see(name, values, part=name, floor=1e-14)


def _single(value: Array) -> Array:
    """An array of one element as the number it is."""
    return value.reshape(()) if value.size == 1 else value


@question()
def wiggle(see: Observer, case: Case) -> None:
    (function,) = see.functions
    see("wiggle", function(case["losses"]), floor=1e-14)


@question()
def rate_in_band(see: Observer, case: Case) -> None:
    (function,) = see.functions
    measured = dict(zip(case["rates"], case["ratios"], strict=True))

    def ratio_at(rate: Any) -> float:
        if float(rate) not in measured:
            raise ValueError("ratio_at was called with a rate that isn't in `rates`")
        return float(measured[float(rate)])

    band = {} if case["band"] is None else {"low": case["band"][0], "high": case["band"][1]}
    see("rate", function(ratio_at, case["rates"], **band))


@question()
def tile_filters(see: Observer, case: Case) -> None:
    (function,) = see.functions
    see("picture", function(case["W"], tuple(case["image_shape"]), case["num_columns"]))


@question()
def smoothness(see: Observer, case: Case) -> None:
    (function,) = see.functions
    scores = see.array(function(case["W"], tuple(case["image_shape"])), "scores")
    see("number of scores", scores.size)
    for smoother, rougher, about in case["pairs"]:
        see(about, bool(scores[smoother] > scores[rougher]))


# ---- whole trainings -----------------------------------------------------------------------------


@question()
def classify_learning_rate(see: Observer, case: Case) -> None:
    (function,) = see.functions
    answers, improper = [], ""
    for run in case["runs"]:
        answer = function(run["loss"])
        answers.append((run["planted"], answer if isinstance(answer, str) else ""))
        improper = improper or _improper_word(see, answer)
    see("what comes back", improper or "one of the four words")
    for label in LABELS:
        hits = [word == label for truth, word in answers if truth == label]
        others = [word != label for truth, word in answers if truth != label]
        _report(see, label, hits, {"other": others})


def _improper_word(see: Observer, answer: Any) -> str:
    """What an answer is, in words, where it isn't one of the four."""
    if answer is None:
        return "None"
    if not isinstance(answer, str):
        return "a set" if isinstance(answer, set | frozenset) else "no string"
    if answer in LABELS:
        return ""
    see.remark(f"{answer[:30]!r} isn't one of the four words.")
    return "another word"


@question()
def diagnose(see: Observer, case: Case) -> None:
    (function,) = see.functions
    answers, improper = [], ""
    for run in case["runs"]:
        answer = function({name: run[name] for name in CURVES})
        if isinstance(answer, np.ndarray):
            answer = answer.ravel().tolist()
        is_set = isinstance(answer, set | frozenset | list | tuple)
        named = {str(name) for name in answer} if is_set else set()
        improper = improper or (_improper_names(see, named) if is_set else _no_set(answer))
        answers.append((run["planted"], named))
    see("what comes back", improper or "sets of the six names")
    for fault in FAULTS:
        # A run that diverged had too high a rate as well: naming that is no false alarm.
        also = "diverged" if fault == "learning rate too high" else fault
        hits = [fault in named for truth, named in answers if truth == fault]
        quiet = [(t, fault not in named) for t, named in answers if t not in (fault, also)]
        healthy = [ok for truth, ok in quiet if truth == HEALTHY]
        others = [ok for truth, ok in quiet if truth != HEALTHY]
        _report(see, fault, hits, {HEALTHY: healthy, "other": others})


def _no_set(answer: Any) -> str:
    if answer is None:
        return "None"
    if isinstance(answer, str):
        return "a string"
    return "a dictionary" if isinstance(answer, Mapping) else "no set"


def _improper_names(see: Observer, named: set[str]) -> str:
    """Whether a name is given that isn't among the six; which one, in a remark."""
    others = sorted(named - set(FAULTS))
    if not others:
        return ""
    see.remark(f"{others[0][:30]!r} isn't one of the six names.")
    # As from set("overfitting").
    letters = all(len(name) == 1 for name in others)
    return "a set of single letters" if letters else "a set with another name"


def _report(
    see: Observer, name: str, hits: Sequence[bool], others: Mapping[str, Sequence[bool]]
) -> None:
    """Whether a fault is named where it is and nowhere else; what falls short, in a remark."""
    enough = _share(hits) >= ENOUGH[name]
    see(f"{name}: named in its runs", enough, part=name)
    if not enough:
        see.remark(f"{name}: named in {sum(hits)} of its {len(hits)} runs.")
    for kind, quiet in others.items():
        enough = _share(quiet) >= ENOUGH[kind]
        see(f"{name}: not named in {kind} runs", enough, part=name)
        if not enough:
            alarms = len(quiet) - sum(quiet)
            see.remark(f"{name}: named in {alarms} of {len(quiet)} {kind} runs.")


def _share(answers: Sequence[bool]) -> float:
    return sum(answers) / len(answers)
