"""Where to look: what matters, on which scale, and whether the range was wide enough."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from descent.plots import style
from descent.plots.hyperparameter_search.networks import few_digits, trained
from descent.plots.style import Picture
from descent.search import Range, Trial, check_space, position

NEAR = 0.1

_SENSITIVITY = {
    "learning_rate": "learning rate",
    "reg": "penalty reg",
    "units": "hidden units",
    "x": "times the usual value",
    "y": "validation accuracy in %",
    "alt": (
        "Validation accuracy against three hyper-parameters, one varied at a time, on a "
        "logarithmic axis from a thousandth of its usual value to a thousand times it. Over the "
        "learning rate it goes from {rate_low:.0f} to {rate_high:.0f} per cent and collapses at "
        "both ends; over the penalty it spans {reg_span:.0f} points, over the number of hidden "
        "units, from a tenth to ten times, {units_span:.0f}."
    ),
    "caption": (
        "Points of validation accuracy between the worst and the best value: learning rate "
        "{rate_span:.0f}, penalty {reg_span:.0f} (both over a factor of a million), hidden units "
        "{units_span:.0f} (over a factor of a hundred)."
    ),
}


def sensitivity(*, text: Mapping[str, str] | None = None) -> Picture:
    """Validation accuracy after ten epochs as one hyper-parameter at a time is varied."""
    text = style.words(_SENSITIVITY, text)
    usual = {"learning_rate": 0.5, "reg": 1e-4, "units": 50}
    wide, narrow = 10.0 ** np.arange(-3, 3.1, 0.75), 10.0 ** np.arange(-1, 1.1, 0.5)
    curves = {}
    for name, factors in (("learning_rate", wide), ("reg", wide), ("units", narrow)):
        values = [usual[name] * factor for factor in factors]
        curves[name] = factors, [_accuracy(usual | {name: value}) for value in values]
    spans = {name: max(scores) - min(scores) for name, (_, scores) in curves.items()}
    rate = curves["learning_rate"][1]
    numbers = {
        "rate_low": min(rate),
        "rate_high": max(rate),
        "rate_span": spans["learning_rate"],
        "reg_span": spans["reg"],
        "units_span": spans["units"],
    }
    with style.canvas() as (figure, ax):
        for (name, (factors, scores)), look in zip(curves.items(), style.LINES, strict=False):
            ax.semilogx(factors, scores, **look, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(0, 100))
        ax.legend(loc="lower center")
    return style.picture(figure, text, numbers)


def _accuracy(config: Mapping[str, float]) -> float:
    _, history = trained(
        few_digits(500),
        learning_rate=config["learning_rate"],
        reg=config["reg"],
        units=round(config["units"]),
        num_epochs=10,
        seed=0,
    )
    return 100 * history.val_accuracy[-1]


_LOG_SCALE = {
    "uniform": "uniform in the rate",
    "log": "uniform in its logarithm",
    "x": "learning rate",
    "y": "share of the draws",
    "alt": (
        "Share of {draws:.0f} random learning rates between 1e-6 and 1 that fall into each power "
        "of ten. Drawn uniformly, {uniform_top:.0 %} lie between 0.1 and 1 and "
        "{uniform_low:.1 %} below 0.001. Drawn uniformly in the logarithm, every power of ten gets "
        "about one sixth, and {log_low:.0 %} lie below 0.001."
    ),
    "caption": (
        "Below 0.001 lie {uniform_low:.1 %} of the uniform draws and {log_low:.0 %} of the others; "
        "above 0.1, {uniform_top:.0 %} and {log_top:.0 %}."
    ),
}


def log_scale(*, text: Mapping[str, str] | None = None) -> Picture:
    """How random learning rates fall into powers of ten, drawn on either scale."""
    text = style.words(_LOG_SCALE, text)
    rng, draws = np.random.default_rng(0), 10_000
    samples = {"uniform": rng.uniform(1e-6, 1, draws), "log": 10 ** rng.uniform(-6, 0, draws)}
    edges = 10.0 ** np.arange(-6, 1)
    numbers: dict[str, float] = {"draws": draws}
    with style.canvas(height=3.0) as (figure, ax):
        for k, (name, sample) in enumerate(samples.items()):
            shares = np.histogram(sample, edges)[0] / draws
            numbers |= {f"{name}_low": shares[:3].sum(), f"{name}_top": shares[-1]}
            left = edges[:-1] * 10 ** (0.1 + 0.4 * k)
            color, hatch = (style.VERMILION, "//") if k == 0 else (style.BLUE, "")
            looks = {"color": color, "hatch": hatch, "edgecolor": "white", "align": "edge"}
            ax.bar(left, shares, left * (10**0.4 - 1), **looks, label=text[name])
        ax.set(xscale="log", xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="upper left")
    return style.picture(figure, text, numbers)


_SCORE = {
    "trial": "one trial",
    "best": "the best",
    "border": "border of the range",
    "y": "validation accuracy in %",
    "inside": "The best value, {best_value:.3g}, lies inside the range.",
    "low": "The best value, {best_value:.3g}, stands at the low border: search further down.",
    "high": "The best value, {best_value:.3g}, stands at the high border: search further up.",
    "alt": (
        "Validation accuracy of {trials:.0f} trials against one hyper-parameter between {low:.3g} "
        "and {high:.3g}; a tenth of the range at either end is shaded. The best trial, at "
        "{best_value:.3g}, has {best_score:.1f} per cent."
    ),
    "caption": "Best of {trials:.0f} trials: {best_score:.1f} %. {verdict}",
}


def score_against(
    trials: Sequence[Trial],
    name: str,
    space: Mapping[str, Any],
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """The trials' scores over one numeric hyper-parameter, and whether the best is at a border.

    Args:
        trials: what a search has found; those without a score are left out.
        name: the hyper-parameter.
        space: the search's space.
        text: words that replace the English ones, key by key.

    Raises:
        ValueError: if no trial has a score, or ``name`` is no range of ``space``.
    """
    text = style.words(_SCORE, text)
    entry = _range(space, name)
    scored = _scored(trials)
    best = max(scored, key=lambda trial: trial.score)
    numbers = {"trials": len(scored), "low": entry.low, "high": entry.high}
    numbers |= {"best_value": best.config[name], "best_score": best.score}
    share = position(entry, best.config[name])
    side = "low" if share <= NEAR else "high" if share >= 1 - NEAR else "inside"
    verdict = text[side].format(**numbers)
    numbers["at_border"] = side != "inside"
    text["caption"] = text["caption"].replace("{verdict}", verdict)
    with style.canvas() as (figure, ax):
        _shade_borders(ax, entry, text["border"])
        values = [trial.config[name] for trial in scored]
        scores = [trial.score for trial in scored]
        ax.plot(values, scores, "o", color=style.BLUE, label=text["trial"])
        looks = {"marker": "*", "markersize": 15, "color": style.VERMILION, "linestyle": ""}
        ax.plot(best.config[name], best.score, **looks, label=text["best"])
        ax.set(xscale=entry.scale, xlabel=name, ylabel=text["y"])
        # Outside: without a frame its signs would pass for trials.
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return style.picture(figure, text, numbers)


def _range(space: Mapping[str, Any], name: str) -> Range:
    entry = check_space(space).get(name)
    if not isinstance(entry, Range):
        raise ValueError(f"{name} is no range of this space")
    return entry


def _scored(trials: Sequence[Trial]) -> list[Trial]:
    scored = [trial for trial in trials if not math.isnan(trial.score)]
    if not scored:
        raise ValueError("no trial has a score yet")
    return scored


def _shade_borders(ax: Axes, entry: Range, label: str) -> None:
    ends = [_at(entry, share) for share in (0.0, NEAR, 1 - NEAR, 1.0)]
    looks: dict[str, Any] = {"color": style.ORANGE, "alpha": 0.18, "linewidth": 0}
    ax.axvspan(ends[0], ends[1], **looks, label=label)
    ax.axvspan(ends[2], ends[3], **looks)


def _at(entry: Range, share: float) -> float:
    if entry.scale == "log":
        return float(entry.low * (entry.high / entry.low) ** share)
    return float(entry.low + share * (entry.high - entry.low))


_STAGES = {
    "stage": "stage {number}: {trials} trials,\nepochs each: {epochs}",
    "range": "its range",
    "y": "validation accuracy in %",
    "widths": "{width:.2f}",
    "alt": (
        "Validation accuracy against a hyper-parameter for {count:.0f} stages of a search; the "
        "range of each stage is shaded. The first range spans {widest:.1f} powers of ten, the last "
        "{narrowest:.2f}; the best accuracies of the first and the last are {first:.1f} and "
        "{last:.1f} per cent."
    ),
    "caption": (
        "Searched range in powers of ten, stage by stage: {widths}. The best accuracy rises from "
        "{first:.1f} to {last:.1f} %. The last stage's few draws span only {drawn:.2f} of its "
        "{narrowest:.2f} powers of ten: they may have missed a better spot. All stages together "
        "trained {epochs:.0f} epochs."
    ),
}


def stages(
    found: Sequence[Sequence[Trial]],
    name: str,
    spaces: Sequence[Mapping[str, Any]],
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """The trials of a search from coarse to fine over one hyper-parameter, stage by stage.

    Args:
        found: the trials of each stage, the coarsest first.
        name: the hyper-parameter, positive in every trial.
        spaces: the space that each stage has searched.
        text: words that replace the English ones, key by key.

    Raises:
        ValueError: if ``name`` is no range of one of ``spaces``.
    """
    text = style.words(_STAGES, text)
    scored = [_scored(trials) for trials in found]
    ranges = [_range(space, name) for space in spaces]
    widths = [math.log10(entry.high / entry.low) for entry in ranges]
    values = [[trial.config[name] for trial in trials] for trials in scored]
    tops = [max(trial.score for trial in trials) for trials in scored]
    numbers = {"count": len(found), "widest": widths[0], "narrowest": widths[-1]}
    numbers |= {"first": tops[0], "last": tops[-1]}
    numbers["drawn"] = math.log10(max(values[-1]) / min(values[-1]))
    numbers["epochs"] = sum(trial.epochs for trials in found for trial in trials)
    listed = ", ".join(text["widths"].format(width=width) for width in widths)
    text["caption"] = text["caption"].replace("{widths}", listed)
    with style.canvas() as (figure, ax):
        for k, (trials, entry) in enumerate(zip(scored, ranges, strict=True)):
            look, epochs = style.LINES[k], max(trial.epochs for trial in trials)
            label = text["stage"].format(number=k + 1, trials=len(found[k]), epochs=epochs)
            scores = [trial.score for trial in trials]
            ax.semilogx(values[k], scores, **(look | {"linestyle": ""}), label=label)
            edges = {"color": look["color"], "linestyle": look["linestyle"], "linewidth": 1}
            ax.axvspan(entry.low, entry.high, color=look["color"], alpha=0.1, linewidth=0)
            ax.axvline(entry.low, **edges, label=text["range"])
            ax.axvline(entry.high, **edges)
        ax.set(xlabel=name, ylabel=text["y"])
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    return style.picture(figure, text, numbers)


_PARALLEL = {
    "score": "accuracy in %",
    "best": "the best fifth",
    "other": "the others",
    "alt": (
        "Parallel coordinates: one vertical axis for each of {axes:.0f} hyper-parameters and one "
        "for the validation accuracy; each of {trials:.0f} trials is a line across them. The best "
        "fifth, drawn bold, has between {cut:.1f} and {best:.1f} per cent."
    ),
    "caption": (
        "{trials:.0f} trials; the best fifth reaches {cut:.1f} to {best:.1f} %. An axis on which "
        "the bold lines stay together matters; one on which they scatter hardly does."
    ),
}


def parallel_coordinates(
    trials: Sequence[Trial], space: Mapping[str, Any], *, text: Mapping[str, str] | None = None
) -> Picture:
    """Every trial as a line across one axis per hyper-parameter, and one for its score.

    Args:
        trials: what a search has found; those without a score are left out.
        space: the search's space; ranges are drawn on their own scale, choices evenly spread.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_PARALLEL, text)
    checked = check_space(space)
    scored = sorted(_scored(trials), key=lambda trial: trial.score)
    lowest, highest = scored[0].score, scored[-1].score
    height = (highest - lowest) or 1.0
    num_best = max(1, len(scored) // 5)
    numbers = {"axes": len(checked), "trials": len(scored), "best": highest}
    numbers["cut"] = scored[-num_best].score
    with style.canvas() as (figure, ax):
        for k, trial in enumerate(scored):
            shares = [position(entry, trial.config[name]) for name, entry in checked.items()]
            is_best = k >= len(scored) - num_best
            looks: dict[str, Any] = {"color": style.GREY, "linewidth": 0.8, "linestyle": ":"}
            if is_best:
                looks = {"color": style.BLUE, "linewidth": 2.2, "linestyle": "-"}
            label = text["best" if is_best else "other"]
            known = ax.get_legend_handles_labels()[1]
            label = "_" if label in known else label
            ax.plot([*shares, (trial.score - lowest) / height], **looks, label=label)
        _label_axes(ax, checked, (lowest, highest), text["score"])
        ax.legend(loc="upper left", bbox_to_anchor=(0, 1.2), ncols=2)
    return style.picture(figure, text, numbers)


def _label_axes(
    ax: Axes, space: Mapping[str, Any], scores: tuple[float, float], label: str
) -> None:
    places = range(len(space) + 1)
    ends = [
        (entry.low, entry.high) if isinstance(entry, Range) else (entry[0], entry[-1])
        for entry in space.values()
    ]
    for place, (low, high) in zip(places, [*ends, scores], strict=True):
        # From end to end and no further, where it would strike out the numbers.
        ax.vlines(place, 0, 1, color="#222222", linewidth=1)
        for height, value, align in ((-0.03, low, "top"), (1.03, high, "bottom")):
            number = isinstance(value, int | float)
            shown = f"{value:.3g}".replace("e-0", "e-") if number else str(value)
            ax.text(place, height, shown, ha="center", va=align, fontsize=8.5)
    ax.set(ylim=(-0.12, 1.12), yticks=[])
    ax.set_xticks(places, [*space, label])
    ax.grid(visible=False)
    ax.spines[["left", "bottom"]].set_visible(False)
    ax.tick_params(length=0)
