"""Which data may choose: one fold against several, and the three sets' roles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import numpy as np

from descent.data import digits
from descent.plots import style
from descent.plots.hyperparameter_search.networks import Array, few_digits, trained, with_validation
from descent.plots.style import Picture

_FOLDS = {
    "fold": "one fold",
    "mean": "mean of the folds",
    "x": "division of the data, drawn anew",
    "y": "validation accuracy in %",
    "alt": (
        "Validation accuracy of one and the same configuration, for {draws:.0f} random divisions "
        "of {examples:.0f} digits into {folds:.0f} folds. Single folds scatter from {low:.0f} to "
        "{high:.0f} per cent, the means of {folds:.0f} only from {mean_low:.1f} to "
        "{mean_high:.1f}."
    ),
    "caption": (
        "Standard deviation of a single fold's score: {one:.1f} points; of the mean of "
        "{folds:.0f}: {several:.1f}. The price: {folds:.0f} trainings instead of one."
    ),
}


def folds(num_draws: int = 12, *, text: Mapping[str, str] | None = None) -> Picture:
    """The scores of single folds and their means, for several divisions of the same 300 digits.

    Args:
        num_draws: how many divisions.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_FOLDS, text)
    num_folds, num_examples = 5, 300
    scores = np.array([_fold_scores(num_examples, num_folds, seed) for seed in range(num_draws)])
    means = scores.mean(axis=1)
    numbers = {"draws": num_draws, "examples": num_examples, "folds": num_folds}
    numbers |= {"low": scores.min(), "high": scores.max()}
    numbers |= {"mean_low": means.min(), "mean_high": means.max()}
    numbers |= {"one": scores.std(ddof=1), "several": means.std(ddof=1)}
    with style.canvas() as (figure, ax):
        places = np.arange(1, num_draws + 1)
        ax.plot(np.repeat(places, num_folds), scores.ravel(), "o", color=style.SKY)
        ax.plot([], [], "o", color=style.SKY, label=text["fold"])
        looks = {"color": style.VERMILION, "markersize": 8, "linestyle": "-"}
        ax.plot(places, means, marker="D", **looks, label=text["mean"])
        ax.set(xlabel=text["x"], ylabel=text["y"], xticks=places)
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    return style.picture(figure, text, numbers)


def _fold_scores(num_examples: int, num_folds: int, seed: int) -> list[float]:
    data = few_digits(num_examples)
    parts = np.array_split(np.random.default_rng(seed).permutation(num_examples), num_folds)
    scores = []
    for k, part in enumerate(parts):
        rest = np.concatenate(parts[:k] + parts[k + 1 :])
        divided = with_validation(data, rest, part)
        _, history = trained(divided, learning_rate=0.2, num_epochs=15, seed=seed)
        scores.append(100 * history.val_accuracy[-1])
    return scores


_OPTIMISM = {
    "seen": "chosen by {size:.0f} examples: on these",
    "fresh": "the same model: on fresh data",
    "trained": "chosen by the training set: on fresh data",
    "x": "models to choose from",
    "y": "accuracy of the chosen model in %",
    "alt": (
        "Accuracy of the chosen model against the number of models to choose from, on a "
        "logarithmic axis. On the {size:.0f} examples that chose it, it climbs from "
        "{seen_one:.1f} to {seen_all:.1f} per cent; on fresh examples it stays behind, at "
        "{fresh_all:.1f}: a gap of {gap_all:.1f} points, where one model alone has none. The "
        "model with the highest training accuracy gets only {train_fresh:.1f} per cent there."
    ),
    "caption": (
        "{models:.0f} models, {size:.0f} examples to choose by, mean of {draws:.0f} divisions. "
        "The best score seen is {seen_all:.1f} %; the same model gets {fresh_all:.1f} % on fresh "
        "examples: {gap_all:.1f} points of optimism (one model: {gap_one:+.1f} ± {error:.1f}, so "
        "none, within the noise). Chosen by the training set instead: {train_seen:.1f} % there, "
        "{train_fresh:.1f} % on fresh examples."
    ),
}


def optimism(
    num_models: int = 40, size: int = 50, *, text: Mapping[str, str] | None = None
) -> Picture:
    """How far the best score promises too much, the more models there are to choose from.

    Args:
        num_models: networks with random hyper-parameters, trained on 200 digits, a fifth of them
            with a random label.
        size: examples by which the best is chosen; the other held-out ones are fresh.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_OPTIMISM, text)
    right, train_scores = _many_models(num_models)
    rng, draws = np.random.default_rng(0), 1000
    counts = sorted({round(n) for n in np.geomspace(1, num_models, 10)})
    seen, fresh, trained_best = np.zeros((3, draws, len(counts)))
    for d in range(draws):
        order, among = rng.permutation(right.shape[1]), rng.permutation(num_models)
        own, other = (100 * right[among][:, o].mean(axis=1) for o in np.split(order, [size]))
        for k, count in enumerate(counts):
            # One model alone is nobody's choice: each of them stands for it, not a lucky one.
            best = np.argmax(own[:count]) if count > 1 else slice(None)
            by_heart = np.argmax(train_scores[among[:count]]) if count > 1 else slice(None)
            seen[d, k], fresh[d, k] = own[best].mean(), other[best].mean()
            trained_best[d, k] = other[by_heart].mean()
    above, below, misled = (table.mean(axis=0) for table in (seen, fresh, trained_best))
    gaps = seen - fresh
    numbers = {"models": num_models, "size": size, "draws": draws, "seen_one": above[0]}
    numbers |= {"seen_all": above[-1], "fresh_all": below[-1]}
    numbers |= {"gap_one": gaps[:, 0].mean(), "gap_all": gaps[:, -1].mean()}
    numbers["error"] = gaps[:, 0].std(ddof=1) / np.sqrt(draws)
    numbers |= {"train_seen": 100 * train_scores.max(), "train_fresh": misled[-1]}
    with style.canvas() as (figure, ax):
        ax.semilogx(counts, above, **style.LINES[1], label=style.filled(text["seen"], numbers))
        ax.semilogx(counts, below, **style.LINES[0], label=text["fresh"])
        ax.semilogx(counts, misled, **style.LINES[2], label=text["trained"])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.set_xticks(counts, [str(n) for n in counts])
        ax.minorticks_off()
        figure.legend(loc="outside upper left")
    return style.picture(figure, text, numbers)


@cache
def _many_models(num_models: int) -> tuple[Array, Array]:
    """Which of the 700 held-out digits each model gets right, and its training accuracy.

    Of the 200 digits that they are trained on a fifth are labelled at random, as real data have
    it: a model that learns those by heart pays for it on others.
    """
    data, rng = few_digits(200), np.random.default_rng(1)
    whole = digits(center=True)
    X = np.concatenate([whole.X_val, whole.X_test])
    y = np.concatenate([whole.y_val, whole.y_test])
    noisy = data.y_train.copy()
    spoilt = rng.choice(len(noisy), len(noisy) // 5, replace=False)
    noisy[spoilt] = rng.integers(0, 10, len(spoilt))
    data = replace(data, y_train=noisy)
    right, scores = np.zeros((num_models, len(y))), np.zeros(num_models)
    for k in range(num_models):
        rate, reg = 10 ** rng.uniform(-1.5, 0), 10 ** rng.uniform(-3, -0.7)
        network, history = trained(data, learning_rate=rate, reg=reg, num_epochs=20, seed=k)
        right[k] = network.predict(X) == y
        scores[k] = history.train_accuracy[-1]
    return right, scores
