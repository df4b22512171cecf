"""Unit 1's demos agree with numpy, rounding included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from descent import demos

FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[float], float]]] = {
    "cube": (lambda x: x * x * x, lambda x: 3 * x * x),
    "bell": (lambda x: type(x)(1) / (type(x)(1) + x * x), lambda x: -2 * x / (1 + x * x) ** 2),
    "root": (lambda x: np.sqrt(type(x)(1) + x * x), lambda x: x / np.sqrt(1 + x * x)),
}


def gap(a: float, b: float) -> float:
    return 0.0 if a == b else abs(a - b) / max(abs(a), abs(b))


def differences(name: str, kind: type, x: float, h: float) -> tuple[float, float]:
    f, _ = FUNCTIONS[name]
    x, h = kind(x), kind(h)
    forward = (f(x + h) - f(x)) / h
    return float(forward), float((f(x + h) - f(x - h)) / (kind(2) * h))


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_step_size(name: str, precision: str, javascript: Any, agree: Any) -> None:
    kind = getattr(np, precision)
    data = demos.step_size().data
    points = [(x, h) for x in (0.8, -1.3, 1.2345, 0.0) for h in (0.32, 1e-5, 2.7e-9)]
    calls = [
        ("simulate", {"x": x, "h": h, "function": name, "precision": precision}, data)
        for x, h in points
    ]
    for (x, h), seen in zip(points, javascript("step_size", calls), strict=True):
        truth = float(FUNCTIONS[name][1](float(kind(x))))
        slopes = differences(name, kind, x, h)
        curves = np.array(
            [[gap(s, truth) for s in differences(name, kind, x, step)] for step in data["steps"]]
        )
        expected = {"truth": truth, "slopes": slopes, "errors": [gap(s, truth) for s in slopes]}
        agree(seen, expected | {"forward": curves[:, 0], "centred": curves[:, 1]})


def test_step_size_shows_both_orders_and_the_rise(javascript: Any) -> None:
    demo = demos.step_size()
    (seen,) = javascript("step_size", [("simulate", demo.params, demo.data)])
    steps = np.array(demo.data["steps"])
    smooth = (steps > 1e-4) & (steps < 1e-1)
    for curve, order in (("forward", 1), ("centred", 2)):
        slope = np.polyfit(np.log(steps[smooth]), np.log(np.array(seen[curve])[smooth]), 1)[0]
        assert slope == pytest.approx(order, abs=0.05)
        assert np.array(seen[curve])[steps < 1e-13].max() > 1e-4


@pytest.mark.parametrize("name", ["relu", "leaky", "abs", "maxout", "smooth"])
def test_kink_explorer(name: str, javascript: Any, agree: Any) -> None:
    f: Callable[[float], float] = {
        "relu": lambda x: max(0.0, x),
        "leaky": lambda x: max(0.1 * x, x),
        "abs": abs,
        "maxout": lambda x: max(0.5 * x, 2 * x),
        "smooth": lambda x: x * x,
    }[name]
    sides = {"relu": (0, 1), "leaky": (0.1, 1), "abs": (-1, 1), "maxout": (0.5, 2)}
    data = demos.kink_explorer().data
    points = [(x, h) for x in (-0.3, -1e-6, 0.42) for h in (0.5, 1e-5, 1e-7)]
    calls = [("simulate", {"function": name, "x": x, "h": h, "zoom": 1}, data) for x, h in points]
    for (x, h), seen in zip(points, javascript("kink_explorer", calls), strict=True):
        analytic = 2 * x if name == "smooth" else sides[name][x > 0]

        def numeric(step: float, x: float = x) -> float:
            return (f(x + step) - f(x - step)) / (2 * step)

        crossed = name != "smooth" and (x + h > 0) != (x - h > 0)
        expected = {"analytic": analytic, "numeric": numeric(h), "crossed": crossed}
        expected["error"] = gap(numeric(h), analytic)
        turn = [] if name == "smooth" else [abs(x), abs(x) * (1 + 1e-6)]
        places = sorted(data["steps"] + turn)
        curve = [gap(numeric(s), analytic) for s in places]
        agree(seen, expected | {"places": places, "curve": curve})


def test_the_error_climbs_only_beyond_the_kink(javascript: Any) -> None:
    """Between two steps the curve is drawn as a straight line: one must stand at the kink."""
    demo = demos.kink_explorer()
    for name in ("relu", "abs"):
        given = demo.params | {"function": name, "x": -0.3}
        (seen,) = javascript("kink_explorer", [("simulate", given, demo.data)])
        places, errors = np.array(seen["places"]), np.array(seen["curve"])
        assert errors[places <= 0.3].max() < 1e-7
        assert 0.3 < places[errors > 1e-7].min() < 0.3001
