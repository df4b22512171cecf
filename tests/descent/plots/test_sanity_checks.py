"""The pictures of unit 2 show what the lesson says they show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import numpy as np
import pytest
from descent.plots import sanity_checks, style
from matplotlib.text import Text

PICTURES = sanity_checks.__all__


@cache
def shown(name: str) -> style.Picture:
    picture: style.Picture = getattr(sanity_checks, name)()
    return picture


def numbers(name: str) -> Mapping[str, float]:
    return shown(name).numbers


@pytest.mark.parametrize("name", PICTURES)
def test_picture_describes_itself(name: str) -> None:
    picture = shown(name)
    assert len(picture.alt) > 40
    assert picture.alt.endswith(".")
    assert not re.search(r"[{}]|\bnan\b|\binf\b", picture.alt + picture.caption)
    assert len(picture.png()) > 5000


@pytest.mark.parametrize("name", PICTURES)
def test_all_words_come_from_outside(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style, "words", lambda english, own: dict.fromkeys(english, "§"))
    figure = getattr(sanity_checks, name)().figure
    figure.draw_without_rendering()
    said = {text.get_text() for text in figure.findobj(Text) if text.get_visible()}
    number = re.compile(r"[−\d.,e-]*|\$\\mathdefault\{.*\}\$|§")
    assert {text for text in said if not number.fullmatch(text)} == set()


@pytest.mark.parametrize("name", PICTURES)
def test_unknown_words_are_refused(name: str) -> None:
    with pytest.raises(KeyError):
        getattr(sanity_checks, name)(text={"no such word": ""})


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
    seen = numbers("first_runs")
    assert seen["last_0"] == pytest.approx(seen["first_0"], abs=0.01)
    assert [i for i in range(5) if seen[f"val_{i}"] > 0.9] == [2, 3]
    assert seen["last_4"] > 1e6


def test_scrambled_digits_are_learnt_by_heart_and_not_understood() -> None:
    seen = numbers("scrambled")
    assert seen["honest_train"] == seen["scrambled_train"] == 1
    assert seen["honest_val"] > 0.8
    assert seen["scrambled_val"] < 0.2
