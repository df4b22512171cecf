"""`descent verify` is green, and turns red when something is broken."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from descent_autograder.questions import catalogue
from descent_autograder.questions.catalogue import entries, entry
from descent_autograder.questions.entry import Mistake
from descent_autograder.questions.verify import main, verify


@pytest.mark.parametrize("question_id", list(entries()))
def test_the_grader_is_right_about_what_it_knows(question_id: str) -> None:
    known = entry(question_id)
    # Where there are many mistakes, each exam tells much: one fresh exam is enough here.
    seeds = (11,) if len(known.mistakes) > 10 else (11, 12)
    assert verify(known, seeds).problems == []


def _problems(**changes: Any) -> str:
    return "\n".join(verify(dataclasses.replace(entry("crossed_kinks"), **changes), (1,)).problems)


def _made_otherwise(mistake_id: str, **how: Any) -> tuple[Mistake, ...]:
    """The mistakes of crossed_kinks, one of them made in another way."""
    known = entry("crossed_kinks")
    old = known.mistake(mistake_id)
    new = Mistake(old.id, old.says, old.hint, **how)
    return tuple(new if mistake is old else mistake for mistake in known.mistakes)


def test_a_wrong_reference_is_found() -> None:
    # Without its mistakes: their edits are of the right reference's text.
    wrong = {"reference": lambda p, m: (p >= 0) != (m > 0), "mistakes": (), "reason": "a test"}
    assert "the reference is rejected" in _problems(**wrong)


def test_a_mistake_that_passes_is_found() -> None:
    mistakes = _made_otherwise("product", wrap=lambda right: right)
    assert "product passes" in _problems(mistakes=mistakes)


def test_a_mistake_that_looks_like_another_is_found() -> None:
    mistakes = _made_otherwise("product", edits=entry("crossed_kinks").mistake("sign").edits)
    assert "product is named as sign" in _problems(mistakes=mistakes)


def test_a_rejected_variant_is_found() -> None:
    assert "variant «zeros» is rejected" in _problems(
        variants={"zeros": lambda p, m: np.zeros(np.shape(p), bool)}
    )


def test_too_few_mistakes_need_a_reason() -> None:
    mistakes = entry("crossed_kinks").mistakes[:2]
    assert "no reason given" in _problems(mistakes=mistakes)
    assert "no reason given" not in _problems(mistakes=mistakes, reason="there are only two ways")


def test_the_command_fails_when_anything_is_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = dataclasses.replace(
        entry("crossed_kinks"), reference=lambda p, m: p > 0, mistakes=(), reason="a test"
    )
    monkeypatch.setattr(
        "descent_autograder.questions.verify.entries", lambda: {"crossed_kinks": broken}
    )
    assert main() == 1
    assert "the reference is rejected" in capsys.readouterr().out
    monkeypatch.undo()
    assert main(["no_such_unit"]) == 1


def test_fresh_exams_repeat_for_a_seed_and_differ_between_seeds() -> None:
    for question_id in list(entries())[:6]:
        one, same, other = (
            catalogue.exam(question_id, seed).cases for seed in (b"abc", b"abc", b"abd")
        )
        np.testing.assert_equal(one, same)
        assert any(not _equal(a, b) for a, b in zip(one, other, strict=True))


def _equal(a: Any, b: Any) -> bool:
    try:
        np.testing.assert_equal(a, b)
    except AssertionError:
        return False
    return True
