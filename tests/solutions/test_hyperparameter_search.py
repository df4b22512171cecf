"""The reference of unit 9, held against its laws."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from descent_solutions import hyperparameter_search as hs
from hypothesis import given
from hypothesis import strategies as st

seeds = st.integers(0, 10_000)


@given(seeds, st.floats(-6, 2), st.floats(0.01, 6))
def test_log_uniform_stays_within_its_range(seed: int, exponent: float, width: float) -> None:
    low, high = 10**exponent, 10 ** (exponent + width)
    rng = np.random.default_rng(seed)
    draws = hs.log_uniform(low, high, rng, (50, 2))
    assert draws.shape == (50, 2)
    assert np.all((draws >= low * (1 - 1e-12)) & (draws <= high * (1 + 1e-12)))
    assert np.ndim(hs.log_uniform(low, high, rng)) == 0


@given(st.floats(1e-6, 1e-1))
def test_on_border_is_symmetric_on_the_log_scale(value: float) -> None:
    mirrored = 1e-6 * 1e-1 / value
    if abs(math.log10(value / 1e-6) % 0.5) > 1e-6:
        assert hs.on_border(value, 1e-6, 1e-1) == hs.on_border(mirrored, 1e-6, 1e-1)


def test_the_ends_are_on_the_border() -> None:
    assert hs.on_border(1e-5, 1e-5, 1.0)
    assert hs.on_border(1.0, 1e-5, 1.0)
    assert not hs.on_border(3e-3, 1e-5, 1.0)
    # A tenth of the linear range reaches four decades up on the log scale.
    assert hs.on_border(0.05, 1e-5, 1.0, log=False)


@pytest.mark.parametrize(
    ("losses", "abandon"),
    [
        ([1.0, 0.5], False),
        ([1.0, 3.0], False),
        ([1.0, 3.001, 0.1], True),
        ([1.0, math.nan], True),
        ([1.0, math.inf], True),
        ([2.0], False),
    ],
)
def test_should_abandon(losses: list[float], abandon: bool) -> None:
    assert hs.should_abandon(losses) is abandon


def test_random_search_survives_failures_and_lists_them_last() -> None:
    calls = 0

    def objective(config: dict[str, float]) -> float:
        nonlocal calls
        calls += 1
        if calls % 3 == 0:
            raise RuntimeError("no memory")
        return math.nan if calls % 5 == 0 else config["a"]

    trials = hs.random_search(objective, {"a": (0, 1, "linear")}, 15, np.random.default_rng(0))
    scores = [t["score"] for t in trials]
    finished = [s for s in scores if not math.isnan(s)]
    assert len(trials) == calls == 15
    assert finished == sorted(finished, reverse=True)
    assert all(math.isnan(s) for s in scores[len(finished) :])


@given(st.integers(1, 30), st.integers(1, 4), st.integers(2, 4), seeds)
def test_halving_keeps_its_budget_exactly(n: int, min_epochs: int, factor: int, seed: int) -> None:
    quality = np.random.default_rng(seed).random(n)
    spent: dict[int, list[int]] = {}

    def train(config: int, state: Any, epochs: int) -> tuple[int, float]:
        assert epochs > 0
        spent.setdefault(config, []).append(epochs)
        return (state or 0) + epochs, float(quality[config])

    trials = hs.successive_halving(train, range(n), min_epochs=min_epochs, factor=factor)
    rounds, alive = [], n
    while True:
        rounds.append(alive)
        if alive == 1:
            break
        alive = max(1, alive // factor)
    totals = [min_epochs * factor**k for k in range(len(rounds))]
    assert sorted(t["config"] for t in trials) == list(range(n))
    assert all(sum(spent[t["config"]]) == t["epochs"] for t in trials)
    for k, total in enumerate(totals):
        after = rounds[k + 1] if k + 1 < len(rounds) else 0
        assert sum(t["epochs"] == total for t in trials) == rounds[k] - after
    assert trials[0]["config"] == int(quality.argmax())


@given(st.integers(2, 40), st.data())
def test_folds_partition_the_examples(n: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(2, n))
    folds = hs.k_folds(n, k, np.random.default_rng(n))
    assert sorted(np.concatenate([v for _, v in folds]).tolist()) == list(range(n))
    for train, validation in folds:
        assert sorted([*train.tolist(), *validation.tolist()]) == list(range(n))


def test_only_finished_checkpoints_count(tmp_path: Path) -> None:
    (tmp_path / "README").touch()
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        hs.best_checkpoint(str(tmp_path))
    for name in (
        "trial001-epoch001-val9.50.npz",
        "trial002-epoch001-val87.25.npz",
        "trial003-epoch001-val99.00.npz.tmp",
        "trial004-epoch001-valnan.npz",
        "notes-val99.npz",
    ):
        (tmp_path / name).touch()
    assert hs.best_checkpoint(str(tmp_path)).name == "trial002-epoch001-val87.25.npz"
