"""The warm process that each submission's process is forked from.

It is started by exec within the outer wall, imports what notebooks import, and then does nothing
but fork, watch over and reap its children on the word of the grader, through one socket. It runs
no code of a submission, and holds nothing that a submission mustn't see.
"""

from __future__ import annotations

import array
import contextlib
import gc
import importlib
import importlib.util
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from . import built_walls, shell, student, system

PRELOADED = (
    "numpy.testing",
    "matplotlib.pyplot",
    "ipywidgets",
    "descent",
    "descent.judging",
    "descent.nets",
    "descent.data",
    "descent.plots",
    "descent.demos",
)
_WITH_ALL_PARTS = "descent.plots"  # a module a unit
_WATCH_SECONDS = 0.25


def main(settings: Mapping[str, Any]) -> None:
    """Warm up, tell the grader, and serve it until it hangs up; never returns."""
    control = socket.socket(fileno=int(settings["control"]))
    built_walls.become_ordinary(settings)
    wall = built_walls.make(settings)
    preload(PRELOADED)
    warm = shell.make_shell()
    shell.warm_up(warm)
    gc.collect()
    gc.freeze()
    stay_on(settings["cpu"])
    system.prctl(system.PR_SET_DUMPABLE, 0)
    zygote = Zygote(control, wall, warm)
    control.send(json.dumps({"ready": True}).encode())
    try:
        zygote.serve()
    except Exception as problem:
        os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
    finally:
        wall.close()  # kills what is left
        os._exit(0)


def preload(names: Iterable[str]) -> None:
    """Import what is there of the modules that notebooks import."""
    for name in names:
        with contextlib.suppress(ImportError):
            module = importlib.import_module(name)
            if name == _WITH_ALL_PARTS:
                parts = pkgutil.iter_modules(module.__path__, f"{name}.")
                preload(part.name for part in parts)


def stay_on(cpu: int | None) -> None:
    """Keep this process and its children on one core.

    The two sides of a submission only ever wait for each other, which is quickest on one core; but
    they get warm side by side.
    """
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})


class Zygote:
    """Forks one child per submission, keeps watch over what it uses, and reaps it."""

    def __init__(self, control: socket.socket, wall: built_walls.Built, warm: shell.Shell) -> None:
        self._control = control
        self._shell = warm
        self._wall = wall
        self._child = 0
        self._limits: dict[str, float] = {}
        self._excess = ""
        self._own = time.process_time()

    def serve(self) -> None:
        """Do what the grader says until it hangs up; then kill what is left."""
        while True:
            if self._child and not select.select([self._control], [], [], _WATCH_SECONDS)[0]:
                self._watch()
                continue
            message, descriptors = received(self._control)
            if not message:
                self._reap()
                return
            order = json.loads(message)
            if order["order"] == "fork":
                reply = self._fork(order["limits"], descriptors[0])
            else:
                reply = self._reap()
            self._control.send(json.dumps(reply).encode())

    def _fork(self, limits: dict[str, float], channel: int) -> dict[str, Any]:
        self._reap()
        self._limits, self._excess = limits, ""
        try:
            self._child = self._wall.fork()
        except OSError as problem:
            os.close(channel)
            return {"error": str(problem)}
        if self._child == 0:
            try:
                self._become_student(channel)
            except Exception as problem:
                os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
            finally:
                os._exit(1)
        os.close(channel)
        return {"pid": self._child}

    def _become_student(self, channel: int) -> None:
        """Confine this process, then serve the submission; never returns."""
        control = self._control.detach()
        os.setsid()
        os.dup2(channel, control)  # nothing but the channel stays open
        channel = control
        self._wall.settle(self._limits)
        _redirect_streams()
        self._wall.confine(self._limits)
        os.closerange(3, channel)
        os.closerange(channel + 1, os.sysconf("SC_OPEN_MAX"))
        gc.enable()
        student.run(socket.socket(fileno=channel), self._shell, self._limits)

    def _reap(self) -> dict[str, Any]:
        """Kill the child with all its processes; return how it had ended, and its CPU."""
        if not self._child:
            return {"status": None, "cpu": 0.0, "excess": ""}
        status, cpu = self._wall.reap(self._child)
        self._child = 0
        own, self._own = time.process_time() - self._own, time.process_time()
        return {"status": status, "cpu": cpu + own, "excess": self._excess}

    def _watch(self) -> None:
        """Kill the child when its processes together use more than they may.

        An error here ends the zygote, and with it all that the submission has started.
        """
        self._excess = self._excess or self._wall.excess(self._limits)
        if self._excess:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)


def received(control: socket.socket) -> tuple[bytes, list[int]]:
    """Return the next packet and the descriptors that came with it; an empty one at the end."""
    message, ancillary, _, _ = control.recvmsg(1 << 16, socket.CMSG_SPACE(4 * 4))
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return message, list(descriptors)


def _redirect_streams() -> None:
    """Let the standard streams read nothing and write to files without a name, in scratch."""
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for number in (1, 2):
        file = _nameless_file()
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0)  # noqa: SIM115 - it lives as long as the process


def _nameless_file() -> int:
    flags = os.O_RDWR | os.O_APPEND
    try:
        return os.open(".", os.O_TMPFILE | flags, 0o600)
    except OSError:  # not every file system makes them without a name
        file = os.open("output", os.O_CREAT | flags, 0o600)
        os.unlink("output")
        return file
