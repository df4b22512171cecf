"""A student who breaks the shell that runs the cells breaks their own cells, and no more."""

from __future__ import annotations

import pytest
from descent_autograder.sandbox import Sandbox

from .notebooks import Graded, execute

pytestmark = pytest.mark.sandbox

RIGHT = "def crossed_kinks(pre_plus, pre_minus):\n    return (pre_plus > 0) != (pre_minus > 0)"
CHECK = Graded('check("crossed_kinks", crossed_kinks, points=2)', 2, "kinks")


@pytest.mark.parametrize(
    "attack",
    [
        "get_ipython().run_cell = lambda *args, **kwargs: None",
        "get_ipython().run_cell = 3",
        "def boom(*args, **kwargs):\n    raise ValueError('no')\nget_ipython().run_cell = boom",
    ],
)
def test_points_earned_before_are_kept_and_later_tests_still_run(
    worker: Sandbox, attack: str
) -> None:
    ran = execute(worker, RIGHT, CHECK, attack, "after = 1", Graded(CHECK.source, 2, "later"))
    assert ran.score(1) == 2
    assert ran.score(4) == 2


def test_the_error_of_a_failed_check_shows_no_path(worker: Sandbox) -> None:
    ran = execute(worker, RIGHT.replace(">", "<"), CHECK)
    (error,) = [output for output in ran.outputs(1) if output.output_type == "error"]
    assert error.ename == "AssertionError"
    assert len(error.traceback) == 1
    assert "not right yet" in error.traceback[0]
    assert "_check.py" not in str(ran.node)
