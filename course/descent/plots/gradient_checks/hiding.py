"""Pictures of bugs that hide from a gradient check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import comb
from typing import Any

import numpy as np

from descent.plots import style
from descent.plots.gradient_checks import networks
from descent.plots.style import Picture

_STEP = 1e-4

_INITIAL = {
    "right": "correct gradient",
    "buggy": "tanh′ forgotten",
    "loss": "loss",
    "step": "training step",
    "error": "largest relative error",
    "wrong": "wrong",
    "uncomfortable": "uncom-\nfortable",
    "happy": "happy",
    "alt": (
        "Two panels over the training step. Top: the largest relative error of a correct and of "
        "a wrong gradient. At step 0, with weights near {scale:.0e}, the two coincide, at "
        "{right_start:.0e} and {buggy_start:.0e}; while the network learns the wrong one rises to "
        "{buggy_end:.1f} and the correct one stays below {right_worst:.0e}. Bottom: the loss "
        "falls from {loss_start:.2f} to {loss_end:.2f}."
    ),
    "caption": (
        "At step 0: correct {right_start:.1e}, wrong {buggy_start:.1e}. At step {steps:.0f}: "
        "correct {right_end:.1e}, wrong {buggy_end:.2f}. The loss fell from {loss_start:.3f} to "
        "{loss_end:.3f}."
    ),
}


def bug_at_initialization(
    scale: float = 1e-4, num_steps: int = 36, *, text: Mapping[str, str] | None = None
) -> Picture:
    """A backward pass that forgets the slope of tanh, checked at every step of a short training.

    Args:
        scale: standard deviation of the initial weights.
        num_steps: how many steps of gradient descent, on the correct gradient.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_INITIAL, text)
    rng = np.random.default_rng(5)
    network = networks.random_network(rng, batch=3, hidden=5)
    point = scale * rng.standard_normal(network.size)
    history = []
    for _ in range(num_steps + 1):
        exact = networks.exact_slopes(network.loss, point)
        buggy = networks.exact_slopes(
            lambda theta: network.loss(theta, networks.forgetful_tanh), point
        )
        measured = networks.measured_slopes(network.loss, point, _STEP)
        errors = [networks.disagreement(claim, measured).max() for claim in (exact, buggy)]
        history.append([*errors, float(network.loss(point))])
        point = point - 0.3 * exact
    right, wrong, loss = np.array(history).T
    numbers = {
        "scale": scale,
        "steps": num_steps,
        "right_worst": right.max(),
        "right_start": right[0],
        "right_end": right[-1],
        "buggy_start": wrong[0],
        "buggy_end": wrong[-1],
        "loss_start": loss[0],
        "loss_end": loss[-1],
    }
    with style.canvas(2, 1, height=4.4, sharex=True, height_ratios=(2, 1)) as (figure, axes):
        axes[0].semilogy(wrong, **style.LINES[1], markevery=3, label=text["buggy"])
        axes[0].semilogy(right, **style.LINES[0], markevery=3, label=text["right"])
        axes[0].set(ylabel=text["error"])
        style.threshold_bands(axes[0], text)
        axes[0].legend(loc="center right")
        axes[1].plot(loss, color=style.GREY)
        axes[1].set(xlabel=text["step"], ylabel=text["loss"], ylim=(0, None))
    return style.picture(figure, text, numbers)


_PENALTY = {
    "data": "bug in the data's gradient",
    "penalty": "bug in the penalty's gradient",
    "right": "both correct",
    "x": "regularisation strength reg",
    "y": "largest relative error",
    "wrong": "wrong",
    "uncomfortable": "uncom-\nfortable",
    "happy": "happy",
    "alt": (
        "Largest relative error against the regularisation strength, both axes logarithmic. A bug "
        "in the data's gradient reads {data_none:.2f} without regularisation and sinks to "
        "{data_strong:.0e} as reg grows to {strong:.0e}. A bug in the penalty's gradient does the "
        "opposite: {penalty_weak:.0e} at reg = {weak:.0e}, {penalty_strong:.2f} at the other end. "
        "The correct gradient stays at the bottom."
    ),
    "caption": (
        "At reg = {weak:.0e} the bug in the penalty reads {penalty_weak:.1e}; at reg = "
        "{strong:.0e} the bug in the data's part reads {data_strong:.1e}. Each hides where the "
        "other part is large."
    ),
}


def bug_behind_penalty(*, text: Mapping[str, str] | None = None) -> Picture:
    """Two bugs, one in the data's gradient and one in the penalty's, checked over reg.

    The data's gradient lacks its division by N; the penalty ½·reg·Σw² is differentiated as if
    it had no ½.
    """
    text = style.words(_PENALTY, text)
    rng = np.random.default_rng(5)
    inputs, point = 0.1 * rng.standard_normal((3, 5)), rng.uniform(0.5, 1.5, 5)
    labels = rng.standard_normal(3)

    def data_loss(w: networks.Array) -> Any:
        residual = np.tanh(np.dot(inputs, w)) - labels
        return np.mean(residual * residual)

    data = networks.exact_slopes(data_loss, point)
    strengths = np.logspace(-11, 7, 55)
    claims = {
        "data": [len(inputs) * data + reg * point for reg in strengths],
        "penalty": [data + 2 * reg * point for reg in strengths],
        "right": [data + reg * point for reg in strengths],
    }
    errors: dict[str, list[float]] = {name: [] for name in claims}
    for place, reg in enumerate(strengths):

        def total(w: networks.Array, reg: float = reg) -> Any:
            return data_loss(w) + 0.5 * reg * np.dot(w, w)

        measured = networks.measured_slopes(total, point, _STEP)
        for name, claim in claims.items():
            errors[name].append(networks.disagreement(claim[place], measured).max())
    numbers = {
        "weak": strengths[0],
        "strong": strengths[-1],
        "data_none": errors["data"][0],
        "data_strong": errors["data"][-1],
        "penalty_weak": errors["penalty"][0],
        "penalty_strong": errors["penalty"][-1],
    }
    with style.canvas() as (figure, ax):
        for look, name in zip(style.LINES[1:3] + style.LINES[:1], claims, strict=True):
            ax.loglog(strengths, errors[name], **look, markevery=4, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(1e-12, 5))
        style.threshold_bands(ax, text)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return style.picture(figure, text, numbers)


_DROPOUT = {
    "right": "correct backward pass",
    "buggy": "mask forgotten in the backward pass",
    "off": "dropout off",
    "fresh": "a new mask each time",
    "same": "the same mask each time",
    "y": "relative error",
    "alt": (
        "Relative errors of all coordinates under three ways to treat dropout. Off: correct and "
        "buggy backward pass both stay below {off:.0e}, so the bug is invisible. A new mask for "
        "each evaluation: both read wrong, with a median of {fresh:.2f}. The same mask for all "
        "evaluations: the correct pass stays below {same_right:.0e}, the buggy one reaches "
        "{same_buggy:.2f}."
    ),
    "caption": (
        "Largest error with dropout off: {off:.1e}, bug or no bug. With new masks the correct "
        "pass has a median of {fresh:.2f}. With one seed: correct {same_right:.1e}, buggy "
        "{same_buggy:.2f}."
    ),
}


def dropout_seed(*, text: Mapping[str, str] | None = None) -> Picture:
    """Dropout checked three ways (off, new masks, one seed), with a right and a wrong backward."""
    text = style.words(_DROPOUT, text)
    keep_prob = 0.7
    rng = np.random.default_rng(11)
    network = networks.random_network(rng, batch=3, hidden=8)
    point = 0.7 * rng.standard_normal(network.size)

    def mask(source: np.random.Generator) -> networks.Array:
        return (source.random((3, 8)) < keep_prob) / keep_prob

    masks: dict[str, Callable[[], networks.Array]] = {
        "off": lambda: np.ones((3, 8)),
        "fresh": lambda: mask(rng),
        "same": lambda: mask(np.random.default_rng(1)),
    }
    errors: dict[tuple[str, str], networks.Array] = {}
    for name, draw in masks.items():
        measured = networks.measured_slopes(_dropout_loss(network, draw), point, _STEP)
        for kind, forgets in (("right", False), ("buggy", True)):
            claimed = networks.exact_slopes(_dropout_loss(network, draw, forgets), point)
            errors[name, kind] = networks.disagreement(claimed, measured)
    numbers = {
        "off": max(errors["off", "right"].max(), errors["off", "buggy"].max()),
        "fresh": float(np.median(errors["fresh", "right"])),
        "same_right": errors["same", "right"].max(),
        "same_buggy": errors["same", "buggy"].max(),
    }
    with style.canvas() as (figure, ax):
        for shift, kind, look in ((-0.2, "right", style.LINES[0]), (0.2, "buggy", style.LINES[1])):
            for place, name in enumerate(masks):
                spread = place + shift + np.linspace(-0.14, 0.14, point.size)
                ax.semilogy(
                    spread,
                    np.maximum(errors[name, kind], 1e-13),
                    color=look["color"],
                    marker=look["marker"],
                    linestyle="",
                    alpha=0.7,
                    markersize=4,
                    label=text[kind] if place == 0 else None,
                )
        ax.set_xticks(range(3), [text[name] for name in masks])
        ax.set(ylabel=text["y"])
        ax.grid(visible=False, axis="x")
        ax.legend(loc="center")
    return style.picture(figure, text, numbers)


def _dropout_loss(
    network: networks.Network, draw: Callable[[], networks.Array], forgets: bool = False
) -> networks.Loss:
    """The network's loss with a mask drawn at each call; ``forgets`` drops it from the slopes."""

    def activation(z: networks.Array) -> networks.Array:
        kept, out = draw(), np.tanh(z)
        return kept * out.real + 1j * out.imag if forgets else kept * out

    return lambda theta: network.loss(theta, activation)


_VECTOR = {
    "vector": "from one long vector",
    "tensor": "from each tensor",
    "trials": "simulated",
    "x": "coordinates checked",
    "y": "chance that a bias is among them",
    "alt": (
        "Chance that at least one of {biases:.0f} biases is checked, against the number of "
        "coordinates drawn. Drawn from one long vector of {total:.0f} it grows slowly: "
        "{at_30:.1 %} for 30 coordinates, and half only at {half:.0f}. Drawn from each tensor it "
        "is 100 % from the start."
    ),
    "caption": (
        "A weight with {weights:.0f} entries and a bias with {biases:.0f}: thirty coordinates "
        "from one long vector include a bias with chance {at_30:.1 %}; for an even chance you "
        "need {half:.0f}."
    ),
}


def one_long_vector(
    weights: int = 10_000, biases: int = 3, *, text: Mapping[str, str] | None = None
) -> Picture:
    """The chance of ever checking a small bias: one long vector against sampling per tensor."""
    text = style.words(_VECTOR, text)
    total = weights + biases

    def chance(count: int) -> float:
        return 1 - comb(weights, count) / comb(total, count)

    counts = np.unique(np.logspace(0, np.log10(weights), 40).astype(int))
    chances = np.array([chance(int(count)) for count in counts])
    half = next(count for count in range(1, weights) if chance(count) >= 0.5)
    rng = np.random.default_rng(0)
    tried = np.array([10, 30, 100, 300, 1000, 3000])
    # A random order of the vector: where the first bias stands tells which samples include it.
    first = np.array([rng.choice(total, biases, replace=False).min() for _ in range(2000)])
    found = [(first < count).mean() for count in tried]
    with style.canvas(height=3.2) as (figure, ax):
        ax.semilogx(counts, chances, **{**style.LINES[1], "marker": ""}, label=text["vector"])
        ax.semilogx(
            tried, found, color=style.VERMILION, marker="s", linestyle="", label=text["trials"]
        )
        ax.semilogx(
            counts, np.ones(counts.size), **{**style.LINES[0], "marker": ""}, label=text["tensor"]
        )
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(-0.03, 1.06))
        ax.legend(loc="center left")
    numbers = {
        "weights": weights,
        "biases": biases,
        "total": total,
        "at_30": chance(30),
        "half": half,
    }
    return style.picture(figure, text, numbers)
