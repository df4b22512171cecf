"""Pictures of saddles, and of how long the built-in rules of the race take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from descent.demos.race import RULES, steps_needed
from descent.plots import style
from descent.plots.style import Picture

_ESCAPE = {
    "measured": "mean of 200 runs",
    "law": "slope of ln(1/noise) / ln(1 + η)",
    "x": "noise in the gradient",
    "y": "steps to escape",
    "alt": (
        "Steps that plain gradient descent needs to leave a saddle from a start exactly in "
        "balance, against the noise in the gradient on a log axis. {strong:.0f} steps with noise "
        "of 0.1, {weak:.0f} with noise of 1e-10: a straight line, {decade:.0f} steps a decade."
    ),
    "caption": (
        "A ten times smaller noise costs {decade:.0f} steps more, no factor: {strong:.0f} steps "
        "at 0.1, {weak:.0f} at 1e-10. Without any noise it never leaves."
    ),
}


def escape(*, text: Mapping[str, str] | None = None) -> Picture:
    """Steps to leave a saddle against the noise, from a start exactly in balance.

    Along the falling direction y ← (1 + η)y + η·noise; out is where |y| exceeds 1.
    """
    text = style.words(_ESCAPE, text)
    rate, levels = 0.1, np.logspace(-10, -1, 10)
    draws = np.random.default_rng(0).standard_normal((600, 200))
    means = []
    for level in levels:
        y, steps = np.zeros(200), np.zeros(200)
        for draw in draws:
            inside = np.abs(y) <= 1
            steps += inside
            y = np.where(inside, (1 + rate) * y + rate * level * draw, y)
        means.append(float(steps.mean()))
    decade = -float(np.polyfit(np.log10(levels), means, 1)[0])
    numbers = {"strong": means[-1], "weak": means[0], "decade": decade}
    with style.canvas(height=3.0) as (figure, ax):
        ax.semilogx(levels, means, **{**style.LINES[0], "linestyle": ""}, label=text["measured"])
        law = means[0] + np.log(levels[0] / levels) / np.log(1 + rate)
        ax.semilogx(levels, law, **{**style.LINES[1], "marker": ""}, label=text["law"])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend()
    return style.picture(figure, text, numbers)


_RESULTS = {
    "sgd": "SGD",
    "momentum": "momentum",
    "nesterov": "Nesterov",
    "adagrad": "Adagrad",
    "rmsprop": "RMSprop",
    "adam": "Adam",
    "usual": "only the rate tuned",
    "ravine": "ravine",
    "turned": "ravine,\nturned by 45°",
    "saddle": "saddle",
    "bowl": "bowl",
    "plateau": "plateau",
    "y": "steps until a thousandth\nof the loss is left",
    "alt": (
        "Bars for six rules on five landscapes: steps until a thousandth of the first loss is "
        "left, at the best rate and the best momentum. The fewest are {ravine:.0f} in the ravine "
        "along the axes, {turned:.0f} in the turned one, {saddle:.0f} at the saddle, {bowl:.0f} in "
        "the bowl and {plateau:.0f} on the plateau, by different rules. At its worst, Adam takes "
        "{adam_worst:.0f} steps, momentum {momentum_worst:.0f} and Nesterov {nesterov_worst:.0f}, "
        "the others up to {others_worst:.0f}. Dotted bars, with only the rate tuned, stand at "
        "{usual_least:.0f} to {usual_most:.0f} for momentum and Adam."
    ),
    "caption": (
        "{winners:.0f} of six rules are quickest somewhere. Momentum in the ravine: "
        "{momentum_usual:.0f} steps with only the rate tuned, {momentum_tuned:.0f} with μ tuned "
        "as well, against {sgd_ravine:.0f} of SGD. Adagrad: {adagrad_ravine:.0f} along the axes, "
        "{adagrad_turned:.0f} in the turned ravine; Adam: {adam_ravine:.0f} and "
        "{adam_turned:.0f}."
    ),
}


_HOW: Final = ("usual", "tuned")
_HOLLOW: Final = {"fill": False, "edgecolor": style.GREY, "linestyle": ":", "linewidth": 1.2}


def race_results(*, text: Mapping[str, str] | None = None) -> Picture:
    """How long each built-in rule takes on each landscape, at its best settings there.

    Solid bars have rate and momentum tuned, dotted ones the rate alone, with μ and β₁ at 0.9.
    """
    text = style.words(_RESULTS, text)
    steps = steps_needed()
    with style.canvas(width=8.2, height=3.6) as (figure, ax):
        width = 0.86 / len(RULES)
        hatches = ("", "//", "..", "xx", "\\\\", "++")
        for place, rule in enumerate(RULES):
            where = np.arange(len(steps)) + width * (place - len(RULES) / 2 + 0.5)
            usual, tuned = ([taken[rule][how] for taken in steps.values()] for how in _HOW)
            color = style.LINES[place]["color"]
            look = {"color": color, "hatch": hatches[place], "edgecolor": "white"}
            ax.bar(where, tuned, width, **look, label=text[rule])
            above = np.array([u if u > t else np.nan for u, t in zip(usual, tuned, strict=True)])
            label = text["usual"] if rule == RULES[-1] else "_"
            ax.bar(where, above, 0.8 * width, **_HOLLOW, label=label)
            for at, high, low in zip(where, usual, tuned, strict=True):
                ax.text(at, low + 1, str(low), ha="center", fontsize=7)
                # Two numbers too close to each other can't be read.
                if high > low + 4:
                    ax.text(at, high + 1, str(high), ha="center", fontsize=7)
        ax.set_xticks(range(len(steps)), [text[name] for name in steps])
        ax.set(ylabel=text["y"])
        ax.grid(visible=False, axis="x")
        ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8)
    return style.picture(figure, text, _results(steps))


def _results(steps: Mapping[str, Mapping[str, Mapping[str, int]]]) -> dict[str, float]:
    """The numbers of the picture's text; ties count for all who share them."""
    tuned = {name: {rule: taken[rule]["tuned"] for rule in RULES} for name, taken in steps.items()}
    numbers: dict[str, float] = {name: min(taken.values()) for name, taken in tuned.items()}
    wins = {rule: sum(taken[rule] == numbers[n] for n, taken in tuned.items()) for rule in RULES}
    worst = {rule: max(taken[rule] for taken in tuned.values()) for rule in RULES}
    usual = [taken[rule]["usual"] for taken in steps.values() for rule in ("momentum", "adam")]
    return numbers | {
        "winners": sum(count > 0 for count in wins.values()),
        "share": max(wins.values()) / len(steps),
        "adam_worst": worst["adam"],
        "momentum_worst": worst["momentum"],
        "nesterov_worst": worst["nesterov"],
        "others_worst": max(worst[rule] for rule in ("sgd", "adagrad", "rmsprop")),
        "usual_least": min(usual),
        "usual_most": max(usual),
        "momentum_usual": steps["ravine"]["momentum"]["usual"],
        "momentum_tuned": tuned["ravine"]["momentum"],
        "sgd_ravine": tuned["ravine"]["sgd"],
        "adagrad_ravine": tuned["ravine"]["adagrad"],
        "adagrad_turned": tuned["turned"]["adagrad"],
        "adam_ravine": tuned["ravine"]["adam"],
        "adam_turned": tuned["turned"]["adam"],
    }
