"""How long the course makes a student wait: lessons, solved assignments, checks, the import."""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from descent_autograder.core import units
from descent_autograder.core.course import open_course

Row = dict[str, Any]
ROUNDS = 7


def rows() -> list[Row]:
    """`check-latency`, `import-descent`, and `lesson-UNIT`, `solution-UNIT` for every unit."""
    return [_check_latency(), _import_descent(), *_notebooks("lesson"), *_notebooks("solution")]


def _row(identity: str, what: str, value: float, unit: str) -> Row:
    row: Row = {"id": identity, "what": what, "value": round(value, 3), "unit": unit}
    return row | {"baseline": None, "ratio": None}


def _check_latency() -> Row:
    """The median over all questions of the time `check` takes with a right answer."""
    from descent import check

    from descent_autograder.questions.catalogue import entries
    from descent_autograder.questions.entry import as_tuple

    times = []
    for question, entry in entries().items():
        rounds = []
        for _ in range(3):
            started = time.perf_counter()
            with contextlib.redirect_stdout(io.StringIO()):
                check(question, *as_tuple(entry.reference))
            rounds.append(time.perf_counter() - started)
        times.append(min(rounds))
    slowest = 1000 * max(times)
    what = f"check of a right answer, median of {len(times)} questions (slowest {slowest:.0f} ms)"
    return _row("check-latency", what, 1000 * statistics.median(times), "ms")


_IMPORT = """
import time, numpy, matplotlib, matplotlib.figure
started = time.perf_counter()
import descent
print(time.perf_counter() - started)
"""


def _import_descent() -> Row:
    def once() -> float:
        command = [sys.executable, "-c", _IMPORT]
        return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)

    seconds = statistics.median(once() for _ in range(ROUNDS))
    what = "import descent, after numpy and matplotlib"
    return _row("import-descent", what, 1000 * seconds, "ms")


def _notebooks(kind: str) -> list[Row]:
    """Seconds from starting a kernel to the end of the last cell, notebook by notebook."""
    root = open_course().root
    pattern = "source/*/*.ipynb" if kind == "solution" else "../course/lessons/*.ipynb"
    found = []
    for path in sorted(root.glob(pattern)):
        folder = path.parent.name if kind == "solution" else path.stem
        module = units.module(folder)
        what = "solved assignment, top to bottom" if kind == "solution" else "lesson, top to bottom"
        found.append(_row(f"{kind}-{module}", what, _run(path), "s"))
    return found


def _run(path: Path) -> float:
    from nbclient import NotebookClient
    from nbformat import read

    environment = {k: v for k, v in os.environ.items() if k != "NBGRADER_EXECUTION"}
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            read(path, 4), timeout=300, resources={"metadata": {"path": folder}}
        )
        started = time.perf_counter()
        client.execute(env=environment)
        return time.perf_counter() - started
