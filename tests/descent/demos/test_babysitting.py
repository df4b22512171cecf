"""Unit 5's demos train the same networks as numpy, bit for bit, also where training is chaotic."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from descent import demos
from descent.demos import babysitting

from .reference import exp, mulberry32, nearly_normal, train


def test_random_numbers_are_the_same_in_both_languages(javascript: Any) -> None:
    """Seen through a demo that shows its noise as it is."""
    uniform = mulberry32(42)
    expected = [uniform() for _ in range(24)]
    assert min(expected) >= 0
    assert max(expected) < 1
    call = ("simulate", {"classes": 2, "kind": "hinge", "scale": 1.0, "seed": 42})
    data = {"examples": 1, "spread": 1.0, "scales": [1.0]}
    (seen,) = javascript("loss_at_chance", [(*call, data)])
    assert seen["bars"] == [sum(expected[:12], -6.0), sum(expected[12:], -6.0)]


def test_own_exponential_is_exact_to_a_unit_in_the_last_place(javascript: Any) -> None:
    values = -np.linspace(0, 710, 1501)
    seen = javascript("network", [("exp", float(v)) for v in values])
    assert seen == exp(values).tolist()
    np.testing.assert_allclose(seen, np.exp(np.where(values < -700, -np.inf, values)), rtol=5e-16)


def plain(net: dict[str, Any]) -> dict[str, Any]:
    return {name: np.asarray(w).ravel() for name, w in net.items()}


@pytest.mark.parametrize(("rate", "batch"), [(0.005, 5), (0.5, 1), (2.5, 5), (8.0, 15), (30.0, 60)])
def test_learning_rate_explorer(rate: float, batch: int, javascript: Any, agree: Any) -> None:
    demo = demos.learning_rate_explorer()
    given = {**demo.params, "rate": rate, "batch": batch}
    (seen,) = javascript("learning_rate_explorer", [("simulate", given, demo.data)])
    setting = {key: demo.data[key] for key in ("hidden", "epochs")}
    setting |= {key: given[key] for key in ("rate", "batch", "seed")}
    expected = train(dict(demo.data), setting)
    agree(seen["run"]["nets"][-1], plain(expected["nets"][-1]))
    jumps = np.abs(np.diff(expected["loss"][len(expected["loss"]) // 2 :]))
    assert seen["wiggle"] == pytest.approx(jumps.mean(), rel=1e-9)
    for key in ("loss", "epochLoss", "accuracy"):
        agree(seen["run"][key], expected[key])


def test_four_classic_curves(javascript: Any) -> None:
    demo = demos.learning_rate_explorer()
    (seen,) = javascript("learning_rate_explorer", [("simulate", demo.params, demo.data)])
    low, good, high, very_high = map(np.array, seen["references"])
    # Low: nearly a line, and far from done. A line explains over nine tenths of it.
    epochs = np.arange(len(low))
    line = np.polyval(np.polyfit(epochs, low, 1), epochs)
    assert 1 - ((low - line) ** 2).sum() / ((low - low.mean()) ** 2).sum() > 0.9
    assert good[-5:].mean() < 0.3 * low[-5:].mean()
    # High: fast at first, then stuck above the good one. Very high: worse than the start.
    assert high[:2].min() < low[1]
    assert high[-10:].mean() > 2 * good[-10:].mean()
    assert very_high[-10:].mean() > math.log(3)


def test_wiggle_falls_with_the_batch(javascript: Any) -> None:
    demo = demos.learning_rate_explorer()
    given = [("simulate", {**demo.params, "batch": b}, demo.data) for b in (1, 5, 15)]
    wiggles = [seen["wiggle"] for seen in javascript("learning_rate_explorer", given)]
    assert wiggles == sorted(wiggles, reverse=True)


@pytest.mark.parametrize("changes", [{}, {"rate": 1e-3}, {"scale": 10.0, "seed": 5}])
def test_update_ratio_dial(changes: dict[str, Any], javascript: Any, agree: Any) -> None:
    demo = demos.update_ratio_dial()
    given = demo.params | changes
    (seen,) = javascript("update_ratio_dial", [("simulate", given, demo.data)])
    expected = train(dict(demo.data), {**demo.data, **given})
    agree(seen, {key: expected[key] for key in ("ratio1", "ratio2")})
    last = math.ceil(len(demo.data["y"]) / demo.data["batch"])
    now = [sorted(expected[key][-last:])[last // 2] for key in ("ratio1", "ratio2")]
    agree(seen, {"now": now, "loss": expected["epochLoss"]})


def patterns(seed: int, count: int) -> dict[str, Any]:
    uniform = mulberry32(seed)
    lines = [lambda i, _: i, lambda _, j: j]
    lines += [lambda i, j: (i + j) / 1.4, lambda i, j: (i - j) / 1.4]
    x, y = [], []
    for n in range(count):
        line = lines[n % 4]
        at = (1.5 + 4 * uniform(), 1.5 + 4 * uniform())
        centre = line(*at)
        for i in range(8):
            for j in range(8):
                bar = max(0.0, 1 - abs(line(i, j) - centre) / 1.6)
                x.append(bar - 0.25 + 0.4 * (uniform() - 0.5))
        y.append(n % 4)
    return {"x": x, "y": y, "inputs": 64, "classes": 4}


def smoothness(filters: Any) -> float:
    """Mean over units of 1 − neighbours' squared differences beside those of independent pixels."""
    found = []
    for picture in filters.T.reshape(-1, 8, 8):
        steps = np.concatenate([np.diff(picture, axis=0).ravel(), np.diff(picture, axis=1).ravel()])
        found.append(1 - (steps**2).mean() / (2 * picture.var()))
    return float(np.mean(found))


@pytest.mark.parametrize("changes", [{}, {"decay": 0.0, "scale": 2.0}, {"rate": 1.5, "seed": 9}])
def test_first_layer_pictures(changes: dict[str, Any], javascript: Any, agree: Any) -> None:
    demo = demos.first_layer_pictures()
    given = demo.params | changes
    (seen,) = javascript("first_layer_pictures", [("simulate", given, demo.data)])
    data = patterns(given["seed"], demo.data["count"])
    expected = train(data, {**demo.data, **given, "batch": 8})
    agree(seen["filters"][-1], expected["nets"][-1]["w1"].ravel())
    agree(seen["loss"], expected["epochLoss"])
    agree(seen["smooth"], [smoothness(net["w1"]) for net in expected["nets"]])


def test_good_training_is_smooth_and_bad_training_noisy(javascript: Any) -> None:
    demo = demos.first_layer_pictures()
    spoilt = {**demo.params, "decay": 0.0, "scale": 3.0}
    calls = [("simulate", given, demo.data) for given in (demo.params, spoilt)]
    good, bad = javascript("first_layer_pictures", calls)
    assert good["smooth"][0] == pytest.approx(0, abs=0.15)
    assert good["smooth"][-1] > 0.6
    assert bad["smooth"][-1] < 0.3


def clouds(seed: int, data: dict[str, Any]) -> tuple[Any, Any]:
    uniform = mulberry32(seed)
    points, labels = [], []
    for n in range(data["validation"] + data["most"]):
        a, b = (1 if n & 1 else -1), (1 if n & 2 else -1)
        x = 0.5 * a + data["spread"] * nearly_normal(uniform)
        points.append([x, 0.5 * b + data["spread"] * nearly_normal(uniform)])
        labels.append(int(a * b > 0))
    return np.array(points), np.array(labels)


@pytest.mark.parametrize("changes", [{}, {"capacity": 3, "reg": 0.01}, {"examples": 100}])
def test_train_val_gap(changes: dict[str, Any], javascript: Any, agree: Any) -> None:
    demo = demos.train_val_gap()
    given, data = demo.params | changes, dict(demo.data)
    (seen,) = javascript("train_val_gap", [("simulate", given, data)])
    points, labels = clouds(given["seed"], data)
    k = np.arange(given["capacity"])
    radius = 1.3 * np.sqrt((k + 0.5) / given["capacity"])
    angle = 2.399963229728653 * k
    centres = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    width = 1.7 / math.sqrt(given["capacity"])
    square = ((points[:, None] - centres) ** 2).sum(axis=2)
    rows = np.hstack([np.exp(-square / (2 * width**2)), np.ones((len(points), 1))])
    held, used = slice(0, data["validation"]), slice(data["validation"], None)
    x, y = rows[used][: given["examples"]], labels[used][: given["examples"]]
    w, v = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    expected: dict[str, list[Any]] = {"train": [], "validation": [], "weights": []}
    for epoch in range(data["epochs"] + 1):
        if epoch:
            slope = x.T @ (1 / (1 + np.exp(-x @ w)) - y) / len(y)
            slope[:-1] += given["reg"] * w[:-1]
            v = data["mu"] * v - data["rate"] * slope
            w = w + v
        expected["train"].append(((x @ w > 0) == y).mean())
        expected["validation"].append(((rows[held] @ w > 0) == labels[held]).mean())
        expected["weights"].append(w)
    agree(seen, expected)


def test_capacity_opens_the_gap_and_data_close_it(javascript: Any) -> None:
    demo = demos.train_val_gap()
    calls = []
    for seed in range(8):
        for change in ({}, {"capacity": 6}, {"examples": 100}):
            calls.append(("simulate", demo.params | change | {"seed": seed}, demo.data))
    runs = javascript("train_val_gap", calls)
    gaps = np.array([run["train"][-1] - run["validation"][-1] for run in runs]).reshape(8, 3)
    wide, small, more = gaps.mean(axis=0)
    assert wide > small + 0.05
    assert wide > more + 0.05


def test_the_lesson_shows_every_demo_of_its_unit() -> None:
    lesson = Path(__file__).parents[3] / "course" / "lessons" / "05-babysitting.ipynb"
    source = lesson.read_text(encoding="utf-8")
    shown = [name for name in babysitting.__all__ if name != "spiral_points"]
    assert [name for name in shown if f"demos.{name}()" not in source] == []


def test_batch_size_wiggle_is_the_explorer_opened_elsewhere() -> None:
    demo, explorer = demos.batch_size_wiggle(), demos.learning_rate_explorer()
    assert demo.strings["title"] != explorer.strings["title"]
    assert demo.state == "batch=1&axis=iterations"
    assert demo.data == explorer.data
    assert demo.still() is None, "the explorer's picture isn't what it shows"
    assert len(demo.html().encode()) < 60_000
