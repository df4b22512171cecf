"""Workers for the sandbox's tests: real ones, behind the wall that stands where the tests run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from descent_autograder.questions import EXAMS
from descent_autograder.sandbox import Limits, NoWall, Sandbox, Wall, best_wall

QUICK = Limits(cell_seconds=4, notebook_seconds=60, memory_bytes=700 << 20, output_bytes=1 << 20)


@pytest.fixture(scope="session")
def wall() -> Wall:
    """The best wall that stands here; where a test set the scene, it must be the expected one."""
    try:
        best = best_wall()
    except NoWall as reason:
        pytest.skip(str(reason))
    expected = os.environ.get("DESCENT_TEST_EXPECT")
    assert expected in (None, best.value)
    return best


@pytest.fixture(scope="session")
def worker(wall: Wall) -> Iterator[Sandbox]:
    """A worker that all tests share, as submissions share one."""
    with Sandbox(wall, QUICK, exams=EXAMS) as shared:
        yield shared
