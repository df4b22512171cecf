"""What grading notes about each finished submission, so that a killed run can go on.

A record is written last, after the gradebook and the tree: a submission is finished when its
record says so, its folder stands in the autograded tree and the gradebook knows it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from descent_autograder.core.staging import write_atomically

_VERSION = 1


def digest(parts: Iterable[bytes | str]) -> str:
    """One fingerprint for several pieces of content, in their order."""
    total = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(raw).to_bytes(8, "big"))
        total.update(raw)
    return total.hexdigest()


class Journal:
    """What is noted of one assignment: one record, a JSON file, a student."""

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
