# mypy: ignore-errors
"""Everything right, though numpy warns of a division by zero that is then mended."""

import numpy as np


def relative_error(a, b):
    a = np.atleast_1d(np.asarray(a, dtype=float))
    b = np.atleast_1d(np.asarray(b, dtype=float))
    error = np.abs(a - b) / np.maximum(np.abs(a), np.abs(b))
    error[(a == 0) & (b == 0)] = 0.0
    return error
