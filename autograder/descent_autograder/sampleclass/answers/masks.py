# mypy: ignore-errors
"""Types, axes and masks go wrong."""

import numpy as np


def forward_difference(f, x, h=1e-5):
    x = np.array(x)
    gradient = np.zeros_like(x)
    before = f(x)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += h
        gradient[index] = (f(moved) - before) / h
    return gradient


def crossed_kinks(pre_plus, pre_minus):
    return pre_plus * pre_minus < 0


def winner_changed(scores_plus, scores_minus):
    return scores_plus.argmax(axis=0) != scores_minus.argmax(axis=0)


def count_crossed(W, X, index, h=1e-5):
    plus, minus = W.copy(), W.copy()
    plus[index] += h
    minus[index] -= h
    return bool(np.any((X @ plus > 0) != (X @ minus > 0)))


def complex_step(f, x, h=1e-20):
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[index] += 1j * h
        gradient[index] = np.real(f(moved)) / h
    return gradient
