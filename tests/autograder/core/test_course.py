"""Where a course is found, and its secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from descent_autograder.core.course import Course, find_root, secret_is_private
from descent_autograder.core.errors import NoCourse


def test_the_course_is_found_from_below_and_beside(small_template: Path, tmp_path: Path) -> None:
    below = small_template / "source" / "20-small"
    assert find_root(below) == small_template
    (tmp_path / "assignments").mkdir()
    (tmp_path / "assignments" / "nbgrader_config.py").touch()
    assert find_root(tmp_path) == tmp_path / "assignments"


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    course = Course(tmp_path)
    first = course.secret()
    assert len(first) == 64
    assert course.secret() == first
    assert secret_is_private(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".descent-secret"]


def test_a_spoilt_secret_isnt_replaced_in_silence(tmp_path: Path) -> None:
    (tmp_path / ".descent-secret").write_text("short")
    with pytest.raises(NoCourse, match="backup"):
        Course(tmp_path).secret()
