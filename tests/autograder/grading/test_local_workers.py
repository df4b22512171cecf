"""Local workers: who dies is replaced, who fails alone is blamed, who is free gets the next one."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.core.errors import WorkersFailed
from descent_autograder.grading import class_run, pipeline
from descent_autograder.grading.local_workers import LocalPool
from descent_autograder.grading.options import Options, Summary
from descent_autograder.grading.work import Done, Settings, Task

pytestmark = pytest.mark.sandbox

HandIn = Callable[[str, Any], Path]


def test_a_worker_that_dies_costs_only_its_time(
    a_class: Course, tools: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    start = LocalPool._start

    def remembered(pool: LocalPool, number: int) -> Any:
        started.append(start(pool, number))
        return started[-1]

    def kill_the_first(done: int, total: int, student: str) -> None:
        if done == 1:
            started[0].process.kill()

    monkeypatch.setattr(LocalPool, "_start", remembered)
    summary = pipeline.grade(
        Assignment(a_class, tools.SMALL), Options(jobs=1, limits=tools.QUICK), kill_the_first
    )
    assert len(started) == 2
    assert len(summary.graded) == 6
    assert summary.failed == {}
    assert tools.scores_of(a_class, tools.SMALL)["eve"]["score"] == 3.0


def test_after_a_failure_of_the_grader_nobody_else_is_blamed(
    released: Any, small_solved: Any, tools: Any
) -> None:
    settings = Settings("20-small", {"small": released.file}, b"secret", tools.QUICK)
    good, bad = json.dumps(small_solved).encode(), b"no notebook"
    names = ["bad-1", "good-1", "bad-2", "good-2", "bad-3"]
    with contextlib.closing(LocalPool(tools.QUICK, unsafe=False)) as pool:
        pool.grow(1)
        tasks = [Task(name, {"small": good if "good" in name else bad}) for name in names]
        found = dict(pool.run(settings, tasks))
    assert found.keys() == set(names)
    for name in names:
        if "good" in name:
            assert isinstance(found[name], Done)
        else:
            assert "the grader itself failed: JSONDecodeError" in str(found[name])


def test_the_last_submissions_go_to_whoever_is_free_first(
    released: Any, small_solved: Any, tools: Any
) -> None:
    settings = Settings("20-small", {"small": released.file}, b"secret", tools.QUICK)
    notebook = {"small": json.dumps(small_solved).encode()}
    asked, most_ahead, busy = 0, 0, []

    def tasks() -> Iterator[Task]:
        nonlocal asked
        for asked in range(1, 9):
            yield Task(f"student-{asked}", notebook)

    with contextlib.closing(LocalPool(tools.QUICK, unsafe=False, jobs=2)) as pool:
        pool.grow(8)
        workers = list(pool._workers)
        for done, _ in enumerate(pool.run(settings, tasks()), 1):
            most_ahead = max(most_ahead, asked - done)
            busy.append([len(worker.tasks) for worker in workers])
        assert pool._workers == []
    assert most_ahead <= 8
    # Nobody is given a second one any more; who is slow may have had it from the start.
    for before, after in itertools.pairwise(busy[-4:]):
        assert all(now <= max(1, then) for then, now in zip(before, after, strict=True))
    # One that was still getting ready when all was done is terminated.
    assert all(worker.process.returncode == (0 if worker.ready else -15) for worker in workers)


def test_workers_get_warm_while_the_class_is_read(
    small: Course,
    tools: Any,
    hand_in: HandIn,
    small_solved: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("ada", small_solved)
    workers: list[int] = []
    start, waiting = LocalPool._start, class_run.ClassRun.waiting

    def started(pool: LocalPool, number: int) -> Any:
        workers.append(number)
        return start(pool, number)

    def read(run: Any, students: Any, summary: Summary) -> Any:
        seen.append(len(workers))
        return waiting(run, students, summary)

    monkeypatch.setattr(LocalPool, "_start", started)
    monkeypatch.setattr(class_run.ClassRun, "waiting", read)
    for changed, before, after in ((None, 1, 1), (None, 0, 0), ("submission", 0, 1)):
        seen: list[int] = []
        workers.clear()
        if changed:
            hand_in("ada", tools.altered(small_solved, essay="On second thoughts."))
        tools.grade(small, tools.SMALL)
        assert (seen, len(workers)) == ([before], after)


def test_a_worker_tries_no_other_wall_when_the_first_one_stands(
    monkeypatch: pytest.MonkeyPatch, tools: Any
) -> None:
    from descent_autograder import sandbox
    from descent_autograder.grading.work import start_sandbox
    from descent_autograder.sandbox import sandbox as module

    if sandbox.best_wall() is not sandbox.Wall.NAMESPACES:
        pytest.skip("the first wall doesn't stand here")
    asked = []
    best = module.best_wall
    monkeypatch.setattr(module, "best_wall", lambda: asked.append("all walls") or best())
    start_sandbox(tools.QUICK).close()
    assert asked == []
    # Where the trial fails, all walls are tried, and one that stands is built.
    with monkeypatch.context() as broken:
        broken.setattr(sandbox.Sandbox, "session", _no_session)
        worker = start_sandbox(tools.QUICK)
    try:
        assert asked == ["all walls"]
        assert worker.wall is sandbox.Wall.NAMESPACES
    finally:
        worker.close()


def _no_session(*_: object) -> Any:
    raise RuntimeError("the process can't confine itself")


def test_without_a_worker_the_run_says_why(
    small: Course,
    tools: Any,
    hand_in: HandIn,
    small_solved: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand_in("ada", small_solved)
    monkeypatch.setattr("sys.executable", "/bin/false")
    with pytest.raises(WorkersFailed, match="worker process"):
        tools.grade(small, tools.SMALL)
