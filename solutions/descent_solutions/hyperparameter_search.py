"""Reference solutions of unit 9: searching for hyper-parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Config = dict[str, Any]
Trial = dict[str, Any]


def log_uniform(
    low: float, high: float, rng: np.random.Generator, size: int | tuple[int, ...] | None = None
) -> Any:
    """Numbers between `low` and `high` whose logarithm is uniform; a float when size is None."""
    return 10 ** rng.uniform(np.log10(low), np.log10(high), size)


def on_border(
    value: float, low: float, high: float, *, log: bool = True, margin: float = 0.1
) -> bool:
    """Whether `value` lies within `margin` of the range's width of either end, ends included.

    With `log`, position and width are those of the logarithms.
    """
    if log:
        value, low, high = np.log10([value, low, high])
    share = (value - low) / (high - low)
    return bool(share <= margin or share >= 1 - margin)


def narrow_range(trials: Sequence[Trial], name: str, *, keep: int = 5) -> tuple[float, float]:
    """Smallest and largest value of hyper-parameter `name` among the `keep` best trials.

    A trial is {"config": {name: value, …}, "score": number}; failed ones have a NaN score.
    """
    finished = [trial for trial in trials if not math.isnan(trial["score"])]
    best = sorted(finished, key=lambda trial: trial["score"], reverse=True)[:keep]
    values = [trial["config"][name] for trial in best]
    return min(values), max(values)


def should_abandon(losses: Sequence[float], factor: float = 3.0) -> bool:
    """Whether any later loss is above `factor` times the first, or any loss isn't finite."""
    values = np.asarray(losses, dtype=float)
    return bool(not np.isfinite(values).all() or (values[1:] > factor * values[0]).any())


def random_search(
    objective: Callable[[Config], float],
    space: Mapping[str, tuple[float, float, str]],
    num_trials: int,
    rng: np.random.Generator,
) -> list[Trial]:
    """Try `num_trials` random configurations; trials {"config", "score"}, best (largest) first.

    `space` maps a name to (low, high, "log" or "linear"). A trial whose objective raises or
    returns NaN has failed: its score is NaN, and it is listed last.
    """
    trials: list[Trial] = []
    for _ in range(num_trials):
        config = {}
        for name, (low, high, scale) in space.items():
            if scale == "log":
                config[name] = float(10 ** rng.uniform(np.log10(low), np.log10(high)))
            else:
                config[name] = float(rng.uniform(low, high))
        try:
            score = float(objective(config))
        except Exception:
            score = float("nan")
        trials.append({"config": config, "score": score})
    failed = [trial for trial in trials if math.isnan(trial["score"])]
    finished = [trial for trial in trials if not math.isnan(trial["score"])]
    return sorted(finished, key=lambda trial: trial["score"], reverse=True) + failed


def successive_halving(
    train: Callable[[Any, Any, int], tuple[Any, float]],
    configs: Sequence[Any],
    *,
    min_epochs: int,
    factor: int,
) -> list[Trial]:
    """Train all a little, keep the best, train those longer: trials, best first.

    `train(config, state, epochs)` trains `epochs` *more* epochs from `state` (None at first) and
    returns (state, score), larger being better. Round k brings its configurations to
    min_epochs·factor^k epochs in all; of n, the best max(1, n // factor) go on; the round with
    one left is the last. A trial is {"config", "score", "epochs"}, `epochs` in all; those that
    got further come first, then the better score. Jamieson & Talwalkar (2016).
    """
    running: list[Trial] = [{"config": config, "score": 0.0, "epochs": 0} for config in configs]
    states: list[Any] = [None] * len(configs)
    order = list(range(len(configs)))
    total, ranked = min_epochs, list[int]()
    while True:
        for i in order:
            states[i], score = train(configs[i], states[i], total - running[i]["epochs"])
            running[i].update(score=score, epochs=total)
        order.sort(key=lambda i: running[i]["score"], reverse=True)
        survivors = order[: max(1, len(order) // factor)] if len(order) > 1 else []
        ranked = order[len(survivors) :] + ranked
        if not survivors:
            return [running[i] for i in ranked]
        order, total = survivors, total * factor


def choose_model(scores: Sequence[Mapping[str, float]]) -> tuple[int, float]:
    """Which model to take, and what to report of it: (index, score on the test set).

    Each entry holds a model's "train", "validation" and "test" score. The validation score
    chooses; the test score is looked at once, for the chosen one.
    """
    best = max(range(len(scores)), key=lambda i: scores[i]["validation"])
    return best, scores[best]["test"]


def k_folds(
    num_examples: int, num_folds: int, rng: np.random.Generator
) -> list[tuple[Array, Array]]:
    """Shuffled folds for cross-validation: a list of (training indices, validation indices).

    Every example is in exactly one validation fold; the folds differ in size by one at most.
    """
    folds = np.array_split(rng.permutation(num_examples), num_folds)
    return [
        (np.concatenate([f for j, f in enumerate(folds) if j != i]), fold)
        for i, fold in enumerate(folds)
    ]


def best_checkpoint(folder: str) -> Path:
    """The checkpoint in `folder` with the highest validation score in its name.

    Names look like `trial007-epoch003-val87.25.npz`; whatever looks otherwise is no checkpoint.
    Raises FileNotFoundError when there is none.
    """
    scores = {}
    for path in Path(folder).iterdir():
        match = re.fullmatch(r"trial\d+-epoch\d+-val(\d+\.\d+)\.npz", path.name)
        if match:
            scores[path] = float(match[1])
    if not scores:
        raise FileNotFoundError(f"There is no checkpoint in {folder}.")
    return max(scores, key=scores.__getitem__)
