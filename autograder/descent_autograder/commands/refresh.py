"""``descent refresh``: everything that follows from something else, made anew."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from descent_autograder.commands.arguments import the_course, units_and_questions
from descent_autograder.core.course import Course
from descent_autograder.core.errors import WrongCall
from descent_autograder.publishing import derived, solution_regions
from descent_autograder.questions import expected
from descent_autograder.questions.catalogue import entries


def run(options: argparse.Namespace) -> int:
    """Refresh what was named, or all; draw the cases of some questions anew.

    Raises:
        WrongCall: when there is no question of a name whose cases are to be drawn.
    """
    course = the_course(options)
    for name in options.redraw:
        if name not in entries():
            raise WrongCall(f"--redraw wants a question, as in central_difference, not {name!r}")
        _say(expected.write([name], redraw=True), "new cases")
    if options.redraw and not options.names:
        return 0
    folders, questions = units_and_questions(course, options.names)
    return refresh(course, folders, questions)


def refresh(course: Course, folders: Sequence[str], questions: Sequence[str]) -> int:
    """Write the expected numbers, and what notebooks have from elsewhere.

    Args:
        course: the course whose source notebooks are filled.
        folders: the units whose solution regions are filled.
        questions: those whose expected numbers are written.

    Returns:
        0, or 1 when a notebook and the references don't fit; the reason is printed.
    """
    if questions:
        _say(expected.write(questions), "expected numbers")
    status = 0
    if folders:
        paths = [str(course.path("source", ".", unit)) for unit in folders]
        status = solution_regions.main(["--write", *paths])
    for path in derived.refresh(course.root.parent, write=True):
        print(f"numbers of tasks, points and times: {path.name}")
    return status


def _say(paths: Sequence[object], what: str) -> None:
    for path in paths:
        print(f"{what}: {getattr(path, 'name', path)}")
