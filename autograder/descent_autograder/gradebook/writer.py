"""The one writer of grades: nbgrader's own gradebook and preprocessors, one commit per submission.

The database is touched only after execution, so that no student code runs while it is locked.
What is written, and in which order, is what ``nbgrader autograde`` writes.
"""

from __future__ import annotations

import functools
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from nbgrader import utils
from nbgrader.api import Student, SubmittedAssignment
from sqlalchemy import select

from descent_autograder.core.errors import UnknownStudent
from descent_autograder.core.nodes import to_bytes
from descent_autograder.gradebook import preprocessors
from descent_autograder.gradebook.result import Result
from descent_autograder.gradebook.shared import opened, patiently

T = TypeVar("T")

_LONGEST_TIMESTAMP = 100
_ZONE = re.compile(r"[A-Za-z0-9+-][A-Za-z0-9_+:-]*(/[A-Za-z0-9_+-]+)*")


class Writer:
    """Puts results into the gradebook, one transaction each."""

    def __init__(
        self,
        db_url: str,
        course_id: str,
        assignment: str,
        saving: Sequence[Any],
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
            saving: nbgrader's preprocessors from ``SaveAutoGrades`` on.
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
        resources = preprocessors.resources_for(self.assignment, name, result.student, self.db_url)
        with preprocessors.shared_gradebook(self.gradebook):
            node = preprocessors.run(self._saving, node, resources)
        return to_bytes(node)

    def _patiently(self, action: Callable[[], T]) -> T:
        return patiently(action, self.db_url, self._patience, self._on_wait)


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
