"""Intake: what students hand in, mended where that is honest and refused where it can't be read.

`collect` looks at the folder (and never follows a link), `mend` at the notebook's bytes. Both say
in sentences what they did; the sentences go to the student and to the instructor. What makes
nbformat's nodes of it stands apart, in `admission`: nbformat takes long to import.
"""

from descent_autograder.intake.files import (
    Collected,
    FileLimits,
    collect,
    student_problem,
    submissions,
)
from descent_autograder.intake.mending import Mended, mend
from descent_autograder.intake.notebooks import Refused

__all__ = [
    "Collected",
    "FileLimits",
    "Mended",
    "Refused",
    "collect",
    "mend",
    "student_problem",
    "submissions",
]
