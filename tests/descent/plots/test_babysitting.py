"""The pictures of unit 5 show what the lesson says they show."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import pytest
from descent.plots import babysitting, style
from matplotlib.text import Text

PICTURES = babysitting.__all__


@cache
def shown(name: str) -> style.Picture:
    picture: style.Picture = getattr(babysitting, name)()
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
    figure = getattr(babysitting, name)().figure
    figure.draw_without_rendering()
    said = {text.get_text() for text in figure.findobj(Text) if text.get_visible()}
    number = re.compile(r"[−\d.,e-]*|\$\\mathdefault\{.*\}\$|§|[A-F]|[Wb][12]")
    assert {text for text in said if not number.fullmatch(text)} == set()


@pytest.mark.parametrize("name", PICTURES)
def test_unknown_words_are_refused(name: str) -> None:
    with pytest.raises(KeyError):
        getattr(babysitting, name)(text={"no such word": ""})


def test_the_four_rates_do_what_they_are_called() -> None:
    seen = numbers("rate_curves")
    assert seen["good"] < seen["high"] < seen["low"] < seen["very high"]


def test_wiggle_falls_with_the_root_of_the_batch_size() -> None:
    assert numbers("wiggle_by_batch")["slope"] == pytest.approx(-0.5, abs=0.1)


def test_gallery_shows_what_its_fold_says() -> None:
    seen = numbers("gallery")
    assert seen["A_val"] > 0.9
    assert seen["B_val"] < 0.2
    assert seen["C_train"] > 0.8
    assert 0.2 < seen["D_train"] < 0.6
    assert seen["E_train"] - seen["E_val"] > 0.15
    assert seen["F_train"] < 0.5
    assert abs(seen["F_train"] - seen["F_val"]) < 0.05


def test_only_few_examples_leave_a_gap() -> None:
    seen = numbers("gaps")
    assert seen["over_gap"] > 0.15
    assert abs(seen["small_gap"]) < 0.05
    assert seen["small_train"] < 0.5
    assert seen["fine_gap"] < 0.1
    assert seen["fine_val"] > 0.9


def test_update_ratios_lie_below_and_around_the_rule_and_biases_above() -> None:
    seen = numbers("update_ratios")
    assert max(seen["low_W1"], seen["low_W2"]) < 1e-3
    assert 5e-4 < seen["high_W1"] < 5e-3
    assert min(seen["low_b1"], seen["high_b1"]) > 5 * seen["high_W1"]


def test_the_last_layer_dies_keeps_or_saturates() -> None:
    seen = numbers("layer_histograms")
    assert seen["small_std"] < 1e-3
    assert 0.2 < seen["fine_std"] < 0.8
    assert seen["large_saturated"] > 0.5 > 0.05 > seen["fine_saturated"]


def test_smooth_filters_and_noisy_ones_do_equally_well() -> None:
    seen = numbers("filters")
    assert seen["smooth"] > seen["noisy"] + 0.4
    assert min(seen["smooth_val"], seen["noisy_val"]) > 0.95
