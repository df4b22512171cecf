"""The two runs that all tests of this folder look at: with attackers, and without."""

from __future__ import annotations

import pytest

from . import attacked_course
from .attacked_class import Aftermath, attack_class
from .attacked_course import AttackedCourse
from .attacks import ATTACKS


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> AttackedCourse:
    """The course, released; nobody has handed in yet."""
    return attacked_course.build(tmp_path_factory.mktemp("template") / "course")


@pytest.fixture(scope="session")
def attacked_class(template: AttackedCourse, tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """The class with all attackers, graded."""
    return attack_class(template, tmp_path_factory.mktemp("attacked_class"), ATTACKS)


@pytest.fixture(scope="session")
def untouched_class(
    template: AttackedCourse, tmp_path_factory: pytest.TempPathFactory
) -> Aftermath:
    """The same class without attackers, graded with the same secret."""
    return attack_class(template, tmp_path_factory.mktemp("untouched_class"), [])
