"""The race: paths as the reference's rules take them, rates really tuned, guests welcome."""

from __future__ import annotations

import json
import shutil
from typing import Any

import numpy as np
import pytest
from descent import demos
from descent.demos.landscapes import BALANCED, LANDSCAPES, TURNED_RAVINE
from descent.demos.race import (
    NUM_STEPS,
    RULES,
    SWEEP,
    best_rate,
    run_rule,
    steps_needed,
    tuned_rates,
)

from .race_data import FOLDER, fewest, measure
from .reference import mulberry32, nearly_normal

optimizers = pytest.importorskip("descent_solutions.optimizers")
KEYWORDS = {"momentum": {"mu": 0.9}, "nesterov": {"mu": 0.9}}


def reference(rule: str) -> Any:
    """The reference's rule, with the race's momentum."""
    return lambda w, dw, state=None, *, learning_rate: getattr(optimizers, rule)(
        w, dw, state, learning_rate=learning_rate, **KEYWORDS.get(rule, {})
    )


def params(landscape: str, **changes: Any) -> dict[str, Any]:
    rates = {rule: [True, rate] for rule, rate in tuned_rates(landscape).items()}
    start = list(LANDSCAPES[landscape].start)
    given = {"landscape": landscape, "mu": 0.9, "noise": 0, "seed": 0, "start": start}
    return given | rates | changes


@pytest.mark.parametrize("name", [*LANDSCAPES, "turned"])
def test_slope_is_the_derivative(name: str) -> None:
    ground = {**LANDSCAPES, "turned": TURNED_RAVINE}[name]
    w = np.array([[0.3, -1.2, 2.0], [1.7, 0.4, -0.6]])
    h = 1e-6
    for axis, unit in enumerate(np.eye(2)):
        step = h * unit[:, None]
        numeric = (ground.value(w + step) - ground.value(w - step)) / (2 * h)
        np.testing.assert_allclose(ground.slope(w)[axis], numeric, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_paths_are_the_reference_rules(name: str, javascript: Any, agree: Any) -> None:
    data = demos.race().data
    starts = [LANDSCAPES[name].start, (1.3, -0.7)]
    calls = [("simulate", params(name, start=list(start)), data) for start in starts]
    for start, seen in zip(starts, javascript("optimizer_race", calls), strict=True):
        for rule, rate in tuned_rates(name).items():
            points = run_rule(reference(rule), name, start, rate, NUM_STEPS)
            losses = LANDSCAPES[name].value(points.T)
            agree(seen["runs"][rule], {"x": points[:, 0], "y": points[:, 1], "loss": losses})


def test_momentum_slider_reaches_the_rules(javascript: Any, agree: Any) -> None:
    call = ("simulate", params("ravine", mu=0.5), demos.race().data)
    (seen,) = javascript("optimizer_race", [call])
    slope = LANDSCAPES["ravine"].slope
    rate = tuned_rates("ravine")["momentum"]
    w, state = np.array(LANDSCAPES["ravine"].start), None
    for step in range(NUM_STEPS):
        w, state = optimizers.momentum(w, slope(w), state, learning_rate=rate, mu=0.5)
        run = seen["runs"]["momentum"]
        agree([run["x"][step + 1], run["y"][step + 1]], w)


def test_noise_is_the_same_for_all_and_comes_from_the_seed(javascript: Any, agree: Any) -> None:
    call = ("simulate", params("bowl", noise=0.3, seed=7), demos.race().data)
    (seen,) = javascript("optimizer_race", [call])
    uniform = mulberry32(7)
    noise = [0.3 * nearly_normal(uniform) for _ in range(2 * NUM_STEPS)]
    for rule, rate in tuned_rates("bowl").items():
        w, state = np.array(LANDSCAPES["bowl"].start), None
        for step in range(NUM_STEPS):
            gradient = LANDSCAPES["bowl"].slope(w) + noise[2 * step : 2 * step + 2]
            w, state = reference(rule)(w, gradient, state, learning_rate=rate)
            run = seen["runs"][rule]
            agree([run["x"][step + 1], run["y"][step + 1]], w)


@pytest.mark.parametrize("name", LANDSCAPES)
def test_rates_are_tuned(name: str) -> None:
    """The sweep, run again with the reference's rules, finds the stored rates."""
    start = LANDSCAPES[name].start
    for rule, rate in tuned_rates(name).items():
        assert rate == best_rate(reference(rule), name, start)
        assert SWEEP[0] < rate < SWEEP[-1], "the best rate lies on the border of the sweep"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_measured_file_is_fresh() -> None:
    """When this fails, run ``python tests/descent/demos/race_data.py``."""
    assert json.loads((FOLDER / "race.json").read_text()) == json.loads(measure())


def test_turned_ravine_is_the_ravine() -> None:
    assert TURNED_RAVINE.value(np.array(TURNED_RAVINE.start)) == pytest.approx(
        LANDSCAPES["ravine"].value(np.array(LANDSCAPES["ravine"].start))
    )
    # Rules that treat all directions alike don't notice the turn; a rate a parameter does.
    ravine, turned = (steps_needed()[name] for name in ("ravine", "turned"))
    for rule in ("sgd", "momentum", "nesterov"):
        assert ravine[rule] == turned[rule]
    for rule in ("adagrad", "rmsprop", "adam"):
        assert ravine[rule]["tuned"] < turned[rule]["tuned"]


def test_fewest_steps_are_what_a_run_takes() -> None:
    ground = LANDSCAPES["ravine"]
    points = run_rule(
        lambda *given, learning_rate: optimizers.momentum(
            *given, learning_rate=learning_rate, mu=0.5
        ),
        *("ravine", ground.start, 1.0, NUM_STEPS),
    )
    loss = ground.value(points.T)
    needed = int(np.flatnonzero(loss > 1e-3 * loss[0])[-1]) + 1
    assert needed == fewest("momentum", ground, {"mu": 0.5})
    assert needed == steps_needed()["ravine"]["momentum"]["tuned"]


def test_nobody_leaves_the_crest_without_noise(javascript: Any) -> None:
    """Also when keys have moved the start: a pixel's rounding is no noise."""
    demo = demos.optimizer_race("saddle", start=BALANCED)
    assert demo.params["start"] == BALANCED
    moved = {**demo.params, "start": [1.5, -3e-17]}
    noisy = {**demo.params, "noise": 1e-3}
    calls = [("simulate", given, demo.data) for given in (demo.params, moved, noisy)]
    still, along, shaken = javascript("optimizer_race", calls)
    for seen in (still, along):
        assert all(set(run["y"]) == {0} for run in seen["runs"].values())
    for rule, run in shaken["runs"].items():
        out = next(step for step, y in enumerate(run["y"]) if abs(y) > 1)
        assert out == 1 if rule in ("rmsprop", "adam", "adagrad") else 1 < out <= 20
    for rule, path in demo.all_paths().items():
        run = still["runs"][rule]
        np.testing.assert_allclose(path.T, [run["x"], run["y"]], rtol=1e-4)


def test_still_shows_the_race_that_opens() -> None:
    """Another landscape or another start isn't the ravine's picture."""
    ravine = demos.optimizer_race().still()
    saddle = demos.optimizer_race("saddle").still()
    balanced = demos.optimizer_race("saddle", start=BALANCED).still()
    assert len({ravine, saddle, balanced}) == 3
    assert saddle is not None
    assert balanced is not None
    assert max(len(saddle), len(balanced)) < 60_000
    assert demos.optimizer_race("saddle", start=(1.0, 1.0)).still() is None


def my_rule(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
    """SGD that changes w in place, counts its steps and answers with a list."""
    w -= learning_rate * dw
    return list(w), (state or 0) + 1


def test_own_rule_takes_part(javascript: Any, agree: Any) -> None:
    demo = demos.race({"mine": my_rule}, landscape="saddle")
    assert demo.rates == {"mine": tuned_rates("saddle")["sgd"]}
    (seen,) = javascript("optimizer_race", [("simulate", demo.params, demo.data)])
    runs = seen["runs"]
    assert set(runs) == {*RULES, "guest0"}
    for axis in "xy":
        np.testing.assert_allclose(runs["guest0"][axis], runs["sgd"][axis], rtol=1e-4)
    assert '"label":"mine"' in demo.document()


def test_a_rule_that_runs_away_ends_where_numbers_end() -> None:
    demo = demos.race({"mine": my_rule}, landscape="saddle", learning_rate=50.0)
    (guest,) = demo.data["guests"]
    assert 1 < len(guest["x"]) < 20
    assert len(demo.html()) < 60_000


def test_names_of_rules_are_no_code() -> None:
    demo = demos.race({"</script><img onerror=1>": my_rule}, landscape="bowl")
    assert "<img" not in demo.document()


@pytest.mark.parametrize(("key", "value"), [("landscape", "hill"), ("num_steps", 0)])
def test_impossible_races_are_refused(key: str, value: Any) -> None:
    with pytest.raises(ValueError, match=key):
        demos.race(**{key: value})


def test_moving_picture(tmp_path: Any) -> None:
    from PIL import Image

    path = demos.race({"mine": my_rule}, landscape="saddle").save_gif(tmp_path / "race.gif")
    assert path.stat().st_size < 300_000
    with Image.open(path) as picture:
        assert picture.n_frames == 1 + NUM_STEPS // 2
        first = np.asarray(picture.convert("RGB"))
        picture.seek(picture.n_frames - 1)
        assert (np.asarray(picture.convert("RGB")) != first).any()


def test_still_of_own_rules_is_drawn() -> None:
    still = demos.race({"mine": my_rule}, start=(1.0, 1.0)).still()
    assert still is not None
    assert still.startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="give some"):
        demos.race(start=(1.0, 1.0)).save_gif("unused.gif")
