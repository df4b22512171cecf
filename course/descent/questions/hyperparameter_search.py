"""How the functions of unit 9 are exercised."""

from __future__ import annotations

import itertools
import math
import os
from pathlib import PurePath
from typing import Any

import numpy as np

from descent.judging.observing import Case, Observer, question
from descent.judging.values import describe, read

NUM_DRAWS = 800
SPREAD = 6.2 * 0.5 / float(np.sqrt(NUM_DRAWS))
"""A fair share of one half strays further than this once in two thousand million runs."""

LARGE_SAMPLE = 20_000
LARGEST_GAP = math.sqrt(math.log(2 / 1e-9) / (2 * LARGE_SAMPLE))
"""A right sample's distribution strays further than this once in 1e9 runs (Massart, 1990)."""

MIXED_EXAMPLES, MIXED_FOLDS, MIXED_WITHIN = 400, 4, 0.15
"""Of a fair shuffle, a quarter of all neighbours share a fold; more or less by this much once in
1e10 runs."""


def near_half(share: float) -> bool:
    """Whether a share over `NUM_DRAWS` draws or more may well be one half."""
    return abs(share - 0.5) <= SPREAD


@question()
def log_uniform(see: Observer, case: Case) -> None:
    (function,) = see.functions
    low, high, seed = case["low"], case["high"], case["seed"]
    draws = see.array(_draw(function, case, LARGE_SAMPLE), "sample")
    see("shape of a sample", list(draws.shape))
    see("all positive", bool(np.all(draws > 0)))
    see("all within the range", bool(np.all((draws >= low * 0.99999) & (draws <= high * 1.00001))))
    with np.errstate(all="ignore"):
        position = np.sort(np.log(draws.ravel() / low) / np.log(high / low))
    below_middle = np.count_nonzero(position < 0.5) / max(1, position.size)
    see("half of them below the geometric middle", near_half(below_middle))
    quarter, _ = np.histogram(position[np.isfinite(position)], bins=4, range=(0, 1))
    near = [abs(count / max(1, position.size) - 0.25) < SPREAD for count in quarter.tolist()]
    see("a quarter in each quarter of the logarithm", near)
    see("spread evenly over the logarithm", _is_even(position))
    # Of a million possible numbers, 99 % are different: as good as a real number.
    different = np.unique(draws).size / max(1, draws.size)
    words = "nearly all" if different > 0.98 else "some" if different > 0.1 else "few"
    see("different numbers in a sample", words)
    see("an array of two axes", list(see.array(_draw(function, case, (2, 3))).shape))
    see("one number when size is left out", see.array(_draw(function, case, None)).size)
    few, again = (see.array(_draw(function, case, 100)) for _ in range(2))
    see("an equal generator gives equal numbers", np.array_equal(few, again))
    rng = np.random.default_rng(seed)
    one, other = _draw(function, case, None, rng), _draw(function, case, None, rng)
    see("the next call gives other numbers", not np.array_equal(one, other))


def _draw(function: Any, case: Case, size: Any, rng: np.random.Generator | None = None) -> Any:
    rng = rng or np.random.default_rng(case["seed"])
    given = () if size is None else (size,)
    return function(case["low"], case["high"], rng, *given)


def _is_even(ordered: Any) -> bool:
    """Whether sorted numbers may well be a sample of the uniform distribution (Kolmogorov)."""
    share = np.arange(ordered.size + 1) / max(1, ordered.size)
    gap = np.maximum(np.abs(ordered - share[1:]), np.abs(ordered - share[:-1]))
    return bool(np.all(gap < LARGEST_GAP))


@question()
def on_border(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for value in case["values"]:
        answer = function(value, case["low"], case["high"], **case["options"])
        see(f"{value:.4g} near the border", answer)


@question()
def narrow_range(see: Observer, case: Case) -> None:
    (function,) = see.functions
    answer = function(case["trials"], case["name"], **case["options"])
    low, high = see.unpack(answer, "low, high", numbers=True)
    see("low", low)
    see("high", high)


@question()
def should_abandon(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for name, losses in case["runs"].items():
        see(f"give up: {name}", function(losses, **case["options"]))


def _score(config: Any) -> float:
    return 3 - sum(abs(float(np.log10(abs(v) + 1e-12)) + 1.5) for v in config.values())


FEW = 20
CANT_BE_TRAINED = "this configuration can't be trained"


@question()
def random_search(see: Observer, case: Case) -> None:
    (function,) = see.functions
    space, seed = case["space"], case["seed"]
    tried: list[dict[str, float]] = []

    def objective(config: Any) -> float:
        tried.append({str(k): float(v) for k, v in config.items()})
        if len(tried) in case["raises"]:
            kinds = (ValueError, ZeroDivisionError, RuntimeError)
            raise kinds[case["raises"].index(len(tried)) % 3](CANT_BE_TRAINED)
        if len(tried) in case["nans"]:
            return float("nan")
        # Rounded in a long search, so that some trials are equally good, and some score 0.
        return round(_score(config), 1 if len(tried) > FEW else 9)

    def search(rng: np.random.Generator, num_trials: int) -> Any:
        tried.clear()
        return see.items(function(objective, space, num_trials, rng), "trials")

    if case["spread"]:
        _drawn_well(see, case, search)
        return
    trials, escaped = see.catch(
        lambda: search(np.random.default_rng(seed), case["num_trials"]), CANT_BE_TRAINED
    )
    see("goes on when the objective raises", not escaped)
    if escaped:
        see("error that ends the search", escaped)
        return
    see("number of trials", len(trials))
    see("calls of the objective", len(tried))
    scores = _scores(see, trials)
    finished = scores[~np.isnan(scores)]
    see("failed trials", int(np.isnan(scores).sum()))
    see("failed trials come last", not np.isnan(scores[: len(finished)]).any())
    before, after = finished[:-1], finished[1:]
    falling, rising = bool(np.all(before >= after)), bool(np.all(before <= after))
    see("order", "best first" if falling else "worst first" if rising else "neither")
    configs = [see.entry(t, "config", "trial") for t in trials]
    values = [{name: _value(see, c, name) for name in space} for c in configs[: len(finished)]]
    own = [_score(v) for v in values]
    see("each trial has its own score", bool(np.allclose(own, finished, atol=1e-8)))
    see("names of the hyper-parameters", set(configs[0]) if configs else None)


def _scores(see: Observer, trials: Any) -> Any:
    return np.array([see.number(see.entry(t, "score", "trial"), "score") for t in trials])


def _value(see: Observer, config: Any, name: str) -> float:
    return see.number(see.entry(config, name, "config"), name)


def _drawn_well(see: Observer, case: Case, search: Any) -> None:
    """How the configurations of a long search are spread."""
    seed, num_trials = case["seed"], case["num_trials"]

    def configs(trials: Any) -> list[Any]:
        return [see.entry(t, "config", "trial") for t in trials]

    few, again, others = (
        read(configs(search(np.random.default_rng(s), FEW))) for s in (seed, seed, seed + 1)
    )
    see("an equal generator gives equal trials", few == again)
    see("another generator gives other trials", few != others)
    trials = search(np.random.default_rng(seed), num_trials)
    see("a long search returns every trial", len(trials) == num_trials)
    failed = int(np.isnan(_scores(see, trials)).sum())
    see("only those fail that raise or score NaN", failed == len(case["nans"]))
    many = configs(trials)
    positions = []
    for name, (low, high, scale) in case["space"].items():
        values = np.array([_value(see, c, name) for c in many])
        see(f"{name} within its range", bool(np.all((values >= low) & (values <= high))))
        see(f"{name} takes a new value each time", len(set(values)) > 0.9 * len(values))
        position = (values - low) / (high - low)
        if scale == "log":
            with np.errstate(all="ignore"):
                position = np.log(np.abs(values / low)) / np.log(high / low)
        below_middle = np.count_nonzero(position < 0.5) / max(1, len(values))
        see(f"{name} half below the middle of its scale", near_half(below_middle))
        positions.append(position)
    see("hyper-parameters independent of each other", _independent(*positions))


def _independent(one: Any, other: Any) -> bool:
    """Whether the correlation of two samples is small; a constant has none."""
    with np.errstate(all="ignore"):
        one, other = one - one.mean(), other - other.mean()
        correlation = np.sum(one * other) / np.sqrt(np.sum(one**2) * np.sum(other**2))
    return bool(abs(correlation) < 0.25)


@question()
def successive_halving(see: Observer, case: Case) -> None:
    (function,) = see.functions
    curves, names = case["curves"], case["names"]
    asked: dict[str, int] = {}

    def train(config: Any, state: Any, epochs: int) -> tuple[Any, float]:
        name = str(config["name"])
        # Epochs in all: one call for many is as good as many for one.
        asked[name] = asked.get(name, 0) + int(epochs)
        before = 0 if state is None else int(state[1])
        if state is not None and state[0] != name:
            before = -1000
        reached = before + int(epochs)
        start, gain = curves[name]
        return [name, reached], start + gain * (1 - 0.5 ** (reached / 4))

    configs = [{"name": name, "width": int(name[1:])} for name in names]
    trials = function(train, configs, min_epochs=case["min_epochs"], factor=case["factor"])
    see("epochs asked for", asked)
    if not asked:
        return
    rows = see.items(trials, "trials")
    see("number of trials", len(rows))
    order = [str(see.entry(see.entry(t, "config", "trial"), "name", "config")) for t in rows]
    epochs = [see.number(see.entry(t, "epochs", "trial"), "number of epochs") for t in rows]
    scores = _scores(see, rows)
    see("order", _without_ties(order, epochs, scores.tolist()))
    see("epochs in all", np.array(epochs))
    see("scores", scores)


def _without_ties(order: list[str], epochs: list[float], scores: list[float]) -> list[str]:
    """Names in their order, those of neighbours that are equally good by name."""
    rows = zip(epochs, scores, order, strict=True)
    groups = itertools.groupby(rows, key=lambda row: row[:2])
    return [name for _, equals in groups for *_, name in sorted(equals)]


@question()
def choose_model(see: Observer, case: Case) -> None:
    (function,) = see.functions
    index, reported = see.unpack(function(case["scores"]), "index, test_score", numbers=True)
    see("chosen model", index)
    see("reported score", reported)


@question()
def k_folds(see: Observer, case: Case) -> None:
    (function,) = see.functions
    n, k, seed = case["num_examples"], case["num_folds"], case["seed"]

    def folds(rng: np.random.Generator, n: int, k: int) -> list[tuple[Any, Any]]:
        pairs = see.items(function(n, k, rng), "pairs")
        pairs = [see.unpack(pair, "train, validation") for pair in pairs]
        return [(_indices(see, train), _indices(see, validation)) for train, validation in pairs]

    rng = np.random.default_rng(seed)
    made = folds(rng, n, k)
    see("number of folds", len(made))
    see("every example in one validation fold", _labels(made, n) is not None)
    see("sizes of the validation folds", sorted(len(v) for _, v in made))
    apart = all(not set(t.tolist()) & set(v.tolist()) for t, v in made)
    see("training and validation don't overlap", apart)
    as_many = all(len(t) == n - len(v) for t, v in made)
    see("each training set is as large as all the rest", as_many)
    rest = all(np.array_equal(np.sort(np.concatenate(pair)), np.arange(n)) for pair in made)
    see("each training set is all the rest, each once", rest)
    many = folds(np.random.default_rng(seed), MIXED_EXAMPLES, MIXED_FOLDS)
    see("shuffled before cutting", _mixed(_labels(many, MIXED_EXAMPLES)))
    again = folds(np.random.default_rng(seed), n, k)
    see("an equal generator gives equal folds", _same_folds(made, again))
    see("another draw gives other folds", not _same_folds(made, folds(rng, n, k)))


def _indices(see: Observer, value: Any) -> Any:
    return see.array(list(value), "list of indices").astype(int)


def _labels(folds: list[tuple[Any, Any]], n: int) -> Any:
    """The number of the fold that validates each of n examples; None unless each is in one."""
    validation = np.concatenate([np.zeros(0, int), *(v for _, v in folds)])
    if not np.array_equal(np.sort(validation), np.arange(n)):
        return None
    labels = np.empty(n, int)
    labels[validation] = np.repeat(np.arange(len(folds)), [len(v) for _, v in folds])
    return labels


def _mixed(labels: Any) -> bool | None:
    """Whether neighbours share a fold as often as chance has it; also those dealt in turn."""
    if labels is None:
        return None
    shares = [np.mean(labels[lag:] == labels[:-lag]) for lag in (1, MIXED_FOLDS)]
    return all(abs(share - 1 / MIXED_FOLDS) < MIXED_WITHIN for share in shares)


def _same_folds(one: list[tuple[Any, Any]], other: list[tuple[Any, Any]]) -> bool:
    flat = [[array for pair in folds for array in pair] for folds in (one, other)]
    return len(one) == len(other) and all(map(np.array_equal, *flat))


@question()
def best_checkpoint(see: Observer, case: Case) -> None:
    (function,) = see.functions
    folder = see.folder(case["files"])
    if case["empty"]:
        _, error = see.catch(lambda: function(folder))
        see("what it raises", error or "nothing")
        return
    path = function(folder)
    if isinstance(path, int | float):
        see("file", path)
        return
    if not isinstance(path, str | PurePath):
        see.end(f"Return a path: a string or a Path. It is {describe(read(path))}.")
    # Names only: the folder stands in another place for everybody.
    head, tail = os.path.split(os.fspath(path))
    see("file", tail)
    inside = os.path.basename(os.path.normpath(head)) == os.path.basename(folder)
    see("a path into the folder", inside)
