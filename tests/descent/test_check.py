"""`check`, as a student and as a grader meet it."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import numpy as np
import pytest
from descent import _check, check


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_check, "_latest", {})
    monkeypatch.delenv("NBGRADER_EXECUTION", raising=False)


@pytest.fixture
def _grading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")


def right(pre_plus: Any, pre_minus: Any) -> Any:
    print("thinking")
    print("hmm", file=sys.stderr)
    warnings.warn("careful", RuntimeWarning, stacklevel=1)
    return (pre_plus > 0) != (pre_minus > 0)


def wrong(pre_plus: Any, pre_minus: Any) -> Any:
    return pre_plus * pre_minus < 0


def blank(*_: Any) -> Any:
    raise NotImplementedError


def half(W: Any, X: Any, y: Any, reg: float) -> Any:
    loss = np.float64(0.0)
    scores = X @ W
    for row, label in zip(scores, y, strict=True):
        loss += np.log(np.sum(np.exp(row - row.max()))) - (row[label] - row.max())
    return loss / len(y) + reg / 2 * np.sum(W * W), W


def test_a_person_is_never_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    for answer in (right, wrong, blank, None):
        assert check("crossed_kinks", answer, points=2) is None
    assert check("crossed_kink", right) is None
    assert check("crossed_kinks") is None
    shown = capsys.readouterr().out
    assert "right. 2 of 2 points" in shown
    assert "not right yet. 0 of 2 points" in shown
    assert "Nothing has been written here so far" in shown
    assert "Did you mean crossed_kinks" in shown


def test_what_the_function_prints_goes_into_the_report(capsys: pytest.CaptureFixture[str]) -> None:
    check("crossed_kinks", right)
    captured = capsys.readouterr()
    assert captured.err == ""
    for words in ("Your code printed:", "thinking", "hmm", "RuntimeWarning: careful"):
        assert words in captured.out


@pytest.mark.usefixtures("_grading")
def test_what_is_optional_may_be_left_out() -> None:
    assert check("crossed_kinks", blank, points=0) is None
    with pytest.raises(AssertionError):
        check("crossed_kinks", wrong, points=0)


@pytest.mark.usefixtures("_grading")
def test_a_grader_gets_an_error_a_number_or_nothing() -> None:
    assert check("crossed_kinks", right, points=2) is None
    value = check("softmax_loss", half, points=4)
    assert type(value) is float
    assert value == 2.0
    with pytest.raises(AssertionError, match="not right yet"):
        check("crossed_kinks", wrong, points=2)
    with pytest.raises(AssertionError, match="not yet"):
        check("crossed_kinks", blank, points=2)
    with pytest.raises(AssertionError, match="no question called"):
        check("no such question", right)


def test_an_earlier_task_that_is_wrong_is_pointed_at(capsys: pytest.CaptureFixture[str]) -> None:
    def central_difference(f: Any, x: Any, h: float = 1e-5) -> Any:
        return (f(x + h) - f(x - h)) / 2 * h

    def best_step(f: Any, df: Any, x: Any, steps: Any) -> Any:
        return min(steps, key=lambda h: abs(central_difference(f, x, h) - df(x)))

    def by_itself(f: Any, df: Any, x: Any, steps: Any) -> Any:
        return steps[0]

    check("best_step", best_step)
    assert "mend that one first" not in capsys.readouterr().out
    check("central_difference", central_difference)
    check("best_step", by_itself)
    assert "mend that one first" not in capsys.readouterr().out
    check("best_step", best_step)
    said = "calls your `central_difference`, and central_difference isn't right yet"
    assert said in capsys.readouterr().out


def test_the_summary_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    check()
    assert "Nothing has been checked" in capsys.readouterr().out
    check("crossed_kinks", right, points=2)
    check("winner_changed", blank, points=3)
    check("softmax_loss", half, points=4)
    capsys.readouterr()
    check()
    said = capsys.readouterr().out
    assert "4 of 9 points in 3 checks" in said
    assert "partly right" in said
