"""nbgrader's gradebook, kept open for a whole run: a submission's rows read and written together.

Also how it is opened, and what becomes of the database's many faults: somebody else has it locked,
or it can't be used.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from nbgrader.api import BaseCell, Comment, Grade, Gradebook, InvalidEntry, Notebook
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DataError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session, scoped_session, sessionmaker, undefer

from descent_autograder.core.errors import GradebookBusy, GradebookUnreachable

T = TypeVar("T")

_LOCK_WORDS = ("locked", "busy", "lock timeout", "deadlock", "could not obtain lock")


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
        """Leaving a preprocessor doesn't close what others use; `close` does."""

    def fetch(
        self, submission: Any, assignment: str, student: str, *, with_points: bool = False
    ) -> None:
        """Fetch all grades and comments of one submission, for the preprocessors to find.

        Args:
            submission: what the gradebook found, or has just entered.
            assignment: the name of its assignment.
            student: the id of its student.
            with_points: fetch the points of every cell too, for preprocessors that ask for them.
        """
        self._clear()
        self._submission = submission
        if submission in self.db.new:
            # It has no rows yet, and gets them, with its scores, when all preprocessors have run.
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
    try:
        return make_url(db_url).render_as_string(hide_password=True)
    except ArgumentError:
        return "an address that isn't a database URL"
