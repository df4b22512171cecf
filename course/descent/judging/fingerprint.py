"""Short stand-ins for arrays, by which a mistake is recognised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Fingerprint:
    """A short stand-in for an array: enough to recognise a mistake, not to read a number off.

    `numbers` are weighted sums of the elements, `size` the sum of their absolute values.
    """

    shape: tuple[int, ...]
    numbers: tuple[float, ...]
    size: float

    @classmethod
    def of(cls, array: np.ndarray[Any, Any]) -> Fingerprint:
        """The fingerprint of an array of numbers."""
        flat = array.astype(np.float64).ravel()
        i = np.arange(1, flat.size + 1)
        weights = [np.ones(flat.size), np.cos(i), np.cos(1.7 * i * i)]
        with np.errstate(all="ignore"):
            sums = tuple(float(f"{np.dot(w, flat):.12e}") for w in weights)
            size = float(f"{np.abs(flat).sum():.3e}")
        return cls(array.squeeze().shape, sums, size)

    @classmethod
    def of_seen(cls, value: Any) -> Fingerprint | None:
        """The fingerprint of whatever was observed; None where it can't match any."""
        if isinstance(value, bool):
            value = np.asarray(value)
        if not isinstance(value, np.ndarray) or value.dtype.kind == "c":
            return None
        return cls.of(value)

    def matches(self, other: Fingerprint | None, rtol: float, floor: float) -> bool:
        """Whether what was seen is, to rounding, what this stands for."""
        if other is None or other.shape != self.shape:
            return False
        mine, theirs = np.array(self.numbers), np.array(other.numbers)
        if not np.isfinite(mine).all():
            # An overflow ends as infinity or NaN, depending on how it was written.
            return not np.isfinite(theirs).all()
        slack = (rtol + 1e-11) * self.size + floor * max(1, math.prod(other.shape))
        return bool(np.all(np.abs(mine - theirs) <= slack))


FINGERPRINT_FROM = 5
"""Arrays of at least this many elements are stored as fingerprints where a mistake is recorded."""


def fingerprinted(value: Any) -> Any:
    """`value` with its larger arrays replaced by fingerprints; containers keep arrays whole."""
    if (
        isinstance(value, np.ndarray)
        and value.size >= FINGERPRINT_FROM
        and value.dtype.kind in "fb"
    ):
        return Fingerprint.of(value)
    return value
