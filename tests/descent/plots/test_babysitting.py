"""The pictures of unit 5 show what the lesson says they show."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pytest
from descent.data import digits
from descent.nets import Network
from descent.plots import babysitting, style
from descent_solutions.babysitting import wiggle

from .every_picture import Drawer, EveryPicture, drawn

PICTURES: dict[str, Drawer] = {name: getattr(babysitting, name) for name in babysitting.__all__}


def shown(name: str) -> style.Picture:
    return drawn(PICTURES[name])


def numbers(name: str) -> Mapping[str, float]:
    return shown(name).numbers


class TestEveryPicture(EveryPicture):
    pictures = PICTURES
    own_words = r"[A-F]|[Wb][12]"


def test_the_four_rates_do_what_they_are_called() -> None:
    seen = numbers("rate_curves")
    assert seen["good"] < seen["high"] < seen["low"] < seen["start"] < seen["very high"] / 10


def test_the_log_axis_parts_two_good_runs_that_are_one_line_on_the_linear_one() -> None:
    seen = numbers("rate_curves")
    linear, log = shown("rate_curves").figure.axes
    assert seen["good"] > 1.7 * seen["good too"]
    for ax, least, most in ((linear, 0, 0.02), (log, 0.06, 1)):
        pair = np.array([seen["good"], seen["good too"]])
        points = ax.transData.transform(np.stack([np.zeros(2), pair], axis=1))
        apart = np.ptp(points[:, 1]) / ax.get_window_extent().height
        assert least < apart < most


def test_a_rate_too_high_is_seen_to_leave_the_picture() -> None:
    linear, log = shown("rate_curves").figure.axes
    for ax in (linear, log):
        line = ax.lines[-1].get_ydata()
        assert line[0] == ax.lines[0].get_ydata()[0] < ax.get_ylim()[1]
    assert min(line[1:]) > 2 * linear.get_ylim()[1]


def test_wiggle_falls_with_the_root_of_the_batch_size() -> None:
    seen = numbers("wiggle_by_batch")
    assert seen["slope"] == pytest.approx(-0.5, abs=0.05)
    line = shown("wiggle_by_batch").figure.axes[0].lines[0].get_ydata()
    assert seen["wiggle_small"] == pytest.approx(wiggle(line))


def test_gallery_shows_what_its_fold_says() -> None:
    seen = numbers("gallery")
    assert seen["A_val"] > 0.9
    assert seen["B_val"] < 0.2
    assert seen["C_train"] > 0.8
    assert seen["C_flat"] == 8, "the lesson says eight epochs"
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


def test_update_ratios_lie_below_and_above_the_rule_and_biases_higher_still() -> None:
    seen = numbers("update_ratios")
    assert max(seen["low_W1"], seen["low_W2"]) < 1e-3
    assert min(seen["high_W1"], seen["high_W2"]) > 1e-3
    assert max(seen["high_W1"], seen["high_W2"]) < 5e-3
    assert min(seen["low_b1"], seen["high_b1"]) > 5 * seen["high_W1"]


def test_the_last_layer_dies_keeps_or_saturates() -> None:
    seen = numbers("layer_histograms")
    assert seen["small_std"] < 1e-3
    assert 0.2 < seen["fine_std"] < 0.8
    assert seen["large_saturated"] > 0.5 > 0.05 > seen["fine_saturated"]
    assert (round(seen["fine_first"], 2), round(seen["fine_std"], 2)) == (0.61, 0.31)


def test_gradients_are_alike_or_tiny_or_grow_on_the_way_back() -> None:
    seen = numbers("layer_histograms")
    for name in ("small", "fine"):
        assert seen[f"{name}_grad_1"] == pytest.approx(seen[f"{name}_grad_5"], rel=0.4)
    assert seen["small_grad_1"] < 1e-3 * seen["fine_grad_1"]
    assert seen["large_grad_1"] > 10 * seen["large_grad_5"] > 20 * seen["fine_grad_5"]


def test_a_chain_that_halves_the_signal_learns_slowly_in_all_layers() -> None:
    """What the check-yourself of section 6 answers."""
    data = digits(center=True)
    X, y = data.X_train[:300] / data.X_train.std(), data.y_train[:300]
    sizes = {}
    for factor in (0.55, 1.0):
        network = Network((64, *[60] * 5, 10), np.random.default_rng(0), init="xavier")
        for layer in range(1, 7):
            network.params[f"W{layer}"] *= factor
        _, grads = network.loss_and_grads(network.params, X, y)
        sizes[factor] = np.array([np.std(grads[f"W{layer}"]) for layer in range(1, 6)])
    assert np.ptp(sizes[0.55]) < 0.3 * sizes[0.55].max()
    assert (sizes[0.55] < sizes[1.0] / 5).all()


def test_smooth_filters_and_noisy_ones_do_equally_well() -> None:
    seen = numbers("filters")
    assert seen["smooth"] > seen["noisy"] + 0.4
    assert min(seen["smooth_val"], seen["noisy_val"]) > 0.95


def test_the_columns_of_filters_stand_evenly() -> None:
    figure = shown("filters").figure
    figure.draw_without_rendering()
    first_row = [ax.get_position() for ax in figure.axes[:4]]
    gaps = [b.x0 - a.x1 for a, b in itertools.pairwise(first_row)]
    assert max(gaps) < 1.5 * min(gaps)
