"""nbgrader's passes: which ones a course has configured, run as nbgrader would run them.

Every pass is nbgrader's own class, unchanged but for two: `Execute` runs the notebook behind the
wall, `SaveAutoGrades` knows refused submissions and scores that are no scores. Plain
``nbgrader autograde`` uses these through ``nbgrader_config.py``; ``descent grade`` runs the same
passes with one shared gradebook, a prepared schema validator and warm workers.
"""

from __future__ import annotations

import atexit
import functools
import json
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import nbformat
from nbconvert.exporters import NotebookExporter
from nbgrader import api, preprocessors, utils
from nbgrader.converters import Autograde
from nbgrader.nbgraderformat import common
from nbgrader.nbgraderformat.v1 import MetadataValidatorV1
from nbgrader.nbgraderformat.v2 import MetadataValidatorV2
from nbgrader.nbgraderformat.v3 import MetadataValidatorV3
from nbgrader.preprocessors import (
    getgrades,
    latesubmissions,
    overwritecells,
    overwritekernelspec,
    saveautogrades,
)
from traitlets import Bool
from traitlets.config import LoggingConfigurable

from descent_autograder.core.assignment import Master, load_masters
from descent_autograder.core.course import Course, NoCourse, find_root
from descent_autograder.intake import Mended, collect, mend, notice_of
from descent_autograder.intake.mending import refused
from descent_autograder.reports.sanitize import remembering

NOTICE_ID = "descent-notice"

_shared: ContextVar[Any] = ContextVar("shared gradebook", default=None)


# --- one gradebook for all passes ------------------------------------------------------------


def _gradebook(*args: Any, **kwargs: Any) -> Any:
    """Stands for `nbgrader.api.Gradebook` inside the passes: the shared one if there is one."""
    shared = _shared.get()
    return api.Gradebook(*args, **kwargs) if shared is None else shared


@functools.cache
def _validator(version: int) -> Any:
    cls = {1: MetadataValidatorV1, 2: MetadataValidatorV2, 3: MetadataValidatorV3}[version]
    schema = cls().schema
    return jsonschema.validators.validator_for(schema)(schema)


def _validate(instance: Any, schema: Any) -> None:
    """What `jsonschema.validate` does, without building the validator for every cell anew.

    Nor is the metadata of a cell looked at again that was sound in somebody else's notebook.
    """
    version = schema["properties"]["schema_version"]["maximum"]
    _validated(version, json.dumps(instance))


@functools.lru_cache(maxsize=2048)
def _validated(version: int, instance: str) -> None:
    # What isn't sound raises, and so is never remembered.
    _validator(version).validate(json.loads(instance))


def _prepare_nbgrader() -> None:
    for module in (saveautogrades, latesubmissions, overwritecells, overwritekernelspec, getgrades):
        module.Gradebook = _gradebook
    common.jsonschema = SimpleNamespace(validate=_validate)


_prepare_nbgrader()


@contextmanager
def shared_gradebook(gradebook: Any) -> Iterator[None]:
    """Inside this block every pass uses `gradebook` instead of opening one of its own."""
    token = _shared.set(gradebook)
    try:
        yield
    finally:
        _shared.reset(token)


# --- reading and writing notebooks ------------------------------------------------------------


def to_node(notebook: bytes | Mapping[str, Any]) -> Any:
    """A `NotebookNode` from a file's bytes or plain data, with sources as single strings."""
    document = json.loads(notebook) if isinstance(notebook, bytes) else notebook
    return nbformat.v4.nbjson.to_notebook(document)


def to_bytes(node: Any) -> bytes:
    """The bytes that nbconvert's ``NotebookExporter`` would write.

    Most cells are the same in all submissions, so nbformat writes each of them once.
    """
    cells = [_written_cell(json.dumps(cell, ensure_ascii=False)) for cell in node.cells]
    text: str = nbformat.v4.nbjson.writes(nbformat.from_dict({**node, "cells": []}))
    if cells:
        # No line breaks stand in JSON's strings, so this can only be the notebook's own list.
        text = text.replace('\n "cells": []', f'\n "cells": [{",".join(cells)}\n ]')
    return (text + "\n").encode("utf-8")


@remembering
def _written_cell(cell: str) -> str:
    """A cell as it stands in a file."""
    node = nbformat.from_dict({"cells": [json.loads(cell)], "metadata": {}})
    text: str = nbformat.v4.nbjson.writes(node)
    return text[text.index("[") + 1 : text.rindex("]")].rstrip()


def to_transit(node: Any) -> bytes:
    """A notebook as compact JSON, for the way to a worker."""
    return json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def refusal_of(node: Any) -> str | None:
    """Why intake refused this notebook, or None."""
    reason = node.metadata.get("descent", {}).get("refusal")
    return None if reason is None else str(reason)


def add_notice(
    node: Any, remarks: Sequence[str], refusal: str | None = None, *, first: bool = False
) -> None:
    """Tell the student at the head of the notebook what intake and execution remarked.

    Args:
        node: the notebook, changed in place.
        remarks: sentences, added to those that stand there already.
        refusal: why the notebook can't be graded.
        first: put these sentences before those that stand there.
    """
    if refusal is not None:
        node.metadata["descent"] = {"refusal": refusal}
    if not remarks and refusal is None:
        return
    notice = next((c for c in node.cells if c.metadata.get("descent")), None)
    said: list[str] = [] if notice is None else list(notice.metadata["descent"]["remarks"])
    said = [*remarks, *said] if first else [*said, *remarks]
    if notice is None:
        notice = nbformat.v4.new_markdown_cell(id=NOTICE_ID)
        if node.nbformat_minor < 5:
            del notice["id"]
        node.cells.insert(0, notice)
    notice.metadata["descent"] = {"remarks": said}
    notice.source = notice_of(said, refusal)


def intake(raw: bytes | None, master: Master, refusal: str | None = None) -> tuple[Any, Mended]:
    """Mend a submitted notebook, or put the release in the place of one that can't be read.

    Args:
        raw: the submitted file; None when `refusal` says why there is none.
        master: what was released.
        refusal: the reason that the folder gave.

    Returns:
        The notebook, ready for the sanitising passes, and what was done to it.
    """
    if raw is None:
        mended = refused(master, refusal or f"{master.notebook}.ipynb is missing")
    else:
        mended = mend(raw, master)
    node = to_node(mended.notebook)
    add_notice(node, mended.remarks, mended.refusal)
    return node, mended


# --- the passes of a course --------------------------------------------------------------------


class _Quiet(LoggingConfigurable):  # type: ignore[misc]
    """The parent of the passes: keeps nbgrader's log, which speaks of every cell, out of sight."""

    log = logging.getLogger("descent.passes")


class Passes:
    """The passes that a course has configured for ``nbgrader autograde``, ready to run.

    Attributes:
        sanitizing: from the submitted to the sanitised notebook.
        executed: what follows execution, up to where grades are saved.
        saving: saving grades, and all that follows.
    """

    def __init__(self, config: Any) -> None:
        """Build every pass once, with the course's configuration."""
        parent = _Quiet(config=config)
        parent.log.propagate = False
        parent.log.addHandler(logging.NullHandler())
        converter = Autograde(config=config)
        self.sanitizing = [_instance(p, parent) for p in converter.sanitize_preprocessors]
        rest = [_instance(p, parent) for p in converter.autograde_preprocessors]
        saves = [isinstance(p, preprocessors.SaveAutoGrades) for p in rest]
        first = saves.index(True) if True in saves else len(rest)
        self.executed = [p for p in rest[:first] if not isinstance(p, preprocessors.Execute)]
        self.saving = [_saving(p, parent) for p in rest[first:]]


def _instance(step: Any, parent: Any) -> Any:
    from traitlets.utils.importstring import import_item

    cls = import_item(step) if isinstance(step, str) else step
    return cls(parent=parent)


def _saving(step: Any, parent: Any) -> Any:
    """The course's own pass; ours in the place of nbgrader's stock one."""
    return SaveAutoGrades(parent=parent) if type(step) is preprocessors.SaveAutoGrades else step


def run(passes: Sequence[Any], node: Any, resources: dict[str, Any]) -> Any:
    """Apply passes one after the other."""
    for step in passes:
        node, resources = step(node, resources)
    return node


def resources_for(assignment: str, notebook: str, student: str, db_url: str) -> dict[str, Any]:
    """What nbgrader tells its passes about a notebook."""
    known = {"student": student, "assignment": assignment, "notebook": notebook, "db_url": db_url}
    return {"unique_key": notebook, "output_files_dir": f"{notebook}_files", "nbgrader": known}


class SaveAutoGrades(preprocessors.SaveAutoGrades):  # type: ignore[misc]
    """nbgrader's own, but stderr costs nothing and only scores within bounds count.

    A refused notebook gets 0 points and asks for a look; its reason is the comment. A cell whose
    value is NaN, negative or above its points gets 0 and asks for a look, where nbgrader would
    give full marks or stop.
    """

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Save the grades and comments of all cells."""
        self._refusal = refusal_of(nb)
        return super().preprocess(nb, resources)

    def _add_score(self, cell: Any, resources: Any) -> None:
        if self._refusal is None and _score_is_sound(cell):
            super()._add_score(_without_stderr(cell), resources)
            return
        grade = self.gradebook.find_grade(
            cell.metadata["nbgrader"]["grade_id"],
            self.notebook_id,
            self.assignment_id,
            self.student_id,
        )
        grade.auto_score = 0
        grade.needs_manual_grade = True
        self.gradebook.db.commit()

    def _add_comment(self, cell: Any, resources: Any) -> None:
        super()._add_comment(cell, resources)
        if self._refusal is not None:
            comment = self.gradebook.find_comment(
                cell.metadata["nbgrader"]["grade_id"],
                self.notebook_id,
                self.assignment_id,
                self.student_id,
            )
            comment.auto_comment = f"Not graded: {self._refusal}."
            self.gradebook.db.commit()


def _without_stderr(cell: Any) -> Any:
    if cell.cell_type != "code" or not any(o.get("name") == "stderr" for o in cell.outputs):
        return cell
    quiet = nbformat.from_dict(cell)
    quiet.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return quiet


def _score_is_sound(cell: Any) -> bool:
    if cell.cell_type != "code" or utils.is_solution(cell):
        return True
    for output in cell.outputs:
        if output.output_type == "error":
            return True
        if output.output_type == "execute_result":
            try:
                score = float(output.data["text/plain"])
            except (KeyError, TypeError, ValueError):
                return "text/plain" in output.data
            return math.isfinite(score) and 0 <= score <= float(cell.metadata.nbgrader["points"])
    return True


# --- plain nbgrader, behind our wall -----------------------------------------------------------


@functools.cache
def _worker(unsafe: bool) -> Any:
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
        outcome = _worker(self.unsafe).execute(
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


_NO_SECRET = b"no course, so no secret: any cases will do"


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
    """nbconvert's notebook exporter, with our intake in front of nbgrader's sanitising passes."""

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
            masters = load_masters(gradebook, known["assignment"], Path(release))
        master = masters[known["notebook"]]
        found = collect(path.parent, [master.notebook])
        raw = found.notebooks.get(master.notebook)
        node, _ = intake(raw, master, found.refusals.get(master.notebook))
        return self.from_notebook_node(node, resources=resources, **kw)


def use_wall_in_validate() -> None:
    """Make ``nbgrader validate`` execute behind the wall too; its passes can't be configured."""
    from nbgrader.validator import Validator

    steps = [preprocessors.CheckCellMetadata, preprocessors.ClearOutput, Execute]
    Validator.preprocessors.default_args = (steps,)
