"""The cells of a submission against those that were released.

Test and instruction cells are the instructor's: wherever they were deleted, copied, edited,
retyped, renamed, moved or given other points, they are restored. What the student wrote stays,
in the student's order.
"""

from __future__ import annotations

import ast
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from descent_autograder.core.assignment import ReleasedCell, ReleasedNotebook
from descent_autograder.core.text import few, shown
from descent_autograder.intake.notebooks import Cell, Refused, give_ids, read_notebook


@dataclass
class Mended:
    """A notebook that is ready for nbgrader's preprocessors.

    Attributes:
        notebook: nbformat 4 as plain data.
        remarks: what was mended, in sentences.
        refusal: why nothing could be graded, or None; then `notebook` is the release.
    """

    notebook: dict[str, Any]
    remarks: list[str] = field(default_factory=list)
    refusal: str | None = None


_Tagged = tuple[str | None, Cell]
"""A cell, and the id of the released one that it stands for."""


def mend(raw: bytes, release: ReleasedNotebook) -> Mended:
    """Read and mend one submitted notebook; what can't be read becomes a refusal.

    Args:
        raw: the file that was handed in.
        release: what was released.
    """
    remarks: list[str] = []
    try:
        notebook = read_notebook(raw, remarks)
    except Refused as reason:
        return refused(release, f"{release.notebook}.ipynb couldn't be graded: {reason}")
    notebook["cells"] = _mend_cells(notebook["cells"], release, remarks)
    give_ids(notebook["cells"], notebook["nbformat_minor"])
    _mend_kernel(notebook["metadata"], release, remarks)
    return Mended(notebook, few(remarks))


def refused(release: ReleasedNotebook, reason: str) -> Mended:
    """The released notebook in the place of one that can't be graded, with the reason."""
    notebook = json.loads(release.file)
    return Mended(notebook, refusal=reason)


def _mend_kernel(metadata: dict[str, Any], release: ReleasedNotebook, remarks: list[str]) -> None:
    found = metadata.get("kernelspec")
    language = found.get("language", "python") if isinstance(found, dict) else None
    if found is not None and not isinstance(language, str):
        language = "unknown"
    if language not in (None, "python"):
        remarks.append(
            f"The notebook asked for a kernel of the language {shown(language)}; "
            "it was run with the course's."
        )
    if release.kernelspec is not None:
        metadata["kernelspec"] = dict(release.kernelspec)
    elif not isinstance(found, dict):
        metadata.pop("kernelspec", None)
    if not isinstance(metadata.get("language_info", {}), dict):
        del metadata["language_info"]


def _mend_cells(cells: list[Cell], release: ReleasedNotebook, remarks: list[str]) -> list[Cell]:
    owner = _Claims(cells, release, remarks).settle()
    tagged: list[_Tagged] = []
    for index, cell in enumerate(cells):
        grade_id = owner.get(index)
        if grade_id is None:
            cell["metadata"].pop("nbgrader", None)
        else:
            tagged += _own_code(cell, release.by_id[grade_id])
            _restore(cell, release.by_id[grade_id], remarks)
        tagged.append((grade_id, cell))
    return [cell for _, cell in _arrange(tagged, release, remarks)]


def _own_code(cell: Cell, released: ReleasedCell) -> list[_Tagged]:
    """What a student has written into the instructor's cell: functions there are kept and run."""
    if cell["cell_type"] != "code" or not released.fixed or _same(cell["source"], released):
        return []
    if not _defined(cell["source"]):
        return []
    kept = _fresh(cell["source"])
    return [(None, kept)]


def _fresh(source: str) -> Cell:
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


class _Claims:
    """Decides which submitted cell stands for which released one."""

    def __init__(self, cells: list[Cell], release: ReleasedNotebook, remarks: list[str]) -> None:
        self.cells = cells
        self.release = release
        self.remarks = remarks
        self.by_id = release.by_id

    def settle(self) -> dict[int, str]:
        """Map the index of each submitted cell that counts to the id of the released one."""
        claimed: dict[str, list[int]] = defaultdict(list)
        strangers: list[int] = []
        for index, cell in enumerate(self.cells):
            grade_id = _claimed_id(cell)
            if grade_id in self.by_id:
                claimed[grade_id].append(index)
            else:
                strangers.append(index)
        owner = {self._choose(grade_id, found): grade_id for grade_id, found in claimed.items()}
        for grade_id in self.by_id:
            if grade_id not in claimed:
                known = self._recognise(self.by_id[grade_id], strangers)
                if known is not None:
                    strangers.remove(known)
                    owner[known] = grade_id
                    self.remarks.append(
                        f"The cell {shown(grade_id)} had lost its id; it was recognised by what "
                        "it holds."
                    )
        for index in strangers:
            self._dismiss(index)
        return owner

    def _choose(self, grade_id: str, found: list[int]) -> int:
        """Of several cells with one id, the one that counts."""
        if len(found) == 1:
            return found[0]
        released = self.by_id[grade_id]
        if released.fixed:
            proper = [i for i in found if _same(self.cells[i]["source"], released)]
            chosen = (proper or found)[0]
            kind = "test" if released.grade else "instruction"
            self.remarks.append(
                f"The {kind} cell {shown(grade_id)} stood {len(found)} times in the notebook; "
                "it counts once."
            )
            return chosen
        written = [i for i in found if not _same(self.cells[i]["source"], released)]
        self.remarks.append(
            f"The answer cell {shown(grade_id)} stood {len(found)} times in the notebook; "
            "all were run, and the last one that you wrote in counts as the answer."
        )
        return (written or found)[-1]

    def _recognise(self, released: ReleasedCell, strangers: list[int]) -> int | None:
        candidates = [i for i in strangers if _kind_fits(self.cells[i], released)]
        for index in candidates:
            if _same(self.cells[index]["source"], released):
                return index
        if released.cell_id:
            for index in strangers:
                if self.cells[index].get("id") == released.cell_id:
                    return index
        wanted = _defined(released.released)
        if released.solution and released.cell_type == "code" and wanted:
            for index in candidates:
                if wanted <= _defined(self.cells[index]["source"]):
                    return index
        return None

    def _dismiss(self, index: int) -> None:
        known = self.cells[index]["metadata"].get("nbgrader")
        if isinstance(known, dict) and (known.get("grade") or known.get("points")):
            self.remarks.append(
                f"The cell {shown(known.get('grade_id', ''))} isn't part of this assignment; "
                "it was run, but no points come from it."
            )


def _claimed_id(cell: Cell) -> str:
    known = cell["metadata"].get("nbgrader")
    grade_id = known.get("grade_id") if isinstance(known, dict) else None
    return grade_id if isinstance(grade_id, str) else ""


def _kind_fits(cell: Cell, released: ReleasedCell) -> bool:
    return bool(cell["cell_type"] == released.cell_type)


def _plain(source: str) -> list[str]:
    return [line.rstrip() for line in source.strip().splitlines()]


def _same(source: str, released: ReleasedCell) -> bool:
    if source in (released.source, released.released):
        return True
    return _plain(source) in (_plain(released.source), _plain(released.released))


def _defined(source: str) -> set[str]:
    """The functions and classes that a cell defines, as far as it can be parsed."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {
            line.split("(")[0].removeprefix("def ").strip()
            for line in source.splitlines()
            if line.startswith("def ") and "(" in line
        }
    kinds = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def _restore(cell: Cell, released: ReleasedCell, remarks: list[str]) -> None:
    """Give a cell the released type and metadata and, unless it is an answer, the source."""
    name = shown(released.grade_id)
    if cell["cell_type"] != released.cell_type:
        remarks.append(
            f"The cell {name} had become a {cell['cell_type']} cell; it is a "
            f"{released.cell_type} cell again."
        )
        _retype(cell, released.cell_type)
    if released.fixed:
        if not _same(cell["source"], released):
            what = "test" if released.grade else "instruction"
            remarks.append(
                f"The {what} cell {name} had been changed; the released one was put back."
            )
        cell["source"] = released.source
    claimed = cell["metadata"].get("nbgrader")
    if released.grade and isinstance(claimed, dict) and not _points_agree(claimed, released):
        remarks.append(f"The points of the cell {name} had been changed; they were put back.")
    if released.fixed:
        cell["metadata"] = json.loads(json.dumps(dict(released.metadata)))
    else:
        cell["metadata"]["nbgrader"] = dict(released.metadata["nbgrader"])


def _points_agree(claimed: dict[str, Any], released: ReleasedCell) -> bool:
    points = claimed.get("points", released.points)
    graded = claimed.get("grade", True) is True
    return graded and isinstance(points, (int, float)) and points == released.points


def _retype(cell: Cell, cell_type: str) -> None:
    cell["cell_type"] = cell_type
    for key in ("outputs", "execution_count", "attachments"):
        cell.pop(key, None)
    if cell_type == "code":
        cell["execution_count"] = None
        cell["outputs"] = []


def _arrange(tagged: list[_Tagged], release: ReleasedNotebook, remarks: list[str]) -> list[_Tagged]:
    """Put the instructor's cells where they belong among the student's; add missing ones."""
    rank = {cell.grade_id: number for number, cell in enumerate(release.cells)}
    by_id = release.by_id
    displaced: dict[str, Cell] = {}
    for grade_id, cell in _displaced(tagged, by_id, rank):
        displaced[grade_id] = cell
        if by_id[grade_id].grade or by_id[grade_id].cell_type == "code":
            remarks.append(
                f"The cell {shown(grade_id)} had been moved; it was put back after its task."
            )
    kept = [(i, cell) for i, cell in tagged if i not in displaced]
    present = {grade_id for grade_id, _ in kept}
    for released in release.cells:
        name = released.grade_id
        if name in present:
            continue
        restored = displaced.get(name) or _new_cell(released)
        if restored is None:
            remarks.append(
                f"The answer cell {shown(name)} is missing; if its answer stands in another cell, "
                "that was run."
            )
            continue
        if name not in displaced:
            remarks.append(f"The cell {shown(name)} was missing; it was put back.")
        kept.insert(_place(released, kept, by_id, rank), (name, restored))
    return kept


def _displaced(
    tagged: list[_Tagged], by_id: dict[str, ReleasedCell], rank: dict[str, int]
) -> list[tuple[str, Cell]]:
    """Instructor's code cells that stand before an answer they follow in the release."""
    answers = [
        (position, rank[grade_id])
        for position, (grade_id, _) in enumerate(tagged)
        if grade_id is not None and by_id[grade_id].solution
    ]
    wrong = []
    for position, (grade_id, cell) in enumerate(tagged):
        if grade_id is None or by_id[grade_id].solution:
            continue
        own = rank[grade_id]
        too_early = any(p > position and r < own for p, r in answers)
        first = by_id[grade_id].cell_type == "code" and not by_id[grade_id].grade
        too_late = first and any(p < position and r > own for p, r in answers)
        if too_early or too_late:
            wrong.append((grade_id, cell))
    return wrong


def _place(
    released: ReleasedCell,
    kept: list[_Tagged],
    by_id: dict[str, ReleasedCell],
    rank: dict[str, int],
) -> int:
    """Where to insert a released cell: after all that it follows, before the next one."""
    own = rank[released.grade_id]
    before = [p for p, (g, _) in enumerate(kept) if g is not None and rank[g] < own]
    answers = [p for p in before if by_id[str(kept[p][0])].solution]
    start = max([*before[-1:], *answers], default=-1) + 1
    if not before:
        return 0
    for position in range(start, len(kept)):
        if kept[position][0] is not None:
            return position
    return len(kept)


def _new_cell(released: ReleasedCell) -> Cell | None:
    """A fresh copy of a released cell.

    An answer cell of code isn't made anew: its stub would undo what stands in another cell.
    """
    if released.solution and released.cell_type == "code" and not released.grade:
        return None
    cell: Cell = {
        "cell_type": released.cell_type,
        "metadata": json.loads(json.dumps(dict(released.metadata))),
        "source": released.source,
    }
    if released.cell_id:
        cell["id"] = released.cell_id
    if released.cell_type == "code":
        cell["execution_count"] = None
        cell["outputs"] = []
    return cell
