"""Which test cells can be judged outside the student's process, and why others can't.

A test cell runs in a process of its own: it may read the student's names, call the student's
functions and assert. What looks into the student's session, or leaves names for later cells,
would be mis-graded; it is named here when a unit is released.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path

from descent_autograder.core.cells import about, bound, is_test, source_of

_SESSION_CALLS = {"get_ipython", "globals", "locals", "vars", "exec", "eval", "__import__", "dir"}
_SESSION_NAMES = {"In", "Out", "_", "__", "___", "_i", "_ii", "_iii", "_oh", "_ih", "_dh"}
_LOOKING_INSIDE = {"inspect", "dis", "gc", "ast", "linecache", "traceback"}
_SOLUTION = re.compile(r"^([ \t]*)### BEGIN SOLUTION.*?### END SOLUTION", re.MULTILINE | re.DOTALL)
_INNER_ATTRIBUTES = {
    "__code__", "__globals__", "__closure__", "__defaults__", "__kwdefaults__", "__dict__",
    "__wrapped__", "__source__", "f_locals", "f_globals",
}  # fmt: skip


def problems(source: str) -> list[str]:
    """Why a test cell can't be judged outside the student's process; empty when it can.

    Args:
        source: the cell's source, hidden tests included.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        if any(line.lstrip().startswith(("%", "!")) for line in source.splitlines()):
            return ["it uses a magic or a shell command, which needs the student's session"]
        return [f"it can't be parsed: {error.msg} in line {error.lineno}"]
    return list(dict.fromkeys(reason for node in ast.walk(tree) for reason in _reasons(node)))


def _reasons(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name)) if name in _SESSION_CALLS:
            yield f"it calls {name}(), which would see the grader's session, not the student's"
        case ast.Name(id=name, ctx=ast.Load()) if name in _SESSION_NAMES:
            yield f"it reads {name}, the history of the student's session"
        case ast.Import(names=names):
            for alias in names:
                if alias.name.split(".")[0] in _LOOKING_INSIDE:
                    yield f"it imports {alias.name} to look inside the student's code"
        case ast.ImportFrom(module=str(module)) if module.split(".")[0] in _LOOKING_INSIDE:
            yield f"it imports {module} to look inside the student's code"
        case ast.Attribute(attr=attribute) if attribute in _INNER_ATTRIBUTES:
            yield f"it reads .{attribute}, which stays in the student's process"
        case ast.Delete() | ast.Global():
            yield "it deletes or declares global names, which stay in the grader's session"
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store()):
            yield f"it sets an attribute of {name}, which doesn't reach the student's session"


def _read(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }


def notebook_problems(path: Path) -> list[str]:
    """All problems of the test cells of a source notebook, each naming the cell.

    Besides what `problems` finds: names that a test cell binds and a later cell of the student
    reads, without another cell binding them; and names that one test cell binds and another reads
    though students are to bind them, of which what these are given says nothing. They would be
    taken for the tests' own.
    """
    found: list[str] = []
    cells = [c for c in json.loads(path.read_bytes())["cells"] if c["cell_type"] == "code"]
    bound_elsewhere: set[str] = set()
    given: set[str] = set()
    looked_up: set[str] = set()
    for cell in cells:
        source = source_of(cell)
        if is_test(cell):
            looked_up |= _read(source) - bound(source)
        else:
            bound_elsewhere |= bound(source)
            given |= bound(_as_given(source))
    left: dict[str, str] = {}
    for cell in cells:
        source = source_of(cell)
        known = about(cell)
        if not is_test(cell):
            for name in sorted(_read(source) & set(left)):
                found.append(
                    f"{path.name}, cell {left.pop(name)}: it binds {name}, which a later cell "
                    "reads; a test cell's names aren't seen by the student's cells"
                )
            continue
        name = known.get("grade_id", "?")
        found += [f"{path.name}, cell {name}: {reason}" for reason in problems(source)]
        found += [
            f"{path.name}, cell {name}: it binds {taken}, which only a solution binds besides; "
            "no test would see the student's"
            for taken in sorted(bound(source) & looked_up & bound_elsewhere - given)
        ]
        left.update(dict.fromkeys(bound(source) - bound_elsewhere, name))
    return found


def _as_given(source: str) -> str:
    """A source cell without its solution, as students get it."""
    return _SOLUTION.sub(r"\1raise NotImplementedError", source)
