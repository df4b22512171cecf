"""The same work on a Dask cluster of several processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from descent_autograder import pipeline
from descent_autograder.course import Course
from descent_autograder.executor import WorkersFailed
from descent_autograder.pipeline import Options

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
    summary = pipeline.grade(small, tools.SMALL, options, kill_one)
    assert summary.failed == {}
    assert len(summary.graded) == 8
    scores = tools.scores_of(small, tools.SMALL)
    assert [row["score"] for row in scores.values()] == [5.0] * 8
    assert len(set(victims)) == 2


def test_the_sandboxes_of_a_cluster_end_with_it(
    small: Course, tools: Any, small_solved: Any, cluster: Any
) -> None:
    import psutil

    _hand_in(small, tools, small_solved, 2)
    pipeline.grade(small, tools.SMALL, Options(scheduler=cluster.scheduler_address))
    started = [
        p.pid for n in cluster.workers.values() for p in psutil.Process(n.pid).children(True)
    ]
    assert started
    cluster.close()
    deadline = time.monotonic() + 20
    while any(map(psutil.pid_exists, started)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not [pid for pid in started if psutil.pid_exists(pid)]
    assert threading.active_count() < 100


def test_no_scheduler_is_reported(small: Course, tools: Any, small_solved: Any) -> None:
    _hand_in(small, tools, small_solved, 1)
    with pytest.raises(WorkersFailed, match="no Dask scheduler answers"):
        pipeline.grade(small, tools.SMALL, Options(scheduler="tcp://127.0.0.1:9"))
