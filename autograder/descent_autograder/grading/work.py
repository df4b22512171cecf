"""The pure part of grading: prepared notebooks in, executed notebooks and verdicts out.

It knows no gradebook, no file and nothing of nbgrader. `execute` is the same function in a local
worker process and in a Dask worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Settings:
    """What all submissions of one run have in common.

    Attributes:
        assignment: the folder of the unit.
        releases: the released notebooks, by name.
        secret: the course's secret, from which the test cases are drawn.
        limits: overrides of the sandbox's limits, by name.
        unsafe: run student code without a sandbox where none can be built.
    """

    assignment: str
    releases: Mapping[str, bytes] = field(repr=False)
    secret: bytes = field(repr=False)
    limits: Mapping[str, Any] = field(default_factory=dict)
    unsafe: bool = False


@dataclass(frozen=True)
class Task:
    """One submission, mended and sanitised.

    Attributes:
        student: the student's id.
        notebooks: the notebooks to run, by name.
        files: what they find in their working directory.
    """

    student: str
    notebooks: Mapping[str, bytes] = field(repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Executed:
    """What came of one notebook.

    Attributes:
        notebook: the executed notebook.
        verdicts: by grade id, what the judge found.
        remarks: what happened, in sentences.
        cpu_seconds: processor time of execution and verdict.
    """

    notebook: bytes = field(repr=False)
    verdicts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    remarks: Sequence[str] = ()
    cpu_seconds: float = 0.0


@dataclass(frozen=True)
class Done:
    """What came of one submission: its notebooks by name, and the wall time it took."""

    student: str
    notebooks: Mapping[str, Executed]
    seconds: float


def execute(task: Task, settings: Settings, worker: Any) -> Done:
    """Run and judge the notebooks of one submission.

    Args:
        task: the submission.
        settings: what all submissions have in common.
        worker: a started `descent_autograder.sandbox.Sandbox`.
    """
    started = time.perf_counter()
    executed = {}
    for name, notebook in sorted(task.notebooks.items()):
        outcome = worker.execute(
            notebook,
            assignment=settings.assignment,
            student=task.student,
            secret=settings.secret,
            files=task.files,
            release=settings.releases[name],
        )
        executed[name] = Executed(
            outcome.notebook, outcome.verdicts, outcome.remarks, float(outcome.cpu_seconds)
        )
    return Done(task.student, executed, time.perf_counter() - started)


def start_sandbox(limits: Mapping[str, Any], unsafe: bool = False, cpu: int | None = None) -> Any:
    """Start a sandbox; the caller closes it.

    Args:
        limits: overrides of the sandbox's limits, by name.
        unsafe: run student code without a sandbox where none can be built.
        cpu: the core to pin it to.

    Raises:
        descent_autograder.sandbox.NoWall: when none can be built and `unsafe` is off.
    """
    from descent_autograder import questions, sandbox

    return sandbox.start_sandbox(sandbox.Limits(**limits), unsafe, cpu, questions.EXAMS)


_of_thread = threading.local()


def execute_here(task: Task, settings: Settings) -> Done:
    """Run one submission in this thread's own warm sandbox: the task of a Dask worker."""
    return execute(task, settings, _sandbox_here(settings.limits, settings.unsafe))


def warm_up_here(limits: Mapping[str, Any], unsafe: bool) -> None:
    """Build the sandbox that this thread's next submission would otherwise wait for."""
    _sandbox_here(limits, unsafe)


def _sandbox_here(limits: Mapping[str, Any], unsafe: bool) -> Any:
    """This thread's own sandbox: the one that it has, if that was built for the same limits."""
    import atexit

    wanted = dict(limits), unsafe
    known: tuple[Any, Any] | None = getattr(_of_thread, "sandbox", None)
    if known is None or known[0] != wanted:
        if known is not None:
            known[1].close()
        worker = start_sandbox(limits, unsafe)
        atexit.register(worker.close)
        known = _of_thread.sandbox = (wanted, worker)
    return known[1]
