"""The pure part of grading: submitted bytes in, graded bytes out, no gradebook and no files.

`grade_submission` is the same function in a local worker process and in a Dask worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from descent_autograder.master import Master, Snapshot


@dataclass(frozen=True)
class Settings:
    """What all submissions of one run have in common.

    Attributes:
        assignment: the folder of the unit.
        masters: what was released, by notebook.
        config: nbgrader's configuration as plain nested dicts.
        secret: the course's secret, from which the test cases are drawn.
        db_url: what nbgrader's passes are told about the gradebook; it isn't opened.
        limits: overrides of the sandbox's limits, by name.
        unsafe: run student code without a sandbox where none can be built.
        files: files of the assignment itself, which replace the student's of the same name.
    """

    assignment: str
    masters: Mapping[str, Master] = field(repr=False)
    config: Mapping[str, Any] = field(repr=False)
    secret: bytes = field(repr=False)
    db_url: str = field(repr=False)
    limits: Mapping[str, float] = field(default_factory=dict)
    unsafe: bool = False
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Job:
    """One submission.

    Attributes:
        student: the student's id.
        notebooks: the submitted bytes of each notebook that was found.
        refusals: why the other notebooks can't be graded.
        files: what else was handed in.
        remarks: what the file side of intake remarked.
        timestamp: when it was handed in, as nbgrader wrote it.
        digest: what identifies this content, for resuming.
    """

    student: str
    notebooks: Mapping[str, bytes] = field(repr=False)
    refusals: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    remarks: Sequence[str] = ()
    timestamp: str | None = None
    digest: str = ""


@dataclass(frozen=True)
class Result:
    """What came of one submission.

    Attributes:
        student: the student's id.
        notebooks: the executed notebooks, as nbgrader would write them.
        verdicts: by notebook and grade id, what the judge found.
        remarks: what intake mended and what happened in execution, in sentences.
        refusals: why notebooks couldn't be graded, by notebook.
        seconds: wall time.
        cpu_seconds: processor time of execution and verdict.
        failed: whether the grader itself failed, so that the next run should try again.
    """

    student: str
    notebooks: Mapping[str, bytes] = field(repr=False)
    verdicts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    remarks: Sequence[str] = ()
    refusals: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    failed: bool = False


def grade_submission(job: Job, settings: Settings, worker: Any, passes: Any) -> Result:
    """Mend, sanitise, execute and judge one submission.

    Args:
        job: the submission.
        settings: what all submissions have in common.
        worker: a started `descent_autograder.sandbox.Worker`.
        passes: the `descent_autograder.passes.Passes` of the course.

    Returns:
        The result; whatever is in the submission becomes a refusal rather than an exception.
    """
    started = time.perf_counter()
    graded = [
        _grade_notebook(job, master, settings, worker, passes) for master in _in_order(settings)
    ]
    return Result(
        student=job.student,
        notebooks={one.name: one.notebook for one in graded},
        verdicts={one.name: one.verdicts for one in graded},
        remarks=[*job.remarks, *(remark for one in graded for remark in one.remarks)],
        refusals={one.name: one.refusal for one in graded if one.refusal},
        seconds=time.perf_counter() - started,
        cpu_seconds=sum(one.cpu_seconds for one in graded),
    )


def refuse_submission(job: Job, settings: Settings, reason: str, failed: bool = False) -> Result:
    """The result for a submission that can't be graded at all."""
    from descent_autograder import passes

    notebooks = {}
    for master in _in_order(settings):
        node, _ = passes.intake(None, master, reason)
        notebooks[master.notebook] = passes.to_bytes(node)
    return Result(
        student=job.student,
        notebooks=notebooks,
        remarks=list(job.remarks),
        refusals=dict.fromkeys(notebooks, reason),
        failed=failed,
    )


@dataclass
class _Graded:
    name: str
    notebook: bytes
    verdicts: Mapping[str, Any] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    refusal: str | None = None
    cpu_seconds: float = 0.0


def _in_order(settings: Settings) -> list[Master]:
    return [settings.masters[name] for name in sorted(settings.masters)]


def _grade_notebook(
    job: Job, master: Master, settings: Settings, worker: Any, passes: Any
) -> _Graded:
    from descent_autograder import passes as nbgrader

    name = master.notebook
    refusal = job.refusals.get(name)
    if refusal is None and name not in job.notebooks:
        refusal = f"the submission holds no notebook called {name}.ipynb"
    node, mended = nbgrader.intake(job.notebooks.get(name), master, refusal)
    if job.remarks and mended.refusal is None:
        nbgrader.add_notice(node, [*job.remarks, *mended.remarks])
    resources = nbgrader.resources_for(settings.assignment, name, job.student, settings.db_url)
    with nbgrader.shared_gradebook(Snapshot(settings.masters)):
        node = nbgrader.run(passes.sanitizing, node, resources)
    if mended.refusal is not None:
        return _Graded(name, nbgrader.to_bytes(node), refusal=mended.refusal)
    outcome = worker.execute(
        nbgrader.to_bytes(node),
        assignment=settings.assignment,
        student=job.student,
        secret=settings.secret,
        files={**job.files, **settings.files},
        release=master.release,
    )
    node = nbgrader.to_node(outcome.notebook)
    if outcome.remarks:
        nbgrader.add_notice(node, [*job.remarks, *mended.remarks, *outcome.remarks])
    node = nbgrader.run(passes.executed, node, resources)
    return _Graded(
        name,
        nbgrader.to_bytes(node),
        verdicts=outcome.verdicts,
        remarks=[*mended.remarks, *outcome.remarks],
        cpu_seconds=float(outcome.cpu_seconds),
    )


# --- a worker that lives as long as its process (or thread) ------------------------------------


class Grader:
    """A warm sandbox and the passes, for many submissions one after the other."""

    def __init__(self, settings: Settings, cpu: int | None = None) -> None:
        """Start the sandbox.

        Args:
            settings: what all submissions have in common.
            cpu: the core to pin the sandbox to.

        Raises:
            descent_autograder.sandbox.NoWall: when none can be built and `unsafe` is off.
        """
        from traitlets.config import Config

        from descent_autograder.passes import Passes
        from descent_autograder.sandbox import Limits, Worker

        self.settings = settings
        self.passes = Passes(Config(settings.config))
        self._worker = Worker(limits=Limits(**settings.limits), unsafe=settings.unsafe, cpu=cpu)
        self._worker.__enter__()

    def __enter__(self) -> Grader:
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()

    def grade(self, job: Job) -> Result:
        """Grade one submission."""
        return grade_submission(job, self.settings, self._worker, self.passes)

    def close(self) -> None:
        """Stop the sandbox."""
        self._worker.__exit__(None, None, None)


_of_thread = threading.local()


def grade_here(job: Job, settings: Settings) -> Result:
    """Grade one submission with this thread's own warm sandbox: the task of a Dask worker."""
    import atexit

    grader: Grader | None = getattr(_of_thread, "grader", None)
    if grader is None or grader.settings != settings:
        if grader is not None:
            grader.close()
        grader = _of_thread.grader = Grader(settings)
        atexit.register(grader.close)
    return grader.grade(job)
