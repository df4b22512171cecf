"""Courses to grade: the real unit 1, and a small one whose notebook runs in a blink."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core.assignment import Assignment, ReleasedNotebook
from descent_autograder.core.course import Course, open_course
from descent_autograder.gradebook.scores import scores
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.grading import pipeline
from descent_autograder.grading.options import Options, Summary
from descent_autograder.publishing.release import release

REPOSITORY = Path(__file__).parents[2]
SMALL = "20-small"
QUICK = {"cell_seconds": 4.0, "notebook_seconds": 20.0}

Notebook = dict[str, Any]


def _cell(kind: str, cell_id: str, source: str, **nbgrader: Any) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": cell_id, "metadata": {}, "source": source}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    if nbgrader:
        known = {"grade": False, "solution": False, "locked": False, "task": False}
        known |= {"schema_version": 3, "grade_id": cell_id, **nbgrader}
        cell["metadata"]["nbgrader"] = known
    return cell


def small_source() -> Notebook:
    """The source of a unit with an ordinary assert, a check, an essay and locked cells."""
    answer = "    ### BEGIN SOLUTION\n    return 2 * x\n    ### END SOLUTION"
    error = (
        "    ### BEGIN SOLUTION\n    a, b = np.atleast_1d(a, b)\n"
        "    larger = np.maximum(abs(a), abs(b))\n"
        "    return abs(a - b) / np.where(larger == 0, 1, larger)\n    ### END SOLUTION"
    )
    return {
        "cells": [
            _cell("markdown", "title", "# Small", locked=True),
            _cell("code", "setup", "import numpy as np\nfrom descent import check", locked=True),
            _cell("code", "double_answer", f"def double(x):\n{answer}", solution=True),
            _cell("code", "double", "assert double(2) == 4", grade=True, locked=True, points=2),
            _cell(
                "code",
                "relative_error_answer",
                f"def relative_error(a, b):\n{error}",
                solution=True,
            ),
            _cell(
                "code",
                "relative_error",
                'check("relative_error", relative_error, points=3)',
                grade=True,
                locked=True,
                points=3,
            ),
            _cell("markdown", "essay", "Because.", grade=True, solution=True, points=5),
        ],
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def by_id(notebook: Notebook, grade_id: str) -> dict[str, Any]:
    """The cell of that nbgrader id."""
    return next(
        cell
        for cell in notebook["cells"]
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def solved(source: Notebook, released: Notebook) -> Notebook:
    """The release with the answers of the source."""
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        known = cell["metadata"].get("nbgrader", {})
        if known.get("solution"):
            cell["source"] = by_id(source, known["grade_id"])["source"]
    return notebook


def write(course: Course, unit: str, student: str, notebook: Notebook | bytes) -> Path:
    """Hand in a notebook for a student; return its path."""
    folder = course.path("submitted", student, unit)
    folder.mkdir(parents=True, exist_ok=True)
    name = next(course.path("release", ".", unit).glob("*.ipynb")).name
    raw = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    (folder / name).write_bytes(raw)
    return folder / name


def altered(notebook: Notebook, **answers: str) -> Notebook:
    """The notebook with other sources in the cells of these nbgrader ids."""
    changed = copy.deepcopy(notebook)
    for name, source in answers.items():
        by_id(changed, name)["source"] = source
    return changed


def grade(course: Course, unit: str, **options: Any) -> Summary:
    """Grade a unit on one worker, in silence."""
    options = {"jobs": 1, "limits": QUICK, **options}
    return pipeline.grade(Assignment(course, unit), Options(**options), say=lambda message: None)


def scores_of(course: Course, unit: str) -> dict[str, dict[str, Any]]:
    """All scores in the gradebook."""
    gradebook = SharedGradebook(course.db_url, course.course_id)
    try:
        return scores(gradebook, unit)
    finally:
        gradebook.close()


def _template(folder: Path, unit: str) -> Path:
    shutil.copyfile(
        REPOSITORY / "assignments" / "nbgrader_config.py", folder / "nbgrader_config.py"
    )
    release(open_course(folder), [unit])
    return folder


@pytest.fixture(scope="session")
def small_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with the small unit, released."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "source" / SMALL).mkdir(parents=True)
    (folder / "source" / SMALL / "small.ipynb").write_text(json.dumps(small_source()))
    return _template(folder, SMALL)


@pytest.fixture(scope="session")
def unit1_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with the real unit 1, released."""
    folder = tmp_path_factory.mktemp("unit1")
    unit = "01-gradient-checks"
    shutil.copytree(REPOSITORY / "assignments" / "source" / unit, folder / "source" / unit)
    return _template(folder, unit)


@pytest.fixture
def small(small_template: Path, tmp_path: Path) -> Course:
    """A fresh copy of the course with the small unit."""
    return open_course(shutil.copytree(small_template, tmp_path / "course"))


@pytest.fixture
def unit1(unit1_template: Path, tmp_path: Path) -> Course:
    """A fresh copy of the course with unit 1."""
    return open_course(shutil.copytree(unit1_template, tmp_path / "course"))


@pytest.fixture(scope="session")
def small_release(small_template: Path) -> Notebook:
    """The small unit as students get it."""
    return dict(json.loads((small_template / "release" / SMALL / "small.ipynb").read_text()))


@pytest.fixture(scope="session")
def small_solved(small_release: Notebook) -> Notebook:
    """The small unit, everything right."""
    return solved(small_source(), small_release)


@pytest.fixture(scope="session")
def released(small_template: Path) -> ReleasedNotebook:
    """What was released of the small unit."""
    course = open_course(small_template)
    gradebook = SharedGradebook(course.db_url, course.course_id)
    try:
        return Assignment(course, SMALL).released(gradebook)["small"]
    finally:
        gradebook.close()


@pytest.fixture
def hand_in(small: Course) -> Callable[[str, Notebook | bytes], Path]:
    """Hands a notebook of the small unit in for a student."""
    return lambda student, notebook: write(small, SMALL, student, notebook)


@pytest.fixture
def a_class(
    small: Course,
    hand_in: Callable[[str, Notebook | bytes], Path],
    small_release: Notebook,
    small_solved: Notebook,
) -> Course:
    """A small class, honest and otherwise, not yet graded."""
    hand_in("ada", small_solved)
    hand_in("ben", small_release)
    hand_in(
        "chi",
        altered(
            small_solved,
            relative_error_answer="def relative_error(a, b):\n    return abs(a - b)",
            essay="I think so.",
        ),
    )
    hand_in("dan", b'{"cells": [')
    hand_in("eve", altered(small_solved, double_answer="while True:\n    pass"))
    hand_in("fay", altered(small_solved, double_answer="import os\nos._exit(3)"))
    return small


def local_cluster(workers: int) -> Any:
    """A Dask cluster of processes of one thread each, with a dashboard in nobody's way."""
    distributed = pytest.importorskip("distributed")
    return distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0"
    )


@pytest.fixture(scope="session")
def tools() -> Any:
    """The helpers above, for the tests of the rooms."""
    from types import SimpleNamespace

    return SimpleNamespace(
        QUICK=QUICK,
        SMALL=SMALL,
        REPOSITORY=REPOSITORY,
        altered=altered,
        by_id=by_id,
        grade=grade,
        local_cluster=local_cluster,
        scores_of=scores_of,
        small_source=small_source,
        solved=solved,
        write=write,
        cell=_cell,
    )
