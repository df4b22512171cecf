"""The line-up: patterns of relative errors that tell bugs from false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from descent.plots import style
from descent.plots.gradient_checks import networks
from descent.plots.style import Picture

_LINE_UP = {
    "x": "suspect",
    "y": "relative error of each coordinate",
    "wrong": "wrong",
    "uncomfortable": "uncom-\nfortable",
    "okay": "okay with\nkinks",
    "happy": "happy",
    "alt": (
        "Relative errors of the coordinates of five gradients, A to E. A: all below {A:.0e}. "
        "B: a third of them near 1e-10, the others spread up to {B:.1f}. C: nearly all below "
        "1e-8, but {C_outliers:.0f} stand alone above 1e-4, up to {C:.0e}. D: a cloud around "
        "{D_median:.0e}, up to {D:.0e}. E: every coordinate at exactly {E:.2f}."
    ),
}


def line_up(*, text: Mapping[str, str] | None = None) -> Picture:
    """Five gradients, some right and some wrong, each shown by its relative errors."""
    text = style.words(_LINE_UP, text)
    suspects = _suspects()
    numbers = {name: errors.max() for name, errors in suspects.items()}
    numbers["C_outliers"] = int((suspects["C"] > 1e-4).sum())
    numbers["D_median"] = float(np.median(suspects["D"]))
    with style.canvas(height=3.8) as (figure, ax):
        for place, (errors, look) in enumerate(zip(suspects.values(), style.LINES, strict=False)):
            spread = place + np.linspace(-0.3, 0.3, errors.size)
            ax.semilogy(
                spread,
                np.maximum(errors, 1e-13),
                color=look["color"],
                marker=look["marker"],
                linestyle="",
                alpha=0.7,
            )
        ax.set_xticks(range(len(suspects)), suspects)
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.grid(visible=False, axis="x")
        # One of the five has kinks; which one is for the reader to find.
        style.threshold_bands(ax, text, has_kinks=True)
    return style.picture(figure, text, numbers)


def _suspects() -> dict[str, networks.Array]:
    """Relative errors by suspect; the lesson's text says who is guilty."""
    rng = np.random.default_rng(2)
    network = networks.random_network(rng, batch=3)
    point = 0.5 * rng.standard_normal(network.size)
    exact = networks.exact_slopes(network.loss, point)
    forgetful = networks.exact_slopes(
        lambda theta: network.loss(theta, networks.forgetful_tanh), point
    )
    measured = networks.measured_slopes(network.loss, point, 1e-5)
    single = networks.measured_slopes(
        network.astype(np.float32).loss, point.astype(np.float32), 1e-3
    )

    rng = np.random.default_rng(16)
    kinky = networks.random_network(rng, batch=40, hidden=8)
    corner = 0.5 * rng.standard_normal(kinky.size)

    def kinky_loss(theta: networks.Array) -> Any:
        return kinky.loss(theta, networks.relu)

    return {
        "A": networks.disagreement(exact, measured),
        "B": networks.disagreement(forgetful, measured),
        "C": networks.disagreement(
            networks.exact_slopes(kinky_loss, corner),
            networks.measured_slopes(kinky_loss, corner, 1e-3),
        ),
        "D": networks.disagreement(exact, single),
        "E": networks.disagreement(exact * len(network.inputs), measured),
    }
