"""A room that gets crowded shows: how long modules and functions may be, how many lie flat."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from .test_tree import ROOT

LONGEST_MODULE = 600
LONGEST_FUNCTION = 60
MOST_FLAT_MODULES = 12

PACKAGES = ("course/descent", "solutions/descent_solutions", "autograder/descent_autograder")
MODULES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_modules_and_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST_MODULE
    functions = [
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert {f.name: n for f in functions if (n := _length(f)) > LONGEST_FUNCTION} == {}


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Its lines, without those of its docstring."""
    first = function.body[0]
    docstring = ast.get_docstring(function, clean=False)
    said = (first.end_lineno or 0) - first.lineno + 1 if docstring is not None else 0
    return (function.end_lineno or 0) - function.lineno + 1 - said


def test_few_modules_lie_flat_in_the_grader() -> None:
    flat = sorted(path.name for path in (ROOT / PACKAGES[2]).glob("*.py"))
    assert len(flat) <= MOST_FLAT_MODULES, flat
