"""A thousand submissions: linear time, flat memory."""

from __future__ import annotations

import json
import time
from typing import Any

import psutil
import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.grading import pipeline
from descent_autograder.grading.options import Options

pytestmark = [pytest.mark.sandbox, pytest.mark.soak, pytest.mark.timeout(3600)]

NUMBER = 1000


def test_a_thousand_submissions_take_linear_time_and_flat_memory(
    small: Course, tools: Any, small_solved: Any
) -> None:
    raw = json.dumps(small_solved).encode()
    for number in range(NUMBER):
        tools.write(small, tools.SMALL, f"student{number:04d}", raw)
    here = psutil.Process()
    seen: dict[int, tuple[float, int]] = {}

    def watch(done: int, total: int, student: str) -> None:
        if done % 100 == 0:
            family = [here, *here.children(recursive=True)]
            seen[done] = time.monotonic(), sum(_memory(process) for process in family)

    summary = pipeline.grade(Assignment(small, tools.SMALL), Options(), watch)
    assert len(summary.graded) == NUMBER
    scores = tools.scores_of(small, tools.SMALL)
    assert {row["score"] for row in scores.values()} == {5.0}
    (early, memory), (middle, _), (late, later) = seen[200], seen[600], seen[1000]
    print(f"{NUMBER} submissions: {summary.seconds:.0f} s; memory at 200 {memory / 2**20:.0f} MB,")
    print(f"at 1000 {later / 2**20:.0f} MB; seconds 200–600 {middle - early:.0f},")
    print(f"600–1000 {late - middle:.0f}")
    assert late - middle < 1.3 * (middle - early)
    assert later < memory + 50 * 2**20
    again = time.monotonic()
    assert len(pipeline.grade(Assignment(small, tools.SMALL), Options()).unchanged) == NUMBER
    assert time.monotonic() - again < 0.2 * summary.seconds


def _memory(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0
