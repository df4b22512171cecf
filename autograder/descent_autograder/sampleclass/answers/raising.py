# mypy: ignore-errors
"""Functions that raise."""

import numpy as np


def central_difference(f, x, h=1e-5):
    gradient = np.zeros(len(x))
    for i in range(len(x) + 1):
        plus, minus = x.copy(), x.copy()
        plus[i] += h
        minus[i] -= h
        gradient[i] = (f(plus) - f(minus)) / (2 * h)
    return gradient


def winner_changed(scores_plus, scores_minus):
    return scores_plus.argmax(axis=2) != scores_minus.argmax(axis=2)
