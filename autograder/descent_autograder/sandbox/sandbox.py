"""A sandbox: bytes in, bytes out, with two warm processes and a wall between them.

It holds no gradebook and writes no file. Whatever a submission does to its own process, or to the
channel, costs at most that submission's cells; whatever it does to the zygote costs a restart.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from .limits import ExitStatus, Limits
from .notebook_run import Exits, NotebookRun, reserved_names, said_in
from .session import Session
from .survey import best_wall
from .walls import NoWall, Wall, bubblewrap
from .zygotes import GraderZygote, StudentZygote, ZygoteError

_CLAIMS = "\0descent-core"
UNSAFE_REMARK = "This notebook was run without a sandbox (--unsafe)."


@dataclass
class Outcome:
    """What came of a submission.

    Attributes:
        notebook: the executed notebook, nbformat JSON.
        verdicts: per grade id what ``check`` decided (``Verdict.to_json()``), or ``{"error": …}``
            where the cell didn't end by itself. A cell without a check has no entry.
        remarks: sentences about what happened, for the student and the instructor.
        cpu_seconds: processor time of the submission's processes and their grader.
    """

    notebook: bytes
    verdicts: dict[str, dict[str, Any]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0


class Sandbox:
    """Runs submissions one after the other; a context manager.

    Args:
        wall: the wall to build (default: the best that stands here).
        limits: what each submission may use.
        unsafe: run without a wall where none can be built, and say so in the remarks.
        exams: what draws fresh exams, as ``"package.module:function"`` of a question's id and a
            seed of bytes; the grader's process imports it. Without it, the public exams serve.
        cpu: the core to stay on (default: one of this process's that no other worker has taken
            so). Both sides of a submission share it, since they only ever wait for each other.

    Raises:
        NoWall: no wall can be built, and ``unsafe`` isn't set.
    """

    def __init__(
        self,
        wall: Wall | None = None,
        limits: Limits | None = None,
        unsafe: bool = False,
        cpu: int | None = None,
        exams: str = "",
    ) -> None:
        self.limits = limits or Limits()
        self.wall = _chosen(wall, unsafe)
        self._exams = exams
        self._claim: socket.socket | None = None
        if cpu is None:
            cpu, self._claim = _claimed_core()
        self.cpu = cpu
        self._student: StudentZygote | None = None
        self._grader: GraderZygote | None = None

    def __enter__(self) -> Sandbox:
        self._zygotes()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def student_zygote_pid(self) -> int:
        """The number of the warm process behind the wall, or of what was started instead of it.

        That is bubblewrap for the first wall, and for the second who cleans up behind it.
        """
        return self._zygotes()[0].pid

    @property
    def grader_zygote_pid(self) -> int:
        """The number of the warm process that graders are forked from."""
        return self._zygotes()[1].pid

    def close(self) -> None:
        """End both warm processes and everything they started."""
        self._close_student()
        self._close_grader()
        if self._claim is not None:
            self._claim.close()

    def execute(
        self,
        notebook: bytes,
        *,
        assignment: str,
        student: str,
        secret: bytes,
        files: Mapping[str, bytes] | None = None,
        release: bytes | None = None,
    ) -> Outcome:
        """Run a submitted notebook and judge its grade cells.

        Args:
            notebook: nbformat JSON, already mended by intake: its grade cells are the instructor's.
            assignment, student, secret: what the cases of ``check`` are drawn from.
            files: what the notebook finds in its working directory.
            release: the released notebook. Its imports, and the functions and classes of its
                locked cells, are what grade cells mean by those names, whatever the student's
                cells make of them; and what only its grade cells bind is theirs alone. Without
                it only the customary names (``np``, ``plt``, ``check`` and the like) and the
                notebook's own locked cells are.

        Raises:
            ZygoteError: the machine refuses new processes.
        """
        said = said_in(release or notebook, bool(release))
        content = json.loads(notebook)
        job = {
            "assignment": assignment,
            "student": student,
            "secret": secret,
            "files": dict(files or {}),
            "limits": self.limits.as_dict(),
            "instructor": said.cells,
            "reserved": reserved_names(content, said.bound),
        }
        run = NotebookRun(self, content, job)
        run.to_the_end()
        remarks = list(dict.fromkeys(run.remarks))
        if self.wall is Wall.NONE:
            remarks.insert(0, UNSAFE_REMARK)
        executed = json.dumps(run.notebook, ensure_ascii=False, sort_keys=True) + "\n"
        return Outcome(executed.encode(), run.verdicts, remarks, run.cpu_seconds)

    @contextmanager
    def session(self, source: str, filename: str) -> Iterator[Session]:
        """Run a Python file behind the wall and give access to its functions.

        Args:
            source: the file's content.
            filename: what its errors call it.
        """
        with self.student_process() as (channel, _):
            session = Session(channel, self.limits, self.reap_student)
            session.load(source, filename)
            try:
                yield session
            finally:
                session.close()

    @contextmanager
    def student_process(self) -> Iterator[tuple[socket.socket, Exits]]:
        """Fork a submission's process; yield the grader's end of its channel.

        At the end it is reaped; the list then says how each ended.
        """
        ours, theirs = socket.socketpair()
        exits: Exits = []
        with ours, theirs:
            self._fork_student(theirs)
            theirs.close()
            try:
                yield ours, exits
            finally:
                exits.append(self.reap_student())

    def reap_student(self) -> ExitStatus:
        """Kill the submission's process and all it started; return how it had ended."""
        if self._student is not None:
            try:
                return self._student.reap()
            except ZygoteError:
                self._close_student()
        return {"status": None, "cpu": 0.0, "excess": ""}

    def fork_grader(self, *sockets: socket.socket) -> GraderZygote:
        """Fork a grader that owns ``sockets``; return the zygote that will reap it."""
        try:
            zygote = self._zygotes()[1]
            zygote.fork(self.limits, *sockets)
        except ZygoteError:
            self._close_grader()
            zygote = self._zygotes()[1]
            zygote.fork(self.limits, *sockets)
        return zygote

    def _fork_student(self, theirs: socket.socket) -> None:
        try:
            self._zygotes()[0].fork(self.limits, theirs)
        except ZygoteError:  # it has died: once more, with a new one
            self._close_student()
            self._zygotes()[0].fork(self.limits, theirs)

    def _close_student(self) -> None:
        if self._student is not None:
            self._student.close()
        self._student = None

    def _close_grader(self) -> None:
        if self._grader is not None:
            self._grader.close()
        self._grader = None

    def _zygotes(self) -> tuple[StudentZygote, GraderZygote]:
        """Return both zygotes, started together, and anew where one has died."""
        if self._student is None:
            self._student = StudentZygote(self.wall, self.cpu)
        if self._grader is None:
            self._grader = GraderZygote(self._exams, self.cpu)
        self._student.wait_until_ready()
        self._grader.wait_until_ready()
        return self._student, self._grader


def start_sandbox(
    limits: Limits, unsafe: bool = False, cpu: int | None = None, exams: str = ""
) -> Sandbox:
    """Return a warm sandbox behind the best wall that stands here; the caller closes it.

    Args:
        limits, unsafe, cpu, exams: as for :class:`Sandbox`.

    Raises:
        NoWall, ZygoteError: as :class:`Sandbox` does.
    """
    behind = _behind_the_first_wall(limits, cpu, exams)
    return behind or Sandbox(None, limits, unsafe, cpu, exams).__enter__()


def _behind_the_first_wall(limits: Limits, cpu: int | None, exams: str) -> Sandbox | None:
    """Return a worker behind the best wall if that stands here, else None.

    To try every wall first would take a warm process or two more, a second each. This one is itself
    the trial: an empty file must run in a process that has confined itself. Where it doesn't, the
    trial of all walls, which then follows, says what is wrong.
    """
    if sys.platform != "linux" or bubblewrap() is None:
        return None
    worker = Sandbox(Wall.NAMESPACES, limits, cpu=cpu, exams=exams)
    try:
        with worker.session("", "trial.py") as trial:
            if trial.status == "ok" and trial.problem is None:
                return worker
    except (OSError, RuntimeError):
        pass
    worker.close()
    return None


def _chosen(wall: Wall | None, unsafe: bool) -> Wall:
    """Return the wall to build; raises NoWall where none can be and none is insisted on."""
    try:
        return wall or best_wall()
    except NoWall:
        if not unsafe:
            raise
        return Wall.NONE


def _claimed_core() -> tuple[int, socket.socket | None]:
    """Return a core of this process's, and the claim to it; without one where all are taken.

    A claim is a name in the kernel, which goes with whoever holds it: two workers that know nothing
    of each other, such as a cluster's, shall not share a core while another one is idle.
    """
    cores = sorted(os.sched_getaffinity(0))
    for core in cores:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"{_CLAIMS}-{core}")
        except OSError:
            claim.close()
        else:
            return core, claim
    return cores[os.getpid() % len(cores)], None
