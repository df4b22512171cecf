"""The reference of unit 1, held against mathematics rather than against itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from descent_solutions import gradient_checks as gc
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

points = npst.arrays(
    np.float64, npst.array_shapes(min_dims=0, max_dims=3, max_side=3), elements=st.floats(-1, 1)
)


def f(x: Any) -> Any:
    return np.sum(np.sin(x)) * np.sum(np.exp(x))


def df(x: Any) -> Any:
    return np.cos(x) * np.sum(np.exp(x)) + np.sum(np.sin(x)) * np.exp(x)


@given(points)
def test_the_three_differences_find_the_derivative_to_their_order(x: np.ndarray) -> None:
    exact = df(x)
    size = 1 + np.abs(exact).max() + np.sum(np.exp(x))
    for difference, tolerance in (
        (gc.forward_difference, 1e-4),
        (gc.central_difference, 1e-8),
        (gc.complex_step, 1e-13),
    ):
        numerical = difference(f, x)
        assert numerical.shape == x.shape
        assert numerical.dtype == np.float64
        np.testing.assert_allclose(numerical, exact, rtol=0, atol=tolerance * size)


def test_the_errors_have_slopes_one_and_two() -> None:
    x, steps = np.array([0.3, -0.7]), 10.0 ** np.arange(-4, -1)

    def slope(difference: Any) -> float:
        errors = [np.abs(difference(f, x, h) - df(x)).max() for h in steps]
        return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])

    assert slope(gc.forward_difference) == pytest.approx(1, abs=0.05)
    assert slope(gc.central_difference) == pytest.approx(2, abs=0.05)


@pytest.mark.parametrize("dtype", [np.int64, np.float32])
def test_other_types_are_neither_truncated_nor_changed(dtype: type) -> None:
    x = np.array([-2, 1, 3], dtype)
    before = x.copy()
    np.testing.assert_allclose(gc.central_difference(f, x), df(before.astype(float)), rtol=1e-6)
    assert x.dtype == dtype
    np.testing.assert_array_equal(x, before)


@given(points, points)
def test_relative_error_is_symmetric_between_0_and_2_and_free_of_scale(
    a: np.ndarray, b: np.ndarray
) -> None:
    a, b = np.broadcast_arrays(np.atleast_1d(a.sum()), np.atleast_1d(b.sum()))
    error = gc.relative_error(a, b)
    assert np.all((error >= 0) & (error <= 2))
    np.testing.assert_array_equal(error, gc.relative_error(b, a))
    np.testing.assert_allclose(gc.relative_error(4 * a, 4 * b), error)
    assert np.all(gc.relative_error(a, a) == 0)


def test_relative_error_of_zeros_and_nan() -> None:
    np.testing.assert_array_equal(
        gc.relative_error([0.0, 0.0, np.nan, 1.0], [0.0, 1.0, 1.0, -1.0]), [0.0, 1.0, np.nan, 2.0]
    )


@given(st.integers(1, 6), st.integers(1, 4), st.integers(2, 5), st.floats(0, 3), st.integers(0, 99))
def test_the_softmax_gradient_is_the_slope_of_the_loss(
    n: int, d: int, c: int, reg: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    W, X, y = rng.normal(size=(d, c)), rng.normal(size=(n, d)), rng.integers(0, c, n)
    _, dW = gc.softmax_loss(W, X, y, reg)
    numerical = gc.central_difference(lambda w: gc.softmax_loss(w, X, y, reg)[0], W)
    np.testing.assert_allclose(dW, numerical, rtol=1e-6, atol=1e-8)


def test_the_softmax_loss_starts_at_chance_and_shrugs_off_offsets() -> None:
    X, y = np.ones((4, 3)), np.array([0, 1, 2, 9])
    assert gc.softmax_loss(np.zeros((3, 10)), X, y, 0.0)[0] == pytest.approx(np.log(10))
    assert gc.softmax_loss(np.full((3, 10), 1e4), X, y, 0.0)[0] == pytest.approx(np.log(10))


@given(st.integers(0, 200), st.integers(1, 30))
def test_samples_are_distinct_indices_of_every_parameter(seed: int, per_parameter: int) -> None:
    params = {"W": np.zeros((4, 5)), "b": np.zeros(3), "s": np.zeros(())}
    chosen = gc.sample_coordinates(params, per_parameter, np.random.default_rng(seed))
    assert chosen["s"] == [()]
    for name, value in params.items():
        assert len(chosen[name]) == len(set(chosen[name])) == min(per_parameter, value.size)
        for index in chosen[name]:
            assert value[index] == 0


def test_a_bug_in_a_small_bias_beside_a_large_weight_is_always_found() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3, 1000))

    def loss_and_grads(params: Any) -> Any:
        out = X @ params["W"] + params["b"]
        return 0.5 * np.sum(out**2), {"W": X.T @ out, "b": 1.1 * out.sum(axis=0)}

    params = {"W": rng.normal(size=(1000, 10)), "b": rng.normal(size=10)}
    for seed in range(50):
        errors = gc.check_gradients(
            loss_and_grads, params, per_parameter=3, rng=np.random.default_rng(seed)
        )
        assert errors["W"] < 1e-6
        assert errors["b"] == pytest.approx(1 - 1 / 1.1, rel=1e-5)


def test_a_gradient_of_nan_is_a_finding() -> None:
    def loss_and_grads(params: Any) -> Any:
        grads = {"W": 2 * params["W"], "b": np.full(3, np.nan)}
        return np.sum(params["W"] ** 2) + np.sum(params["b"]), grads

    params = {"W": np.ones((2, 2)), "b": np.ones(3)}
    rng = np.random.default_rng(0)
    errors = gc.check_gradients(loss_and_grads, params, per_parameter=2, rng=rng)
    assert errors["W"] < 1e-7
    assert np.isnan(errors["b"])
    assert gc.find_bugs({"layer": (loss_and_grads, params)}, rng) == {"layer"}
