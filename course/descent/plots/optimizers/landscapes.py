"""Pictures of saddles, and of how the race between the built-in rules ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from descent.demos.landscapes import LANDSCAPES
from descent.demos.race import optimizer_race
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
    "ravine": "ravine",
    "saddle": "saddle",
    "bowl": "bowl",
    "plateau": "plateau",
    "y": "steps until a thousandth\nof the loss is left",
    "never": "never",
    "alt": (
        "Bars for six rules on four landscapes, each rule at its own tuned rate: steps until a "
        "thousandth of the first loss is left. The quickest takes {ravine:.0f} steps in the "
        "ravine, {saddle:.0f} at the saddle, {bowl:.0f} in the bowl and {plateau:.0f} on the "
        "plateau, and {winners:.0f} different rules are quickest somewhere."
    ),
    "caption": (
        "{winners:.0f} different rules are quickest somewhere; the largest share of landscapes "
        "that one rule wins is {share:.0%}. Each rule ran at the rate that suits it best there."
    ),
}


def race_results(*, text: Mapping[str, str] | None = None) -> Picture:
    """How long each built-in rule of the race takes on each landscape, at its tuned rate."""
    text = style.words(_RESULTS, text)
    steps = {name: _steps_needed(name) for name in LANDSCAPES}
    numbers = {name: float(min(taken.values())) for name, taken in steps.items()}
    # Ties count for all who share them.
    winners = [
        {r for r, n in taken.items() if n == min(taken.values())} for taken in steps.values()
    ]
    wins = {rule: sum(rule in one for one in winners) for rule in steps["bowl"]}
    numbers["winners"] = sum(count > 0 for count in wins.values())
    numbers["share"] = max(wins.values()) / len(steps)
    with style.canvas(height=3.4) as (figure, ax):
        width = 0.8 / len(wins)
        hatches = ("", "//", "..", "xx", "\\\\", "++")
        for place, rule in enumerate(wins):
            heights = [min(taken[rule], 130) for taken in steps.values()]
            where = np.arange(len(steps)) + width * (place - len(wins) / 2 + 0.5)
            color = style.LINES[place]["color"]
            look = {"color": color, "hatch": hatches[place], "edgecolor": "white"}
            ax.bar(where, heights, width, **look, label=text[rule])
        ax.axhline(121, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)))
        ax.text(-0.45, 123, text["never"], fontsize=8.5, color="#444444")
        ax.set_xticks(range(len(steps)), [text[name] for name in steps])
        ax.set(ylabel=text["y"], ylim=(0, 135))
        ax.grid(visible=False, axis="x")
        ax.legend(ncols=6, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=8)
    return style.picture(figure, text, numbers)


def _steps_needed(landscape: str) -> dict[str, float]:
    """Steps after which a thousandth of the loss is left for good; 130 where it never is."""
    ground = LANDSCAPES[landscape]
    taken = {}
    for rule, path in optimizer_race(landscape).all_paths().items():
        above = ground.value(path.T) - ground.lowest
        high = np.flatnonzero(above > 1e-3 * above[0])
        taken[rule] = float(high[-1] + 1) if high[-1] + 1 < len(path) else 130.0
    return taken
