"""``descent verify``: the proof of the grader, and a look at the test cells of the notebooks."""

from __future__ import annotations

import argparse

from descent_autograder.commands.arguments import the_course, units_and_questions
from descent_autograder.publishing.grade_cells import notebook_problems
from descent_autograder.questions import verify as proof


def run(options: argparse.Namespace) -> int:
    """Prove questions, and name test cells of units that couldn't be judged.

    Where questions are named, and no unit, the pairs of mistakes that aren't looked for are listed.

    Returns:
        0, or 1 when something isn't as it should be; it is printed.
    """
    course = the_course(options)
    folders, questions = units_and_questions(course, options.names)
    if questions:
        status = int(proof.main(questions, details=not folders))
    else:
        status = 0
        print(f"{', '.join(folders)}: no question of the catalogue is asked there")
    for unit in folders:
        for path in sorted(course.path("source", ".", unit).glob("*.ipynb")):
            for problem in notebook_problems(path):
                print(f"{unit}: {problem}")
                status = status or 1
    return status
