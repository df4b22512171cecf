"""Every row of the syllabus is taught under a heading, shown by a demo or plot, and asked."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core import units

ROOT = Path(__file__).parents[2]
MAP: dict[str, Any] = tomllib.loads(
    (Path(__file__).parent / "syllabus.toml").read_text(encoding="utf-8")
)
# How many rows the syllabus has in each unit, and which of them are read or measured, not asked.
ROWS = {1: 14, 2: 5, 3: 6, 4: 9, 5: 7, 6: 13, 7: 7, 8: 6, 9: 10, 10: 9}
READ = {"2.4", "3.5", "3.6", "4.5", "4.6", "4.7", "4.8", "7.5", "9.1"}
MEASURED = {"6.7", "7.6", "8.4", "9.9", "10.2", "10.3", "10.4"}
NOT_ASKED = READ | MEASURED
LESSONS = ROOT / "course" / "lessons"
TAUGHT = [unit for unit in ROWS if (LESSONS / f"{units.folder(unit)}.ipynb").exists()]
IDS = [f"{unit}.{row}" for unit in TAUGHT for row in range(1, ROWS[unit] + 1)]


def entry(row: str) -> dict[str, Any]:
    assert row in MAP, f"tests/repository/syllabus.toml doesn't say where row {row} is taught"
    found: dict[str, Any] = MAP[row]
    return found


def unit_of(row: str) -> str:
    return units.folder(int(row.split(".")[0]))


def cells_of(path: Path, kind: str) -> str:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def test_the_map_names_only_rows_that_exist() -> None:
    rows = {f"{unit}.{row}" for unit, count in ROWS.items() for row in range(1, count + 1)}
    assert set(MAP) <= rows


@pytest.mark.parametrize("row", IDS)
def test_row_is_taught_and_shown(row: str) -> None:
    lesson = LESSONS / f"{unit_of(row)}.ipynb"
    headings = re.findall(r"^#+\s+(.+?)\s*$", cells_of(lesson, "markdown"), flags=re.M)
    code = cells_of(lesson, "code")
    assert entry(row)["topic"]
    assert entry(row)["heading"] in headings
    for shown in as_list(entry(row)["shown_by"]):
        assert shown in code or shown in headings


@pytest.mark.parametrize("row", [row for row in IDS if row not in NOT_ASKED])
def test_row_is_asked(row: str) -> None:
    unit = unit_of(row)
    assignment = ROOT / "assignments" / "source" / unit / f"{unit.split('-', 1)[1]}.ipynb"
    asked = set(re.findall(r"^check\(\s*[\"'](\w+)", cells_of(assignment, "code"), flags=re.M))
    questions = as_list(entry(row)["question"])
    assert questions
    assert set(questions) <= asked


def sections(lesson: Path) -> dict[str, str]:
    """The lesson's text by heading; a section ends at the next heading of its level or above."""
    text = cells_of(lesson, "markdown")
    found: dict[str, str] = {}
    headings = list(re.finditer(r"^(#+)\s+(.+?)\s*$", text, flags=re.M))
    for place, one in enumerate(headings):
        ends = (o.start() for o in headings[place + 1 :] if len(o[1]) <= len(one[1]))
        found[one[2]] = text[one.end() : next(ends, len(text))]
    return found


@pytest.mark.parametrize("row", [row for row in IDS if row not in NOT_ASKED])
def test_the_section_that_teaches_a_row_names_its_tasks(row: str) -> None:
    section = sections(LESSONS / f"{unit_of(row)}.ipynb")[entry(row)["heading"]]
    named = {name for ids in re.findall(r"<!-- ([\w, ]+) -->", section) for name in ids.split(", ")}
    assert set(as_list(entry(row)["question"])) <= named


def test_rows_that_are_not_asked_say_so() -> None:
    silent = [row for row in IDS if row in NOT_ASKED]
    assert [
        row for row in silent if not (entry(row).get("read") or entry(row).get("question"))
    ] == []
