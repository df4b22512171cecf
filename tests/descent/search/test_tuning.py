"""Optuna on the same objective, at equal budget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from descent.data import blobs, split
from descent.nets import Network
from descent.search import SpaceError, bayesian_search, hyperband, random_baseline

SPACE = {"learning_rate": (1e-4, 1.0, "log"), "units": (8, 32, "log"), "kind": ["a", "b"]}
DATA = split(*blobs(np.random.default_rng(0)), np.random.default_rng(1))


def prepare(config: Any, rng: Any) -> Any:
    network = Network([DATA.num_features, config["units"], DATA.num_classes], rng=rng)
    rate = config["learning_rate"]
    return {"network": network, "data": DATA, "learning_rate": rate, "batch_size": 50}


@pytest.mark.parametrize("search", [random_baseline, bayesian_search, hyperband])
def test_the_budget_is_spent_and_never_exceeded(search: Any) -> None:
    trials = search(prepare, SPACE, budget=25, num_epochs=9, seed=4)
    assert {t.status for t in trials} <= {"finished", "abandoned"}
    assert sum(t.epochs for t in trials) == 25
    assert all(t.epochs <= 9 for t in trials)
    again = search(prepare, SPACE, budget=25, num_epochs=9, seed=4)
    assert [t.config for t in again] == [t.config for t in trials]


def test_halving_gives_up_early_and_so_tries_more() -> None:
    budget = {"budget": 60, "num_epochs": 9, "seed": 0}
    plain = random_baseline(prepare, SPACE, **budget)
    for brackets in (True, False):
        halved = hyperband(prepare, SPACE, brackets=brackets, **budget)
        assert len(halved) > len(plain)
        assert any(t.status == "abandoned" for t in halved)


def test_failures_are_recorded_and_cost_something() -> None:
    def raises(config: Any, rng: Any) -> Any:
        raise RuntimeError("no")

    trials = random_baseline(raises, SPACE, budget=5, num_epochs=3, seed=0)
    assert [t.status for t in trials] == ["failed"] * 5
    with pytest.raises(SpaceError):
        bayesian_search(prepare, {"a": (1, 0)}, budget=5, num_epochs=3, seed=0)
