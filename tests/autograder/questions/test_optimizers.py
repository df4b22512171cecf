"""What is special about the questions of unit 6: memory, freedoms, and rules handed back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from descent.judging import judge, public_exam
from descent_autograder.catalogue import exam
from descent_solutions import optimizers as o


def test_a_memory_outside_the_state_is_seen() -> None:
    memory: dict[Any, Any] = {}

    def momentum(w, dw, state=None, *, learning_rate, mu=0.9):  # type: ignore[no-untyped-def]
        v = memory.get(w.shape, 0.0)
        memory[w.shape] = mu * v - learning_rate * dw
        return w + memory[w.shape], None

    verdict = judge("momentum", [momentum], exam("momentum", 5))
    wrong = {seen.name for seen in verdict.observations if not seen.passed}
    assert "w after the first step of another run" in wrong


@pytest.mark.parametrize("question", ["adagrad", "rmsprop", "adam", "adamw"])
def test_a_step_without_epsilon_is_named(question: str) -> None:
    rule = getattr(o, question)

    def without(w, dw, state=None, *, eps=0.0, **settings):  # type: ignore[no-untyped-def]
        return rule(w, dw, state, eps=0.0, **settings)

    with np.errstate(all="ignore"):
        verdict = judge(question, [without], public_exam(question))
    assert not verdict.passed
    if question != "adamw":
        assert [mistake.id for mistake in verdict.mistakes] == ["no-eps"]


def test_a_choice_that_solves_more_than_the_reference_passes() -> None:
    def choose_rule(landscape):  # type: ignore[no-untyped-def]
        return o.adagrad, 0.3

    assert all(judge("choose_rule", [choose_rule], exam("choose_rule", s)).passed for s in (8, 9))


def test_a_choice_may_be_of_any_rule_but_must_be_one() -> None:
    verdict = judge("choose_rule", [lambda name: ("adam", 0.1)], exam("choose_rule", 1))
    assert not verdict.passed
    assert "bowl: the first of the two can be called: it is False" in verdict.text()


def test_a_rule_that_forgets_to_return_its_state_is_told_so() -> None:
    verdict = judge("sgd", [lambda w, dw, state=None, *, learning_rate: w], exam("sgd", 1))
    assert "(w_next, state)" in verdict.message
