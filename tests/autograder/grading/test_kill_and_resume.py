"""Killed at any moment, the same command finishes the job with the same grades."""

from __future__ import annotations

import difflib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course, open_course
from descent_autograder.reports.feedback import write_feedback

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(1800)]

SCRIPT = Path(__file__).with_name("killing.py")
NEVER = 10**9


class _Graders:
    """Processes that grade, each in a process of its own, and are killed where they are told."""

    def __init__(self, unit: str, log: Path, scheduler: str = "") -> None:
        self._log = log
        with open(log, "w") as errors:
            self._process = subprocess.Popen(
                [sys.executable, str(SCRIPT), unit, *filter(None, [scheduler])],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                start_new_session=True,
            )

    def __enter__(self) -> _Graders:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:  # a run that hangs, say: nothing here shall wait for it
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()
        if error[0] is not None:
            return
        assert self._process.returncode == 0, self.errors()

    def grade(self, course: Course, point: int) -> tuple[int, list[int]]:
        """Return the exit code, and the points and the students of a run that wasn't killed."""
        assert self._process.stdin
        assert self._process.stdout
        print(point, course.root, file=self._process.stdin, flush=True)
        said: list[int] = []
        for line in self._process.stdout:
            if line.startswith("ended"):
                return int(line.split()[1]), said
            said += map(int, line.split())
        raise AssertionError(self.errors())

    def errors(self) -> str:
        """What they have said on stderr."""
        return self._log.read_text()


def _state(course: Course, tools: Any) -> tuple[Any, dict[str, bytes]]:
    """All grades, and every file of the autograded tree."""
    top = course.step("autograded")
    files = {str(p.relative_to(top)): p.read_bytes() for p in top.rglob("*") if p.is_file()}
    return tools.scores_of(course, tools.SMALL), files


def _first_change(
    files: dict[str, bytes], expected: dict[str, bytes], names: list[str]
) -> list[str]:
    """The lines in which the first of several files differs."""
    before, after = (f[names[0]].decode().splitlines() for f in (expected, files))
    return list(difflib.unified_diff(before, after, lineterm="", n=0))[:20]


@pytest.fixture
def handed_in(small: Course, tools: Any, small_release: Any, small_solved: Any) -> Course:
    for name, notebook in (("ada", small_solved), ("ben", small_release), ("dan", b"{")):
        tools.write(small, tools.SMALL, name, notebook)
    return small


def _kill_and_resume(
    course: Course, tools: Any, tmp_path: Path, number: int, seed: int, scheduler: str = ""
) -> None:
    pristine = tmp_path / "pristine"
    shutil.copytree(course.root, pristine)
    with _Graders(tools.SMALL, tmp_path / "errors", scheduler) as graders:
        code, said = graders.grade(course, NEVER)
        assert code == 0, graders.errors()
        points, graded = said
        assert graded == len(list(course.step("submitted").iterdir()))
        assert points >= number
        secret = (course.root / ".descent-secret").read_bytes()
        expected = _state(course, tools)
        chosen = random.Random(seed).sample(range(1, points + 1), number)
        for point in sorted(chosen):
            folder = tmp_path / f"killed-{point}"
            shutil.copytree(pristine, folder)
            (folder / ".descent-secret").write_bytes(secret)
            killed = open_course(folder)
            assert graders.grade(killed, point) == (-signal.SIGKILL, []), graders.errors()
            code, _ = graders.grade(killed, NEVER)
            assert code == 0, f"killed at point {point}: {graders.errors()}"
            scores, files = _state(killed, tools)
            assert scores == expected[0], f"killed at point {point}"
            assert sorted(files) == sorted(expected[1]), f"killed at point {point}"
            other = [name for name in files if files[name] != expected[1][name]]
            changes = _first_change(files, expected[1], other) if other else []
            assert other == [], f"killed at point {point}: {changes}"
            shutil.rmtree(folder)
    print(f"{number} kills at {points} points: the same grades and files each time")


@pytest.mark.dask
def test_twenty_kills_while_results_are_written_cost_nothing(
    handed_in: Course, tools: Any, tmp_path: Path
) -> None:
    """A cluster does the work: it stays warm when the process that writes is killed."""
    with tools.local_cluster(1) as cluster:
        address = cluster.scheduler_address
        _kill_and_resume(handed_in, tools, tmp_path, 20, seed=20261121, scheduler=address)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_two_hundred_kills_while_results_are_written_cost_nothing(
    handed_in: Course, tools: Any, tmp_path: Path, small_solved: Any
) -> None:
    """Local workers do the work; they end with the process that is killed."""
    for name in ("eva", "fay", "gus", "ida", "jan"):
        tools.write(handed_in, tools.SMALL, name, small_solved)
    _kill_and_resume(handed_in, tools, tmp_path, 200, seed=1)


def _command(course: Course, unit: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "descent_autograder.cli", "grade", unit, "--course", course.root],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("seconds", [0.5, 3.0, 6.0])
def test_a_kill_at_any_time_costs_nothing(handed_in: Course, tools: Any, seconds: float) -> None:
    running = _command(handed_in, tools.SMALL)
    time.sleep(seconds)
    running.kill()
    running.communicate()
    again = _command(handed_in, tools.SMALL)
    out, err = again.communicate(timeout=200)
    assert again.returncode == 0, err
    assert "5 / 10" in out
    scores = tools.scores_of(handed_in, tools.SMALL)
    assert {name: row["score"] for name, row in scores.items()} == {"ada": 5, "ben": 0, "dan": 0}
    assert len(write_feedback(Assignment(handed_in, tools.SMALL))) == 3


def test_ctrl_c_stops_with_one_line_and_the_next_run_goes_on(
    handed_in: Course, tools: Any, small_solved: Any
) -> None:
    import copy

    endless = copy.deepcopy(small_solved)
    tools.by_id(endless, "double_answer")["source"] = "while True:\n    pass"
    tools.write(handed_in, tools.SMALL, "zoe", endless)
    running = _command(handed_in, tools.SMALL)
    records = handed_in.journals / tools.SMALL
    deadline = time.monotonic() + 120
    while not list(records.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert err.splitlines()[-1].endswith("the same command goes on from there")
    assert "Traceback" not in err
    # What never ends has done its part: the run wasn't over when it was stopped.
    tools.write(handed_in, tools.SMALL, "zoe", small_solved)
    again = _command(handed_in, tools.SMALL)
    out, err = again.communicate(timeout=250)
    assert again.returncode == 0, err
    assert "unchanged" in out
