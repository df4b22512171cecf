# mypy: ignore-errors
"""Everything right, and prints what it does."""

import numpy as np


def central_difference(f, x, h=1e-5):
    x = np.array(x, dtype=np.float64)
    print("shape:", x.shape)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        plus, minus = x.copy(), x.copy()
        plus[index] += h
        minus[index] -= h
        gradient[index] = (f(plus) - f(minus)) / (2 * h)
        print(index, gradient[index])
    return gradient


def verdict(error, *, has_kinks=False):
    print(f"error = {error:.3e}, kinks: {has_kinks}")
    if np.isnan(error) or error > 1e-2:
        return "wrong"
    if error > 1e-4:
        return "uncomfortable"
    if error > 1e-7:
        return "okay" if has_kinks else "uncomfortable"
    return "happy"
