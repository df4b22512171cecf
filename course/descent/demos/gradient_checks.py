"""Demos of unit 1: the step of a numerical gradient, and kinks."""

from __future__ import annotations

from .controls import point, select, slider
from .engine import Demo
from .strings import TABLES

__all__ = ["kink_explorer", "step_size"]

#: Four steps a decade. They aren't powers of two, which would hide the rounding of x + h.
STEPS = [float(f"{m}e{e}") for e in range(-15, 0) for m in (1, 1.8, 3.2, 5.6)] + [1.0]


def step_size(*, state: str | None = None) -> Demo:
    """Forward and centred difference against the step h, in float32 and float64.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["step_size"]
    controls = [
        slider("h", words["step_h"], 1e-15, 1.0, 0.32, log=True),
        select("function", words["function"], ["cube", "bell", "root"], words),
        select("precision", words["precision"], ["float64", "float32"], words),
        point("x", words["point"], 0.8, -1.9, 1.9, axis="x"),
    ]
    return Demo("step_size", words, controls, {"steps": STEPS}, height=540, state=state)


def kink_explorer(*, state: str | None = None) -> Demo:
    """The centred difference at a kink: crossed or not, and what it does to the error.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["kink_explorer"]
    presets = {
        "preset_far": {"x": -0.6, "h": 0.25, "zoom": 1},
        "preset_note": {"x": -1e-6, "h": 1e-5, "zoom": 1e5},
        "preset_cure": {"x": -1e-6, "h": 1e-7, "zoom": 5e5},
    }
    controls = [
        select("example", words["preset"], ["preset_free", *presets], words, presets=presets),
        select("function", words["function"], ["relu", "leaky", "abs", "maxout", "smooth"], words),
        slider("h", words["step_h"], 1e-8, 1.0, 0.5, log=True),
        slider("zoom", words["zoom"], 1.0, 1e6, 1.0, log=True, shown="× {value}"),
        point("x", words["point"], -0.3, -1.0, 1.0, axis="x"),
    ]
    data = {"steps": [step for step in STEPS if step >= 1e-8]}
    return Demo("kink_explorer", words, controls, data, height=600, state=state)
