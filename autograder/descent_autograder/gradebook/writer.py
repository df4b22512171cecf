"""The one writer of grades: nbgrader's own gradebook and passes, one commit per submission.

The database is touched only after execution, so that no student code runs while it is locked.
What is written, and in which order, is what ``nbgrader autograde`` writes.
"""

from __future__ import annotations

import functools
import re
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from nbgrader import utils
from nbgrader.api import (
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    InvalidEntry,
    Notebook,
    Student,
    SubmittedAssignment,
)
from sqlalchemy import select
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session, sessionmaker, undefer

from descent_autograder.core.assignment import Master
from descent_autograder.gradebook import preprocessors as nbgrader
from descent_autograder.grading.steps import Result

T = TypeVar("T")

_LONGEST_TIMESTAMP = 100
_ZONE = re.compile(r"[A-Za-z0-9+-][A-Za-z0-9_+:-]*(/[A-Za-z0-9_+-]+)*")
_LOCK_WORDS = ("locked", "busy", "lock timeout", "deadlock", "could not obtain lock")


class GradebookBusy(RuntimeError):
    """Somebody else has kept the gradebook locked for longer than we wait."""


class GradebookUnreachable(RuntimeError):
    """The gradebook can't be opened; the message says where and why."""


class _HeldSession(Session):
    """A session whose `commit` waits while it is held: one commit per submission.

    What is read in the meantime sees what was written, since queries flush by themselves.
    """

    held = False

    def commit(self) -> None:
        """Commit, unless held."""
        if not self.held:
            super().commit()


class SharedGradebook(Gradebook):  # type: ignore[misc]
    """nbgrader's gradebook, kept open for a whole run, with a submission's rows fetched at once."""

    def __init__(self, db_url: str, course_id: str) -> None:
        """Open the gradebook, making its tables if it is new."""
        super().__init__(db_url, course_id=course_id)
        self.db: Any
        self.db.remove()
        maker = sessionmaker(class_=_HeldSession, bind=self.engine, expire_on_commit=False)
        self.db = scoped_session(maker)
        self._cells: dict[str, str] = {}
        self._notebook_names: dict[str, str] = {}
        self._clear()

    def _clear(self) -> None:
        self._fetched: tuple[str, str] | None = None
        self._submission: Any = None
        self._grades: dict[tuple[str, str], Any] = {}
        self._comments: dict[tuple[str, str], Any] = {}
        self._notebooks: dict[str, Any] = {}

    def __exit__(self, *error: object) -> None:
        """Leaving a pass doesn't close what other passes use; `close` does."""

    def fetch(
        self, submission: Any, assignment: str, student: str, *, with_points: bool = False
    ) -> None:
        """Fetch all grades and comments of one submission, for the passes to find.

        Args:
            submission: what the gradebook found, or has just entered.
            assignment: the name of its assignment.
            student: the id of its student.
            with_points: fetch the points of every cell too, for passes that ask for them.
        """
        self._clear()
        self._submission = submission
        if submission in self.db.new:
            # It has no rows yet, and gets them, with its scores, when all passes have run.
            for notebook in submission.notebooks:
                self._keep(notebook.notebook.name, notebook, notebook.grades, notebook.comments)
        else:
            grades = select(Grade).options(*[undefer(Grade.max_score)] * with_points)
            with self.db.no_autoflush:
                for notebook in submission.notebooks:
                    self._keep(
                        self._notebook_name(notebook.notebook_id),
                        notebook,
                        self.db.scalars(grades.where(Grade.notebook_id == notebook.id)),
                        self.db.scalars(select(Comment).where(Comment.notebook_id == notebook.id)),
                    )
        self._fetched = (assignment, student)

    def _keep(
        self, name: str, notebook: Any, grades: Iterable[Any], comments: Iterable[Any]
    ) -> None:
        self._notebooks[name] = notebook
        self._grades |= {(name, self._cell_name(row.cell_id)): row for row in grades}
        self._comments |= {(name, self._cell_name(row.cell_id)): row for row in comments}

    def forget(self) -> None:
        """Let go of the submission that was fetched, and of all that was read with it."""
        self._clear()
        self.db.expunge_all()

    def _cell_name(self, cell_id: str) -> str:
        if cell_id not in self._cells:
            with self.db.no_autoflush:
                rows = self.db.execute(select(BaseCell.id, BaseCell.name))
            self._cells = {row[0]: row[1] for row in rows}
        return self._cells[cell_id]

    def _notebook_name(self, notebook_id: str) -> str:
        if notebook_id not in self._notebook_names:
            rows = self.db.execute(select(Notebook.id, Notebook.name))
            self._notebook_names = {row[0]: row[1] for row in rows}
        return self._notebook_names[notebook_id]

    def add_submission(self, assignment: str, student: str, **kwargs: Any) -> Any:
        """Enter a submission, without flushing it half made, which SQLAlchemy warns of."""
        with self.db.no_autoflush:
            return super().add_submission(assignment, student, **kwargs)

    def find_submission(self, assignment: str, student: str) -> Any:
        """The submission, from what was fetched."""
        if self._fetched != (assignment, student):
            return super().find_submission(assignment, student)
        # As a query would: what is computed from its rows, such as the score, needs them.
        self.db.flush()
        return self._submission

    def find_grade(self, grade_cell: str, notebook: str, assignment: str, student: str) -> Any:
        """The grade of a cell, from what was fetched."""
        is_here = self._fetched == (assignment, student)
        found = self._grades.get((notebook, grade_cell)) if is_here else None
        return found or super().find_grade(grade_cell, notebook, assignment, student)

    def find_comment(self, solution_cell: str, notebook: str, assignment: str, student: str) -> Any:
        """The comment on a cell, from what was fetched."""
        is_here = self._fetched == (assignment, student)
        found = self._comments.get((notebook, solution_cell)) if is_here else None
        return found or super().find_comment(solution_cell, notebook, assignment, student)

    def find_submission_notebook(self, notebook: str, assignment: str, student: str) -> Any:
        """The submitted notebook, from what was fetched."""
        is_here = self._fetched == (assignment, student)
        found = self._notebooks.get(notebook) if is_here else None
        return found or super().find_submission_notebook(notebook, assignment, student)

    @property
    def fetched_grades(self) -> Mapping[tuple[str, str], Any]:
        """The grades that were fetched last, by notebook and cell."""
        return self._grades


class Writer:
    """Puts results into the gradebook, one transaction each."""

    def __init__(
        self,
        db_url: str,
        course_id: str,
        assignment: str,
        saving: list[Any],
        *,
        create_students: bool = True,
        patience: float = 120.0,
        on_wait: Callable[[str], None] = lambda message: None,
    ) -> None:
        """Open the gradebook.

        Args:
            db_url: an SQLAlchemy URL.
            course_id: nbgrader's name for the course.
            assignment: the folder of the unit.
            saving: nbgrader's passes from ``SaveAutoGrades`` on.
            create_students: whether unknown students are entered.
            patience: seconds to wait for a gradebook that somebody else has locked.
            on_wait: is told when that happens.

        Raises:
            GradebookBusy: when it stays locked.
            GradebookUnreachable: when it can't be opened.
        """
        self.assignment = assignment
        self.db_url = db_url
        self._saving = saving
        self._create_students = create_students
        self._patience = patience
        self._on_wait = on_wait
        self.gradebook = opened(db_url, course_id, patience=patience, on_wait=on_wait)

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the gradebook."""
        self.gradebook.close()

    def students(self) -> set[str]:
        """Who has a submission of this assignment in the gradebook."""
        return self._patiently(self._students)

    def _students(self) -> set[str]:
        entry = self.gradebook.find_assignment(self.assignment)
        query = select(SubmittedAssignment.student_id).where(
            SubmittedAssignment.assignment_id == entry.id
        )
        found = set(self.gradebook.db.scalars(query))
        self.gradebook.db.rollback()
        return found

    def write(self, result: Result, timestamp: str | None = None) -> dict[str, bytes]:
        """Save one result, all of it or nothing.

        Args:
            result: what came of the submission.
            timestamp: when it was handed in, as nbgrader writes it.

        Returns:
            The notebooks as they are to stand in the autograded tree.

        Raises:
            GradebookBusy: when somebody else keeps the gradebook locked.
            UnknownStudent: when the student isn't in the gradebook and may not be entered.
        """
        return self._patiently(functools.partial(self._write, result, timestamp))

    def _write(self, result: Result, timestamp: str | None) -> dict[str, bytes]:
        session = self.gradebook.db()
        session.held = True
        try:
            self._enter(result.student, timestamp)
            notebooks = {name: self._save(name, result) for name in result.notebooks}
            session.held = False
            session.commit()
        except BaseException:
            session.held = False
            session.rollback()
            raise
        finally:
            self.gradebook.forget()
        return notebooks

    def _enter(self, student: str, timestamp: str | None) -> None:
        gradebook = self.gradebook
        if gradebook.db.get(Student, student) is None:
            if not self._create_students:
                raise UnknownStudent(f"no student {student!r} is in the gradebook")
            gradebook.add_student(student)
        moment = parse_timestamp(timestamp)
        values = {} if moment is None else {"timestamp": moment}
        submission = gradebook.update_or_create_submission(self.assignment, student, **values)
        gradebook.fetch(submission, self.assignment, student)

    def _save(self, name: str, result: Result) -> bytes:
        node = result.notebooks[name]
        resources = nbgrader.resources_for(self.assignment, name, result.student, self.db_url)
        with nbgrader.shared_gradebook(self.gradebook):
            node = nbgrader.run(self._saving, node, resources)
        return nbgrader.to_bytes(node)

    def _patiently(self, action: Callable[[], T]) -> T:
        return patiently(action, self.db_url, self._patience, self._on_wait)


class UnknownStudent(RuntimeError):
    """The student isn't in the gradebook, and the course doesn't let the grader enter any."""


def opened(
    db_url: str,
    course_id: str,
    *,
    patience: float = 120.0,
    on_wait: Callable[[str], None] = lambda message: None,
) -> SharedGradebook:
    """Open a gradebook, waiting while somebody else has it locked.

    Raises:
        GradebookBusy: when it stays locked.
        GradebookUnreachable: when it can't be opened.
    """
    return patiently(lambda: SharedGradebook(db_url, course_id), db_url, patience, on_wait)


def patiently(
    action: Callable[[], T],
    db_url: str,
    patience: float,
    on_wait: Callable[[str], None] = lambda message: None,
) -> T:
    """Run `action`; while the gradebook is locked by somebody else, wait and try again.

    Raises:
        GradebookBusy: when it stays locked for `patience` seconds.
        GradebookUnreachable: for every other fault of the database, but for data it won't take:
            that stays SQLAlchemy's own error, since it says nothing of other submissions.
    """
    started = time.monotonic()
    pause = 0.2
    while True:
        try:
            return action()
        except (SQLAlchemyError, InvalidEntry) as error:
            cause = _cause(error)
            if isinstance(error, (DataError, IntegrityError)):
                raise
            if not _is_lock(cause):
                raise GradebookUnreachable(
                    f"the gradebook at {shown_url(db_url)} can't be used: {_first_line(cause)}"
                ) from error
            waited = time.monotonic() - started
            if waited > patience:
                raise GradebookBusy(
                    f"the gradebook at {shown_url(db_url)} has been locked by another program "
                    f"for {waited:.0f} s; close that program and give the same command again: "
                    "what is done is kept"
                ) from error
            on_wait("the gradebook is locked by another program; waiting")
            time.sleep(pause)
            pause = min(2 * pause, 5.0)


def _cause(error: Exception) -> Exception:
    """What the database said, which nbgrader may have wrapped in an `InvalidEntry`."""
    inner = error.__context__
    found = inner if isinstance(error, InvalidEntry) and isinstance(inner, Exception) else error
    return getattr(found, "orig", None) or found


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _is_lock(error: Exception) -> bool:
    return any(word in str(error).lower() for word in _LOCK_WORDS)


def shown_url(db_url: str) -> str:
    """A database URL without its password."""
    from sqlalchemy.engine import make_url

    try:
        return make_url(db_url).render_as_string(hide_password=True)
    except ArgumentError:
        return "an address that isn't a database URL"


def parse_timestamp(text: str | None) -> Any:
    """The moment that nbgrader's ``timestamp.txt`` names, or None when it names none.

    Students may write that file. nbgrader hands a third word to dateutil, which also takes it for
    a path and reads what stands there; and dateutil is slow with long numbers.
    """
    words = (text or "").split(" ")
    if not text or len(text) > _LONGEST_TIMESTAMP:
        return None
    if len(words) == 3 and not _ZONE.fullmatch(words[2]):
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            return utils.parse_utc(text)
    except Exception:
        # A text of any kind may meet any fault of dateutil's; none of them says more than this.
        return None


def scores(gradebook: Any, assignment: str) -> dict[str, dict[str, Any]]:
    """All scores of an assignment by student, manual ones included.

    Returns:
        By student: ``score``, ``max_score``, ``needs_manual_grade`` and, under ``cells``, the
        score of every cell by its id.
    """
    entry = gradebook.find_assignment(assignment)
    rows = gradebook.db.execute(select(BaseCell.id, BaseCell.name))
    names = {row[0]: row[1] for row in rows}
    table: dict[str, dict[str, Any]] = {}
    for submission in entry.submissions:
        row: dict[str, Any] = {
            "score": 0.0,
            "max_score": float(entry.max_score),
            "needs_manual_grade": False,
            "by_hand": [],
            "cells": {},
        }
        for notebook in submission.notebooks:
            penalty = float(notebook.late_submission_penalty or 0.0)
            row["score"] -= penalty
            for grade in notebook.grades:
                name = names[grade.cell_id]
                row["cells"][name] = float(grade.score)
                row["score"] += float(grade.score)
                if grade.needs_manual_grade:
                    row["needs_manual_grade"] = True
                    row["by_hand"].append(name)
        table[submission.student_id] = row
    return table


def max_scores(masters: Mapping[str, Master]) -> dict[str, float]:
    """The points of every graded cell by its id."""
    return {
        cell.grade_id: cell.points
        for master in masters.values()
        for cell in master.cells
        if cell.grade or cell.task
    }
