"""The grader of one submission: has the student's cells run, and runs the grade cells itself.

It is a child of the grader's zygote and lives for one submission, or until the student's process
breaks: then it says so and ends, and the worker starts another pair that takes up behind the cell
that broke it.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from descent import judging
from descent.judging import Exam, Stopped

from .cell_globals import CellGlobals, bind_helpers, bind_instructors
from .grader_peer import open_peer
from .inside import shell as shells
from .inside.channel import TRUSTED, Peer, ReplyTimeoutError
from .limits import too_long

Message = dict[str, Any]
DrawExam = Callable[[str, bytes], Exam]
_GRACE, _AGAIN = 1.0, 0.2


class TooLong(Stopped):
    """The cell's time is up while the grader's side of it was running."""


class Link:
    """The grader's line to its worker: it reports what each cell gave, and asks for exits."""

    def __init__(self, sock: socket.socket) -> None:
        self._peer = Peer(sock, TRUSTED, lambda question, arguments: None)

    def job(self) -> dict[str, Any]:
        """Return what to do."""
        job: dict[str, Any] = self._peer.ask("job")
        return job

    def report(self, cell: Message, found: Message) -> bool:
        """Report what one cell gave; return whether to go on."""
        return bool(self._peer.ask("cell", cell["index"], cell["replay"], found))

    def reap(self) -> str:
        """Have the student's process killed; return the sentence that says how it had ended."""
        return str(self._peer.ask("reap"))

    def end(self, remarks: list[str]) -> None:
        """Say that nothing more will come."""
        self._peer.ask("end", remarks)


def run(
    shell: shells.Shell,
    names: CellGlobals,
    link: socket.socket,
    channel: socket.socket,
    draw: DrawExam | None,
) -> None:
    """Grade one submission, or what is left of it, as the worker says over ``link``.

    Args:
        shell: the warm shell that grade cells run in.
        names: their globals.
        link: the socket to the worker.
        channel: the socket to the student's process.
        draw: draws fresh exams from a question's id and a seed; None for the public ones.
    """
    worker = Link(link)
    job = worker.job()
    peer = open_peer(channel)
    remarks = bind_instructors(names, job["instructor"])
    bind_helpers(names, job["helpers"])
    names.peer, names.reserved = peer, frozenset(job["reserved"])
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    if draw is not None:
        judging.set_exams(exams(draw, job["secret"], job["assignment"], job["student"]))
    np.random.seed()
    shells.refuse_input()
    notebook = Notebook(shell, names, peer, worker, job["limits"])
    peer.limit(job["limits"]["cell_seconds"])
    peer.ask("files", job["files"])
    for cell in job["cells"]:
        if not notebook.run(cell):
            break
    worker.end(remarks)


def exams(draw: DrawExam, secret: bytes, assignment: str, student: str) -> Callable[[str], Exam]:
    """Return what draws a question's exam for this student and assignment."""

    def exam(question: str) -> Exam:
        message = "\0".join((assignment, student, question)).encode()
        return draw(question, hmac.new(secret, message, hashlib.sha256).digest())

    return exam


class Notebook:
    """Runs the cells of one notebook in order, each where it belongs."""

    def __init__(
        self,
        shell: shells.Shell,
        names: CellGlobals,
        peer: Peer,
        worker: Link,
        limits: Mapping[str, float],
    ) -> None:
        self._shell = shell
        self._names = names
        self._peer = peer
        self._worker = worker
        self._seconds = limits["cell_seconds"]
        self._running = self._late = False
        shell.recorder.limit = int(limits["output_bytes"])
        peer.on_break = self._explain
        peer.on_output = _repeat
        signal.signal(signal.SIGALRM, self._time_is_up)

    def run(self, cell: Message) -> bool:
        """Run one cell and report it; return whether the next one can be run."""
        self._peer.limit(self._seconds)
        self._peer.may_print = self._shell.recorder.limit
        try:
            found = self._run_trusted(cell) if cell["trusted"] else self._run_student(cell)
        except Stopped as stopped:
            found = {"messages": [], "stopped": [stopped.status, str(stopped)]}
        if self._peer.broken is not None:
            found["broken"] = True
        return self._worker.report(cell, found) and self._peer.broken is None

    def _run_student(self, cell: Message) -> Message:
        self._names.student_cell_ran()
        try:
            answer = self._peer.ask("run", cell["source"], cell["count"])
        except Stopped:
            raise
        except Exception as problem:
            # The student's code has broken its own shell: that is an error of its cell.
            ended = {"status": "error", "ename": type(problem).__name__, "evalue": str(problem)}
            return {"messages": [], "ended": ended}
        messages, ended = answer if type(answer) is tuple and len(answer) == 2 else ([], {})
        return {"messages": messages, "ended": ended}

    def _run_trusted(self, cell: Message) -> Message:
        before = latest_verdicts()
        self._running, self._late = True, False
        # The channel's own limit comes first: it leaves a test the time to report.
        signal.setitimer(signal.ITIMER_REAL, self._seconds + _GRACE, _AGAIN)
        try:
            messages, ended = shells.run_cell(self._shell, cell["source"], cell["count"])
        finally:
            self._running = False
            signal.setitimer(signal.ITIMER_REAL, 0)
        if self._late:  # it may have been torn out of the middle of a message
            self._peer.fail(ReplyTimeoutError())
        verdicts = [
            verdict.to_json()
            for question, verdict in latest_verdicts().items()
            if before.get(question) is not verdict
        ]
        return {"messages": _harmless(messages), "ended": ended, "verdicts": verdicts}

    def _explain(self, problem: Exception) -> Exception:
        """Turn a broken channel into the exception that ends the cell, with the reason."""
        if isinstance(problem, ReplyTimeoutError):
            self._worker.reap()
            return Stopped("timeout", too_long(self._seconds))
        how = self._worker.reap()
        return Stopped("crashed", how or f"{problem}")

    def _time_is_up(self, *_: Any) -> None:
        if self._running:
            self._late = True
            raise TooLong("timeout", too_long(self._seconds))


def latest_verdicts() -> dict[str, Any]:
    """Return the latest verdict of each question checked so far."""
    from descent import _check

    return _check.latest()


def _repeat(out: str, err: str) -> None:
    """Print here what the student's function printed there, so that ``check`` can catch it."""
    sys.stdout.write(out)
    sys.stderr.write(err)


def _harmless(messages: list[Message]) -> list[Message]:
    """Leave out what a test wrote to stderr: nbgrader would score any of it zero."""
    return [m for m in messages if not (m["output_type"] == "stream" and m["name"] == "stderr")]
