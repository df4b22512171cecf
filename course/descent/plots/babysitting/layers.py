"""Pictures of what happens inside: activations, gradients, first-layer weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from descent.data import patterns, split
from descent.nets import Network
from descent.plots import style
from descent.plots.babysitting.runs import centered_digits, watch
from descent.plots.style import Picture

Array = npt.NDArray[Any]

_LAYERS = {
    "small": "weights too small",
    "fine": "weights that suit",
    "large": "weights too large",
    "layer": "layer {number}",
    "activations": "activations",
    "gradients": "log10 of |gradient|",
    "alt": (
        "Histograms of activations (top) and of gradients (bottom) in layers 1, 3 and 5 of a tanh "
        "network before training, for three scales of initial weights. Too small: activations pile "
        "up at 0, with a standard deviation of {small_std:.0e} in layer 5, and gradients are "
        "tiny in all layers. Suitable: the spread shrinks slowly, from {fine_first:.2f} in layer 1 "
        "to {fine_std:.2f} in layer 5, and gradients are alike in all layers. Too large: "
        "{large_saturated:.0 %} of layer 5 lies beyond ±0.99, and gradients are the largest of the "
        "three, and grow from layer 5 back to layer 1."
    ),
    "caption": (
        "Standard deviation of the activations in layers 1 and 5: too small {small_first:.2f} and "
        "{small_std:.1e}; suitable {fine_first:.2f} and {fine_std:.2f}; too large "
        "{large_first:.2f} and {large_std:.2f}. Typical gradient (root mean square) in layers 1 "
        "and 5: {small_grad_1:.1e} and {small_grad_5:.1e}; {fine_grad_1:.3f} and "
        "{fine_grad_5:.3f}; {large_grad_1:.2f} and {large_grad_5:.2f}."
    ),
}


def layer_histograms(*, text: Mapping[str, str] | None = None) -> Picture:
    """Activations and gradients of a five-layer tanh network, for three initial scales."""
    text = style.words(_LAYERS, text)
    data, numbers = centered_digits(), {}
    X, y = data.X_train[:300] / data.X_train.std(), data.y_train[:300]
    with style.canvas(2, 3, height=4.8) as (figure, axes):
        scales: dict[str, float | str] = {"small": 0.02, "fine": "xavier", "large": 1.0}
        for column, (name, init) in enumerate(scales.items()):
            rng = np.random.default_rng(0)
            network = Network((64, *[60] * 5, 10), rng, activation="tanh", init=init)
            _, grads = network.loss_and_grads(network.params, X, y)
            outputs, report = network.activations(X), network.layer_report()
            numbers[f"{name}_first"] = float(report["std"][0])
            numbers[f"{name}_std"] = float(report["std"][-1])
            numbers[f"{name}_saturated"] = float(report["saturated"][-1])
            for number, look in zip((1, 3, 5), style.LINES, strict=False):
                line = {"color": look["color"], "linestyle": look["linestyle"]}
                line["label"] = text["layer"].format(number=number)
                _outline(axes[0, column], outputs[number - 1], np.linspace(-1, 1, 41), line)
                numbers[f"{name}_grad_{number}"] = float(np.sqrt(np.mean(grads[f"W{number}"] ** 2)))
                sizes = np.log10(np.abs(grads[f"W{number}"]) + 1e-30)
                _outline(axes[1, column], sizes, np.linspace(-14, 1, 46), line)
            axes[0, column].set_title(text[name])
            for ax in axes[:, column]:
                ax.set_yticks([])
            axes[0, column].set_xlabel(text["activations"])
            axes[1, column].set_xlabel(text["gradients"])
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3)
    return style.picture(figure, text, numbers)


def _outline(ax: Axes, values: Array, bins: Array, line: dict[str, Any]) -> None:
    """A histogram as a line; its height is scaled to 1, because only the shape is meant."""
    counts, edges = np.histogram(values, bins=bins)
    heights = counts / max(1, counts.max())
    ax.stairs(heights, edges, linewidth=1.6, **line)


_FILTERS = {
    "noisy": "small rate, no penalty",
    "smooth": "larger rate, with a penalty",
    "alt": (
        "First-layer weights of two networks as pictures of 8 by 8 pixels, sixteen units each. "
        "Left, small rate and no penalty: speckled like noise, neighbouring pixels correlate by "
        "{noisy:.2f}. Right, larger rate and a penalty: smooth edges of several orientations, "
        "neighbours correlate by {smooth:.2f}."
    ),
    "caption": (
        "Mean correlation of neighbouring pixels: {noisy:.2f} and {smooth:.2f}. Validation "
        "accuracy: {noisy_val:.0 %} and {smooth_val:.0 %}."
    ),
}


def filters(*, text: Mapping[str, str] | None = None) -> Picture:
    """First-layer weights of two networks that do equally well: noisy ones and smooth ones."""
    text = style.words(_FILTERS, text)
    data = split(*patterns(np.random.default_rng(0)), np.random.default_rng(1))
    settings = {"noisy": (0.01, 0.0), "smooth": (0.3, 0.01)}
    numbers: dict[str, float] = {}
    with style.canvas(
        4, 9, height=3.7, gridspec_kw={"width_ratios": [*[1] * 4, 0.4, *[1] * 4]}
    ) as (
        figure,
        axes,
    ):
        for ax in axes.ravel():
            ax.set_axis_off()
        for left, (name, (rate, reg)) in zip((0, 5), settings.items(), strict=True):
            network, history = watch(
                (64, 16, 4), rate, 60, data=data, activation="relu", reg=reg, batch_size=50
            )
            pictures = network.params["W1"].T.reshape(-1, 8, 8)
            for ax, weights in zip(axes[:, left : left + 4].ravel(), pictures, strict=True):
                ax.imshow(weights, cmap="gray", interpolation="nearest")
            # In the middle of its four columns, so that the layout doesn't widen the first.
            axes[0, left + 1].set_title(text[name], loc="center")
            numbers[name] = float(np.mean([_neighbours(weights) for weights in pictures]))
            numbers[f"{name}_val"] = history.val_accuracy[-1]
    return style.picture(figure, text, numbers)


def _neighbours(weights: Array) -> float:
    """Correlation of a picture's pixels with those beside and below them."""
    here = np.concatenate([weights[:, :-1].ravel(), weights[:-1].ravel()])
    beside = np.concatenate([weights[:, 1:].ravel(), weights[1:].ravel()])
    return float(np.corrcoef(here, beside)[0, 1])
