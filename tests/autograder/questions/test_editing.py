"""Faulty versions of a reference: edits find their place or say why not, and combine."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from descent_autograder.questions.editing import Edit, EditError, OverlapError, SourceText
from hypothesis import given
from hypothesis import strategies as st

SOURCE = '''
def _half(x):
    """Half of x."""
    return x / 2


def unused(x):
    return _half(x)


def step(w, g, *, rate, memory=[]):
    """w minus rate times g, and rate * g is never doubled here."""
    v = rate * g
    memory.append(v)
    return w - v, _half(v), len(memory)
'''


@pytest.fixture(scope="module")
def step(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    path = tmp_path_factory.mktemp("reference") / "edited_reference.py"
    path.write_text(SOURCE)
    module = types.ModuleType("edited_reference")
    sys.modules[module.__name__] = module
    exec(compile(SOURCE, str(path), "exec"), vars(module))
    yield module.step
    del sys.modules[module.__name__]


@pytest.fixture(scope="module")
def text(step: Callable[..., Any]) -> SourceText:
    return SourceText([step])


def made(text: SourceText, *edits: Edit) -> Any:
    (function,) = text.functions(edits)
    return function(3.0, 2.0, rate=0.5)


def test_the_text_has_the_helpers_it_uses_and_no_docstrings(text: SourceText) -> None:
    assert "def _half(x):" in text.text
    assert "def unused" not in text.text
    assert "Half of x" not in text.text
    assert "doubled" not in text.text
    assert made(text) == (2.0, 0.5, 1)


def test_an_edit_changes_the_function_and_the_helpers(text: SourceText) -> None:
    assert made(text, Edit("w - v", "w + v"))[0] == 4.0
    assert made(text, Edit("x / 2", "x / 4"))[1] == 0.25


def test_further_lines_take_the_indentation_of_their_place(text: SourceText) -> None:
    edit = Edit("return w", "if rate < 1:\n    v = 0.0\nreturn w")
    assert made(text, edit)[:2] == (3.0, 0.0)


def test_a_line_break_matches_whatever_indentation_follows(text: SourceText) -> None:
    assert made(text, Edit("v = rate * g\nmemory", "v = g\nmemory"))[0] == 1.0


@pytest.mark.parametrize(
    ("old", "why"),
    [
        ("w * v", "isn't there"),
        ("v", "stands there 4 times"),
        ("rat", "isn't there"),
        ("doubled", "isn't there"),
    ],
)
def test_an_edit_that_does_not_fit_says_why(text: SourceText, old: str, why: str) -> None:
    with pytest.raises(EditError, match=f"«.*» {why} in the text of step"):
        text.functions([Edit(old, "1")])


def test_an_edit_that_makes_no_python_says_so(text: SourceText) -> None:
    with pytest.raises(EditError, match=r"«w - v» → «w - » makes no Python"):
        text.functions([Edit("w - v", "w - ")])


def test_everywhere_is_everywhere(text: SourceText) -> None:
    assert text.edited([Edit("v", "u", everywhere=True)]).count("u") > 4
    assert made(text, Edit("v", "u", everywhere=True)) == (2.0, 0.5, 1)


def test_edits_of_one_expression_combine_where_their_words_differ(text: SourceText) -> None:
    one, other = Edit("rate * g", "rate**2 * g"), Edit("rate * g", "rate * g * 3")
    assert made(text, one, other)[0] == 3.0 - 0.25 * 2 * 3


def test_edits_of_one_word_overlap(text: SourceText) -> None:
    with pytest.raises(OverlapError, match="two edits change «-»"):
        text.functions([Edit("w - v", "w + v"), Edit("w - v", "w / v")])


def test_each_version_has_its_own_defaults(text: SourceText) -> None:
    (first,), (second,) = text.functions(()), text.functions(())
    assert first(1.0, 1.0, rate=1.0)[2] == 1
    assert first(1.0, 1.0, rate=1.0)[2] == 2
    assert second(1.0, 1.0, rate=1.0)[2] == 1


words = st.lists(st.sampled_from(["w", "v", "+", "-", " ", "(", ")", "2", "rate"]), max_size=8)


@given(words)
def test_whatever_differs_a_lone_edit_writes_its_new_text(pieces: list[str]) -> None:
    """Changing only the words that differ comes to the same as replacing the whole."""

    def product(w: float, v: float) -> float:
        return w * v

    text = SourceText([product])
    new = "".join(pieces)
    expected = text.text.replace("w * v", new)
    assert text.edited([Edit("w * v", new)]) == expected
