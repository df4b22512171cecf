"""The two warm processes of a worker, as the worker sees them.

Each is started by exec, speaks through one socket of packets, and ends when that closes: when its
worker dies, however it dies, they and all their children go too.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from . import walls
from .inside.channel import TRUSTED, BrokenChannelError, Peer
from .limits import ExitStatus, Limits

_START_SECONDS = 60.0
_ANSWER_SECONDS = 30.0
_END_SECONDS = 20.0


class ZygoteError(RuntimeError):
    """A warm process couldn't be started, or has died; the message holds its last words."""


class Zygote:
    """A warm process that forks children, one at a time, and reaps them.

    Args:
        command: makes the command to start, given the number of its control descriptor.
        env: its environment.
    """

    def __init__(self, command: Callable[[int], Sequence[str]], env: Mapping[str, str]) -> None:
        self._last_words = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the zygote
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                command(theirs.fileno()),
                env=dict(env),
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=self._last_words,
                stderr=self._last_words,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._ready = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The number of the process that was started."""
        return self._process.pid

    def fork(self, limits: Limits, *sockets: socket.socket) -> int:
        """Fork a child that owns ``sockets``; return its number, as the zygote sees it.

        Raises:
            ZygoteError: it can't; where it has died, a new one must be started.
        """
        order = {"order": "fork", "limits": limits.as_dict()}
        return int(self._ask(order, [sock.fileno() for sock in sockets])["pid"])

    def reap(self) -> ExitStatus:
        """Kill the child with all its processes.

        Returns:
            ``status`` as wait gives it, ``cpu`` seconds, and what ``excess`` it was killed for.

        Raises:
            ZygoteError: as :meth:`fork`.
        """
        return self._ask({"order": "reap"}, [])

    def wait_until_ready(self) -> None:
        """Return when the zygote is warm; raises ZygoteError when it can't be."""
        if not self._ready:
            self._receive(_START_SECONDS)
            self._ready = True

    def close(self) -> None:
        """Hang up; the zygote then ends by itself, and is killed if it doesn't."""
        self._control.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._last_words.close()

    def _ask(self, order: Mapping[str, Any], descriptors: list[int]) -> dict[str, Any]:
        self.wait_until_ready()
        try:
            socket.send_fds(self._control, [json.dumps(order).encode()], descriptors)
        except OSError as problem:
            raise self._dead(str(problem)) from None
        return self._receive(_ANSWER_SECONDS)

    def _receive(self, seconds: float) -> dict[str, Any]:
        self._control.settimeout(seconds)
        try:
            message = self._control.recv(1 << 16)
        except OSError as problem:
            raise self._dead(str(problem)) from None
        if not message:
            raise self._dead("it ended")
        reply: dict[str, Any] = json.loads(message)
        if "error" in reply:
            raise ZygoteError(reply["error"])
        return reply

    def _dead(self, reason: str) -> ZygoteError:
        self._last_words.seek(0)
        words = self._last_words.read().decode("utf-8", "replace").strip().splitlines()
        return ZygoteError(": ".join([reason, *words[-1:]]))


class StudentZygote(Zygote):
    """The warm process behind the wall, from which submissions' processes are forked.

    Args:
        wall: the wall to build.
        cpu: the core that it stays on with its children, once it is warm, or None.
    """

    def __init__(self, wall: walls.Wall, cpu: int | None = None) -> None:
        self.wall = wall

        def command(control: int) -> list[str]:
            return walls.zygote_command(wall, control, cpu)

        super().__init__(command, walls.zygote_environment())

    def try_fork(self) -> None:
        """Fork a child, let it confine itself, and reap it; raises ZygoteError if that fails."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            self.fork(Limits(), theirs)
            theirs.close()
            peer = Peer(ours, TRUSTED, lambda question, arguments: None)
            peer.limit(_ANSWER_SECONDS)
            try:
                peer.ask("look", "no name")
            except (BrokenChannelError, TimeoutError):
                self.reap()
                raise self._dead("the process can't confine itself") from None
            self.reap()


class GraderZygote(Zygote):
    """The warm process, outside the wall, from which each submission's grader is forked.

    Args:
        exams: what draws fresh exams, as for :class:`~.sandbox.Sandbox`.
        cpu: as for :class:`StudentZygote`.
    """

    def __init__(self, exams: str, cpu: int | None = None) -> None:
        module = f"{__package__}.grader_zygote"

        def command(control: int) -> list[str]:
            return [sys.executable, "-P", "-m", module, json.dumps([control, cpu, exams])]

        env = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1")}
        super().__init__(command, env)


_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
