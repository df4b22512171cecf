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


def _network(init: str | float = "he") -> Network:
    return Network((64, 50, _CLASSES), np.random.default_rng(0), init=init)


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
        "After {steps:.0f} steps: sound, loss {right:.4f} and {right_accuracy:.0 %} of the twenty "
        "right; with a penalty, {penalty:.3f} and {penalty_accuracy:.0 %}; with the bug, "
        "{unpaired:.2f} and {unpaired_accuracy:.0 %}."
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


_RUNS = {
    "rate": "learning rate {rate:g}",
    "x": "epoch",
    "y": "loss",
    "alt": (
        "Loss over twenty epochs on the digits for learning rates from 1e-4 to 30, on a "
        "logarithmic axis. All begin at {start:.2f}. At 1e-4 the line is flat, at {last_0:.2f}; at "
        "0.01 it falls slowly, to {last_1:.2f}; at 1 it falls to {last_2:.3f}; at 10 it rises "
        "first and then falls to {last_3:.3f}; at 30 it explodes, to {first_4:.0f}, and is still "
        "at {last_4:.0f} in the end."
    ),
    "caption": (
        "Validation accuracy after twenty epochs, by learning rate: 1e-4, {val_0:.0 %}; 0.01, "
        "{val_1:.0 %}; 1, {val_2:.0 %}; 10, {val_3:.0 %}; 30, {val_4:.0 %}."
    ),
}


def first_runs(
    rates: Sequence[float] = (1e-4, 1e-2, 1.0, 10.0, 30.0),
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """The first training on all digits, at five learning rates; epoch 0 is before the first step.

    Args:
        rates: five learning rates, rising.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_RUNS, text)
    start = _first_loss(_network(), _SMALL_REG)
    numbers: dict[str, float] = {"start": start}
    with style.canvas(height=4.0) as (figure, ax):
        for i, (rate, look) in enumerate(zip(rates, style.LINES, strict=False)):
            history = train(
                _network(),
                _digits(),
                learning_rate=rate,
                reg=_SMALL_REG,
                num_epochs=20,
                rng=np.random.default_rng(1),
                progress=False,
            )
            numbers |= {f"first_{i}": history.loss[0], f"last_{i}": history.loss[-1]}
            numbers[f"val_{i}"] = history.val_accuracy[-1]
            ax.semilogy([start, *history.loss], **look, label=text["rate"].format(rate=rate))
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.xaxis.get_major_locator().set_params(integer=True)
        figure.legend(loc="outside upper center", ncols=3)
    return style.picture(figure, text, numbers)


_SMALL_REG = 1e-4
"""A penalty that hardly changes the loss."""


_SCRAMBLED = {
    "honest": "digits",
    "scrambled": "digits, scrambled",
    "chance": "chance",
    "x": "epoch",
    "training": "training accuracy",
    "validation": "validation accuracy",
    "alt": (
        "Two panels over the epochs of trainings on 200 digits and on the same digits with every "
        "pixel's column shuffled, those last as the mean of {runs:.0f} trainings with a band from "
        "the lowest to the highest. Left, training accuracy: both reach {honest_train:.0 %} and "
        "{scrambled_train:.0 %}. Right, validation accuracy: the digits reach {honest_val:.0 %}, "
        "the scrambled ones stay around chance, at {scrambled_val:.0 %}."
    ),
    "caption": (
        "At the end: digits, {honest_train:.0 %} of the training and {honest_val:.0 %} of the "
        "validation set; scrambled, {scrambled_train:.0 %} and {scrambled_val:.0 %} (mean of "
        "{runs:.0f} trainings, from {scrambled_low:.0 %} to {scrambled_high:.0 %})."
    ),
}


def scrambled(
    num_epochs: int = 60, num_runs: int = 10, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Digits and scrambled digits: both are learnt by heart, and only one of them is understood.

    Args:
        num_epochs: of each of the trainings.
        num_runs: how often to scramble and train; where a single one ends is luck.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_SCRAMBLED, text)
    honest = _learn(_digits().subset(200), num_epochs, np.random.default_rng(1))
    noise = [_learn_noise(num_epochs, rng) for rng in np.random.default_rng(1).spawn(num_runs)]
    curves = {
        "train": (np.array([honest.train_accuracy]), np.array([r.train_accuracy for r in noise])),
        "val": (np.array([honest.val_accuracy]), np.array([r.val_accuracy for r in noise])),
    }
    numbers: dict[str, float] = {"runs": num_runs}
    epochs = np.arange(1, num_epochs + 1)
    every = {"markevery": num_epochs // 6}
    titles = {"train": text["training"], "val": text["validation"]}
    with style.canvas(1, 2, sharey=True) as (figure, axes):
        for ax, (part, pair) in zip(axes, curves.items(), strict=True):
            for name, runs, look in zip(("honest", "scrambled"), pair, style.LINES, strict=False):
                low, mean, high = runs.min(axis=0), runs.mean(axis=0), runs.max(axis=0)
                ax.plot(epochs, mean, **look, **every, label=text[name])
                ax.fill_between(epochs, low, high, color=look["color"], alpha=0.2, linewidth=0)
                numbers[f"{name}_{part}"] = mean[-1]
            ax.axhline(1 / _CLASSES, color=style.GREY, linestyle=":", label=text["chance"])
            ax.set(xlabel=text["x"], title=titles[part], ylim=(0, 1.05))
            numbers |= {"scrambled_low": low[-1], "scrambled_high": high[-1]}
        axes[0].legend(loc="center right")
    return style.picture(figure, text, numbers)


def _learn_noise(num_epochs: int, rng: np.random.Generator) -> History:
    few = _digits().subset(200)
    return _learn(replace(few, X_train=scramble_features(few.X_train, rng)), num_epochs, rng)


def _learn(data: Dataset, num_epochs: int, rng: np.random.Generator) -> History:
    return train(
        Network((64, 80, _CLASSES), rng),
        data,
        learning_rate=0.5,
        batch_size=50,
        num_epochs=num_epochs,
        rng=rng,
        progress=False,
    )
