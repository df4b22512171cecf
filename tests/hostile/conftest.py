"""The two runs that all tests of this folder look at: with attackers, and without."""

from __future__ import annotations

import pytest

from . import ground
from .attacks import ATTACKS
from .ground import Ground
from .siege import Aftermath, besiege


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    """The course, released; nobody has handed in yet."""
    return ground.build(tmp_path_factory.mktemp("template") / "course")


@pytest.fixture(scope="session")
def siege(template: Ground, tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """The class with all attackers, graded."""
    return besiege(template, tmp_path_factory.mktemp("siege"), ATTACKS)


@pytest.fixture(scope="session")
def peace(template: Ground, tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """The same class without attackers, graded with the same secret."""
    return besiege(template, tmp_path_factory.mktemp("peace"), [])
