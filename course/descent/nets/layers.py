"""The layers of `Network`: each knows its forward pass and how to send gradients back.

A layer is asked twice per step. `forward(params, x, train)` returns its output and remembers
what the way back needs; `backward(params, grads, upstream)` adds its parameters' gradients to
`grads` and returns the gradient with respect to its input. To save memory traffic both may
overwrite the array they are handed, except that `Affine` leaves its input alone: it may be the
caller's data.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Params = dict[str, Array]


class Layer(Protocol):
    """What `Network` expects of a layer."""

    def forward(self, params: Params, x: Array, train: bool) -> Array: ...

    def backward(self, params: Params, grads: Params, upstream: Array) -> Array: ...


class Affine:
    """Rows times a weight matrix, plus a bias unless `bias` is None."""

    def __init__(self, weight: str, bias: str | None, *, is_first: bool) -> None:
        self.weight, self.bias, self.is_first = weight, bias, is_first
        self._input: Array

    def forward(self, params: Params, x: Array, train: bool) -> Array:
        self._input = x
        out: Array = x @ params[self.weight]
        if self.bias is not None:
            out += params[self.bias]
        return out

    def backward(self, params: Params, grads: Params, upstream: Array) -> Array:
        grads[self.weight] = self._input.T @ upstream
        if self.bias is not None:
            # A product with ones is BLAS's way to add up rows, several times faster than sum().
            grads[self.bias] = np.ones(len(upstream), upstream.dtype) @ upstream
        # Nobody asks for the gradient with respect to the data: a third of the work is saved.
        return upstream if self.is_first else upstream @ params[self.weight].T


class Activation:
    """A nonlinearity applied in place; remembers its own output."""

    output: Array

    def saturated(self) -> float:
        """Share of the last outputs where hardly any gradient passes."""
        raise NotImplementedError


class Relu(Activation):
    """max(x, 0); the slope at 0 is 0."""

    def forward(self, params: Params, x: Array, train: bool) -> Array:
        self.output = np.maximum(x, 0, out=x)
        return x

    def backward(self, params: Params, grads: Params, upstream: Array) -> Array:
        return np.multiply(upstream, self.output > 0, out=upstream)

    def saturated(self) -> float:
        return 1.0 - np.count_nonzero(self.output) / self.output.size


class Tanh(Activation):
    """tanh x, with slope 1 - tanh² x."""

    def forward(self, params: Params, x: Array, train: bool) -> Array:
        self.output = np.tanh(x, out=x)
        return x

    def backward(self, params: Params, grads: Params, upstream: Array) -> Array:
        slope = np.square(self.output)
        np.subtract(1, slope, out=slope)
        return np.multiply(upstream, slope, out=upstream)

    def saturated(self) -> float:
        return np.count_nonzero(np.abs(self.output) > 0.99) / self.output.size


ACTIVATIONS: dict[str, type[Relu] | type[Tanh]] = {"relu": Relu, "tanh": Tanh}


class BatchNorm:
    """Normalises every column, by the batch when training and by running averages otherwise.

    `running` is the network's dict of running statistics; the layer reads `mean{n}` and
    `var{n}` there, and writes them only when `remember` is called.
    """

    def __init__(self, number: int, running: Params, eps: float = 1e-5) -> None:
        self.number, self.running, self.eps = number, running, eps
        self._batch: tuple[Array, Array]
        self._normalised: Array
        self._inverse: Array
        self._couples = True

    def forward(self, params: Params, x: Array, train: bool) -> Array:
        self._couples = train
        if train:
            mean = x.mean(axis=0)
            x -= mean
            var = np.einsum("nc,nc->c", x, x) / len(x)
            self._batch = mean, var
        else:
            x -= self.running[f"mean{self.number}"]
            var = self.running[f"var{self.number}"]
        self._inverse = 1 / np.sqrt(var + self.eps)
        x *= self._inverse
        self._normalised = x
        out: Array = x * params[f"gamma{self.number}"]
        out += params[f"beta{self.number}"]
        return out

    def backward(self, params: Params, grads: Params, upstream: Array) -> Array:
        scale, shift = f"gamma{self.number}", f"beta{self.number}"
        grads[scale] = np.einsum("nc,nc->c", upstream, self._normalised)
        grads[shift] = upstream.sum(axis=0)
        if self._couples:
            # Moving one example moves the batch's mean and spread: those two parts leave.
            upstream -= grads[shift] / len(upstream)
            self._normalised *= grads[scale] / len(upstream)
            upstream -= self._normalised
        upstream *= params[scale] * self._inverse
        return upstream

    def remember(self, momentum: float) -> None:
        """Move the running averages towards the statistics of the last training batch."""
        for name, seen in zip(("mean", "var"), self._batch, strict=True):
            average = self.running[f"{name}{self.number}"]
            average += (1 - momentum) * (seen - average)


def softmax(scores: Array) -> Array:
    """Class probabilities `(N, C)` of raw scores `(N, C)`, computed in place."""
    _, weight = _exponentials(scores)
    return np.divide(scores, weight[:, None], out=scores)


def cross_entropy(scores: Array, y: Array) -> tuple[float, Array]:
    """Mean cross-entropy of raw scores `(N, C)`, and its gradient, which overwrites `scores`.

    The loss is taken from the shifted scores, not from the probabilities, so that it stays
    finite where a probability underflows to 0.
    """
    truth = np.arange(len(scores)), y
    of_truth = scores[truth]
    top, weight = _exponentials(scores)
    loss = float(np.mean(np.log(weight) - (of_truth - top)))
    np.divide(scores, len(y) * weight[:, None], out=scores)
    scores[truth] -= 1 / len(y)
    return loss, scores


def _exponentials(scores: Array) -> tuple[Array, Array]:
    """exp of the scores in place, shifted by each row's top; the tops and row sums, `(N,)`."""
    top = scores.max(axis=1)
    np.subtract(scores, top[:, None], out=scores)
    np.exp(scores, out=scores)
    return top, np.einsum("nc->n", scores)
