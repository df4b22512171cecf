"""What is special about the questions of unit 5: unseen trainings, and a bar of 80 %."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from descent.judging import Exam, Verdict
from descent.questions import judge
from descent.questions.babysitting import FAULTS, HEALTHY, LABELS
from descent_autograder.questions.catalogue import exam
from descent_solutions.babysitting import (
    classify_learning_rate,
    diagnose,
    layer_statistics,
    rate_in_band,
)


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
    assert verdict_on(lambda history: np.array(sorted(diagnose(history))), trainings).passed


def test_a_name_that_is_not_among_the_six_is_told(trainings: Exam) -> None:
    def answer(history: Any) -> Any:
        return {"over-fitting" if name == "overfitting" else name for name in diagnose(history)}

    assert "'over-fitting' isn't one of the six names." in verdict_on(answer, trainings).remarks


def test_one_word_for_all_learning_rates_earns_nothing() -> None:
    rates = exam("classify_learning_rate", 5)
    for word in LABELS:
        verdict = judge("classify_learning_rate", [lambda losses, word=word: word], rates)
        assert (verdict.passed, verdict.score) == (False, 0.0)
    right = judge("classify_learning_rate", [lambda x: np.str_(classify_learning_rate(x))], rates)
    assert right.passed


def _neighbours(f: Any, measure: Any) -> Any:
    return measure(f[1:], f[:-1]), measure(f[:, 1:], f[:, :-1])


def total_variation(f: Any) -> Any:
    return -sum(_neighbours(f, lambda a, b: np.abs(a - b).mean())) / np.ptp(f)


def laplacian(f: Any) -> Any:
    around = f[2:, 1:-1] + f[:-2, 1:-1] + f[1:-1, 2:] + f[1:-1, :-2]
    return 1 / (1e-9 + np.abs(around / 4 - f[1:-1, 1:-1]).mean() / f.std())


def low_frequencies(f: Any) -> Any:
    power = np.abs(np.fft.fft2(f - f.mean())) ** 2
    low = [np.abs(np.fft.fftfreq(n)) <= 0.26 for n in f.shape]
    return power[np.ix_(*low)].sum() / power.sum()


def worst_correlation(f: Any) -> Any:
    return min(_neighbours(f, lambda a, b: np.corrcoef(a.ravel(), b.ravel())[0, 1]))


@pytest.mark.parametrize("design", [total_variation, laplacian, low_frequencies, worst_correlation])
def test_a_sound_score_for_smoothness_passes_whatever_the_sample(design: Any) -> None:
    def smoothness(W: Any, image_shape: Any) -> Any:
        return [design(column.reshape(image_shape)) for column in W.T]

    for seed in range(20):
        assert judge("smoothness", [smoothness], exam("smoothness", seed)).passed, seed


def test_neighbours_along_the_flat_column_are_not_enough() -> None:
    def smoothness(W: Any, image_shape: Any) -> Any:
        return -np.square(np.diff(W, axis=0)).mean(axis=0) / W.var(axis=0)

    assert not any(
        judge("smoothness", [smoothness], exam("smoothness", s)).passed for s in range(20)
    )


def test_a_number_may_come_in_an_array_of_one() -> None:
    def answer(activations: Any) -> Any:
        found = layer_statistics(activations)
        return [{name: np.array([value]) for name, value in layer.items()} for layer in found]

    assert judge("layer_statistics", [answer], exam("layer_statistics", 5)).passed


def test_a_rate_that_was_not_given_is_named_as_such() -> None:
    def answer(ratio_at: Any, rates: Any, **band: Any) -> Any:
        return rate_in_band(ratio_at, [2 * rate for rate in rates], **band)

    verdict = judge("rate_in_band", [answer], exam("rate_in_band", 5))
    assert "a rate that isn't in `rates`" in verdict.message
