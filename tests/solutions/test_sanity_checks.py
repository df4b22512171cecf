"""What the references of unit 2 promise, beyond what `descent verify` holds them to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from descent.data import digits
from descent.nets import Network
from descent_solutions.gradient_checks import central_difference, check_gradients, relative_error
from descent_solutions.sanity_checks import (
    expected_initial_loss,
    hinge_loss,
    overfit_tiny,
    sanity_report,
    two_layer_loss,
)
from hypothesis import given
from hypothesis import strategies as st


def small_net(seed: int, sizes: tuple[int, int, int] = (4, 5, 3)) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    d, h, c = sizes
    return {
        "W1": rng.normal(size=(d, h)),
        "b1": rng.normal(size=h),
        "W2": rng.normal(size=(h, c)),
        "b2": rng.normal(size=c),
    }


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.5, 2.0]))
def test_hinge_gradient_is_the_slope_of_the_loss(seed: int, reg: float) -> None:
    rng = np.random.default_rng(seed)
    W, X, y = rng.normal(size=(4, 3)), rng.normal(size=(5, 4)), rng.integers(0, 3, 5)
    scores = X @ W
    margins = np.abs(scores - scores[np.arange(5), y][:, None] + 1)
    if margins.min() < 1e-3:
        return
    numerical = central_difference(lambda w: hinge_loss(w, X, y, reg)[0], W)
    assert relative_error(hinge_loss(W, X, y, reg)[1], numerical).max() < 1e-5


@pytest.mark.parametrize("reg", [0.0, 1.0])
def test_gradients_of_the_network_pass_a_gradient_check(reg: float) -> None:
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(3, 4)), rng.integers(0, 3, 3)
    errors = check_gradients(
        lambda params: two_layer_loss(params, X, y, reg),
        small_net(4),
        per_parameter=20,
        rng=rng,
    )
    assert max(errors.values()) < 1e-6


def test_network_agrees_with_the_one_that_the_course_gives() -> None:
    data, rng = digits(), np.random.default_rng(0)
    net = Network((64, 20, 10), rng)
    X, y = data.X_train[:50], data.y_train[:50]
    loss, grads = two_layer_loss(net.params, X, y, 0.3)
    given_loss, given_grads = net.loss_and_grads(net.params, X, y, reg=0.3)
    assert loss == pytest.approx(given_loss, rel=1e-12)
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, given_grads[name], rtol=1e-9, atol=1e-13)


def test_equal_scores_give_the_loss_at_chance() -> None:
    X, y, W = np.ones((6, 2)), np.arange(6) % 5, np.zeros((2, 5))
    assert hinge_loss(W, X, y, 1.0)[0] == expected_initial_loss("hinge", 5) == 4
    params = {"W1": W[:, :3], "b1": np.zeros(3), "W2": np.zeros((3, 5)), "b2": np.zeros(5)}
    loss, _ = two_layer_loss(params, X, y, 1.0)
    assert loss == pytest.approx(expected_initial_loss("softmax", 5), rel=1e-15)


def test_another_kind_of_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="softmax"):
        expected_initial_loss("squared", 10)


def test_twenty_digits_are_learnt_by_heart() -> None:
    data, rng = digits(center=True), np.random.default_rng(1)
    X, y = data.X_train[:20], data.y_train[:20]
    start = Network((64, 30, 10), rng).params
    run = overfit_tiny(
        lambda params: two_layer_loss(params, X, y, 0.0), start, learning_rate=0.5, num_steps=300
    )
    assert run["loss"].shape == (301,)
    assert run["loss"][-1] < 0.01
    assert run["loss"][-1] == two_layer_loss(run["params"], X, y, 0.0)[0]


def test_a_real_network_on_the_digits_passes_and_a_scrambled_one_does_not() -> None:
    data, rng = digits(center=True), np.random.default_rng(2)
    net = Network((64, 30, 10), rng, init=0.05)
    model = {
        "params": net.params,
        "loss_and_grads": lambda p, X, y, reg: net.loss_and_grads(p, X, y, reg=reg),
        "predict": lambda p, X: net.predict(X, p),
        "learning_rate": 0.5,
        "num_steps": 200,
    }
    arrays = {
        "X_train": data.X_train[:300],
        "y_train": data.y_train[:300],
        "X_val": data.X_val,
        "y_val": data.y_val,
    }
    assert set(sanity_report(model, arrays, rng).values()) == {True}
    arrays["X_train"] = rng.permuted(arrays["X_train"], axis=0)
    report = sanity_report(model, arrays, rng)
    assert [name for name, passed in report.items() if not passed] == ["beats scrambled features"]
