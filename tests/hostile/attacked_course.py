"""The course under attack: tasks of the real unit 1, two with ordinary asserts, and hidden tests.

Everybody in the class answers ``RIGHT`` right; attackers answer the other tasks wrong, so that
``HONEST`` is what each has earned.
"""

from __future__ import annotations

import copy
import json
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from descent_autograder.core.course import Course, open_course
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.publishing.release import release

from .attack import Attack, Cell, Notebook, by_id, code, known

REPOSITORY = Path(__file__).parents[2]
REAL_UNIT = REPOSITORY / "assignments" / "source" / "01-gradient-checks" / "gradient-checks.ipynb"
UNIT, NAME = "21-attacked", "attacked"
LIMITS = {
    "cell_seconds": 4.0,
    "notebook_seconds": 30.0,
    "memory_bytes": 768 << 20,
    "file_bytes": 32 << 20,
}

_TAKEN = ("forward_difference", "central_difference", "relative_error", "verdict", "softmax_loss")
POINTS = {
    "forward_difference": 2.0,
    "central_difference": 3.0,
    "relative_error": 3.0,
    "verdict": 2.0,
    "softmax_loss": 6.0,
    "apply_twice": 2.0,
    "squares": 4.0,
    "cubes": 3.0,
}
RIGHT = {
    "central_difference": """\
def central_difference(f, x, h=1e-5):
    start = np.array(x, float)
    slopes = np.empty_like(start)
    for i in range(start.size):
        at = np.unravel_index(i, start.shape)
        ahead, behind = np.array(start), np.array(start)
        ahead[at] = start[at] + h
        behind[at] = start[at] - h
        slopes[at] = (f(ahead) - f(behind)) / h / 2
    return slopes""",
    "relative_error": """\
def relative_error(a, b):
    one, two = np.atleast_1d(np.array(a, float)), np.atleast_1d(np.array(b, float))
    size = np.where(abs(one) > abs(two), abs(one), abs(two))
    size = np.where(np.isnan(one + two), np.nan, size)
    return abs(one - two) / (size + (size == 0))""",
    "apply_twice": "def apply_twice(f, x):\n    return f(f(x))",
}
WRONG = {
    "forward_difference": "(f, x, h=1e-5)",
    "verdict": "(error, *, has_kinks=False)",
    "softmax_loss": "(W, X, y, reg)",
    "squares": "(k)",
    "cubes": "(x)",
}
HONEST = {task: POINTS[task] if task in RIGHT else 0.0 for task in POINTS}
ANSWER = "a neighbour's answer"
NEIGHBOURS = ("aa-neighbour", "mm-neighbour", "zz-neighbour")

_PRELUDE = """\
def won(what):
    print("CAP" + "TURED:", what)

"""


@dataclass(frozen=True)
class AttackedCourse:
    """A released course with a class that has handed in.

    Attributes:
        course: the course.
        known: what stands for ``@NAME@`` in attacks: what an attacker might guess.
        canaries: what nobody may learn, by what it gives away.
    """

    course: Course
    known: dict[str, str]
    canaries: dict[str, str]


def canary(kind: str) -> str:
    """A word that occurs nowhere else and that an attacker knows how to search for."""
    return f"canary{kind}{secrets.token_hex(12)}"


def source(hidden: str) -> Notebook:
    """The unit's source notebook, with a canary among its hidden tests."""
    real = json.loads(REAL_UNIT.read_text())
    cells = [cell for cell in real["cells"] if _is_kept(cell)]
    cells += _ordinary("apply_twice", "(f, x)", "    return f(f(x))", _TWICE.format(hidden=hidden))
    cells += _ordinary("squares", "(k)", "    return k * k", _SQUARES)
    cells += _ordinary("cubes", "(x)", "    return x**3", _CUBES)
    return {**real, "cells": cells}


def _is_kept(cell: Cell) -> bool:
    grade_id = str(known(cell).get("grade_id", ""))
    if grade_id:
        return grade_id.removesuffix("_answer") in _TAKEN
    return cell["cell_type"] == "code" and "from descent import check" in "".join(cell["source"])


_TWICE = """\
def close(a, b):
    import numpy.testing
    numpy.testing.assert_allclose(a, b)
close(apply_twice(np.sqrt, 16.0), 2.0)
### BEGIN HIDDEN TESTS
def half(x):
    return float(x) / 2  # {hidden}
close(apply_twice(half, 6.0), 1.5)
### END HIDDEN TESTS"""
_CUBES = "close(cubes(np.arange(3.0)), [0.0, 1.0, 8.0])"
_SQUARES = "sum(float(squares(k) == k * k) for k in (3, 5, 7, 11))"


def _ordinary(task: str, signature: str, body: str, test: str) -> list[Cell]:
    marks = {"schema_version": 3, "task": False}
    answer = code(f"def {task}{signature}:\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION")
    answer |= {"id": f"{task}-answer"}
    answer["metadata"] = {
        "nbgrader": marks
        | {"grade": False, "solution": True, "locked": False, "grade_id": f"{task}_answer"}
    }
    check = code(test) | {"id": f"{task}-test"}
    check["metadata"] = {
        "nbgrader": marks
        | {"grade": True, "solution": False, "locked": True, "grade_id": task}
        | {"points": POINTS[task]}
    }
    return [answer, check]


def build(root: Path) -> AttackedCourse:
    """A new course at ``root``, released, with canaries where nobody should look.

    Args:
        root: where; it must not exist.
    """
    canaries = {
        "the secret": canary("secret") + secrets.token_hex(24),
        "a hidden test": canary("hidden"),
        "the gradebook": canary("gradebook"),
        ANSWER: canary("answer"),
        "the environment": canary("environment"),
    }
    (root / "source" / UNIT).mkdir(parents=True)
    shutil.copyfile(REPOSITORY / "assignments" / "nbgrader_config.py", root / "nbgrader_config.py")
    (root / "source" / UNIT / f"{NAME}.ipynb").write_text(
        json.dumps(source(canaries["a hidden test"]))
    )
    secret_file = root / ".descent-secret"
    secret_file.write_text(canaries["the secret"] + "\n")
    secret_file.chmod(0o600)
    course = open_course(root)
    release(course, [UNIT])
    gradebook = SharedGradebook(course.db_url, course.course_id)
    for name in NEIGHBOURS:
        gradebook.update_or_create_student(name, last_name=canaries["the gradebook"])
    gradebook.close()
    known_things = {
        "COURSE": str(root),
        "UNIT": UNIT,
        "NAME": NAME,
        "REPOSITORY": str(REPOSITORY),
        "NEIGHBOUR": NEIGHBOURS[1],
        "MAX": str(sum(POINTS.values())),
    }
    return AttackedCourse(course, known_things, canaries)


def copied(site: AttackedCourse, root: Path, more: dict[str, str]) -> AttackedCourse:
    """A copy at ``root`` of a released course, with the same secret and canaries."""
    shutil.copytree(site.course.root, root)
    return AttackedCourse(
        open_course(root), {**site.known, "COURSE": str(root), **more}, site.canaries
    )


def released(site: AttackedCourse) -> Notebook:
    """The notebook as students get it."""
    path = site.course.path("release", ".", UNIT) / f"{NAME}.ipynb"
    notebook: Notebook = json.loads(path.read_text())
    return notebook


def answered(site: AttackedCourse, answers: dict[str, str]) -> Notebook:
    """The released notebook with these answers."""
    notebook = copy.deepcopy(released(site))
    for task, text in answers.items():
        by_id(notebook, f"{task}_answer")["source"] = text
    return notebook


def wrong_answers() -> dict[str, str]:
    """An answer to every task: right ones, and others that earn nothing."""
    wrong = {task: f"def {task}{signature}:\n    return None" for task, signature in WRONG.items()}
    return {**RIGHT, **wrong}


def hand_in(site: AttackedCourse, student: str, content: bytes) -> Path:
    """Hand in a notebook; return its folder."""
    folder = site.course.path("submitted", student, UNIT)
    folder.mkdir(parents=True)
    (folder / f"{NAME}.ipynb").write_bytes(content)
    return folder


def hand_in_neighbours(site: AttackedCourse) -> None:
    """Hand in for the honest: one with everything right, one with half, one with a slip."""
    comment = f"\n    # {site.canaries[ANSWER]}"
    real = {known(c).get("grade_id"): "".join(c["source"]) for c in source("")["cells"]}
    everything = {task: real[f"{task}_answer"] for task in POINTS}
    slips = everything | {
        "central_difference": RIGHT["central_difference"].replace("/ h / 2", "/ h"),
        "verdict": WRONG_VERDICT,
    }
    for student, answers in zip(NEIGHBOURS, (everything, wrong_answers(), slips), strict=True):
        notebook = answered(site, answers)
        by_id(notebook, "squares_answer")["source"] += comment
        notebook["cells"].insert(1, code("print(sorted(globals())[:3])\nnp.float64(1) / 0"))
        hand_in(site, student, json.dumps(notebook).encode())


WRONG_VERDICT = """\
def verdict(error, *, has_kinks=False):
    return "happy" if error < 1e-7 else "wrong" """


def filled(text: str, site: AttackedCourse) -> str:
    """A text of an attack with what the attacker knows."""
    for name, value in site.known.items():
        text = text.replace(f"@{name}@", value)
    return text


def prepare(site: AttackedCourse, attack: Attack) -> bytes:
    """The notebook's bytes that an attack hands in."""
    answers = {**wrong_answers(), **attack.answers}
    notebook = answered(site, {t: filled(a, site) for t, a in answers.items()})
    prelude = code(_PRELUDE + filled(attack.cell, site))
    prelude["id"] = "attack"
    position = 1 + next(i for i, c in enumerate(notebook["cells"]) if c["cell_type"] == "code")
    notebook["cells"].insert(position, prelude)
    if attack.mangle is not None:
        attack.mangle(notebook)
    content = json.dumps(notebook).encode()
    return attack.raw(content) if attack.raw is not None else content


def attack_with(site: AttackedCourse, attack: Attack) -> None:
    """Hand an attack in."""
    folder = hand_in(site, attack.name, prepare(site, attack))
    if attack.tree is not None:
        attack.tree(folder, site.known)


def outputs(notebook: Notebook, *, tests: bool = True) -> str:
    """Everything that cells have put out, as one text; with or without what tests have."""
    cells = [cell for cell in notebook["cells"] if tests or not known(cell).get("grade")]
    found: list[Any] = [cell.get("outputs", []) for cell in cells]
    return json.dumps(found, ensure_ascii=False)


__all__ = [
    "HONEST",
    "LIMITS",
    "NAME",
    "NEIGHBOURS",
    "POINTS",
    "RIGHT",
    "UNIT",
    "WRONG",
    "AttackedCourse",
    "answered",
    "attack_with",
    "build",
    "canary",
    "copied",
    "filled",
    "hand_in",
    "hand_in_neighbours",
    "outputs",
    "prepare",
    "released",
    "wrong_answers",
]
