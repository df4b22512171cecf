"""What follows from an assignment is made from it, in the assignment and in its lesson."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.publishing.derived import (
    Assignment,
    DerivedError,
    derived,
    pairs,
    refresh,
    unmarked,
)

WORKSPACE = Path(__file__).parents[3]
PAIRS = pairs(WORKSPACE)
NOTEBOOKS = [path for _, paths in PAIRS for path in paths]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def text_of(notebook: Any) -> str:
    return "\n\n".join("".join(cell["source"]) for cell in notebook["cells"])


def cell(text: str, kind: str = "markdown", **nbgrader: Any) -> dict[str, Any]:
    return {
        "cell_type": kind,
        "id": "it",
        "metadata": {"nbgrader": nbgrader} if nbgrader else {},
        "source": text,
    }


def test_every_unit_that_stands_has_a_lesson() -> None:
    assert len(PAIRS) >= 6
    assert all(len(paths) == 2 for _, paths in PAIRS)


def test_nothing_is_out_of_date() -> None:
    assert refresh(WORKSPACE, write=False) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_task_is_mentioned_by_a_number_that_nothing_keeps_right(path: Path) -> None:
    assert unmarked(read(path)) == []


@pytest.mark.parametrize(("unit", "paths"), PAIRS, ids=[unit for unit, _ in PAIRS])
def test_a_task_that_is_put_in_changes_all_numbers_behind_it(unit: str, paths: list[Path]) -> None:
    assignment, lesson = map(read, paths)
    before = Assignment.of(unit, assignment)
    second = list(before.points)[1]
    first = f'check("{next(iter(before.points))}"'
    place = next(i for i, one in enumerate(assignment["cells"]) if first in "".join(one["source"]))
    longer = deepcopy(assignment)
    longer["cells"][place + 1 : place + 1] = [
        cell("### Task 0 · `new_one` (0 points)"),
        cell('check("new_one", new_one, points=7)', "code", grade=True, points=7),
    ]
    after = Assignment.of(unit, longer)
    text = text_of(derived(longer, after))
    assert "### Task 2 · `new_one` (7 points)" in text
    assert f"### Task 3 · `{second}" in text
    assert f"**{sum(before.points.values()) + before.by_hand + 7:g} points" in text
    in_lesson = text_of(derived(lesson, after))
    assert in_lesson != text_of(lesson)
    assert unmarked(derived(lesson, after)) == []


ASSIGNMENT = Assignment("optimizers", dict.fromkeys(["a", "b", "c", "d", "e"], 2.0), 10.0)


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        (["c"], "Task 3"),
        (["b", "a"], "Tasks 1 and 2"),
        (["a", "b", "c"], "Tasks 1 to 3"),
        (["e", "a", "b"], "Tasks 1, 2 and 5"),
    ],
)
def test_tasks_are_mentioned_as_people_do(ids: list[str], said: str) -> None:
    assert ASSIGNMENT.mention("Task", ids) == said


def test_mentions_keep_what_stands_around_them() -> None:
    cells = [
        cell("**Tasks 8 and 9**<!-- a, b -->: see task 7<!-- d -->."),
        cell('if not written:\n    # tasks: a, c\n    print("Write Task 9 first.")', "code"),
    ]
    assert text_of(derived({"cells": cells}, ASSIGNMENT)) == (
        "**Tasks 1 and 2**<!-- a, b -->: see task 4<!-- d -->.\n\n"
        'if not written:\n    # tasks: a, c\n    print("Write Tasks 1 and 3 first.")'
    )


def test_a_task_that_does_not_exist_is_named_with_its_cell() -> None:
    with pytest.raises(DerivedError, match="cell it: optimizers has no task called f"):
        derived({"cells": [cell("Task 1<!-- f -->")]}, ASSIGNMENT)


def test_a_number_without_a_mark_is_seen() -> None:
    cells = [cell("As in Task 3, and in task 4<!-- d -->."), cell("x = 1  # Task 2", "code")]
    assert len(unmarked({"cells": cells})) == 2
