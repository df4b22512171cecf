"""Unit 5: reading what a training says about itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
