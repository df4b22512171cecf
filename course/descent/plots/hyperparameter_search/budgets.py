"""How long to train what: giving up, halving, and methods compared at an equal budget."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from descent.plots import style
from descent.plots.hyperparameter_search.networks import Array, few_digits, trained
from descent.plots.style import Picture
from descent.search import Trial

_GIVING_UP = {
    "kept": "kept",
    "given_up": "given up",
    "beyond": "given up beyond the scale",
    "limit": "3 × the first loss",
    "x": "epoch",
    "y": "training loss",
    "alt": (
        "Training loss of {runs:.0f} networks with learning rates from 0.1 to 300 over "
        "{epochs:.0f} epochs, on a logarithmic axis, beside a horizontal line at three times the "
        "first loss, {limit:.1f}. {given_up:.0f} runs cross the line or become NaN and end there; "
        "{beyond:.0f} of these leave the scale and end as arrows in a strip above it. The others "
        "stay below the line."
    ),
    "caption": (
        "{given_up:.0f} of {runs:.0f} runs are given up, after {spent:.0f} instead of "
        "{planned:.0f} epochs: {saved:.0 %} of the whole work is saved. {beyond:.0f} of them leave "
        "the scale; the strip above it says which loss they reach. The best run kept ends at a "
        "loss of {best:.4f}; its largest loss was {highest:.1f}."
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
    with style.canvas(height=4.0) as (figure, ax):
        for losses in kept:
            known = ax.get_legend_handles_labels()[1]
            label = "_" if text["kept"] in known else text["kept"]
            ax.semilogy(losses, color=style.BLUE, linewidth=1.4, label=label)
        ends = [losses[:n] for losses, n in zip(runs, lengths, strict=True) if n <= num_epochs]
        numbers["beyond"] = _draw_given_up(ax, ends, 100 * limit, text)
        looks = {"color": style.GREY, "linewidth": 1.2, "linestyle": (0, (4, 3))}
        ax.axhline(limit, **looks, label=text["limit"])
        ax.set(xlabel=text["x"], ylabel=text["y"], xticks=np.arange(0, num_epochs + 1, 2))
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return style.picture(figure, text, numbers)


def _draw_given_up(
    ax: Axes, runs: Sequence[Sequence[float]], top: float, text: Mapping[str, str]
) -> int:
    """Each run to its end, and how many end above `top`: those in a strip of the same height each.

    The strip has no scale, for a loss of 1e23 would leave no room for the others.
    """
    looks = {"color": style.VERMILION, "linestyle": "--", "linewidth": 1.4}
    marks: dict[str, Any] = {"color": style.VERMILION, "linestyle": "", "markersize": 8}
    beyond = [losses for losses in runs if not losses[-1] <= top]
    row = (top / min(min(losses) for losses in runs)) ** 0.15
    for losses in runs:
        end, last = len(losses) - 1, losses[-1]
        shown, marker, label = last, "X", text["given_up"]
        if losses in beyond:
            shown, marker = top * row ** (beyond.index(losses) + 0.6), "^"
            label = text["beyond"]
            if math.isfinite(last):
                value = style.filled("{last:.0e}", {"last": last})
                ax.annotate(value, (end, shown), (8, 0), textcoords="offset points", va="center")
        known = ax.get_legend_handles_labels()[1]
        ax.semilogy([*losses[:-1], shown], **looks)
        ax.plot(end, shown, marker=marker, **marks, label="_" if label in known else label)
    low, _ = ax.get_ylim()
    ticks = [tick for tick in ax.get_yticks() if low <= tick <= top]
    if beyond:
        high = top * row ** (len(beyond) + 0.2)
        ax.axhspan(top, high, color=style.GREY, alpha=0.12, linewidth=0)
        ax.set(ylim=(low, high), yticks=ticks)
        ax.minorticks_off()
    return len(beyond)


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


_ENDS = {
    "abandoned": (style.VERMILION, "--", "X"),
    "cut": (style.GREEN, ":", "s"),
    "finished": (style.BLUE, "-", "o"),
}
"""Colour, line and marker for each way in which a trial may end."""

_CURVES = {
    "finished": "trained to the end",
    "abandoned": "given up",
    "cut": "cut off before its end",
    "early": " Those given up had {mean:.1f} epochs on average.",
    "x": "epoch",
    "y": "validation accuracy in %",
    "alt": (
        "Validation accuracy over epochs of {trials:.0f} trials. {finished:.0f} go on to epoch "
        "{epochs:.0f}, {abandoned:.0f} are given up before, {cut:.0f} cut off. The best reaches "
        "{best:.1f} per cent."
    ),
    "caption": (
        "{trials:.0f} trials, {total:.0f} epochs: {finished:.0f} trained to the end, "
        "{abandoned:.0f} given up, {cut:.0f} cut off. Best: {best:.1f} %.{early}"
    ),
}


def learning_curves(trials: Sequence[Trial], *, text: Mapping[str, str] | None = None) -> Picture:
    """Validation accuracy over epochs of every trial, and how it ended.

    Args:
        trials: what a search has found; those that trained no epoch are left out. The longest are
            taken for trained to the end: a search that runs out of budget cuts off its last trial.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_CURVES, text)
    begun = [trial for trial in trials if trial.curve]
    longest = max((trial.epochs for trial in begun), default=0)
    ends: dict[str, list[Trial]] = {status: [] for status in _ENDS}
    for trial in begun:
        ends[_how_it_ended(trial, longest)].append(trial)
    early = [trial.epochs for trial in ends["abandoned"]]
    scores = [trial.score for trial in begun if not math.isnan(trial.score)]
    numbers: dict[str, float] = {"trials": len(begun), "best": max(scores, default=0.0)}
    numbers |= {status: len(those) for status, those in ends.items()}
    numbers["epochs"] = longest
    numbers["total"] = sum(trial.epochs for trial in begun)
    numbers["mean"] = float(np.mean(early)) if early else 0.0
    text["caption"] = text["caption"].replace("{early}", text["early"] if early else "")
    with style.canvas() as (figure, ax):
        for status, those in ends.items():
            color, line, marker = _ENDS[status]
            label = text[status]
            for trial in those:
                epochs = np.arange(1, len(trial.curve) + 1)
                looks = {"color": color, "linewidth": 1.2, "alpha": 0.8}
                ax.plot(epochs, trial.curve, linestyle=line, **looks)
                ax.plot(epochs[-1], trial.curve[-1], marker, color=color, label=label)
                label = "_"
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(0, 100))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return style.picture(figure, text, numbers)


def _how_it_ended(trial: Trial, longest: int) -> str:
    if trial.status == "abandoned":
        return "abandoned"
    return "finished" if trial.status == "finished" and trial.epochs == longest else "cut"


_COMPARISON = {
    "seed": "one seed",
    "mean": "mean ± standard error",
    "x": "best validation accuracy in %",
    "gain": "gain over “{first}”, points",
    "line": "{name} {mean:.2f} ± {error:.2f}",
    "against": "{name} {mean:+.2f} ± {error:.2f}",
    "alt": (
        "Best validation accuracy of {methods:.0f} ways to search, a dot for each of {seeds:.0f} "
        "seeds, and their mean with its standard error. The means lie between {lowest:.2f} and "
        "{highest:.2f} per cent; the dots of one way spread over {spread:.1f} points. Beside it, "
        "the gain of each over the first way, seed by seed: in the mean between {least:+.2f} and "
        "{most:+.2f} points."
    ),
    "caption": "Means, in %: {lines}. Gains over “{first}”, seed by seed: {gains}.",
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
    gains = {name: values - baseline for name, values in scores.items() if name != first}
    means = [float(values.mean()) for values in scores.values()]
    numbers: dict[str, float] = {"methods": len(scores), "seeds": len(baseline)}
    numbers |= {"lowest": min(means), "highest": max(means)}
    numbers["spread"] = max(float(np.ptp(values)) for values in scores.values())
    numbers |= {f"{name} gain": gain.mean() for name, gain in gains.items()}
    numbers |= {f"{name} error": _error(gain) for name, gain in gains.items()}
    numbers["least"] = min(gain.mean() for gain in gains.values())
    numbers["most"] = max(gain.mean() for gain in gains.values())
    lines = {"lines": _listed(text["line"], scores), "gains": _listed(text["against"], gains)}
    for key, said in (lines | {"first": first}).items():
        text["caption"] = text["caption"].replace(f"{{{key}}}", said)
    height = 1.1 + 0.5 * len(scores)
    with style.canvas(1, 2, width=7.8, height=height, sharey=True) as (figure, (left, right)):
        for place, (name, values) in enumerate(scores.items()):
            _draw_way(left, place, values, text if place == 0 else None)
            if name in gains:
                _draw_way(right, place, gains[name], None)
        right.axvline(0, color=style.GREY, linestyle=":")
        left.set_yticks(range(len(scores)), list(scores))
        left.set(xlabel=text["x"], ylim=(len(scores) - 0.5, -0.5))
        right.set(xlabel=text["gain"].format(first=first))
        figure.legend(loc="outside upper center", ncols=2)
    return style.picture(figure, text, numbers)


def _listed(line: str, ways: Mapping[str, Array]) -> str:
    said = (
        line.format(name=name, mean=values.mean(), error=_error(values))
        for name, values in ways.items()
    )
    return "; ".join(said)


def _draw_way(ax: Axes, place: int, values: Array, text: Mapping[str, str] | None) -> None:
    """One way's row: a dot for each seed, their mean, and its standard error."""
    heights = place + np.linspace(-0.18, 0.18, len(values))
    looks: dict[str, Any] = {"color": style.SKY, "markeredgecolor": style.BLUE}
    ax.plot(values, heights, "o", **looks, label=text["seed"] if text else "_")
    error: dict[str, Any] = {"xerr": _error(values), "capsize": 5, "markersize": 9}
    label = text["mean"] if text else "_"
    ax.errorbar(values.mean(), place, fmt="D", color=style.VERMILION, **error, label=label)


def _error(values: Array) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values)))
