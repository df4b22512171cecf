"""Pictures of the relative error: what it means, what its size says, what spoils it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from descent.plots import style
from descent.plots.gradient_checks import networks
from descent.plots.style import Picture

_SAME = {
    "x": "size of the two gradients",
    "y": "relative error",
    "wrong": "wrong",
    "uncomfortable": "uncom-\nfortable",
    "happy": "happy",
    "alt": (
        "Relative error of pairs of gradients that all differ by {difference:.0e}, against "
        "their size. For tiny gradients it is flat, near 1; from there it falls as a straight "
        "line: {small:.2f} for gradients near 1e-5, {one:.0e} for gradients near 1, {large:.0e} "
        "for gradients near 1000."
    ),
    "caption": (
        "Every pair differs by {difference:.0e}. Relative error near 1e-5: {small:.2f}; "
        "near 1: {one:.1e}; near 1000: {large:.1e}."
    ),
}


def same_difference(difference: float = 1e-4, *, text: Mapping[str, str] | None = None) -> Picture:
    """One absolute difference, read as a relative error for gradients of many sizes."""
    text = style.words(_SAME, text)
    sizes = np.logspace(-6, 4, 41)
    errors = difference / (sizes + difference)
    marks = np.array([1e-5, 1.0, 1e3])
    marked = difference / (marks + difference)
    with style.canvas(height=3.2) as (figure, ax):
        ax.loglog(sizes, errors, color=style.BLUE)
        ax.loglog(marks, marked, color=style.VERMILION, linestyle="", marker="s", markersize=8)
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(5e-9, 3))
        style.threshold_bands(ax, text)
    numbers = dict(zip(("small", "one", "large"), marked.tolist(), strict=True))
    return style.picture(figure, text, {**numbers, "difference": difference})


_THRESHOLDS = {
    "smooth": "smooth loss",
    "kinks": "loss with kinks",
    "happy": "happy",
    "okay": "okay",
    "uncomfortable": "uncomfortable",
    "wrong": "wrong",
    "x": "relative error",
    "alt": (
        "Two bars along the relative error. For a smooth loss: happy up to 1e-7, uncomfortable up "
        "to 1e-2, wrong beyond. For a loss with kinks: happy up to 1e-7, okay up to 1e-4, "
        "uncomfortable up to 1e-2, wrong beyond."
    ),
}


def thresholds(*, text: Mapping[str, str] | None = None) -> Picture:
    """What a relative error says, for losses with and without kinks."""
    text = style.words(_THRESHOLDS, text)
    zones = {
        "smooth": (("happy", -10, -7), ("uncomfortable", -7, -2), ("wrong", -2, 0)),
        "kinks": (
            ("happy", -10, -7),
            ("okay", -7, -4),
            ("uncomfortable", -4, -2),
            ("wrong", -2, 0),
        ),
    }
    looks = {
        "happy": (style.GREEN, ""),
        "okay": (style.SKY, ".."),
        "uncomfortable": (style.ORANGE, "//"),
        "wrong": (style.VERMILION, "xx"),
    }
    with style.canvas(height=1.9) as (figure, ax):
        for row, (name, parts) in enumerate(zones.items()):
            for zone, low, high in parts:
                color, hatch = looks[zone]
                ax.barh(
                    row,
                    high - low,
                    0.62,
                    low,
                    color=color,
                    alpha=0.45,
                    hatch=hatch,
                    edgecolor="white",
                )
                ax.text(
                    (low + high) / 2,
                    row,
                    text[zone],
                    ha="center",
                    va="center",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.85},
                )
            ax.text(-10.15, row, text[name], ha="right", va="center")
        ticks = [-10, -7, -4, -2, 0]
        ax.set(yticks=[], ylim=(1.5, -0.5), xlim=(-10, 0), xlabel=text["x"])
        ax.set_xticks(ticks, [f"1e{tick}" if tick else "1" for tick in ticks])
        ax.grid(visible=False)
        ax.spines["left"].set_visible(False)
    return style.picture(figure, text, {})


_DEPTH = {
    "median": "typical coordinate",
    "worst": "worst coordinate",
    "x": "number of tanh layers",
    "y": "relative error",
    "wrong": "wrong",
    "uncomfortable": "uncom-\nfortable",
    "happy": "happy",
    "alt": (
        "Relative error of a correct gradient at the input of a tanh network, against its "
        "depth. The worst of twenty coordinates grows from {shallow:.0e} with one layer to "
        "{deep:.0e} with fifty; the typical one grows in step."
    ),
    "caption": (
        "Worst coordinate: {shallow:.1e} with one layer, {deep:.1e} with fifty. Nothing is wrong "
        "in any of them (medians over {draws:.0f} random networks, h = 1e-5)."
    ),
}


def error_against_depth(*, text: Mapping[str, str] | None = None) -> Picture:
    """How the error of a correct check grows with the number of layers it passes through."""
    text = style.words(_DEPTH, text)
    depths = [1, 2, 5, 10, 20, 35, 50]
    draws = 12
    errors = np.array([[_deep_error(depth, seed) for seed in range(draws)] for depth in depths])
    worst, median = np.median(errors, axis=1).T
    with style.canvas(height=3.2) as (figure, ax):
        ax.semilogy(depths, worst, **style.LINES[0], label=text["worst"])
        ax.semilogy(depths, median, **style.LINES[1], label=text["median"])
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(1e-12, 1e-5))
        style.threshold_bands(ax, text)
        ax.legend(loc="lower right")
    numbers = {"shallow": worst[0], "deep": worst[-1], "draws": draws}
    return style.picture(figure, text, numbers)


def _deep_error(depth: int, seed: int, width: int = 20) -> tuple[float, float]:
    """Worst and median relative error at the input of one random tanh network."""
    rng = np.random.default_rng(seed)
    layers = rng.standard_normal((depth, width, width)) * 1.5 / np.sqrt(width)
    readout, point = rng.standard_normal((2, width))

    def loss(x: networks.Array) -> Any:
        for layer in layers:
            x = np.tanh(layer @ x)
        return np.dot(readout, x)

    exact = networks.exact_slopes(loss, point)
    errors = networks.disagreement(exact, networks.measured_slopes(loss, point, 1e-5))
    return float(errors.max()), float(np.median(errors))


_RANGE = {
    "left": "Does the difference survive?",
    "right": "Gap to the next float",
    "beside": "1 + a·sin x",
    "scaled": "(1 + a·sin x) / a",
    "alone": "a·sin x",
    "size": "size a",
    "number": "size of the number",
    "error": "relative error of the slope",
    "gap": "gap / size",
    "half": "float16",
    "single": "float32",
    "double": "float64",
    "alt": (
        "Two panels. Left: relative error of the slope of a·sin x against a. Alone it stays near "
        "{alone:.0e} for every a. Beside a constant 1 it grows as a shrinks, to {beside:.0e} at "
        "a = 1e-10, and dividing that sum by a changes nothing. Right: the gap between "
        "neighbouring floats over their size is flat for each of float16, float32 and float64, "
        "and climbs only at the small end of the range: below {half_end:.0e} for float16 and "
        "{single_end:.0e} for float32."
    ),
    "caption": (
        "At a = 1e-10: beside a 1 the slope is off by {beside:.1e}, scaled up afterwards by "
        "{scaled:.1e}, on its own by {alone:.1e}. The relative gap is flat until the format "
        "runs out: {half_end:.0e} in float16, {single_end:.0e} in float32, {double_end:.0e} "
        "in float64."
    ),
}


def active_range(*, text: Mapping[str, str] | None = None) -> Picture:
    """When tiny gradients drown, and where floats have digits to spare."""
    text = style.words(_RANGE, text)
    sizes = np.logspace(-14, 0, 57)
    losses: dict[str, Callable[[float, networks.Array], networks.Array]] = {
        "beside": lambda x, a: 1 + a * np.sin(x),
        "scaled": lambda x, a: (1 + a * np.sin(x)) / a,
        "alone": lambda x, a: a * np.sin(x),
    }
    true = {"beside": sizes, "scaled": np.ones_like(sizes), "alone": sizes}
    numbers: dict[str, float] = {}
    with style.canvas(1, 2, height=3.4) as (figure, (left, right)):
        for (name, loss), look in zip(losses.items(), style.LINES, strict=False):
            slopes = (loss(0.3 + 1e-5, sizes) - loss(0.3 - 1e-5, sizes)) / 2e-5
            errors = networks.disagreement(true[name] * np.cos(0.3), slopes)
            left.loglog(sizes, errors, **look, markevery=(4, 8), label=text[name])
            numbers[name] = float(np.median(errors[np.abs(np.log10(sizes) + 10) < 0.6]))
        left.set(xlabel=text["size"], ylabel=text["error"], title=text["left"])
        left.legend(loc="lower left", bbox_to_anchor=(0, 0.12))
        kinds: tuple[tuple[str, Any], ...] = (
            ("half", np.float16),
            ("single", np.float32),
            ("double", np.float64),
        )
        for (name, dtype), look in zip(kinds, style.LINES, strict=False):
            limits = np.finfo(dtype)
            exponents = np.arange(int(np.log2(float(limits.smallest_subnormal))), 12)
            powers = 2.0**exponents
            gaps = np.spacing(powers.astype(dtype)).astype(float) / powers
            right.loglog(powers, gaps, **{**look, "marker": ""}, label=text[name])
            numbers[f"{name}_end"] = float(limits.tiny)
        right.set(xlabel=text["number"], ylabel=text["gap"], title=text["right"])
        right.set(xlim=(1e-50, 1e4), ylim=(1e-17, 2))
        right.legend(loc="center left", bbox_to_anchor=(0.3, 0.3))
    return style.picture(figure, text, numbers)
