"""What is special about the questions of unit 6: memory, freedoms, and rules handed back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from descent.judging import public_exam, report
from descent.questions import judge
from descent_autograder.questions.catalogue import exam
from descent_solutions import optimizers as o


def in_a_global(rule: Any, kept: Callable[[Any], Any]) -> Any:
    """A rule whose memory lives outside the state: one for all w of one `kept(w)`."""
    memory: dict[Any, Any] = {}

    def remembering(w, dw, state=None, **named):  # type: ignore[no-untyped-def]
        before = None if state is None else memory[kept(w)]
        moved, memory[kept(w)] = rule(w, dw, before, **named)
        return moved, "started"

    return remembering


STATEFUL = ["momentum", "nesterov", "nesterov_lookahead", "adagrad", "adagrad_without_root"]
STATEFUL += ["rmsprop", "adam_uncorrected", "adam", "adamw"]


@pytest.mark.parametrize("question", STATEFUL)
@pytest.mark.parametrize("kept", [lambda w: "all", np.shape], ids=["one for all", "by shape"])
def test_a_memory_outside_the_state_is_seen(question: str, kept: Callable[[Any], Any]) -> None:
    verdict = judge(question, [in_a_global(getattr(o, question), kept)], exam(question, 5))
    wrong = {seen.name for seen in verdict.observations if not seen.passed}
    assert "w of the second parameter, in turn" in wrong
    assert [m.id for m in verdict.mistakes] == ["shared-memory"]


@pytest.mark.parametrize("question", STATEFUL)
def test_a_memory_in_the_default_of_the_state_is_seen(question: str) -> None:
    rule = getattr(o, question)

    def remembering(w, dw, state={}, **named):  # type: ignore[no-untyped-def]  # noqa: B006
        state = {} if state is None else state
        moved, after = rule(w, dw, dict(state) or None, **named)
        state |= after
        return moved, state

    verdict = judge(question, [remembering], exam(question, 5))
    wrong = [seen.name for seen in verdict.observations if not seen.passed]
    assert wrong == ["w after the first step of another run"]
    assert [m.id for m in verdict.mistakes] == ["shared-default"]


def test_an_array_with_two_names_in_the_state_stays_one() -> None:
    def adam(w, dw, state=None, *, learning_rate, beta1=0.9, beta2=0.999, eps=1e-8):  # type: ignore[no-untyped-def]
        if state is None:
            m = v = np.zeros_like(w)
            state = {"m": m, "v": v, "t": 0}
        m, v, t = state["m"], state["v"], state["t"] + 1
        m *= beta1
        m += (1 - beta1) * dw
        v *= beta2
        v += (1 - beta2) * dw**2
        step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        return w - learning_rate * step, {"m": m, "v": v, "t": t}

    with np.errstate(all="ignore"):
        verdict = judge("adam", [adam], exam("adam", 5))
    assert [m.id for m in verdict.mistakes] == ["one-array"]


def test_a_nan_on_the_way_is_reported() -> None:
    def sgd(w, dw, state=None, *, learning_rate):  # type: ignore[no-untyped-def]
        return w - learning_rate * dw * (dw / dw), state

    with np.errstate(all="ignore"):
        text = report.text(judge("sgd", [sgd], exam("sgd", 5)))
    assert "elements that are NaN in w after 1 step: 1." in text


def test_after_a_wrong_shape_nothing_else_is_said_of_the_case() -> None:
    def sgd(w, dw, state=None, *, learning_rate):  # type: ignore[no-untyped-def]
        return (w - learning_rate * dw).reshape(1, *w.shape), state

    verdict = judge("sgd", [sgd], exam("sgd", 5))
    assert "The shape of w after 1 step should still be (3, 2); it is (1, 3, 2)." in verdict.message
    assert not verdict.observations


def test_the_gradient_is_asked_for_once_a_step() -> None:
    def twice(w, gradient, state=None, **named):  # type: ignore[no-untyped-def]
        gradient(w)
        return o.nesterov_lookahead(w, gradient, state, **named)

    verdict = judge("nesterov_lookahead", [twice], exam("nesterov_lookahead", 5))
    assert [m.id for m in verdict.mistakes] == ["called-twice"]


def test_a_rate_may_come_in_an_array_of_one() -> None:
    def largest_stable_rate(hessian, *, mu=0.0):  # type: ignore[no-untyped-def]
        return np.array([o.largest_stable_rate(hessian, mu=mu)])

    exam_ = exam("largest_stable_rate", 5)
    assert judge("largest_stable_rate", [largest_stable_rate], exam_).passed


def test_numpys_own_words_are_words() -> None:
    def unit_test(*args, **named):  # type: ignore[no-untyped-def]
        return np.str_(o.unit_test(*args, **named))

    assert judge("unit_test", [unit_test], exam("unit_test", 5)).passed


def test_a_test_may_stop_at_an_overflow() -> None:
    def unit_test(rule, loss, gradient, w, *, learning_rate, num_steps):  # type: ignore[no-untyped-def]
        first, state = loss(w), None
        for _ in range(num_steps):
            w, state = rule(w, gradient(w), state, learning_rate=learning_rate)
            if not np.isfinite(loss(w)):
                return "diverged"
        left = loss(w) / first
        words = ((0.01, "solved"), (0.5, "slow"), (1.0, "stalled"), (np.inf, "diverged"))
        return next(word for most, word in words if left <= most)

    assert judge("unit_test", [unit_test], exam("unit_test", 5)).passed


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
    assert "bowl: the first of the two: it is 'a string', expected 'a function'." in report.text(
        verdict
    )
    assert [m.id for m in verdict.mistakes] == ["name-returned"]


def unwritten(w, dw, state=None, *, learning_rate):  # type: ignore[no-untyped-def]
    raise NotImplementedError


def broken(w, dw, state=None, *, learning_rate):  # type: ignore[no-untyped-def]
    raise ValueError("the rule's own")


def flat(w, dw, state=None, *, learning_rate):  # type: ignore[no-untyped-def]
    return w[:1], state


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ((unwritten, 0.1), "The rule that you return for 'bowl' isn't written yet."),
        ((broken, 0.1), "Your function raised ValueError: the rule's own  (at: raise ValueError"),
        ((flat, 0.1), "The rule for 'bowl' should return w of shape (2,), not (1,)."),
        ((lambda w, dw, state=None, **_: w, 0.1), "should return two values, (w_next, state)"),
        ((o.sgd, None), "Each learning rate should be a number; it is None."),
    ],
)
def test_a_choice_that_cannot_run_is_told_why(choice: Any, said: str) -> None:
    verdict = judge("choose_rule", [lambda name: choice], exam("choose_rule", 1))
    assert (verdict.status, verdict.passed) == ("graded", False)
    assert said in verdict.message


def test_a_rule_that_forgets_to_return_its_state_is_told_so() -> None:
    verdict = judge("sgd", [lambda w, dw, state=None, *, learning_rate: w], exam("sgd", 1))
    assert "(w_next, state)" in verdict.message


def test_steps_counted_outside_the_state_are_named() -> None:
    count = 0

    def adam(w, dw, state=None, **named):  # type: ignore[no-untyped-def]
        nonlocal count
        count = 0 if state is None else count
        moved, after = o.adam(w, dw, state and {**state, "t": count}, **named)
        count += 1
        return moved, after

    verdict = judge("adam", [adam], exam("adam", 5))
    assert [m.id for m in verdict.mistakes] == ["shared-count"]
