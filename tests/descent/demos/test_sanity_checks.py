"""Unit 2's demo agrees with numpy, and chance is where it says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from descent import demos

from .reference import mulberry32, nearly_normal


@pytest.mark.parametrize("kind", ["softmax", "hinge"])
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_loss_at_chance(kind: str, classes: int, javascript: Any, agree: Any) -> None:
    demo = demos.loss_at_chance()
    data = demo.data
    uniform = mulberry32(3)
    noise = [nearly_normal(uniform) for _ in range(data["examples"] * classes)]
    scores = np.array(noise).reshape(-1, classes) * data["spread"]

    def loss(scale: float) -> float:
        s = scores * scale
        if kind == "hinge":
            return float(np.maximum(0, s[:, 1:] - s[:, :1] + 1).sum(axis=1).mean())
        top = s.max(axis=1, keepdims=True)
        return float((np.log(np.exp(s - top).sum(axis=1)) - (s - top)[:, 0]).mean())

    given = {"kind": kind, "classes": classes, "scale": 0.3, "seed": 3}
    (seen,) = javascript("loss_at_chance", [("simulate", given, data)])
    expected = {"loss": loss(0.3), "curve": [loss(scale) for scale in data["scales"]]}
    expected["expected"] = math.log(classes) if kind == "softmax" else classes - 1
    agree(seen, expected)
    assert seen["curve"][0] == pytest.approx(seen["expected"], rel=1e-2)
    assert seen["curve"][-1] > 3 * seen["expected"]
