"""Unit 6's demos beside the race agree with numpy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from descent import demos


def test_decay_schedules(javascript: Any, agree: Any) -> None:
    demo = demos.decay_schedules()
    p, data = demo.params, demo.data
    (seen,) = javascript("decay_schedules", [("simulate", p, data)])
    t = np.arange(data["epochs"] + 1)
    shares = {
        "constant": np.ones(len(t)),
        "step": p["factor"] ** (t // p["every"]),
        "exponential": np.exp(-p["decay"] * t),
        "inverse": 1 / (1 + p["slowing"] * t),
        "cosine": (1 + np.cos(math.pi * t / data["epochs"])) / 2,
    }
    curvature = np.array(data["curvatures"])
    for name, share in shares.items():
        agree(seen["rates"][name], p["rate"] * share)
        mean, variance = np.full(2, data["start"]), np.zeros(2)
        losses = []
        for rate in p["rate"] * share:
            losses.append((curvature / 2 * (mean**2 + variance)).sum())
            for _ in range(data["steps"]):
                keep = 1 - rate * curvature
                mean, variance = keep * mean, keep**2 * variance + (rate * data["noise"]) ** 2
        agree(seen["losses"][name], losses)


def test_every_decay_can_beat_a_constant_rate_and_can_freeze(javascript: Any) -> None:
    demo = demos.decay_schedules()
    hasty = {**demo.params, "every": 2, "decay": 0.3, "slowing": 5.0}
    calls = [("simulate", given, demo.data) for given in (demo.params, hasty)]
    good, frozen = (seen["losses"] for seen in javascript("decay_schedules", calls))
    for name in ("step", "exponential", "inverse"):
        assert good[name][-1] < good["constant"][-1] < frozen[name][-1]
    assert good["cosine"][-1] < good["constant"][-1]


def test_decay_formula_is_what_noisy_descent_does(javascript: Any) -> None:
    """The closed form beside the mean over 4,000 noisy descents."""
    demo = demos.decay_schedules()
    (seen,) = javascript("decay_schedules", [("simulate", demo.params, demo.data)])
    rng = np.random.default_rng(0)
    curvature, rates = np.array(demo.data["curvatures"]), seen["rates"]["step"]
    w = np.full((4000, 2), demo.data["start"])
    for rate in rates[:-1]:
        for _ in range(demo.data["steps"]):
            noise = demo.data["noise"] * rng.standard_normal(w.shape)
            w = w - rate * (curvature * w + noise)
    loss = (curvature / 2 * w**2).sum(axis=1).mean()
    assert loss == pytest.approx(seen["losses"]["step"][-1], rel=0.1)


def test_hidden_schedules_cost_nothing(javascript: Any) -> None:
    demo = demos.decay_schedules()
    given = {**demo.params, "step": False}
    (seen,) = javascript("decay_schedules", [("simulate", given, demo.data)])
    assert "step" not in seen["rates"]


PLACES: dict[str, Any] = {
    "valley": lambda x, y: (x * x / 20 + y * y) / 2,
    "curved": lambda x, y: ((1 - x) ** 2 + 4 * (y - x * x) ** 2) / 4,
    "saddle": lambda x, y: x * x / 2 - y * y / 2 + y**4 / 16,
}


def slope_and_bend(f: Any, x: float, y: float) -> tuple[Any, Any]:
    """Gradient and Hessian from the value alone, by differences of high order."""
    h = 1e-3
    g = np.zeros(2)
    b = np.zeros((2, 2))
    e = np.eye(2) * h
    at = np.array([x, y])
    for i in range(2):
        g[i] = (8 * (f(*(at + e[i])) - f(*(at - e[i])))
                - f(*(at + 2 * e[i])) + f(*(at - 2 * e[i]))) / (12 * h)  # fmt: skip
        for j in range(2):
            b[i, j] = sum(
                s * t * f(*(at + s * e[i] + t * e[j])) for s in (1, -1) for t in (1, -1)
            ) / (4 * h * h)
    return g, b


@pytest.mark.parametrize("place", PLACES)
def test_newton_vs_gradient(place: str, javascript: Any) -> None:
    demo = demos.newton_vs_gradient()
    given = {"place": place, "start": [-1.1, 0.7], "rate": 0.1}
    (seen,) = javascript("newton_vs_gradient", [("simulate", given, demo.data)])
    f = PLACES[place]
    for name, run in seen["runs"].items():
        np.testing.assert_allclose(run["loss"], f(np.array(run["x"]), np.array(run["y"])))
        for k in range(12):
            here = np.array([run["x"][k], run["y"][k]])
            g, b = slope_and_bend(f, *here)
            step = -0.1 * g if name == "gradient" else -np.linalg.solve(b, g)
            there = [run["x"][k + 1], run["y"][k + 1]]
            np.testing.assert_allclose(there, here + step, rtol=1e-4, atol=1e-5)


def test_newton_needs_one_step_in_a_valley_and_is_caught_by_a_saddle(javascript: Any) -> None:
    demo = demos.newton_vs_gradient()
    places = [("valley", [-6.0, 2.0]), ("saddle", [1.5, 0.8])]
    calls = [("simulate", {"place": p, "start": s, "rate": 0.1}, demo.data) for p, s in places]
    valley, saddle = javascript("newton_vs_gradient", calls)
    assert valley["runs"]["newton"]["loss"][1] == pytest.approx(0, abs=1e-20)
    assert saddle["runs"]["newton"]["loss"][-1] == pytest.approx(0, abs=1e-9)
    assert saddle["runs"]["gradient"]["loss"][-1] < -0.9


def test_newton_demo_opens_where_newton_is_caught(javascript: Any) -> None:
    demo = demos.newton_vs_gradient()
    (seen,) = javascript("newton_vs_gradient", [("simulate", demo.params, demo.data)])
    assert demo.params["place"] == "saddle"
    assert seen["runs"]["newton"]["loss"][-1] == pytest.approx(0, abs=1e-9)
