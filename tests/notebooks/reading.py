"""Read and run the course's notebooks, for the tests of lessons and assignments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "course" / "lessons").glob("*.ipynb"))
ASSIGNMENTS = sorted((ROOT / "assignments" / "source").glob("*/*.ipynb"))
CELL_SECONDS = 120


def read(path: Path) -> Any:
    """The notebook at `path`, a fresh one each time."""
    return nbformat.read(path, as_version=4)


def run(notebook: Any, folder: Path) -> Any:
    """Run all cells of `notebook` in `folder` and return it; errors stay in its outputs."""
    client = NotebookClient(
        notebook,
        timeout=CELL_SECONDS,
        allow_errors=True,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def troubles(notebook: Any) -> list[str]:
    """Errors, and anything on stderr (warnings go there), of a notebook that was run."""
    found = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"{cell.id}: {output.ename}: {output.evalue}")
            elif output.get("name") == "stderr":
                found.append(f"{cell.id}: {output.text}")
    return found


def code_cells(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(notebook: Any) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def headings(notebook: Any) -> list[tuple[int, str]]:
    """Level and text of each heading, in order; fenced code is left out."""
    prose = re.sub(r"^```.*?^```", "", "\n\n".join(texts(notebook)), flags=re.M | re.S)
    return [(len(m[1]), m[2]) for m in re.finditer(r"^(#{1,6})\s+(.+?)\s*$", prose, flags=re.M)]


def paragraphs(notebook: Any) -> Iterator[str]:
    """Blocks of prose as they are read: no tables, formulas, code, HTML or comments."""
    for text in texts(notebook):
        shown = re.sub(r"<!--.*?-->", "", text, flags=re.S)
        prose = re.sub(r"^```.*?^```|^\$\$.*?^\$\$", "\n", shown, flags=re.M | re.S)
        for block in re.split(r"\n\s*\n", prose):
            if block.strip() and not block.lstrip().startswith(("|", "<", "#")):
                yield block.strip()


class _Pictures(HTMLParser):
    """Collects the descriptions of pictures and frames in a piece of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.described: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag in ("img", "iframe", "canvas", "svg"):
            self.described.append(known.get("alt") or known.get("title") or "")


def descriptions(notebook: Any) -> list[str]:
    """What each picture and demo in the outputs says about itself; empty for one that's silent."""
    found = []
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = output.get("data", {})
            if "text/html" in data:
                parser = _Pictures()
                parser.feed(data["text/html"])
                found += parser.described
            elif any(kind.startswith("image/") for kind in data):
                found.append("")
    return found
