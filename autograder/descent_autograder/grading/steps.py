"""One submission before and after its execution: intake and nbgrader's passes around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from descent_autograder.core.assignment import Master, Snapshot
from descent_autograder.gradebook import preprocessors as nbgrader
from descent_autograder.grading.work import Done, Task
from descent_autograder.intake import Mended, told


@dataclass(frozen=True)
class Submission:
    """What a student handed in.

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
class Prepared:
    """A submission that is ready to be executed.

    Attributes:
        submission: what was handed in.
        notebooks: the sanitised notebooks, by name; those that were refused among them.
        mended: what intake did to each.
    """

    submission: Submission
    notebooks: Mapping[str, bytes] = field(repr=False)
    mended: Mapping[str, Mended] = field(repr=False)

    def task(self, files: Mapping[str, bytes]) -> Task | None:
        """What a worker has to do, or None when every notebook was refused.

        Args:
            files: the assignment's own files, which replace the student's of the same name.
        """
        wanted = {n: raw for n, raw in self.notebooks.items() if not self.mended[n].refusal}
        if not wanted:
            return None
        return Task(self.submission.student, wanted, {**self.submission.files, **files})


@dataclass(frozen=True)
class Result:
    """What came of one submission, ready to be written.

    Attributes:
        student: the student's id.
        notebooks: the graded notebooks, up to where grades are saved.
        verdicts: by grade id, what the judge found.
        remarks: what intake mended and what happened in execution, in sentences.
        refusals: why notebooks couldn't be graded, by name.
        seconds: wall time of execution.
        cpu_seconds: processor time of execution and verdict.
        failed: whether the grader itself failed, so that the next run should try again.
    """

    student: str
    notebooks: Mapping[str, Any] = field(repr=False)
    verdicts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    remarks: Sequence[str] = ()
    refusals: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    failed: bool = False


class Desk:
    """Prepares submissions for execution and takes them back after it."""

    def __init__(
        self, masters: Mapping[str, Master], assignment: str, db_url: str, passes: Any
    ) -> None:
        """Work with what was released.

        Args:
            masters: what was released, by notebook.
            assignment: the folder of the unit.
            db_url: what nbgrader's passes are told about the gradebook; it isn't opened.
            passes: the `descent_autograder.gradebook.preprocessors.Passes` of the course.
        """
        self._masters = masters
        self._assignment = assignment
        self._db_url = db_url
        self._passes = passes
        self._snapshot = Snapshot(masters)

    def prepare(self, submission: Submission) -> Prepared:
        """Mend and sanitise a submission; what can't be read becomes a refusal."""
        notebooks: dict[str, bytes] = {}
        mended: dict[str, Mended] = {}
        for name in sorted(self._masters):
            refusal = submission.refusals.get(name)
            if refusal is None and name not in submission.notebooks:
                refusal = f"the submission holds no notebook called {name}.ipynb"
            raw = None if refusal else submission.notebooks[name]
            try:
                notebooks[name], mended[name] = self._taken_in(name, submission, raw, refusal)
            except Exception as error:
                # Whatever intake didn't foresee mustn't stop the class.
                refusal = f"{name}.ipynb couldn't be read ({told(error)})"
                notebooks[name], mended[name] = self._taken_in(name, submission, None, refusal)
        return Prepared(submission, notebooks, mended)

    def _taken_in(
        self, name: str, submission: Submission, raw: bytes | None, refusal: str | None
    ) -> tuple[bytes, Mended]:
        node, mended = nbgrader.intake(raw, self._masters[name], refusal)
        return nbgrader.to_transit(self._sanitised(node, name, submission)), mended

    def _sanitised(self, node: Any, name: str, submission: Submission) -> Any:
        if submission.remarks and nbgrader.refusal_of(node) is None:
            nbgrader.add_notice(node, submission.remarks, first=True)
        resources = self._resources(name, submission.student)
        with nbgrader.shared_gradebook(self._snapshot):
            return nbgrader.run(self._passes.sanitizing, node, resources)

    def finish(self, prepared: Prepared, done: Done | None) -> Result:
        """Take a submission back from its execution.

        Args:
            prepared: as it went out.
            done: what came of it; None when every notebook had been refused.
        """
        executed = {} if done is None else done.notebooks
        nodes: dict[str, Any] = {}
        for name, raw in prepared.notebooks.items():
            if name not in executed:
                nodes[name] = nbgrader.to_node(raw)
                continue
            node = nbgrader.to_node(executed[name].notebook)
            nbgrader.add_notice(node, executed[name].remarks)
            resources = self._resources(name, prepared.submission.student)
            nodes[name] = nbgrader.run(self._passes.executed, node, resources)
        mended = prepared.mended.items()
        return Result(
            student=prepared.submission.student,
            notebooks=nodes,
            verdicts={k: v for one in executed.values() for k, v in one.verdicts.items()},
            remarks=[
                *prepared.submission.remarks,
                *(remark for _, one in mended for remark in one.remarks),
                *(remark for one in executed.values() for remark in one.remarks),
            ],
            refusals={name: one.refusal for name, one in mended if one.refusal},
            seconds=0.0 if done is None else done.seconds,
            cpu_seconds=sum(one.cpu_seconds for one in executed.values()),
        )

    def give_up(self, prepared: Prepared, reason: str) -> Result:
        """The result when the grader itself failed; the next run tries again."""
        names = list(prepared.notebooks)
        nodes = {name: nbgrader.intake(None, self._masters[name], reason)[0] for name in names}
        return Result(
            student=prepared.submission.student,
            notebooks=nodes,
            remarks=list(prepared.submission.remarks),
            refusals=dict.fromkeys(names, reason),
            failed=True,
        )

    def _resources(self, name: str, student: str) -> dict[str, Any]:
        return nbgrader.resources_for(self._assignment, name, student, self._db_url)
