"""The two runs that all tests of this folder look at: with attackers, and without."""

from __future__ import annotations

import pytest

from .attacks import ATTACKS
from .siege import Aftermath, besiege


@pytest.fixture(scope="session")
def siege(tmp_path_factory: pytest.TempPathFactory) -> Aftermath:
    """The class with all attackers, graded."""
    return besiege(tmp_path_factory.mktemp("siege"), ATTACKS)


@pytest.fixture(scope="session")
def peace(tmp_path_factory: pytest.TempPathFactory, siege: Aftermath) -> Aftermath:
    """The same class without attackers, graded with the same secret."""
    secret = siege.ground.canaries["the secret"]
    return besiege(tmp_path_factory.mktemp("peace"), [], secret)
