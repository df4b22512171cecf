"""What the references of unit 5 promise, beyond what `descent verify` holds them to."""

from __future__ import annotations

import numpy as np
import pytest
from descent.data import patterns, split
from descent.nets import Network, train
from descent_solutions.babysitting import rate_in_band, smoothness, tile_filters, wiggle
from hypothesis import given
from hypothesis import strategies as st


@given(st.floats(-0.05, 0.05), st.integers(0, 2**32 - 1))
def test_wiggle_is_the_noise_whatever_the_trend(slope: float, seed: int) -> None:
    noise = 0.3 * np.random.default_rng(seed).normal(size=4000)
    assert wiggle(slope * np.arange(4000) + noise) == pytest.approx(0.3, rel=0.1)


def test_wiggle_of_a_straight_line_is_nothing() -> None:
    assert wiggle(np.linspace(3, 1, 50)) == pytest.approx(0, abs=1e-12)


def test_the_largest_rate_in_the_band_is_found_also_when_ratios_are_not_in_order() -> None:
    ratios = {1e-3: 5e-4, 1e-2: 2e-3, 1e-1: 0.5, 1.0: float("nan"), 10.0: 1e-5}
    assert rate_in_band(ratios.__getitem__, list(ratios)) == 1e-2
    assert rate_in_band(ratios.__getitem__, [1.0, 10.0]) is None


def test_tiles_stand_where_they_should() -> None:
    W = np.random.default_rng(0).normal(size=(6, 5))
    picture = tile_filters(W, (2, 3), 2)
    assert picture.shape == (6, 6)
    second = W[:, 1].reshape(2, 3)
    np.testing.assert_allclose(picture[:2, 3:], (second - second.min()) / np.ptp(second))
    assert not picture[4:, 3:].any()


def test_smoothness_is_one_for_a_slope_and_zero_for_noise() -> None:
    rng = np.random.default_rng(1)
    W = np.column_stack([np.linspace(0, 1, 400), rng.normal(size=400)])
    smooth, noisy = smoothness(W, (20, 20))
    assert smooth > 0.95
    assert abs(noisy) < 0.2
    assert np.isnan(smoothness(np.ones((4, 1)), (2, 2))).all()


def test_filters_of_a_converged_network_are_smoother_than_those_it_began_with() -> None:
    X, y = patterns(np.random.default_rng(0))
    data = split(X, y, np.random.default_rng(1))
    net = Network((64, 16, 4), np.random.default_rng(2))
    before = smoothness(net.params["W1"], (8, 8)).mean()
    rng = np.random.default_rng(3)
    train(net, data, learning_rate=0.3, reg=0.01, num_epochs=40, rng=rng, progress=False)
    assert smoothness(net.params["W1"], (8, 8)).mean() > before + 0.3
