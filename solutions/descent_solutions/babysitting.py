"""Unit 5: reading what a training says about itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def epochs_axis(num_iterations: int, num_examples: int, batch_size: int) -> Array:
    """How many epochs lie behind each iteration's loss, `(num_iterations,)` float64.

    The loss of iteration i (from 0) is measured before its update, when `i * batch_size`
    examples have been used.
    """
    return np.arange(num_iterations) * batch_size / num_examples


def update_ratio(w: Array, update: Array) -> float:
    """Size of the update over the size of the parameter (L2 norms); NaN for a zero `w`."""
    size = np.linalg.norm(w)
    return float(np.linalg.norm(update) / size) if size > 0 else float("nan")


def layer_statistics(activations: Sequence[Array]) -> list[dict[str, float]]:
    """Mean, standard deviation and share beyond ±0.99 (a saturated tanh) of every layer."""
    return [
        {
            "mean": float(np.mean(layer)),
            "std": float(np.std(layer)),
            "saturated": float(np.mean(np.abs(layer) > 0.99)),
        }
        for layer in activations
    ]


def classify_learning_rate(losses: ArrayLike) -> str:
    """Name the learning rate behind a curve of one loss per epoch, `(E,)`.

    `"very high"`: the loss explodes, that is, it isn't finite or ends above three times where
    it began. `"high"`: it fell, but in the last quarter of the epochs it still jumps by more
    than 5 % an epoch instead of settling: too much energy. `"low"`: it falls in a nearly
    straight line, so that the second half of the epochs brings at least half as much as the
    first. Otherwise `"good"`.
    """
    losses = np.asarray(losses, float)
    if not np.isfinite(losses).all() or losses[-1] > 3 * losses[0]:
        return "very high"
    end = losses[-(len(losses) // 4) :]
    if np.mean(np.abs(np.diff(end))) > 0.05 * np.mean(end):
        return "high"
    middle = losses[len(losses) // 2]
    return "low" if middle - losses[-1] >= 0.5 * (losses[0] - middle) else "good"


def diagnose(history: Mapping[str, ArrayLike]) -> set[str]:
    """Name what is wrong with a training; an empty set when all is well.

    `history` has `"loss"`, `"train_accuracy"`, `"val_accuracy"` and `"update_ratio"`, each one
    number per epoch. The step size and the start are judged first: while they are wrong, the
    accuracies say nothing about the size of model or data.

    - diverged: the loss isn't finite, or ends above three times where it began.
    - learning rate too low: no update ratio reaches 1e-3, and the loss still falls.
    - bad initialization: the loss lies flat (within 3 %) for the first tenth of the epochs,
      then takes off.
    - learning rate too high: late in training the loss bounces by more than 5 % an epoch and
      the update ratio is still above 1e-2, ten times the rule of thumb.
    - overfitting: training accuracy ends more than 0.15 above validation accuracy.
    - low capacity: validation tracks training, but training accuracy itself ends below 0.75.
    """
    loss, train, val, ratio = (
        np.asarray(history[name], float)
        for name in ("loss", "train_accuracy", "val_accuracy", "update_ratio")
    )
    start, end = slice(len(loss) // 10 + 1), slice(-(len(loss) // 4), None)
    if not np.isfinite(loss).all() or loss[-1] > 3 * loss[0]:
        return {"diverged"}
    if ratio.max() < 1e-3 and loss[-1] < loss[0]:
        return {"learning rate too low"}
    if np.ptp(loss[start]) < 0.03 * loss[0] and loss[-1] < 0.9 * loss[0]:
        return {"bad initialization"}
    bounce = np.mean(np.abs(np.diff(loss[end]))) / np.mean(loss[end])
    if bounce > 0.05 and np.median(ratio[end]) > 1e-2:
        return {"learning rate too high"}
    if np.mean(train[end] - val[end]) > 0.15:
        return {"overfitting"}
    return {"low capacity"} if np.mean(train[end]) < 0.75 else set()


def wiggle(losses: ArrayLike) -> float:
    """How much a curve of one loss per iteration jumps up and down, whatever its trend, `(I,)`.

    It is the standard deviation of the differences between neighbours over √2: the standard
    deviation of the noise itself, where a slow trend carries independent noise.
    """
    return float(np.std(np.diff(losses)) / np.sqrt(2))


def rate_in_band(
    ratio_at: Callable[[float], float],
    rates: Sequence[float],
    *,
    low: float = 3e-4,
    high: float = 3e-3,
) -> float | None:
    """The largest of `rates` whose update ratio lies from `low` to `high`; None when none does.

    `ratio_at(rate)` measures the ratio; it may be NaN, which lies in no band.
    """
    inside = [rate for rate in rates if low <= ratio_at(rate) <= high]
    return max(inside, default=None)


def tile_filters(W: Array, image_shape: tuple[int, int], num_columns: int) -> Array:
    """One picture of all first-layer filters, the columns of `W (D, H)`, row by row in a grid.

    Every filter of `image_shape = (height, width)`, height · width = D, is stretched by itself
    to 0 … 1; one that is constant becomes 0.5 throughout, and places left over in the last row
    of the grid are 0. The picture has `num_columns · width` columns.
    """
    height, width = image_shape
    num_filters = W.shape[1]
    num_rows = -(-num_filters // num_columns)
    low, spread = W.min(axis=0), np.ptp(W, axis=0)
    flat = spread == 0
    stretched = np.where(flat, 0.5, (W - low) / np.where(flat, 1.0, spread))
    tiles = np.zeros((num_rows * num_columns, height, width))
    tiles[:num_filters] = stretched.T.reshape(num_filters, height, width)
    grid = tiles.reshape(num_rows, num_columns, height, width)
    return grid.transpose(0, 2, 1, 3).reshape(num_rows * height, num_columns * width)


def smoothness(W: Array, image_shape: tuple[int, int]) -> Array:
    """How smooth every filter is, `(H,)`: 1 at most, about 0 for pure noise; filters as above.

    The mean squared step to the neighbour below and to the right is held against the filter's
    own variance, so that neither its size nor its brightness counts. NaN for a constant filter.
    """
    filters = W.T.reshape(-1, *image_shape)
    steps = (np.square(np.diff(filters, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2))
    with np.errstate(invalid="ignore"):
        return np.asarray(1 - sum(steps) / (4 * filters.var(axis=(1, 2))))
