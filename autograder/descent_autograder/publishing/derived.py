"""What notebooks say that follows from something else: numbers of tasks, points, times.

A task's number is its place in the assignment; its points are those of its check. So the headings
of an assignment's tasks, the sentence under its title, and every mention of a task by its number
are made here, from the assignment itself. A mention names its questions in a comment that nobody
sees: in text `Tasks 1 and 2<!-- forward_difference, central_difference -->` (behind the bold's end,
where there is one); in code it has the comment `# tasks: momentum` in the line before.

    python -m descent_autograder.publishing.derived [--write]
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from descent_autograder.core import units
from descent_autograder.core.errors import DescentError
from descent_autograder.publishing.canonical import canonical_text

TIMES: Mapping[str, tuple[str, str]] = {
    "gradient-checks": ("45–60 minutes", "about two hours"),
    "sanity-checks": ("40–50 minutes", "about an hour and a half"),
    "babysitting": ("45–60 minutes", "about two hours"),
    "optimizers": ("50–60 minutes", "about three hours"),
    "hyperparameter-search": ("50–60 minutes", "about an hour and a half"),
    "ensembles": ("45–60 minutes", "about an hour and a half"),
}
"""By unit, how long the lesson takes and how long the assignment."""

NUMBERED = re.compile(r"\b[Tt]asks? \d")
_NUMBERS = r"(?P<word>[Tt]ask)s? (?P<numbers>\d+(?:(?:, | and | to )\d+)*)"
_IN_TEXT = re.compile(_NUMBERS + r"(?:\*\*)?<!-- (?P<ids>\w+(?:, \w+)*) -->")
_IN_CODE = re.compile(r"# tasks: (?P<ids>\w+(?:, \w+)*)\n(?P<between>[^\n]*?\b)" + _NUMBERS)
_TASK_HEADING = re.compile(r"^### Task \d+ · (?P<names>`[^\n]*`) \([^\n]*\)$", re.M)
_HAND_HEADING = re.compile(
    r"^### Question \d+ · (?P<title>[^\n]*) \([\d.]+ points, graded by hand\)$", re.M
)
_SUM = re.compile(r"^\*\*\d[^\n]* points: [^\n]*\*\*$", re.M)
_TIME = re.compile(r"(?P<before>\bTime(?:\*\*:| \|) )[^\n|]* for the assignment")


class DerivedError(DescentError):
    """A notebook mentions a task that its assignment doesn't have; the message names the cell."""


@dataclass(frozen=True)
class Assignment:
    """What follows from an assignment's cells.

    Attributes:
        unit: the unit's name, as in ``optimizers``.
        points: each task's points, by its question, in order.
        by_hand: the points of the open question.
    """

    unit: str
    points: Mapping[str, float]
    by_hand: float

    @classmethod
    def of(cls, unit: str, notebook: Mapping[str, Any]) -> Assignment:
        """Read it off an assignment's notebook."""
        points: dict[str, float] = {}
        by_hand = 0.0
        for cell in notebook["cells"]:
            known = cell["metadata"].get("nbgrader", {})
            if known.get("grade") and cell["cell_type"] == "code":
                points[_asked("".join(cell["source"]))] = float(known["points"])
            elif known.get("grade"):
                by_hand += float(known["points"])
        return cls(unit, points, by_hand)

    def mention(self, word: str, ids: Sequence[str]) -> str:
        """Tasks by their numbers: "Task 3", "tasks 1 and 2", "Tasks 7 to 10".

        Raises:
            DerivedError: the assignment has no such task.
        """
        order = list(self.points)
        missing = [one for one in ids if one not in order]
        if missing:
            raise DerivedError(f"{self.unit} has no task called {', '.join(missing)}")
        numbers = sorted(order.index(one) + 1 for one in ids)
        if len(numbers) == 1:
            return f"{word} {numbers[0]}"
        if len(numbers) > 2 and numbers[-1] - numbers[0] == len(numbers) - 1:
            return f"{word}s {numbers[0]} to {numbers[-1]}"
        *first, last = map(str, numbers)
        return f"{word}s {', '.join(first)} and {last}"

    def heading(self, question: str, names: str) -> str:
        """The heading of a task."""
        points = self.points[question]
        worth = f"{points:g} point{'' if points == 1 else 's'}" if points else "no points, optional"
        return f"### {self.mention('Task', [question])} · {names} ({worth})"

    def in_sum(self) -> str:
        """The sentence under the title."""
        worth = sum(self.points.values())
        graded = sum(bool(points) for points in self.points.values())
        time = TIMES[self.unit][1]
        return (
            f"**{worth + self.by_hand:g} points: {worth:g} for {graded} functions, "
            f"{self.by_hand:g} for one open question. {time[0].upper()}{time[1:]}.**"
        )


def _asked(source: str) -> str:
    """The question that a check cell names."""
    (statement,) = ast.parse(source).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    return str(ast.literal_eval(statement.value.args[0]))


def derived(notebook: Mapping[str, Any], assignment: Assignment) -> dict[str, Any]:
    """A lesson or an assignment with all that follows from the assignment made anew.

    Raises:
        DerivedError: it mentions a task that doesn't exist; the message names the cell.
    """
    cells = []
    for place, cell in enumerate(notebook["cells"]):
        text = "".join(cell["source"])
        pattern = _IN_CODE if cell["cell_type"] == "code" else _IN_TEXT
        try:
            text = pattern.sub(lambda found: _mention(found, assignment), text)
        except DerivedError as error:
            raise DerivedError(f"cell {cell.get('id')}: {error}") from None
        if cell["cell_type"] == "markdown":
            text = _headings(text, notebook["cells"][place:], assignment)
        cells.append({**cell, "source": text})
    return {**notebook, "cells": cells}


def _mention(found: re.Match[str], assignment: Assignment) -> str:
    """A mention with its numbers made anew."""
    start, end = found.start("word") - found.start(), found.end("numbers") - found.start()
    said = assignment.mention(found["word"], found["ids"].split(", "))
    return found[0][:start] + said + found[0][end:]


def _headings(text: str, cells: Sequence[Mapping[str, Any]], assignment: Assignment) -> str:
    """A text cell's headings and sums; `cells` begins with that cell."""
    lesson, _ = TIMES[assignment.unit]
    text = _SUM.sub(lambda _: assignment.in_sum(), text)
    time = f"{lesson}, and {TIMES[assignment.unit][1]} for the assignment"
    text = _TIME.sub(lambda found: found["before"] + time, text)
    task = _TASK_HEADING.search(text)
    if task:
        checks = (c for c in cells if _is_check(c))
        text = text.replace(
            task[0], assignment.heading(_asked("".join(next(checks)["source"])), task["names"])
        )
    by_hand = _HAND_HEADING.search(text)
    if by_hand:
        number = len(assignment.points) + 1
        worth = f"{assignment.by_hand:g} points, graded by hand"
        text = text.replace(by_hand[0], f"### Question {number} · {by_hand['title']} ({worth})")
    return text


def _is_check(cell: Mapping[str, Any]) -> bool:
    return cell["cell_type"] == "code" and bool(cell["metadata"].get("nbgrader", {}).get("grade"))


def unmarked(notebook: Mapping[str, Any]) -> list[str]:
    """Lines that speak of a task by a number that nothing keeps right."""
    lines = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        for pattern in (_IN_TEXT, _IN_CODE, _TASK_HEADING):
            text = pattern.sub("", text)
        lines += [line for line in text.splitlines() if NUMBERED.search(line)]
    return lines


def pairs(workspace: Path) -> list[tuple[str, list[Path]]]:
    """Each unit that stands, with its assignment and, where there is one, its lesson."""
    found = []
    for number, unit in enumerate(units.UNITS, 1):
        folder = units.folder(number)
        assignment = workspace / "assignments" / "source" / folder / f"{unit}.ipynb"
        lesson = workspace / "course" / "lessons" / f"{folder}.ipynb"
        if assignment.exists():
            found.append((unit, [path for path in (assignment, lesson) if path.exists()]))
    return found


def refresh(workspace: Path, *, write: bool) -> list[Path]:
    """The notebooks in which something that follows isn't up to date; they are written on demand.

    Raises:
        DerivedError: a notebook mentions a task that doesn't exist.
    """
    stale = []
    for unit, paths in pairs(workspace):
        assignment = Assignment.of(unit, json.loads(paths[0].read_text(encoding="utf-8")))
        for path in paths:
            before = path.read_text(encoding="utf-8")
            try:
                after = canonical_text(json.dumps(derived(json.loads(before), assignment)))
            except DerivedError as error:
                raise DerivedError(f"{path.name}, {error}") from None
            if after != before:
                stale.append(path)
                if write:
                    path.write_text(after, encoding="utf-8")
    return stale


def main(arguments: Sequence[str] | None = None) -> int:
    """The command: name the notebooks that are out of date, or write them."""
    parser = argparse.ArgumentParser(prog="python -m descent_autograder.publishing.derived")
    parser.add_argument("--write", action="store_true", help="bring them up to date")
    options = parser.parse_args(arguments)
    stale = refresh(Path(__file__).resolve().parents[3], write=options.write)
    for path in stale:
        print(f"{path.name}: {'written' if options.write else 'out of date (make refresh)'}")
    return 1 if stale and not options.write else 0


if __name__ == "__main__":
    sys.exit(main())
