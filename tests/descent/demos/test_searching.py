"""The demos of units 9 and 10 agree with numpy and show what they say."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from descent import demos

from .reference import mulberry32, nearly_normal


def bump(at: Any, centre: float, width: float) -> Any:
    return np.exp(-((at - centre) ** 2) / (2 * width**2))


@pytest.mark.parametrize("trials", [4, 9, 25])
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_grid_vs_random(trials: int, share: float, javascript: Any, agree: Any) -> None:
    data = {"draws": 50}
    given = {"trials": trials, "share": share, "seed": 5}
    (seen,) = javascript("grid_vs_random", [("simulate", given, data)])
    uniform = mulberry32(5)
    wins = 0
    for draw in range(50):
        peak, other = 0.1 + 0.8 * uniform(), 0.1 + 0.8 * uniform()

        def run(xs: Any, ys: Any, peak: float = peak, other: float = other) -> Any:
            scores = (1 - share) * bump(xs, peak, 0.09) + share * bump(ys, other, 0.3)
            return {"x": xs, "y": ys, "scores": scores, "best": scores.max()}

        side = round(math.sqrt(trials))
        places = np.arange(trials)
        grid = run((places % side + 0.5) / side, (places // side + 0.5) / side)
        xs = np.array([uniform() for _ in range(trials)])
        random = run(xs, np.array([uniform() for _ in range(trials)]))
        wins += random["best"] > grid["best"]
        if draw == 0:
            agree(seen, {"grid": grid, "random": random, "peak": peak, "other": other})
    assert seen["wins"] == wins / 50


def test_random_search_wins_when_one_parameter_matters(javascript: Any) -> None:
    calls = [
        ("simulate", {"trials": 16, "share": share, "seed": 0}, {"draws": 3000})
        for share in (0.0, 0.5)
    ]
    alone, shared = (seen["wins"] for seen in javascript("grid_vs_random", calls))
    assert alone > 0.7
    assert shared < 0.5


@pytest.mark.parametrize(("low", "high"), [(1e-6, 1.0), (1e-1, 1e-4)])
def test_coarse_to_fine(low: float, high: float, javascript: Any, agree: Any) -> None:
    demo = demos.coarse_to_fine()
    data = demo.data
    given = {"low": low, "high": high, "trials": 12, "keep": 4, "seed": 8}
    (seen,) = javascript("coarse_to_fine", [("simulate", given, data)])
    uniform = mulberry32(8)
    ranges = {"rate": sorted(np.log10([low, high])), "reg": data["reg"]}
    for stage, told in enumerate(seen["stages"]):
        agree(told, {"rates": ranges["rate"], "regs": ranges["reg"]})
        trials = []
        for _ in range(12):
            rate, reg = (a + (b - a) * uniform() for a, b in ranges.values())
            hill = math.exp(-((rate + 2.2) ** 2) / 1.1 - (reg + 3.6) ** 2 / 6)
            score = 0.35 + 0.6 * hill + data["noise"][stage] * nearly_normal(uniform)
            trials.append({"rate": rate, "reg": reg, "score": min(0.99, max(0.1, score))})
        agree(told["found"], trials)
        best = sorted(trials, key=lambda trial: -trial["score"])[:4]
        agree(told["best"], best[0])
        for name in ranges:
            values = [trial[name] for trial in best]
            a, b = min(values), max(values)
            ranges[name] = [a, b] if b - a >= 0.05 else [a - 0.025, b + 0.025]


@pytest.mark.parametrize("alike", [0.0, 0.5, 1.0])
def test_ensemble_size(alike: float, javascript: Any, agree: Any) -> None:
    demo = demos.ensemble_size()
    data = {"examples": 60, "classes": 4, "members": 6}
    given = {**demo.params, "alike": alike, "seed": 4}
    (seen,) = javascript("ensemble_size", [("simulate", given, data)])
    uniform = mulberry32(4)
    drawn = [[nearly_normal(uniform) for _ in range(60 * 4)] for _ in range(7)]
    shared, *own = (np.array(block).reshape(60, 4) for block in drawn)
    skill = given["skill"] * np.eye(4)[0]
    probabilities = []
    for noise in own:
        mixed = math.sqrt(alike) * shared + math.sqrt(1 - alike) * noise
        scores = given["sure"] * (skill + mixed)
        raised = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities.append(raised / raised.sum(axis=1, keepdims=True))
    stack = np.array(probabilities)
    averages = np.cumsum(stack, axis=0) / np.arange(1, 7)[:, None, None]
    expected = {
        "single": (stack.argmax(axis=2) == 0).mean(axis=1),
        "singleLoss": -np.log(stack[:, :, 0]).mean(axis=1),
        "loss": -np.log(averages[:, :, 0]).mean(axis=1),
    }
    expected["meanAccuracy"] = expected["single"].mean()
    expected["meanLoss"] = expected["singleLoss"].mean()
    labels = stack.argmax(axis=2)
    pairs = [(labels[a] != labels[b]).mean() for a, b in combinations(range(6), 2)]
    agree(seen, expected | {"disagreement": np.mean(pairs)})
    if alike < 1:
        # With equal members the sum of equal numbers may round either way at a tie.
        agree(seen["accuracy"], (averages.argmax(axis=2) == 0).mean(axis=1))
    assert seen["loss"][-1] <= seen["meanLoss"] + 1e-12


def test_variety_is_what_helps(javascript: Any) -> None:
    demo = demos.ensemble_size()
    calls = [("simulate", {**demo.params, "alike": a}, demo.data) for a in (0.0, 0.5, 1.0)]
    gains = [
        seen["accuracy"][-1] - seen["meanAccuracy"] for seen in javascript("ensemble_size", calls)
    ]
    assert gains[0] > gains[1] > gains[2]
    assert gains[2] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("example", ["clear", "doubtful"])
@pytest.mark.parametrize("t", [0.25, 4.0, 32.0])
def test_temperature(example: str, t: float, javascript: Any, agree: Any) -> None:
    data = demos.temperature().data
    given = {"temperature": t, "example": example}
    (seen,) = javascript("temperature", [("simulate", given, data)])

    def softmax(scores: Any, temperature: float) -> Any:
        raised = np.exp((np.array(scores) - max(scores)) / temperature)
        return raised / raised.sum()

    teacher = data["examples"][example]
    pulls = [
        np.linalg.norm(softmax(data["student"], u) - softmax(teacher, u)) / u
        for u in data["temperatures"]
    ]
    soft = softmax(teacher, t)
    expected = {"hard": softmax(teacher, 1), "soft": soft, "pulls": pulls, "most": math.log(10)}
    expected["entropy"] = -(soft * np.log(soft)).sum()
    expected["scaled"] = np.array(pulls) * np.array(data["temperatures"]) ** 2
    agree(seen, expected)
    # With T² the size of the gradient settles; without it, it vanishes.
    assert seen["scaled"][-1] == pytest.approx(seen["scaled"][-6], rel=0.2)
    assert seen["pulls"][-1] < 0.02 * max(seen["pulls"])
