"""The process of one submission: it runs the cells and answers the trusted side's questions.

Nothing here is a defence: the student's code can change all of it. The trusted side believes
nothing that this process says beyond "this is what the student's code gave".
"""

from __future__ import annotations

import contextlib
import linecache
import mmap
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from . import shell as shells
from .channel import STUDENT, Peer

Answer = Any
_RESERVED_BYTES = 128 << 20


class Student:
    """Answers questions about the names, and the cells, of one submission."""

    def __init__(self, shell: shells.Shell, limits: Mapping[str, float]) -> None:
        self._shell = shell
        self._names: dict[str, Any] = shell.user_ns
        shell.recorder.limit = int(limits["output_bytes"])
        self._called = False

    def serve(self, question: str, arguments: tuple[Any, ...]) -> Answer:
        """Answer one question of the trusted side."""
        answers: dict[str, Callable[..., Answer]] = {
            "run": self.run,
            "load": self.load,
            "look": self.look,
            "attribute": self.attribute,
            "assign": setattr,
            "next": self.next,
            "files": self.files,
        }
        return answers[question](*arguments)

    def run(self, source: str, count: int) -> Answer:
        """Run a cell; return its messages and how it ended."""
        if self._called:
            self._forget_figures()
        self._called = False
        # A cell that hoards all the memory there is leaves some for what tests will call.
        with _reserve():
            return shells.run_cell(self._shell, source, count)

    def load(self, source: str, filename: str) -> None:
        """Run a Python file's source as a module of its own."""
        self._names.update(__name__="student", __file__=filename)
        linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
        sys.modules["student"] = self._shell.user_module  # where dataclasses look names up
        exec(compile(source, filename, "exec", dont_inherit=True), self._names)

    def look(self, name: str) -> Answer:
        """Return what a name means: ``("value", …)``, ``("module", its name)`` or None."""
        self._called = True
        if name not in self._names:
            return None
        value = self._names[name]
        return ("module", value.__name__) if isinstance(value, ModuleType) else ("value", value)

    def attribute(self, target: Any, name: str) -> Answer:
        """Return an attribute of one of the student's objects."""
        return getattr(target, name)

    def next(self, iterator: Any) -> Answer:
        """Return ``(True, the next value)``, or ``(False, None)`` at the end."""
        for value in iterator:
            return True, value
        return False, None

    def files(self, files: Mapping[str, bytes]) -> None:
        """Put files into the working directory."""
        for name, content in files.items():
            path = Path(name)
            if not path.is_absolute() and ".." not in path.parts:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def _forget_figures(self) -> None:
        """Drop figures and output that the tests' calls left, before the next cell shows them."""
        self._shell.recorder.take()
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None and pyplot.get_fignums():
            pyplot.close("all")


def _reserve() -> contextlib.AbstractContextManager[Any]:
    """Take memory, by name only, that is free again afterwards."""
    try:
        return mmap.mmap(-1, _RESERVED_BYTES, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, MemoryError):
        return contextlib.nullcontext()


def run(peer_socket: Any, shell: shells.Shell, limits: Mapping[str, float]) -> None:
    """Serve one submission until the trusted side hangs up; never returns."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        shell.recorder.watch(name, descriptor)
    shells.refuse_input()
    np.random.seed()
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    # A process that the notebook's code forks must not answer in this one's place.
    os.register_at_fork(after_in_child=peer_socket.close)
    student = Student(shell, limits)
    peer = Peer(peer_socket, STUDENT, student.serve, shell.recorder.take_text)
    try:
        peer.serve_forever()
    finally:
        os._exit(0)
