"""Reference solutions of unit 10: model ensembles."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def average_probabilities(probabilities: Sequence[Array]) -> Array:
    """Mean of the members' class probabilities: a list of (N, C) arrays in, (N, C) out."""
    return np.asarray(np.mean(probabilities, axis=0))


def log_losses(probabilities: Sequence[Array], y: Array) -> tuple[float, float]:
    """Log loss of the averaged probabilities, and the mean of the members' log losses.

    `probabilities` is a list of (N, C), `y` (N,) integers. The first is never above the second
    (Jensen); it may well be above the best member's.
    """
    rows = np.arange(len(y))
    average = average_probabilities(probabilities)
    members = [-np.log(member[rows, y]).mean() for member in probabilities]
    return float(-np.log(average[rows, y]).mean()), float(np.mean(members))


def ema(average: Array, value: Array, *, decay: float, step: int) -> tuple[Array, Array]:
    """One step of an exponentially decaying average of parameters: (average, corrected).

    `step` counts from 1 and `average` starts at 0. The corrected one makes up for that start; it
    is what is used, the other what is kept.
    """
    average = decay * average + (1 - decay) * value
    return average, average / (1 - decay**step)


def disagreement(labels: Sequence[Array]) -> float:
    """Share of examples on which two members differ, averaged over all pairs of members.

    `labels` is a list of (N,) integer arrays, two or more.
    """
    pairs = itertools.combinations(labels, 2)
    return float(np.mean([np.mean(one != other) for one, other in pairs]))


def distillation_loss(
    student_logits: Array, teacher_logits: Array, y: Array, *, temperature: float, alpha: float
) -> tuple[float, Array]:
    """α·T²·KL(teacher‖student), both softened by T, plus (1 − α)·cross-entropy: (loss, dlogits).

    Logits are (N, C), `y` (N,) integers; both terms are means over the batch. T² keeps the size
    of the soft gradient when T changes. Hinton, Vinyals & Dean (2015).
    """

    def log_softmax(logits: Array) -> Array:
        shifted = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))

    num_examples, rows = len(y), np.arange(len(y))
    soft, teacher = (
        log_softmax(student_logits / temperature),
        log_softmax(teacher_logits / temperature),
    )
    hard = log_softmax(student_logits)
    divergence = np.sum(np.exp(teacher) * (teacher - soft)) / num_examples
    loss = alpha * temperature**2 * divergence - (1 - alpha) * hard[rows, y].mean()
    dhard = np.exp(hard)
    dhard[rows, y] -= 1
    dsoft = temperature * (np.exp(soft) - np.exp(teacher))
    return float(loss), (alpha * dsoft + (1 - alpha) * dhard) / num_examples


def calibration_error(probabilities: Array, y: Array, *, num_bins: int = 10) -> float:
    """Expected calibration error: |accuracy − confidence| over equal bins, weighted by their size.

    `probabilities` (N, C), `y` (N,); bin k holds confidences in (k/num_bins, (k+1)/num_bins].
    Guo, Pleiss, Sun & Weinberger (2017).
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == y
    bins = np.ceil(confidence * num_bins).astype(int)
    error = 0.0
    for k in np.unique(bins):
        inside = bins == k
        error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return float(error)
