"""Every attack, against intake, wall, verdict and gradebook as they are.

One class holds all attackers and their honest neighbours and is graded once. For each: no point
gained, no honest point lost, nothing learnt; and nothing left behind by any.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from . import attacked_course
from .attack import Attack
from .attacked_class import Aftermath
from .attacked_course import HONEST, NEIGHBOURS, POINTS
from .attacks import ATTACKS
from .attacks import files as handed_in

pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(600)]
each = pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
_REFERENCE = attacked_course.REPOSITORY / "solutions" / "descent_solutions" / "gradient_checks.py"
_GRADER = (
    attacked_course.REPOSITORY / "autograder" / "descent_autograder" / "questions" / "catalogue.py"
)


def test_there_are_at_least_eighty_of_different_names() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 80
    assert all(attack.tries for attack in ATTACKS)


@each
def test_no_point_is_gained_and_no_honest_one_lost(
    attack: Attack, attacked_class: Aftermath
) -> None:
    earned = attacked_class.points[attack.name]
    if attack.refused:
        assert set(earned.values()) == {0.0}
        return
    assert earned.keys() == POINTS.keys()
    gained = {task: points for task, points in earned.items() if points > HONEST[task]}
    lost = {task: points for task, points in earned.items() if points < HONEST[task]}
    assert gained == {}
    assert lost == {} or attack.costs


@each
def test_nothing_is_learnt(attack: Attack, attacked_class: Aftermath) -> None:
    notebook = attacked_class.notebooks[attack.name]
    shown = attacked_course.outputs(notebook)
    assert not re.findall(r"CAPTURED: [^\"\\]*", shown)
    for what, word in attacked_class.site.canaries.items():
        # A test that fails shows its own lines, as nbgrader has it.
        seen = attacked_course.outputs(notebook, tests=False) if what == "a hidden test" else shown
        assert word not in seen, f"it has learnt {what}"
    for line in _telling_lines(_REFERENCE) | _telling_lines(_GRADER):
        assert line not in shown


@each
def test_feedback_tells_nothing_either(attack: Attack, attacked_class: Aftermath) -> None:
    page = attacked_class.pages[attack.name].read_text()
    for what, word in attacked_class.site.canaries.items():
        if what != "a hidden test":  # nbgrader's feedback shows test cells whole
            assert word not in page, f"it has learnt {what}"


def _telling_lines(path: Path) -> set[str]:
    lines = {line.strip() for line in path.read_text().splitlines()}
    return {line for line in lines if len(line) > 45 and "=" in line and '"' not in line}


@each
def test_no_notebook_grows_beyond_its_limit(attack: Attack, attacked_class: Aftermath) -> None:
    assert len(attacked_course.outputs(attacked_class.notebooks[attack.name])) < 60 << 20


def test_refused_notebooks_say_why(attacked_class: Aftermath) -> None:
    for attack in ATTACKS:
        notices = str(attacked_class.notebooks[attack.name]["cells"][0]["source"])
        assert ("was not graded" in notices) == attack.refused, attack.name


def test_the_run_goes_on(attacked_class: Aftermath) -> None:
    assert attacked_class.summary.failed == {}
    assert set(attacked_class.summary.graded) == {*NEIGHBOURS, *(attack.name for attack in ATTACKS)}
    refused = {*handed_in.NAMES, *(name for name, _, _ in handed_in.FOLDERS)}
    assert set(attacked_class.summary.rejected) == refused


def test_nothing_is_left_behind(attacked_class: Aftermath) -> None:
    assert attacked_class.left == []


def test_the_course_is_as_it_was(attacked_class: Aftermath) -> None:
    assert attacked_class.changed == []
    tops = {path.name for path in attacked_class.site.course.root.iterdir()}
    made = {"autograded", "feedback", "reports", "gradebook.db"}
    given = {"source", "release", "submitted", "nbgrader_config.py", ".descent-secret"}
    assert tops == made | given


def test_nobody_was_reached(attacked_class: Aftermath) -> None:
    assert attacked_class.heard == []


def test_the_gradebook_knows_only_who_handed_in(attacked_class: Aftermath) -> None:
    assert set(attacked_class.points) == set(attacked_class.summary.graded)


@pytest.mark.parametrize("student", NEIGHBOURS)
def test_neighbours_get_what_they_get_without_attackers(
    student: str, attacked_class: Aftermath, untouched_class: Aftermath
) -> None:
    assert attacked_class.points[student] == untouched_class.points[student]
    assert attacked_class.verdicts[student] == untouched_class.verdicts[student]
    assert _comparable(attacked_class.notebooks[student], attacked_class) == _comparable(
        untouched_class.notebooks[student], untouched_class
    )


def _comparable(notebook: Any, run: Aftermath) -> str:
    text = str(notebook["cells"])
    for word in run.site.canaries.values():
        text = text.replace(word, "")
    return re.sub(r"'checksum': '\w+'", "", text)


def test_neighbours_earn_what_they_deserve(untouched_class: Aftermath) -> None:
    assert untouched_class.points[NEIGHBOURS[0]] == POINTS
    assert untouched_class.points[NEIGHBOURS[1]] == HONEST
    assert untouched_class.points[NEIGHBOURS[2]] == POINTS | {
        "central_difference": 0.0,
        "verdict": 0.0,
    }
