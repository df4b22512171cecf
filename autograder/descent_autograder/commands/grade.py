"""``descent grade`` from end to end: grade, write feedback, report."""

from __future__ import annotations

import argparse
import shutil
import sys
from typing import Any

from tqdm import tqdm

from descent_autograder.commands.arguments import (
    existing_units,
    how_to_grade,
    named_units,
    the_course,
)
from descent_autograder.core.assignment import Assignment
from descent_autograder.grading import pipeline
from descent_autograder.grading.options import Options, Summary


def run(options: argparse.Namespace) -> int:
    """Grade the unit that was named."""
    course = the_course(options)
    unit = named_units(course, [options.unit])[0]
    if not any(course.root.glob(f"source/{unit}/*.ipynb")):
        existing_units(course, [unit])  # its place may be configured; that is slow to read
    return grade_class(
        Assignment(course, unit), how_to_grade(options), feedback=not options.no_feedback
    )


class Bar:
    """A progress bar with an estimate on stderr; a line now and then where that is a file.

    tqdm rather than rich: it is one small module, draws one line, and leaves logs readable.
    """

    def __init__(self, what: str) -> None:
        """Prepare a bar that appears with the first progress."""
        self._what = what
        self._bar: Any = None

    def __call__(self, done: int, total: int, student: str) -> None:
        """Show that `done` of `total` are done."""
        if self._bar is None:
            interval = 0.1 if sys.stderr.isatty() else 10.0
            self._bar = tqdm(
                total=total,
                initial=done - 1,
                desc=self._what,
                unit="student",
                mininterval=interval,
                maxinterval=max(interval, 10.0),
                dynamic_ncols=True,
                file=sys.stderr,
            )
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        """Leave the finished bar where it is."""
        if self._bar is not None:
            self._bar.close()


def grade_class(assignment: Assignment, options: Options, *, feedback: bool = True) -> int:
    """Grade a unit, write feedback and the class report, print the table.

    Args:
        assignment: the unit.
        options: how to grade.
        feedback: False leaves the feedback for later.

    Returns:
        0, or 1 when the grader itself failed for somebody.
    """
    course = assignment.course
    bar = Bar(f"grading {assignment.name}")
    try:
        summary = pipeline.grade(assignment, options, progress=bar, say=_say)
    finally:
        bar.close()
    from descent_autograder.reports import class_report  # only now: it imports nbgrader

    if feedback:
        from descent_autograder.reports.feedback import write_feedback

        write_feedback(assignment, students=_needing_feedback(assignment, summary))
    report = class_report.build(assignment, summary.rejected)
    page, sheet = class_report.write(report, course.reports)
    print(class_report.table(report, width=max(80, min(shutil.get_terminal_size().columns, 140))))
    print()
    print(_in_short(summary))
    waiting = class_report.by_hand(report)
    if waiting:
        print(waiting)
    if feedback:
        print(f"feedback:     {course.step('feedback')}")
    print(f"class report: {page} and {sheet.name}")
    if options.unsafe:
        print("warning: --unsafe was given; where no sandbox could be built, none was used")
    for student, reason in summary.failed.items():
        print(f"failed: {student}: {reason}; the same command tries again", file=sys.stderr)
    return 1 if summary.failed else 0


def _needing_feedback(assignment: Assignment, summary: Summary) -> set[str]:
    """Whoever was graded now, and whoever has no feedback yet."""
    missing = {s for s in summary.unchanged if not assignment.feedback(s).is_dir()}
    return missing | set(summary.graded)


def _in_short(summary: Summary) -> str:
    parts = [f"{len(summary.graded)} graded in {summary.seconds:.1f} s"]
    if summary.unchanged:
        parts.append(f"{len(summary.unchanged)} unchanged")
    if summary.rejected:
        parts.append(f"{len(summary.rejected)} folders refused")
    return ", ".join(parts)


def _say(message: str) -> None:
    tqdm.write(message, file=sys.stderr)
