"""Grades a course and is killed at a chosen moment: run by ``test_kill_and_resume``.

    python killing.py COURSE UNIT POINT

POINT counts the places where a result is being made lasting: before and after every system call
that changes a file, and every statement and commit of the database. At the chosen one the process
kills itself with SIGKILL; a count beyond the last one lets it finish and prints how many there are.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from descent_autograder import startup

startup.skip_unused_checks()

from descent_autograder import pipeline  # noqa: E402
from descent_autograder.course import open_course  # noqa: E402
from sqlalchemy import event  # noqa: E402
from sqlalchemy.engine import Engine  # noqa: E402

_count = 0
_armed = False


def _point() -> None:
    global _count
    if not _armed:
        return
    _count += 1
    if _count == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)


def _surrounded(function: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        _point()
        result = function(*args, **kwargs)
        _point()
        return result

    return wrapped


def _half_written(path: Path, content: bytes) -> int:
    """Writes a file in two halves, with a point between them."""
    with open(path, "wb") as file:
        file.write(content[: len(content) // 2])
        file.flush()
        _point()
        return file.write(content[len(content) // 2 :])


def main() -> None:
    """Grade, counting points from the first result on."""
    global _armed
    for name in ("rename", "replace", "unlink", "link"):
        setattr(os, name, _surrounded(getattr(os, name)))
    Path.write_bytes = _half_written  # type: ignore[method-assign,assignment]
    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, moment, lambda *_: _point())
    save = pipeline._Run._save

    def armed(*args: Any) -> None:
        global _armed
        _armed = True
        save(*args)

    pipeline._Run._save = armed  # type: ignore[method-assign]
    options = pipeline.Options(jobs=1)
    summary = pipeline.grade(open_course(Path(sys.argv[1])), sys.argv[2], options)
    print(_count, len(summary.graded))


if __name__ == "__main__":
    main()
