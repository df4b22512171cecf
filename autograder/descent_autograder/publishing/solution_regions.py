"""Solution regions of the assignments, filled from `descent_solutions`: the code stands once.

In a solution cell the student's `def` line and docstring stand outside the region

    ### BEGIN SOLUTION
    ### END SOLUTION

and the body inside comes from the reference function (or method) of the same name, without its
docstring. What that body needs from its module besides:

- functions that the notebook itself defines, in the same cell or an earlier one, are left alone:
  the student calls their own;
- other functions and constants of the reference module are put into the region before the body;
- imported names must be imported, the same way, by an earlier cell of the notebook.

Anything else is refused with a sentence that names the cell.

    python -m descent_autograder.publishing.solution_regions [--write] FOLDER
"""

from __future__ import annotations

import argparse
import ast
import builtins
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from descent_autograder.core import units
from descent_autograder.core.errors import DescentError
from descent_autograder.publishing.canonical import canonical_text, find_notebooks

__all__ = ["SolutionError", "fill", "main"]

BEGIN = "### BEGIN SOLUTION"
END = "### END SOLUTION"
REGION = re.compile(
    rf"^(?P<indent>[ \t]*){BEGIN}[ \t]*\n(?P<body>.*?)^[ \t]*{END}[ \t]*$", re.M | re.S
)
LINE_LENGTH = 100
# Stands in for a source line that fell away with an annotation, so that line numbers stay.
REMOVED = "\0"

Function: TypeAlias = ast.FunctionDef
Definition: TypeAlias = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


class SolutionError(DescentError):
    """A solution cell and the reference module don't fit together."""


@dataclass(frozen=True)
class Reference:
    """A reference module: its lines, its imports and what it defines, by name."""

    name: str
    lines: list[str]
    imports: dict[str, str]
    definitions: dict[str, Definition]

    @classmethod
    def parse(cls, name: str, source: str) -> Reference:
        tree = ast.parse(source)
        definitions: dict[str, Definition] = {}
        for node in tree.body:
            if isinstance(node, Definition):
                definitions |= dict.fromkeys(_defined_names(node), node)
        return cls(name, source.splitlines(), _imports(tree), definitions)

    def function(self, qualified: str) -> Function:
        """The function `name`, or the method `Class.name`."""
        node: ast.stmt | None = None
        body: dict[str, Any] = dict(self.definitions)
        for part in qualified.split("."):
            node = body.get(part)
            members = node.body if isinstance(node, ast.ClassDef) else []
            body = {one.name: one for one in members if isinstance(one, Function)}
        if not isinstance(node, Function):
            raise SolutionError(f"{self.name} has no function {qualified}")
        if node.decorator_list:
            raise SolutionError(f"{self.name}.{qualified} is decorated; a stub can't be")
        return node

    def body(self, function: Function) -> str:
        """The text of a function's body without its docstring, flush left."""
        statements = function.body[1:] if ast.get_docstring(function) else function.body
        if not statements:
            raise SolutionError(f"{self.name}.{function.name} has no body")
        first = statements[0].lineno
        floor = function.body[0].end_lineno or 0 if statements is not function.body else 0
        while first - 1 > floor and self.lines[first - 2].lstrip().startswith("#"):
            first -= 1
        bare = _without_annotations(self.lines, function)
        lines = bare[first - 1 : statements[-1].end_lineno]
        margin = statements[0].col_offset
        return "\n".join(line[margin:] for line in lines if line.strip() != REMOVED)

    def helper(self, definition: Definition) -> str:
        """The text of a helper, its annotations left out (their names live in the module)."""
        if isinstance(definition, ast.AnnAssign):
            value = ast.get_source_segment("\n".join(self.lines), definition.value or definition)
            return f"{ast.unparse(definition.target)} = {value}"
        if isinstance(definition, ast.Assign):
            return "\n".join(self.lines[definition.lineno - 1 : definition.end_lineno])
        if isinstance(definition, ast.ClassDef) or definition.decorator_list:
            raise SolutionError(f"{self.name}.{definition.name} can't be put into a solution")
        header = f"def {definition.name}({ast.unparse(_bare(definition.args))}):"
        return f"{header}\n{_indented(self.body(definition), '    ')}\n"


def fill(notebook: dict[str, Any], reference: Reference) -> dict[str, Any]:
    """A notebook with every solution region filled.

    Args:
        notebook: as `json.loads` gives it; left as it was.
        reference: what fills it.

    Raises:
        SolutionError: where the two don't fit together; it names the cell.
    """
    given_imports: dict[str, str] = {}
    own: set[str] = set()
    cells = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            try:
                text = _fill_cell(cell, text, reference, given_imports, own)
            except (SolutionError, SyntaxError) as error:
                raise SolutionError(f"cell {_label(cell)}: {error}") from error
        cells.append(cell | {"source": text})
    return notebook | {"cells": cells}


def _fill_cell(
    cell: dict[str, Any],
    text: str,
    reference: Reference,
    given_imports: dict[str, str],
    own: set[str],
) -> str:
    """The filled text of one code cell; what it imports and defines is added to what is known."""
    marked = bool(cell["metadata"].get("nbgrader", {}).get("solution"))
    regions = list(REGION.finditer(text))
    if marked != bool(regions) or text.count(BEGIN) != len(regions):
        raise SolutionError(
            f"a solution cell, and only that, has regions from {BEGIN} to {END}"
            if marked != bool(regions)
            else f"a region from {BEGIN} isn't closed by {END}"
        )
    # Line numbers stay what they were, so that a region is found again in the parsed cell.
    hollow = REGION.sub(lambda match: f"{match['indent']}pass" + "\n" * match[0].count("\n"), text)
    tree = ast.parse(_without_magics(hollow))
    given_imports |= _imports(tree)
    own |= {
        name for node in tree.body if isinstance(node, Definition) for name in _defined_names(node)
    }
    for match in reversed(regions):
        line = text.count("\n", 0, match.start()) + 1
        qualified, stub = _enclosing(tree, line)
        inside = _region_text(qualified, stub, reference, given_imports, own)
        indent = match["indent"]
        block = f"{indent}{BEGIN}\n{_indented(inside, indent)}\n{indent}{END}"
        text = text[: match.start()] + block + text[match.end() :]
    return _formatted(text) if regions else text


def _region_text(
    qualified: str,
    stub: Function,
    reference: Reference,
    given_imports: dict[str, str],
    own: set[str],
) -> str:
    function = reference.function(qualified)
    if ast.dump(_bare(stub.args)) != ast.dump(_bare(function.args)):
        raise SolutionError(
            f"the stub is {qualified}({ast.unparse(_bare(stub.args))}), "
            f"the reference ({ast.unparse(_bare(function.args))})"
        )
    _check_hollow(qualified, stub)
    helpers: dict[str, Definition] = {}
    queue: list[ast.AST] = [function]
    while queue:
        for name in sorted(_globals_of(queue.pop())):
            if name in own or name in helpers:
                continue
            if name in reference.imports:
                if given_imports.get(name) != reference.imports[name]:
                    raise SolutionError(f"{qualified} needs `{reference.imports[name]}` before it")
            elif name in reference.definitions:
                helpers[name] = reference.definitions[name]
                queue.append(helpers[name])
            elif not hasattr(builtins, name):
                raise SolutionError(
                    f"{qualified} uses {name}, which {reference.name} doesn't define"
                )
    ordered = sorted({id(node): node for node in helpers.values()}.values(), key=lambda n: n.lineno)
    return "\n".join([*map(reference.helper, ordered), reference.body(function)])


def _check_hollow(qualified: str, stub: Function) -> None:
    body = stub.body[1:] if ast.get_docstring(stub) else stub.body
    if len(body) != 1 or not isinstance(body[0], ast.Pass):
        raise SolutionError(f"in {qualified} the region must be all that follows the docstring")


def _enclosing(tree: ast.Module, line: int) -> tuple[str, Function]:
    """The function or method around a line of a cell, with its qualified name."""
    named: dict[str, Function] = {}
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            methods = [one for one in node.body if isinstance(one, Function)]
            named |= {f"{node.name}.{one.name}": one for one in methods}
        elif isinstance(node, Function):
            named[node.name] = node
    for qualified, one in named.items():
        if one.lineno <= line <= (one.end_lineno or 0):
            return qualified, one
    raise SolutionError(f"the region in line {line} stands in no function")


def _globals_of(node: ast.AST) -> set[str]:
    """Names that a function reads and doesn't bind, those in annotations left out."""
    loads: set[str] = set()
    bound: set[str] = set()
    for part in _unannotated(node):
        if isinstance(part, ast.Name):
            (loads if isinstance(part.ctx, ast.Load) else bound).add(part.id)
        elif isinstance(part, ast.arg):
            bound.add(part.arg)
        elif isinstance(part, Function | ast.ClassDef):
            bound.add(part.name)
        elif isinstance(part, ast.Import | ast.ImportFrom):
            bound |= {alias.asname or alias.name.split(".")[0] for alias in part.names}
        elif isinstance(part, ast.ExceptHandler) and part.name:
            bound.add(part.name)
    if isinstance(node, Function):
        bound.discard(node.name)
    return loads - bound


def _unannotated(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _unannotated(child)


def _bare(arguments: ast.arguments) -> ast.arguments:
    """A copy of a signature without annotations."""
    copy = ast.parse(f"def f({ast.unparse(arguments)}): 0").body[0]
    assert isinstance(copy, Function)
    for one in ast.walk(copy.args):
        if isinstance(one, ast.arg):
            one.annotation = None
    return copy.args


def _without_annotations(lines: Sequence[str], function: Function) -> list[str]:
    """`lines` without the annotations of functions inside `function`: a notebook evaluates them."""
    spans: list[tuple[int, int, int, int]] = []
    inner = [node for node in ast.walk(function) if isinstance(node, Function)]
    for node in inner[1:]:
        for one in ast.walk(node.args):
            if isinstance(one, ast.arg) and one.annotation:
                start = one.col_offset + len(one.arg.encode())
                spans.append((one.lineno, start, *_end(one.annotation)))
        if node.returns:
            arrow = lines[node.returns.lineno - 1].encode().rfind(b"->", 0, node.returns.col_offset)
            spans.append((node.returns.lineno, arrow, *_end(node.returns)))
    changed = [line.encode() for line in lines]
    for first, start, last, end in sorted(spans, reverse=True):
        tail = changed[last - 1][end:]
        changed[first - 1] = changed[first - 1][:start] + tail
        changed[first:last] = [REMOVED.encode()] * (last - first)
    return [line.decode() for line in changed]


def _end(node: ast.expr) -> tuple[int, int]:
    return node.end_lineno or node.lineno, node.end_col_offset or 0


def _formatted(text: str) -> str:
    """A cell as ruff formats it."""
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--target-version=py311"]
    command += [f"--line-length={LINE_LENGTH}", "-"]
    done = subprocess.run(command, input=text + "\n", capture_output=True, text=True)
    if done.returncode:
        raise SolutionError(f"ruff can't format what was filled in: {done.stderr.strip()}")
    return done.stdout.rstrip()


def _imports(tree: ast.Module) -> dict[str, str]:
    """The names that a module's imports bind, with the import that binds each alone."""
    bound = {}
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                name = alias.asname or alias.name.split(".")[0]
                bound[name] = ast.unparse(ast.Import([alias]))
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            for alias in node.names:
                alone = ast.ImportFrom(node.module, [alias], node.level)
                bound[alias.asname or alias.name] = ast.unparse(alone)
    return bound


def _defined_names(node: Definition) -> list[str]:
    if isinstance(node, ast.Assign):
        targets: list[ast.expr] = node.targets
    elif isinstance(node, ast.AnnAssign):
        targets = [node.target]
    else:
        return [node.name]
    names = (part for target in targets for part in ast.walk(target))
    return [part.id for part in names if isinstance(part, ast.Name)]


def _without_magics(text: str) -> str:
    return re.sub(r"^[ \t]*[%!].*$", "pass", text, flags=re.M)


def _indented(text: str, indent: str) -> str:
    return "\n".join(indent + line if line.strip() else "" for line in text.split("\n"))


def _label(cell: dict[str, Any]) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id") or cell.get("id", "?"))


def filled_text(path: Path) -> str:
    """The canonical text of a source notebook, its regions filled.

    Args:
        path: the notebook, `NN-unit/….ipynb`.

    Raises:
        SolutionError: where the notebook and `descent_solutions.<unit>` don't fit.
    """
    unit = units.module(path.parent.name)
    spec = find_spec(f"descent_solutions.{unit}")
    if spec is None or spec.origin is None:
        raise SolutionError(f"there is no descent_solutions.{unit}")
    source = Path(spec.origin).read_text(encoding="utf-8")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    filled = fill(notebook, Reference.parse(f"descent_solutions.{unit}", source))
    return canonical_text(json.dumps(filled))


def main(arguments: Sequence[str] | None = None) -> int:
    """Name the notebooks whose regions differ from the reference, or fill them."""
    parser = argparse.ArgumentParser(
        prog="python -m descent_autograder.publishing.solution_regions"
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--write", action="store_true", help="fill instead of naming")
    options = parser.parse_args(arguments)
    failed = False
    try:
        for path in find_notebooks(options.paths):
            try:
                filled = filled_text(path)
            except SolutionError as error:
                print(f"{path}: {error}", file=sys.stderr)
                failed = True
                continue
            if filled != path.read_text(encoding="utf-8"):
                print(f"{path}: {'filled' if options.write else 'differs from the reference'}")
                failed = failed or not options.write
                if options.write:
                    path.write_text(filled, encoding="utf-8", newline="\n")
    except OSError as error:
        parser.error(str(error))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
