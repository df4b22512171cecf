"""The references of unit 6, held against mathematics rather than against themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from descent.prototypes import NOISE, PROTOTYPES, noisy, written
from descent_solutions import optimizers as o
from descent_solutions.gradient_checks import central_difference
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

NAMES = ("sgd", "momentum", "nesterov", "adagrad", "adagrad_without_root", "rmsprop")
NAMES += ("adam_uncorrected", "adam", "adamw")
RULES: dict[str, Callable[..., Any]] = {name: getattr(o, name) for name in NAMES}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
gradients = npst.arrays(
    np.float64,
    npst.array_shapes(max_dims=3, max_side=3),
    elements=st.floats(1e-3, 1e3).map(lambda x: x if int(x * 7) % 2 else -x),
)


def steps_under(rule: Callable[..., Any], dw: np.ndarray, count: int, rate: float) -> np.ndarray:
    """The steps that a rule takes under one constant gradient."""
    w, state, steps = np.zeros_like(dw), None, []
    for _ in range(count):
        moved, state = rule(w, dw, state, learning_rate=rate)
        steps.append(moved - w)
        w = moved
    return np.array(steps)


@every_rule
def test_rules_keep_shapes_change_nothing_and_survive_zeros(rule: Callable[..., Any]) -> None:
    w, dw = np.ones((3, 2)), np.zeros((3, 2))
    dw[0] = 2.0
    before = w.copy(), dw.copy()
    moved, state = rule(w, dw, learning_rate=0.1)
    moved, state = rule(moved, np.zeros((3, 2)), state, learning_rate=0.1)
    assert moved.shape == (3, 2)
    assert np.isfinite(moved).all()
    np.testing.assert_array_equal(w, before[0])
    np.testing.assert_array_equal(dw, before[1])


@given(gradients)
def test_adams_first_step_is_the_sign(dw: np.ndarray) -> None:
    (step,) = steps_under(o.adam, dw, 1, 0.25)
    np.testing.assert_allclose(step, -0.25 * np.sign(dw), rtol=1e-4)


def test_uncorrected_adam_errs_as_the_lesson_says() -> None:
    steps = -steps_under(o.adam_uncorrected, np.array([2.0]), 100, 1.0)[:, 0]
    assert steps[0] == pytest.approx(3.16, abs=0.01)
    assert (int(steps.argmax()) + 1, round(float(steps.max()), 1)) == (12, 6.6)
    assert steps[99] == pytest.approx(3.2, abs=0.05)


@given(gradients)
def test_adagrad_under_a_constant_gradient(dw: np.ndarray) -> None:
    steps = steps_under(o.adagrad, dw, 9, 1.0)
    np.testing.assert_allclose(np.abs(steps[8]), 1 / 3, rtol=1e-4)


def test_momentum_ends_at_its_terminal_speed() -> None:
    steps = steps_under(o.momentum, np.array([3.0, -0.1]), 400, 0.01)
    np.testing.assert_allclose(steps[-1], [-0.3, 0.01], rtol=1e-12)


def test_rmsprop_forgets_and_its_steps_grow_again() -> None:
    w, state, lengths = np.zeros(1), None, []
    for g in [1.0] * 300 + [0.1] * 600:
        moved, state = o.rmsprop(w, np.array([g]), state, learning_rate=1.0)
        lengths.append(abs(float((moved - w)[0])))
        w = moved
    assert lengths[-1] > 5 * lengths[301]


@pytest.mark.parametrize("mu", [0.0, 0.5, 0.9])
def test_the_largest_stable_rate_divides(mu: float) -> None:
    hessian = np.array([[3.0, 1.0], [1.0, 2.0]])
    limit = o.largest_stable_rate(hessian, mu=mu)
    for factor, stays in ((0.98, True), (1.02, False)):
        w, state = np.array([1.0, -2.0]), None
        for _ in range(600):
            w, state = o.momentum(w, hessian @ w, state, learning_rate=factor * limit, mu=mu)
        assert bool(np.abs(w).max() < 1e-3) is stays


def test_both_forms_of_nesterov_take_the_gradient_at_the_same_points() -> None:
    rng = np.random.default_rng(0)
    curvature, start = rng.uniform(0.2, 2.0, 4), rng.normal(size=4)
    asked: list[np.ndarray] = []

    def gradient(w: np.ndarray) -> np.ndarray:
        asked.append(w)
        return curvature * w

    here, kept, here_state, kept_state = start, start, None, None
    for step in range(60):
        rate = 0.3 if step < 30 else 0.1
        here, here_state = o.nesterov_lookahead(here, gradient, here_state, learning_rate=rate)
        np.testing.assert_allclose(asked[-1], kept, atol=1e-12)
        kept, kept_state = o.nesterov(kept, curvature * kept, kept_state, learning_rate=rate)
        v = kept_state["v"]
        np.testing.assert_allclose(kept - 0.9 * v, here, atol=1e-12)


def test_weight_decay_stays_out_of_adams_averages() -> None:
    w, dw = np.array([5.0, -2.0]), np.array([0.3, 0.0])
    plain, state = o.adam(w, dw, learning_rate=0.1)
    decayed, other = o.adamw(w, dw, learning_rate=0.1, weight_decay=0.2)
    np.testing.assert_allclose(decayed, plain - 0.02 * w)
    np.testing.assert_array_equal(state["m"], other["m"])


def test_newton_lands_where_the_gradient_vanishes_also_on_a_saddle() -> None:
    hessian, x = np.array([[2.0, 1.0], [1.0, -3.0]]), np.array([4.0, 5.0])
    np.testing.assert_allclose(o.newton_step(x, hessian @ x, hessian), 0, atol=1e-12)


def test_schedules_at_their_ends() -> None:
    assert [o.step_decay(1.0, e) for e in (4, 5)] == [1.0, 0.5]
    assert o.momentum_schedule(0, 7) == 0.5
    assert o.momentum_schedule(7, 7) == pytest.approx(0.99)
    rates = [o.warmup_cosine(2.0, s, 50, warmup_steps=5) for s in range(51)]
    assert max(rates) == rates[4] == rates[5] == 2.0
    assert rates[50] == pytest.approx(0, abs=1e-12)
    assert np.all(np.diff(rates[5:]) < 0)


def test_plateau_looks_at_the_best_error_before() -> None:
    assert o.reduce_on_plateau(1.0, [3, 2, 4, 3, 2.5]) == 0.5
    assert o.reduce_on_plateau(1.0, [3, 2, 4, 3, 1.9]) == 1.0
    assert o.reduce_on_plateau(1.0, [1, 1, 1]) == 1.0


@given(st.floats(0.1, 100))
def test_clipping_keeps_direction_and_bounds_length(limit: float) -> None:
    grads = {"W": np.array([[3.0, 0.0], [-4.0, 1.0]]), "b": np.array([12.0])}
    clipped = o.clip_by_global_norm(grads, limit)
    flat, old = (np.concatenate([g.ravel() for g in d.values()]) for d in (clipped, grads))
    assert np.linalg.norm(flat) == pytest.approx(min(limit, float(np.linalg.norm(old))))
    np.testing.assert_allclose(flat * np.linalg.norm(old), old * np.linalg.norm(flat), atol=1e-9)


def test_range_test_stops_before_the_explosion() -> None:
    rates, losses = o.range_test(
        lambda w: (float(w @ w), 2 * w), np.ones(3), low=1e-3, high=1e3, num_steps=40
    )
    assert len(rates) == len(losses) < 40
    assert losses.max() <= 4 * losses[0]


@pytest.mark.parametrize("name", PROTOTYPES)
def test_prototypes_have_the_gradient_of_their_loss(name: str) -> None:
    place = PROTOTYPES[name]
    for w in np.random.default_rng(1).uniform(-1.5, 1.5, (20, 2)):
        numerical = central_difference(place.loss, w)
        np.testing.assert_allclose(place.gradient(w), numerical, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", PROTOTYPES)
def test_chosen_rules_solve_their_landscape(name: str) -> None:
    place, (rule, rate) = PROTOTYPES[name], o.choose_rule(name)
    word = o.unit_test(
        rule,
        place.loss,
        noisy(place.gradient, 0.1 * NOISE["some"], np.random.default_rng(2)),
        np.array(place.start),
        learning_rate=rate,
        num_steps=300,
    )
    assert word == "solved"


def test_only_rules_that_run_are_written() -> None:
    def blank(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
        raise NotImplementedError

    assert list(written({"blank": blank, "adam": o.adam, "half": lambda w, dw: w})) == ["adam"]
