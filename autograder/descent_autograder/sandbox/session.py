"""A Python file behind the wall, its functions at hand: for ``descent judge``."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from descent.judging import Stopped

from .grader_peer import open_peer
from .inside.channel import RemoteCallable, ReplyTimeoutError
from .limits import ExitStatus, Limits, how_it_ended, too_long


class Session:
    """The names of a file that was run behind the wall.

    Attributes:
        status: ``"ok"``, or ``"crashed"`` or ``"timeout"`` once the file's process is gone.
        message: the sentence that says why.
        problem: the exception that the file itself raised, or None; what it had defined before
            is there all the same.

    A function that is called after the process is gone raises ``descent.judging.Stopped``.
    """

    def __init__(
        self, channel: socket.socket, limits: Limits, reap: Callable[[], ExitStatus]
    ) -> None:
        self.status = "ok"
        self.message = ""
        self.problem: Exception | None = None
        self.printed = ""
        self._limits = limits
        self._reap = reap
        self._peer = open_peer(channel)
        self._peer.on_break = self._explain
        self._peer.on_output = self._keep

    def load(self, source: str, filename: str) -> None:
        """Run the file; what it raises is kept in ``problem``."""
        self._peer.limit(self._limits.cell_seconds)
        try:
            self._peer.ask("load", source, filename)
        except Stopped as stopped:
            self.problem = stopped
        except Exception as problem:
            self.problem = problem
        self.renew()

    def renew(self) -> None:
        """Grant the time and the output of one more cell to what follows."""
        self._peer.limit(self._limits.cell_seconds)
        self._peer.may_print = self._limits.output_bytes

    def __contains__(self, name: str) -> bool:
        return self._look(name) is not None

    def __getitem__(self, name: str) -> RemoteCallable:
        """Return a function of the file.

        Raises:
            KeyError: it defines no function of that name.
            Stopped: its process is gone.
        """
        found = self._look(name)
        value = found[1] if found else None
        if not isinstance(value, RemoteCallable):
            raise KeyError(name)
        return value

    def close(self) -> None:
        """Hang up."""
        self._peer.close()

    def _look(self, name: str) -> Any:
        found = self._peer.ask("look", name)
        return found if type(found) is tuple and len(found) == 2 else None

    def _explain(self, problem: Exception) -> Exception:
        exit_status = self._reap()
        if isinstance(problem, ReplyTimeoutError):
            self.status, self.message = "timeout", too_long(self._limits.cell_seconds)
        else:
            self.status = "crashed"
            self.message = how_it_ended(exit_status, self._limits.memory_bytes)
        return Stopped(self.status, self.message)

    def _keep(self, out: str, err: str) -> None:
        self.printed = (self.printed + out + err)[:20_000]
