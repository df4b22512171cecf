"""nbgrader's preprocessors: which ones a course has configured, run as nbgrader would run them.

Each is nbgrader's own class, unchanged but for `SaveAutoGrades`, which knows refused submissions
and scores that are no scores. ``descent grade`` runs them with one shared gradebook and a prepared
schema validator; plain nbgrader commands get theirs from `descent_autograder.nbgrader_plugin`.
"""

from __future__ import annotations

import functools
import json
import logging
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import jsonschema
import nbformat
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
from traitlets.config import LoggingConfigurable
from traitlets.utils.importstring import import_item

from descent_autograder.core.nodes import refusal_of

_shared: ContextVar[Any] = ContextVar("shared gradebook", default=None)


# --- one gradebook for all ---------------------------------------------------------------------


def _gradebook(*args: Any, **kwargs: Any) -> Any:
    """Stands for `nbgrader.api.Gradebook` inside them: the shared one if there is one."""
    shared = _shared.get()
    return api.Gradebook(*args, **kwargs) if shared is None else shared


@functools.cache
def _validator(version: int) -> Any:
    cls = {1: MetadataValidatorV1, 2: MetadataValidatorV2, 3: MetadataValidatorV3}[version]
    schema = cls().schema
    return jsonschema.validators.validator_for(schema)(schema)


def _validate(instance: Any, schema: Any) -> None:
    """What `jsonschema.validate` does, without building the validator for every cell anew.

    A cell's metadata that was sound in one notebook isn't looked at again in the others.
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
    """Inside this block every preprocessor uses `gradebook` instead of opening one of its own."""
    token = _shared.set(gradebook)
    try:
        yield
    finally:
        _shared.reset(token)


# --- those of a course -------------------------------------------------------------------------


class _Quiet(LoggingConfigurable):  # type: ignore[misc]
    """Their parent: keeps nbgrader's log, which speaks of every cell, out of sight."""

    log = logging.getLogger("descent.preprocessors")


class Preprocessors:
    """Those that a course has configured for ``nbgrader autograde``, ready to run.

    Attributes:
        sanitizing: from the submitted to the sanitised notebook.
        executed: what follows execution, up to where grades are saved.
        saving: saving grades, and all that follows.
    """

    def __init__(self, config: Any) -> None:
        """Build each of them once, with the course's configuration."""
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
    cls = import_item(step) if isinstance(step, str) else step
    return cls(parent=parent)


def _saving(step: Any, parent: Any) -> Any:
    """The course's own; ours instead of nbgrader's stock one."""
    return SaveAutoGrades(parent=parent) if type(step) is preprocessors.SaveAutoGrades else step


def run(steps: Sequence[Any], node: Any, resources: dict[str, Any]) -> Any:
    """Apply preprocessors one after the other."""
    for step in steps:
        node, resources = step(node, resources)
    return node


def resources_for(assignment: str, notebook: str, student: str, db_url: str) -> dict[str, Any]:
    """What nbgrader tells its preprocessors about a notebook."""
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
