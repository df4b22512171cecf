"""Grading a class: workers get ready while nbgrader, the class and the gradebook load.

Nothing here imports nbgrader before the workers are on their way: that takes most of a second. What
the run itself does is in :mod:`descent_autograder.grading.class_run`.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from descent_autograder import intake
from descent_autograder.core.course import Course
from descent_autograder.core.journal import Records
from descent_autograder.grading.local_workers import DaskPool, LocalPool, Pool


class AlreadyRunning(RuntimeError):
    """Another grading run is at work in this course."""


class NothingSubmitted(RuntimeError):
    """There is nothing to grade; the message says where it was looked for."""


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        students: only these, or everybody when empty.
        jobs: local worker processes; 0 means one a core.
        scheduler: the address of a Dask scheduler, in place of local workers.
        unsafe: run student code without a sandbox where none can be built.
        force: also grade again what hasn't changed.
        patience: seconds to wait for a locked gradebook.
        limits: overrides of the sandbox's limits, by name.
    """

    students: Sequence[str] = ()
    jobs: int = 0
    scheduler: str | None = None
    unsafe: bool = False
    force: bool = False
    patience: float = 120.0
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Summary:
    """What a run did.

    Attributes:
        graded: students graded in this run.
        unchanged: students whose grades stood already.
        rejected: folders that couldn't be used at all, with the reason.
        failed: students whom the grader itself failed; the next run tries them again.
        seconds: wall time.
    """

    graded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


Progress = Callable[[int, int, str], None]
"""Told (done, total, student) after each submission."""


def no_progress(done: int, total: int, student: str) -> None:
    """Show nothing."""


def grade(
    course: Course,
    assignment: str,
    options: Options | None = None,
    progress: Progress = no_progress,
    say: Callable[[str], None] = print,
) -> Summary:
    """Grade all submissions of an assignment that aren't graded yet.

    Args:
        course: the course.
        assignment: the folder of the unit.
        options: how to grade.
        progress: told after each submission.
        say: told what a person should know while it runs.

    Raises:
        NothingSubmitted: when nobody handed it in.
        AlreadyRunning: when another run is at work in this course.
        NotReleased: when the assignment hasn't been released.
        GradebookBusy, GradebookUnreachable: when the gradebook can't be used.
        WorkersFailed: when no worker could be started, for instance for want of a wall.
    """
    options = options or Options()
    started = time.monotonic()
    summary = Summary()
    with _only_run(course), contextlib.closing(_pool(options)) as pool:
        pool.grow(_likely_to_wait(course, assignment, options))
        from descent_autograder.grading.class_run import Run

        found = _find(course, assignment, options, summary)
        with _fewer_collections(), Run(course, assignment, options, say) as run:
            waiting = run.waiting(found, summary)
            total = len(summary.unchanged)
            if waiting:
                pool.grow(len(waiting))
                run.grade(waiting, pool, summary, progress, total)
    summary.seconds = time.monotonic() - started
    return summary


def _likely_to_wait(course: Course, assignment: str, options: Options) -> int:
    """How many submissions there are to grade, as far as a glance at the usual places can tell.

    The configuration may name other places; reading it imports nbgrader.
    """
    records = Records(course.records / assignment)
    return sum(
        problem is None
        and (not options.students or student in options.students)
        and (options.force or not records.has(student))
        for student, problem in intake.submissions(course.root / "submitted", assignment)
    )


def _find(course: Course, assignment: str, options: Options, summary: Summary) -> list[str]:
    submitted = course.step("submitted")
    missing = set(options.students)
    usable = []
    for student, problem in intake.submissions(submitted, assignment):
        if options.students and student not in options.students:
            continue
        missing.discard(student)
        if problem is None:
            usable.append(student)
        else:
            summary.rejected[student] = problem
    if missing:
        names = ", ".join(sorted(missing))
        raise NothingSubmitted(f"no submission of {assignment} by {names} in {submitted}")
    if not usable and not summary.rejected:
        raise NothingSubmitted(f"nobody has submitted {assignment}: {submitted} holds none")
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
    course.records.mkdir(parents=True, exist_ok=True)
    with open(course.records / "grading.lock", "a+") as file:
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
