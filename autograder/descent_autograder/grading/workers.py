"""Who does the work, as far as a run has to know: `local_workers` or `dask_workers`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from descent_autograder.grading.work import Done, Settings, Task


class Pool(Protocol):
    """Anything that runs submissions, in whatever order they are done."""

    def grow(self, waiting: int) -> None:
        """Have at least as many workers getting ready as so many submissions can use."""
        ...

    def run(self, settings: Settings, tasks: Iterable[Task]) -> Iterator[tuple[str, Done | str]]:
        """Yield each student with what came of the task, or with why nothing did."""
        ...

    def close(self) -> None:
        """Stop all workers."""
        ...
