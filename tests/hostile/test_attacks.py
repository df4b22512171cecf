"""Every attack, against intake, wall, verdict and gradebook as they are.

One class holds all attackers and their honest neighbours and is graded once. For each: no point
gained, no honest point lost, nothing learnt; and nothing left behind by any.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from . import ground
from .attack import Attack
from .attacks import ATTACKS
from .attacks import files as handed_in
from .ground import HONEST, NEIGHBOURS, POINTS
from .siege import Aftermath

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]
each = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
_REFERENCE = ground.REPOSITORY / "solutions" / "descent_solutions" / "gradient_checks.py"
_GRADER = ground.REPOSITORY / "autograder" / "descent_autograder" / "questions" / "catalogue.py"


def test_there_are_at_least_eighty_of_different_names() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 80
    assert all(attack.tries for attack in ATTACKS)


@each
def test_no_point_is_gained_and_no_honest_one_lost(attack: Attack, siege: Aftermath) -> None:
    earned = siege.points[attack.name]
    if attack.refused:
        assert set(earned.values()) == {0.0}
        return
    assert earned.keys() == POINTS.keys()
    gained = {task: points for task, points in earned.items() if points > HONEST[task]}
    lost = {task: points for task, points in earned.items() if points < HONEST[task]}
    assert gained == {}
    assert lost == {} or attack.costs


@each
def test_nothing_is_learnt(attack: Attack, siege: Aftermath) -> None:
    notebook = siege.notebooks[attack.name]
    shown = ground.outputs(notebook)
    assert not re.findall(r"CAPTURED: [^\"\\]*", shown)
    for what, word in siege.ground.canaries.items():
        # A test that fails shows its own lines, as nbgrader has it.
        seen = ground.outputs(notebook, tests=False) if what == "a hidden test" else shown
        assert word not in seen, f"it has learnt {what}"
    for line in _telling_lines(_REFERENCE) | _telling_lines(_GRADER):
        assert line not in shown


@each
def test_feedback_tells_nothing_either(attack: Attack, siege: Aftermath) -> None:
    page = siege.pages[attack.name].read_text()
    for what, word in siege.ground.canaries.items():
        if what != "a hidden test":  # nbgrader's feedback shows test cells whole
            assert word not in page, f"it has learnt {what}"


def _telling_lines(path: Path) -> set[str]:
    lines = {line.strip() for line in path.read_text().splitlines()}
    return {line for line in lines if len(line) > 45 and "=" in line and '"' not in line}


@each
def test_no_notebook_grows_beyond_its_limit(attack: Attack, siege: Aftermath) -> None:
    assert len(ground.outputs(siege.notebooks[attack.name])) < 60 << 20


def test_refused_notebooks_say_why(siege: Aftermath) -> None:
    for attack in ATTACKS:
        notices = str(siege.notebooks[attack.name]["cells"][0]["source"])
        assert ("was not graded" in notices) == attack.refused, attack.name


def test_the_run_goes_on(siege: Aftermath) -> None:
    assert siege.summary.failed == {}
    assert set(siege.summary.graded) == {*NEIGHBOURS, *(attack.name for attack in ATTACKS)}
    refused = {*handed_in.NAMES, *(name for name, _, _ in handed_in.FOLDERS)}
    assert set(siege.summary.rejected) == refused


def test_nothing_is_left_behind(siege: Aftermath) -> None:
    assert siege.left == []


def test_the_course_is_as_it_was(siege: Aftermath) -> None:
    assert siege.changed == []
    tops = {path.name for path in siege.ground.course.root.iterdir()}
    made = {"autograded", "feedback", "reports", "gradebook.db"}
    given = {"source", "release", "submitted", "nbgrader_config.py", ".descent-secret"}
    assert tops == made | given


def test_nobody_was_reached(siege: Aftermath) -> None:
    assert siege.heard == []


def test_the_gradebook_knows_only_who_handed_in(siege: Aftermath) -> None:
    assert set(siege.points) == set(siege.summary.graded)


@pytest.mark.parametrize("student", NEIGHBOURS)
def test_neighbours_get_what_they_get_without_attackers(
    student: str, siege: Aftermath, peace: Aftermath
) -> None:
    assert siege.points[student] == peace.points[student]
    assert siege.verdicts[student] == peace.verdicts[student]
    assert _comparable(siege.notebooks[student], siege) == _comparable(
        peace.notebooks[student], peace
    )


def _comparable(notebook: Any, run: Aftermath) -> str:
    text = str(notebook["cells"])
    for word in run.ground.canaries.values():
        text = text.replace(word, "")
    return re.sub(r"'checksum': '\w+'", "", text)


def test_neighbours_earn_what_they_deserve(peace: Aftermath) -> None:
    assert peace.points[NEIGHBOURS[0]] == POINTS
    assert peace.points[NEIGHBOURS[1]] == HONEST
    assert peace.points[NEIGHBOURS[2]] == POINTS | {"central_difference": 0.0, "verdict": 0.0}
