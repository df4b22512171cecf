"""How long to train what: giving up, halving, and methods compared at an equal budget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from descent.plots import style
from descent.plots.hyperparameter_search.networks import Array, few_digits, trained
from descent.plots.style import Picture
from descent.search import Trial

_GIVING_UP = {
    "kept": "kept",
    "given_up": "given up",
    "limit": "3 × the first loss",
    "x": "epoch",
    "y": "training loss",
    "alt": (
        "Training loss of {runs:.0f} networks with learning rates from 0.1 to 300 over "
        "{epochs:.0f} epochs, on a logarithmic axis, beside a horizontal line at three times the "
        "first loss, {limit:.1f}. {given_up:.0f} runs cross the line or become NaN and end there, "
        "with a cross; the others stay below it."
    ),
    "caption": (
        "{given_up:.0f} of {runs:.0f} runs are given up, after {spent:.0f} instead of "
        "{planned:.0f} epochs: {saved:.0%} of the whole work is saved. The best run kept ends at "
        "a loss of {best:.3f}; its largest loss was {highest:.1f}."
    ),
}


def giving_up(
    num_runs: int = 10, num_epochs: int = 20, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Runs that are abandoned once their loss exceeds three times the first one.

    Args:
        num_runs: learning rates, from 0.1 to 300.
        num_epochs: length of the runs that are kept.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_GIVING_UP, text)
    runs = [_losses(rate, num_epochs) for rate in np.geomspace(0.1, 300, num_runs)]
    limit = 3 * runs[0][0]
    lengths = [_length(losses, limit) for losses in runs]
    kept = [losses for losses, n in zip(runs, lengths, strict=True) if n == len(losses)]
    best = min(kept, key=lambda losses: losses[-1])
    spent = [n - 1 for n in lengths if n <= num_epochs]
    numbers: dict[str, float] = {
        "runs": num_runs,
        "epochs": num_epochs,
        "limit": limit,
        "given_up": len(spent),
    }
    numbers |= {"spent": sum(spent), "planned": num_epochs * len(spent)}
    numbers["saved"] = 1 - sum(n - 1 for n in lengths) / (num_runs * num_epochs)
    numbers |= {"best": best[-1], "highest": max(best)}
    with style.canvas() as (figure, ax):
        for losses, n in zip(runs, lengths, strict=True):
            name = "kept" if n == len(losses) else "given_up"
            look = {"color": style.BLUE, "linestyle": "-", "linewidth": 1.4}
            if name == "given_up":
                look = {"color": style.VERMILION, "linestyle": "--", "linewidth": 1.4}
            known = ax.get_legend_handles_labels()[1]
            shown = np.minimum(np.nan_to_num(losses[:n], nan=np.inf), 1e3 * limit)
            label = "_" if text[name] in known else text[name]
            ax.semilogy(np.arange(n), shown, **look, label=label)
            if name == "given_up":
                ax.plot(n - 1, shown[-1], "X", color=style.VERMILION, markersize=9, clip_on=False)
        looks = {"color": style.GREY, "linewidth": 1.2, "linestyle": (0, (4, 3))}
        ax.axhline(limit, **looks, label=text["limit"])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return style.picture(figure, text, numbers)


def _losses(rate: float, num_epochs: int) -> list[float]:
    """The loss before the first step, then the mean of every epoch."""
    _, history = trained(few_digits(500), learning_rate=rate, num_epochs=num_epochs, seed=0)
    return [history.batch_loss[0], *history.loss]


def _length(losses: list[float], limit: float) -> int:
    """How many losses a run has when it ends at the first one that is hopeless."""
    hopeless = [i for i, loss in enumerate(losses) if not loss <= limit]
    return hopeless[0] + 1 if hopeless else len(losses)


_RUNGS = {
    "note": "each to epoch {reached}\n{work} epochs of work",
    "x": "round",
    "y": "configurations left",
    "alt": (
        "Successive halving as steps: {first:.0f} configurations in the first round, a third of "
        "them in each following one, down to {last:.0f} in round {rounds:.0f}. Each round brings "
        "its configurations to three times as many epochs, so the additional work of the rounds "
        "is nearly the same."
    ),
    "caption": (
        "{first:.0f} configurations, {total:.0f} epochs in all. To train every one of them to the "
        "end would take {full:.0f}: {times:.1f} times as many."
    ),
}


def rungs(
    num_configs: int = 27, factor: int = 3, *, text: Mapping[str, str] | None = None
) -> Picture:
    """What successive halving spends in every round, one epoch in the first.

    Args:
        num_configs: configurations at the start.
        factor: of n, the best n // factor go on, for factor times as long.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_RUNGS, text)
    left, reached = [num_configs], [1]
    while left[-1] > 1:
        left.append(max(1, left[-1] // factor))
        reached.append(reached[-1] * factor)
    more = [reached[0], *np.diff(reached).tolist()]
    work = [n * epochs for n, epochs in zip(left, more, strict=True)]
    numbers: dict[str, float] = {
        "first": num_configs,
        "last": left[-1],
        "rounds": len(left),
        "total": sum(work),
    }
    numbers["full"] = num_configs * reached[-1]
    numbers["times"] = numbers["full"] / numbers["total"]
    with style.canvas(height=3.0) as (figure, ax):
        places = np.arange(1, len(left) + 1)
        ax.bar(places, left, 0.6, color=style.SKY, edgecolor=style.BLUE)
        for place, n, epochs, spent in zip(places, left, reached, work, strict=True):
            words = text["note"].format(reached=epochs, work=spent)
            ax.annotate(words, (place, n), (0, 3), textcoords="offset points", ha="center")
        ax.set(xlabel=text["x"], ylabel=text["y"], xticks=places, ylim=(0, num_configs * 1.25))
    return style.picture(figure, text, numbers)


_CURVES = {
    "finished": "trained to the end",
    "abandoned": "given up",
    "x": "epoch",
    "y": "validation accuracy in %",
    "alt": (
        "Validation accuracy over epochs of {trials:.0f} trials. {abandoned:.0f} end "
        "early, after {mean:.1f} epochs on average; {finished:.0f} go on to epoch {epochs:.0f}. "
        "The best reaches {best:.1f} per cent."
    ),
    "caption": (
        "{trials:.0f} trials, {total:.0f} epochs: {abandoned:.0f} given up after {mean:.1f} epochs "
        "on average, {finished:.0f} trained to the end. Best: {best:.1f} %."
    ),
}


def learning_curves(trials: Sequence[Trial], *, text: Mapping[str, str] | None = None) -> Picture:
    """Validation accuracy over epochs of every trial, those given up marked where they ended.

    Args:
        trials: what a search has found; those that trained no epoch are left out.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_CURVES, text)
    begun = [trial for trial in trials if trial.curve]
    early = [trial for trial in begun if trial.status == "abandoned"]
    scores = [trial.score for trial in begun if not math.isnan(trial.score)]
    numbers: dict[str, float] = {"trials": len(begun), "abandoned": len(early)}
    numbers |= {"finished": len(begun) - len(early), "best": max(scores, default=0.0)}
    numbers["epochs"] = max((trial.epochs for trial in begun), default=0)
    numbers["total"] = sum(trial.epochs for trial in begun)
    numbers["mean"] = float(np.mean([trial.epochs for trial in early])) if early else 0.0
    with style.canvas() as (figure, ax):
        for status in ("abandoned", "finished"):
            color, marker = (style.VERMILION, "X") if status == "abandoned" else (style.BLUE, "o")
            label = text[status]
            for trial in begun:
                if (trial.status == "abandoned") == (status == "abandoned"):
                    epochs = np.arange(1, len(trial.curve) + 1)
                    looks = {"color": color, "linewidth": 1.2, "alpha": 0.8}
                    line = "--" if status == "abandoned" else "-"
                    ax.plot(epochs, trial.curve, line, **looks)
                    ax.plot(epochs[-1], trial.curve[-1], marker, color=color, label=label)
                    label = "_"
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(0, 100))
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return style.picture(figure, text, numbers)


_COMPARISON = {
    "seed": "one seed",
    "mean": "mean ± standard error",
    "x": "best validation accuracy in %",
    "line": "{name}: {mean:.2f} ± {error:.2f} %",
    "against": "{name} minus {first}: {mean:+.2f} ± {error:.2f}",
    "alt": (
        "Best validation accuracy of {methods:.0f} ways to search, a dot for each of {seeds:.0f} "
        "seeds, and their mean with its standard error. The means lie between {lowest:.2f} and "
        "{highest:.2f} per cent; the dots of one way spread over {spread:.1f} points."
    ),
    "caption": "{lines}.",
}


def comparison(
    results: Mapping[str, Sequence[float]], *, text: Mapping[str, str] | None = None
) -> Picture:
    """The best scores of several ways to search, seed by seed, with mean and standard error.

    Args:
        results: name of the way → best score for each seed, the seeds in the same order; the
            first way is the one that the others are compared with, seed by seed.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_COMPARISON, text)
    scores = {name: np.asarray(values, float) for name, values in results.items()}
    first, baseline = next(iter(scores.items()))
    means = [float(values.mean()) for values in scores.values()]
    numbers: dict[str, float] = {"methods": len(scores), "seeds": len(baseline)}
    numbers |= {"lowest": min(means), "highest": max(means)}
    numbers["spread"] = max(float(np.ptp(values)) for values in scores.values())
    lines = []
    for name, values in scores.items():
        gain = values - baseline
        lines.append(text["line"].format(name=name, mean=values.mean(), error=_error(values)))
        if name != first:
            against = {"name": name, "first": first, "mean": gain.mean(), "error": _error(gain)}
            lines.append(text["against"].format(**against))
            numbers |= {f"{name} gain": gain.mean(), f"{name} error": _error(gain)}
    text["caption"] = text["caption"].replace("{lines}", "; ".join(lines))
    with style.canvas(height=0.7 + 0.6 * len(scores)) as (figure, ax):
        for place, values in enumerate(scores.values()):
            known = place > 0
            heights = place + np.linspace(-0.18, 0.18, len(values))
            looks = {"color": style.SKY, "markeredgecolor": style.BLUE}
            ax.plot(values, heights, "o", **looks, label="_" if known else text["seed"])
            error = {"xerr": _error(values), "capsize": 5, "markersize": 9}
            label = "_" if known else text["mean"]
            ax.errorbar(values.mean(), place, fmt="D", color=style.VERMILION, **error, label=label)
        ax.set_yticks(range(len(scores)), list(scores))
        ax.set(xlabel=text["x"], ylim=(len(scores) - 0.5, -0.5))
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return style.picture(figure, text, numbers)


def _error(values: Array) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values)))
