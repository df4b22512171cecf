"""One submission before and after its execution: intake and nbgrader's preprocessors around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from descent_autograder.core.assignment import ReleasedNotebook
from descent_autograder.core.nodes import add_notice, refusal_of, to_node, to_transit
from descent_autograder.core.text import told
from descent_autograder.gradebook.preprocessors import (
    Preprocessors,
    resources_for,
    run,
    shared_gradebook,
)
from descent_autograder.gradebook.result import Result
from descent_autograder.gradebook.snapshot import Snapshot
from descent_autograder.grading.work import Done, Task
from descent_autograder.intake import Mended
from descent_autograder.intake.admission import admit


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


class Preparer:
    """Prepares submissions for execution and takes them back after it."""

    def __init__(
        self,
        released: Mapping[str, ReleasedNotebook],
        assignment: str,
        db_url: str,
        preprocessors: Preprocessors,
    ) -> None:
        """Work with what was released.

        Args:
            released: what was released, by notebook.
            assignment: the folder of the unit.
            db_url: what nbgrader's preprocessors are told about the gradebook; it isn't opened.
            preprocessors: those of the course.
        """
        self._released = released
        self._assignment = assignment
        self._db_url = db_url
        self._preprocessors = preprocessors
        self._snapshot = Snapshot(released)

    def prepare(self, submission: Submission) -> Prepared:
        """Mend and sanitise a submission; what can't be read becomes a refusal."""
        notebooks: dict[str, bytes] = {}
        mended: dict[str, Mended] = {}
        for name in sorted(self._released):
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
        node, mended = admit(raw, self._released[name], refusal)
        return to_transit(self._sanitised(node, name, submission)), mended

    def _sanitised(self, node: Any, name: str, submission: Submission) -> Any:
        if submission.remarks and refusal_of(node) is None:
            add_notice(node, submission.remarks, first=True)
        resources = self._resources(name, submission.student)
        with shared_gradebook(self._snapshot):
            return run(self._preprocessors.sanitizing, node, resources)

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
                nodes[name] = to_node(raw)
                continue
            node = to_node(executed[name].notebook)
            add_notice(node, executed[name].remarks)
            resources = self._resources(name, prepared.submission.student)
            nodes[name] = run(self._preprocessors.executed, node, resources)
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
        nodes = {name: admit(None, self._released[name], reason)[0] for name in names}
        return Result(
            student=prepared.submission.student,
            notebooks=nodes,
            remarks=list(prepared.submission.remarks),
            refusals=dict.fromkeys(names, reason),
            failed=True,
        )

    def _resources(self, name: str, student: str) -> dict[str, Any]:
        return resources_for(self._assignment, name, student, self._db_url)
