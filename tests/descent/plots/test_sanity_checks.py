"""The pictures of unit 2 show what the lesson says they show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from descent.plots import sanity_checks, style

from .every_picture import Drawer, EveryPicture, drawn

PICTURES: dict[str, Drawer] = {name: getattr(sanity_checks, name) for name in sanity_checks.__all__}


def shown(name: str) -> style.Picture:
    return drawn(PICTURES[name])


def numbers(name: str) -> Mapping[str, float]:
    return shown(name).numbers


class TestEveryPicture(EveryPicture):
    pictures = PICTURES


def test_small_weights_start_at_chance_and_large_ones_far_above() -> None:
    seen = numbers("initial_loss")
    assert seen["tiny"] == pytest.approx(np.log(10), abs=1e-4)
    assert seen["usual"] == pytest.approx(np.log(10), rel=0.05)
    assert seen["largest"] > seen["one"] > 2 * np.log(10)


def test_only_the_added_penalty_raises_the_loss() -> None:
    seen = numbers("penalty_sweep")
    assert seen["right"] > seen["start"] + 1
    assert seen["subtracted"] < seen["start"] - 1
    assert seen["missing"] == pytest.approx(np.log(10), rel=0.05)


def test_only_the_sound_network_learns_twenty_digits_down_to_zero() -> None:
    seen = numbers("tiny_set")
    assert seen["right"] < 0.01
    assert seen["right_accuracy"] == seen["penalty_accuracy"] == 1
    assert seen["penalty"] > 0.2
    assert seen["unpaired"] > 2
    assert seen["unpaired_accuracy"] < 0.5


def test_two_of_five_rates_learn_well_and_the_largest_explodes() -> None:
    """As the lesson says, with these numbers."""
    seen = numbers("first_runs")
    assert seen["last_0"] == pytest.approx(seen["first_0"], abs=0.01)
    assert [round(100 * seen[f"val_{i}"]) for i in range(5)] == [10, 54, 97, 97, 10]
    assert round(seen["last_1"], 2) == 1.90
    assert seen["first_4"] > 50 * seen["start"]
    assert seen["last_4"] > 5 * seen["start"]


def test_an_exploding_run_is_seen_from_its_start_to_its_end() -> None:
    (ax,) = shown("first_runs").figure.axes
    low, high = ax.get_ylim()
    for line in ax.lines:
        assert low < min(line.get_ydata())
        assert max(line.get_ydata()) < high
        assert line.get_ydata()[0] == numbers("first_runs")["start"]
    assert ax.get_legend() is None, "the legend stands outside, not on the data"


def test_scrambled_digits_are_learnt_by_heart_and_not_understood() -> None:
    seen = numbers("scrambled")
    assert seen["honest_train"] == seen["scrambled_train"] == 1
    assert seen["honest_val"] > 0.8
    assert seen["scrambled_val"] == pytest.approx(0.1, abs=0.015)
    assert (round(seen["scrambled_low"], 2), round(seen["scrambled_high"], 2)) == (0.03, 0.18)
    for ax in shown("scrambled").figure.axes:
        assert ax.lines[0].get_xdata()[0] == 1, "the first epoch is number 1"
