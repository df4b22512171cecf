"""``descent refresh``: everything that is made from the reference solutions, made anew."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from descent_autograder.commands.arguments import existing_units, the_course
from descent_autograder.core import units
from descent_autograder.core.course import Course
from descent_autograder.publishing import solution_regions
from descent_autograder.questions import expected
from descent_autograder.questions.catalogue import entries


def run(options: argparse.Namespace) -> int:
    """Refresh the units that were named, or all."""
    course = the_course(options)
    return refresh(course, existing_units(course, options.units))


def refresh(course: Course, chosen: Sequence[str]) -> int:
    """Write the expected numbers and the solution regions of units.

    Args:
        course: the course whose source notebooks are filled.
        chosen: the folders of the units.

    Returns:
        0, or 1 when a notebook and the references don't fit; the reason is printed.
    """
    modules = {units.module(unit) for unit in chosen}
    questions = [name for name, entry in entries().items() if entry.asked.unit in modules]
    if questions:
        for path in expected.write(questions):
            print(f"expected numbers: {path.name}")
    folders = [str(course.path("source", ".", unit)) for unit in chosen]
    return solution_regions.main(["--write", *folders])
