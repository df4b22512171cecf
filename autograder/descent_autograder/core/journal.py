"""What the pipeline notes about each finished submission, so that a killed run can go on.

A record is written last, after the gradebook and the tree: a submission is finished when its
record says so, its folder stands in the autograded tree and the gradebook knows it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

_VERSION = 1


def digest(parts: Iterable[bytes | str]) -> str:
    """One fingerprint for several pieces of content, in their order."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "big"))
        total.update(raw)
    return total.hexdigest()


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that, whenever the power goes, it is the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name[:60]}.{secrets.token_hex(4)}")
    try:
        with open(draft, "xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


class Records:
    """The records of one assignment: one JSON file a student."""

    def __init__(self, folder: Path) -> None:
        """Keep the records in `folder`, which is made when the first one is written."""
        self._folder = folder

    def has(self, student: str) -> bool:
        """Whether there is a record of a student, without a look at what it says."""
        return self._path(student).exists()

    def read(self, student: str) -> dict[str, Any] | None:
        """The record of a student, or None when there is none that can be read."""
        try:
            record = json.loads(self._path(student).read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(record, dict) or record.get("version") != _VERSION:
            return None
        return record

    def write(self, student: str, record: Mapping[str, Any]) -> None:
        """Replace the record of a student."""
        document = {"version": _VERSION, "student": student, **record}
        text = json.dumps(document, ensure_ascii=True, default=str) + "\n"
        write_atomically(self._path(student), text.encode("ascii"))

    def forget(self, student: str) -> None:
        """Remove the record of a student, if there is one."""
        self._path(student).unlink(missing_ok=True)

    def _path(self, student: str) -> Path:
        name = quote(student, safe=" @+,")
        if len(name) > 120:
            name = name[:80] + hashlib.sha256(student.encode()).hexdigest()[:32]
        return self._folder / f"{name}.json"


class Tree:
    """Puts whole folders into place at once: prepared aside, then renamed."""

    def __init__(self, top: Path) -> None:
        """Work below `top`, the folder of one nbgrader step; leftovers of a killed run go."""
        self._drafts = top / ".descent-drafts"
        shutil.rmtree(self._drafts, ignore_errors=True)

    def prepare(self, files: Mapping[str, bytes], mode: int = 0o444) -> Path:
        """Write `files` into a new folder aside; the caller puts it into place."""
        draft = self._drafts / secrets.token_hex(8) / "new"
        try:
            draft.mkdir(parents=True)
            for name, content in files.items():
                path = draft / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                path.chmod(mode)
        except BaseException:
            # On a full disk, the others need the room that half a folder takes.
            shutil.rmtree(draft.parent, ignore_errors=True)
            raise
        return draft

    def place(self, draft: Path, destination: Path) -> None:
        """Put a prepared folder where it belongs, replacing what stands there."""
        old = draft.with_name("old")
        try:
            destination.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(destination):
                os.rename(destination, old)
            try:
                os.rename(draft, destination)
            except OSError:
                if os.path.lexists(old):
                    os.rename(old, destination)
                raise
        finally:
            shutil.rmtree(draft.parent, ignore_errors=True)

    def close(self) -> None:
        """Remove what was left aside."""
        shutil.rmtree(self._drafts, ignore_errors=True)
