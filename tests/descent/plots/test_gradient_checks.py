"""The pictures of unit 1 show what the lesson says they show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pytest
from descent.plots import gradient_checks, style
from descent.plots.gradient_checks import networks
from matplotlib.text import Text

from .every_picture import Drawer, EveryPicture, drawn

PICTURES: dict[str, Drawer] = {
    name: getattr(gradient_checks, name) for name in gradient_checks.__all__
}
for one in ("chords", "error_against_step"):
    PICTURES[one] = partial(PICTURES[one], np.exp, np.exp, 0.5)


def numbers(name: str) -> Mapping[str, float]:
    return drawn(PICTURES[name]).numbers


class TestEveryPicture(EveryPicture):
    pictures = PICTURES
    own_words = r"[A-E]"


def test_words_reach_the_picture() -> None:
    picture = gradient_checks.thresholds(text={"wrong": "falsch", "alt": "Zwei Balken."})
    said = {text.get_text() for text in picture.figure.findobj(Text)}
    assert "falsch" in said
    assert "wrong" not in said
    assert picture.alt == "Zwei Balken."


def test_centred_chord_is_closer() -> None:
    seen = numbers("chords")
    assert seen["exact"] == pytest.approx(np.exp(0.5))
    assert seen["centred_error"] < seen["forward_error"] / 3


def test_slopes_are_one_and_two_and_the_complex_step_is_flat() -> None:
    seen = numbers("error_against_step")
    assert seen["forward_slope"] == pytest.approx(1, abs=0.02)
    assert seen["centred_slope"] == pytest.approx(2, abs=0.02)
    assert seen["complex_worst"] < 5e-16
    assert seen["centred_best"] < 1e-10 < seen["forward_best"] < 1e-7
    assert 1e-7 < seen["centred_step"] < 1e-4
    assert seen["centred_tiny"] > 1e-4


def test_own_slopes_are_measured() -> None:
    def mine(f: Callable[[float], float], x: float, h: float) -> float:
        return (f(x + h) - f(x)) / h

    def blank(f: Any, x: Any, h: Any) -> Any:
        raise NotImplementedError

    def broken(f: Any, x: Any, h: Any) -> Any:
        return f(x)["no"]

    picture = gradient_checks.your_errors(mine, blank)
    assert picture.numbers["mine"] == pytest.approx(1, abs=0.02)
    assert picture.caption == "mine has slope 1.00. blank isn't there yet."
    assert "broken raises IndexError." in gradient_checks.your_errors(broken).caption


def test_your_errors_are_drawn_when_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that is graded waits for no picture."""
    drawn: list[tuple[Any, ...]] = []
    canvas = style.canvas
    monkeypatch.setattr(style, "canvas", lambda *args: drawn.append(args) or canvas(*args))
    picture = gradient_checks.your_errors(lambda f, x, h: (f(x + h) - f(x)) / h)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    assert "slope" in picture._repr_mimebundle_()["text/plain"]
    assert drawn == []
    monkeypatch.delenv("NBGRADER_EXECUTION")
    assert "<img" in picture._repr_mimebundle_()["text/html"]
    assert picture.png() == picture.png()
    assert len(drawn) == 1


def test_float32_reads_as_wrong_where_float64_is_happy() -> None:
    seen = numbers("precision")
    assert seen["single_usual"] > 1e-2
    assert seen["double_usual"] < 1e-7
    assert seen["single_best"] > 1e-4


def test_one_difference_reads_differently() -> None:
    seen = numbers("same_difference")
    assert seen["small"] > 0.5
    assert seen["one"] == pytest.approx(1e-4, rel=1e-3)
    assert seen["large"] == pytest.approx(1e-7, rel=1e-3)


def test_depth_costs_digits() -> None:
    assert numbers("error_against_depth")["deep"] > 10 * numbers("error_against_depth")["shallow"]


def test_scaling_a_sum_rescues_nothing_and_the_part_alone_is_fine() -> None:
    seen = numbers("active_range")
    assert min(seen["beside"], seen["scaled"]) > 1e-2
    assert seen["alone"] < 1e-9
    assert seen["half_end"] == pytest.approx(2**-14)


def test_kink_is_crossed() -> None:
    seen = numbers("kink_crossed")
    assert (seen["true"], seen["measured"]) == (0, pytest.approx(0.45))
    far = gradient_checks.kink_crossed(-1e6, 1e-5).numbers
    assert far["measured"] == 0


def test_more_examples_cross_more_kinks() -> None:
    seen = numbers("kinks_by_batch_size")
    assert seen["few_crossed"] < seen["many_crossed"] / 5
    assert seen["clean"] < 1e-7
    assert seen["spoiled"] > 1e-2


def test_bug_is_hidden_at_initialization_and_shows_after() -> None:
    seen = numbers("bug_at_initialization")
    assert seen["buggy_start"] < 3 * seen["right_start"] < 1e-5
    assert min(seen["buggy_start"], seen["right_start"]) > 1e-7, "the lesson says: not happy"
    assert seen["buggy_end"] > 1e-1
    assert seen["right_worst"] < 1e-5
    assert seen["loss_end"] < seen["loss_start"] / 2


def test_bugs_hide_behind_the_larger_part() -> None:
    seen = numbers("bug_behind_penalty")
    assert seen["data_none"] == pytest.approx(2 / 3, rel=1e-3)
    assert max(seen["data_strong"], seen["penalty_weak"]) < 1e-7, "both hide among the happy"
    assert seen["weak"] == pytest.approx(1e-11), "as the check-yourself has it"
    assert seen["penalty_strong"] == pytest.approx(0.5, rel=1e-3)


def test_only_one_seed_finds_the_forgotten_mask() -> None:
    seen = numbers("dropout_seed")
    assert max(seen["off"], seen["same_right"]) < 1e-7
    assert seen["fresh"] > 0.5
    assert seen["same_buggy"] > 1e-2


def test_biases_vanish_in_a_long_vector() -> None:
    seen = numbers("one_long_vector")
    missed = np.prod([(10_000 - k) / (10_003 - k) for k in range(30)])
    assert seen["at_30"] == pytest.approx(1 - missed)
    assert 2000 < seen["half"] < 2100


def test_suspects_behave_as_the_lesson_tells() -> None:
    seen = numbers("line_up")
    assert seen["A"] < 1e-7
    assert seen["B"] > 1e-1
    assert 1 <= seen["C_outliers"] <= 6
    assert 1e-5 < seen["D_median"] < 1e-2
    assert seen["E"] == pytest.approx(2 / 3, rel=1e-6)


def test_exact_slopes_agree_with_measured_ones() -> None:
    rng = np.random.default_rng(0)
    network = networks.random_network(rng, batch=4)
    point = rng.standard_normal(network.size)
    exact = networks.exact_slopes(network.loss, point)
    assert exact == pytest.approx(networks.measured_slopes(network.loss, point, 1e-5), rel=1e-6)


def test_float32_stays_float32() -> None:
    rng = np.random.default_rng(0)
    network = networks.random_network(rng, batch=2).astype(np.float32)
    point = np.ones(network.size, np.float32)
    assert network.loss(point).dtype == np.float32
    assert networks.measured_slopes(network.loss, point, 1e-2).dtype == np.float32
