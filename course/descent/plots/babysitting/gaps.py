"""Pictures of training against validation, and of updates against weights."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from descent.plots import style
from descent.plots.babysitting.runs import centered_digits, watch
from descent.plots.style import Picture

_GAPS = {
    "over": "few examples",
    "small": "one hidden unit",
    "fine": "enough of both",
    "train": "training",
    "val": "validation",
    "x": "epoch",
    "y": "accuracy",
    "alt": (
        "Training and validation accuracy over the epochs in three panels. Sixty examples: "
        "training reaches {over_train:.0 %}, validation stays at {over_val:.0 %}. One hidden unit: "
        "both stay side by side, at {small_train:.0 %} and {small_val:.0 %}. Enough of both: side "
        "by side as well, at {fine_train:.0 %} and {fine_val:.0 %}."
    ),
    "caption": (
        "Gaps at the end: few examples {over_gap:.2f}, one hidden unit {small_gap:.2f}, enough of "
        "both {fine_gap:.2f}."
    ),
}


def gaps(*, text: Mapping[str, str] | None = None) -> Picture:
    """Training and validation accuracy of a run that overfits, one that can't, and a good one."""
    text = style.words(_GAPS, text)
    runs = {
        "over": watch((64, 100, 10), 0.5, 30, data=centered_digits().subset(60), batch_size=20),
        "small": watch((64, 1, 10), 0.5, 30),
        "fine": watch((64, 50, 10), 0.5, 30),
    }
    numbers: dict[str, float] = {}
    with style.canvas(1, 3, height=3.2, sharey=True) as (figure, axes):
        for ax, (name, (_, history)) in zip(axes, runs.items(), strict=True):
            train, val = history.train_accuracy, history.val_accuracy
            for curve, key, look in zip((train, val), ("train", "val"), style.LINES, strict=False):
                ax.plot(np.arange(1, 31), curve, **look, markevery=5, label=text[key])
            ax.set(title=text[name], xlabel=text["x"], ylim=(0, 1.05))
            numbers |= {f"{name}_train": train[-1], f"{name}_val": val[-1]}
            numbers[f"{name}_gap"] = train[-1] - val[-1]
        axes[0].set_ylabel(text["y"])
        axes[1].legend(loc="upper right")
    return style.picture(figure, text, numbers)


_RATIOS = {
    "title": "learning rate {rate:g}",
    "rule": "1e-3",
    "x": "iteration",
    "y": "update : weight",
    "alt": (
        "The ratio of update to weight of four parameters over the iterations, logarithmic, in two "
        "panels with a line at 1e-3. At a learning rate of {low_rate:g} both weights lie below "
        "the line, W1 at {low_W1:.0e}; at {high_rate:g} they sink towards it from above, W1 to "
        "{high_W1:.0e} and W2 to {high_W2:.0e}. "
        "The biases lie far higher in both, and have no ratio at the first step."
    ),
    "caption": (
        "Median over the last fifty iterations, W1, W2, b1 and b2. At {low_rate:g}: {low_W1:.0e}, "
        "{low_W2:.0e}, {low_b1:.0e}, {low_b2:.0e}. At {high_rate:g}: {high_W1:.0e}, {high_W2:.0e}, "
        "{high_b1:.0e}, {high_b2:.0e}."
    ),
}


def update_ratios(
    low: float = 0.005, high: float = 0.1, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Ratio of update to weight of every parameter through a training, at two learning rates.

    Args:
        low, high: the learning rates.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_RATIOS, text)
    numbers = {"low_rate": low, "high_rate": high}
    with style.canvas(1, 2, sharey=True) as (figure, axes):
        for ax, name in zip(axes, ("low", "high"), strict=True):
            _, history = watch((64, 50, 10), numbers[f"{name}_rate"], 15)
            for (parameter, ratios), look in zip(
                history.batch_ratio.items(), style.LINES, strict=False
            ):
                ax.semilogy(ratios, **look, markevery=30, linewidth=1.0, label=parameter)
                numbers[f"{name}_{parameter}"] = float(np.nanmedian(ratios[-50:]))
            ax.axhline(1e-3, color=style.GREY, linestyle=(0, (4, 3)), label=text["rule"])
            title = text["title"].format(rate=numbers[f"{name}_rate"])
            ax.set(title=title, xlabel=text["x"])
        axes[0].set_ylabel(text["y"])
        axes[1].legend(loc="upper right", ncols=2)
    return style.picture(figure, text, numbers)
