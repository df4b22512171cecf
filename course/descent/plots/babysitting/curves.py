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

_RATES = {
    "low": "low: {rate:g}",
    "good": "good: {rate:g}",
    "good too": "good, too: {rate:g}",
    "high": "high: {rate:g}",
    "very high": "very high: {rate:g}",
    "linear": "linear axis",
    "log": "logarithmic axis",
    "x": "epoch",
    "y": "loss",
    "alt": (
        "The loss of one network at five learning rates over {epochs:.0f} epochs, left on a linear "
        "and right on a logarithmic axis. All begin at {start:.1f}. Low: a nearly straight line "
        "that only reaches {low:.1f}. Two good ones: they fall steeply, then flatten, and end as "
        "one line on the left, but clearly apart on the right, at {good:.2f} and {good too:.2f}. "
        "High: falls as early, then jumps around {high:.2f} and never settles. Very high: shoots "
        "out of the left picture at once; on the right it stays near {very high:.0f}."
    ),
    "caption": (
        "Mean loss of the last five epochs, by learning rate: low {low:.2f}, good {good:.3f} and "
        "{good too:.3f}, high {high:.2f}, very high {very high:.0f}. Before training: {start:.2f}."
    ),
}


def rate_curves(
    rates: Sequence[float] = (0.001, 0.1, 0.4, 4.0, 40.0),
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """The classic curves, from one network at several learning rates, on two kinds of axis.

    Args:
        rates: a low, two good, a high and a very high learning rate.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_RATES, text)
    start = _before(_clouds())
    numbers: dict[str, float] = {"epochs": 25, "start": start}
    with style.canvas(1, 2, height=3.9) as (figure, axes):
        for name, rate, look in zip(
            ("low", "good", "good too", "high", "very high"), rates, style.LINES, strict=False
        ):
            _, history = watch(_SIZES, rate, 25, data=_clouds(), reg=1e-4, batch_size=30)
            losses = np.array([start, *history.loss])
            numbers[name] = float(losses[-5:].mean())
            for ax in axes:
                ax.plot(losses, **look, markevery=3, label=text[name].format(rate=rate))
        axes[0].set(title=text["linear"], xlabel=text["x"], ylabel=text["y"], ylim=(0, 4))
        axes[1].set(title=text["log"], xlabel=text["x"], yscale="log")
        for ax in axes:
            # Room at the left: the line that leaves through the top must not hide in the axis.
            ax.set_xlim(-1, 25.5)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=5, columnspacing=1.2)
    return style.picture(figure, text, numbers)


_SIZES = (8, 16, 5)


def _before(data: Dataset) -> float:
    """Loss before the first step, of the network that `watch` trains."""
    network, _ = watch(_SIZES, 0.0, 1, data=data)
    return network.loss_and_grads(network.params, data.X_train, data.y_train)[0]


def _clouds() -> Dataset:
    """Five clouds that overlap a little: good rates bring the loss near 0, but not at once."""
    X, y = blobs(
        np.random.default_rng(0), num_per_class=120, num_classes=5, num_features=8, distance=9.0
    )
    return split(X, y, np.random.default_rng(1))


_WIGGLE = {
    "measured": "measured wiggle",
    "rule": "slope −½",
    "slope": "slope {slope:.2f}",
    "x": "batch size",
    "y": "wiggle of the loss",
    "small": "batches of {size}",
    "step": "iteration",
    "loss": "loss",
    "alt": (
        "Left, the loss over {steps:.0f} iterations of one training with batches of {small:.0f} "
        "and of {large:.0f}: the first jumps wildly, the second hardly. Right, the wiggle against "
        "the batch size, both axes logarithmic: the points fall along a line of slope {slope:.2f}, "
        "beside a dashed one of slope −½."
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
    jumps = {size: float(np.std(np.diff(losses)) / np.sqrt(2)) for size, losses in curves.items()}
    small, large = sizes[0], sizes[-1]
    numbers = {
        "steps": 200.0,
        "small": float(small),
        "large": float(large),
        "wiggle_small": jumps[small],
        "wiggle_large": jumps[large],
        "slope": style.slope_of(list(jumps), list(jumps.values())),
    }
    rule = {"color": style.GREY, "linewidth": 1.2}
    with style.canvas(1, 2) as (figure, (left, right)):
        for size, look in zip((small, large), style.LINES, strict=False):
            label = text["small"].format(size=size)
            left.plot(curves[size], **(look | {"marker": "", "linewidth": 1.2}), label=label)
        left.set(xlabel=text["step"], ylabel=text["loss"], ylim=(0, 1.3 * curves[small].max()))
        left.legend(loc="upper right")
        batches, measured = np.array(sizes), np.array(list(jumps.values()))
        # The rule is drawn through the middle of what was measured.
        height = np.exp(np.mean(np.log(measured * np.sqrt(batches))))
        right.loglog(batches, measured, **style.LINES[2], label=text["measured"])
        right.loglog(batches, height / np.sqrt(batches), "--", **rule, label=text["rule"])
        right.set(xlabel=text["x"], ylabel=text["y"], title=style.filled(text["slope"], numbers))
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
        "loss falls, then shoots up, and the curves break off. C: the loss is flat for "
        "{C_flat:.0f} epochs, while accuracies creep up, then it takes off. D: the "
        "loss hardly moves while both accuracies climb. E: training accuracy reaches 1, validation "
        "accuracy stays far below. F: the loss flattens high up; both accuracies stay low, side by "
        "side."
    ),
    "caption": (
        "At the end, training and validation accuracy: A {A_train:.0 %} and {A_val:.0 %}; C "
        "{C_train:.0 %} and {C_val:.0 %}; D {D_train:.0 %} and {D_val:.0 %}; E {E_train:.0 %} and "
        "{E_val:.0 %}; F {F_train:.0 %} and {F_val:.0 %}."
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
        # Flat as the eye sees it: within a fiftieth of chance.
        still = np.array(runs["C"][1].loss) > 0.98 * np.log(10)
        numbers["C_flat"] = float(np.argmin(still))
        for ax in axes[1]:
            ax.set_xlabel(text["x"])
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return style.picture(figure, text, numbers)
