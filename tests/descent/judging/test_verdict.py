"""Judging whole answers on the exams that ship with the course."""

from __future__ import annotations

import html.parser
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from descent.judging import Candidate, Exam, Mistake, Verdict, public_exam, report
from descent.judging.exam import from_json, to_json
from descent.questions import get, judge


def central(f: Callable[[Any], float], x: Any, h: float = 1e-5) -> Any:
    x = np.array(x, float)
    out = np.empty(x.shape)
    for i in np.ndindex(x.shape):
        old = x[i]
        x[i] = old + h
        high = f(x)
        x[i] = old - h
        out[i] = (high - f(x)) / (2 * h)
        x[i] = old
    return out


def judged(question: str, *functions: Any, points: float = 3.0) -> Verdict:
    return judge(question, functions, public_exam(question), points)


def test_a_right_answer_earns_its_points() -> None:
    verdict = judged("central_difference", central)
    assert (verdict.status, verdict.passed, verdict.score) == ("graded", True, 3.0)
    assert verdict.mistakes == []
    assert all(seen.passed for seen in verdict.observations)


def test_a_mistake_is_named_and_read() -> None:
    verdict = judged("central_difference", lambda f, x, h=1e-5: 2 * central(f, x, h))
    assert not verdict.passed
    assert verdict.score == 0
    assert [m.id for m in verdict.mistakes] == ["not-halved"]
    gradient = next(s for s in verdict.observations if s.name == "gradient")
    assert gradient.relative_error == pytest.approx(0.5)
    assert "divided by h" in report.text(verdict)
    assert "largest relative error 5.0e-01 (wrong)" in report.text(verdict)


def test_two_mistakes_together_are_both_named() -> None:
    verdict = judged("central_difference", lambda f, x, h=1e-5: 2 * central(f, x, h).ravel())
    assert {m.id for m in verdict.mistakes} == {"not-halved", "flattened"}


def test_an_unknown_mistake_is_wrong_without_a_name() -> None:
    verdict = judged("central_difference", lambda f, x, h=1e-5: 1.37 * central(f, x, h))
    assert not verdict.passed
    assert verdict.mistakes == []


def test_a_part_earns_its_share() -> None:
    def loss_only(W: Any, X: Any, y: Any, reg: float) -> Any:
        scores = X @ W
        scores -= scores.max(axis=1, keepdims=True)
        log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -log_probs[np.arange(len(y)), y].mean() + 0.5 * reg * (W**2).sum(), np.zeros(W.shape)

    verdict = judged("softmax_loss", loss_only, points=4)
    assert not verdict.passed
    assert verdict.score == 2.0


def unfinished(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def explode(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("oh no")


@pytest.mark.parametrize(
    ("answer", "status"),
    [(unfinished, "unfinished"), (explode, "crashed"), (3.0, "missing"), (None, "missing")],
)
def test_answers_that_say_nothing(answer: Any, status: str) -> None:
    verdict = judged("central_difference", answer)
    assert (verdict.status, verdict.passed, verdict.score) == (status, False, 0.0)


def test_only_a_blank_answer_is_said_to_be_blank() -> None:
    def documented(f: Any, x: Any, h: float = 1e-5) -> Any:
        """What the student reads."""
        raise NotImplementedError

    def calls_another(f: Any, x: Any, h: float = 1e-5) -> Any:
        return unfinished(f, x)

    def half_written(f: Any, x: Any, h: float = 1e-5) -> Any:
        if h == "large":
            return None
        raise NotImplementedError("later")

    for blank in (unfinished, documented):
        assert "Nothing has been written here" in report.text(judged("central_difference", blank))
    for other in (calls_another, half_written):
        verdict = judged("central_difference", other)
        assert verdict.status == "unfinished"
        assert "Nothing has been written" not in report.text(verdict)
        assert "here or in a function it calls" in report.text(verdict)


def test_what_stands_for_an_object_behind_a_wall_is_not_shown() -> None:
    said = "not 'descent_autograder.sandbox.inside.channel.RemoteCallable'"

    def explains(*_: Any, **__: Any) -> Any:
        raise TypeError(said)

    text = report.text(judged("central_difference", explains))
    assert "TypeError: not an object of yours" in text
    assert "descent_autograder" not in text


def test_an_error_is_shown_with_its_message() -> None:
    assert "ZeroDivisionError: oh no" in report.text(judged("central_difference", explode))


def test_an_exit_is_an_error_like_any_other() -> None:
    verdict = judged("central_difference", lambda *_, **__: exit(0))
    assert not verdict.passed


def test_a_missing_return_value_is_described() -> None:
    text = report.text(judged("softmax_loss", lambda *_: 1.0))
    assert "should return 2 values, (loss, dW)" in text


def test_the_wrong_number_of_functions_is_said() -> None:
    assert "asked of 1 function" in judged("central_difference", central, central).message


def test_changing_an_argument_costs_no_points_where_it_is_a_matter_of_style() -> None:
    def crossed(pre_plus: Any, pre_minus: Any) -> Any:
        mask = (pre_plus > 0) != (pre_minus > 0)
        pre_plus[...] = 0
        return mask

    verdict = judged("crossed_kinks", crossed)
    assert verdict.passed
    assert "in place" in verdict.remarks[0]


def test_it_is_not_said_to_cost_nothing_where_the_question_asks() -> None:
    def moving(f: Any, x: Any, h: float = 1e-5) -> Any:
        gradient = central(f, x, h)
        x += 1
        return gradient

    verdict = judged("central_difference", moving)
    assert not verdict.passed
    assert verdict.remarks == []


def test_arguments_are_private_writable_and_contiguous() -> None:
    seen: list[np.ndarray] = []

    def spy(a: Any, b: Any) -> Any:
        seen.extend(x for x in (a, b) if isinstance(x, np.ndarray))
        return np.zeros(1)

    exam = public_exam("relative_error")
    judge("relative_error", [spy], exam)
    given = [case[k] for case in exam.cases for k in "ab" if isinstance(case[k], np.ndarray)]
    assert all(s.flags.writeable and s.flags.c_contiguous and s.dtype == float for s in seen)
    assert not any(np.shares_memory(s, g) for s, g in zip(seen, given, strict=True))


def test_a_verdict_survives_json() -> None:
    verdict = judged("central_difference", lambda f, x, h=1e-5: 2 * central(f, x, h))
    assert Verdict.from_json(verdict.to_json()) == verdict


def test_an_overflow_is_named_however_it_is_written() -> None:
    def by_log_sum(W: Any, X: Any, y: Any, reg: float) -> Any:
        scores = X @ W
        scores = scores - scores.max()
        log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        dscores = np.exp(log_probs)
        dscores[np.arange(len(y)), y] -= 1
        loss = -log_probs[np.arange(len(y)), y].mean() + 0.5 * reg * (W**2).sum()
        return loss, X.T @ dscores / len(y) + reg * W

    with np.errstate(all="ignore"):
        verdict = judged("softmax_loss", by_log_sum)
    assert [m.id for m in verdict.mistakes] == ["shift-whole"]


def test_more_than_two_mistakes_that_look_alike_are_none() -> None:
    exam = public_exam("sgd")
    records = [get("sgd").run([lambda w, *_, **__: (w, None)], case) for case in exam.cases]

    def alike(count: int) -> Exam:
        mistakes = [Mistake(f"m{i}", "It looks alike.") for i in range(count)]
        candidates = [Candidate((m,), records.__getitem__) for m in mistakes]
        return Exam(exam.question, exam.cases, exam.accepted, candidates)

    for count, named in ((2, 2), (3, 0)):
        verdict = judge("sgd", [lambda w, *_, **__: (w, None)], alike(count))
        assert len(verdict.mistakes) == named


def test_a_gradient_check_isnt_happy_beside_a_cross() -> None:
    def rounded(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
        return (w - learning_rate * dw) * (1 + 1e-8), state

    text = report.text(judged("sgd", rounded))
    assert "happy" not in text
    numbers = re.findall(r"✗ w after 1 step.*: (\S+), expected (\S+);", text)
    assert numbers
    assert all(seen != expected for seen, expected in numbers)


def test_float32_is_recognised() -> None:
    def single(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
        return np.float32(w - learning_rate * dw), state

    assert "it looks like float32: stay in float64." in report.text(judged("sgd", single))


def test_nan_alone_names_no_mistake() -> None:
    def nowhere(W: Any, X: Any, y: Any, reg: float) -> Any:
        return np.nan, np.full(W.shape, np.nan)

    no_shift = Mistake("no-shift", "It overflows.")
    exam = public_exam("softmax_loss")
    records = [get("softmax_loss").run([nowhere], case) for case in exam.cases]
    candidates = [Candidate((no_shift,), records.__getitem__)]
    only_nan = Exam(exam.question, exam.cases, exam.accepted, candidates)
    assert judge("softmax_loss", [nowhere], only_nan).mistakes == []


def test_code_in_a_sentence_is_set_as_code() -> None:
    def precedence(f: Any, x: Any, h: float = 1e-5) -> Any:
        return central(f, x, h) * h**2

    assert "<code>a / 2 * h</code>" in report.html(judged("central_difference", precedence))


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.add(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_what_a_student_writes_is_escaped_in_html() -> None:
    def crash(*_: Any, **__: Any) -> Any:
        raise ValueError("<script>alert(1)</script>")

    verdict = judged("central_difference", crash)
    verdict.printed = "<img src=x onerror=alert(1)>"
    parser = _Tags()
    parser.feed(report.html(verdict))
    assert parser.open == []
    assert parser.tags <= {
        *(
            "code",
            "div",
            "p",
            "span",
            "strong",
            "ul",
            "li",
            "br",
            "small",
            "details",
            "summary",
            "pre",
        ),
    }


@pytest.mark.parametrize(
    "value",
    [
        {"a": np.arange(6).reshape(2, 3), "b": (1, 2.5, None)},
        np.array([1 + 2j, 3]),
        np.array(3.5),
        [float("nan"), float("inf"), -float("inf")],
        {"s": {"x", "y"}, 3: [True, "text"]},
        np.array([True, False]),
        np.zeros((2, 0)),
    ],
)
def test_cases_survive_json(value: Any) -> None:
    np.testing.assert_equal(from_json(to_json(value)), value)
