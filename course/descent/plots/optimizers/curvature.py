"""Pictures of second-order steps: Newton's method, and L-BFGS on whole and on small batches."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.data import Dataset, digits
from descent.nets import Network, train
from descent.plots import style
from descent.plots.optimizers.lbfgs import lbfgs
from descent.plots.style import Picture

Array = npt.NDArray[np.float64]

_NEWTON = {
    "bowl": "a long bowl",
    "saddle": "a saddle",
    "gradient": "gradient steps",
    "newton": "one Newton step",
    "alt": (
        "Two contour plots. In a long bowl 20 gradient steps crawl along the floor and stay "
        "{bowl_gradient:.2f} away from the minimum, while one Newton step lands on it. On a "
        "saddle 5 gradient steps leave along the falling direction, to {saddle_gradient:.1f} from "
        "it; the Newton step jumps onto the saddle itself."
    ),
    "caption": (
        "Distance to the point where the gradient is 0. Bowl: {bowl_gradient:.2f} after 20 "
        "gradient steps, {bowl_newton:.0e} after one Newton step. Saddle: {saddle_gradient:.1f} "
        "after 5 gradient steps, {saddle_newton:.0e} after one Newton step, which it attracts."
    ),
}


def newton_paths(*, text: Mapping[str, str] | None = None) -> Picture:
    """One Newton step beside gradient steps, in a long bowl and on a saddle."""
    text = style.words(_NEWTON, text)
    cases = {"bowl": (np.array([0.05, 1.0]), 20), "saddle": (np.array([-0.15, 1.0]), 5)}
    start, rate = np.array([-1.5, 1.2]), 1.2
    numbers = {}
    with style.canvas(1, 2, width=8.2, height=3.2) as (figure, axes):
        x, y = np.meshgrid(np.linspace(-3.4, 1.2, 90), np.linspace(-1.5, 1.5, 90))
        for ax, (name, (curvature, num_steps)) in zip(axes, cases.items(), strict=True):
            heights = curvature[0] * x**2 + curvature[1] * y**2
            ax.contour(x, y, heights, levels=12, colors="#BBBBBB", linewidths=0.8)
            # On a quadratic, k gradient steps multiply each coordinate by (1 − ηλ)^k.
            powers = np.arange(num_steps + 1)[:, None]
            path = start * (1 - rate * curvature) ** powers
            landed = start - np.linalg.solve(np.diag(curvature), curvature * start)
            ax.plot(*path.T, **style.LINES[0], label=text["gradient"], markersize=3)
            ends = np.array([start, landed]).T
            ax.plot(*ends, **style.LINES[1], label=text["newton"])
            numbers[f"{name}_gradient"] = float(np.linalg.norm(path[-1]))
            numbers[f"{name}_newton"] = max(float(np.linalg.norm(landed)), 1e-17)
            ax.set(title=text[name], xlim=(-3.4, 1.2), ylim=(-1.5, 1.5))
        axes[0].legend(loc="lower left")
    return style.picture(figure, text, numbers)


_BATCHES = {
    "lbfgs": "L-BFGS, all data",
    "gradient": "gradient descent, all data",
    "mini_lbfgs": "L-BFGS, a batch at a time",
    "sgd": "SGD, a batch at a time",
    "x": "passes through the data",
    "y": "training loss",
    "alt": (
        "Training loss of softmax regression on the digits against passes through the data, on a "
        "log axis, for four methods. With all data at once, 40 passes bring L-BFGS to "
        "{lbfgs:.0e} and gradient descent to {gradient:.3f}. In batches of 50, SGD gets to "
        "{sgd:.3f}; L-BFGS that meets another batch at every evaluation gets stuck at "
        "{mini_lbfgs:.3f}."
    ),
    "caption": (
        "Training loss after 40 passes: L-BFGS on all data {lbfgs:.0e}, gradient descent on all "
        "data {gradient:.3f}, SGD in batches {sgd:.3f}, L-BFGS in batches {mini_lbfgs:.3f}."
    ),
}
_PASSES = 40
_BATCH = 50


def full_or_mini_batch(*, text: Mapping[str, str] | None = None) -> Picture:
    """L-BFGS and gradient steps on the digits, with all data at once and with small batches."""
    text = style.words(_BATCHES, text)
    data = digits(center=True)
    curves = {
        "lbfgs": _full_lbfgs(data),
        "gradient": _sgd(data, len(data.X_train), 2.0),
        "mini_lbfgs": _mini_lbfgs(data),
        "sgd": _sgd(data, _BATCH, 0.5),
    }
    with style.canvas() as (figure, ax):
        for (name, losses), look in zip(curves.items(), style.LINES, strict=False):
            ax.semilogy(
                np.arange(1, len(losses) + 1), losses, **look, markevery=5, label=text[name]
            )
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="lower left")
    return style.picture(figure, text, {name: losses[-1] for name, losses in curves.items()})


def _model() -> Network:
    return Network((64, 10), np.random.default_rng(0), init="small")


def _whole_loss(network: Network, data: Dataset) -> float:
    return network.loss_and_grads(network.params, data.X_train, data.y_train)[0]


def _sgd(data: Dataset, batch_size: int, learning_rate: float) -> list[float]:
    losses: list[float] = []
    train(
        _model(),
        data,
        learning_rate=learning_rate,
        batch_size=batch_size,
        num_epochs=_PASSES,
        rng=np.random.default_rng(0),
        callbacks=[lambda run: losses.append(_whole_loss(run.network, data))],
        progress=False,
    )
    return losses


class _Flat:
    """The network's loss as a function of one long vector."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.shapes = {name: p.shape for name, p in network.params.items()}

    def params(self, x: Array) -> dict[str, Array]:
        sizes = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])[:-1]
        parts = np.split(x, sizes)
        return {n: p.reshape(s) for (n, s), p in zip(self.shapes.items(), parts, strict=True)}

    def start(self) -> Array:
        return np.concatenate([p.ravel() for p in self.network.params.values()])

    def loss_and_grad(self, x: Array, X: Any, y: Any) -> tuple[float, Array]:
        loss, grads = self.network.loss_and_grads(self.params(x), X, y)
        return loss, np.concatenate([grads[name].ravel() for name in self.shapes])


def _full_lbfgs(data: Dataset) -> list[float]:
    flat = _Flat(_model())
    points: list[Array] = []
    lbfgs(
        lambda x: flat.loss_and_grad(x, data.X_train, data.y_train),
        flat.start(),
        _PASSES,
        seen=points.append,
    )
    points += points[-1:] * (_PASSES - len(points))
    return [flat.loss_and_grad(x, data.X_train, data.y_train)[0] for x in points]


def _mini_lbfgs(data: Dataset) -> list[float]:
    """L-BFGS as it stands, but another batch comes at every evaluation: what does it make of it?"""
    flat, rng = _Flat(_model()), np.random.default_rng(0)
    batches = [
        rows
        for _ in range(_PASSES)
        for rows in np.split(
            rng.permutation(len(data.X_train)), range(_BATCH, len(data.X_train), _BATCH)
        )
    ]
    upcoming = iter(batches)
    points: list[Array] = []

    def loss_and_grad(x: Array) -> tuple[float, Array]:
        rows = next(upcoming)
        return flat.loss_and_grad(x, data.X_train[rows], data.y_train[rows])

    lbfgs(loss_and_grad, flat.start(), len(batches), seen=points.append)
    points += points[-1:] * (len(batches) - len(points))
    each_pass = points[len(batches) // _PASSES - 1 :: len(batches) // _PASSES]
    return [flat.loss_and_grad(x, data.X_train, data.y_train)[0] for x in each_pass]
