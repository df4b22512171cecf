"""The canonical form of a notebook, so that a change of one cell is a change of one place.

A canonical notebook has no outputs, no execution counts, no traces of the editor that wrote it,
a short unique id for every cell, and is laid out as nbformat lays it out.

    python -m descent_autograder.publishing.canonical [--write] PATH ...
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import nbformat

__all__ = ["canonical", "canonical_text", "find_notebooks", "main"]

NOTEBOOK_METADATA: dict[str, Any] = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What a cell says about itself; all else (folding, timing, trust) belongs to somebody's editor.
KEPT_CELL_METADATA = ("deletable", "editable", "jupyter", "nbgrader", "tags")
SHORT_ID = re.compile(r"[A-Za-z0-9_-]{1,48}")


def canonical(notebook: dict[str, Any]) -> dict[str, Any]:
    """The canonical form of a notebook.

    Args:
        notebook: nbformat 4, as `json.loads` gives it; left as it was.

    Raises:
        ValueError: for another major version.
        nbformat.ValidationError: for a notebook that breaks the schema.
    """
    if notebook.get("nbformat") != 4:
        raise ValueError(f"nbformat {notebook.get('nbformat')!r} isn't 4")
    taken: set[str] = set()
    cells = []
    for index, cell in enumerate(notebook["cells"]):
        cells.append(_canonical_cell(cell, index, taken))
    result = {"cells": cells, "metadata": NOTEBOOK_METADATA, "nbformat": 4, "nbformat_minor": 5}
    nbformat.validate(result)
    return result


def canonical_text(text: str) -> str:
    """The canonical form of a notebook file's text."""
    ordered = canonical(json.loads(text))
    return json.dumps(ordered, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def find_notebooks(paths: Iterable[Path]) -> Iterator[Path]:
    """The notebooks that `paths` name or, being folders, hold; Jupyter's checkpoints left out.

    Raises:
        FileNotFoundError: for a path that doesn't exist.
    """
    for path in paths:
        if not path.exists():
            raise FileNotFoundError(path)
        found = sorted(path.rglob("*.ipynb")) if path.is_dir() else [path]
        yield from (one for one in found if ".ipynb_checkpoints" not in one.parts)


def _canonical_cell(cell: dict[str, Any], index: int, taken: set[str]) -> dict[str, Any]:
    source = _joined(cell["source"]).rstrip()
    metadata = {key: cell["metadata"][key] for key in KEPT_CELL_METADATA if key in cell["metadata"]}
    result: dict[str, Any] = {
        "cell_type": cell["cell_type"],
        "id": _short_id(cell, source, index, taken),
        "metadata": metadata,
        "source": source.splitlines(keepends=True),
    }
    if cell["cell_type"] == "code":
        result |= {"execution_count": None, "outputs": []}
    elif cell.get("attachments"):
        result["attachments"] = cell["attachments"]
    return result


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _short_id(cell: dict[str, Any], source: str, index: int, taken: set[str]) -> str:
    """The cell's own id where it is short and free, else one drawn from what the cell says."""
    name = str(cell.get("id", ""))
    if name in taken or not SHORT_ID.fullmatch(name):
        name = hashlib.sha256(f"{index}\n{source}".encode()).hexdigest()[:8]
    taken.add(name)
    return name


def main(arguments: Sequence[str] | None = None) -> int:
    """Name the notebooks that aren't canonical, or mend them; 1 when some were only named."""
    parser = argparse.ArgumentParser(prog="python -m descent_autograder.publishing.canonical")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
    parser.add_argument("--write", action="store_true", help="mend instead of naming")
    options = parser.parse_args(arguments)
    off = 0
    try:
        for path in find_notebooks(options.paths):
            text = path.read_text(encoding="utf-8")
            mended = canonical_text(text)
            if mended == text:
                continue
            off += 1
            print(
                f"{path}: {'mended' if options.write else 'not canonical (make format mends it)'}"
            )
            if options.write:
                path.write_text(mended, encoding="utf-8", newline="\n")
    except (OSError, ValueError, nbformat.ValidationError) as error:
        parser.error(str(error))
    return 0 if options.write or not off else 1


if __name__ == "__main__":
    sys.exit(main())
