"""Grading a class: workers get ready while nbgrader, the class and the gradebook load.

Nothing here imports nbgrader before the workers have been started: that takes most of a second.
What the run itself does is in :mod:`descent_autograder.grading.class_run`.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import time
from collections.abc import Callable, Iterator

from descent_autograder import intake
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.core.errors import AlreadyRunning, NothingSubmitted
from descent_autograder.grading.dask_workers import DaskPool
from descent_autograder.grading.local_workers import LocalPool
from descent_autograder.grading.options import Options, Progress, Summary, no_progress
from descent_autograder.grading.workers import Pool


def grade(
    assignment: Assignment,
    options: Options | None = None,
    progress: Progress = no_progress,
    say: Callable[[str], None] = print,
) -> Summary:
    """Grade all submissions of an assignment that aren't graded yet.

    Args:
        assignment: the unit.
        options: how to grade.
        progress: told after each submission.
        say: told what a person should know while it runs.

    Raises:
        NothingSubmitted: when nobody handed it in.
        AlreadyRunning: when another run is at work in this course.
        NotReleased: when the assignment hasn't been released.
        GradebookBusy, GradebookUnreachable: when the gradebook can't be used.
        WorkersFailed: when no worker could be started, for instance because no wall can be built.
    """
    options = options or Options()
    started = time.monotonic()
    summary = Summary()
    with _only_run(assignment.course), contextlib.closing(_pool(options)) as pool:
        pool.grow(_likely_to_wait(assignment, options))
        from descent_autograder.grading.class_run import ClassRun

        found = _find(assignment, options, summary)
        with _fewer_collections(), ClassRun(assignment, options, say) as run:
            waiting = run.waiting(found, summary)
            total = len(summary.unchanged)
            if waiting:
                pool.grow(len(waiting))
                run.grade(waiting, pool, summary, progress, total)
    summary.seconds = time.monotonic() - started
    return summary


def _likely_to_wait(assignment: Assignment, options: Options) -> int:
    """How many submissions there are to grade, as far as a glance at the usual places can tell.

    The configuration may name other places; reading it imports nbgrader.
    """
    submitted = assignment.course.root / "submitted"
    return sum(
        problem is None
        and (not options.students or student in options.students)
        and (options.force or not assignment.journal.has(student))
        for student, problem in intake.submissions(submitted, assignment.name)
    )


def _find(assignment: Assignment, options: Options, summary: Summary) -> list[str]:
    submitted = assignment.course.step("submitted")
    missing = set(options.students)
    usable = []
    for student, problem in intake.submissions(submitted, assignment.name):
        if options.students and student not in options.students:
            continue
        missing.discard(student)
        if problem is None:
            usable.append(student)
        else:
            summary.rejected[student] = problem
    if missing:
        names = ", ".join(sorted(missing))
        raise NothingSubmitted(f"no submission of {assignment.name} by {names} in {submitted}")
    if not usable and not summary.rejected:
        raise NothingSubmitted(f"nobody has submitted {assignment.name}: {submitted} holds none")
    return usable


@contextlib.contextmanager
def _fewer_collections() -> Iterator[None]:
    """Spare the garbage collector a look, with every other submission, at all that was imported."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _pool(options: Options) -> Pool:
    """Who will do the work; none of them has been started yet."""
    if options.scheduler:
        return DaskPool(options.scheduler, options.limits, options.unsafe)
    return LocalPool(options.limits, options.unsafe, options.jobs)


@contextlib.contextmanager
def _only_run(course: Course) -> Iterator[None]:
    """Hold the course's lock, which ends with this process, however it ends."""
    course.journals.mkdir(parents=True, exist_ok=True)
    with open(course.journals / "grading.lock", "a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise AlreadyRunning(
                f"another grading run (process {file.read().strip() or 'unknown'}) is at work in "
                f"{course.root}; wait for it or end it"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
