"""How to grade, what is told while it goes on, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        students: only these, or everybody when empty.
        jobs: local worker processes; 0 means one a core.
        scheduler: the address of a Dask scheduler, instead of local workers.
        unsafe: run student code without a sandbox where none can be built.
        force: also grade again what hasn't changed.
        patience: seconds to wait for a locked gradebook.
        limits: overrides of the sandbox's limits, by name.
    """

    students: Sequence[str] = ()
    jobs: int = 0
    scheduler: str | None = None
    unsafe: bool = False
    force: bool = False
    patience: float = 120.0
    limits: Mapping[str, float] = field(default_factory=dict)


@dataclass
class Summary:
    """What a run did.

    Attributes:
        graded: students graded in this run.
        unchanged: students whose grades stood already.
        rejected: folders that couldn't be used at all, with the reason.
        failed: students whom the grader itself failed; the next run tries them again.
        seconds: wall time.
    """

    graded: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    rejected: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


Progress = Callable[[int, int, str], None]
"""Told (done, total, student) after each submission."""


def no_progress(done: int, total: int, student: str) -> None:
    """Show nothing."""
