"""What is special about the questions of unit 5: unseen trainings, and a bar of 80 %."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from descent.judging import Exam, Verdict, judge
from descent.questions.babysitting import FAULTS, HEALTHY, LABELS
from descent_autograder.catalogue import exam
from descent_solutions.babysitting import classify_learning_rate, diagnose


@pytest.fixture(scope="module")
def trainings() -> Exam:
    return exam("diagnose", 5)


def verdict_on(answer: Callable[..., Any], trainings: Exam) -> Verdict:
    return judge("diagnose", [answer], trainings, points=6)


def test_every_fault_is_planted_equally_often(trainings: Exam) -> None:
    counts = Counter(run["planted"] for run in trainings.cases[0]["runs"])
    assert counts == dict.fromkeys((HEALTHY, *FAULTS), 16)


def forgetful(share: float) -> Callable[..., Any]:
    """The reference, silent about this share of the runs of every fault."""
    seen: Counter[str] = Counter()

    def answer(history: Any) -> Any:
        named = diagnose(history)
        for name in named:
            seen[name] += 1
            if int(seen[name] * share) > int((seen[name] - 1) * share):
                return set()
        return named

    return answer


def test_four_in_five_are_enough_and_three_are_not(trainings: Exam) -> None:
    assert verdict_on(forgetful(0.15), trainings).passed
    assert verdict_on(forgetful(0.4), trainings).score == 0


@pytest.mark.parametrize("named", [set(), set(FAULTS), {"healthy"}, "overfitting", None])
def test_an_answer_that_never_looks_earns_nothing(named: Any, trainings: Exam) -> None:
    verdict = verdict_on(lambda history: named, trainings)
    assert (verdict.passed, verdict.score) == (False, 0.0)


def test_a_missed_fault_costs_its_share_and_is_counted_in_the_report(trainings: Exam) -> None:
    verdict = verdict_on(lambda history: diagnose(history) - {"overfitting"}, trainings)
    assert verdict.score == pytest.approx(5)
    assert verdict.remarks == ["overfitting: named in 0 of its 16 runs."]
    assert [m.id for m in verdict.mistakes] == ["gap-ignored"]


def test_naming_the_rate_of_a_run_that_diverged_is_no_false_alarm(trainings: Exam) -> None:
    def generous(history: Any) -> Any:
        named = diagnose(history)
        return named | {"learning rate too high"} if named == {"diverged"} else named

    assert verdict_on(generous, trainings).passed


def test_lists_are_as_good_as_sets(trainings: Exam) -> None:
    assert verdict_on(lambda history: sorted(diagnose(history)), trainings).passed


def test_one_word_for_all_learning_rates_earns_nothing() -> None:
    rates = exam("classify_learning_rate", 5)
    for word in LABELS:
        verdict = judge("classify_learning_rate", [lambda losses, word=word: word], rates)
        assert (verdict.passed, verdict.score) == (False, 0.0)
    right = judge("classify_learning_rate", [lambda x: np.str_(classify_learning_rate(x))], rates)
    assert right.passed
