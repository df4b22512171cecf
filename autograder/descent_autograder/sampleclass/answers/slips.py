# mypy: ignore-errors
"""Slips in the first tasks."""

import numpy as np


def forward_difference(f, x, h=1e-5):
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += h
        gradient[index] = (f(moved) - f(x)) / (2 * h)
    return gradient


def central_difference(f, x, h=1e-5):
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        plus, minus = x.copy(), x.copy()
        plus[index] += h
        minus[index] -= h
        gradient[index] = (f(plus) - f(minus)) / 2 * h
    return gradient


def relative_error(a, b):
    return np.abs(np.atleast_1d(a) - np.atleast_1d(b))


def verdict(error, *, has_kinks=False):
    if error > 1e-2:
        return "wrong"
    if error > 1e-4:
        return "uncomfortable"
    if error > 1e-7:
        return "okay" if has_kinks else "uncomfortable"
    return "happy"


def best_step(f, df, x, steps):
    return min(steps)
