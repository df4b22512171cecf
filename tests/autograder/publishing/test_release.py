"""Releasing: nbgrader's own generator, only where something has changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core.course import Course
from descent_autograder.core.errors import ReleaseFailed
from descent_autograder.publishing.release import release


def _stamps(course: Course) -> dict[str, int]:
    folder = course.step("release")
    return {str(p.relative_to(folder)): p.stat().st_mtime_ns for p in folder.rglob("*.ipynb")}


def test_a_second_release_changes_nothing(small: Course, tools: Any) -> None:
    before = _stamps(small)
    again = release(small, [tools.SMALL])[0]
    assert not again.changed
    assert again.points == 10
    assert _stamps(small) == before


def _source(course: Course, tools: Any) -> Path:
    return course.path("source", ".", tools.SMALL) / "small.ipynb"


def test_a_changed_source_brings_the_release_up_to_date(small: Course, tools: Any) -> None:
    notebook = tools.small_source()
    tools.by_id(notebook, "double")["source"] = "assert double(3) == 6"
    _source(small, tools).write_text(json.dumps(notebook))
    assert release(small, [tools.SMALL])[0].changed
    released = json.loads((small.path("release", ".", tools.SMALL) / "small.ipynb").read_text())
    assert "".join(tools.by_id(released, "double")["source"]) == "assert double(3) == 6"
    assert not release(small, [tools.SMALL])[0].changed


@pytest.mark.parametrize("damage", ["delete", "edit", "gradebook"])
def test_a_damaged_release_is_mended(small: Course, tools: Any, damage: str) -> None:
    path = small.path("release", ".", tools.SMALL) / "small.ipynb"
    before = path.read_bytes()
    if damage == "delete":
        path.unlink()
    elif damage == "edit":
        path.write_bytes(before.replace(b"double(2)", b"double(5)"))
    else:
        (small.root / "gradebook.db").unlink()
    assert release(small, [tools.SMALL])[0].changed
    assert path.read_bytes() == before
    assert not release(small, [tools.SMALL])[0].changed


def test_a_release_holds_no_line_of_a_solution(small: Course, tools: Any) -> None:
    released = (small.path("release", ".", tools.SMALL) / "small.ipynb").read_text()
    assert "return 2 * x" not in released
    assert "larger" not in released
    assert "Because." not in released
    assert "BEGIN SOLUTION" not in released


def test_a_test_cell_that_cant_be_judged_is_named(small: Course, tools: Any) -> None:
    notebook = tools.small_source()
    tools.by_id(notebook, "double")["source"] = "import inspect\nassert inspect.getsource(double)"
    _source(small, tools).write_text(json.dumps(notebook))
    with pytest.raises(ReleaseFailed, match=r"small\.ipynb, cell double: it imports inspect"):
        release(small, [tools.SMALL])


def test_what_nbgrader_refuses_is_said_in_its_words(small: Course, tools: Any) -> None:
    notebook = tools.small_source()
    notebook["cells"].append(tools.cell("code", "double", "assert True", grade=True, points=1))
    _source(small, tools).write_text(json.dumps(notebook))
    with pytest.raises(ReleaseFailed, match="Duplicate grade id: double"):
        release(small, [tools.SMALL])


def test_cells_cant_be_added_once_there_are_submissions(
    small: Course, tools: Any, small_solved: Any
) -> None:
    from descent_autograder.gradebook.shared import SharedGradebook

    gradebook = SharedGradebook(small.db_url, small.course_id)
    gradebook.add_student("ada")
    gradebook.add_submission(tools.SMALL, "ada")
    gradebook.close()
    notebook = tools.small_source()
    notebook["cells"].append(tools.cell("code", "more", "assert True", grade=True, points=1))
    _source(small, tools).write_text(json.dumps(notebook))
    with pytest.raises(ReleaseFailed, match="there are submissions associated"):
        release(small, [tools.SMALL])
