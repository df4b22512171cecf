"""The same work on a Dask cluster of several processes."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.core.errors import WorkersFailed
from descent_autograder.grading import pipeline
from descent_autograder.grading.dask_workers import DaskPool
from descent_autograder.grading.options import Options

pytestmark = [pytest.mark.sandbox, pytest.mark.dask, pytest.mark.timeout(600)]


@pytest.fixture
def cluster(tools: Any) -> Iterator[Any]:
    with tools.local_cluster(2) as found:
        yield found


def _hand_in(course: Course, tools: Any, right: Any, number: int) -> None:
    for i in range(number):
        tools.write(course, tools.SMALL, f"student{i:02d}", right)


def test_a_cluster_gives_the_same_grades_and_a_killed_worker_costs_nothing(
    small: Course, tools: Any, small_solved: Any, cluster: Any
) -> None:
    _hand_in(small, tools, small_solved, 8)
    victims = [nanny.pid for nanny in cluster.workers.values()]

    def kill_one(done: int, total: int, student: str) -> None:
        if done == 2:
            os.kill(victims[0], signal.SIGKILL)

    options = Options(scheduler=cluster.scheduler_address)
    summary = pipeline.grade(Assignment(small, tools.SMALL), options, kill_one)
    assert summary.failed == {}
    assert len(summary.graded) == 8
    scores = tools.scores_of(small, tools.SMALL)
    assert [row["score"] for row in scores.values()] == [5.0] * 8
    assert len(set(victims)) == 2


def test_the_sandboxes_of_a_cluster_end_with_it(
    small: Course, tools: Any, small_solved: Any, cluster: Any
) -> None:
    _hand_in(small, tools, small_solved, 2)
    pipeline.grade(Assignment(small, tools.SMALL), Options(scheduler=cluster.scheduler_address))
    started = [process.pid for process in _below(cluster)]
    assert started
    cluster.close()
    deadline = time.monotonic() + 20
    while any(map(psutil.pid_exists, started)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not [pid for pid in started if psutil.pid_exists(pid)]
    assert threading.active_count() < 100


def test_sandboxes_get_warm_before_there_is_work_and_only_as_many_as_it_needs(
    small: Course, tools: Any, small_solved: Any, cluster: Any
) -> None:
    with contextlib.closing(DaskPool(cluster.scheduler_address, {}, unsafe=False)) as pool:
        pool.grow(0)
        assert _sandboxes(cluster) == []
        for waiting, wanted in ((1, 1), (1, 1), (8, 2)):
            pool.grow(waiting)
            for asked in pool._warming:
                asked.result(60)
            assert len(_sandboxes(cluster)) == wanted
    warm = _sandboxes(cluster)
    _hand_in(small, tools, small_solved, 2)
    pipeline.grade(Assignment(small, tools.SMALL), Options(scheduler=cluster.scheduler_address))
    assert _sandboxes(cluster) == warm


def _below(cluster: Any) -> list[psutil.Process]:
    """All processes that the cluster's workers have started."""
    nannies = [psutil.Process(nanny.pid) for nanny in cluster.workers.values()]
    return [process for nanny in nannies for process in nanny.children(recursive=True)]


def _sandboxes(cluster: Any) -> list[int]:
    """The warm processes of graders among them, one a sandbox."""
    module = "descent_autograder.sandbox.grader_zygote"
    return sorted(process.pid for process in _below(cluster) if module in process.cmdline())


def test_no_scheduler_is_reported(small: Course, tools: Any, small_solved: Any) -> None:
    _hand_in(small, tools, small_solved, 1)
    with pytest.raises(WorkersFailed, match="no Dask scheduler answers"):
        pipeline.grade(Assignment(small, tools.SMALL), Options(scheduler="tcp://127.0.0.1:9"))
