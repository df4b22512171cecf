"""What the instructor released: the cells that intake restores and that the passes compare with.

It is plain data, taken once from the gradebook and the release folder, so that workers need
neither.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any


class NotReleased(Exception):
    """The assignment isn't in the gradebook, or its release folder is missing."""


@dataclass(frozen=True)
class MasterCell:
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
class Master:
    """One released notebook.

    Attributes:
        notebook: its name without ``.ipynb``.
        assignment: the folder of its unit.
        cells: the cells that nbgrader knows, in the released order.
        kernelspec: the kernel that it runs on.
        release: the released file, byte for byte.
    """

    notebook: str
    assignment: str
    cells: Sequence[MasterCell]
    kernelspec: Mapping[str, Any] | None
    release: bytes = field(repr=False)

    @cached_property
    def by_id(self) -> dict[str, MasterCell]:
        """The cells by nbgrader's id."""
        return {cell.grade_id: cell for cell in self.cells}

    @property
    def points(self) -> float:
        """The points of all cells together."""
        return sum(cell.points for cell in self.cells)


class Snapshot:
    """Answers what nbgrader's sanitising passes ask a gradebook, from masters alone.

    It has the part of `nbgrader.api.Gradebook` that ``OverwriteKernelspec`` and
    ``OverwriteCells`` use, so that these run unchanged where no gradebook is.
    """

    def __init__(self, masters: Mapping[str, Master]) -> None:
        """Answer for the given masters, by notebook name."""
        self._masters = masters

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def find_notebook(self, name: str, assignment: str) -> Any:
        """The notebook's kernelspec (as JSON) and its cells."""
        master = self._masters[name]
        cells = [self._source_cell(cell) for cell in master.cells]
        kernelspec = None if master.kernelspec is None else json.dumps(dict(master.kernelspec))
        return SimpleNamespace(
            kernelspec=kernelspec,
            source_cells=cells,
            grade_cells=[self._graded(cell) for cell in master.cells if cell.grade],
            solution_cells=[self._source_cell(c) for c in master.cells if c.solution],
            task_cells=[self._graded(cell) for cell in master.cells if cell.task],
        )

    def find_source_cell(self, grade_id: str, notebook: str, assignment: str) -> Any:
        """The released version of a cell.

        Raises:
            nbgrader.api.MissingEntry: when there is none.
        """
        return self._source_cell(self._cell(grade_id, notebook))

    def find_graded_cell(self, grade_id: str, notebook: str, assignment: str) -> Any:
        """The maximum score of a grade or task cell.

        Raises:
            nbgrader.api.MissingEntry: when there is none.
        """
        return self._graded(self._cell(grade_id, notebook))

    def _cell(self, grade_id: str, notebook: str) -> MasterCell:
        from nbgrader.api import MissingEntry

        cell = self._masters[notebook].by_id.get(grade_id)
        if cell is None:
            raise MissingEntry(f"No such cell: {notebook}/{grade_id}")
        return cell

    @staticmethod
    def _source_cell(cell: MasterCell) -> Any:
        return SimpleNamespace(
            name=cell.grade_id,
            cell_type=cell.cell_type,
            source=cell.source,
            checksum=cell.checksum,
            locked=cell.locked,
        )

    @staticmethod
    def _graded(cell: MasterCell) -> Any:
        return SimpleNamespace(name=cell.grade_id, max_score=cell.points, cell_type=cell.cell_type)


def load_masters(gradebook: Any, assignment: str, release: Path) -> dict[str, Master]:
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
    masters = {}
    for notebook in entry.notebooks:
        path = release / f"{notebook.name}.ipynb"
        if not path.is_file():
            raise NotReleased(f"{path} is missing; run `descent release {assignment}` first")
        masters[notebook.name] = _master(notebook, assignment, path.read_bytes())
    if not masters:
        raise NotReleased(f"{assignment} has no notebooks; run `descent release {assignment}`")
    return masters


def _master(notebook: Any, assignment: str, release: bytes) -> Master:
    sources = {cell.name: cell for cell in notebook.source_cells}
    points = {cell.name: cell.max_score for cell in (*notebook.grade_cells, *notebook.task_cells)}
    cells = []
    for cell in json.loads(release)["cells"]:
        known = cell.get("metadata", {}).get("nbgrader", {})
        source = sources.get(known.get("grade_id", ""))
        if source is not None:
            cells.append(_cell(cell, known, source, float(points.get(source.name) or 0)))
    kernelspec = json.loads(notebook.kernelspec) if notebook.kernelspec else None
    return Master(notebook.name, assignment, tuple(cells), kernelspec or None, release)


def _cell(cell: dict[str, Any], known: dict[str, Any], source: Any, points: float) -> MasterCell:
    metadata = json.loads(json.dumps(cell["metadata"]))
    metadata["nbgrader"]["checksum"] = source.checksum
    return MasterCell(
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
