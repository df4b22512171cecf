"""A unit of a course: its folders, and what was released of it.

What was released are the cells that intake restores and that nbgrader's preprocessors compare
with: plain data, taken once from the gradebook and the release folder, so that workers need
neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from descent_autograder.core.course import Course
from descent_autograder.core.errors import NotReleased
from descent_autograder.core.journal import Journal


@dataclass(frozen=True)
class ReleasedCell:
    """One cell that nbgrader knows.

    Attributes:
        grade_id: nbgrader's id.
        cell_type: ``code``, ``markdown`` or ``raw``.
        source: the full source, hidden tests included.
        released: the source as students got it.
        metadata: the cell's whole metadata in the release.
        cell_id: nbformat's id of the cell in the release, if it has one.
        grade, solution, locked, task: nbgrader's kinds.
        points: the maximum score, 0 for cells without one.
        checksum: nbgrader's checksum of `source`.
    """

    grade_id: str
    cell_type: str
    source: str
    released: str
    metadata: Mapping[str, Any]
    cell_id: str | None
    grade: bool
    solution: bool
    locked: bool
    task: bool
    points: float
    checksum: str | None

    @property
    def fixed(self) -> bool:
        """Whether students have nothing to write here, so that the source can be restored."""
        return self.locked

    @property
    def by_hand(self) -> bool:
        """Whether a person grades this cell."""
        return self.task or (self.grade and self.solution)


@dataclass(frozen=True)
class ReleasedNotebook:
    """One released notebook.

    Attributes:
        notebook: its name without ``.ipynb``.
        assignment: the folder of its unit.
        cells: the cells that nbgrader knows, in the released order.
        kernelspec: the kernel that it runs on.
        file: the released file, byte for byte.
    """

    notebook: str
    assignment: str
    cells: Sequence[ReleasedCell]
    kernelspec: Mapping[str, Any] | None
    file: bytes = field(repr=False)

    @cached_property
    def by_id(self) -> dict[str, ReleasedCell]:
        """The cells by nbgrader's id."""
        return {cell.grade_id: cell for cell in self.cells}

    @property
    def points(self) -> float:
        """The points of all cells together."""
        return sum(cell.points for cell in self.cells)


class Assignment:
    """One unit of a course: its folders, its journal, and what was released of it, read once.

    Attributes:
        course: the course.
        name: the folder of the unit, which is nbgrader's name for the assignment.
    """

    def __init__(self, course: Course, name: str) -> None:
        """Name a unit; nothing is read yet.

        Args:
            course: the course.
            name: the folder of the unit, as ``06-optimizers``.
        """
        self.course = course
        self.name = name
        self._released: Mapping[str, ReleasedNotebook] | None = None

    @cached_property
    def source(self) -> Path:
        """The folder of the notebooks with solutions."""
        return self.course.path("source", ".", self.name)

    @cached_property
    def release(self) -> Path:
        """The folder of what students get."""
        return self.course.path("release", ".", self.name)

    def submitted(self, student: str) -> Path:
        """The folder of what a student handed in."""
        return self.course.path("submitted", student, self.name)

    def autograded(self, student: str) -> Path:
        """The folder of a student's graded notebooks."""
        return self.course.path("autograded", student, self.name)

    def feedback(self, student: str) -> Path:
        """The folder of a student's pages of feedback."""
        return self.course.path("feedback", student, self.name)

    @cached_property
    def journal(self) -> Journal:
        """What grading has noted about each submission."""
        return Journal(self.course.journals / self.name)

    def released(self, gradebook: Any) -> Mapping[str, ReleasedNotebook]:
        """What was released, by notebook; read at the first call.

        Args:
            gradebook: an open `nbgrader.api.Gradebook`.

        Raises:
            NotReleased: when it isn't in the gradebook, or a released notebook is missing.
        """
        if self._released is None:
            self._released = released_notebooks(gradebook, self.name, self.release)
        return self._released


def released_notebooks(
    gradebook: Any, assignment: str, release: Path
) -> dict[str, ReleasedNotebook]:
    """Read what was released of `assignment`.

    Args:
        gradebook: an open `nbgrader.api.Gradebook`.
        assignment: the folder of the unit.
        release: its release folder.

    Raises:
        NotReleased: when it isn't in the gradebook, or a released notebook is missing.
    """
    from nbgrader.api import MissingEntry

    try:
        entry = gradebook.find_assignment(assignment)
    except MissingEntry:
        raise NotReleased(
            f"{assignment} isn't in the gradebook; run `descent release {assignment}` first"
        ) from None
    found = {}
    for notebook in entry.notebooks:
        path = release / f"{notebook.name}.ipynb"
        if not path.is_file():
            raise NotReleased(f"{path} is missing; run `descent release {assignment}` first")
        found[notebook.name] = _released_notebook(notebook, assignment, path.read_bytes())
    if not found:
        raise NotReleased(f"{assignment} has no notebooks; run `descent release {assignment}`")
    return found


def _released_notebook(notebook: Any, assignment: str, file: bytes) -> ReleasedNotebook:
    sources = {cell.name: cell for cell in notebook.source_cells}
    points = {cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)}
    cells = []
    for cell in json.loads(file)["cells"]:
        known = cell.get("metadata", {}).get("nbgrader", {})
        source = sources.get(known.get("grade_id", ""))
        if source is not None:
            cells.append(_cell(cell, known, source, float(points.get(source.name) or 0)))
    kernelspec = json.loads(notebook.kernelspec) if notebook.kernelspec else None
    return ReleasedNotebook(notebook.name, assignment, tuple(cells), kernelspec or None, file)


def _cell(cell: dict[str, Any], known: dict[str, Any], source: Any, points: float) -> ReleasedCell:
    metadata = json.loads(json.dumps(cell["metadata"]))
    metadata["nbgrader"]["checksum"] = source.checksum
    return ReleasedCell(
        grade_id=source.name,
        cell_type=source.cell_type,
        source=source.source,
        released="".join(cell["source"]),
        metadata=metadata,
        cell_id=cell.get("id"),
        grade=bool(known.get("grade")),
        solution=bool(known.get("solution")),
        locked=bool(source.locked),
        task=bool(known.get("task")),
        points=points,
        checksum=source.checksum,
    )
