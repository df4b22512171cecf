"""Every word the demos show: one table a demo, whole sentences, ``{names}`` filled in.

A translation is a table of the same keys. Nothing is glued from halves, so each sentence may
put its numbers where its language wants them.
"""

from __future__ import annotations

from typing import Final

__all__ = ["RUNTIME", "TABLES"]

#: Words that all demos share.
RUNTIME: Final[dict[str, str]] = {
    "play": "Play",
    "pause": "Pause",
    "back": "Back",
    "step": "Step",
    "scrub": "Position in time",
    "playback": "Playback",
    "frame": "{frame} of {frames}",
    "shown": "What is shown",
    "share": "Share or reset",
    "state": "This state as text",
    "copy": "Copy",
    "copied": "Copied.",
    "copy_by_hand": "Selected: copy it with the keyboard.",
    "reset": "Reset",
}

TABLES: Final[dict[str, dict[str, str]]] = {
    "step_size": {
        "title": "How small should the step be?",
        "lead": "Move h, drag the point along the curve, and switch the precision.",
        "alt": (
            "Left: a curve with its tangent and the lines whose slopes the forward and the "
            "centred difference measure. Right: the relative error of both against the step h "
            "on log axes. Both errors form a V: they fall with h, the centred one twice as "
            "steeply, until rounding makes them rise again."
        ),
        "function": "Function",
        "cube": "x³",
        "bell": "1 / (1 + x²)",
        "root": "√(1 + x²)",
        "precision": "Precision",
        "float64": "float64",
        "float32": "float32",
        "step_h": "Step h",
        "point": "Point on the curve, x {x}, f {y}",
        "axis_x": "x",
        "axis_f": "f(x)",
        "axis_h": "step h",
        "axis_error": "relative error",
        "tangent": "true slope",
        "forward": "forward",
        "centred": "centred",
        "happy": "1e-7: happy",
        "says": (
            "At h = {h}, the forward difference is off by {forward} and the centred one by "
            "{centred}, relative to the true slope."
        ),
        "best": "The centred error is smallest near h = {best}; below that, rounding wins.",
        "flat": "The true slope is 0 here: relative errors say nothing, so move the point.",
    },
    "kink_explorer": {
        "title": "What a kink does to a gradient check",
        "lead": "Drag the point towards the kink, or widen h until the step crosses it.",
        "alt": (
            "Left: a function with a kink at its centre, and the line through its values at "
            "x − h and x + h. Right: the relative error of the centred difference against h. It "
            "is tiny while h is smaller than the distance to the kink and jumps beyond it."
        ),
        "function": "Function",
        "relu": "ReLU: max(0, x)",
        "leaky": "leaky ReLU: max(0.1x, x)",
        "abs": "absolute value: |x|",
        "maxout": "maxout: max(0.5x, 2x)",
        "smooth": "no kink: x²",
        "step_h": "Step h",
        "zoom": "Zoom",
        "preset": "Example",
        "preset_free": "your own",
        "preset_far": "far from the kink",
        "preset_note": "x = −1e-6, h = 1e-5",
        "preset_cure": "x = −1e-6, h = 1e-7",
        "point": "Point x at {x}, f {y}",
        "axis_x": "x",
        "axis_f": "f(x)",
        "axis_h": "step h",
        "axis_error": "relative error",
        "curve": "f",
        "secant": "centred difference",
        "distance": "h = distance to the kink",
        "crossed": (
            "The step crosses the kink: x − h = {minus} and x + h = {plus} lie on different "
            "sides. The centred difference says {numeric}, backpropagation {analytic}: relative "
            "error {error}. Your gradient may be right, and the check still fails."
        ),
        "clear": (
            "x − h = {minus} and x + h = {plus} lie on the same side, so the kink does no harm: "
            "the centred difference says {numeric}, backpropagation {analytic}, relative error "
            "{error}."
        ),
        "smooth_says": (
            "No kink here: the centred difference says {numeric}, backpropagation {analytic}, "
            "relative error {error}."
        ),
    },
    "optimizer_race": {
        "title": "Race of the update rules",
        "lead": "Drag the start, change a rule's rate, or play the race step by step.",
        "alt": (
            "Left: a landscape of two parameters seen from above, with the path of each update "
            "rule from a common start. Right: the loss of each rule above the lowest possible, "
            "over the steps, on a log axis."
        ),
        "landscape": "Landscape",
        "ravine": "ravine",
        "saddle": "saddle",
        "bowl": "bowl",
        "plateau": "plateau",
        "start": "Start of the race, x {x}, y {y}",
        "momentum_mu": "Momentum μ",
        "noise": "Gradient noise",
        "again": "Other noise",
        "rated": "Learning rate of {label}",
        "sgd": "SGD",
        "momentum": "Momentum",
        "nesterov": "Nesterov",
        "adagrad": "Adagrad",
        "rmsprop": "RMSprop",
        "adam": "Adam",
        "axis_x": "x",
        "axis_y": "y",
        "axis_step": "step",
        "axis_loss": "loss above the lowest",
        "leader": "After {step} steps, {name} is lowest, {loss} above the minimum.",
        "last": "{name} is highest, at {loss}.",
        "away": "{name} has run away: its rate is too high here.",
        "none": "No rule is shown: switch one on.",
    },
}
