"""``descent doctor``: what stands on this machine, what is missing, and what to do about it."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from descent_autograder.core.course import (
    SECRET_NAME,
    Course,
    open_course,
    put_scripts_on_path,
    secret_is_private,
)
from descent_autograder.core.errors import (
    GradebookBusy,
    GradebookUnreachable,
    NoCourse,
    WrongCall,
)

_PACKAGES = ("descent", "descent-solutions", "descent-autograder", "nbgrader", "numpy")
_ROOM = 2 * 2**30


@dataclass(frozen=True)
class Line:
    """One finding.

    Attributes:
        good: True, False, or None for what is no fault but worth knowing.
        what: what was looked at.
        found: what was found.
        remedy: what to do, where there is something to do.
    """

    good: bool | None
    what: str
    found: str
    remedy: str = ""

    def __str__(self) -> str:
        mark = {True: "✓", False: "✗", None: "·"}[self.good]
        text = f"{mark} {self.what:<10} {self.found}"
        return f"{text}\n{'':13}→ {self.remedy}" if self.remedy else text


def run(options: argparse.Namespace) -> int:
    """Examine the course that was named, or the one here, if there is one.

    Raises:
        WrongCall: when the named directory holds no course.
    """
    try:
        course: Course | None = open_course(options.course)
    except NoCourse as error:
        if options.course is not None:
            raise WrongCall(str(error)) from error
        course = None
    return doctor(course)


def doctor(course: Course | None) -> int:
    """Print what was found; return 1 when grading can't work as things are.

    Args:
        course: the course to look at, or None when there is none here.
    """
    put_scripts_on_path()
    bad = False
    for line in examine(course):
        print(line)
        bad = bad or line.good is False
    print("Something must be done before grading." if bad else "Grading can work here.")
    return 1 if bad else 0


def examine(course: Course | None) -> Iterator[Line]:
    """All findings, in the order in which a person would look."""
    yield _python()
    yield _versions()
    yield from _walls()
    yield _alembic()
    if course is None:
        yield Line(None, "course", "none here", "change to a course directory to have it examined")
    else:
        yield Line(True, "course", str(course.root))
        yield _gradebook(course)
        yield _secret(course)
    yield _disk(Path(tempfile.gettempdir()) if course is None else course.root)


def _python() -> Line:
    version = platform.python_version()
    good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    remedy = "" if good else "use Python 3.11, 3.12 or 3.13"
    return Line(good, "python", f"{version} on {platform.system()}", remedy)


def _versions() -> Line:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            return Line(False, "packages", f"{package} isn't installed", "run make setup")
    return Line(True, "packages", ", ".join(found))


def _walls() -> Iterator[Line]:
    from descent_autograder.sandbox import NoWall, best_wall
    from descent_autograder.sandbox.survey import survey

    try:
        best = best_wall()
    except NoWall as error:
        yield Line(False, "sandbox", "none can be built", str(error))
        best = None
    for finding in survey():
        stands = finding.wall is best
        what = "sandbox" if stands else "wall"
        reason = "stands" if finding.stands else finding.reason
        yield Line(True if stands else None, what, f"{finding.wall.name.lower()}: {reason}")


def _alembic() -> Line:
    path = shutil.which("alembic")
    if path:
        return Line(True, "alembic", "found; nbgrader calls it for a new gradebook")
    return Line(False, "alembic", "not on PATH; nbgrader calls it", "run make setup")


def _gradebook(course: Course) -> Line:
    from descent_autograder.gradebook.shared import opened, shown_url

    place = shown_url(course.db_url)
    if course.db_url.startswith("sqlite:///"):
        path = Path(course.db_url.removeprefix("sqlite:///"))
        if not path.exists():
            return Line(None, "gradebook", f"none yet at {place}; `descent release` makes it")
    try:
        gradebook = opened(course.db_url, course.course_id, patience=5.0)
    except (GradebookBusy, GradebookUnreachable) as error:
        return Line(False, "gradebook", str(error), "close what uses it, or mend its address")
    try:
        count = len(gradebook.assignments)
    finally:
        gradebook.close()
    return Line(True, "gradebook", f"{place}, {count} assignment(s)")


def _secret(course: Course) -> Line:
    path = course.root / SECRET_NAME
    if not path.exists():
        return Line(None, "secret", "none yet; the first grading makes it")
    if os.name == "posix" and not secret_is_private(course.root):
        return Line(False, "secret", f"{path} can be read by others", f"chmod 600 {path}")
    return Line(True, "secret", f"{path}; keep a backup of it")


def _disk(folder: Path) -> Line:
    free = shutil.disk_usage(folder).free
    found = f"{free / 2**30:.1f} GB free at {folder}"
    return Line(free >= _ROOM, "disk", found, "" if free >= _ROOM else "make room: 2 GB at least")
