"""Releasing units: nbgrader's own ``generate_assignment``, only where something has changed."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from descent_autograder.core.course import Course
from descent_autograder.core.errors import ReleaseFailed
from descent_autograder.core.journal import Journal, digest
from descent_autograder.publishing.grade_cells import notebook_problems


@dataclass(frozen=True)
class Released:
    """What became of one unit.

    Attributes:
        unit: its folder.
        changed: whether it was released anew; False when the release stood already.
        notebooks: how many notebooks.
        points: the points of all cells together.
    """

    unit: str
    changed: bool
    notebooks: int
    points: float


def release(course: Course, units: Sequence[str]) -> list[Released]:
    """Release units; what stands as it should is left alone.

    Args:
        course: the course.
        units: folders below the course's source directory.

    Raises:
        ReleaseFailed: when a unit has no source, holds a test cell that can't be judged, or
            nbgrader refuses it.
    """
    return [_release(course, unit) for unit in units]


def _release(course: Course, unit: str) -> Released:
    source = course.path("source", ".", unit)
    notebooks = sorted(source.glob("*.ipynb")) if source.is_dir() else []
    if not notebooks:
        raise ReleaseFailed(f"{unit} has no notebook in {source}")
    found = [problem for path in notebooks for problem in notebook_problems(path)]
    if found:
        raise ReleaseFailed(
            f"{unit} can't be released, because test cells run outside the student's process:\n"
            + "\n".join(f"  {problem}" for problem in found)
        )
    journal = Journal(course.journals / ".released")
    state = digest(_state(course, source))
    before = journal.read(unit) or {}
    if before.get("state") != state or not _stands(course, unit, notebooks, before):
        _generate(course, unit)
        journal.write(unit, {"state": state, "released": _released_state(course, unit)})
        return _summary(course, unit, len(notebooks), changed=True)
    return _summary(course, unit, len(notebooks), changed=False)


def _state(course: Course, source: Path) -> Iterator[bytes | str]:
    for path in sorted(p for p in source.rglob("*") if p.is_file()):
        if ".ipynb_checkpoints" not in path.parts:
            yield str(path.relative_to(source))
            yield path.read_bytes()
    config = course.root / "nbgrader_config.py"
    yield config.read_bytes() if config.is_file() else b""


def _released_state(course: Course, unit: str) -> str:
    folder = course.path("release", ".", unit)
    return digest(
        part
        for path in sorted(folder.rglob("*.ipynb"))
        for part in (str(path.relative_to(folder)), path.read_bytes())
    )


def _stands(course: Course, unit: str, notebooks: Sequence[Path], before: dict[str, Any]) -> bool:
    """Whether the release folder and the gradebook are as the last release left them."""
    if before.get("released") != _released_state(course, unit):
        return False
    return _points(course, unit) is not None


def _points(course: Course, unit: str) -> float | None:
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(course.db_url, course.course_id) as gradebook:
        try:
            entry = gradebook.find_assignment(unit)
        except MissingEntry:
            return None
        return float(entry.max_score) if entry.notebooks else None


def _summary(course: Course, unit: str, notebooks: int, changed: bool) -> Released:
    return Released(unit, changed, notebooks, _points(course, unit) or 0.0)


def _generate(course: Course, unit: str) -> None:
    """Run nbgrader's generator, keeping its log for when it fails."""
    from nbgrader.converters.base import NbGraderException

    from descent_autograder.publishing.generator import Generator

    log = logging.getLogger("descent.release")
    log.propagate = False
    kept = _Kept()
    log.handlers = [kept]
    directory = course.directory
    directory.assignment_id = unit
    generator = Generator(coursedir=directory, config=course.config)
    generator.log = log
    generator.force = True
    try:
        generator.start()
    except NbGraderException as error:
        raise ReleaseFailed(f"nbgrader couldn't release {unit}: {kept.reason(error)}") from error


class _Kept(logging.Handler):
    """Keeps errors in memory."""

    def __init__(self) -> None:
        super().__init__(level=logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def reason(self, error: Exception) -> str:
        """The last line of what nbgrader said that tells the cause."""
        for message in self.messages:
            lines = [line for line in message.splitlines() if line.strip()]
            if lines and lines[0].startswith("Traceback"):
                return lines[-1]
        return (self.messages or [str(error) or type(error).__name__])[0]
