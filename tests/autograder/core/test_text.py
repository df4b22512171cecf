"""What students chose is shown in short, printable and harmless words."""

from __future__ import annotations

import pytest
from descent_autograder.core.text import few, listed, printable, remembering, shown, told


def test_an_error_is_told_in_one_short_printable_line() -> None:
    assert told(ValueError("\x1b[31m\ud800\nx")) == "ValueError: ·[31m· x"
    assert told(ValueError()) == "ValueError"
    assert len(told(ValueError("x" * 10**6))) == 300


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("helper.py", "“helper.py”"),
        ("<b>`x`|*$</b>", "“·b··x·····/b·”"),
        ("\x1b[2J\n", "“··2J·”"),
        ("x" * 100, "“" + "x" * 59 + "…”"),
    ],
)
def test_a_name_is_shown_without_what_anything_obeys(name: str, words: str) -> None:
    assert shown(name) == words


def test_a_text_is_made_printable() -> None:
    assert printable("é\x1b[0m\u202e") == "é·[0m·"


def test_of_many_remarks_the_first_hundred_are_said() -> None:
    assert few(["a"] * 100) == ["a"] * 100
    assert few(["a"] * 103)[100:] == ["And 3 more remarks like these."]


def test_names_are_listed_as_in_a_sentence() -> None:
    assert [listed(["a", "b", "c"][:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]


def test_what_is_remembered_isnt_made_again_unless_it_is_huge() -> None:
    made: list[int] = []

    @remembering
    def upper(text: str) -> str:
        made.append(len(text))
        return text.upper()

    for size in (3, 30_000, 300_000):
        assert upper("a" * size) == upper("a" * size) == "A" * size
    assert made == [3, 30_000, 300_000, 300_000]
