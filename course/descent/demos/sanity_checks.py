"""Demos of unit 2: the loss that chance predicts."""

from __future__ import annotations

from .controls import button, select, slider
from .engine import Demo
from .strings import TABLES

__all__ = ["loss_at_chance"]


def loss_at_chance(*, state: str | None = None) -> Demo:
    """The loss before training against what chance predicts, as the weights' scale grows.

    Args:
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    words = TABLES["loss_at_chance"]
    controls = [
        slider("scale", words["scale"], 1e-4, 10.0, 0.01, log=True),
        select("classes", words["classes"], [2, 3, 10, 100], words, value=10),
        select("kind", words["kind"], ["softmax", "hinge"], words),
        button("seed", words["again"], 1),
    ]
    scales = [float(f"{10 ** (k / 6 - 4):.4g}") for k in range(31)]
    # 64 inputs of standard deviation 1 make scores 8 times as spread as the weights.
    data = {"examples": 24, "spread": 8.0, "scales": scales}
    return Demo("loss_at_chance", words, controls, data, height=570, state=state)
