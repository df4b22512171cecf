"""The walls, as the student's zygote builds them around each process that it forks."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from . import confine, landlock, scratch, seccomp, system

_REAPING_ROUNDS = 10_000


class Built(Protocol):
    """What a wall does at each step of a submission's life."""

    def fork(self) -> int:
        """Fork; return 0 in the child."""

    def settle(self, limits: Mapping[str, float]) -> None:
        """In the child: enter the scratch folder, with nothing else writable."""

    def confine(self, limits: Mapping[str, float]) -> None:
        """In the child: limit resources and give up privileges, for good."""

    def reap(self, child: int) -> tuple[int, float]:
        """Kill the child and all that it started; return its wait status and CPU seconds."""

    def excess(self, limits: Mapping[str, float]) -> str:
        """Return what the child's processes together have too much of: "memory", "disk" or ""."""

    def close(self) -> None:
        """Leave nothing behind."""


def make(settings: Mapping[str, Any]) -> Built:
    """Return the wall that the settings name."""
    if settings["wall"] == "namespaces":
        return Namespaces(settings)
    return Folder(settings)


def become_ordinary(settings: Mapping[str, Any]) -> None:
    """Become an ordinary user for good, where the grader runs as root behind the first wall."""
    uid = settings["uid"]
    if uid is None or settings["wall"] != "namespaces":
        return
    # bubblewrap's /proc, as root, is partly covered, and the kernel then allows no fresh one below
    flags = system.MS_NOSUID | system.MS_NODEV | system.MS_NOEXEC
    system.mount("proc", "/proc", "proc", flags)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


class Namespaces:
    """The first wall: every child in namespaces of its own, within bubblewrap's."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._who = os.getuid(), os.getgid()  # a new user namespace doesn't know them any more
        self._keep: list[str] = settings["keep"]
        self._filter = seccomp.program(system.machine(), own_namespaces=True)

    def fork(self) -> int:
        """Fork into new namespaces."""
        return system.fork_into(confine.NAMESPACES)

    def settle(self, limits: Mapping[str, float]) -> None:
        """Mount scratch folders and /proc, and go home."""
        confine.settle_in_namespaces(*self._who, int(limits["file_bytes"]), self._keep)
        os.chdir(confine.HOME)

    def confine(self, limits: Mapping[str, float]) -> None:
        """Set limits; give up capabilities and system calls."""
        confine.limit_resources(limits, own_user=True)
        confine.give_up_privileges()
        seccomp.install(self._filter)

    def reap(self, child: int) -> tuple[int, float]:
        """Kill the first process of the child's pid namespace: the kernel kills the others."""
        return killed(child)

    def excess(self, limits: Mapping[str, float]) -> str:
        """Look at memory; the scratch folders are capped by themselves."""
        return "memory" if memory_in_use() > limits["memory_bytes"] else ""

    def close(self) -> None:
        """Do nothing: all was in memory."""


class Folder:
    """The second wall, Landlock's, and none at all: a scratch folder on the machine's own disk.

    Processes that escape their group are still the zygote's, whom orphans fall to; they are killed
    one by one until none is left.
    """

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._uid: int | None = settings["uid"]
        self._root: str = settings["scratch"]
        os.chmod(self._root, 0o711)
        _live_in(self._root)
        self._rules = self._abi = 0
        if settings["wall"] == "landlock":
            self._abi = min(landlock.version(), settings["abi"])
            shown = settings["shown"]
            self._rules = landlock.ruleset(shown, settings["hidden"], self._root, self._abi)
        system.prctl(system.PR_SET_CHILD_SUBREAPER, 1)

    def fork(self) -> int:
        """Fork, with a fresh scratch folder."""
        home = os.path.join(self._root, "home")
        scratch.clear(self._root)
        os.mkdir(home, 0o700)
        if self._uid is not None:
            os.chown(home, self._uid, self._uid)
        _live_in(home)
        return os.fork()

    def settle(self, limits: Mapping[str, float]) -> None:
        """Become somebody else, where that can be, and enter the scratch folder."""
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
        confine.limit_resources(limits, own_user=self._uid is not None)
        if self._uid is not None:
            os.setgroups([])
            os.setresgid(self._uid, self._uid, self._uid)
            os.setresuid(self._uid, self._uid, self._uid)
            system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
        os.chdir(os.environ["HOME"])
        tempfile.tempdir = None

    def confine(self, limits: Mapping[str, float]) -> None:
        """Give up privileges; with Landlock, also files, sockets and system calls."""
        confine.give_up_privileges()
        # The zygote looks at its open files, also where both are the same ordinary user's.
        system.prctl(system.PR_SET_DUMPABLE, 1)
        if not self._rules:
            return
        landlock.restrict(self._rules)
        signals_to = None if self._abi >= landlock.SIGNALS_SINCE else os.getpid()
        machine = system.machine()
        filter_ = seccomp.program(machine, own_namespaces=False, signals_to=signals_to)
        seccomp.install(filter_)

    def reap(self, child: int) -> tuple[int, float]:
        """Kill the child, then its descendants until there are none; empty the folder."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        status, cpu = killed(child)
        cpu += kill_descendants()
        scratch.clear(self._root)
        return status, cpu

    def excess(self, limits: Mapping[str, float]) -> str:
        """Look at memory, at what lies in the scratch folder, and at files without a name."""
        if memory_in_use() > limits["memory_bytes"]:
            return "memory"
        most = 3 * limits["file_bytes"]
        most -= scratch.nameless(self._root, descendants(), int(limits["file_bytes"]))
        return "disk" if most < 0 or scratch.is_overfull(self._root, most) else ""

    def close(self) -> None:
        """Kill what is left, and remove the scratch folder."""
        kill_descendants()
        scratch.remove(self._root)


def _live_in(folder: str) -> None:
    """Let programs and libraries keep what they write in a folder."""
    os.environ.update(
        HOME=folder,
        TMPDIR=folder,
        MPLCONFIGDIR=f"{folder}/.config/matplotlib",
        IPYTHONDIR=f"{folder}/.ipython",
    )


def killed(child: int) -> tuple[int, float]:
    """Kill a child and wait for its end; return its status and the CPU seconds it took."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return status, _cpu(usage)


def kill_descendants() -> float:
    """Kill all descendants of this process until there are none; return their CPU seconds.

    Their orphans must fall to this process.
    """
    cpu = 0.0
    for _ in range(_REAPING_ROUNDS):
        for pid in list(descendants()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        try:
            cpu += _cpu(os.wait4(-1, os.WNOHANG)[2])
        except ChildProcessError:
            break
    return cpu


def memory_in_use() -> int:
    """Return what all descendants of this process hold in memory that this process doesn't.

    Shared memory counts for each process that has it mapped; what a child has inherited from this
    process doesn't count.
    """
    inherited = _memory_of(os.getpid())
    return sum(max(0, _memory_of(pid) - inherited) for pid in descendants())


def _memory_of(pid: int) -> int:
    """Return the bytes that a process holds and that no file backs; 0 when it has ended."""
    total = 0
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(("RssAnon:", "RssShmem:")):
                total += int(line.split()[1]) << 10
    return total


def descendants() -> Iterator[int]:
    """Yield the processes that descend from this one."""
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError, ValueError, IndexError):
                after_name = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2]
                children.setdefault(int(after_name.split()[1]), []).append(int(entry))
    waiting = [os.getpid()]
    while waiting:
        found = children.get(waiting.pop(), [])
        yield from found
        waiting += found


def _cpu(usage: Any) -> float:
    seconds: float = usage.ru_utime + usage.ru_stime
    return seconds
