"""What a cell binds, and which cells are tests."""

from __future__ import annotations

from typing import Any

import pytest
from descent_autograder.core.cells import about, bound, is_test, source_of


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(a):\n    b = 1\nclass C:\n    d = 2\nasync def g(): pass", {"f", "C", "g"}),
        (
            "import numpy.testing, os as system\nfrom math import pi as p, e",
            {"numpy", "system", "p", "e"},
        ),
        ("a = b, (c, *d) = 1, (2, 3)\ne: int = 1\nf += 1\ng.h = i[0] = 1", set("abcdef")),
        ("for a in x:\n    if a:\n        def b(): c = 1\nelse:\n    d = 1", {"a", "b", "d"}),
        ("with x as (a, b):\n    c = 1\ntry:\n    pass\nexcept E as d:\n    e = 1", set("abcde")),
        ("print([a for a in x], {b: c for b, c in x}, all(d for d in x))", set()),
        ("print([(a := b) for b in x])\nprint(c := 1)\nlambda d: (e := d)", {"a", "c"}),
        ("match x:\n    case [a, *b] | {'k': a, **c}:\n        pass", {"a", "b", "c"}),
        ("%matplotlib inline\n!ls\na = 1", {"a"}),
        ("from numpy import *", set()),
        ("a = (", set()),
    ],
)
def test_a_cell_binds_what_it_binds_at_its_top(source: str, names: set[str]) -> None:
    assert bound(source) == names


@pytest.mark.parametrize(
    ("known", "test"),
    [
        ({"grade": True, "solution": False}, True),
        ({"grade": True, "solution": True}, False),
        ({"grade": False}, False),
        (None, False),
        ("grade", False),
    ],
)
def test_a_test_is_graded_and_no_answer(known: Any, test: bool) -> None:
    assert is_test({"metadata": {"nbgrader": known}}) is test


@pytest.mark.parametrize("cell", [{}, {"metadata": None}, {"metadata": []}])
def test_a_cell_that_nbgrader_doesnt_know_is_no_test(cell: dict[str, Any]) -> None:
    assert about(cell) == {}
    assert not is_test(cell)


def test_a_source_is_one_string() -> None:
    assert source_of({"source": ["a\n", "b"]}) == source_of({"source": "a\nb"}) == "a\nb"
