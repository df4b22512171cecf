"""Landlock as kernels before 6.12 have it: signals are kept in by the filter of system calls.

Run by ``test_elsewhere.py``, where the second wall stands.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from descent_autograder.sandbox import Limits, Sandbox, Wall, walls

from .notebooks import Graded, execute
from .test_confinement import DEFINE, STILL_HERE, ask


@pytest.fixture(scope="module", params=[1, 3, 4, 5])
def older(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walls, "NEWEST_LANDLOCK", request.param)
        with Sandbox(Wall.LANDLOCK, Limits(cell_seconds=5)) as worker:
            yield worker


def test_signals_and_files_stay_in(older: Sandbox) -> None:
    facts = ask(
        older,
        """
import os, signal
signal.signal(signal.SIGUSR1, lambda *a: None)
others = [os.getppid(), 1, -1, *range(2, 3000)]
show(
    others={attempt(lambda: os.kill(p, 0)) for p in others if p != os.getpid()} and
        sorted({str(attempt(lambda: os.kill(p, 0))) for p in others if p != os.getpid()}),
    own=attempt(lambda: os.kill(os.getpid(), signal.SIGUSR1)),
    hostname=attempt(lambda: open("/etc/hostname").read()),
    outside=attempt(lambda: open("/var/tmp/x", "w")),
    scratch=attempt(lambda: open("x", "w").write("x")),
)
""",
    )
    assert facts["others"] == ["PermissionError"]
    assert facts["own"] is None
    assert facts["hostname"] == facts["outside"] == "PermissionError"
    assert facts["scratch"] == 1


def test_it_grades(older: Sandbox) -> None:
    assert execute(older, DEFINE, STILL_HERE, Graded("assert answer() == 41")).score(1) == 2
