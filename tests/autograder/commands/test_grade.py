"""``descent grade``: grading and reports share what they know of a unit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from descent_autograder import cli
from descent_autograder.core import assignment, course
from descent_autograder.core.course import Course

pytestmark = pytest.mark.sandbox


def test_what_was_released_and_the_configuration_are_read_once(
    small: Course,
    tools: Any,
    hand_in: Callable[[str, Any], Path],
    small_solved: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    hand_in("ada", small_solved)
    calls: list[str] = []

    def counted(module: Any, name: str) -> None:
        function = getattr(module, name)

        def wrapped(*arguments: Any) -> Any:
            calls.append(name)
            return function(*arguments)

        monkeypatch.setattr(module, name, wrapped)

    counted(assignment, "released_notebooks")
    counted(course, "load_config")
    assert cli.main(["grade", "small", "--jobs", "1", "--course", str(small.root)]) == 0
    assert sorted(calls) == ["load_config", "released_notebooks"]
    assert small.path("feedback", "ada", tools.SMALL).is_dir()
    assert "1 graded" in capsys.readouterr().out
