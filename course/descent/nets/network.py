"""A fully connected classifier in numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .layers import (
    ACTIVATIONS,
    Activation,
    Affine,
    BatchNorm,
    Layer,
    Params,
    cross_entropy,
    softmax,
)

Array = NDArray[Any]
Loss = Callable[[Array], tuple[float, Array]]
Initializer = Callable[[int, int, np.random.Generator], Array]

_SPREAD: dict[str, Callable[[int, int], float]] = {
    "zeros": lambda fan_in, fan_out: 0.0,
    "small": lambda fan_in, fan_out: 0.01,
    "unit": lambda fan_in, fan_out: 1.0,
    "xavier": lambda fan_in, fan_out: fan_in**-0.5,
    "glorot": lambda fan_in, fan_out: ((fan_in + fan_out) / 2) ** -0.5,
    "he": lambda fan_in, fan_out: (fan_in / 2) ** -0.5,
}


class Network:
    """Layers `affine → (batch norm →) nonlinearity`, repeated, then an affine layer of scores.

    `sizes` are the numbers of features, of units of every hidden layer, and of classes:
    `(64, 100, 10)` has one hidden layer of 100 units. Layers count from 1; `params` holds
    `W1 b1 … WL bL`, each `W (D_in, D_out)` and `b (D_out,)`. With `batch_norm` every hidden
    layer has `gamma` and `beta` (both `(D_out,)`) *instead of* its bias, which the mean's
    subtraction would cancel, and `running` holds the averages `mean1 var1 …` that take the
    batch's place when the network isn't training.

    `activation` is `"relu"` or `"tanh"`. `init` names the standard deviation of Gaussian
    initial weights (`"zeros"`, `"small"`, `"unit"`, `"xavier"`, `"glorot"`, `"he"`), or is that
    number itself, or a function `(fan_in, fan_out, rng) -> W`. Biases start at 0. `dtype` is
    float64, or float32 where speed matters more than gradient checks.

    A network remembers its last forward pass, so one object must not be used by two threads.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        rng: np.random.Generator,
        *,
        activation: str = "relu",
        batch_norm: bool = False,
        init: str | float | Initializer = "he",
        dtype: DTypeLike = np.float64,
    ) -> None:
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"sizes must be at least two positive numbers, not {tuple(sizes)}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be one of {sorted(ACTIVATIONS)}, not {activation!r}")
        self.sizes = tuple(int(size) for size in sizes)
        self.activation, self.batch_norm = activation, batch_norm
        self.dtype = np.dtype(dtype)
        self.params: Params = {}
        self._running: Params = {}
        self._layers: list[Layer] = []
        draw = _initializer(init)
        for number, shape in enumerate(zip(self.sizes, self.sizes[1:], strict=False), start=1):
            W = np.asarray(draw(*shape, rng), self.dtype)
            if W.shape != shape:
                raise ValueError(f"init must return shape {shape}, not {W.shape}")
            self._add(number, W, is_last=number == len(self.sizes) - 1)

    @property
    def running(self) -> Params:
        """The running statistics `mean1 var1 …` of batch norm; empty without. Set by `load`."""
        return self._running

    def _add(self, number: int, W: Array, *, is_last: bool) -> None:
        normalise = self.batch_norm and not is_last
        zeros = np.zeros(W.shape[1], self.dtype)
        self.params[f"W{number}"] = W
        bias = None if normalise else f"b{number}"
        self._layers.append(Affine(f"W{number}", bias, is_first=number == 1))
        if bias:
            self.params[bias] = zeros
        if normalise:
            self.params |= {f"gamma{number}": zeros + 1, f"beta{number}": zeros.copy()}
            self._running |= {f"mean{number}": zeros.copy(), f"var{number}": zeros + 1}
            self._layers.append(BatchNorm(number, self._running))
        if not is_last:
            self._layers.append(ACTIVATIONS[self.activation]())

    def loss_and_grads(
        self,
        params: Params,
        X: Array,
        y: Array,
        *,
        reg: float = 0.0,
        train: bool = True,
        loss: Loss | None = None,
    ) -> tuple[float, Params]:
        """The loss at `params` on `X (N, D)`, `y (N,)`, and a dict of its gradients.

        The loss is the mean cross-entropy plus `0.5 * reg * sum(W**2)` over all weights; biases,
        gamma and beta are free. `loss(scores) -> (loss, dscores)` takes the cross-entropy's
        place when given (`y` is then not looked at). `train` chooses the batch's own statistics
        in batch-norm layers over the running ones, which this method never changes. `params`
        need not be the network's own, and are left as they are.
        """
        signal = X
        for layer in self._layers:
            signal = layer.forward(params, signal, train)
        value, upstream = cross_entropy(signal, y) if loss is None else loss(signal)
        grads: Params = {}
        for layer in reversed(self._layers):
            upstream = layer.backward(params, grads, upstream)
        if reg:
            for name in params:
                if name.startswith("W"):
                    value += 0.5 * reg * float(np.vdot(params[name], params[name]))
                    grads[name] += reg * params[name]
        return value, {name: grads[name] for name in params}

    def scores(self, X: Array, params: Params | None = None) -> Array:
        """Raw class scores `(N, C)` of `X (N, D)`, with running statistics; no side effects."""
        signal = X
        for layer in self._layers:
            signal = layer.forward(self.params if params is None else params, signal, False)
        return signal

    def probabilities(self, X: Array, params: Params | None = None) -> Array:
        """Class probabilities `(N, C)`: the softmax of `scores`."""
        return softmax(self.scores(X, params))

    def predict(self, X: Array, params: Params | None = None) -> Array:
        """The likeliest class of every row, `(N,)` integers."""
        best: Array = np.argmax(self.scores(X, params), axis=1)
        return best

    def accuracy(self, X: Array, y: Array, params: Params | None = None) -> float:
        """Share of rows of `X (N, D)` whose predicted class is `y (N,)`."""
        return float(np.mean(self.predict(X, params) == y))

    def activations(self, X: Array, params: Params | None = None) -> list[Array]:
        """What every hidden layer puts out for `X (N, D)`: a list of `(N, D_out)` arrays."""
        self.scores(X, params)
        return [layer.output for layer in self._nonlinearities()]

    def layer_report(self) -> dict[str, Array]:
        """Mean, spread and saturation of each hidden layer's output in the last forward pass.

        A dict of `"mean"`, `"std"` and `"saturated"`, each `(number of hidden layers,)`. Saturated
        are a ReLU at 0 and a tanh beyond ±0.99: hardly any gradient passes there.
        """
        layers = self._nonlinearities()
        return {
            "mean": np.array([layer.output.mean() for layer in layers]),
            "std": np.array([layer.output.std() for layer in layers]),
            "saturated": np.array([layer.saturated() for layer in layers]),
        }

    def update_running(self, momentum: float = 0.9) -> None:
        """Mix the last training batch's statistics into the running ones.

        Each running average becomes `momentum * average + (1 - momentum) * batch`, with the
        biased variance. Does nothing without batch norm.
        """
        for layer in self._layers:
            if isinstance(layer, BatchNorm):
                layer.remember(momentum)

    def copy(self) -> Network:
        """An independent network with the same parameters and running statistics."""
        return deepcopy(self)

    def load(self, params: Params, running: Params | None = None) -> None:
        """Take over copies of `params` and, where given, of `running`.

        Raises ValueError when names or shapes don't fit this network.
        """
        for own, given in ((self.params, params), (self.running, running)):
            if given is None:
                continue
            expected = {name: array.shape for name, array in own.items()}
            found = {name: np.shape(array) for name, array in given.items()}
            if found != expected:
                raise ValueError(f"this network has {expected}, but was given {found}")
            for name in own:
                own[name] = np.array(given[name], self.dtype)

    def _nonlinearities(self) -> list[Activation]:
        return [layer for layer in self._layers if isinstance(layer, Activation)]


def refresh_statistics(network: Network, X: Array) -> None:
    """Replace the running batch-norm statistics by those of `X (N, D)` under today's parameters.

    Needed whenever parameters were set rather than trained, for instance to a running average:
    the old statistics belong to other weights. Does nothing without batch norm.
    """
    signal = X
    for layer in network._layers:
        signal = layer.forward(network.params, signal, True)
    network.update_running(momentum=0.0)


def _initializer(init: str | float | Initializer) -> Initializer:
    if callable(init):
        return init
    if isinstance(init, str) and init not in _SPREAD:
        raise ValueError(f"init must be one of {sorted(_SPREAD)}, a number or a function: {init!r}")

    def draw(fan_in: int, fan_out: int, rng: np.random.Generator) -> Array:
        spread = _SPREAD[init](fan_in, fan_out) if isinstance(init, str) else float(init)
        return spread * rng.standard_normal((fan_in, fan_out))

    return draw
