"""Small losses for the pictures of unit 1, and their slopes along a direction.

Exact slopes come from a step along the imaginary axis (Squire & Trapp 1998), so that no picture
needs a backward pass: writing those is left to the exercises.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Loss = Callable[[Array], Any]
Activation = Callable[[Array], Array]

_TINY = 1e-30


def along(loss: Loss, point: Array, direction: Array) -> Callable[[complex], Any]:
    """The loss as a function of one number: how far we go from ``point`` along ``direction``."""
    return lambda distance: loss(point + distance * direction)


def exact_slopes(loss: Loss, point: Array) -> Array:
    """The gradient at ``point`` ``(P,)`` to the last digit; ``loss`` must accept complex numbers.

    Complex numbers work as numbers with a derivative attached, so a rule for the derivative can
    be planted in an activation: that is how the pictures get their bugs.
    """
    axes = np.eye(point.size)
    return np.array([along(loss, point, axis)(1j * _TINY).imag / _TINY for axis in axes])


def measured_slopes(loss: Loss, point: Array, step: float) -> Array:
    """The slopes at ``point`` ``(P,)`` by the centred formula, in the precision of ``point``."""
    width = point.dtype.type(step)
    lines = [along(loss, point, axis) for axis in np.eye(point.size, dtype=point.dtype)]
    return np.array([(line(width) - line(-width)) / (2 * width) for line in lines])


def disagreement(claimed: Array, measured: Array) -> Array:
    """Relative errors for plotting on a log axis, kept above 1e-17."""
    sizes = np.maximum(np.abs(claimed), np.abs(measured))
    errors: Array = np.abs(claimed - measured) / np.where(sizes > 0, sizes, 1.0)
    return np.maximum(errors, 1e-17)


def relu(z: Array) -> Array:
    """max(0, z), also for numbers with a derivative attached."""
    return np.where(z.real > 0, z, 0 * z)


def forgetful_tanh(z: Array) -> Array:
    """tanh whose attached derivative is taken to be 1: the planted bug."""
    value: Array = np.tanh(z.real) + 1j * z.imag
    return value


@dataclass(frozen=True)
class Network:
    """A layer of hidden units and a linear one, with the mean squared error as its loss.

    Attributes:
        inputs: ``(N, D)``.
        targets: ``(N, C)``.
        hidden: number of hidden units H.
    """

    inputs: Array
    targets: Array
    hidden: int

    @property
    def size(self) -> int:
        """Number of parameters: D·H + H + H·C + C."""
        features, outputs = self.inputs.shape[1], self.targets.shape[1]
        return int(self.hidden * (features + 1) + outputs * (self.hidden + 1))

    def parts(self, point: Array) -> tuple[Array, Array, Array, Array]:
        """Cut the vector of all parameters into the two matrices and the two biases."""
        features, outputs = self.inputs.shape[1], self.targets.shape[1]
        ends = np.cumsum([features * self.hidden, self.hidden, self.hidden * outputs])
        first, shift, second, offset = np.split(point, ends)
        return first.reshape(features, -1), shift, second.reshape(-1, outputs), offset

    def preactivations(self, point: Array) -> Array:
        """What enters the hidden units, ``(N, H)``."""
        first, shift, _, _ = self.parts(point)
        entering: Array = np.dot(self.inputs, first) + shift
        return entering

    def loss(self, point: Array, activation: Activation = np.tanh) -> Any:
        """Half the squared error, averaged over the batch."""
        _, _, second, offset = self.parts(point)
        residual = np.dot(activation(self.preactivations(point)), second) + offset - self.targets
        return (residual * residual).sum() / (2 * len(self.inputs))

    def astype(self, dtype: type) -> Network:
        """The same network with its data in another precision."""
        return Network(self.inputs.astype(dtype), self.targets.astype(dtype), self.hidden)


def random_network(
    rng: np.random.Generator, *, batch: int, features: int = 4, hidden: int = 6, outputs: int = 2
) -> Network:
    """A network on a batch of made-up examples."""
    inputs = rng.standard_normal((batch, features))
    targets = np.sin(inputs @ rng.standard_normal((features, outputs)))
    return Network(inputs, targets, hidden)
