"""Grades courses and is killed at chosen moments: run by ``test_kill_and_resume``.

    python killing.py UNIT [ADDRESS OF A DASK SCHEDULER]

Reads lines of POINT COURSE. Each is graded by a process of its own, forked when all is imported;
then a line says how that ended, after one with the number of points and of students if it got so
far. POINT counts the places where a result is being made lasting: before and after every system
call that changes a file, and every statement and commit of the database. At the chosen one the
process kills itself with SIGKILL; a count beyond the last one lets it finish.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from descent_autograder.core import startup

startup.skip_unused_checks()

from descent_autograder.core.course import open_course  # noqa: E402
from descent_autograder.grading import class_run as classrun  # noqa: E402
from descent_autograder.grading import pipeline  # noqa: E402
from sqlalchemy import event  # noqa: E402
from sqlalchemy.engine import Engine  # noqa: E402

_count = 0
_last = 0
_armed = False


def _point() -> None:
    global _count
    if not _armed:
        return
    _count += 1
    if _count == _last:
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


def grade(course: str, options: pipeline.Options) -> None:
    """Grade, counting points from the first result on."""
    global _armed
    for name in ("rename", "replace", "unlink", "link"):
        setattr(os, name, _surrounded(getattr(os, name)))
    Path.write_bytes = _half_written  # type: ignore[method-assign,assignment]
    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(Engine, moment, lambda *_: _point())
    save = classrun.Run._save

    def armed(*args: Any) -> None:
        global _armed
        _armed = True
        save(*args)

    classrun.Run._save = armed  # type: ignore[method-assign]
    summary = pipeline.grade(open_course(Path(course)), sys.argv[1], options)
    print(_count, len(summary.graded), flush=True)


def main() -> None:
    """Do what the lines say until there are no more."""
    global _last
    scheduler = sys.argv[2] if len(sys.argv) > 2 else None
    if scheduler:
        importlib.import_module("distributed")
    for line in sys.stdin:
        point, course = line.rstrip("\n").split(" ", 1)
        child = os.fork()
        if child == 0:
            _last = int(point)
            try:
                grade(course, pipeline.Options(jobs=1, scheduler=scheduler))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                os._exit(1)
        _, status = os.waitpid(child, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
