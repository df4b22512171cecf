"""Pictures of kinks: points where the loss has no derivative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from descent.plots import style
from descent.plots.gradient_checks import networks
from descent.plots.style import Picture

_CROSSED = {
    "function": "ReLU",
    "chord": "centred difference: slope {measured:.2f}",
    "tangent": "at x: slope {true:.0f}",
    "x": "input, in units of 1e-6",
    "y": "output, in units of 1e-6",
    "alt": (
        "The ReLU around zero. The point x = {x:.0e} lies on the flat side, where the slope is 0. "
        "The chord from x − h to x + h with h = {h:.0e} ends on the rising side and has slope "
        "{measured:.2f}."
    ),
    "caption": (
        "At x = {x:.0e} the gradient is exactly {true:.0f}. With h = {h:.0e} the centred "
        "difference says {measured:.2f}: it stepped over the kink."
    ),
}


def kink_crossed(
    x: float = -1e-6, h: float = 1e-5, *, text: Mapping[str, str] | None = None
) -> Picture:
    """A centred difference of the ReLU whose two ends lie on both sides of zero."""
    text = style.words(_CROSSED, text)
    ends = np.array([x - h, x + h])
    heights = np.maximum(ends, 0.0)
    numbers = {
        "x": x,
        "h": h,
        "true": float(x > 0),
        "measured": float(np.ptp(heights) / np.ptp(ends)),
    }
    micro = 1e6
    with style.canvas(height=3.2) as (figure, ax):
        grid = np.array([-2 * h, 0.0, 2 * h]) * micro
        ax.plot(
            grid,
            np.maximum(grid, 0),
            color=style.GREY,
            linewidth=3,
            alpha=0.6,
            label=text["function"],
        )
        ax.plot(
            [x * micro],
            [max(x, 0) * micro],
            color=style.BLUE,
            marker="o",
            markersize=8,
            linestyle="",
            label=text["tangent"].format(**numbers),
        )
        ax.plot(
            ends * micro, heights * micro, **style.LINES[1], label=text["chord"].format(**numbers)
        )
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="upper left")
    return style.picture(figure, text, numbers)


_BATCH = {
    "clean": "no kink crossed",
    "crossed": "kink crossed",
    "title": "N = {batch:.0f}: {crossed:.0f} of {total:.0f} cross",
    "x": "coordinate",
    "y": "relative error",
    "alt": (
        "Relative error of every coordinate of a correct gradient of a ReLU network, for batches "
        "of {few:.0f} and {many:.0f} examples. With {few:.0f} examples {few_crossed:.0f} "
        "coordinates cross a kink, with {many:.0f} examples {many_crossed:.0f} do; those stand "
        "out far above the rest, which stay below {clean:.0e}."
    ),
    "caption": (
        "Coordinates whose step crosses a kink: {few_crossed:.0f} with {few:.0f} examples, "
        "{many_crossed:.0f} with {many:.0f}. Largest error without a crossing {clean:.1e}, with "
        "one {spoiled:.1e} (h = {h:.0e}). Exact agreement is drawn at the bottom, at 1e-17."
    ),
}


def kinks_by_batch_size(
    few: int = 2, many: int = 200, h: float = 1e-3, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Which coordinates of a ReLU network's gradient step over a kink, in a small and big batch."""
    text = style.words(_BATCH, text)
    numbers = {"few": few, "many": many, "h": h, "clean": 0.0, "spoiled": 0.0}
    with style.canvas(1, 2, height=3.3, sharey=True) as (figure, axes):
        for ax, name, batch in zip(axes, ("few", "many"), (few, many), strict=True):
            errors, crossed = _check_with_kinks(batch, h)
            ranks = np.arange(errors.size)
            ax.semilogy(
                ranks[~crossed],
                errors[~crossed],
                color=style.BLUE,
                marker=".",
                linestyle="",
                label=text["clean"],
            )
            ax.semilogy(
                ranks[crossed],
                errors[crossed],
                color=style.VERMILION,
                marker="X",
                markersize=8,
                linestyle="",
                label=text["crossed"],
            )
            numbers[f"{name}_crossed"] = int(crossed.sum())
            numbers["clean"] = max(numbers["clean"], errors[~crossed].max())
            numbers["spoiled"] = max(numbers["spoiled"], errors[crossed].max(initial=0.0))
            title = {"batch": batch, "crossed": crossed.sum(), "total": crossed.size}
            ax.set(xlabel=text["x"], title=text["title"].format(**title))
        axes[0].set(ylabel=text["y"])
        axes[0].legend(loc="upper left")
    return style.picture(figure, text, numbers)


def _check_with_kinks(batch: int, h: float) -> tuple[networks.Array, np.ndarray]:
    """Relative error of every coordinate, and whether its step crosses a kink."""
    rng = np.random.default_rng(7)
    network = networks.random_network(rng, batch=batch, features=8, hidden=16)
    point = 0.5 * rng.standard_normal(network.size)

    def loss(theta: networks.Array) -> Any:
        return network.loss(theta, networks.relu)

    moves = h * np.eye(network.size)
    ahead = np.array([network.preactivations(point + move) for move in moves])
    behind = np.array([network.preactivations(point - move) for move in moves])
    switched = np.signbit(ahead) ^ np.signbit(behind)
    exact = networks.exact_slopes(loss, point)
    errors = networks.disagreement(exact, networks.measured_slopes(loss, point, h))
    return errors, switched.any(axis=(1, 2))
