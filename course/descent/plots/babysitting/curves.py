"""Pictures of the loss over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from descent.data import Dataset, blobs, split
from descent.nets import Network
from descent.plots import style
from descent.plots.babysitting.runs import centered_digits, watch
from descent.plots.style import Picture

_TOPS = (4.0, 20.0)
"""Losses above these are drawn there, at the edges of the linear and the logarithmic picture."""

_RATES = {
    "low": "low: {rate:g}",
    "good": "good: {rate:g}",
    "high": "high: {rate:g}",
    "very high": "very high: {rate:g}",
    "linear": "linear axis",
    "log": "logarithmic axis",
    "x": "epoch",
    "y": "loss",
    "alt": (
        "The loss of one network at four learning rates over {epochs:.0f} epochs, left on a linear "
        "and right on a logarithmic axis. Low: a nearly straight line that only reaches {low:.2f}. "
        "Good: falls steeply, then flattens, to {good:.2f}. High: falls early, then jumps around "
        "{high:.2f} and never settles. Very high: leaves the picture at the top."
    ),
    "caption": "Loss after {epochs:.0f} epochs: low {low:.2f}, good {good:.2f}, high {high:.2f}.",
}


def rate_curves(
    rates: Sequence[float] = (0.002, 0.2, 4.0, 3000.0),
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """The four classic curves, from one network at four learning rates, on two kinds of axis.

    Args:
        rates: a low, a good, a high and a very high learning rate.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_RATES, text)
    numbers: dict[str, float] = {"epochs": 25}
    with style.canvas(1, 2, height=3.9) as (figure, axes):
        for name, rate, look in zip(
            ("low", "good", "high", "very high"), rates, style.LINES, strict=False
        ):
            _, history = watch((8, 16, 5), rate, 25, data=_clouds(), reg=0.001, batch_size=30)
            losses = np.nan_to_num(history.loss, nan=np.inf)
            numbers[name] = float(losses[-1])
            for ax, top in zip(axes, _TOPS, strict=True):
                label = text[name].format(rate=rate)
                epochs = np.arange(1, len(losses) + 1)
                ax.plot(epochs, np.minimum(losses, top), **look, markevery=3, label=label)
        axes[0].set(title=text["linear"], xlabel=text["x"], ylabel=text["y"], ylim=(0, 4.1))
        axes[1].set(title=text["log"], xlabel=text["x"], yscale="log", ylim=(0.1, 21))
        axes[0].legend(loc="upper right", bbox_to_anchor=(1, 0.96))
    return style.picture(figure, text, numbers)


def _clouds() -> Dataset:
    """Five clouds that overlap: no rate brings the loss to 0."""
    X, y = blobs(
        np.random.default_rng(0), num_per_class=120, num_classes=5, num_features=8, distance=4.5
    )
    return split(X, y, np.random.default_rng(1))


_WIGGLE = {
    "measured": "measured wiggle",
    "slope": "slope {slope:.2f}",
    "x": "batch size",
    "y": "wiggle of the loss",
    "small": "batches of {size}",
    "step": "iteration",
    "loss": "loss",
    "alt": (
        "Left, the loss over {steps:.0f} iterations of one training with batches of {small:.0f} "
        "and of {large:.0f}: the first jumps wildly, the second hardly. Right, the wiggle against "
        "the batch size, both axes logarithmic: the points fall along a line of slope {slope:.2f}."
    ),
    "caption": (
        "Wiggle: {wiggle_small:.3f} with batches of {small:.0f}, {wiggle_large:.3f} with batches "
        "of {large:.0f}; slope {slope:.2f}."
    ),
}


def wiggle_by_batch(
    sizes: Sequence[int] = (1, 4, 16, 64, 256), *, text: Mapping[str, str] | None = None
) -> Picture:
    """How much the loss jumps, measured in the same phase of training at several batch sizes.

    Args:
        sizes: batch sizes, rising.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_WIGGLE, text)
    start, _ = watch((64, 50, 10), 0.1, 6)
    curves = {size: _some_steps(start.copy(), size, 200) for size in sizes}
    # What is left of the losses when the best straight line is taken away.
    steps = np.arange(200)
    jumps = {
        size: float(np.std(losses - np.polyval(np.polyfit(steps, losses, 1), steps)))
        for size, losses in curves.items()
    }
    small, large = sizes[0], sizes[-1]
    numbers = {
        "steps": 200.0,
        "small": float(small),
        "large": float(large),
        "wiggle_small": jumps[small],
        "wiggle_large": jumps[large],
        "slope": style.slope_of(list(jumps), list(jumps.values())),
    }
    with style.canvas(1, 2) as (figure, (left, right)):
        for size, look in zip((small, large), style.LINES, strict=False):
            label = text["small"].format(size=size)
            left.plot(curves[size], **(look | {"marker": "", "linewidth": 1.2}), label=label)
        left.set(xlabel=text["step"], ylabel=text["loss"])
        left.legend(loc="upper right")
        right.loglog(list(jumps), list(jumps.values()), **style.LINES[2], label=text["measured"])
        right.set(xlabel=text["x"], ylabel=text["y"], title=text["slope"].format(**numbers))
        right.legend(loc="upper right")
    return style.picture(figure, text, numbers)


def _some_steps(network: Network, batch_size: int, num_steps: int) -> npt.NDArray[np.float64]:
    """Losses of plain steps at a small rate, each on a batch drawn at random."""
    data, rng, losses = centered_digits(), np.random.default_rng(2), []
    for _ in range(num_steps):
        rows = rng.choice(len(data.y_train), batch_size, replace=False)
        loss, grads = network.loss_and_grads(network.params, data.X_train[rows], data.y_train[rows])
        losses.append(loss)
        for name, grad in grads.items():
            network.params[name] -= 0.002 * grad
    return np.array(losses)


_GALLERY = {
    "loss": "loss, as a share of ln 10",
    "train": "training accuracy",
    "val": "validation accuracy",
    "x": "epoch",
    "alt": (
        "Six panels, A to F, each with the loss as a share of ln 10, training and validation "
        "accuracy over the epochs. A: loss falls early, both accuracies end high and close. B: "
        "loss falls, then shoots up, and the curves break off. C: everything is flat for a while, "
        "then takes off. "
        "D: the loss hardly moves while both accuracies climb. E: training accuracy reaches 1, "
        "validation accuracy stays far below. F: the loss flattens high up; both accuracies stay "
        "low, side by side."
    ),
    "caption": (
        "At the end, training and validation accuracy: A {A_train:.0%} and {A_val:.0%}; C "
        "{C_train:.0%} and {C_val:.0%}; D {D_train:.0%} and {D_val:.0%}; E {E_train:.0%} and "
        "{E_val:.0%}; F {F_train:.0%} and {F_val:.0%}."
    ),
}


def gallery(*, text: Mapping[str, str] | None = None) -> Picture:
    """Six trainings without a name: find out what is the matter with each."""
    text = style.words(_GALLERY, text)
    runs = {
        "A": watch((64, 50, 10), 0.5, 24),
        "B": watch((64, 50, 10), 0.02, 24, reg=0.01, activation="relu", growth=2.0),
        "C": watch((64, 30, 30, 30, 10), 0.3, 24, init=0.05),
        "D": watch((64, 50, 10), 0.003, 24),
        "E": watch((64, 100, 10), 0.5, 24, data=centered_digits().subset(60), batch_size=20),
        "F": watch((64, 1, 10), 0.5, 24),
    }
    numbers: dict[str, float] = {}
    with style.canvas(2, 3, height=5.0, sharex=True, sharey=True) as (figure, axes):
        for ax, (name, (_, history)) in zip(axes.ravel(), runs.items(), strict=True):
            loss = np.array(history.loss)
            # Not a number, or off the picture: from there on the run is lost.
            lost = np.cumsum(~(loss < 3 * np.log(10))) > 0
            epochs = np.arange(1, len(loss) + 1)
            curves = {
                "loss": loss / np.log(10),
                "train": np.array(history.train_accuracy),
                "val": np.array(history.val_accuracy),
            }
            for (key, curve), look in zip(curves.items(), style.LINES, strict=False):
                ax.plot(epochs[~lost], curve[~lost], **look, markevery=4, label=text[key])
            ax.set(title=name, ylim=(0, 1.5))
            numbers |= {f"{name}_train": curves["train"][-1], f"{name}_val": curves["val"][-1]}
        for ax in axes[1]:
            ax.set_xlabel(text["x"])
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return style.picture(figure, text, numbers)
