"""What several rooms ask of a notebook's cells, as plain JSON."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from typing import Any

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def about(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """What nbgrader has noted in a cell's metadata; nothing where that is no mapping."""
    metadata = cell.get("metadata")
    known = metadata.get("nbgrader") if isinstance(metadata, Mapping) else None
    return known if isinstance(known, Mapping) else {}


def is_test(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is graded automatically: it has points, and students write nothing in it."""
    known = about(cell)
    return bool(known.get("grade")) and not known.get("solution")


def source_of(cell: Mapping[str, Any]) -> str:
    """A cell's source as one string."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


@functools.lru_cache(maxsize=1000)  # a class's test cells are the same for everybody
def bound(source: str) -> frozenset[str]:
    """The names that a cell binds at its top level; none where it can't be parsed.

    Args:
        source: the cell's source; lines of magics and of the system's shell don't count.
    """
    lines = source.splitlines()
    plain = "\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in lines)
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(name for node in _of_this_scope(tree) for name in _names_bound_by(node))


def _of_this_scope(node: ast.AST, in_comprehension: bool = False) -> Iterator[ast.AST]:
    """All nodes below one, but for the insides of functions and classes, which bind their own."""
    for child in ast.iter_child_nodes(node):
        inner = in_comprehension or isinstance(child, _COMPREHENSIONS)
        # A comprehension keeps its own variables, but not what := binds in it.
        if not in_comprehension or not isinstance(child, ast.Name):
            yield child
        if isinstance(child, ast.NamedExpr) and in_comprehension:
            yield child.target
        if not isinstance(child, _SCOPES):
            yield from _of_this_scope(child, inner)


def _names_bound_by(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.alias(name=name, asname=own) if name != "*":
            yield (own or name).split(".")[0]
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name
