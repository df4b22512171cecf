"""How much a submission may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

ExitStatus = dict[str, Any]
"""How a process ended: ``status`` as wait gives it, ``cpu`` seconds, what ``excess`` ended it."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use before it is stopped, each with a sentence that says so.

    Attributes:
        cell_seconds: wall-clock time of one cell, the student's or a test.
        notebook_seconds: wall-clock time of the whole notebook.
        memory_bytes: memory of all its processes together; some of it a cell leaves to the tests.
        processes: processes and threads at once.
        output_bytes: what one cell may print and display.
        file_bytes: what may lie in each of its scratch folders, and the size of one file.
        open_files: descriptors per process.
    """

    cell_seconds: float = 30.0
    notebook_seconds: float = 180.0
    memory_bytes: int = 2 << 30
    processes: int = 32
    output_bytes: int = 8 << 20
    file_bytes: int = 64 << 20
    open_files: int = 256

    def as_dict(self) -> dict[str, float]:
        """Return the limits by name, for the other side of a socket."""
        return asdict(self)


def too_long(seconds: float) -> str:
    """Return the sentence for a cell that was stopped after so many seconds."""
    return f"It was stopped after {seconds:g} seconds, the time limit for a cell."


def how_it_ended(exit_status: Mapping[str, Any], memory_bytes: int) -> str:
    """Return the sentence for a process that ended before its submission did."""
    status = exit_status["status"]
    if exit_status["excess"] == "memory":
        return f"It was stopped: it used more than {memory_bytes >> 20} MB of memory."
    if exit_status["excess"] == "disk":
        return "It was stopped: it filled its scratch folder."
    if status is None:
        return "Its process ended unexpectedly."
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number == signal.SIGSEGV:
            return "Its process crashed (segmentation fault)."
        if number == signal.SIGXCPU:
            return "It was stopped: it used more processor time than a notebook may."
        if number != signal.SIGKILL:
            return f"Its process crashed ({signal.Signals(number).name})."
        return "Its process was killed, or sent something that isn't an answer."
    return f"It ended its own process (exit status {os.WEXITSTATUS(status)})."
