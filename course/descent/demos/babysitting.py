"""Demos of unit 5: learning rates, the gap to validation, update ratios, first-layer pictures."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from .controls import button, select, slider
from .engine import Demo
from .strings import TABLES

__all__ = [
    "batch_size_wiggle",
    "first_layer_pictures",
    "learning_rate_explorer",
    "spiral_points",
    "train_val_gap",
    "update_ratio_dial",
]


def spiral_points(per_class: int = 20, classes: int = 3) -> dict[str, Any]:
    """Return a small spiral data set: ``x`` flat, rounded to be the same on every machine.

    The golden ratio scatters the points; no generator takes part.
    """
    x: list[float] = []
    y: list[int] = []
    for label in range(classes):
        for i in range(per_class):
            radius = 0.15 + 0.85 * i / (per_class - 1)
            scatter = ((i * 0.618034 + label * 0.37) % 1 - 0.5) * 0.9
            angle = 2 * math.pi * label / classes + 2.6 * radius + scatter
            x += [round(radius * math.sin(angle), 3), round(radius * math.cos(angle), 3)]
            y.append(label)
    return {"x": x, "y": y, "inputs": 2, "classes": classes}


def learning_rate_explorer(*, state: str | None = None) -> Demo:
    """A small network trained while you move its learning rate, beside the four classic curves.

    Also shows how the batch size makes the loss wiggle, and what a log axis reveals.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["learning_rate_explorer"]
    controls = [
        slider("rate", words["rate"], 1e-3, 30.0, 0.1, log=True),
        select("batch", words["batch"], [1, 5, 15, 60], words, value=5),
        select("scale", words["scale"], ["linear", "log"], words),
        select("axis", words["axis"], ["epochs", "iterations"], words),
        button("seed", words["again"], 6),
    ]
    data = {**spiral_points(), "hidden": 10, "epochs": 28, "rates": [0.005, 0.5, 2.5, 8.0]}
    return Demo(
        "learning_rate_explorer", words, controls, data, height=640, seconds=6.0, state=state
    )


def batch_size_wiggle(*, state: str | None = None) -> Demo:
    """The learning-rate explorer opened where the batch size shows: every iteration in sight.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    demo = learning_rate_explorer(state=state or "batch=1&axis=iterations")
    return replace(demo, strings={**demo.strings, **TABLES["batch_size_wiggle"]})


def train_val_gap(*, state: str | None = None) -> Demo:
    """Training and validation accuracy, as capacity, data and penalty change.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["train_val_gap"]
    controls = [
        slider("capacity", words["capacity"], 1, 48, 36),
        slider("examples", words["examples"], 12, 100, 32, step=4),
        slider("reg", words["reg"], 1e-5, 0.1, 0.0, log=True, zero=True),
        button("seed", words["again"], 1),
    ]
    data = {"validation": 100, "most": 100, "spread": 0.38, "epochs": 40, "rate": 4.0, "mu": 0.9}
    return Demo("train_val_gap", words, controls, data, height=600, seconds=6.0, state=state)


def update_ratio_dial(*, state: str | None = None) -> Demo:
    """How large an update is beside the weights it changes, as rate and initial scale move.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["update_ratio_dial"]
    controls = [
        slider("rate", words["rate"], 1e-5, 10.0, 0.5, log=True),
        slider("scale", words["scale"], 0.03, 30.0, 1.0, log=True, shown="× {value}"),
        button("seed", words["again"], 2),
    ]
    data = {**spiral_points(), "hidden": 12, "epochs": 25, "batch": 15}
    return Demo("update_ratio_dial", words, controls, data, height=540, state=state)


def first_layer_pictures(*, state: str | None = None) -> Demo:
    """What the first layer looks for, smooth or noisy, while a small network trains.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["first_layer_pictures"]
    controls = [
        slider("rate", words["rate"], 1e-3, 3.0, 0.2, log=True),
        slider("decay", words["decay"], 1e-4, 0.1, 0.03, log=True, zero=True),
        slider("scale", words["scale"], 0.03, 3.0, 0.3, log=True, shown="× {value}"),
        button("seed", words["again"], 3),
    ]
    data = {"hidden": 8, "epochs": 20, "count": 40}
    return Demo("first_layer_pictures", words, controls, data, height=600, seconds=6.0, state=state)
