"""``descent feedback``: the feedback of a graded unit."""

from __future__ import annotations

import argparse

from descent_autograder.commands.arguments import existing_units, the_course
from descent_autograder.core.assignment import Assignment
from descent_autograder.reports.feedback import write_feedback


def run(options: argparse.Namespace) -> int:
    """Write the feedback of everybody, or of those who were named."""
    course = the_course(options)
    unit = existing_units(course, [options.unit])[0]
    written = write_feedback(Assignment(course, unit), students=options.student or None)
    print(f"feedback for {len(written)} students in {course.step('feedback')}")
    return 0
