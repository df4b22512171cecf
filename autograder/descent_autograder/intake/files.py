"""The file side of intake: reads a submission's folder without following links or opening devices.

Everything is read through descriptors relative to the folder, opened without following symbolic
links, so that what was checked is what is read.
"""

from __future__ import annotations

import heapq
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from descent_autograder.core.text import few, shown

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
_IGNORED = {".ipynb_checkpoints", "__pycache__", "feedback", ".DS_Store", "__MACOSX"}
_BAD_IN_NAMES = set("\\<>:\"|?*'`&")
_TIMESTAMP_BYTES = 1000


@dataclass(frozen=True)
class FileLimits:
    """How much of a submission is read.

    Attributes:
        notebook_bytes: the largest notebook.
        file_bytes: the largest other file.
        total_bytes: all files together.
        files: how many files.
        entries: how many files, folders, links and whatever else are looked at.
        depth: how many folders deep.
    """

    notebook_bytes: int = 64 * 2**20
    file_bytes: int = 32 * 2**20
    total_bytes: int = 128 * 2**20
    files: int = 500
    entries: int = 5000
    depth: int = 6


@dataclass
class Collected:
    """What a submission's folder holds.

    Attributes:
        notebooks: the bytes of each expected notebook that was found, by its name.
        refusals: for each expected notebook that can't be graded, the reason.
        files: everything else, by its relative path.
        timestamp: the beginning of nbgrader's ``timestamp.txt``, if there is one.
        remarks: what was left out or taken for something else, in sentences.
    """

    notebooks: dict[str, bytes] = field(default_factory=dict)
    refusals: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    timestamp: str | None = None
    remarks: list[str] = field(default_factory=list)


def student_problem(student: str) -> str | None:
    """Why a folder's name can't be a student's id, or None when it can.

    Letters of any script, digits, spaces and ``_ - . @ +`` are fine.
    """
    if not student or student != student.strip() or student.startswith((".", "-")):
        return "its folder's name is empty, or begins with a dot, a dash or a space"
    if len(student) > 100:
        return "its folder's name is longer than 100 characters"
    if not all(char.isalnum() or char in " _-.@+" for char in student):
        return "its folder's name holds characters other than letters, digits, spaces and _-.@+"
    return None


def submissions(submitted: Path, assignment: str) -> Iterator[tuple[str, str | None]]:
    """All who handed in `assignment`, in order: (student, why the folder can't be used or None)."""
    if not submitted.is_dir():
        return
    for entry in sorted(os.scandir(submitted), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        try:
            status = os.lstat(Path(entry.path, assignment))
            is_link = entry.is_symlink() or stat.S_ISLNK(status.st_mode)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            reason = f"its folder can't be opened ({error.strerror})"
            yield entry.name, student_problem(entry.name) or reason
            continue
        problem = student_problem(entry.name)
        if problem is None and is_link:
            problem = "its folder is a link to another place"
        if problem is None and not stat.S_ISDIR(status.st_mode):
            problem = "there is a file where its folder should be"
        yield entry.name, problem


def collect(
    folder: Path,
    expected: Collection[str],
    limits: FileLimits | None = None,
    taken: Collection[str] = (),
) -> Collected:
    """Read a submission's folder.

    Args:
        folder: ``submitted/<student>/<assignment>``.
        expected: the names of the notebooks to grade, without ``.ipynb``.
        limits: how much to read.
        taken: paths that files of the course will have in the same folder.

    Returns:
        What was found, with a remark or a refusal for what can't be opened, read or used.
    """
    found = _Walk(limits or FileLimits(), {f"{name}.ipynb" for name in expected})
    try:
        handle = os.open(folder, _FLAGS | os.O_DIRECTORY)
    except OSError as error:
        reason = f"the submitted folder can't be opened ({error.strerror})"
        return Collected(refusals=dict.fromkeys(expected, reason))
    try:
        found.walk(handle, "", 0)
    finally:
        os.close(handle)
    return _sort_out(found, set(expected), taken)


class _Walk:
    """Reads files below a descriptor, within limits."""

    def __init__(self, limits: FileLimits, expected: Collection[str]) -> None:
        self.limits = limits
        self.files: dict[str, bytes] = {}
        self.problems: dict[str, str] = {}
        self._expected = expected
        self._left_out: list[str] = []
        self._limit = ""
        self._total = 0
        self._seen = 0

    @property
    def remarks(self) -> list[str]:
        """What was left out, with the limit that was met first of all."""
        limit = [f"{self._limit}; the rest was left out."] if self._limit else []
        return [*limit, *few(self._left_out)]

    def walk(self, handle: int, prefix: str, depth: int) -> None:
        for name in self._names(handle, prefix):
            if self._seen >= self.limits.entries:
                self._limit = f"The folder holds more than {self.limits.entries} entries"
                return
            self._seen += 1
            if name in _IGNORED or name.endswith(".pyc"):
                continue
            if len(self.files) >= self.limits.files:
                self._limit = f"The folder holds more than {self.limits.files} files"
                return
            path = prefix + name
            problem = self._take(handle, name, path, depth)
            if problem:
                self._left_out.append(f"The file {shown(path)} was left out: {problem}.")
                if path in self._expected:
                    self.problems[path] = problem

    def _names(self, handle: int, prefix: str) -> list[str]:
        """As many names as may be looked at, in order, the expected notebooks first."""
        room = self.limits.entries - self._seen + 1
        with os.scandir(handle) as entries:
            return heapq.nsmallest(
                room,
                (entry.name for entry in entries),
                key=lambda name: (prefix + name not in self._expected, name),
            )

    def _take(self, parent: int, name: str, path: str, depth: int) -> str | None:
        if not _plain_name(name):
            return "its name holds characters that no file of this course needs"
        try:
            handle = os.open(name, _FLAGS, dir_fd=parent)
        except OSError as error:
            if _is_link(name, parent):
                return "it is a link"
            return f"it can't be opened ({error.strerror})"
        try:
            status = os.fstat(handle)
            if stat.S_ISDIR(status.st_mode):
                if depth >= self.limits.depth:
                    return "it lies too many folders deep"
                self.walk(handle, path + "/", depth + 1)
                return None
            return self._read(handle, status, path)
        except OSError as error:
            return f"it can't be read ({error.strerror})"
        finally:
            os.close(handle)

    def _read(self, handle: int, status: os.stat_result, path: str) -> str | None:
        if not stat.S_ISREG(status.st_mode):
            return "it isn't a regular file"
        if status.st_nlink > 1:
            return "it is a hard link to a file that has another name elsewhere"
        is_notebook = path.endswith(".ipynb")
        limit = self.limits.notebook_bytes if is_notebook else self.limits.file_bytes
        limit = min(limit, self.limits.total_bytes - self._total)
        if status.st_size > limit:
            return f"it is too large ({status.st_size / 2**20:.0f} MB)"
        with os.fdopen(os.dup(handle), "rb") as file:
            content = file.read(limit + 1)
        if len(content) > limit:
            return "it is too large"
        self._total += len(content)
        self.files[path] = content
        return None


def _plain_name(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return name.isprintable() and len(name) <= 150 and not _BAD_IN_NAMES & set(name)


def _is_link(name: str, parent: int) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
    except OSError:
        return False


def _sort_out(found: _Walk, expected: set[str], taken: Collection[str]) -> Collected:
    result = Collected(remarks=found.remarks)
    in_the_way = []
    notebooks = {path: raw for path, raw in found.files.items() if path.endswith(".ipynb")}
    names = {*taken, *(f"{name}.ipynb" for name in expected)}
    for path in [path for path in found.files if _is_in_the_way(path, names)]:
        notebooks.pop(path, None)
        del found.files[path]
        in_the_way.append(
            f"The file {shown(path)} was left out: a file of this assignment has its place."
        )
    result.remarks += few(in_the_way)
    result.files = {p: raw for p, raw in found.files.items() if p not in notebooks}
    stamp = result.files.get("timestamp.txt")
    if stamp is not None:
        result.timestamp = stamp[:_TIMESTAMP_BYTES].decode("utf-8", "replace").strip()
    for name in sorted(expected):
        if f"{name}.ipynb" in notebooks:
            result.notebooks[name] = notebooks.pop(f"{name}.ipynb")
    for name in sorted(expected - set(result.notebooks)):
        problem = found.problems.get(f"{name}.ipynb")
        if problem:
            result.refusals[name] = f"{name}.ipynb can't be graded: {problem}"
            continue
        stand_in = _stand_in(name, notebooks)
        if stand_in is None:
            result.refusals[name] = f"the submission holds no notebook called {name}.ipynb"
            continue
        result.notebooks[name] = notebooks.pop(stand_in)
        result.remarks.append(
            f"{name}.ipynb was missing; {shown(stand_in)} was graded in its place."
        )
    return result


def _is_in_the_way(path: str, names: Collection[str]) -> bool:
    """Whether a path needs a folder where one of the names needs a file, or the reverse."""
    return any(path.startswith(f"{name}/") or name.startswith(f"{path}/") for name in names)


def _stand_in(name: str, notebooks: dict[str, bytes]) -> str | None:
    """The one notebook that must be meant: the same name in a folder, like it, or the only one."""
    if not notebooks:
        return None

    def likeness(path: str) -> tuple[bool, bool]:
        stem = Path(path).stem.lower().replace("_", "-").replace(" ", "-")
        return stem == name, name in stem

    ranked = sorted(notebooks, key=likeness, reverse=True)
    if len(ranked) == 1 or likeness(ranked[0]) > likeness(ranked[1]):
        return ranked[0]
    return None
