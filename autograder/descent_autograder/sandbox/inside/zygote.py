"""The warm process that each submission's process is forked from.

It is started by exec within the outer wall, imports what notebooks import, and then does nothing
but fork, watch over and bury its children on the word of the grader, through one socket. It runs
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
import select
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any

from . import confine, seccomp, shell, student, system

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
_WATCH_SECONDS = 0.25


def main(settings: Mapping[str, Any]) -> None:
    """Warm up, tell the grader, and serve it until it hangs up; never returns."""
    control = socket.socket(fileno=int(settings["control"]))
    wall = settings["wall"]
    if wall == "namespaces":
        _settle(settings)
    for name in PRELOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    warm = shell.make_shell()
    shell.warm_up(warm)
    gc.collect()
    gc.freeze()
    system.prctl(system.PR_SET_DUMPABLE, 0)
    control.send(json.dumps({"ready": True}).encode())
    Zygote(control, settings, warm).serve()
    os._exit(0)


def _settle(settings: Mapping[str, Any]) -> None:
    """Become an ordinary user for good, where the grader runs as root."""
    uid = settings["uid"]
    if uid is None:
        return
    # bubblewrap's /proc, as root, is partly covered, and the kernel then allows no fresh one below
    flags = system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC
    system.mount("proc", "/proc", "proc", flags)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


class Zygote:
    """Forks one child per submission and keeps watch over its memory."""

    def __init__(
        self, control: socket.socket, settings: Mapping[str, Any], warm: shell.Shell
    ) -> None:
        self._control = control
        self._settings = settings
        self._shell = warm
        self._who = os.getuid(), os.getgid()  # a new user namespace doesn't know them any more
        self._child = 0
        self._memory = 0
        self._killed_for_memory = False
        self._seccomp = seccomp.program(system.machine(), sockets=True)

    def serve(self) -> None:
        """Do what the grader says until it hangs up; then kill what is left."""
        while True:
            if self._child and not select.select([self._control], [], [], _WATCH_SECONDS)[0]:
                self._watch()
                continue
            message, descriptors = received(self._control)
            if not message:
                self._bury()
                return
            order = json.loads(message)
            if order["order"] == "fork":
                reply = self._fork(order["limits"], descriptors[0])
            else:
                reply = self._bury()
            self._control.send(json.dumps(reply).encode())

    def _fork(self, limits: Mapping[str, float], channel: int) -> dict[str, Any]:
        self._bury()
        self._memory = int(limits["memory_bytes"])
        self._killed_for_memory = False
        try:
            self._child = self._fork_process()
        except OSError as problem:
            os.close(channel)
            return {"error": str(problem)}
        if self._child == 0:
            try:
                self._become_student(limits, channel)
            except Exception as problem:
                os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
            finally:
                os._exit(1)
        os.close(channel)
        return {"pid": self._child}

    def _fork_process(self) -> int:
        if self._settings["wall"] == "namespaces":
            return system.fork_into(confine.NAMESPACES)
        return os.fork()

    def _become_student(self, limits: Mapping[str, float], channel: int) -> None:
        """Confine this process, then serve the submission; never returns."""
        self._control.detach()
        os.setsid()
        channel = _moved(channel)
        if self._settings["wall"] == "namespaces":
            confine.settle_in_namespaces(
                *self._who, int(limits["file_bytes"]), self._settings["keep"]
            )
            os.chdir(confine.HOME)
        _redirect_streams()
        confine.limit_resources(limits, own_user=True)
        filter_ = None if self._settings["wall"] == "none" else self._seccomp
        confine.give_up_privileges(filter_)
        gc.enable()
        student.run(socket.socket(fileno=channel), self._shell, limits)

    def _bury(self) -> dict[str, Any]:
        """Kill the child, and with it all of its processes; return how it had ended."""
        if not self._child:
            return {"status": None, "cpu": 0.0, "memory": False}
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._child, signal.SIGKILL)
        _, status, usage = os.wait4(self._child, 0)
        self._child = 0
        return {
            "status": status,
            "cpu": usage.ru_utime + usage.ru_stime,
            "memory": self._killed_for_memory,
        }

    def _watch(self) -> None:
        """Kill the child when its processes together hold more memory than they may."""
        if _resident_bytes() > self._memory:
            self._killed_for_memory = True
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._child, signal.SIGKILL)


def _resident_bytes() -> int:
    """Return what all processes in sight but this one hold, shared pages left out."""
    page = os.sysconf("SC_PAGE_SIZE")
    own = os.getpid()
    total = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) not in (1, own):
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{entry}/statm") as file:
                fields = file.read().split()
                total += (int(fields[1]) - int(fields[2])) * page
    return total


def received(control: socket.socket) -> tuple[bytes, list[int]]:
    """Return the next packet and the descriptors that came with it; an empty one at the end."""
    message, ancillary, _, _ = control.recvmsg(1 << 16, socket.CMSG_SPACE(4 * 4))
    descriptors = array.array("i")
    for _, _, data in ancillary:
        descriptors.frombytes(data[: len(data) - len(data) % descriptors.itemsize])
    return message, list(descriptors)


def _moved(descriptor: int) -> int:
    """Close every descriptor but the standard ones and this; return its new number."""
    if descriptor != 3:
        os.dup2(descriptor, 3)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    return 3


def _redirect_streams() -> None:
    """Let the standard streams read nothing and write to files without a name, in scratch."""
    nothing = os.open("/dev/null", os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for number in (1, 2):
        file = os.open(".", os.O_TMPFILE | os.O_RDWR | os.O_APPEND, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdin = open(0)  # noqa: SIM115 - it lives as long as the process
