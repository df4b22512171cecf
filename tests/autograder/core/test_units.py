"""How units are named, and what names none."""

from __future__ import annotations

import pytest
from descent_autograder.core import units
from descent_autograder.core.errors import UnknownUnit


@pytest.mark.parametrize(
    "text", ["optimizers", "06-optimizers", "06_optimizers", "6", "06", "Optimizers", " 6 "]
)
def test_a_unit_is_accepted_in_every_spelling(text: str) -> None:
    assert units.resolve(text) == "06-optimizers"


def test_hyphens_and_underscores_are_alike() -> None:
    assert units.resolve("activations_and_initialization") == "03-activations-and-initialization"


@pytest.mark.parametrize("text", ["", "0", "12", "optimiser", "-", "06-", "gradient"])
def test_what_names_no_unit_is_refused_with_those_that_do(text: str) -> None:
    with pytest.raises(UnknownUnit, match="06-optimizers"):
        units.resolve(text)


def test_a_course_may_have_units_of_its_own() -> None:
    assert units.resolve("small", ["20-small"]) == "20-small"
    assert units.resolve("20", ["20-small"]) == "20-small"


def test_units_have_modules_of_their_names() -> None:
    assert units.module("03-activations-and-initialization") == "activations_and_initialization"
