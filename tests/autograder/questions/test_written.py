"""Mistakes written as text say what they mean, or why they can't be read."""

from __future__ import annotations

import pytest
from descent_autograder.questions.editing import Edit
from descent_autograder.questions.written import accepted, sentences, written


def same(functions: object) -> object:
    return functions


def test_a_passage_has_edits_a_sentence_and_what_to_try() -> None:
    one, other = written("""
        mu-fixed: v = 0.0  →  mu = 0.9⏎    v = 0.0
            It looks as if mu is always 0.9.
            Try: Use the argument `mu`.
        ema: - rate * dw  →  + (1 - mu) * dw
            w + v  ⇒  w - rate * v
            It looks as if the velocity is an average. Try: Let the push
            come in whole.
    """)
    assert one.id == "mu-fixed"
    assert one.edits == (Edit("v = 0.0", "mu = 0.9\n    v = 0.0"),)
    assert (one.says, one.hint) == (
        "It looks as if mu is always 0.9.",
        "Use the argument `mu`.",
    )
    assert other.edits == (
        Edit("- rate * dw", "+ (1 - mu) * dw"),
        Edit("w + v", "w - rate * v", everywhere=True),
    )
    assert other.hint == "Let the push come in whole."


def test_an_edit_may_delete_and_go_on_in_the_next_line() -> None:
    (one,) = written("""
        long: x = first(a, b)
              →  x = second(a, b)
            gone  →
            It looks long.
    """)
    assert one.edits == (Edit("x = first(a, b)", "x = second(a, b)"), Edit("gone", ""))


def test_sentences_are_shared_and_wrappers_go_by_id() -> None:
    shared = sentences("""
        lost:
            It looks lost. Try: Search.
    """)
    assert shared == {"lost": ("It looks lost.", "Search.")}
    (one,) = written("lost:", said=shared, wrap={"lost": same})
    assert (one.says, one.hint, one.wrap) == ("It looks lost.", "Search.", same)
    (free,) = accepted("other: a  →  b")
    assert free.edits == (Edit("a", "b"),)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: x  →  y", "a: no sentence"),
        ("no name here", "«no name here» belongs to no name"),
        ("a: x  →  y  →  z\n    Looks.", "has two arrows"),
        ("a:\n    It looks as if nothing was changed.", "a: needs an edit, or a wrapper"),
    ],
)
def test_what_cant_be_read_is_said(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        written(text)


def test_a_wrapper_for_nobody_is_an_error() -> None:
    with pytest.raises(ValueError, match="nothing called typo"):
        written("a: x  →  y\n    Looks.", wrap={"typo": same})
    with pytest.raises(ValueError, match="a: a sentence is wanted here, and no edit"):
        sentences("a: x  →  y\n    Looks.")
