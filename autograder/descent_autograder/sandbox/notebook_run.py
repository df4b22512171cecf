"""One submission on its way through a worker, cell by cell.

A pair of processes, the student's and its grader, runs the cells in order. When a cell breaks the
pair (a crash, a time-out, a channel that speaks nonsense), the cell is lost and a fresh pair goes
on behind it: it first repeats, unheard, the student's cells that had run to their end, so that
later tests find what they would have found.
"""

from __future__ import annotations

import functools
import json
import math
import platform
import socket
import time
from collections.abc import Mapping, Set
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ..core.cells import bound
from . import outputs
from .cell_globals import definitions
from .inside.channel import STUDENT, BrokenChannelError, Peer, ReplyTimeoutError
from .limits import ExitStatus, Limits, how_it_ended
from .zygotes import ZygoteError

Exits = list[ExitStatus]
_SLACK_SECONDS = 10.0
_LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": platform.python_version(),
}


@dataclass
class Cell:
    """A code cell that is to be run.

    ``trusted`` says where: grade cells run in the grader, all others in the student's process.
    """

    node: dict[str, Any]
    source: str
    count: int
    trusted: bool
    grade_id: str
    points: float
    lost: bool = False

    def order(self, index: int, *, replay: bool) -> dict[str, Any]:
        """Return what the grader has to know of it."""
        return {
            "index": index,
            "source": self.source,
            "count": self.count,
            "trusted": self.trusted,
            "replay": replay,
        }


class Reaping(Protocol):
    """A warm process that has forked a child, and reaps it."""

    def reap(self) -> ExitStatus:
        """Kill the child with all its processes; return how it ended."""


class Processes(Protocol):
    """What a run needs of its sandbox: pairs of processes, and their ends."""

    limits: Limits

    def student_process(self) -> AbstractContextManager[tuple[socket.socket, Exits]]:
        """Fork a submission's process; yield the grader's end of its channel, and its ends."""

    def fork_grader(self, *sockets: socket.socket) -> Reaping:
        """Fork a grader that owns ``sockets``; return what will reap it."""

    def reap_student(self) -> ExitStatus:
        """Kill the submission's process and all it started; return how it had ended."""


class NotebookRun:
    """The run of one notebook; ``notebook``, ``verdicts`` and ``remarks`` hold what came of it."""

    def __init__(self, processes: Processes, notebook: dict[str, Any], job: dict[str, Any]) -> None:
        self.notebook = notebook
        self.verdicts: dict[str, dict[str, Any]] = {}
        self.remarks: list[str] = []
        self.cpu_seconds = 0.0
        self._processes = processes
        self._job = job
        self._outputs = outputs.Outputs(processes.limits.output_bytes)
        self._cells = code_cells(notebook)
        self._next = 0
        self._ended = self._repeat_failed = False
        self._seconds = processes.limits.cell_seconds + _SLACK_SECONDS
        self._ends = time.monotonic() + processes.limits.notebook_seconds

    def to_the_end(self) -> None:
        """Run all cells; what can't be run says why."""
        while self._next < len(self._cells):
            if time.monotonic() > self._ends:
                self._give_up("the time limit for a whole notebook was reached")
            elif self._repeat_failed:
                self._give_up("the cells before it didn't run a second time after one had failed")
            else:
                try:
                    self._one_pair()
                except ZygoteError as problem:
                    self._give_up(f"no process could be started for it ({problem})")
        self.notebook.setdefault("metadata", {})["language_info"] = dict(_LANGUAGE)

    def _one_pair(self) -> None:
        """Run cells from the next one on, until the last, or until one breaks the pair."""
        ours, theirs = socket.socketpair()
        with ours, theirs, self._processes.student_process() as (channel, exits):
            self._exits = exits
            zygote = self._processes.fork_grader(theirs, channel)
            theirs.close()
            channel.close()
            peer = self._peer = Peer(ours, STUDENT, self._serve)
            peer.limit(self._seconds)
            self._ended = False
            try:
                peer.serve_forever()
            except (BrokenChannelError, ReplyTimeoutError):
                pass  # it has ended, well or not
            finally:
                self.cpu_seconds += zygote.reap()["cpu"]
        self.cpu_seconds += sum(exit_status["cpu"] for exit_status in exits)
        if not self._ended:
            self._lose(self._cells[self._next], "the grader's own process ended while it ran")
            self._next += 1

    # ---- what the grader asks

    def _serve(self, question: str, arguments: tuple[Any, ...]) -> Any:
        self._peer.limit(self._seconds)
        if question == "job":
            helpers = [cell.source for cell in self._cells[: self._next] if cell.trusted]
            return self._job | {"cells": self._orders(), "helpers": helpers}
        if question == "cell":
            return self._record(*arguments)
        if question == "reap":
            exit_status = self._processes.reap_student()
            self._exits.append(exit_status)
            return how_it_ended(exit_status, self._processes.limits.memory_bytes)
        self.remarks += arguments[0]
        self._ended = True
        return None

    def _orders(self) -> list[dict[str, Any]]:
        before = [
            cell.order(index, replay=True)
            for index, cell in enumerate(self._cells[: self._next])
            if not cell.trusted and not cell.lost
        ]
        after = enumerate(self._cells[self._next :], self._next)
        return before + [cell.order(index, replay=False) for index, cell in after]

    def _record(self, index: int, replay: bool, found: Mapping[str, Any]) -> bool:
        """Keep what a cell gave; return whether the grader is to go on."""
        in_time = time.monotonic() < self._ends
        if replay:
            self._repeat_failed = bool(found.get("broken"))
            return in_time
        cell = self._cells[index]
        self._next = index + 1
        if "stopped" in found:
            self._stop(cell, *found["stopped"])
        else:
            cell.node["outputs"] = self._outputs.assemble(
                found["messages"], found["ended"], cell.count, cell.trusted
            )
        if cell.trusted:
            self._judge(cell, found)
        if found.get("broken"):
            cell.lost = True
        return in_time

    def _judge(self, cell: Cell, found: Mapping[str, Any]) -> None:
        verdicts, ended = found.get("verdicts") or [], found.get("ended", {})
        if verdicts:
            self.verdicts[cell.grade_id] = verdicts[-1]
        elif found.get("broken") and ended:
            self.verdicts[cell.grade_id] = {"error": ended.get("evalue", "")}
        elif ended.get("status") == "error":
            self.verdicts[cell.grade_id] = {"error": outputs.last_line(ended)}
        cap_score(cell.node["outputs"], cell.points)

    def _stop(self, cell: Cell, status: str, sentence: str) -> None:
        name = "TimeLimit" if status == "timeout" else "Crash"
        cell.node["outputs"] = [outputs.error(name, sentence)]
        self.remarks.append(f"{_label(cell)}: {sentence}")

    def _lose(self, cell: Cell, sentence: str) -> None:
        """Mark a cell as one that gave nothing."""
        cell.lost = True
        cell.node["outputs"] = [outputs.error("NotRun", sentence)]
        if cell.trusted:
            self.verdicts[cell.grade_id] = {"error": sentence}
        self.remarks.append(f"{_label(cell)}: {sentence}")

    def _give_up(self, reason: str) -> None:
        """Leave the remaining cells, saying why in each test that isn't run."""
        sentence = f"This wasn't run: {reason}."
        self.remarks.append(f"From {_label(self._cells[self._next])} on: {sentence}")
        for cell in self._cells[self._next :]:
            cell.node["outputs"] = [outputs.error("NotRun", sentence)]
            if cell.trusted:
                self.verdicts[cell.grade_id] = {"error": sentence}
        self._next = len(self._cells)


def code_cells(notebook: Mapping[str, Any]) -> list[Cell]:
    """Return the cells to run, with outputs cleared and execution counts set as a kernel would."""
    cells: list[Cell] = []
    for node in notebook.get("cells", []):
        if node.get("cell_type") != "code":
            continue
        source = _source(node)
        if not source.strip():
            continue
        node["outputs"] = []
        node["execution_count"] = len(cells) + 1
        about = _about(node)
        points = float(about.get("points") or 0.0)
        name = str(about.get("grade_id", ""))
        cells.append(Cell(node, source, len(cells) + 1, _is_test(node), name, points))
    return cells


@dataclass(frozen=True)
class Said:
    """What the instructor's notebook says beside its tests.

    Attributes:
        cells: source and lock of the cells that define something for the tests.
        bound: the names that its other cells bind.
    """

    cells: list[tuple[str, bool]]
    bound: frozenset[str]


@functools.lru_cache(maxsize=8)  # a class's submissions all share their release
def said_in(notebook: bytes, released: bool) -> Said:
    """Return what a notebook says for the instructor.

    Args:
        notebook: nbformat JSON: what students were given, or a submission that intake has mended.
        released: whether it is the former.
    """
    content = json.loads(notebook)
    others = (
        bound(_source(node))
        for node in content.get("cells", [])
        if node.get("cell_type") == "code" and not _is_test(node)
    )
    return Said(_instructor_cells(content, released), frozenset().union(*others))


def _instructor_cells(notebook: Mapping[str, Any], released: bool) -> list[tuple[str, bool]]:
    """Return source and lock of the cells that speak for the instructor, and define something.

    In a released notebook these are all code cells (only the imports of unlocked ones count); in a
    submitted one, those that intake keeps as they were released: the locked ones.
    """
    cells = []
    for node in notebook.get("cells", []):
        about = _about(node)
        locked = bool(about.get("locked")) and not about.get("solution")
        speaks = node.get("cell_type") == "code" and not _is_test(node) and (released or locked)
        if speaks and definitions(_source(node), locked):
            cells.append((_source(node), locked))
    return cells


def reserved_names(notebook: Mapping[str, Any], others: Set[str]) -> list[str]:
    """Return the names that grade cells bind, and no other cell of the released notebook does.

    Args:
        notebook: whose grade cells are run.
        others: the names that the other cells bind, of what students were given.
    """
    own: set[str] = set()
    for node in notebook.get("cells", []):
        if node.get("cell_type") == "code" and _is_test(node):
            own |= bound(_source(node))
    return sorted(own - others)


def cap_score(found: list[dict[str, Any]], points: float) -> None:
    """Keep a test's partial score within the points it is worth.

    nbgrader reads the first value that looks like a number; one that isn't finite would count in
    full, so it becomes an error.
    """
    for index, output in enumerate(found):
        if output["output_type"] == "execute_result":
            try:
                score = float(output["data"].get("text/plain", ""))
            except ValueError:
                return
            if not math.isfinite(score):
                found[index] = outputs.error("Score", f"{score} isn't a score.")
            elif not 0 <= score <= points:
                output["data"]["text/plain"] = str(min(max(score, 0.0), points))
            return


def _label(cell: Cell) -> str:
    return f"Test {cell.grade_id}" if cell.trusted else f"Cell [{cell.count}]"


def _about(node: Mapping[str, Any]) -> Mapping[str, Any]:
    about: Mapping[str, Any] = node.get("metadata", {}).get("nbgrader") or {}
    return about


def _is_test(node: Mapping[str, Any]) -> bool:
    about = _about(node)
    return bool(about.get("grade")) and not about.get("solution")


def _source(node: Mapping[str, Any]) -> str:
    source = node.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)
