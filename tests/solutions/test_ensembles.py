"""The reference of unit 10, held against its laws."""

from __future__ import annotations

import numpy as np
import pytest
from descent_solutions import ensembles
from descent_solutions.gradient_checks import central_difference
from hypothesis import given
from hypothesis import strategies as st

seeds = st.integers(0, 10_000)


def members(rng: np.random.Generator, count: int, n: int = 6, c: int = 4) -> list[np.ndarray]:
    raw = rng.exponential(size=(count, n, c)) + 1e-6
    return list(raw / raw.sum(axis=2, keepdims=True))


@given(seeds, st.integers(1, 5))
def test_the_average_is_a_distribution_and_jensen_holds(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    probabilities, y = members(rng, count), rng.integers(0, 4, 6)
    np.testing.assert_allclose(ensembles.average_probabilities(probabilities).sum(axis=1), 1)
    of_average, of_members = ensembles.log_losses(probabilities, y)
    assert of_average <= of_members + 1e-12


@given(seeds, st.floats(0.1, 0.999))
def test_a_corrected_average_of_a_constant_is_that_constant(seed: int, decay: float) -> None:
    value = np.random.default_rng(seed).normal(size=3)
    average = np.zeros(3)
    for step in range(1, 8):
        average, corrected = ensembles.ema(average, value, decay=decay, step=step)
        np.testing.assert_allclose(corrected, value, rtol=1e-9)


def test_disagreement_of_copies_and_of_opposites() -> None:
    labels = np.array([0, 1, 2])
    assert ensembles.disagreement([labels, labels, labels]) == 0
    assert ensembles.disagreement([labels, (labels + 1) % 3]) == 1
    assert ensembles.disagreement([labels, labels, (labels + 1) % 3]) == pytest.approx(2 / 3)


@given(seeds, st.floats(0.5, 8), st.floats(0, 1))
def test_the_distillation_gradient_is_the_slope_of_the_loss(
    seed: int, temperature: float, alpha: float
) -> None:
    rng = np.random.default_rng(seed)
    student, teacher, y = rng.normal(size=(4, 3)), rng.normal(size=(4, 3)), rng.integers(0, 3, 4)

    def loss(logits: np.ndarray) -> float:
        return ensembles.distillation_loss(
            logits, teacher, y, temperature=temperature, alpha=alpha
        )[0]

    _, dlogits = ensembles.distillation_loss(
        student, teacher, y, temperature=temperature, alpha=alpha
    )
    np.testing.assert_allclose(dlogits, central_difference(loss, student), rtol=1e-5, atol=1e-8)


@given(seeds)
def test_the_squared_temperature_keeps_the_size_of_the_soft_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    student, teacher = rng.normal(size=(5, 4)), rng.normal(size=(5, 4))
    y = np.zeros(5, int)

    def size(temperature: float) -> float:
        _, dlogits = ensembles.distillation_loss(
            student, teacher, y, temperature=temperature, alpha=1.0
        )
        return float(np.linalg.norm(dlogits))

    # For large T the soft gradient tends to a constant; without T² it would fall by 100.
    assert size(1000.0) == pytest.approx(size(100.0), rel=0.05)


def test_calibration_of_a_bold_and_of_an_honest_model() -> None:
    y = np.array([0, 0, 1, 1])
    bold = np.tile([1.0, 0.0], (4, 1))
    assert ensembles.calibration_error(bold, y) == pytest.approx(0.5)
    assert ensembles.calibration_error(np.tile([0.5 + 1e-12, 0.5 - 1e-12], (4, 1)), y) < 1e-9
