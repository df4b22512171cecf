"""Grading a class through the real wall: grades, tree, records, resuming, reports."""

from __future__ import annotations

import contextlib
import copy
import csv
import errno
import itertools
import os
import sqlite3
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from descent_autograder import intake
from descent_autograder.core.course import Course
from descent_autograder.core.journal import Tree
from descent_autograder.gradebook.writer import (
    GradebookBusy,
    GradebookUnreachable,
    SharedGradebook,
    parse_timestamp,
)
from descent_autograder.grading import class_run as classrun
from descent_autograder.grading import pipeline
from descent_autograder.grading.local_workers import LocalPool, WorkersFailed
from descent_autograder.grading.pipeline import Options, Summary
from descent_autograder.grading.work import Done, Settings, Task
from descent_autograder.reports import class_report as classreport

pytestmark = pytest.mark.sandbox

HandIn = Callable[[str, Any], Path]
QUICK = {"cell_seconds": 4.0, "notebook_seconds": 20.0}


def _grade(course: Course, unit: str, **options: Any) -> Summary:
    options = {"jobs": 1, "limits": QUICK, **options}
    return pipeline.grade(course, unit, Options(**options), say=lambda message: None)


def _with(notebook: dict[str, Any], tools: Any, **answers: str) -> dict[str, Any]:
    changed = copy.deepcopy(notebook)
    for name, source in answers.items():
        tools.by_id(changed, name)["source"] = source
    return changed


@pytest.fixture
def a_class(
    small: Course, tools: Any, hand_in: HandIn, small_release: Any, small_solved: Any
) -> Course:
    """A small class, honest and otherwise, not yet graded."""
    hand_in("ada", small_solved)
    hand_in("ben", small_release)
    hand_in(
        "chi",
        _with(
            small_solved,
            tools,
            relative_error_answer="def relative_error(a, b):\n    return abs(a - b)",
            essay="I think so.",
        ),
    )
    hand_in("dan", b'{"cells": [')
    hand_in("eve", _with(small_solved, tools, double_answer="while True:\n    pass"))
    hand_in("fay", _with(small_solved, tools, double_answer="import os\nos._exit(3)"))
    return small


def test_a_class_is_graded_and_nobody_stops_the_others(a_class: Course, tools: Any) -> None:
    summary = _grade(a_class, tools.SMALL)
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
    report = classreport.build(a_class, tools.SMALL)
    rows = {row.student: row for row in report.rows}
    assert "ends too early" in rows["dan"].refusal
    assert "abs" in str(report.mistakes) or report.mistakes["relative_error", "absolute"] == 1
    assert any("second" in remark for remark in rows["eve"].remarks)
    assert any("ended" in remark for remark in rows["fay"].remarks)


def test_the_tree_is_as_nbgrader_leaves_it(a_class: Course, tools: Any, hand_in: HandIn) -> None:
    folder = a_class.path("submitted", "ada", tools.SMALL)
    (folder / "timestamp.txt").write_text("2026-11-21 10:00:00 UTC")
    (folder / "helper.py").write_text("x = 1")
    _grade(a_class, tools.SMALL, students=["ada"])
    graded = a_class.path("autograded", "ada", tools.SMALL)
    names = sorted(path.name for path in graded.iterdir())
    assert names == ["helper.py", "small.ipynb", "timestamp.txt"]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o444 for path in graded.iterdir())
    assert [path.name for path in a_class.step("autograded").iterdir()] == ["ada"]


def test_grading_again_changes_nothing_and_force_gives_the_same(
    a_class: Course, tools: Any
) -> None:
    _grade(a_class, tools.SMALL)
    before = tools.scores_of(a_class, tools.SMALL)
    again = _grade(a_class, tools.SMALL)
    assert again.graded == []
    assert len(again.unchanged) == 6
    forced = _grade(a_class, tools.SMALL, force=True)
    assert len(forced.graded) == 6
    assert tools.scores_of(a_class, tools.SMALL) == before


def test_a_new_version_is_graded_and_the_others_left(
    a_class: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    _grade(a_class, tools.SMALL)
    hand_in("ben", small_solved)
    assert _grade(a_class, tools.SMALL).graded == ["ben"]
    assert tools.scores_of(a_class, tools.SMALL)["ben"]["score"] == 5.0


@pytest.mark.parametrize("lost", ["tree", "record", "gradebook row"])
def test_whatever_is_lost_of_a_result_is_made_again(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any, lost: str
) -> None:
    import shutil

    hand_in("ada", small_solved)
    _grade(small, tools.SMALL)
    if lost == "tree":
        shutil.rmtree(small.path("autograded", "ada", tools.SMALL))
    elif lost == "record":
        shutil.rmtree(small.records / tools.SMALL)
    else:
        gradebook = SharedGradebook(small.db_url, small.course_id)
        gradebook.remove_student("ada")
        gradebook.close()
    assert _grade(small, tools.SMALL).graded == ["ada"]
    assert tools.scores_of(small, tools.SMALL)["ada"]["score"] == 5.0


def test_what_a_person_has_graded_and_written_stays(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any, small_release: Any
) -> None:
    hand_in("ada", small_release)
    _grade(small, tools.SMALL)
    gradebook = SharedGradebook(small.db_url, small.course_id)
    grade = gradebook.find_grade("double", "small", tools.SMALL, "ada")
    grade.manual_score = 1.5
    grade.extra_credit = 0.25
    comment = gradebook.find_comment("double_answer", "small", tools.SMALL, "ada")
    comment.manual_comment = "Talk to me."
    gradebook.db.commit()
    gradebook.close()
    hand_in("ada", small_solved)
    _grade(small, tools.SMALL)
    gradebook = SharedGradebook(small.db_url, small.course_id)
    grade = gradebook.find_grade("double", "small", tools.SMALL, "ada")
    assert (grade.manual_score, grade.extra_credit, grade.auto_score) == (1.5, 0.25, 2.0)
    assert grade.needs_manual_grade
    comment = gradebook.find_comment("double_answer", "small", tools.SMALL, "ada")
    assert comment.comment == "Talk to me."
    gradebook.close()


def test_folders_that_cant_be_used_are_reported_and_kept_out(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    hand_in("ada", small_solved)
    hand_in("<img src=x onerror=alert(1)>", small_solved)
    (small.step("submitted") / "mal").symlink_to(small.step("submitted") / "ada")
    summary = _grade(small, tools.SMALL)
    assert summary.graded == ["ada"]
    assert sorted(summary.rejected) == ["<img src=x onerror=alert(1)>", "mal"]
    report = classreport.build(small, tools.SMALL, summary.rejected)
    assert "<img" not in classreport.to_html(report)
    assert "refused" in classreport.table(report)
    assert set(tools.scores_of(small, tools.SMALL)) == {"ada"}


def test_a_gradebook_that_somebody_locks_is_waited_for(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    hand_in("ada", small_solved)
    locked = sqlite3.connect(small.root / "gradebook.db", check_same_thread=False)
    locked.execute("BEGIN EXCLUSIVE")
    release_later = threading.Timer(9.0, lambda: (locked.rollback(), locked.close()))
    release_later.start()
    said: list[str] = []
    started = time.monotonic()
    pipeline.grade(small, tools.SMALL, Options(), say=said.append)
    release_later.join()
    assert time.monotonic() - started > 8
    assert said == ["the gradebook is locked by another program; waiting"]
    assert tools.scores_of(small, tools.SMALL)["ada"]["score"] == 5.0


def test_a_gradebook_that_stays_locked_is_reported(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    hand_in("ada", small_solved)
    locked = sqlite3.connect(small.root / "gradebook.db")
    locked.execute("BEGIN EXCLUSIVE")
    with pytest.raises(GradebookBusy, match="give the same command again"):
        _grade(small, tools.SMALL, patience=1.0)
    locked.rollback()
    locked.close()
    assert _grade(small, tools.SMALL).graded == ["ada"]


def test_a_gradebook_that_cant_be_opened_is_reported(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    hand_in("ada", small_solved)
    (small.root / "gradebook.db").write_bytes(b"no database, but long enough to look at" * 100)
    with pytest.raises(GradebookUnreachable, match="not a database"):
        _grade(small, tools.SMALL)


def test_two_runs_at_once_are_refused(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    hand_in("ada", small_solved)
    with (
        pipeline._only_run(small),
        pytest.raises(pipeline.AlreadyRunning, match=str(os.getpid())),
    ):
        _grade(small, tools.SMALL)


def test_a_worker_that_dies_costs_only_its_time(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    start = LocalPool._start

    def remembered(pool: LocalPool, number: int) -> Any:
        started.append(start(pool, number))
        return started[-1]

    def kill_the_first(done: int, total: int, student: str) -> None:
        if done == 1:
            started[0].process.kill()

    monkeypatch.setattr(LocalPool, "_start", remembered)
    summary = pipeline.grade(a_class, tools.SMALL, Options(jobs=1, limits=QUICK), kill_the_first)
    assert len(started) == 2
    assert len(summary.graded) == 6
    assert summary.failed == {}
    assert tools.scores_of(a_class, tools.SMALL)["eve"]["score"] == 3.0


def test_what_intake_doesnt_foresee_stops_nobody_else(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from descent_autograder.gradebook import preprocessors as passes

    mend = passes.mend

    def stumbling(raw: bytes, master: Any) -> Any:
        if b"I think so." in raw:
            raise ZeroDivisionError("unforeseen")
        return mend(raw, master)

    monkeypatch.setattr(passes, "mend", stumbling)
    assert len(_grade(a_class, tools.SMALL).graded) == 6
    scores = tools.scores_of(a_class, tools.SMALL)
    assert (scores["ada"]["score"], scores["chi"]["score"]) == (5.0, 0.0)
    report = classreport.build(a_class, tools.SMALL)
    assert "ZeroDivisionError: unforeseen" in {r.student: r.refusal for r in report.rows}["chi"]


def test_a_new_submission_costs_no_query_for_every_cell(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from descent_autograder.gradebook.writer import Writer
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    statements: list[str] = []
    counts: dict[str, list[str]] = {}
    write = Writer.write

    def counted(writer: Writer, result: Any, timestamp: str | None = None) -> Any:
        statements.clear()
        notebooks = write(writer, result, timestamp)
        counts[result.student] = list(statements)
        return notebooks

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    monkeypatch.setattr(Writer, "write", counted)
    event.listen(Engine, "before_cursor_execute", note)
    try:
        _grade(a_class, tools.SMALL)
        first = counts.pop("ada")
        _grade(a_class, tools.SMALL, force=True, students=["ada"])
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    for new in (first, *(counts[name] for name in ("ben", "chi", "fay"))):
        grades = [s for s in new if s.startswith(("INSERT INTO grade", "UPDATE grade"))]
        assert len(grades) == 1, "the scores are written once, and together"
        assert not [s for s in new if s.startswith("SELECT") and "FROM grade" in s]
        assert len([s for s in new if s.startswith("SELECT")]) <= 9
    assert len([s for s in counts["ada"] if s.startswith("SELECT")]) <= 7


@pytest.mark.parametrize(
    "text",
    [
        "2024-01-01 10:00:00 " + "a" * 300,
        "2024-01-01 10:00 ..",
        "2024-01-01 10:00 /etc/localtime",
        "2024-01-01 10:00 :/etc/localtime",
        "2024-01-01 10:00 ../../etc/localtime",
        "2024-01-01 10:00 \0",
        "1" * 10**6,
        "1 " * 10**6,
        "9" * 100,
        "1e999",
        "",
    ],
    ids=lambda text: text[:30].encode("ascii", "replace").decode(),
)
def test_a_text_that_is_no_time_is_none(text: str) -> None:
    started = time.monotonic()
    assert parse_timestamp(text) is None
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21 12:00:00",
        "2026-11-21 12:00:00.000000 UTC",
        "2026-11-21 21:00:00 Asia/Seoul",
        "2026-11-21T12:00:00Z",
    ],
)
def test_nbgraders_times_are_read(text: str) -> None:
    moment = parse_timestamp(text)
    assert (moment.hour, moment.tzinfo) == (12, None)


def test_what_isnt_foreseen_in_a_folder_is_a_refusal(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect = intake.collect

    def stumbling(folder: Path, *rest: Any, **more: Any) -> Any:
        if "chi" in folder.parts:
            raise OSError(errno.EIO, "Input/output error \x1b[2J\ud800")
        return collect(folder, *rest, **more)

    monkeypatch.setattr(intake, "collect", stumbling)
    summary = _grade(a_class, tools.SMALL)
    assert (len(summary.graded), summary.failed) == (6, {})
    scores = tools.scores_of(a_class, tools.SMALL)
    assert (scores["ada"]["score"], scores["chi"]["score"]) == (5.0, 0.0)
    report = classreport.build(a_class, tools.SMALL)
    assert "Input/output error ·[2J·" in {r.student: r.refusal for r in report.rows}["chi"]
    assert len(_grade(a_class, tools.SMALL).unchanged) == 6
    monkeypatch.undo()
    assert _grade(a_class, tools.SMALL).graded == ["chi"]


def test_what_the_passes_dont_foresee_is_a_failure_of_one(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = classrun.Desk.prepare

    def stumbling(desk: Any, submission: Any) -> Any:
        if submission.student == "chi":
            raise ZeroDivisionError("unforeseen")
        return prepare(desk, submission)

    monkeypatch.setattr(classrun.Desk, "prepare", stumbling)
    summary = _grade(a_class, tools.SMALL)
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
    summary = _grade(a_class, tools.SMALL)
    assert len(summary.graded) == 5
    ((student, reason),) = summary.failed.items()
    assert "its folder couldn't be written" in reason
    assert "No space left on device" in reason
    again = _grade(a_class, tools.SMALL)
    assert (again.graded, again.failed) == ([student], {})


def test_a_folder_that_cant_be_written_leaves_no_half_behind(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    with pytest.raises(OSError, match="too long"):
        tree.prepare({"a": b"1", "b" * 300: b"2"})
    assert [path for path in tmp_path.rglob("*") if path.name != ".descent-drafts"] == []
    tree.place(tree.prepare({"a": b"old"}), tmp_path / "here")
    with pytest.raises(FileNotFoundError):
        tree.place(tmp_path / ".descent-drafts" / "none" / "new", tmp_path / "here")
    (tmp_path / ".descent-drafts" / "other").mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        tree.place(tmp_path / ".descent-drafts" / "other" / "new", tmp_path / "here")
    assert (tmp_path / "here" / "a").read_bytes() == b"old"


def test_after_a_failure_of_the_grader_nobody_else_is_blamed(
    master: Any, small_solved: Any
) -> None:
    import json

    settings = Settings("20-small", {"small": master.release}, b"secret", QUICK)
    good, bad = json.dumps(small_solved).encode(), b"no notebook"
    names = ["bad-1", "good-1", "bad-2", "good-2", "bad-3"]
    with contextlib.closing(LocalPool(QUICK, unsafe=False)) as pool:
        pool.grow(1)
        tasks = [Task(name, {"small": good if "good" in name else bad}) for name in names]
        found = dict(pool.run(settings, tasks))
    assert found.keys() == set(names)
    for name in names:
        if "good" in name:
            assert isinstance(found[name], Done)
        else:
            assert "the grader itself failed: JSONDecodeError" in str(found[name])


def test_the_last_submissions_go_to_whoever_is_free_first(master: Any, small_solved: Any) -> None:
    import json

    settings = Settings("20-small", {"small": master.release}, b"secret", QUICK)
    notebook = {"small": json.dumps(small_solved).encode()}
    asked, most_ahead, busy = 0, 0, []

    def tasks() -> Iterator[Task]:
        nonlocal asked
        for asked in range(1, 9):
            yield Task(f"student-{asked}", notebook)

    with contextlib.closing(LocalPool(QUICK, unsafe=False, jobs=2)) as pool:
        pool.grow(8)
        workers = list(pool._workers)
        for done, _ in enumerate(pool.run(settings, tasks()), 1):
            most_ahead = max(most_ahead, asked - done)
            busy.append([len(worker.tasks) for worker in workers])
        assert pool._workers == []
    assert most_ahead <= 8
    # Nobody is given a second one any more; who is slow may have had it from the start.
    for before, after in itertools.pairwise(busy[-4:]):
        assert all(now <= max(1, then) for then, now in zip(before, after, strict=True))
    # One that was still getting ready when all was done is terminated.
    assert all(worker.process.returncode == (0 if worker.ready else -15) for worker in workers)


def test_workers_get_warm_while_the_class_is_read(
    small: Course,
    tools: Any,
    hand_in: HandIn,
    small_solved: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("ada", small_solved)
    workers: list[int] = []
    start, waiting = LocalPool._start, classrun.Run.waiting

    def started(pool: LocalPool, number: int) -> Any:
        workers.append(number)
        return start(pool, number)

    def read(run: Any, students: Any, summary: Summary) -> Any:
        seen.append(len(workers))
        return waiting(run, students, summary)

    monkeypatch.setattr(LocalPool, "_start", started)
    monkeypatch.setattr(classrun.Run, "waiting", read)
    for changed, before, after in ((None, 1, 1), (None, 0, 0), ("submission", 0, 1)):
        seen: list[int] = []
        workers.clear()
        if changed:
            hand_in("ada", _with(small_solved, tools, essay="On second thoughts."))
        _grade(small, tools.SMALL)
        assert (seen, len(workers)) == ([before], after)


def test_a_worker_tries_no_other_wall_when_the_first_one_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from descent_autograder import sandbox
    from descent_autograder.grading.work import start_sandbox
    from descent_autograder.sandbox import worker as module

    if sandbox.best_wall() is not sandbox.Wall.NAMESPACES:
        pytest.skip("the first wall doesn't stand here")
    asked = []
    best = module.best_wall
    monkeypatch.setattr(module, "best_wall", lambda: asked.append("all walls") or best())
    start_sandbox(QUICK).close()
    assert asked == []
    # Where the trial fails, all walls are tried, and one that stands is built.
    with monkeypatch.context() as broken:
        broken.setattr(sandbox.Sandbox, "session", _no_session)
        worker = start_sandbox(QUICK)
    try:
        assert asked == ["all walls"]
        assert worker.wall is sandbox.Wall.NAMESPACES
    finally:
        worker.close()


def _no_session(*_: object) -> Any:
    raise RuntimeError("the process can't confine itself")


def test_without_a_worker_the_run_says_why(
    small: Course,
    tools: Any,
    hand_in: HandIn,
    small_solved: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("ada", small_solved)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(WorkersFailed, match="worker process"):
        _grade(small, tools.SMALL)


def test_the_report_says_all_that_an_instructor_needs(a_class: Course, tools: Any) -> None:
    summary = _grade(a_class, tools.SMALL)
    report = classreport.build(a_class, tools.SMALL, summary.rejected)
    page, sheet = classreport.write(report, a_class.reports)
    text = page.read_text()
    for heading in (
        "Distribution",
        "Full marks, by task",
        "Most frequent mistakes",
        "Waiting for a person",
        "Refused",
        "Mended or remarked",
    ):
        assert heading in text
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert report.passed("double") == 2
    assert sum(report.distribution()) == 6
    with open(sheet, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == ["ada", "ben", "chi", "dan", "eve", "fay"]
    assert rows[0]["score"] == "5"
    assert rows[3]["refused"].endswith("the file ends too early")
    table = classreport.table(report)
    assert "5 / 10" in table
    assert "chi" in table


def test_a_cell_that_begins_with_equals_is_no_formula(small: Course) -> None:
    assert classreport._not_a_formula("=1+1") == "'=1+1"
    assert classreport._not_a_formula("ada") == "ada"
