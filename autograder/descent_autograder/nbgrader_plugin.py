"""What ``nbgrader_config.py`` loads, so that plain nbgrader commands use our intake and our wall.

`Execute`, `IntakeExporter` and `SaveAutoGrades` take the place of nbgrader's own. What students
wrote is made harmless by `descent_autograder.reports.sanitize`, which the configuration names.
"""

from __future__ import annotations

import atexit
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader import api, preprocessors
from nbgrader.validator import Validator
from traitlets import Bool

from descent_autograder.core.assignment import released_notebooks
from descent_autograder.core.course import Course, find_root
from descent_autograder.core.errors import NoCourse
from descent_autograder.core.nodes import add_notice, refusal_of, to_bytes, to_node
from descent_autograder.gradebook.preprocessors import SaveAutoGrades
from descent_autograder.intake import collect
from descent_autograder.intake.admission import admit

__all__ = ["Execute", "IntakeExporter", "SaveAutoGrades", "use_wall_in_validate"]

_NO_SECRET = b"no course, so no secret: any cases will do"


@functools.cache
def _sandbox(unsafe: bool) -> Any:
    """The sandbox of this process, started at its first use."""
    from descent_autograder import questions
    from descent_autograder.sandbox import Sandbox

    sandbox = Sandbox(unsafe=unsafe, exams=questions.EXAMS)
    sandbox.__enter__()
    atexit.register(sandbox.__exit__, None, None, None)
    return sandbox


class Execute(preprocessors.Execute):  # type: ignore[misc]
    """Runs student cells behind the wall and test cells outside it, for plain nbgrader commands."""

    unsafe = Bool(False, help="Run student code without a sandbox where none can be built.").tag(
        config=True
    )

    def preprocess(self, nb: Any, resources: Any = None, km: Any = None) -> Any:
        """Execute the notebook.

        Raises:
            descent_autograder.sandbox.NoWall: when no sandbox can be built and `unsafe` is off.
        """
        resources = {} if resources is None else resources
        if refusal_of(nb) is not None:
            return nb, resources
        known = resources.get("nbgrader", {})
        folder = Path(resources.get("metadata", {}).get("path") or ".")
        course = _course_near(folder)
        outcome = _sandbox(self.unsafe).execute(
            to_bytes(nb),
            assignment=known.get("assignment", ""),
            student=known.get("student", ""),
            secret=_NO_SECRET if course is None else course.secret(),
            files=collect(folder, ()).files,
            release=_released(course, known),
        )
        executed = to_node(outcome.notebook)
        if known:
            add_notice(executed, outcome.remarks)
        return executed, resources


def _course_near(folder: Path) -> Course | None:
    try:
        return _course_at(find_root(folder))
    except NoCourse:
        return None


@functools.cache
def _course_at(root: Path) -> Course:
    return Course(root)


def _released(course: Course | None, known: Mapping[str, str]) -> bytes | None:
    """The released notebook, as far as it is known which one."""
    if course is None or not known:
        return None
    path = course.path("release", ".", known["assignment"]) / f"{known['notebook']}.ipynb"
    return path.read_bytes() if path.is_file() else None


class IntakeExporter(NotebookExporter):  # type: ignore[misc]
    """nbconvert's notebook exporter, with our intake in front of what nbgrader sanitises."""

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> Any:
        """Convert a notebook file; a submitted one goes through intake first."""
        known = (resources or {}).get("nbgrader", {})
        if not getattr(self.parent, "_sanitizing", False) or not known:
            return super().from_filename(filename, resources=resources, **kw)
        path = Path(filename)
        resources["metadata"] = {"name": path.stem, "path": str(path.parent)}
        coursedir = self.parent.coursedir
        release = coursedir.format_path(coursedir.release_directory, ".", known["assignment"])
        with api.Gradebook(known["db_url"]) as gradebook:
            released = released_notebooks(gradebook, known["assignment"], Path(release))
        name = known["notebook"]
        found = collect(path.parent, [name])
        node, _ = admit(found.notebooks.get(name), released[name], found.refusals.get(name))
        return self.from_notebook_node(node, resources=resources, **kw)


def use_wall_in_validate() -> None:
    """Make ``nbgrader validate`` execute behind the wall too, which no setting can."""
    steps = [preprocessors.CheckCellMetadata, preprocessors.ClearOutput, Execute]
    Validator.preprocessors.default_args = (steps,)
