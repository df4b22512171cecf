"""Pictures of a rate for each parameter: the step's length, from formulas for one parameter."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from descent.plots import style
from descent.plots.style import Picture

Array = npt.NDArray[np.float64]

_ADAGRAD = {
    "root": "with the root, any gradient",
    "large": "without it, gradient 10",
    "small": "without it, gradient 0.1",
    "x": "step",
    "y": "length of the step, in learning rates",
    "alt": (
        "Length of Adagrad's steps under a constant gradient, both axes logarithmic. With the "
        "root one line for all gradients falls from 1 to {root:.2f} in 100 steps. Without the "
        "root there is one line a gradient: 0.1 starts at {small_first:.0f}, 10 at "
        "{large_first:.1f}, and both fall twice as steeply."
    ),
    "caption": (
        "Step 100: {root:.2f} with the root. Without it the first step is {small_first:.0f} for a "
        "gradient of 0.1 and {large_first:.1f} for one of 10: the small gradient gets the long "
        "step."
    ),
}


def adagrad_steps(*, text: Mapping[str, str] | None = None) -> Picture:
    """How long Adagrad's steps are under a constant gradient, with and without the root."""
    text = style.words(_ADAGRAD, text)
    step = np.arange(1, 101)
    lengths = {"root": step**-0.5, "large": 1 / (10 * step), "small": 1 / (0.1 * step)}
    numbers = {
        "root": lengths["root"][-1],
        "large_first": lengths["large"][0],
        "small_first": lengths["small"][0],
    }
    with style.canvas() as (figure, ax):
        for (name, length), look in zip(lengths.items(), style.LINES, strict=False):
            ax.loglog(step, length, **look, markevery=0.15, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend()
    return style.picture(figure, text, numbers)


_LEAKY = {
    "sum": "Adagrad: a sum",
    "label": "decay rate {decay:g}",
    "change": "the gradient falls to 0.1",
    "x": "step",
    "y": "length of the step, in learning rates",
    "alt": (
        "Length of the steps over 600 steps; after 200 the gradient falls from 1 to 0.1. "
        "Adagrad's steps only shrink, to {sum:.3f} at the end. RMSprop's steps drop with the "
        "gradient and then grow again, back to {decay_0_9:.2f} with a decay rate of 0.9, "
        "{decay_0_99:.2f} with 0.99 and, slowly, {decay_0_999:.2f} with 0.999."
    ),
    "caption": (
        "At the end: Adagrad {sum:.3f}, RMSprop {decay_0_9:.2f}, {decay_0_99:.2f} and "
        "{decay_0_999:.2f} for decay rates 0.9, 0.99 and 0.999."
    ),
}


def leaky_steps(*, text: Mapping[str, str] | None = None) -> Picture:
    """Step lengths of Adagrad and RMSprop when the gradient becomes ten times smaller."""
    text = style.words(_LEAKY, text)
    gradient = np.where(np.arange(600) < 200, 1.0, 0.1)
    lengths = {"sum": gradient / np.sqrt(np.cumsum(gradient**2))}
    age = np.subtract.outer(np.arange(600), np.arange(600))
    for decay in (0.9, 0.99, 0.999):
        weights = np.where(age >= 0, (1 - decay) * decay ** np.maximum(age, 0), 0.0)
        lengths[f"decay_{decay:g}".replace(".", "_")] = gradient / np.sqrt(weights @ gradient**2)
    with style.canvas(width=8.2) as (figure, ax):
        for (name, length), look in zip(lengths.items(), style.LINES, strict=False):
            decay = float(name.removeprefix("decay_").replace("_", ".")) if name != "sum" else 0.0
            label = text["sum" if name == "sum" else "label"].format(decay=decay)
            ax.semilogy(np.arange(1, 601), length, **look, markevery=60, label=label)
        ax.axvline(201, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        ax.text(206, 20, text["change"], color="#444444", fontsize=9)
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.picture(figure, text, {name: length[-1] for name, length in lengths.items()})


_UNCORRECTED = {
    "both": "no correction",
    "first": "only m corrected",
    "second": "only v corrected",
    "right": "both corrected: always 1",
    "x": "step t",
    "y": "length of the step, in learning rates",
    "alt": (
        "Length of Adam's steps under a constant gradient, in learning rates, over 3000 steps on "
        "log axes. With both corrections it is always 1. Without any it starts at {first:.1f}, "
        "peaks at {worst:.1f} in step {worst_step:.0f} and is still {late:.1f} in step 100. With "
        "only m corrected it starts at {only_m:.0f}; with only v corrected at {only_v:.1f}."
    ),
    "caption": (
        "Without correction: {first:.1f} in step 1, {worst:.1f} in step {worst_step:.0f}, still "
        "{late:.1f} in step 100. Only m corrected: {only_m:.0f} in step 1. Only v corrected: "
        "{only_v:.1f}."
    ),
}


def uncorrected_steps(*, text: Mapping[str, str] | None = None) -> Picture:
    """What Adam's steps are multiplied by when a bias correction is missing."""
    text = style.words(_UNCORRECTED, text)
    step = np.arange(1, 3001)
    m, v = 1 - 0.9**step, 1 - 0.999**step
    ratios = {"both": m / np.sqrt(v), "first": 1 / np.sqrt(v), "second": m, "right": m / m}
    worst = int(np.argmax(ratios["both"]))
    numbers = {
        "first": ratios["both"][0],
        "worst": ratios["both"][worst],
        "worst_step": step[worst],
        "late": ratios["both"][99],
        "only_m": ratios["first"][0],
        "only_v": ratios["second"][0],
    }
    with style.canvas() as (figure, ax):
        for (name, ratio), look in zip(ratios.items(), style.LINES, strict=False):
            ax.loglog(step, ratio, **look, markevery=0.12, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend()
    return style.picture(figure, text, numbers)


_DECAY = {
    "l2": "L2 inside Adam",
    "decoupled": "AdamW",
    "x": "size of the weight's gradients",
    "y": "decay, over that of AdamW",
    "alt": (
        "How strongly a weight of 1 decays against the size of its gradients, both axes "
        "logarithmic, with decay λ = 0.01. AdamW is a flat line at 1. L2 inside Adam falls: "
        "{small:.0f} times for gradients of 0.01, {large:.2f} times for gradients of 10."
    ),
    "caption": (
        "L2 inside Adam: a weight with gradients of 0.01 decays {small:.0f} times as fast as with "
        "AdamW, one with gradients of 10 only {large:.2f} times as fast."
    ),
}


def decay_shares(*, text: Mapping[str, str] | None = None) -> Picture:
    """How much a weight decays, by the size of its gradients: AdamW beside L2 inside Adam.

    For gradients that alternate between +g and −g the averages settle at m = λw and, nearly,
    v = g² + (λw)², so that the decay is ηλw/√v with L2 and ηλw with AdamW.
    """
    text = style.words(_DECAY, text)
    decay, size = 0.01, np.logspace(-3, 1.5, 46)
    share = 1 / np.sqrt(size**2 + decay**2)
    numbers = {"small": float(np.interp(0.01, size, share)), "large": float(1 / np.hypot(10, 0.01))}
    with style.canvas(height=3.2) as (figure, ax):
        ax.loglog(size, share, **style.LINES[0], markevery=6, label=text["l2"])
        ax.loglog(size, np.ones_like(size), **style.LINES[1], markevery=6, label=text["decoupled"])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend()
    return style.picture(figure, text, numbers)
