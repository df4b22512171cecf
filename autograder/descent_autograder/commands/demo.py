"""``descent demo``: unit 1 released, an invented class graded, its feedback written."""

from __future__ import annotations

import argparse
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from descent_autograder.commands.arguments import how_to_grade
from descent_autograder.commands.grade import grade_class
from descent_autograder.core import units
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import CONFIG_NAME, Course, open_course
from descent_autograder.core.errors import NoCourse
from descent_autograder.grading.options import Options
from descent_autograder.publishing.release import release
from descent_autograder.sampleclass import students
from descent_autograder.sandbox import best_wall

UNIT = units.folder(1)
MARK = ".made-by-descent-demo"
LIMITS = {"cell_seconds": 5.0, "notebook_seconds": 60.0}
"""Short, so that the student whose code never ends doesn't hold up the others."""


def run(options: argparse.Namespace) -> int:
    """Make and grade the demo in the folder that was named."""
    return demo(options.dir, how_to_grade(options))


def demo(folder: Path, options: Options) -> int:
    """Make a course of its own in `folder`, grade an invented class there, say where all is.

    Args:
        folder: where; what an earlier demo left there is replaced.
        options: how to grade.

    Returns:
        0, or 1 when the grader itself failed for somebody.

    Raises:
        NoCourse: when `folder` holds something else, or no course is at hand to copy from.
        descent_autograder.sandbox.NoWall: when no sandbox can be built.
    """
    if not options.unsafe:
        wall = best_wall()
        print(f"sandbox: {wall.name.lower()}")
    course = _fresh_course(folder.resolve(), open_course())
    unit = release(course, [UNIT])[0]
    print(f"released {unit.unit}: {unit.points:g} points")
    _hand_in(course)
    print(f"{len(students())} invented students have handed in:")
    for student in students():
        print(f"  {student.name:<8} {student.about}")
    print()
    return grade_class(Assignment(course, UNIT), replace(options, limits=LIMITS))


def _fresh_course(folder: Path, model: Course) -> Course:
    """A new course directory with the model's configuration and its first unit."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise NoCourse(f"{folder} isn't empty and wasn't made by descent demo; name another --dir")
    source = model.path("source", ".", UNIT)
    if not source.is_dir():
        raise NoCourse(f"{UNIT} has no source in {model.root}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text("Everything here is made anew by `descent demo`.\n")
    shutil.copyfile(model.root / CONFIG_NAME, folder / CONFIG_NAME)
    shutil.copytree(source, folder / "source" / UNIT)
    return open_course(folder)


def _hand_in(course: Course) -> None:
    """Write what every invented student submits."""
    released = _only_notebook(course.path("release", ".", UNIT))
    solved = _read(course.path("source", ".", UNIT) / released.name)
    for student in students():
        folder = course.path("submitted", student.name, UNIT)
        folder.mkdir(parents=True)
        (folder / released.name).write_bytes(student.hand_in(_read(released), solved))


def _only_notebook(folder: Path) -> Path:
    return next(iter(sorted(folder.glob("*.ipynb"))))


def _read(path: Path) -> Any:
    return json.loads(path.read_bytes())
