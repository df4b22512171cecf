"""Writing grades: what a person wrote stays, a locked gradebook is waited for, few queries."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.core.errors import GradebookBusy, GradebookUnreachable
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.gradebook.writer import Writer, parse_timestamp
from descent_autograder.grading import pipeline
from descent_autograder.grading.options import Options
from sqlalchemy import event
from sqlalchemy.engine import Engine

pytestmark = pytest.mark.sandbox

HandIn = Callable[[str, Any], Path]


def test_what_a_person_has_graded_and_written_stays(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any, small_release: Any
) -> None:
    hand_in("ada", small_release)
    tools.grade(small, tools.SMALL)
    gradebook = SharedGradebook(small.db_url, small.course_id)
    grade = gradebook.find_grade("double", "small", tools.SMALL, "ada")
    grade.manual_score = 1.5
    grade.extra_credit = 0.25
    comment = gradebook.find_comment("double_answer", "small", tools.SMALL, "ada")
    comment.manual_comment = "Talk to me."
    gradebook.db.commit()
    gradebook.close()
    hand_in("ada", small_solved)
    tools.grade(small, tools.SMALL)
    gradebook = SharedGradebook(small.db_url, small.course_id)
    grade = gradebook.find_grade("double", "small", tools.SMALL, "ada")
    assert (grade.manual_score, grade.extra_credit, grade.auto_score) == (1.5, 0.25, 2.0)
    assert grade.needs_manual_grade
    comment = gradebook.find_comment("double_answer", "small", tools.SMALL, "ada")
    assert comment.comment == "Talk to me."
    gradebook.close()


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
    pipeline.grade(Assignment(small, tools.SMALL), Options(), say=said.append)
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
        tools.grade(small, tools.SMALL, patience=1.0)
    locked.rollback()
    locked.close()
    assert tools.grade(small, tools.SMALL).graded == ["ada"]


def test_a_gradebook_that_cant_be_opened_is_reported(
    small: Course, tools: Any, hand_in: HandIn, small_solved: Any
) -> None:
    hand_in("ada", small_solved)
    (small.root / "gradebook.db").write_bytes(b"no database, but long enough to look at" * 100)
    with pytest.raises(GradebookUnreachable, match="not a database"):
        tools.grade(small, tools.SMALL)


def test_a_new_submission_costs_no_query_for_every_cell(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        tools.grade(a_class, tools.SMALL)
        first = counts.pop("ada")
        tools.grade(a_class, tools.SMALL, force=True, students=["ada"])
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
