"""One run over a class: submitted ─▶ intake ─▶ workers ─▶ gradebook ─▶ autograded tree ─▶ record.

The steps of one submission are in an order in which a kill at any point costs only work: the
gradebook first, in one transaction, then the folder in the autograded tree, by renaming, then the
record. What has no record is done again, and comes out the same.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nbgrader.converters import Autograde

from descent_autograder import intake
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.errors import GradebookBusy, GradebookUnreachable, UnknownStudent
from descent_autograder.core.journal import digest
from descent_autograder.core.staging import Tree
from descent_autograder.core.text import printable, told
from descent_autograder.gradebook.preprocessors import Preprocessors
from descent_autograder.gradebook.result import Result
from descent_autograder.gradebook.writer import Writer, parse_timestamp
from descent_autograder.grading.options import Options, Progress, Summary
from descent_autograder.grading.steps import Prepared, Preparer, Submission
from descent_autograder.grading.work import Done, Settings, Task
from descent_autograder.grading.workers import Pool


class ClassRun:
    """The settings, the writer, the tree and the journal of one run; a context manager."""

    def __init__(
        self, assignment: Assignment, options: Options, say: Callable[[str], None]
    ) -> None:
        course = assignment.course
        self.assignment = assignment
        self.options = options
        self._converter = Autograde(config=course.config)
        preprocessors = Preprocessors(course.config)
        self.writer = Writer(
            course.db_url,
            course.course_id,
            assignment.name,
            preprocessors.saving,
            create_students=self._converter.create_student,
            patience=options.patience,
            on_wait=_once(say),
        )
        try:
            self.released = assignment.released(self.writer.gradebook)
        except BaseException:
            self.writer.close()
            raise
        self.preparer = Preparer(self.released, assignment.name, course.db_url, preprocessors)
        self.settings = Settings(
            assignment=assignment.name,
            releases={name: notebook.file for name, notebook in self.released.items()},
            secret=course.secret(),
            limits=dict(options.limits),
            unsafe=options.unsafe,
        )
        self.files = self._own_files()
        self._base = digest(self._fingerprint())
        self.tree = Tree(course.step("autograded"))

    def __enter__(self) -> ClassRun:
        return self

    def __exit__(self, *error: object) -> None:
        self.tree.close()
        self.writer.close()

    def _own_files(self) -> dict[str, bytes]:
        """Files of the assignment, which replace the student's, as nbgrader replaces them."""
        keep = set(self._converter.exclude_overwriting.get(self.assignment.name, []))
        if not self.assignment.source.is_dir():
            return {}
        files = intake.collect(self.assignment.source, ()).files
        return {path: content for path, content in files.items() if path not in keep}

    def _fingerprint(self) -> Iterator[bytes | str]:
        """What a grade depends on besides the submission."""
        yield importlib.metadata.version("descent-autograder")
        for name, notebook in sorted(self.released.items()):
            yield name
            yield notebook.file
            yield "".join(f"{c.grade_id}\0{c.source}\0{c.points}" for c in notebook.cells)
        for path, content in sorted(self.files.items()):
            yield path
            yield content

    def submission(self, student: str) -> Submission:
        """Read one submission; one that can't be read becomes a refusal with the reason."""
        try:
            return self._read(student)
        except Exception as error:
            # Whatever the file side of intake didn't foresee mustn't stop the class.
            reason = f"the submission couldn't be read ({told(error)})"
            return Submission(
                student,
                notebooks={},
                refusals=dict.fromkeys(self.released, reason),
                digest=digest([self._base, student, reason]),
            )

    def _read(self, student: str) -> Submission:
        folder = self.assignment.submitted(student)
        found = intake.collect(folder, list(self.released), taken=self.files)
        remarks = list(found.remarks)
        if found.timestamp and parse_timestamp(found.timestamp) is None:
            remarks.append("The file timestamp.txt holds no time that can be read.")
        parts: list[bytes | str] = [self._base, student]
        for group in (found.notebooks, found.files):
            for path, content in sorted(group.items()):
                parts += [path, content]
        parts += [f"{k}\0{v}" for k, v in sorted(found.refusals.items())] + remarks
        return Submission(
            student=student,
            notebooks=found.notebooks,
            refusals=found.refusals,
            files=found.files,
            remarks=remarks,
            timestamp=found.timestamp,
            digest=digest(parts),
        )

    def waiting(self, students: Sequence[str], summary: Summary) -> list[str]:
        """Who is still to be graded; the others are noted as unchanged."""
        known = self.writer.students()
        waiting = []
        for student in students:
            if not self.options.force and student in known and self._finished(student):
                summary.unchanged.append(student)
            else:
                waiting.append(student)
        return waiting

    def _finished(self, student: str) -> bool:
        record = self.assignment.journal.read(student)
        if record is None or record.get("failed"):
            return False
        folder = self.assignment.autograded(student)
        if not all((folder / f"{name}.ipynb").is_file() for name in self.released):
            return False
        return bool(record.get("digest") == self.submission(student).digest)

    def grade(
        self, students: Sequence[str], pool: Pool, summary: Summary, progress: Progress, done: int
    ) -> None:
        """Hand out the work and save what comes back."""
        total = done + len(students)
        prepared: dict[str, Prepared] = {}
        refused: list[Prepared] = []
        interrupted = _Interrupt()

        def tasks() -> Iterator[Task]:
            for student in students:
                ready = self._prepared(student, summary)
                if ready is None:
                    continue
                task = ready.task(self.files)
                if task is None:
                    refused.append(ready)
                else:
                    prepared[student] = ready
                    yield task

        def results() -> Iterator[tuple[Prepared, Result]]:
            for student, outcome in pool.run(self.settings, tasks()):
                ready = prepared.pop(student)
                if isinstance(outcome, str):
                    outcome = printable(outcome)
                    summary.failed[student] = outcome
                    yield ready, self.preparer.give_up(ready, outcome)
                else:
                    yield ready, self._finish(ready, outcome, summary)
                while refused:
                    ready = refused.pop()
                    yield ready, self._finish(ready, None, summary)
            while refused:
                ready = refused.pop()
                yield ready, self._finish(ready, None, summary)

        with interrupted:
            for ready, result in results():
                with interrupted.held():
                    self._save(ready.submission, result, summary)
                    done += 1
                    progress(done, total, result.student)

    def _prepared(self, student: str, summary: Summary) -> Prepared | None:
        """Get a submission ready; what the preprocessors can't do mustn't stop the class."""
        try:
            return self.preparer.prepare(self.submission(student))
        except Exception as error:
            reason = f"nbgrader's preprocessors failed on it ({told(error)})"
            summary.failed[student] = reason
            return None

    def _finish(self, ready: Prepared, done: Done | None, summary: Summary) -> Result:
        """Take a submission back; what the preprocessors can't do mustn't stop the class."""
        try:
            return self.preparer.finish(ready, done)
        except Exception as error:
            reason = f"nbgrader's preprocessors failed on it ({told(error)})"
            summary.failed[ready.submission.student] = reason
            return self.preparer.give_up(ready, reason)

    def _save(self, submission: Submission, result: Result, summary: Summary) -> None:
        student = result.student
        try:
            notebooks = self.writer.write(result, submission.timestamp)
        except UnknownStudent as error:
            summary.rejected[student] = str(error)
            return
        except (GradebookBusy, GradebookUnreachable):
            raise
        except Exception as error:
            summary.failed[student] = f"the gradebook refused it ({told(error)})"
            return
        try:
            self._place(submission, result, notebooks)
        except OSError as error:
            # A full disk, say: what is graded already stays, and others may still find room.
            reason = f"its folder couldn't be written ({told(error)})"
            summary.failed[student] = reason
            return
        summary.graded.append(student)

    def _place(
        self, submission: Submission, result: Result, notebooks: Mapping[str, bytes]
    ) -> None:
        """Put a saved result into the autograded tree, then note that it is finished."""
        student = result.student
        self.assignment.journal.forget(student)
        files = {**submission.files, **self.files}
        files.update({f"{name}.ipynb": content for name, content in notebooks.items()})
        draft = self.tree.prepare(files, self._mode())
        self.tree.place(draft, self.assignment.autograded(student))
        self.assignment.journal.write(student, _record(submission, result, self.options.unsafe))

    def _mode(self) -> int:
        return int(str(self._converter_permissions()), 8)

    def _converter_permissions(self) -> int:
        permissions = self.assignment.course.config.get("Autograde", {}).get("permissions")
        shared = self.assignment.course.directory.groupshared
        return int(permissions) if isinstance(permissions, int) else (664 if shared else 444)


def _record(submission: Submission, result: Result, unsafe: bool) -> dict[str, Any]:
    verdicts = {
        grade_id: {key: value for key, value in verdict.items() if key != "observations"}
        for grade_id, verdict in result.verdicts.items()
    }
    return {
        "digest": submission.digest,
        "failed": result.failed,
        "refusals": dict(result.refusals),
        "remarks": list(result.remarks),
        "verdicts": verdicts,
        "seconds": result.seconds,
        "cpu_seconds": result.cpu_seconds,
        "unsafe": unsafe,
    }


def _once(say: Callable[[str], None]) -> Callable[[str], None]:
    said: set[str] = set()

    def speak(message: str) -> None:
        if message not in said:
            said.add(message)
            say(message)

    return speak


class _Interrupt:
    """Ctrl-C stops a run at once, except while a result is being saved: then right after it."""

    def __init__(self) -> None:
        self._asked = False
        self._saving = False
        self._previous: Any = None

    def __enter__(self) -> _Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *error: object) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)

    def _ask(self, number: int, frame: Any) -> None:
        self._asked = True
        if not self._saving:
            raise KeyboardInterrupt

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """While inside, Ctrl-C waits."""
        self._saving = True
        try:
            yield
        finally:
            self._saving = False
        if self._asked:
            raise KeyboardInterrupt
