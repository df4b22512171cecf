"""Demos of unit 6 beside the race: schedules of the learning rate, and Newton's step."""

from __future__ import annotations

from .controls import point, select, slider, toggle
from .engine import Demo
from .strings import TABLES

__all__ = ["decay_schedules", "newton_vs_gradient"]


def decay_schedules(*, state: str | None = None) -> Demo:
    """Five schedules of the learning rate, and the loss each reaches on a noisy bowl.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["decay_schedules"]
    names = ["constant", "step", "exponential", "inverse", "cosine"]
    controls = [
        *(toggle(name, words[name], True, series=k) for k, name in enumerate(names)),
        slider("rate", words["rate"], 0.01, 1.9, 0.5, log=True),
        slider("factor", words["factor"], 0.1, 0.9, 0.5, step=0.05),
        slider("every", words["every"], 1, 50, 15),
        slider("decay", words["decay"], 0.003, 1.0, 0.05, log=True),
        slider("slowing", words["slowing"], 0.003, 10.0, 0.3, log=True),
    ]
    # A steep direction and a flat one: the noise shakes the first, the second needs time.
    data = {"epochs": 100, "steps": 5, "curvatures": [1.0, 0.02], "start": 4.0, "noise": 0.5}
    return Demo("decay_schedules", words, controls, data, height=640, state=state)


def newton_vs_gradient(*, state: str | None = None) -> Demo:
    """Newton's step and the gradient's from a start to drag; at a saddle Newton is caught.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["newton_vs_gradient"]
    # The first is what the demo opens with.
    starts = {"saddle": [1.5, 0.8], "valley": [-6.0, 2.0], "curved": [-1.2, 1.0]}
    rates = {"saddle": 0.4, "valley": 0.8, "curved": 0.15}
    presets = {place: {"start": starts[place], "rate": rates[place]} for place in starts}
    controls = [
        select("place", words["place"], list(starts), words, presets=presets),
        slider("rate", words["rate"], 0.01, 2.5, rates["saddle"], log=True),
        point("start", words["start"], starts["saddle"], (-8.0, -8.0), (8.0, 8.0)),
    ]
    views = {
        "valley": {"x": [-7.5, 7.5], "y": [-3.5, 3.5]},
        "curved": {"x": [-2.2, 2.2], "y": [-0.8, 2.2]},
        "saddle": {"x": [-3.2, 3.2], "y": [-2.8, 2.8]},
    }
    data = {"steps": 40, "views": views}
    return Demo("newton_vs_gradient", words, controls, data, height=620, seconds=5.0, state=state)
