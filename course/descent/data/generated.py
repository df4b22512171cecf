"""Data sets drawn from an explicit random generator: quick, and with known properties."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def spirals(
    rng: np.random.Generator,
    *,
    num_per_class: int = 100,
    num_classes: int = 3,
    turns: float = 0.6,
    noise: float = 0.2,
) -> tuple[Array, Array]:
    """Interleaved spiral arms in the plane, one a class, that no straight line can part.

    Each arm runs from the origin to radius 1 through `turns` revolutions; `noise` is the
    standard deviation of the angle, in radians. Returns `X (N, 2)` and `y (N,)` with
    N = num_per_class · num_classes, ordered by class.
    """
    _at_least(1, num_per_class=num_per_class, num_classes=num_classes)
    radius = np.tile(np.linspace(0.05, 1.0, num_per_class), num_classes)
    y = np.repeat(np.arange(num_classes), num_per_class)
    angle = 2 * np.pi * (turns * radius + y / num_classes)
    angle += noise * rng.standard_normal(len(y))
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def blobs(
    rng: np.random.Generator,
    *,
    num_per_class: int = 100,
    num_classes: int = 3,
    num_features: int = 2,
    distance: float = 3.0,
) -> tuple[Array, Array]:
    """One Gaussian cloud of standard deviation 1 a class, around centres drawn at random.

    Centres are Gaussian with such a spread that two of them are `distance` apart on average
    (root mean square): a small distance makes clouds overlap. Returns `X (N, num_features)`
    and `y (N,)` with N = num_per_class · num_classes, ordered by class.
    """
    _at_least(1, num_per_class=num_per_class, num_classes=num_classes, num_features=num_features)
    spread = distance / np.sqrt(2 * num_features)
    centers = spread * rng.standard_normal((num_classes, num_features))
    y = np.repeat(np.arange(num_classes), num_per_class)
    return centers[y] + rng.standard_normal((len(y), num_features)), y


def ravine(
    rng: np.random.Generator,
    *,
    num_examples: int = 200,
    condition_number: float = 100.0,
    angle: float = np.pi / 6,
    noise: float = 0.1,
) -> tuple[Array, Array]:
    """A line-fitting problem whose loss is a long, narrow, tilted ravine.

    The mean squared loss `0.5 * mean((X @ w - y)**2)` has the Hessian `X.T @ X / N`, whose
    eigenvalues are *exactly* 1 and 1 / condition_number; the ravine's floor makes `angle`
    radians with the first axis. Returns `X (N, 2)` and real targets `y (N,)`, made by the
    weights (1, 1) with Gaussian noise of standard deviation `noise`.
    """
    _at_least(2, num_examples=num_examples)
    _at_least(1, condition_number=condition_number)
    white, _ = np.linalg.qr(rng.standard_normal((num_examples, 2)))
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-np.sin(angle), np.cos(angle)])
    X = np.sqrt(num_examples) * (
        np.outer(white[:, 0], along) / np.sqrt(condition_number) + np.outer(white[:, 1], across)
    )
    return X, X.sum(axis=1) + noise * rng.standard_normal(num_examples)


def patterns(
    rng: np.random.Generator,
    *,
    num_per_class: int = 200,
    num_classes: int = 4,
    size: int = 8,
    noise: float = 0.3,
) -> tuple[Array, Array]:
    """Square patches showing one soft edge each; the class is the edge's orientation.

    Position and polarity (dark to light or light to dark) are random, so that no single
    template will do, and every pixel varies, so that every first-layer weight learns. Small
    initial weights and a small penalty give smooth filters, worth looking at. Values lie around
    0 within about ±1, plus Gaussian `noise`.
    Returns `X (N, size * size)` and `y (N,)`, N = num_per_class · num_classes, ordered by class.
    """
    _at_least(1, num_per_class=num_per_class, num_classes=num_classes)
    _at_least(2, size=size)
    y = np.repeat(np.arange(num_classes), num_per_class)
    direction = (np.pi * y / num_classes)[:, None, None]
    grid = np.linspace(-1.0, 1.0, size)
    across = np.cos(direction) * grid + np.sin(direction) * grid[:, None]
    offset = rng.uniform(-0.5, 0.5, (len(y), 1, 1))
    polarity = rng.choice([-1.0, 1.0], (len(y), 1, 1))
    edges = polarity * np.tanh(4.0 * (across - offset))
    edges += noise * rng.standard_normal(edges.shape)
    return edges.reshape(len(y), size * size), y


def scramble_features(X: Array, rng: np.random.Generator) -> Array:
    """A copy of `X (N, D)` with every column shuffled by itself.

    Each feature keeps its values but no longer belongs to its example: a large enough network
    still learns such a training set by heart, and never does better than chance on new data.
    """
    return rng.permuted(X, axis=0)


def _at_least(least: int, **values: float) -> None:
    for name, value in values.items():
        if not value >= least:
            raise ValueError(f"{name} must be at least {least}, not {value}")
