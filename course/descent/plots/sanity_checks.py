"""Pictures of unit 2, sanity checks; each function draws one and returns it.

Every function takes ``text``, a mapping with words that replace the English ones, and returns a
:class:`descent.plots.style.Picture` whose ``numbers`` are what was measured while drawing. All of
them measure real networks on the bundled digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import numpy as np

from descent.data import Dataset, digits, scramble_features
from descent.nets import History, Network, train
from descent.plots import style
from descent.plots.style import Picture

__all__ = ["first_runs", "initial_loss", "penalty_sweep", "scrambled", "tiny_set"]

_CLASSES = 10


@cache
def _digits() -> Dataset:
    return digits(center=True)


def _network(init: str | float = "he", hidden: int = 50) -> Network:
    return Network((64, hidden, _CLASSES), np.random.default_rng(0), init=init)


def _first_loss(network: Network, reg: float = 0.0) -> float:
    data = _digits()
    return network.loss_and_grads(network.params, data.X_train, data.y_train, reg=reg)[0]


_INITIAL = {
    "measured": "loss before training",
    "chance": "ln 10, all classes equally likely",
    "he": "usual initial weights",
    "x": "standard deviation of the initial weights",
    "y": "loss before training",
    "alt": (
        "Loss of an untrained network on the digits against the standard deviation of its initial "
        "weights, both axes logarithmic. Up to about 0.2 the loss lies on a horizontal line at "
        "ln 10 = {chance:.3f}; from there it climbs, to {largest:.0f} at a standard deviation of "
        "{last:.0f}. The usual initial weights lie near the line, at {usual:.3f}."
    ),
    "caption": (
        "ln 10 = {chance:.4f}. Weights of 0.001: {tiny:.4f}; usual ones: {usual:.4f}; weights of "
        "1: {one:.1f}; weights of {last:.0f}: {largest:.0f}."
    ),
}


def initial_loss(*, text: Mapping[str, str] | None = None) -> Picture:
    """Data loss of an untrained network over the scale of its weights, beside ln 10."""
    text = style.words(_INITIAL, text)
    scales = np.logspace(-3, 0.5, 22)
    losses = [_first_loss(_network(float(scale))) for scale in scales]
    numbers = {
        "chance": float(np.log(_CLASSES)),
        "tiny": losses[0],
        "usual": _first_loss(_network()),
        "one": _first_loss(_network(1.0)),
        "last": float(scales[-1]),
        "largest": losses[-1],
    }
    usual_scale = float(np.std(_network().params["W1"]))
    with style.canvas() as (figure, ax):
        ax.loglog(scales, losses, **style.LINES[0], label=text["measured"])
        ax.axhline(numbers["chance"], **(style.LINES[1] | {"marker": ""}), label=text["chance"])
        looks = {"marker": "*", "markersize": 14, "linestyle": "", "color": style.GREEN}
        ax.plot(usual_scale, numbers["usual"], **looks, label=text["he"], zorder=3)
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="upper left")
    return style.picture(figure, text, numbers)


_PENALTY = {
    "right": "penalty added",
    "missing": "penalty forgotten",
    "subtracted": "penalty subtracted",
    "x": "regularisation strength reg",
    "y": "loss before training",
    "alt": (
        "Loss of three untrained networks against reg on a logarithmic axis. With the penalty "
        "added the loss rises from {start:.2f} to {right:.1f}; with the penalty forgotten it stays "
        "at {missing:.2f}; with the penalty subtracted it falls to {subtracted:.1f}."
    ),
    "caption": (
        "From reg = {low:g} to reg = {high:g}: added, {start:.3f} to {right:.2f}; forgotten, "
        "{missing:.3f} throughout; subtracted, down to {subtracted:.2f}."
    ),
}


def penalty_sweep(*, text: Mapping[str, str] | None = None) -> Picture:
    """Initial loss over reg: with the penalty added, forgotten, and with its sign wrong."""
    text = style.words(_PENALTY, text)
    regs = np.logspace(-4, -0.5, 15)
    network = _network()
    curves = {
        name: [_first_loss(network, sign * reg) for reg in regs]
        for name, sign in (("right", 1), ("missing", 0), ("subtracted", -1))
    }
    numbers = {name: losses[-1] for name, losses in curves.items()}
    numbers |= {"start": curves["right"][0], "low": regs[0], "high": regs[-1]}
    with style.canvas() as (figure, ax):
        for (name, losses), look in zip(curves.items(), style.LINES, strict=False):
            ax.semilogx(regs, losses, **look, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="upper left")
    return style.picture(figure, text, numbers)


_TINY = {
    "right": "sound",
    "penalty": "sound, with a penalty",
    "unpaired": "bug: labels not shuffled along",
    "x": "step",
    "y": "loss on the twenty examples",
    "alt": (
        "Loss on twenty digits over {steps:.0f} steps of gradient descent, on a logarithmic axis. "
        "The sound network falls steadily, to {right:.4f}. With a penalty it levels off at "
        "{penalty:.2f}. The network whose images are shuffled without their labels stays near "
        "chance, at {unpaired:.2f}."
    ),
    "caption": (
        "After {steps:.0f} steps: sound, loss {right:.4f} and {right_accuracy:.0%} of the twenty "
        "right; with a penalty, {penalty:.3f} and {penalty_accuracy:.0%}; with the bug, "
        "{unpaired:.2f} and {unpaired_accuracy:.0%}."
    ),
}


def tiny_set(num_steps: int = 300, *, text: Mapping[str, str] | None = None) -> Picture:
    """Learning twenty digits by heart: a sound network, one with a penalty, one with a bug.

    Args:
        num_steps: how many steps of full-batch gradient descent.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_TINY, text)
    numbers: dict[str, float] = {"steps": num_steps}
    with style.canvas() as (figure, ax):
        for name, look in zip(("right", "penalty", "unpaired"), style.LINES, strict=False):
            losses, accuracy = _learn_twenty(num_steps, name)
            numbers |= {name: losses[-1], f"{name}_accuracy": accuracy}
            ax.semilogy(losses, **look, markevery=num_steps // 10, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="lower left")
    return style.picture(figure, text, numbers)


def _learn_twenty(num_steps: int, kind: str) -> tuple[list[float], float]:
    """Losses before each step on twenty digits, and the share of them that is right at the end."""
    twenty, rng, network = _digits().subset(20), np.random.default_rng(1), _network()
    reg = 0.01 if kind == "penalty" else 0.0
    losses = []
    for _ in range(num_steps):
        order = rng.permutation(20)
        y = twenty.y_train if kind == "unpaired" else twenty.y_train[order]
        loss, grads = network.loss_and_grads(network.params, twenty.X_train[order], y, reg=reg)
        losses.append(loss)
        for name, grad in grads.items():
            network.params[name] -= 0.5 * grad
    return losses, network.accuracy(twenty.X_train, twenty.y_train)


_TOP = 50.0
"""Losses above this are drawn here: the edge of the picture of first runs."""

_RUNS = {
    "rate": "learning rate {rate:g}",
    "off": "learning rate {rate:g} (off the top)",
    "x": "epoch",
    "y": "loss",
    "alt": (
        "Loss over twenty epochs on the digits for learning rates from 1e-4 to 100, on a "
        "logarithmic axis. At 1e-4 the line is flat, at {first_0:.2f}; at 0.01 it falls slowly, to "
        "{last_1:.2f}; at 0.1 and 1 it falls to {last_2:.2f} and {last_3:.3f}; at 100 it explodes, "
        "to {last_4:.0e}."
    ),
    "caption": (
        "Validation accuracy after twenty epochs, by learning rate: 1e-4, {val_0:.0%}; 0.01, "
        "{val_1:.0%}; 0.1, {val_2:.0%}; 1, {val_3:.0%}; 100, {val_4:.0%}."
    ),
}


def first_runs(
    rates: Sequence[float] = (1e-4, 1e-2, 0.1, 1.0, 100.0),
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """The first training on all digits, at learning rates that lie powers of ten apart.

    Args:
        rates: five learning rates, rising.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_RUNS, text)
    numbers: dict[str, float] = {}
    with style.canvas(height=4.0) as (figure, ax):
        for i, (rate, look) in enumerate(zip(rates, style.LINES, strict=False)):
            history = train(
                _network(),
                _digits(),
                learning_rate=rate,
                reg=1e-4,
                num_epochs=20,
                rng=np.random.default_rng(1),
                progress=False,
            )
            numbers |= {f"first_{i}": history.loss[0], f"last_{i}": history.loss[-1]}
            numbers[f"val_{i}"] = history.val_accuracy[-1]
            epochs = np.arange(1, len(history) + 1)
            label = text["off" if history.loss[-1] > _TOP else "rate"].format(rate=rate)
            ax.semilogy(epochs, np.minimum(history.loss, _TOP), **look, label=label)
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(0.01, 2 * _TOP))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend(loc="upper right", ncols=2)
    return style.picture(figure, text, numbers)


_SCRAMBLED = {
    "honest": "digits",
    "scrambled": "digits, scrambled",
    "chance": "chance",
    "x": "epoch",
    "training": "training accuracy",
    "validation": "validation accuracy",
    "alt": (
        "Two panels over the epochs of two trainings, one on 200 digits and one on the same "
        "digits with every pixel's column shuffled. Left, training accuracy: both reach "
        "{honest_train:.0%} and {scrambled_train:.0%}. Right, validation accuracy: the digits "
        "reach {honest_val:.0%}, the scrambled ones stay near chance, at {scrambled_val:.0%}."
    ),
    "caption": (
        "At the end: digits, {honest_train:.0%} of the training and {honest_val:.0%} of the "
        "validation set; scrambled, {scrambled_train:.0%} and {scrambled_val:.0%}."
    ),
}


def scrambled(num_epochs: int = 80, *, text: Mapping[str, str] | None = None) -> Picture:
    """Digits and scrambled digits: both are learnt by heart, and only one of them is understood.

    Args:
        num_epochs: of each of the two trainings.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_SCRAMBLED, text)
    few = _digits().subset(200)
    mixed = replace(few, X_train=scramble_features(few.X_train, np.random.default_rng(3)))
    numbers: dict[str, float] = {}
    with style.canvas(1, 2, sharey=True) as (figure, (left, right)):
        looks = zip((("honest", few), ("scrambled", mixed)), style.LINES, strict=False)
        for (name, data), look in looks:
            history = _learn(data, num_epochs)
            every = {"markevery": num_epochs // 8, "label": text[name]}
            left.plot(history.train_accuracy, **look, **every)
            right.plot(history.val_accuracy, **look, **every)
            numbers[f"{name}_train"] = history.train_accuracy[-1]
            numbers[f"{name}_val"] = history.val_accuracy[-1]
        for ax, title in ((left, text["training"]), (right, text["validation"])):
            ax.axhline(1 / _CLASSES, color=style.GREY, linestyle=":", label=text["chance"])
            ax.set(xlabel=text["x"], title=title, ylim=(0, 1.05))
        left.legend(loc="center right")
    return style.picture(figure, text, numbers)


def _learn(data: Dataset, num_epochs: int) -> History:
    return train(
        _network(hidden=80),
        data,
        learning_rate=0.5,
        batch_size=50,
        num_epochs=num_epochs,
        rng=np.random.default_rng(1),
        progress=False,
    )
