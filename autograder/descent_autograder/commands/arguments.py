"""What arguments mean that several commands have: the course, its units, how to grade."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from descent_autograder.core import units
from descent_autograder.core.course import Course, open_course
from descent_autograder.core.errors import NoCourse, WrongCall
from descent_autograder.grading.options import Options
from descent_autograder.questions.catalogue import entries


def the_course(options: argparse.Namespace) -> Course:
    """The course that was named, or the one around the current directory.

    Raises:
        WrongCall: when there is none.
    """
    try:
        return open_course(options.course)
    except NoCourse as error:
        raise WrongCall(str(error)) from error


def existing_units(course: Course, names: Sequence[str]) -> list[str]:
    """The folders that the names mean; all that have a source when there are none.

    Raises:
        WrongCall: when a name means nothing, or its unit has no notebook.
    """
    chosen = named_units(course, names)
    known = course.units()
    for unit in chosen:
        if unit not in known:
            raise WrongCall(f"{unit} has no notebook in {course.step('source')}")
    if not chosen and not known:
        raise WrongCall(f"no unit has a notebook in {course.step('source')}")
    return list(dict.fromkeys(chosen or known))


def named_units(course: Course, names: Sequence[str]) -> list[str]:
    """The folders that the names mean, found without reading the configuration.

    Raises:
        UnknownUnit: when a name means nothing.
    """
    folders = [path.name for path in sorted(course.root.glob("source/*")) if path.is_dir()]
    return [units.resolve(name, folders) for name in names]


def units_and_questions(course: Course, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """The units' folders and the questions that names mean; all units when there are no names.

    Returns:
        The folders, and the ids of the units' questions and of those that were named themselves.

    Raises:
        UnknownUnit: when a name means nothing.
        WrongCall: when a unit that is meant has no notebook.
    """
    asked = [name for name in names if name in entries()]
    chosen = [name for name in names if name not in entries()]
    folders = [] if asked and not chosen else existing_units(course, chosen)
    modules = {units.module(folder) for folder in folders}
    of_units = [name for name, entry in entries().items() if entry.asked.unit in modules]
    return folders, list(dict.fromkeys([*of_units, *asked]))


def how_to_grade(options: argparse.Namespace) -> Options:
    """The options of grading, as far as a command has them."""
    return Options(
        students=tuple(getattr(options, "student", ())),
        jobs=options.jobs,
        scheduler=options.scheduler,
        unsafe=options.unsafe,
        force=getattr(options, "force", False),
    )
