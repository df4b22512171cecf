"""What is special about the questions of unit 10: large logits, and the edges of bins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from descent.judging import public_exam
from descent.questions import judge
from descent_autograder.questions.catalogue import exam
from descent_solutions import ensembles as e


def shifted_by(
    largest: Any, student: Any, teacher: Any, y: Any, temperature: float, alpha: float
) -> Any:
    """The reference's loss with another shift of the logits; its gradient stays right."""

    def log_softmax(logits: Any) -> Any:
        logits = logits - largest(logits)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    soft, other = log_softmax(student / temperature), log_softmax(teacher / temperature)
    hard = log_softmax(student)
    kl = np.sum(np.exp(other) * (other - soft)) / len(y)
    loss = alpha * temperature**2 * kl - (1 - alpha) * hard[np.arange(len(y)), y].mean()
    dhard = np.exp(hard)
    dhard[np.arange(len(y)), y] -= 1
    dsoft = temperature * (np.exp(soft) - np.exp(other))
    return loss, (alpha * dsoft + (1 - alpha) * dhard) / len(y)


@pytest.mark.parametrize(
    ("largest", "mistake"), [(np.max, "shift-of-all"), (lambda logits: 0.0, "no-shift")]
)
def test_a_wrong_shift_is_named_by_check_and_by_the_grader(largest: Any, mistake: str) -> None:
    def answer(student: Any, teacher: Any, y: Any, *, temperature: float, alpha: float) -> Any:
        return shifted_by(largest, student, teacher, y, temperature, alpha)

    for made in (public_exam("distillation_loss"), exam("distillation_loss", 5)):
        with np.errstate(all="ignore"):
            verdict = judge("distillation_loss", [answer], made)
        assert [m.id for m in verdict.mistakes] == [mistake]


def test_a_batch_of_one_stays_a_batch() -> None:
    def squeezed(*given: Any, **named: Any) -> Any:
        loss, dlogits = e.distillation_loss(*given, **named)
        return loss, np.squeeze(dlogits)

    assert not judge("distillation_loss", [squeezed], exam("distillation_loss", 5)).passed


@pytest.mark.parametrize("clipped", [True, False])
def test_bins_that_end_before_their_upper_edge_are_named(clipped: bool) -> None:
    def downwards(probabilities: Any, y: Any, *, num_bins: int = 10) -> Any:
        confidence = probabilities.max(axis=1)
        bins = (confidence * num_bins).astype(int)
        bins = np.minimum(bins, num_bins - 1) if clipped else bins
        gaps = (probabilities.argmax(axis=1) == y) - confidence
        return np.abs(np.bincount(bins, gaps)).sum() / len(y)

    for made in (public_exam("calibration_error"), exam("calibration_error", 5)):
        verdict = judge("calibration_error", [downwards], made)
        assert [m.id for m in verdict.mistakes] == ["edges"]


def test_two_losses_may_come_as_an_array() -> None:
    def array(*given: Any) -> Any:
        return np.array(e.log_losses(*given))

    assert judge("log_losses", [array], exam("log_losses", 5)).passed
