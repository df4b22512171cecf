"""`descent bench`: what counts, both sides measured in one run; a table and bench.json."""

from __future__ import annotations

import difflib
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

GROUPS = {
    "grading": (
        "grading-vs-stock",
        "grading-vs-stock-one-worker",
        "grading-on-dask",
        "grading-vs-floor",
        "gradebook-per-submission",
        "feedback-vs-stock",
    ),
    "course": ("check-latency", "import-descent", "lesson-UNIT", "solution-UNIT"),
    "demos": ("demo-frame",),
    "training": ("training-step-vs-sklearn", "training-step-vs-torch"),
    "search": ("search-two-workers",),
}
"""The rows by the module of `descent_autograder.benchmarks` that measures them."""


def main(names: Sequence[str] = ()) -> int:
    """Measure the named rows or groups (all by default); 2 when a name is unknown."""
    chosen = []
    for name in names or GROUPS:
        group = _group_of(name)
        if group is None:
            known = [*GROUPS, *(row for rows in GROUPS.values() for row in rows)]
            near = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]}?" if near else f" There are: {', '.join(GROUPS)}."
            print(f"There is no benchmark called {name}.{hint}", file=sys.stderr)
            return 2
        if group not in chosen:
            chosen.append(group)
    found: list[Row] = []
    for group in chosen:
        print(f"measuring {group} …", file=sys.stderr, flush=True)
        found += importlib.import_module(f"descent_autograder.benchmarks.{group}").rows()
    print(table(found))
    _write(Path("bench.json"), found)
    return 0


def _group_of(name: str) -> str | None:
    if name in GROUPS:
        return name
    for group, ids in GROUPS.items():
        stems = [row.removesuffix("UNIT") for row in ids]
        if any(name == stem or (stem.endswith("-") and name.startswith(stem)) for stem in stems):
            return group
    return None


def table(found: Sequence[Row]) -> str:
    """The rows as text."""
    lines = [f"{'id':<32}{'value':>10}  {'unit':<22}{'baseline':>10}{'ratio':>8}  what"]
    for row in found:
        lines.append(
            f"{row['id']:<32}{_shown(row['value']):>10}  {row['unit']:<22}"
            f"{_shown(row['baseline']):>10}{_shown(row['ratio']):>8}  {row['what']}"
        )
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:g}"


def _write(path: Path, found: Sequence[Row]) -> None:
    """Put the rows into bench.json; rows of other groups that stand there stay."""
    rows = {}
    if path.exists():
        rows = {row["id"]: row for row in json.loads(path.read_text(encoding="utf-8"))}
    rows |= {row["id"]: row for row in found}
    text = json.dumps(list(rows.values()), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")
