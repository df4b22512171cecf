"""Which test cells can be judged outside the student's process."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.publishing.grade_cells import notebook_problems, problems


@pytest.mark.parametrize(
    "source",
    [
        'check("central_difference", central_difference, points=3)',
        "import numpy as np\nfrom numpy.testing import assert_allclose\nassert_allclose(f(2), 4)",
        "for x in range(3):\n    assert f(x) == 2 * x",
        "def g(x):\n    return x\nassert f(g) == 1",
        "try:\n    f(-1)\nexcept ValueError:\n    pass\nelse:\n    raise AssertionError",
        "score = sum(f(i) == i for i in range(4))\nscore / 2",
    ],
)
def test_reading_names_and_calling_functions_is_fine(source: str) -> None:
    assert problems(source) == []


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import inspect\nassert 'for' not in inspect.getsource(f)", "imports inspect"),
        ("from ast import parse\nparse('1')", "imports ast"),
        ("assert 'f' in globals()", "globals()"),
        ("get_ipython().run_cell('1')", "get_ipython()"),
        ("assert 'np.dot' not in In[3]", "reads In"),
        ("assert f.__code__.co_argcount == 2", "__code__"),
        ("%timeit f(2)", "magic"),
        ("!ls", "magic"),
        ("del f", "deletes"),
        ("f.calls = 0\nf(1)", "attribute of f"),
        ("assert f(", "can't be parsed"),
    ],
)
def test_what_needs_the_students_session_is_named(source: str, reason: str) -> None:
    assert any(reason in problem for problem in problems(source))


def _write(path: Path, cells: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    return path


def test_names_that_a_test_leaves_for_later_cells_are_found(tmp_path: Path, tools: Any) -> None:
    path = _write(
        tmp_path / "n.ipynb",
        [
            tools.cell("code", "t", "data = [1, 2]\nassert f(data)", grade=True, points=1),
            tools.cell("code", "s", "g = sum(data)", solution=True),
        ],
    )
    assert notebook_problems(path) == [
        "n.ipynb, cell t: it binds data, which a later cell reads; a test cell's names aren't seen "
        "by the student's cells"
    ]


def test_names_that_another_cell_binds_are_no_problem(tmp_path: Path, tools: Any) -> None:
    path = _write(
        tmp_path / "n.ipynb",
        [
            tools.cell("code", "t", "data = [1, 2]\nassert f(data)", grade=True, points=1),
            tools.cell("code", "s", "data = [3]\ng = sum(data)", solution=True),
        ],
    )
    assert notebook_problems(path) == []


def test_names_that_would_be_taken_for_the_tests_own_are_found(tmp_path: Path, tools: Any) -> None:
    answer = "### BEGIN SOLUTION\nrate = 3\n### END SOLUTION"
    cells = [
        tools.cell("code", "answer", answer, solution=True),
        tools.cell("code", "one", "rate = 1\nassert rate", grade=True, points=1),
        tools.cell("code", "two", "assert rate == 3", grade=True, points=1),
    ]
    (problem,) = notebook_problems(_write(tmp_path / "n.ipynb", cells))
    assert "cell one: it binds rate" in problem
    cells[0] = tools.cell("code", "answer", "rate = None\n" + answer, solution=True)
    assert notebook_problems(_write(tmp_path / "n.ipynb", cells)) == []


def test_every_test_cell_of_the_course_can_be_judged(tools: Any) -> None:
    notebooks = sorted((tools.REPOSITORY / "assignments" / "source").rglob("*.ipynb"))
    assert notebooks
    assert [problem for path in notebooks for problem in notebook_problems(path)] == []
