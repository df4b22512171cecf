"""How the functions of unit 9 are exercised."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from descent.judging.observing import Case, Observer, question
from descent.judging.values import read

NUM_DRAWS = 800
SPREAD = 6.2 * 0.5 / float(np.sqrt(NUM_DRAWS))
"""A fair share of one half strays further than this once in two thousand million runs."""


def near_half(share: float) -> bool:
    """Whether a share over `NUM_DRAWS` draws may well be one half."""
    return abs(share - 0.5) <= SPREAD


@question()
def log_uniform(see: Observer, case: Case) -> None:
    (function,) = see.functions
    low, high, seed = case["low"], case["high"], case["seed"]
    draws = see.array(function(low, high, np.random.default_rng(seed), NUM_DRAWS), "sample")
    see("shape of a sample", list(draws.shape))
    see("all positive", bool(np.all(draws > 0)))
    see("all within the range", bool(np.all((draws >= low * 0.99999) & (draws <= high * 1.00001))))
    with np.errstate(all="ignore"):
        position = np.log(draws / low) / np.log(high / low)
    see("half of them below the geometric middle", near_half(float(np.mean(position < 0.5))))
    quarters = [float(np.mean((position >= k / 4) & (position < (k + 1) / 4))) for k in range(4)]
    see("a quarter in each quarter of the logarithm", [abs(q - 0.25) < SPREAD for q in quarters])
    see("an array of two axes", list(see.array(_draw(function, case, (2, 3))).shape))
    see("one number when size is left out", see.array(_draw(function, case, None)).size)
    again = see.array(function(low, high, np.random.default_rng(seed), NUM_DRAWS))
    see("an equal generator gives equal numbers", np.array_equal(draws, again))
    rng = np.random.default_rng(seed)
    one, other = _draw(function, case, None, rng), _draw(function, case, None, rng)
    see("the next call gives other numbers", not np.array_equal(one, other))


def _draw(function: Any, case: Case, size: Any, rng: np.random.Generator | None = None) -> Any:
    rng = rng or np.random.default_rng(case["seed"])
    given = () if size is None else (size,)
    return function(case["low"], case["high"], rng, *given)


@question()
def on_border(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for value in case["values"]:
        answer = function(value, case["low"], case["high"], **case["options"])
        see(f"{value:.4g} near the border", answer)


@question()
def narrow_range(see: Observer, case: Case) -> None:
    (function,) = see.functions
    low, high = see.unpack(function(case["trials"], case["name"], **case["options"]), "low, high")
    see("low", low)
    see("high", high)


@question()
def should_abandon(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for name, losses in case["runs"].items():
        see(f"give up: {name}", function(losses, **case["options"]))


def _score(config: Any) -> float:
    return -sum(abs(float(np.log10(abs(v) + 1e-12)) + 1.5) for v in config.values())


@question()
def random_search(see: Observer, case: Case) -> None:
    (function,) = see.functions
    space, seed = case["space"], case["seed"]
    tried: list[dict[str, float]] = []

    def objective(config: Any) -> float:
        tried.append({str(k): float(v) for k, v in config.items()})
        if len(tried) in case["raises"]:
            raise ValueError("this configuration can't be trained")
        return float("nan") if len(tried) in case["nans"] else _score(config)

    def search(rng: np.random.Generator, num_trials: int) -> Any:
        tried.clear()
        return function(objective, space, num_trials, rng)

    trials = list(search(np.random.default_rng(seed), case["num_trials"]))
    see("number of trials", len(trials))
    see("calls of the objective", len(tried))
    scores = see.array([see.entry(t, "score") for t in trials], "scores")
    finished = scores[~np.isnan(scores)]
    see("failed trials", int(np.isnan(scores).sum()))
    see("failed trials come last", not np.isnan(scores[: len(finished)]).any())
    steps = np.diff(finished)
    falling, rising = bool(np.all(steps <= 0)), bool(np.all(steps >= 0))
    see("order", "best first" if falling else "worst first" if rising else "neither")
    configs = [see.entry(t, "config") for t in trials[: len(finished)]]
    own = np.array([_score(c) for c in configs])
    paired = own.shape == finished.shape and bool(np.allclose(own, finished))
    see("each trial has its own score", paired)
    see("names of the hyper-parameters", set(configs[0]) if configs else None)
    _drawn_well(see, search, space, seed)


def _drawn_well(see: Observer, search: Any, space: Any, seed: int) -> None:
    """How the configurations of a long search are spread."""

    def configs(seed: int, num_trials: int) -> list[Any]:
        return [see.entry(t, "config") for t in search(np.random.default_rng(seed), num_trials)]

    few = read(configs(seed, 20))
    see("an equal generator gives equal trials", few == read(configs(seed, 20)))
    see("another generator gives other trials", few != read(configs(seed + 1, 20)))
    many = configs(seed, NUM_DRAWS)
    positions = []
    for name, (low, high, scale) in space.items():
        values = np.array([float(see.entry(c, name)) for c in many])
        see(f"{name} within its range", bool(np.all((values >= low) & (values <= high))))
        see(f"{name} takes a new value each time", len(set(values)) > 0.9 * len(values))
        position = (values - low) / (high - low)
        if scale == "log":
            position = np.log(np.abs(values / low)) / np.log(high / low)
        see(f"{name} half below the middle of its scale", near_half(float(np.mean(position < 0.5))))
        positions.append(position)
    correlation = np.corrcoef(positions)[0, 1]
    see("hyper-parameters independent of each other", bool(abs(correlation) < 0.25))


@question()
def successive_halving(see: Observer, case: Case) -> None:
    (function,) = see.functions
    asked: dict[str, list[int]] = {}

    def train(config: Any, state: Any, epochs: int) -> tuple[Any, float]:
        name = str(config["name"])
        asked.setdefault(name, []).append(int(epochs))
        before = 0 if state is None else int(state[1])
        if state is not None and state[0] != name:
            before = -1000
        reached = before + int(epochs)
        start, gain = case["curves"][name]
        return [name, reached], start + gain * (1 - 0.5 ** (reached / 4))

    configs = [{"name": name, "width": i} for i, name in enumerate(case["curves"])]
    trials = function(train, configs, min_epochs=case["min_epochs"], factor=case["factor"])
    see("epochs asked for", asked)
    rows = list(trials)
    see("number of trials", len(rows))
    see("order", [str(see.entry(see.entry(t, "config"), "name")) for t in rows])
    see("epochs in all", [see.entry(t, "epochs") for t in rows])
    see("scores", np.array([float(see.entry(t, "score")) for t in rows]))


@question()
def choose_model(see: Observer, case: Case) -> None:
    (function,) = see.functions
    index, reported = see.unpack(function(case["scores"]), "index, test_score")
    see("chosen model", index)
    see("reported score", reported)


@question()
def k_folds(see: Observer, case: Case) -> None:
    (function,) = see.functions
    n, k, seed = case["num_examples"], case["num_folds"], case["seed"]

    def folds(rng: np.random.Generator) -> list[tuple[Any, Any]]:
        pairs = [see.unpack(pair, "train, validation") for pair in function(n, k, rng)]
        return [(see.array(list(a)).astype(int), see.array(list(b)).astype(int)) for a, b in pairs]

    rng = np.random.default_rng(seed)
    made = folds(rng)
    see("number of folds", len(made))
    validation = np.concatenate([v for _, v in made])
    see("every example in one validation fold", np.array_equal(np.sort(validation), np.arange(n)))
    sizes = [len(v) for _, v in made]
    see("sizes of the validation folds", sorted(sizes))
    see(
        "training and validation don't overlap",
        all(not set(t.tolist()) & set(v.tolist()) for t, v in made),
    )
    see("each training set is all the rest", all(len(t) == n - len(v) for t, v in made))
    see("shuffled", not np.array_equal(validation, np.arange(n)))
    again = folds(np.random.default_rng(seed))
    see("an equal generator gives equal folds", _same_folds(made, again))
    see("another draw gives other folds", not _same_folds(made, folds(rng)))


def _same_folds(one: list[tuple[Any, Any]], other: list[tuple[Any, Any]]) -> bool:
    flat = [[array for pair in folds for array in pair] for folds in (one, other)]
    return len(one) == len(other) and all(map(np.array_equal, *flat))


@question()
def best_checkpoint(see: Observer, case: Case) -> None:
    (function,) = see.functions
    path = function(see.folder(case["files"]))
    if not isinstance(path, str | os.PathLike):
        see("path", path)
        return
    # Names only: the folder stands in another place for everybody.
    head, tail = os.path.split(os.fspath(path))
    see("file", tail)
    see("a path, not a bare name", bool(head))
