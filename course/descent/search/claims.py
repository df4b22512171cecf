"""Claims: who is at what in a shared folder, with nothing but files.

    trial007.claim-1     the first claim; its owner touches it for as long as it lives
    trial007.claim-2     taken over from an owner that is gone

The highest number holds. To make a file that must not exist yet is the one step that lets exactly
one of many win; so a claim is taken over by making the next number, and never by removing one
first: between the removing and the making, two could believe that they are alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

LEASE = 15.0
"""Seconds after which a claim that nobody touched is free again."""

_CLAIM = re.compile(r"(.+)\.claim-(\d+)")


class ClaimError(RuntimeError):
    """Somebody else is at it, or took over what was ours."""


def claimed(folder: Path) -> set[str]:
    """The names on which there are claims, their owners alive or not."""
    return {match[1] for path in folder.iterdir() if (match := _CLAIM.fullmatch(path.name))}


@contextlib.contextmanager
def claim(
    folder: Path, name: str, *, lease: float = LEASE, wait: bool = True
) -> Iterator[Callable[[], bool]]:
    """Hold the claim on `name` for as long as the block runs; gives a function: still ours?

    Waits until an earlier owner is gone: it let go, its process ended (on this machine), or it
    hasn't touched its claim for `lease` seconds of our own clock. With `wait=False`, raises
    ClaimError as soon as the owner shows that it lives.
    """
    path, token = _take(folder, name, lease, wait)
    stopped = threading.Event()

    def beat() -> None:
        while not stopped.wait(lease / 5):
            with contextlib.suppress(OSError):
                os.utime(path)

    # A daemon: a process that is stopped hard must not live on for its heartbeat.
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield lambda: _owned(path, token) and _highest(folder, name) == _number(path)
    finally:
        stopped.set()
        thread.join()
        if _owned(path, token):
            with contextlib.suppress(OSError):
                path.unlink()


def _take(folder: Path, name: str, lease: float, wait: bool) -> tuple[Path, str]:
    """The claim's file and the token in it, once it is ours."""
    token = secrets.token_hex(8)
    owner = json.dumps({"token": token, "machine": _machine(), "pid": os.getpid()})
    seen: tuple[int, str] | None = None
    since = time.monotonic()
    while True:
        number = _highest(folder, name)
        if number:
            facts = _facts(folder / f"{name}.claim-{number}")
            if facts is None:
                continue
            if facts != seen:
                if not wait and seen is not None and seen[1] == facts[1]:
                    raise ClaimError(f"{name} is in other hands: {_described(facts[1])}")
                seen, since = facts, time.monotonic()
            if not _is_gone(facts[1]) and time.monotonic() - since <= lease:
                time.sleep(min(0.2, lease / 10))
                continue
        mine = folder / f"{name}.claim-{number + 1}"
        if _made(mine, owner):
            if _highest(folder, name) == number + 1:
                if number:
                    (folder / f"{name}.claim-{number}").unlink(missing_ok=True)
                return mine, token
            mine.unlink(missing_ok=True)


def _highest(folder: Path, name: str) -> int:
    """The number of the claim that holds, 0 when there is none."""
    matches = (_CLAIM.fullmatch(path.name) for path in folder.glob(f"{name}.claim-*"))
    return max((int(m[2]) for m in matches if m and m[1] == name), default=0)


def _number(path: Path) -> int:
    return int(path.name.rpartition("-")[2])


def _facts(path: Path) -> tuple[int, str] | None:
    """What changes when the owner touches or gives way; None when the file is gone."""
    try:
        return path.stat().st_mtime_ns, path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _made(path: Path, text: str) -> bool:
    """Make a file that must not exist yet; whether it was us. Raises what the disk raises."""
    try:
        file = path.open("x", encoding="utf-8")
    except FileExistsError:
        return False
    try:
        with file:
            file.write(text)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def _owned(path: Path, token: str) -> bool:
    try:
        return token in path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


def _described(owner: str) -> str:
    try:
        facts = json.loads(owner)
        return f"process {facts['pid']} on {facts['machine'].split('/')[0]} is at work on it"
    except (ValueError, KeyError, TypeError, AttributeError):
        return "another process is at work on it"


def _machine() -> str:
    """A name for everything that shares our process ids: containers of one host differ."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return "/".join(parts)


def _is_gone(owner: str) -> bool:
    """Whether the owner was a process of this machine that no longer runs.

    A process id may have been given to somebody else since; the lease decides then.
    """
    if os.name != "posix":
        return False  # signal 0 asks nothing elsewhere: it interrupts
    try:
        facts = json.loads(owner)
        if facts["machine"] != _machine():
            return False
        os.kill(int(facts["pid"]), 0)
        return _is_zombie(int(facts["pid"]))
    except ProcessLookupError:
        return True
    except (ValueError, KeyError, TypeError, OSError):
        return False


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended without anybody asking after it, as is common in containers."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z"
