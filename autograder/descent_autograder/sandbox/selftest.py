"""What ``descent doctor`` tells of the sandbox: which wall stands, why, and whether it holds."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import Any

from .limits import Limits
from .sandbox import Sandbox
from .survey import Finding, survey
from .walls import Wall

_PROBE = """
import json, os, socket
def attempt(action):
    try:
        action()
    except OSError:
        return True
    return False
print(json.dumps({
    "reads no file of the grader's": attempt(lambda: open(%r)),
    "reaches no network": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
    "writes nothing outside its scratch folder": attempt(lambda: open("/usr/x", "w")),
    "runs as nobody of importance": os.getuid() != 0,
}))
def answer():
    return 42
"""
_TEST = "assert answer() == 42"


@dataclass(frozen=True)
class Report:
    """What was found: the wall that is used, each wall's finding, and what a trial showed.

    ``trial`` says of each promise whether it held when a submission was run just now.
    """

    wall: Wall | None
    findings: tuple[Finding, ...]
    trial: dict[str, bool]
    seconds: float

    def lines(self) -> list[str]:
        """Return the report as lines of text."""
        name = self.wall.value if self.wall else "none: grading refuses unless --unsafe is given"
        lines = [f"sandbox: {name}"]
        for finding in self.findings:
            state = "stands" if finding.stands else "doesn't stand"
            lines.append(f"  {finding.wall.value}: {state}. {finding.reason}")
        lines += [f"  {'yes' if held else 'NO'}: {what}" for what, held in self.trial.items()]
        if self.trial:
            lines.append(f"  one submission took {1000 * self.seconds:.0f} ms")
        return lines


def selftest() -> Report:
    """Survey the walls and run one submission behind the best, for real."""
    findings = survey()
    wall = next((finding.wall for finding in findings if finding.stands), None)
    if wall is None:
        return Report(None, findings, {}, 0.0)
    with Sandbox(wall, Limits(cell_seconds=10)) as worker:
        worker.execute(_notebook(), assignment="doctor", student="doctor", secret=b"doctor")
        started = time.perf_counter()
        outcome = worker.execute(
            _notebook(), assignment="doctor", student="doctor", secret=b"doctor"
        )
        seconds = time.perf_counter() - started
    return Report(wall, findings, _held(json.loads(outcome.notebook)), seconds)


def _held(notebook: dict[str, Any]) -> dict[str, bool]:
    probe, test = (cell["outputs"] for cell in notebook["cells"])
    text = "".join("".join(output.get("text", "")) for output in probe)
    held: dict[str, bool] = json.loads(text) if text.startswith("{") else {"runs": False}
    held["tests outside it see the submission's functions"] = test == []
    return held


def _notebook() -> bytes:
    about = {"grade": True, "solution": False, "locked": True, "points": 1, "grade_id": "answer"}
    cells = [
        _cell(_PROBE % os.path.abspath(__file__), {}),
        _cell(_TEST, {"nbgrader": about}),
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def _cell(source: str, metadata: dict[str, Any]) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": "test" if metadata else "probe",
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }
