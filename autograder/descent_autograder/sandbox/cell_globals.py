"""Where a grade cell's names come from.

A grade cell is the instructor's and runs in the grader, but it speaks of what the student
wrote. So its globals answer in this order: what the grade cells themselves and the instructor's
imports have bound; Python's builtins; and only then the student's process, with a plain value or a
stand-in for a function. Nothing that a student binds can therefore take the place of numpy, of
``check``, or of a function that the instructor imported. Nor of a helper that another grade cell
defines, also where that cell failed before it got there: a name that only grade cells bind is never
looked up in the student's process.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import importlib
import sys
from collections.abc import Iterable
from typing import Any

from .inside.channel import Peer, Remote

CUSTOMARY = """
import math, random
import numpy, matplotlib, matplotlib.pyplot
import numpy as np
import matplotlib.pyplot as plt
from descent import check
"""
"""What every grade cell knows, whatever the notebook says."""

_LIBRARIES = ("numpy", "scipy", "matplotlib", "descent")


class CellGlobals(dict[str, Any]):
    """The globals of grade cells: a dict that asks the student's process for what it lacks."""

    def __init__(self) -> None:
        super().__init__()
        self.peer: Peer | None = None
        self._known: dict[str, Any] = {}
        self._kept: set[str] = set()
        self.reserved: frozenset[str] = frozenset()
        """CellGlobals that are the tests' own: nothing of the student's stands in for them."""

    def __missing__(self, name: str) -> Any:
        if self.peer is None or name.startswith("__") or hasattr(builtins, name):
            raise KeyError(name)
        if name in self.reserved:
            raise KeyError(name)
        if name in self._known:
            return self._known[name]
        found = self.peer.ask("look", name)
        if type(found) is not tuple or len(found) != 2:
            raise KeyError(name)
        kind, value = found
        if kind == "module":
            value = library(str(value))
            if value is None:
                raise KeyError(name)
        if kind == "module" or isinstance(value, Remote):
            # A plain value may change with every call; a function stays until a cell runs.
            self._known[name] = value
        return value

    def keep(self) -> None:
        """Let what is bound now outlast the student's cells: it is the instructor's own."""
        self._kept = set(self)

    def student_cell_ran(self) -> None:
        """Forget what may have changed with a cell of the student's.

        Variables of grade cells go: the student's of the same name must be seen again. Functions,
        classes and modules that a grade cell defines stay: helpers, which nobody may replace.
        """
        self._known.clear()
        for name in [name for name in self if name not in self._kept]:
            if not _is_helper(self[name]):
                del self[name]


def _is_helper(value: Any) -> bool:
    return isinstance(value, type | type(ast)) or type(value).__name__ == "function"


def library(name: str) -> Any:
    """Return this process's own module for one that the student imported, None for others."""
    if name in sys.modules and (
        name in sys.stdlib_module_names or name.partition(".")[0] in _LIBRARIES
    ):
        return sys.modules[name]
    if name.partition(".")[0] in _LIBRARIES:
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


def bind_instructors(names: CellGlobals, cells: Iterable[tuple[str, bool]]) -> list[str]:
    """Run the imports of the instructor's cells, and the definitions of the locked ones.

    Args:
        names: where they are bound.
        cells: source and whether it is locked, of the code cells of the released notebook.

    Returns:
        Sentences about what couldn't be run.
    """
    remarks = []
    for source, locked in [(CUSTOMARY, False), *cells]:
        for statement in definitions(source, locked):
            try:
                exec(compile(ast.Module([statement], []), "<instructor>", "exec"), names)
            except Exception as problem:
                line = ast.unparse(statement).splitlines()[0]
                remarks.append(f"The grader couldn't run {line!r}: {problem}")
    names.keep()
    return remarks


def bind_helpers(names: CellGlobals, sources: Iterable[str]) -> None:
    """Run the imports and definitions of grade cells that an earlier pair of processes has run.

    What can't be run is left out without a word: it may be a line of a hidden test.
    """
    for source in sources:
        for statement in definitions(source, True):
            with contextlib.suppress(Exception):
                exec(compile(ast.Module([statement], []), "<instructor>", "exec"), names)
    names.keep()


def definitions(source: str, locked: bool) -> list[ast.stmt]:
    """Return the imports of a cell and, of a locked one, its functions and classes."""
    kinds: tuple[type[ast.stmt], ...] = (ast.Import, ast.ImportFrom)
    if locked:
        kinds += (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    try:
        lines = source.splitlines()
        magics_out = "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in lines)
        body = ast.parse(magics_out).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [statement for statement in body if isinstance(statement, kinds)]
