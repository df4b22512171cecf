"""Lines that no student may receive, and a search for them in notebooks, sources and wheels."""

from __future__ import annotations

import ast
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = {".py", ".md", ".txt", ".json", ".js", ".mjs", ".html", ".toml", ".csv", ""}
# Shorter lines (`dx = dout * mask`, `rows = np.arange(len(y))`) say nothing that the text doesn't.
SHORTEST = 28


def normal(line: str) -> str:
    """A line without the spaces that a formatter may move."""
    return "".join(line.split())


def telling_lines(module: Path) -> set[str]:
    """The non-trivial lines of all function bodies of a module, docstrings left out."""
    source = module.read_text(encoding="utf-8")
    lines = source.splitlines()
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef):
            continue
        body = node.body[1:] if ast.get_docstring(node) else node.body
        for statement in body:
            found |= set(lines[statement.lineno - 1 : statement.end_lineno])
    stripped = {line.split("  # ")[0].strip() for line in found}
    silent = ("#", '"""', "def ", "for ", "raise ")
    code = {line for line in stripped if not line.startswith(silent)}
    return {normal(line) for line in code if len(line) >= SHORTEST}


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """Every piece of text that a file or folder gives to who holds it, with its name."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    for file in (one for one in files if one.is_file()):
        if file.suffix in (".whl", ".zip"):
            with zipfile.ZipFile(file) as archive:
                for name in archive.namelist():
                    if Path(name).suffix in TEXT:
                        text = archive.read(name).decode("utf-8", "replace")
                        yield f"{file.name}/{name}", text
        elif file.suffix == ".ipynb":
            yield str(file.relative_to(path.parent)), notebook_text(file)
        elif file.suffix in TEXT:
            yield str(file.relative_to(path.parent)), file.read_text(encoding="utf-8")


def notebook_text(file: Path) -> str:
    """A notebook's sources as plain lines, and its metadata."""
    notebook = json.loads(file.read_text(encoding="utf-8"))
    parts = ["".join(cell["source"]) for cell in notebook["cells"]]
    return "\n".join([*parts, json.dumps([cell["metadata"] for cell in notebook["cells"]])])


def search(path: Path, forbidden: set[str]) -> list[str]:
    """Where a forbidden line stands in what `path` holds: `file: line`."""
    hits = []
    for name, text in texts(path):
        for line in text.splitlines():
            if normal(line.split("  # ")[0]) in forbidden:
                hits.append(f"{name}: {line.strip()}")
    return hits
