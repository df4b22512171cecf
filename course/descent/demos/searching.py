"""Demos of units 9 and 10: searching hyper-parameters, ensembles, distillation."""

from __future__ import annotations

from .controls import button, point, select, slider
from .engine import Demo
from .strings import TABLES

__all__ = ["coarse_to_fine", "ensemble_size", "grid_vs_random", "temperature"]


def grid_vs_random(*, state: str | None = None) -> Demo:
    """As many trials on a grid and at random, when one parameter matters more than the other.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["grid_vs_random"]
    controls = [
        select("trials", words["trials"], [4, 9, 16, 25, 36], words, value=9),
        slider("share", words["share"], 0.0, 0.5, 0.1, step=0.02),
        button("seed", words["again"], 1),
    ]
    return Demo("grid_vs_random", words, controls, {"draws": 100}, height=640, state=state)


def coarse_to_fine(*, state: str | None = None) -> Demo:
    """Three stages of random search, each in the range that the best trials span.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["coarse_to_fine"]
    controls = [
        point("low", words["low"], 1e-6, 1e-7, 10.0, axis="x"),
        point("high", words["high"], 1.0, 1e-7, 10.0, axis="x"),
        slider("trials", words["trials"], 6, 40, 20),
        slider("keep", words["keep"], 2, 8, 5),
        button("seed", words["again"], 1),
    ]
    data = {"stages": 3, "reg": [-7.0, 1.0], "noise": [0.06, 0.03, 0.01]}
    return Demo("coarse_to_fine", words, controls, data, height=600, seconds=3.0, state=state)


def ensemble_size(*, state: str | None = None) -> Demo:
    """How the average of several networks improves with their number and their variety.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["ensemble_size"]
    controls = [
        slider("alike", words["alike"], 0.0, 1.0, 0.5, step=0.02),
        slider("skill", words["skill"], 0.5, 3.0, 1.6, step=0.05),
        slider("sure", words["sure"], 0.3, 5.0, 1.5, log=True, shown="× {value}"),
        button("seed", words["again"], 1),
    ]
    data = {"examples": 200, "classes": 4, "members": 16}
    return Demo("ensemble_size", words, controls, data, height=580, state=state)


def temperature(*, state: str | None = None) -> Demo:
    """A teacher's probabilities, softened; and why distillation multiplies by T².

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["temperature"]
    controls = [
        slider("temperature", words["temperature"], 0.25, 32.0, 4.0, log=True),
        select("example", words["example"], ["clear", "doubtful"], words),
    ]
    data = {
        "examples": {
            "clear": [-2.1, 4.0, 2.6, 1.2, -1.4, -0.8, -4.2, 11.5, 0.1, 5.2],
            "doubtful": [-1.0, 6.9, 1.9, 0.4, 2.8, -1.1, -2.6, 7.4, 1.3, 4.1],
        },
        "student": [0.5, 1.5, 0.0, 0.9, -0.4, 0.2, -1.0, 3.0, 0.6, 1.8],
        "temperatures": [float(f"{0.25 * 2 ** (k / 5):.4g}") for k in range(36)],
    }
    return Demo("temperature", words, controls, data, height=530, state=state)
