"""A scratch folder on disk: what lies in it, and its removal, however deep its owner has dug.

Everything goes by descriptors of folders and without recursion: a path may be too long to be
named, and a process that still writes may put a link in a folder's place.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

MAX_DEPTH = 100
"""How deeply folders may be nested; what lies deeper is too much."""
MAX_NAMES, MAX_FOLDERS = 16_384, 2_000
"""How many names there may be, and how many of them folders, whose removal takes the disk long."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def is_overfull(folder: str, most: float) -> bool:
    """Return whether a folder holds more than ``most`` bytes, too many names, or too deep ones."""
    size = folders = 0
    for count, (info, depth) in enumerate(_walk(folder), 1):
        size += info.st_size
        folders += stat.S_ISDIR(info.st_mode)
        if size > most or count > MAX_NAMES or folders > MAX_FOLDERS or depth > MAX_DEPTH:
            return True
    return False


def nameless(folder: str, pids: Iterable[int], mapped_size: int) -> int:
    """Return the bytes of files that had a place in ``folder`` and that processes hold nameless.

    Args:
        folder: the scratch folder.
        pids: the processes.
        mapped_size: what to count for a file that is mapped but no longer open: it has no size
            that can be seen.
    """
    device = os.stat(folder).st_dev
    sizes: dict[int, int] = {}
    mapped: set[int] = set()
    for pid in pids:
        for descriptor in _descriptors(pid):
            with contextlib.suppress(OSError):
                info = os.stat(descriptor)
                if stat.S_ISREG(info.st_mode) and info.st_dev == device and not info.st_nlink:
                    sizes[info.st_ino] = info.st_size
        mapped |= set(_mapped(pid, folder))
    return sum(sizes.values()) + mapped_size * len(mapped - sizes.keys())


def clear(folder: str) -> None:
    """Remove all that lies in a folder; what can't be removed stays."""
    with contextlib.suppress(OSError):
        top = os.open(folder, _FOLDER)
        try:
            _empty(top)
        finally:
            os.close(top)


def remove(folder: str) -> None:
    """Remove a folder and all that lies in it."""
    clear(folder)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _walk(folder: str) -> Iterator[tuple[os.stat_result, int]]:
    """Yield what lies in a folder, each with its depth; at most one descriptor a level is open."""
    levels: list[tuple[int, list[str]]] = []
    try:
        levels.append(_opened(folder))
        while levels:
            parent, names = levels[-1]
            if not names:
                os.close(levels.pop()[0])
                continue
            name = names.pop()
            with contextlib.suppress(OSError):  # it may be gone by now
                info = os.stat(name, dir_fd=parent, follow_symlinks=False)
                yield info, len(levels)
                if stat.S_ISDIR(info.st_mode):
                    levels.append(_opened(name, parent))
    finally:
        for descriptor, _ in levels:
            os.close(descriptor)


def _opened(name: str, parent: int | None = None) -> tuple[int, list[str]]:
    """Return the descriptor of a folder, and its names."""
    descriptor = _open(name, parent)
    try:
        return descriptor, os.listdir(descriptor)
    except OSError:
        os.close(descriptor)
        raise


def _open(name: str, parent: int | None) -> int:
    """Open a folder, also one that its owner has closed to everybody, himself included."""
    place = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    try:
        if ~os.fstat(place).st_mode & stat.S_IRWXU:
            os.chmod(f"/proc/self/fd/{place}", stat.S_IRWXU)
        return os.open(".", _FOLDER, dir_fd=place)
    finally:
        os.close(place)


def _empty(folder: int) -> None:
    """Remove all that lies in a folder, down and up again one level at a time."""
    here = os.dup(folder)
    levels = [_without_files(here)]
    try:
        while True:
            if levels[-1]:
                try:
                    below = _open(levels[-1][-1], here)
                except OSError:
                    levels[-1].pop()
                    continue
                os.close(here)
                here = below
                levels.append(_without_files(here))
                continue
            levels.pop()
            if not levels:
                return
            above = os.open("..", _FOLDER, dir_fd=here)
            os.close(here)
            here = above
            with contextlib.suppress(OSError):
                os.rmdir(levels[-1].pop(), dir_fd=here)
    finally:
        os.close(here)


def _without_files(folder: int) -> list[str]:
    """Remove a folder's files; return the names of the folders in it."""
    folders = []
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            if _is_folder(name, folder):
                folders.append(name)
            else:
                os.unlink(name, dir_fd=folder)
    return folders


def _is_folder(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)


def _descriptors(pid: int) -> Iterator[str]:
    """Yield the paths of a process's open descriptors; a thread may have a table of its own."""
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            folder = f"/proc/{pid}/task/{task}/fd"
            with contextlib.suppress(OSError):
                for number in os.listdir(folder):
                    yield f"{folder}/{number}"


def _mapped(pid: int, folder: str) -> Iterator[int]:
    """Yield the numbers of files of ``folder`` that a process has mapped and that have no name."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/maps").read_text(errors="replace").splitlines():
            if line.endswith("(deleted)"):
                words = line.split(maxsplit=5)
                if len(words) == 6 and words[5].startswith(folder):
                    yield int(words[4])
