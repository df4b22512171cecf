"""Grading a class through the real wall: grades, tree, records, resuming, reports."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from descent_autograder import intake
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.core.errors import AlreadyRunning
from descent_autograder.core.staging import Tree
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.grading import class_run, pipeline
from descent_autograder.intake import admission
from descent_autograder.reports import class_report

pytestmark = pytest.mark.sandbox

HandIn = Callable[[str, Any], Path]


def test_a_class_is_graded_and_nobody_stops_the_others(a_class: Course, tools: Any) -> None:
    summary = tools.grade(a_class, tools.SMALL)
    assert sorted(summary.graded) == ["ada", "ben", "chi", "dan", "eve", "fay"]
    assert summary.failed == {}
    scores = tools.scores_of(a_class, tools.SMALL)
    assert {name: row["score"] for name, row in scores.items()} == {
        "ada": 5.0,
        "ben": 0.0,
        "chi": 2.0,
        "dan": 0.0,
        "eve": 3.0,
        "fay": 3.0,
    }
    assert scores["ben"]["by_hand"] == []  # nothing written: nbgrader gives 0 by itself
    assert scores["chi"]["by_hand"] == ["essay"]
    assert sorted(scores["dan"]["by_hand"]) == ["double", "essay", "relative_error"]
    report = class_report.build(Assignment(a_class, tools.SMALL))
    rows = {row.student: row for row in report.rows}
    assert "ends too early" in rows["dan"].refusal
    assert "abs" in str(report.mistakes) or report.mistakes["relative_error", "absolute"] == 1
    assert any("second" in remark for remark in rows["eve"].remarks)
    assert any("ended" in remark for remark in rows["fay"].remarks)


def test_the_tree_is_as_nbgrader_leaves_it(a_class: Course, tools: Any, hand_in: HandIn) -> None:
    folder = a_class.path("submitted", "ada", tools.SMALL)
    (folder / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC")
    (folder / "helper.py").write_text("x = 1")
    tools.grade(a_class, tools.SMALL, students=["ada"])
    graded = a_class.path("autograded", "ada", tools.SMALL)
    names = sorted(path.name for path in graded.iterdir())
    assert names == ["helper.py", "small.ipynb", "timestamp.txt"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o444 for path in graded.iterdir())
    assert [path.name for path in a_class.step("autograded").iterdir()] == ["ada"]


def test_grading_again_changes_nothing_and_force_gives_the_same(
    a_class: Course, tools: Any
) -> None:
    tools.grade(a_class, tools.SMALL)
    before = tools.scores_of(a_class, tools.SMALL)
    again = tools.grade(a_class, tools.SMALL)
    assert again.graded == []
    assert len(again.unchanged) == 6
    forced = tools.grade(a_class, tools.SMALL, force=True)
    assert len(forced.graded) == 6
    assert tools.scores_of(a_class, tools.SMALL) == before


def test_a_new_version_is_graded_and_the_others_left(
    a_class: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    tools.grade(a_class, tools.SMALL)
    hand_in("ben", small_solved)
    assert tools.grade(a_class, tools.SMALL).graded == ["ben"]
    assert tools.scores_of(a_class, tools.SMALL)["ben"]["score"] == 5.0


@pytest.mark.parametrize("lost", ["tree", "record", "gradebook row"])
def test_whatever_is_lost_of_a_result_is_made_again(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any, lost: str
) -> None:
    hand_in("ada", small_solved)
    tools.grade(small, tools.SMALL)
    if lost == "tree":
        shutil.rmtree(small.path("autograded", "ada", tools.SMALL))
    elif lost == "record":
        shutil.rmtree(small.journals / tools.SMALL)
    else:
        gradebook = SharedGradebook(small.db_url, small.course_id)
        gradebook.remove_student("ada")
        gradebook.close()
    assert tools.grade(small, tools.SMALL).graded == ["ada"]
    assert tools.scores_of(small, tools.SMALL)["ada"]["score"] == 5.0


def test_folders_that_cant_be_used_are_reported_and_kept_out(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    hand_in("ada", small_solved)
    hand_in("<img src=x onerror=alert(1)>", small_solved)
    (small.step("submitted") / "mal").symlink_to(small.step("submitted") / "ada")
    summary = tools.grade(small, tools.SMALL)
    assert summary.graded == ["ada"]
    assert sorted(summary.rejected) == ["<img src=x onerror=alert(1)>", "mal"]
    report = class_report.build(Assignment(small, tools.SMALL), summary.rejected)
    assert "<img" not in class_report.to_html(report)
    assert "refused" in class_report.table(report)
    assert set(tools.scores_of(small, tools.SMALL)) == {"ada"}


def test_two_runs_at_once_are_refused(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    hand_in("ada", small_solved)
    with (
        pipeline._only_run(small),
        pytest.raises(AlreadyRunning, match=str(os.getpid())),
    ):
        tools.grade(small, tools.SMALL)


def test_what_intake_doesnt_foresee_stops_nobody_else(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    mend = admission.mend

    def stumbling(raw: bytes, release: Any) -> Any:
        if b"I think so." in raw:
            raise ZeroDivisionError("unforeseen")
        return mend(raw, release)

    monkeypatch.setattr(admission, "mend", stumbling)
    assert len(tools.grade(a_class, tools.SMALL).graded) == 6
    scores = tools.scores_of(a_class, tools.SMALL)
    assert (scores["ada"]["score"], scores["chi"]["score"]) == (5.0, 0.0)
    report = class_report.build(Assignment(a_class, tools.SMALL))
    assert "ZeroDivisionError: unforeseen" in {r.student: r.refusal for r in report.rows}["chi"]


def test_what_isnt_foreseen_in_a_folder_is_a_refusal(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect = intake.collect

    def stumbling(folder: Path, *rest: Any, **more: Any) -> Any:
        if "chi" in folder.parts:
            raise OSError(errno.EIO, "Input/output error \x1b[2J\ud800")
        return collect(folder, *rest, **more)

    monkeypatch.setattr(intake, "collect", stumbling)
    summary = tools.grade(a_class, tools.SMALL)
    assert (len(summary.graded), summary.failed) == (6, {})
    scores = tools.scores_of(a_class, tools.SMALL)
    assert (scores["ada"]["score"], scores["chi"]["score"]) == (5.0, 0.0)
    report = class_report.build(Assignment(a_class, tools.SMALL))
    assert "Input/output error ·[2J·" in {r.student: r.refusal for r in report.rows}["chi"]
    assert len(tools.grade(a_class, tools.SMALL).unchanged) == 6
    monkeypatch.undo()
    assert tools.grade(a_class, tools.SMALL).graded == ["chi"]


def test_what_the_preprocessors_dont_foresee_is_a_failure_of_one(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = class_run.Preparer.prepare

    def stumbling(preparer: Any, submission: Any) -> Any:
        if submission.student == "chi":
            raise ZeroDivisionError("unforeseen")
        return prepare(preparer, submission)

    monkeypatch.setattr(class_run.Preparer, "prepare", stumbling)
    summary = tools.grade(a_class, tools.SMALL)
    assert sorted(summary.graded) == ["ada", "ben", "dan", "eve", "fay"]
    assert "ZeroDivisionError: unforeseen" in summary.failed["chi"]


@pytest.mark.parametrize("step", ["prepare", "place"])
def test_a_full_disk_fails_whom_it_must_and_the_run_goes_on(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    work = getattr(Tree, step)
    calls: list[Any] = []

    def full_at_the_second(tree: Tree, *arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return work(tree, *arguments)

    monkeypatch.setattr(Tree, step, full_at_the_second)
    summary = tools.grade(a_class, tools.SMALL)
    assert len(summary.graded) == 5
    ((student, reason),) = summary.failed.items()
    assert "its folder couldn't be written" in reason
    assert "No space left on device" in reason
    again = tools.grade(a_class, tools.SMALL)
    assert (again.graded, again.failed) == ([student], {})
