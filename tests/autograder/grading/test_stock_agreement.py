"""Honest submissions come out of stock nbgrader and of our grader alike."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course, open_course
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.grading import pipeline
from descent_autograder.grading.options import Options

pytestmark = [pytest.mark.sandbox, pytest.mark.jupyter, pytest.mark.timeout(900)]

WARNING = """\
def relative_error(a, b):
    a, b = np.atleast_1d(a, b)
    error = abs(a - b) / np.maximum(abs(a), abs(b))
    error[(a == 0) & (b == 0)] = 0
    return error
"""
STUDENTS = ("blank", "half", "right", "warning", "wrong")


def _nbgrader(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    scripts = str(Path(sys.executable).parent)
    path = scripts + os.pathsep + os.environ["PATH"]
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments],
        cwd=folder,
        env={**os.environ, "PATH": path, "JUPYTER_CONFIG_DIR": str(folder / ".jupyter")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def _class(course: Course, tools: Any, released: Any, right: Any) -> None:
    wrong, warning, half = (copy.deepcopy(right) for _ in range(3))
    tools.by_id(wrong, "double_answer")["source"] = "def double(x):\n    return x + 3"
    tools.by_id(wrong, "relative_error_answer")["source"] = (
        "def relative_error(a, b):\n    return abs(a - b)"
    )
    tools.by_id(warning, "relative_error_answer")["source"] = WARNING
    tools.by_id(half, "relative_error_answer")["source"] = tools.by_id(
        released, "relative_error_answer"
    )["source"]
    tools.by_id(half, "essay")["source"] = "Half an answer."
    for name, notebook in zip(STUDENTS, (released, half, right, warning, wrong), strict=True):
        path = tools.write(course, tools.SMALL, name, notebook)
        (path.parent / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC\n")


def _gradebook(course: Course, unit: str) -> dict[str, Any]:
    gradebook = SharedGradebook(course.db_url, course.course_id)
    try:
        return {
            submission.student_id: {
                "timestamp": str(submission.timestamp),
                "grades": {
                    grade.name: (grade.auto_score, grade.manual_score, grade.needs_manual_grade)
                    for notebook in submission.notebooks
                    for grade in notebook.grades
                },
                "comments": {
                    comment.name: comment.comment
                    for notebook in submission.notebooks
                    for comment in notebook.comments
                },
            }
            for submission in gradebook.find_assignment(unit).submissions
        }
    finally:
        gradebook.close()


def _scores(gradebook: dict[str, Any]) -> dict[str, float]:
    return {n: sum(g[0] or 0 for g in row["grades"].values()) for n, row in gradebook.items()}


def _tree(folder: Path) -> list[tuple[str, int]]:
    return sorted(
        (str(path.relative_to(folder)), path.stat().st_mode)
        for path in folder.rglob("*")
        if path.is_file()
    )


def _comparable(path: Path) -> Any:
    """A graded notebook without what differs between any two runs: times and error addresses."""
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)
    return notebook


@pytest.fixture
def both(small_template: Path, tmp_path: Path, tools: Any, small_release: Any, small_solved: Any):
    """The same class graded by stock nbgrader, without our configuration, and by us."""
    stock = tmp_path / "stock"
    shutil.copytree(small_template, stock)
    course = open_course(shutil.copytree(small_template, tmp_path / "ours"))
    (stock / "gradebook.db").unlink()
    (stock / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "descent"\n'
    )
    _class(course, tools, small_release, small_solved)
    shutil.copytree(course.step("submitted"), stock / "submitted")
    made = _nbgrader(stock, "generate_assignment", tools.SMALL, "--force")
    assert made.returncode == 0, made.stderr
    graded = _nbgrader(stock, "autograde", tools.SMALL)
    assert graded.returncode == 0, graded.stderr
    pipeline.grade(Assignment(course, tools.SMALL), Options())
    return open_course(stock), course


def test_stock_nbgrader_gives_the_same_grades_comments_tree_and_notebooks(
    both: tuple[Course, Course], tools: Any
) -> None:
    stock, ours = both
    expected = _gradebook(stock, tools.SMALL)
    assert _gradebook(ours, tools.SMALL) == expected
    scores = {
        name: sum(g[0] or 0 for g in row["grades"].values()) for name, row in expected.items()
    }
    assert scores == {"blank": 0, "half": 2, "right": 5, "warning": 5, "wrong": 0}
    assert _tree(ours.step("autograded")) == _tree(stock.step("autograded"))
    for name in STUDENTS:
        mine, theirs = (
            _comparable(c.path("autograded", name, tools.SMALL) / "small.ipynb")
            for c in (ours, stock)
        )
        assert mine["metadata"] == theirs["metadata"]
        for a, b in zip(mine["cells"], theirs["cells"], strict=True):
            assert {k: a[k] for k in a if k != "outputs"} == {k: b[k] for k in b if k != "outputs"}
            known = a["metadata"].get("nbgrader", {})
            if not known.get("grade"):
                assert a.get("outputs") == b.get("outputs")
            else:
                kinds = [[o["output_type"] for o in cell.get("outputs", [])] for cell in (a, b)]
                assert kinds[0] == kinds[1]

    # What nbgrader writes from the tree agrees as well.
    for course in both:
        feedback = _nbgrader(course.root, "generate_feedback", tools.SMALL)
        assert feedback.returncode == 0, feedback.stderr
    assert [n for n, _ in _tree(ours.step("feedback"))] == [
        n for n, _ in _tree(stock.step("feedback"))
    ]
    for course in both:
        exported = _nbgrader(course.root, "export")
        assert exported.returncode == 0, exported.stderr
    rows = [sorted((c.root / "grades.csv").read_text().splitlines()) for c in both]
    assert rows[0] == rows[1]


def test_plain_nbgrader_uses_our_wall_and_verdicts(
    small: Course, tools: Any, small_release: Any, small_solved: Any
) -> None:
    _class(small, tools, small_release, small_solved)
    hostile = copy.deepcopy(small_release)
    hostile["cells"].insert(
        2,
        tools.cell(
            "code", "attack", "def check(*a, **k):\n    return 3.0\nimport os\nos.getppid()"
        ),
    )
    tools.write(small, tools.SMALL, "hostile", hostile)
    tools.write(small, tools.SMALL, "broken", b'{"cells": [')
    copied = copy.deepcopy(small_solved)
    copied["cells"].insert(4, copy.deepcopy(tools.by_id(copied, "double")))
    tools.write(small, tools.SMALL, "copied", copied)
    run = _nbgrader(small.root, "autograde", tools.SMALL)
    assert run.returncode == 0, run.stderr
    plain = _gradebook(small, tools.SMALL)
    scores = _scores(plain)
    assert scores == {
        "blank": 0,
        "broken": 0,
        "copied": 5,
        "half": 2,
        "hostile": 0,
        "right": 5,
        "warning": 5,
        "wrong": 0,
    }
    assert all(needs for _, _, needs in plain["broken"]["grades"].values())
    graded = {n: small.path("autograded", n, tools.SMALL) / "small.ipynb" for n in STUDENTS}
    before = {name: path.read_bytes() for name, path in graded.items()}
    pipeline.grade(Assignment(small, tools.SMALL), Options())
    assert _gradebook(small, tools.SMALL) == plain
    assert {name: path.read_bytes() for name, path in graded.items()} == before


def test_validate_agrees_with_and_without_our_configuration(
    small: Course, tools: Any, small_release: Any, small_solved: Any, tmp_path: Path
) -> None:
    _class(small, tools, small_release, small_solved)
    stock = tmp_path / "elsewhere"
    stock.mkdir()
    said: dict[str, list[str]] = {}
    for name in ("blank", "right", "warning", "wrong"):
        source = small.path("submitted", name, tools.SMALL) / "small.ipynb"
        shutil.copyfile(source, stock / f"{name}.ipynb")
        for folder, path in ((small.root, str(source)), (stock, f"{name}.ipynb")):
            run = _nbgrader(folder, "validate", path)
            assert run.returncode == 0, run.stderr
            verdict = "Success" if "Success! Your notebook passes" in run.stdout else "failed"
            if verdict == "failed":
                verdict = run.stdout.split("CELL(S)")[0].split()[-1]
            said.setdefault(name, []).append(verdict)
    assert said == {
        "blank": ["3", "3"],  # the essay is unanswered too
        "right": ["Success", "Success"],
        "warning": ["Success", "Success"],
        "wrong": ["2", "2"],
    }
