"""The class report at the end of a run: who got what, what goes wrong most, what needs a look."""

from __future__ import annotations

import csv
import functools
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from descent_autograder import intake
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.staging import write_atomically
from descent_autograder.core.text import printable
from descent_autograder.gradebook.scores import max_scores, scores
from descent_autograder.gradebook.shared import SharedGradebook

_BINS = 10


@dataclass(frozen=True)
class Row:
    """One student.

    Attributes:
        student: the id.
        score: what the gradebook says, by hand or not, less a late penalty.
        cells: the score of every graded cell.
        mistakes: what went wrong, by cell: sentences.
        remarks: what intake mended and what execution remarked.
        refusal: why the submission couldn't be graded, or "".
        by_hand: the cells that wait for a person.
        unsafe: whether it was run without a sandbox.
        checked: what the judge found of each cell with a check: right or not.
    """

    student: str
    score: float
    cells: Mapping[str, float] = field(default_factory=dict)
    mistakes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    refusal: str = ""
    by_hand: Sequence[str] = ()
    unsafe: bool = False
    checked: Mapping[str, bool] = field(default_factory=dict)

    def has_passed(self, cell: str, points: float) -> bool:
        """Whether the student has full marks in a cell, or a cell without points is right."""
        if self.refusal:
            return False
        if points == 0 and cell in self.checked:
            return self.checked[cell]
        return self.cells.get(cell, 0.0) >= points - 1e-9

    @property
    def wrong(self) -> str:
        """What went wrong, in a few words for a table."""
        if self.refusal:
            return f"not graded: {self.refusal}"
        parts = []
        unfinished = [cell for cell, found in self.mistakes.items() if found == ["unfinished"]]
        for cell, found in self.mistakes.items():
            if cell not in unfinished:
                parts.append(f"{cell}: {found[0] if found else 'not right yet'}")
        if unfinished:
            parts.append(
                f"unfinished: {', '.join(unfinished)}"
                if len(unfinished) < 4
                else f"{len(unfinished)} tasks unfinished"
            )
        return "; ".join([*parts, *self.remarks])


@dataclass(frozen=True)
class ClassReport:
    """A class's results in one assignment.

    Attributes:
        assignment: the folder of the unit.
        max_score: the points of all cells together.
        points: the points of every graded cell, in the notebook's order.
        automatic: the cells that aren't graded by hand.
        rows: the students, in order.
        rejected: folders that couldn't be used at all, with the reason.
        sayings: the sentence of every mistake that was seen, by its id.
    """

    assignment: str
    max_score: float
    points: Mapping[str, float]
    automatic: Sequence[str]
    rows: Sequence[Row]
    rejected: Mapping[str, str]
    mistakes: Counter[tuple[str, str]]
    sayings: Mapping[tuple[str, str], str]

    def passed(self, cell: str) -> int:
        """How many students have full marks in a cell."""
        return sum(row.has_passed(cell, self.points[cell]) for row in self.rows)

    @property
    def mean(self) -> float:
        """The mean score; 0 without students."""
        return sum(row.score for row in self.rows) / len(self.rows) if self.rows else 0.0

    @property
    def median(self) -> float:
        """The score in the middle, the upper of two; 0 without students."""
        scores = sorted(row.score for row in self.rows)
        return scores[len(scores) // 2] if scores else 0.0

    @property
    def refused(self) -> Mapping[str, str]:
        """Who couldn't be graded, and why: submissions and whole folders."""
        return {row.student: row.refusal for row in self.rows if row.refusal} | dict(self.rejected)

    def distribution(self) -> list[int]:
        """How many students scored in each tenth of the points, from the lowest."""
        counts = [0] * _BINS
        for row in self.rows:
            share = row.score / self.max_score if self.max_score else 0.0
            counts[min(max(int(share * _BINS), 0), _BINS - 1)] += 1
        return counts


def build(assignment: Assignment, rejected: Mapping[str, str] | None = None) -> ClassReport:
    """Gather a class report from the gradebook and the assignment's journal.

    Args:
        assignment: the unit.
        rejected: folders that the last run couldn't use, besides those found here.
    """
    course = assignment.course
    gradebook = SharedGradebook(course.db_url, course.course_id)
    try:
        released = assignment.released(gradebook)
        table = scores(gradebook, assignment.name)
    finally:
        gradebook.close()
    rows = []
    counted: Counter[tuple[str, str]] = Counter()
    sayings: dict[tuple[str, str], str] = {}
    for student in sorted(table):
        record = assignment.journal.read(student) or {}
        rows.append(_row(student, table[student], record))
        for cell, verdict in record.get("verdicts", {}).items():
            for mistake in verdict.get("mistakes", [])[:1]:
                key = (cell, str(mistake.get("id", "")))
                counted[key] += 1
                sayings[key] = str(mistake.get("says", ""))
    handed_in = intake.submissions(course.step("submitted"), assignment.name)
    folders = {student: problem for student, problem in handed_in if problem}
    points = max_scores(released)
    by_hand = {c.grade_id for notebook in released.values() for c in notebook.cells if c.by_hand}
    return ClassReport(
        assignment=assignment.name,
        max_score=sum(points.values()),
        points=points,
        automatic=[cell for cell in points if cell not in by_hand],
        rows=rows,
        rejected={**folders, **(rejected or {})},
        mistakes=counted,
        sayings=sayings,
    )


def _row(student: str, entry: Mapping[str, Any], record: Mapping[str, Any]) -> Row:
    mistakes = {
        cell: _sentences(verdict)
        for cell, verdict in record.get("verdicts", {}).items()
        if not verdict.get("passed", False)
    }
    return Row(
        student=student,
        score=float(entry["score"]),
        cells=entry["cells"],
        mistakes=mistakes,
        remarks=[str(remark) for remark in record.get("remarks", [])],
        refusal="; ".join(map(str, record.get("refusals", {}).values())),
        by_hand=entry["by_hand"],
        unsafe=bool(record.get("unsafe", False)),
        checked={c: bool(v.get("passed")) for c, v in record.get("verdicts", {}).items()},
    )


def _sentences(verdict: Mapping[str, Any]) -> list[str]:
    if "error" in verdict:
        return [str(verdict["error"]).strip().splitlines()[-1]] if verdict["error"] else []
    status = str(verdict.get("status", "graded"))
    if status == "unfinished":
        return ["unfinished"]
    said = [str(m.get("says") or m.get("id")) for m in verdict.get("mistakes", [])]
    if status == "timeout":
        return ["it takes too long", *said]
    message = str(verdict.get("message") or "")
    return said or ([message] if message else [])


# --- in the terminal -----------------------------------------------------------------------------


def table(report: ClassReport, width: int = 100) -> str:
    """The report as a table for the terminal: student, score, what went wrong."""
    names = [*(row.student for row in report.rows), *report.rejected, "student"]
    first = min(max(map(len, names)), 30)
    lines = [f"{'student':<{first}}  {'score':>11}  what went wrong"]
    lines.append("─" * width)
    for row in report.rows:
        score = f"{row.score:g} / {report.max_score:g}"
        lines += _lines(row.student, score, printable(row.wrong) or "–", first, width)
    for folder, reason in report.rejected.items():
        lines += _lines(printable(folder), "–", f"refused: {reason}", first, width)
    return "\n".join(lines)


def by_hand(report: ClassReport) -> str:
    """How much waits for a person, as a line for the terminal; empty when nothing does."""
    waiting = sum(bool(row.by_hand) for row in report.rows)
    if not waiting:
        return ""
    points = report.max_score - sum(report.points[cell] for cell in report.automatic)
    return (
        f"{points:g} of the {report.max_score:g} points are given by hand; "
        f"{waiting} submissions wait for them"
    )


def _lines(student: str, score: str, wrong: str, first: int, width: int) -> list[str]:
    room = max(width - first - 15, 20)
    words = _wrapped(wrong, room, most=3)
    lines = [f"{student[:first]:<{first}}  {score:>11}  {words[0]}"]
    return lines + [" " * (first + 15) + rest for rest in words[1:]]


def _wrapped(text: str, room: int, most: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, room, max_lines=most, placeholder=" …") or [""]


# --- as files ------------------------------------------------------------------------------------


def write(report: ClassReport, folder: Path) -> tuple[Path, Path]:
    """Write the report as HTML and CSV below `folder`; return both paths."""
    page = folder / f"{report.assignment}.html"
    sheet = folder / f"{report.assignment}.csv"
    write_atomically(page, to_html(report).encode("utf-8"))
    write_atomically(sheet, to_csv(report).encode("utf-8-sig"))
    return page, sheet


def to_csv(report: ClassReport) -> str:
    """One line a student: score, every cell, what needs a look and what was remarked."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    cells = list(report.points)
    writer.writerow(
        ["student", "score", "max_score", *cells, "needs_hand_grading", "refused", "remarks"]
    )
    for row in report.rows:
        numbers = [f"{row.cells.get(cell, 0.0):g}" for cell in cells]
        notes = [" ".join(row.by_hand), row.refusal, " ".join(row.remarks)]
        writer.writerow(
            [
                _not_a_formula(row.student),
                f"{row.score:g}",
                f"{report.max_score:g}",
                *numbers,
                *map(_not_a_formula, notes),
            ]
        )
    for folder, reason in report.rejected.items():
        blank = [""] * len(cells)
        writer.writerow(
            [_not_a_formula(folder), "", f"{report.max_score:g}", *blank, "", reason, ""]
        )
    return out.getvalue()


def _not_a_formula(text: str) -> str:
    """Text that a spreadsheet won't take for a formula."""
    text = printable(text)
    return "'" + text if text[:1] in ("=", "+", "-", "@") else text


def to_html(report: ClassReport) -> str:
    """The report as one page that needs nothing else and runs nothing."""
    return str(_templates().get_template("class_report.html.j2").render(report=report))


@functools.cache
def _templates() -> Environment:
    """Where the page's template is. All that it prints is escaped, and safe to look at."""
    return Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _shown(value: object) -> object:
    """Text without characters that can't be seen; the template's own HTML as it is."""
    own = hasattr(value, "__html__")
    return printable(value) if isinstance(value, str) and not own else value
