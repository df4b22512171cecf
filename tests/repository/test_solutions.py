"""Solution regions are filled from the references, and what doesn't fit is refused by name."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from descent_autograder.publishing.canonical import find_notebooks
from descent_autograder.publishing.solution_regions import (
    Reference,
    SolutionError,
    fill,
    filled_text,
)
from nbconvert.exporters import NotebookExporter
from nbgrader.preprocessors import ClearSolutions

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "assignments" / "source"
NOTEBOOKS = list(find_notebooks([SOURCE])) if SOURCE.exists() else []

REFERENCE = '''
"""A module."""
import numpy as np
from numpy.typing import NDArray

LIMIT: float = 30.0


def _shifted(scores: NDArray) -> NDArray:
    """Scores, shifted row by row."""
    # A common offset changes nothing.
    return np.minimum(scores - scores.max(axis=1), LIMIT)


def softmax(scores: NDArray, *, axis: int = 1) -> NDArray:
    """The softmax."""
    # The shift keeps exp finite.
    powers = np.exp(_shifted(scores))

    total: NDArray = powers.sum(axis=axis)
    return powers / total


def twice(x):
    return 2 * x


def thrice(f):
    """Inner functions are annotated with names that a notebook doesn't have."""

    def inner(
        größe: NDArray, *, times: float = 3.0, **rest: dict[str, NDArray]
    ) -> tuple[NDArray, NDArray]:
        return times * größe, größe

    return lambda x: inner(f(x))


def four_times(x):
    """Twice twice."""
    return twice(twice(x))


class Standardizer:
    """Centres and scales."""

    def fit(self, X):
        """Learn."""
        self.mean = X.mean(axis=0)
        return self

    def transform(self, X):
        return X - self.mean
'''

STUB = '''def {signature}:
    """What the student reads."""
    ### BEGIN SOLUTION
    ### END SOLUTION'''


def code(text: str, solution: bool = True) -> dict[str, Any]:
    grader = {"grade": False, "grade_id": "a-task", "locked": False, "points": 0}
    grader |= {"schema_version": 3, "solution": solution, "task": False}
    return {
        "cell_type": "code",
        "id": "a",
        "metadata": {"nbgrader": grader} if solution else {},
        "source": text,
        "outputs": [],
        "execution_count": None,
    }


def filled(*cells: dict[str, Any], imports: str = "import numpy as np") -> list[str]:
    notebook = {"cells": [code(imports, solution=False), *cells], "metadata": {}}
    notebook |= {"nbformat": 4, "nbformat_minor": 5}
    done = fill(notebook, Reference.parse("reference", REFERENCE))
    return [cell["source"] for cell in done["cells"][1:]]


def test_body_is_filled_with_its_comments_and_helpers() -> None:
    (text,) = filled(code(STUB.format(signature="softmax(scores, *, axis=1)")))
    assert (
        text
        == '''def softmax(scores, *, axis=1):
    """What the student reads."""
    ### BEGIN SOLUTION
    LIMIT = 30.0

    def _shifted(scores):
        # A common offset changes nothing.
        return np.minimum(scores - scores.max(axis=1), LIMIT)

    # The shift keeps exp finite.
    powers = np.exp(_shifted(scores))

    total: NDArray = powers.sum(axis=axis)
    return powers / total
    ### END SOLUTION'''
    )


def test_filled_text_is_formatted() -> None:
    (text,) = filled(code(STUB.format(signature="softmax(scores, *, axis=1)")))
    command = [sys.executable, "-m", "ruff", "format", "--line-length", "100", "-"]
    done = subprocess.run(command, input=text + "\n", capture_output=True, text=True, check=True)
    assert done.stdout == text + "\n"


def test_filling_again_changes_nothing() -> None:
    once = filled(code(STUB.format(signature="softmax(scores, *, axis=1)")))
    assert filled(code(once[0])) == once


def test_an_own_earlier_function_is_called_not_copied() -> None:
    cells = [code(STUB.format(signature=f"{name}(x)")) for name in ("twice", "four_times")]
    assert "def twice" not in filled(*cells)[1]
    (alone,) = filled(cells[1])
    assert "    def twice(x):" in alone


def test_annotations_of_inner_functions_are_left_out() -> None:
    (text,) = filled(code(STUB.format(signature="thrice(f)")))
    assert "def inner(größe, *, times=3.0, **rest):" in text
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    assert namespace["thrice"](abs)(-2.0) == (6.0, 2.0)


def test_methods_and_pairs_are_filled_in_one_cell() -> None:
    method = (
        "    def {}(self, X):\n        ### BEGIN SOLUTION\n        old\n        ### END SOLUTION\n"
    )
    both = "class Standardizer:\n" + method.format("fit") + "\n" + method.format("transform")
    (text,) = filled(code(both))
    namespace: dict[str, Any] = {}
    exec(text, namespace)
    assert "self.mean = X.mean(axis=0)" in text
    assert "return X - self.mean" in text
    assert "old" not in text


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (STUB.format(signature="softmax(scores)"), "the stub is softmax"),
        (STUB.format(signature="nowhere(x)"), "has no function nowhere"),
        (STUB.format(signature="twice(x)") + "\n    return x", "all that follows the docstring"),
        ("### BEGIN SOLUTION\nx = 1\n### END SOLUTION", "stands in no function"),
        ("def twice(x):\n    ### BEGIN SOLUTION\n    return x", "has regions|isn't closed"),
        ("def twice(x):\n    return x", "has regions"),
    ],
)
def test_what_does_not_fit_is_refused(text: str, sentence: str) -> None:
    with pytest.raises(SolutionError, match=sentence) as refused:
        filled(code(text))
    assert "cell a-task" in str(refused.value)


def test_a_missing_import_is_named() -> None:
    with pytest.raises(SolutionError, match="needs `import numpy as np`"):
        filled(code(STUB.format(signature="softmax(scores, *, axis=1)")), imports="import math")


def test_a_region_outside_a_solution_cell_is_refused() -> None:
    cell = code(STUB.format(signature="twice(x)"), solution=False)
    with pytest.raises(SolutionError, match="and only that"):
        filled(cell)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_regions_are_fresh(path: Path) -> None:
    assert filled_text(path) == path.read_text(encoding="utf-8"), "make refresh fills them"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_nbgrader_leaves_empty_stubs(path: Path) -> None:
    exporter = NotebookExporter(preprocessors=[ClearSolutions], config=None)
    released, _ = exporter.from_notebook_node(nbformat.read(path, as_version=4))
    for cell in json.loads(released)["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] != "code" or not cell["metadata"].get("nbgrader", {}).get("solution"):
            continue
        functions = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)
        ]
        assert functions, text
        for function in functions:
            assert "raise NotImplementedError()" in ast.unparse(function), text
            assert len(function.body) <= 2, text
