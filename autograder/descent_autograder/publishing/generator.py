"""nbgrader's generator of assignments, for a course below any path."""

from __future__ import annotations

import os
from pathlib import Path

from nbgrader.converters import GenerateAssignment
from nbgrader.converters.base import NbGraderException


class Generator(GenerateAssignment):  # type: ignore[misc]
    """Finds the source notebooks of one assignment without patterns.

    nbgrader looks for them with `glob` on the whole path, in which brackets have a meaning of
    their own: below a folder called `course [2026]` it finds nothing.
    """

    def init_notebooks(self) -> None:
        """Find the notebooks.

        Raises:
            NbGraderException: there is none.
        """
        directory = self.coursedir
        # As text: nbgrader reads the assignment's name off it by a pattern, source/./unit.
        folder = self._format_source(directory.assignment_id, ".")
        names = sorted(path.name for path in Path(folder).glob(f"{directory.notebook_id}.ipynb"))
        found = [os.path.join(folder, name) for name in names]
        if not found:
            raise NbGraderException(f"no notebook in {folder}")
        self.notebooks: list[str] = []
        self.assignments = {folder: found}
