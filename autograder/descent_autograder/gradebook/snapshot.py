"""The released notebooks instead of a gradebook, where no gradebook is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from descent_autograder.core.assignment import ReleasedCell, ReleasedNotebook


class Snapshot:
    """Answers what nbgrader's sanitising preprocessors ask a gradebook, from the release alone.

    It has the part of `nbgrader.api.Gradebook` that ``OverwriteKernelspec`` and
    ``OverwriteCells`` use, so that these run unchanged where no gradebook is.
    """

    def __init__(self, released: Mapping[str, ReleasedNotebook]) -> None:
        """Answer for the released notebooks, given by name."""
        self._released = released

    def __enter__(self) -> Snapshot:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def find_notebook(self, name: str, assignment: str) -> Any:
        """The notebook's kernelspec (as JSON) and its cells."""
        found = self._released[name]
        cells = [self._source_cell(cell) for cell in found.cells]
        kernelspec = None if found.kernelspec is None else json.dumps(dict(found.kernelspec))
        return SimpleNamespace(
            kernelspec=kernelspec,
            source_cells=cells,
            grade_cells=[self._graded(cell) for cell in found.cells if cell.grade],
            solution_cells=[self._source_cell(c) for c in found.cells if c.solution],
            task_cells=[self._graded(cell) for cell in found.cells if cell.task],
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

    def _cell(self, grade_id: str, notebook: str) -> ReleasedCell:
        from nbgrader.api import MissingEntry

        cell = self._released[notebook].by_id.get(grade_id)
        if cell is None:
            raise MissingEntry(f"No such cell: {notebook}/{grade_id}")
        return cell

    @staticmethod
    def _source_cell(cell: ReleasedCell) -> Any:
        return SimpleNamespace(
            name=cell.grade_id,
            cell_type=cell.cell_type,
            source=cell.source,
            checksum=cell.checksum,
            locked=cell.locked,
        )

    @staticmethod
    def _graded(cell: ReleasedCell) -> Any:
        return SimpleNamespace(name=cell.grade_id, max_score=cell.points, cell_type=cell.cell_type)
