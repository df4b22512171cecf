"""``descent verify``: the proof of the grader, and a look at the test cells of the notebooks."""

from __future__ import annotations

import argparse

from descent_autograder.commands.arguments import named_units, the_course
from descent_autograder.core import units
from descent_autograder.publishing.grade_cells import notebook_problems
from descent_autograder.questions import verify as proof


def run(options: argparse.Namespace) -> int:
    """Prove the questions of units, and name test cells that couldn't be judged.

    Returns:
        0, or 1 when something isn't as it should be; it is printed.
    """
    course = the_course(options)
    chosen = named_units(course, options.units)
    status = int(proof.main([units.module(unit) for unit in chosen]))
    for unit in chosen or course.units():
        for path in sorted(course.path("source", ".", unit).glob("*.ipynb")):
            for problem in notebook_problems(path):
                print(f"{unit}: {problem}")
                status = status or 1
    return status
