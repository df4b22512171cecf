"""Intake: what students hand in, mended where that is honest and refused where it can't be read.

`collect` looks at the folder (and never follows a link), `mend` at the notebook's bytes. Both say
in sentences what they did; the sentences go to the student and to the instructor.
"""

from descent_autograder.intake.files import (
    Collected,
    Limits,
    collect,
    student_problem,
    submissions,
)
from descent_autograder.intake.mending import Mended, mend, notice_of
from descent_autograder.intake.notebooks import Refused
from descent_autograder.intake.words import printable, shown, told

__all__ = [
    "Collected",
    "Limits",
    "Mended",
    "Refused",
    "collect",
    "mend",
    "notice_of",
    "printable",
    "shown",
    "student_problem",
    "submissions",
    "told",
]
