"""The unit tests for optimizers as a heat map (after Schaul, Antonoglou & Silver 2014)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from matplotlib.colors import ListedColormap

from descent.plots import style
from descent.plots.style import Picture
from descent.prototypes import NOISE, PROTOTYPES, noisy

Array = npt.NDArray[Any]
Rule = Callable[..., tuple[Any, Any]]

OUTCOMES: Final = ("solved", "slow", "stalled", "diverged")
RATES: Final = tuple(float(f"{10 ** (k / 2):.3g}") for k in range(-6, 1))
NUM_STEPS: Final = 300
_SEEDS: Final = 3


def outcome(left: float) -> str:
    """The word for a run that leaves this share of its first loss."""
    if not left <= 1:
        return "diverged"
    return "stalled" if left > 0.5 else "slow" if left > 0.01 else "solved"


def run_cell(rule: Rule, landscape: str, noise: str, learning_rate: float) -> str:
    """How `rule` does on one landscape: the outcome of the middle one of three runs."""
    place, level = PROTOTYPES[landscape], NOISE[noise]
    shares = []
    for seed in range(_SEEDS if level else 1):
        gradient = noisy(place.gradient, level, np.random.default_rng(seed))
        w, state = np.array(place.start), None
        with np.errstate(all="ignore"):
            for _ in range(NUM_STEPS):
                dw = gradient(w)
                w, state = rule(w, dw, state, learning_rate=learning_rate)
            share = place.loss(np.asarray(w)) / place.loss(np.array(place.start))
        shares.append(share if np.isfinite(share) else np.inf)
    return outcome(sorted(shares)[len(shares) // 2])


def run_all(rule: Rule) -> tuple[float, list[str]]:
    """The rate of the sweep at which `rule` solves most cells, and its outcomes there."""
    best: tuple[int, float, list[str]] = (-1, RATES[0], [])
    for rate in RATES:
        words = [run_cell(rule, place, noise, rate) for place in PROTOTYPES for noise in NOISE]
        if words.count("solved") > best[0]:
            best = (words.count("solved"), rate, words)
    return best[1], best[2]


@cache
def _stored() -> dict[str, Any]:
    file = resources.files(__package__) / "heat_map.json"
    stored: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return stored


def built_in() -> dict[str, tuple[float, list[str]]]:
    """Rates and outcomes of the course's own rules, measured and stored."""
    return {name: (rate, words) for name, (rate, words) in _stored().items()}


_HEAT_MAP = {
    "solved": "solved",
    "slow": "slow",
    "stalled": "stalled",
    "diverged": "diverged",
    "solved_mark": "●",
    "slow_mark": "◐",
    "stalled_mark": "○",
    "diverged_mark": "✕",
    "bowl": "bowl",
    "ridge": "ridge",
    "cliff": "cliff",
    "saddle": "saddle",
    "plateau": "plateau",
    "none": "no noise",
    "some": "some",
    "much": "much",
    "rule": "{name} ({rate:g})",
    "failed": "{name} doesn't run yet",
    "alt": (
        "A heat map with {rules:.0f} update rules as rows. Its columns are five landscapes, bowl, "
        "ridge, cliff, saddle and plateau, each with three levels of noise. A cell is marked "
        "solved, slow, stalled or diverged. The best rule solves {best:.0f} of 15 cells, the "
        "worst {worst:.0f}; with much noise the plateau is solved by {plateau:.0f} rules."
    ),
    "caption": (
        "Each rule at the one rate (in brackets) with which it solves most cells: "
        "{worst:.0f} to {best:.0f} of 15."
    ),
}
_COLORS: Final = (style.BLUE, style.SKY, style.YELLOW, style.VERMILION)


def unit_tests(
    rules: Mapping[str, Rule] | None = None,
    *,
    beside_built_in: bool = True,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """The heat map of your `rules` (by name) beside the course's own.

    A rule that isn't written yet gets an empty row. Each rule runs at the one rate, of two a
    decade from 0.001 to 1, with which it solves most cells.
    """
    text = style.words(_HEAT_MAP, text)
    rows = dict(built_in()) if beside_built_in else {}
    failed = []
    for name, rule in (rules or {}).items():
        try:
            rows[name] = run_all(rule)
        except Exception:
            failed.append(name)
    counts = [words.count("solved") for _, words in rows.values()]
    last = len(PROTOTYPES) * len(NOISE) - 1
    numbers = {
        "rules": len(rows),
        "best": max(counts, default=0),
        "worst": min(counts, default=0),
        "plateau": sum(words[last] == "solved" for _, words in rows.values()),
    }
    numbers |= {f"solved by {name}": count for name, count in zip(rows, counts, strict=True)}
    labels = [text["rule"].format(name=n, rate=rate) for n, (rate, _) in rows.items()]
    labels += [text["failed"].format(name=name) for name in failed]
    grid = np.full((len(labels), last + 1), np.nan)
    for row, (_, words) in enumerate(rows.values()):
        grid[row] = [OUTCOMES.index(word) for word in words]
    return style.picture(_draw(grid, labels, text), text, numbers)


def _draw(grid: Array, labels: list[str], text: Mapping[str, str]) -> Any:
    with style.canvas(width=8.2, height=1.5 + 0.32 * max(1, len(labels))) as (figure, ax):
        ax.imshow(grid, cmap=ListedColormap(_COLORS), vmin=-0.5, vmax=3.5, aspect="auto")
        for (row, column), value in np.ndenumerate(grid):
            if np.isfinite(value):
                mark = text[f"{OUTCOMES[int(value)]}_mark"]
                color = "white" if value in (0, 3) else style.BLACK
                ax.text(column, row, mark, ha="center", va="center", color=color, fontsize=9)
        size = len(NOISE)
        for edge in range(size, grid.shape[1], size):
            ax.axvline(edge - 0.5, color="white", linewidth=4)
        for number, name in enumerate(PROTOTYPES):
            middle = number * size + (size - 1) / 2
            top = ax.get_xaxis_transform()
            ax.text(middle, 1.02, text[name], ha="center", transform=top, weight="bold")
        ax.set_yticks(range(len(labels)), labels)
        marks = [text[noise] for _ in PROTOTYPES for noise in NOISE]
        ax.set_xticks(range(grid.shape[1]), marks, rotation=60, fontsize=8)
        ax.grid(visible=False)
        for color, word in zip(_COLORS, OUTCOMES, strict=True):
            mark = f"{text[f'{word}_mark']} {text[word]}"
            ax.plot([], [], marker="s", linestyle="", color=color, markersize=9, label=mark)
        ax.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.08))
    return figure
