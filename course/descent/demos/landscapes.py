"""Four landscapes of two parameters, each difficult in its own way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["BALANCED", "FLOOR", "LANDSCAPES", "TURNED_RAVINE", "Landscape"]

Array = NDArray[np.float64]

#: Below this, losses above the lowest are all alike: as good as there.
FLOOR: Final = 1e-8


@dataclass(frozen=True)
class Landscape:
    """A loss of two parameters.

    Attributes:
        value: ``value(w)`` for ``w`` of shape (2, …) gives the loss, of shape (…).
        slope: its gradient, of the shape of ``w``.
        lowest: the least value.
        start: where the race begins unless another start is given.
        view: the ranges of x and y that a picture shows.
    """

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    lowest: float
    start: tuple[float, float]
    view: tuple[tuple[float, float], tuple[float, float]]


#: A start on the saddle's crest: without noise no rule leaves it.
BALANCED: Final = (2.5, 0.0)


def _plateau(w: Array) -> Array:
    square: Array = w[0] * w[0] + w[1] * w[1]
    return square / (1 + square)


def _plateau_slope(w: Array) -> Array:
    below: Array = 1 + w[0] * w[0] + w[1] * w[1]
    return 2 * w / (below * below)


LANDSCAPES: Final[dict[str, Landscape]] = {
    # Twenty times as steep across as along: the valley of "Deep Learning from Scratch", chapter 6.
    "ravine": Landscape(
        lambda w: w[0] * w[0] / 20 + w[1] * w[1],
        lambda w: np.array([w[0] / 10, 2 * w[1]]),
        0.0,
        (-7.0, 2.0),
        ((-8.5, 8.5), (-4.0, 4.0)),
    ),
    # The gradient vanishes at the origin, which is lowest along x and highest along y.
    "saddle": Landscape(
        lambda w: w[0] * w[0] / 2 - w[1] * w[1] / 2 + w[1] * w[1] * w[1] * w[1] / 16,
        lambda w: np.array([w[0], -w[1] + w[1] * w[1] * w[1] / 4]),
        -1.0,
        (2.5, 0.01),
        ((-3.2, 3.2), (-2.8, 2.8)),
    ),
    "bowl": Landscape(
        lambda w: (w[0] * w[0] + w[1] * w[1]) / 2,
        lambda w: np.array([w[0], w[1]]),
        0.0,
        (-3.0, 2.0),
        ((-4.0, 4.0), (-3.0, 3.0)),
    ),
    # Far from its one hole there is almost no slope.
    "plateau": Landscape(_plateau, _plateau_slope, 0.0, (-3.0, 2.0), ((-4.0, 4.0), (-3.0, 3.0))),
}

_EIGHTH: Final = np.sqrt(0.5) * np.array([[1.0, 1.0], [-1.0, 1.0]])


def _turned(w: Array) -> Array:
    turned: Array = np.tensordot(_EIGHTH, w, 1)
    return turned


#: The ravine turned by 45 degrees, so that no parameter lies along it.
TURNED_RAVINE: Final = Landscape(
    lambda w: LANDSCAPES["ravine"].value(_turned(w)),
    lambda w: np.tensordot(_EIGHTH.T, LANDSCAPES["ravine"].slope(_turned(w)), 1),
    0.0,
    (-9 * np.sqrt(0.5), -5 * np.sqrt(0.5)),
    ((-8.5, 8.5), (-8.5, 8.5)),
)
