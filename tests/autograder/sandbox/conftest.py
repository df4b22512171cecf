"""Workers for the sandbox's tests: real ones, behind the wall that stands where the tests run."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from descent_autograder.sandbox import Limits, NoWall, Wall, Worker, best_wall

QUICK = Limits(cell_seconds=4, notebook_seconds=60, memory_bytes=700 << 20, output_bytes=1 << 20)


@pytest.fixture(scope="session")
def wall() -> Wall:
    """The wall that the tests are run behind: the one that is asked for, else the best."""
    wanted = os.environ.get("DESCENT_TEST_WALL")
    if wanted:
        return Wall(wanted)
    try:
        return best_wall()
    except NoWall as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def worker(wall: Wall) -> Iterator[Worker]:
    """A worker that all tests share, as submissions share one."""
    with Worker(wall, QUICK) as shared:
        yield shared
