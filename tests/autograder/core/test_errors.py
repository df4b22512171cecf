"""The tree of failures, and that its drawing is it."""

from __future__ import annotations

import importlib
import inspect
import re

from descent_autograder.core import errors
from descent_autograder.core.errors import DescentError, WrongCall

ELSEWHERE = {
    "sandbox.walls": "NoWall",
    "publishing.solution_regions": "SolutionError",
}


def test_the_drawing_is_the_tree() -> None:
    lines = re.findall(r"^# ([│├└─ ]*)([A-Z]\w+)  ", inspect.getsource(errors), flags=re.M)
    assert lines
    parents: list[str] = []
    for branch, name in lines:
        depth = len(branch) // 3
        cls = getattr(errors, name)
        assert [base.__name__ for base in cls.__bases__] == (
            parents[depth - 1 : depth] or ["Exception"]
        )
        parents[depth:] = [name]
    defined = {name for name, one in vars(errors).items() if isinstance(one, type) and one.__doc__}
    assert {name for _, name in lines} == defined


def test_those_that_stand_elsewhere_belong_to_it() -> None:
    for module, name in ELSEWHERE.items():
        cls = getattr(importlib.import_module(f"descent_autograder.{module}"), name)
        assert issubclass(cls, DescentError)
        assert f"{module}.{name}" in inspect.getsource(errors)


def test_a_wrong_call_alone_has_another_status() -> None:
    assert DescentError.exit_status == 1
    assert WrongCall.exit_status == 2
