"""Five small landscapes on which an update rule is tried out, after Schaul et al. (2014).

Each shows one difficulty alone. Losses are never negative and their minimum is 0, so that "how
much of the first loss is left" says how far a rule has come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

__all__ = ["NOISE", "PROTOTYPES", "Prototype", "noisy", "written"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Prototype:
    """A landscape: its loss, its gradient, and where a run starts.

    `loss` and `gradient` take an array (2,); `gradient` returns one.
    """

    name: str
    loss: Callable[[Array], float]
    gradient: Callable[[Array], Array]
    start: tuple[float, float]


def _bowl_loss(w: Array) -> float:
    return 0.5 * float(np.sum(w**2))


_STRETCH: Final = np.array([1.0, 100.0])
_TURN: Final = np.array([[0.8, 0.6], [-0.6, 0.8]])


def _ridge_loss(w: Array) -> float:
    return 0.5 * float(np.sum(_STRETCH * (_TURN @ w) ** 2))


def _ridge_gradient(w: Array) -> Array:
    return np.asarray(_TURN.T @ (_STRETCH * (_TURN @ w)))


_STEEP: Final = 40.0


def _cliff_edge(x: float) -> float:
    """The logistic function of the distance to the cliff, which stands at x = 1."""
    return float(0.5 * (1 + np.tanh(0.5 * _STEEP * (x - 1))))


def _cliff_loss(w: Array) -> float:
    return 0.5 * float(np.sum(w**2)) + 4 * _cliff_edge(w[0])


def _cliff_gradient(w: Array) -> Array:
    edge = _cliff_edge(w[0])
    return np.array([w[0] + 4 * _STEEP * edge * (1 - edge), w[1]])


def _saddle_loss(w: Array) -> float:
    return 0.5 * float(w[0] ** 2) + 0.25 * float((w[1] ** 2 - 1) ** 2)


def _saddle_gradient(w: Array) -> Array:
    return np.array([w[0], w[1] * (w[1] ** 2 - 1)])


def _plateau_loss(w: Array) -> float:
    return float(-np.expm1(-0.5 * np.sum(w**2)))


def _plateau_gradient(w: Array) -> Array:
    return np.asarray(w * np.exp(-0.5 * np.sum(w**2)))


PROTOTYPES: Final[Mapping[str, Prototype]] = {
    one.name: one
    for one in (
        Prototype("bowl", _bowl_loss, np.array, (1.5, -1.0)),
        Prototype("ridge", _ridge_loss, _ridge_gradient, (1.0, 1.0)),
        Prototype("cliff", _cliff_loss, _cliff_gradient, (1.6, 0.5)),
        Prototype("saddle", _saddle_loss, _saddle_gradient, (1.0, 1e-3)),
        Prototype("plateau", _plateau_loss, _plateau_gradient, (3.0, 1.0)),
    )
}
"""The landscapes by name: an even bowl, a long narrow valley, a cliff on the way down, a saddle
just beside its balance, and a plain so flat that its gradient is tiny."""

NOISE: Final[Mapping[str, float]] = {"none": 0.0, "some": 0.1, "much": 1.0}
"""Standard deviations of the noise that `noisy` adds to a gradient, by name."""


def noisy(
    gradient: Callable[[Array], Array], level: float, rng: np.random.Generator
) -> Callable[[Array], Array]:
    """`gradient` plus fresh Gaussian noise of standard deviation `level` in every call."""

    def disturbed(w: Array) -> Array:
        return np.asarray(gradient(w) + level * rng.standard_normal(np.shape(w)))

    return disturbed


def written(rules: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Those of the update rules, by name, that take a step without an error.

    So that a race can begin before the last of its runners has been written.
    """
    running = {}
    for name, rule in rules.items():
        try:
            w, _ = rule(np.ones(2), np.ones(2), None, learning_rate=0.1)
        except Exception:
            continue
        if np.shape(w) == (2,):
            running[name] = rule
    return running
