"""The race of the update rules, which the student's own rules may join."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from . import race_figure
from .controls import button, point, rated, select, slider, toggle
from .engine import Demo
from .landscapes import BALANCED, FLOOR, LANDSCAPES
from .strings import TABLES

__all__ = [
    "NUM_STEPS",
    "RULES",
    "Race",
    "optimizer_race",
    "race",
    "steps_needed",
    "tuned_rates",
]

Rule = Callable[..., tuple[Any, Any]]
Path2D = NDArray[np.float64]

#: The built-in rules, in the order of their colours.
RULES: Final = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam")
NUM_STEPS: Final = 100
#: The rates that a sweep tries: eight a decade.
SWEEP: Final = tuple(float(f"{10 ** (k / 8):.3g}") for k in range(-32, 17))


@cache
def _measured() -> dict[str, Any]:
    file = resources.files(__package__) / "race.json"
    measured: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return measured


def tuned_rates(landscape: str) -> dict[str, float]:
    """Return each built-in rule's best rate from the landscape's start, from a measured sweep.

    Best is the lowest mean logarithm of the loss above the landscape's lowest, over the race's
    steps, among eight rates a decade: the curve that lies lowest in the demo's right half.
    Rates whose path leaves the picture don't count.
    """
    rates: dict[str, float] = _measured()["rates"][landscape]
    return dict(rates)


def steps_needed() -> dict[str, dict[str, dict[str, int]]]:
    """Return, by landscape and rule, the fewest steps until a thousandth of the loss is left.

    The landscapes are those of the race and ``"turned"``, the ravine across both axes. ``"usual"``
    is the best over the sweep of rates with a momentum of 0.9, ``"tuned"`` the best over rates
    and momentum, from 0.1 to 0.9 in tenths. Momentum is μ, and in Adam β₁; a rule that has
    neither gets the same number twice.
    """
    steps: dict[str, dict[str, dict[str, int]]] = _measured()["steps"]
    return deepcopy(steps)


@dataclass(frozen=True)
class Race(Demo):
    """The race as a demo, with the students' paths at hand.

    Attributes:
        paths: for each of the given rules, its points, of shape (steps + 1, 2).
        rates: the learning rate each of them ran at.
    """

    paths: Mapping[str, Path2D] = field(default_factory=dict)
    rates: Mapping[str, float] = field(default_factory=dict)
    landscape: str = "ravine"
    start: tuple[float, float] = (0.0, 0.0)

    def still(self) -> bytes | None:
        """Return a PNG picture of the race as it ends."""
        as_opened = self.landscape == "ravine" and self.start == LANDSCAPES["ravine"].start
        if as_opened and not self.paths and self.state is None:
            return super().still()
        return race_figure.still(self.all_paths(), self.landscape, self.labels())

    def all_paths(self) -> dict[str, Path2D]:
        """Return the students' paths and, from a start where they were measured, the built-in."""
        built_in: dict[str, Any] = {}
        if self.start == LANDSCAPES[self.landscape].start:
            built_in = _measured()["paths"][self.landscape]
        elif (self.landscape, self.start) == ("saddle", BALANCED):
            built_in = _measured()["paths"]["balanced"]
        return {rule: np.array(path) for rule, path in built_in.items()} | dict(self.paths)

    def labels(self) -> dict[str, str]:
        """Return what each path is called in a picture."""
        return {name: self.strings.get(name, name) for name in RULES} | {n: n for n in self.paths}

    def save_gif(self, path: str | Path, *, frames_per_second: int = 20) -> Path:
        """Write the race as a small moving picture and return its path.

        The built-in rules take part when the race begins at the landscape's own start, or in
        balance at the saddle.
        """
        target = Path(path)
        race_figure.save_gif(
            self.all_paths(), self.landscape, self.labels(), target, frames_per_second
        )
        return target


def run_rule(
    rule: Rule, landscape: str, start: Sequence[float], learning_rate: float, num_steps: int
) -> Path2D:
    """Follow ``rule`` down a landscape and return its points, of shape (num_steps + 1, 2)."""
    slope = LANDSCAPES[landscape].slope
    w, state = np.array(start, dtype=np.float64), None
    points = [w.copy()]
    # A rate that is too high overflows, which the picture shows better than a warning says.
    with np.errstate(all="ignore"):
        for _ in range(num_steps):
            w, state = rule(w, slope(w), state, learning_rate=learning_rate)
            w = np.array(w, dtype=np.float64)
            points.append(w.copy())
    return np.array(points)


def best_rate(
    rule: Rule, landscape: str, start: Sequence[float], num_steps: int = NUM_STEPS
) -> float:
    """Return the rate of the sweep with which ``rule`` has the lowest mean log loss."""
    ground = LANDSCAPES[landscape]

    def height(learning_rate: float) -> float:
        points = run_rule(rule, landscape, start, learning_rate, num_steps)
        low, high = np.transpose(ground.view)
        if not ((points >= low) & (points <= high)).all():
            return np.inf
        above = ground.value(points.T) - ground.lowest
        return float(np.mean(np.log(np.maximum(above, FLOOR))))

    return min(SWEEP, key=height)


def optimizer_race(
    landscape: str = "ravine",
    *,
    start: Sequence[float] | None = None,
    state: str | None = None,
) -> Race:
    """SGD, momentum, Nesterov, Adagrad, RMSprop and Adam, each at its own tuned rate.

    Args:
        landscape: ``"ravine"``, ``"saddle"``, ``"bowl"`` or ``"plateau"``.
        start: where the rules begin; the landscape's own start unless given.
        state: a line copied from the demo's "Share", to open it as it was seen.
    """
    return race({}, landscape=landscape, start=start, state=state)


def race(
    rules: Mapping[str, Rule] | None = None,
    *,
    landscape: str = "ravine",
    start: Sequence[float] | None = None,
    learning_rate: float | Mapping[str, float] | None = None,
    num_steps: int = NUM_STEPS,
    state: str | None = None,
) -> Race:
    """Let your own update rules race against the built-in ones.

    Args:
        rules: by name, functions ``(w, dw, state=None, *, learning_rate) -> (w_next, state)``
            with ``w`` and ``dw`` of shape (2,).
        landscape: ``"ravine"``, ``"saddle"``, ``"bowl"`` or ``"plateau"``. With rules of your own
            the race stays on it, because their paths are computed once, here.
        start: where the race begins; the landscape's own start unless given.
        learning_rate: one rate for all of your rules, or one each by name. A rule without one
            gets its own best rate, by the sweep that tuned the built-in ones.
        num_steps: length of the race, at most 300.
        state: a line copied from the demo's "Share", to open it as it was seen.

    Raises:
        ValueError: for an unknown landscape or an impossible number of steps.
    """
    if landscape not in LANDSCAPES:
        raise ValueError(f"landscape must be one of {', '.join(LANDSCAPES)}, not {landscape!r}")
    if not 1 <= num_steps <= 300:
        raise ValueError(f"num_steps must lie between 1 and 300, not {num_steps}")
    rules = rules or {}
    begin = LANDSCAPES[landscape].start if start is None else (float(start[0]), float(start[1]))
    given = learning_rate if isinstance(learning_rate, Mapping) else {}
    common = None if isinstance(learning_rate, Mapping) else learning_rate
    rates, paths = {}, {}
    for name, rule in rules.items():
        rate = given.get(name, common)
        rates[name] = best_rate(rule, landscape, begin, num_steps) if rate is None else rate
        paths[name] = run_rule(rule, landscape, begin, rates[name], num_steps)
    words = TABLES["optimizer_race"]
    names = [landscape] if rules else list(LANDSCAPES)
    return Race(
        "optimizer_race",
        words,
        _controls(words, landscape, names, begin, list(rules)),
        {"steps": num_steps, "views": _views(), "guests": _guests(paths)},
        height=770 if rules else 730,
        seconds=6.0,
        state=state,
        paths=paths,
        rates=rates,
        landscape=landscape,
        start=begin,
    )


def _controls(
    words: Mapping[str, str],
    landscape: str,
    names: Sequence[str],
    start: tuple[float, float],
    guests: Sequence[str],
) -> list[dict[str, Any]]:
    presets = {n: {**tuned_rates(n), "start": LANDSCAPES[n].start} for n in names}
    rates = tuned_rates(landscape)
    return [
        select("landscape", words["landscape"], names, words, value=landscape, presets=presets),
        slider("mu", words["momentum_mu"], 0.0, 0.999, 0.9, near_one=True),
        slider("noise", words["noise"], 1e-3, 0.5, 0.0, log=True, zero=True),
        button("seed", words["again"]),
        point("start", words["start"], start, (-9.0, -9.0), (9.0, 9.0)),
        *(
            rated(
                rule,
                words[rule],
                words["rated"],
                *(1e-4, 100.0),
                rates[rule],
                index,
            )
            for index, rule in enumerate(RULES)
        ),
        *(
            toggle(f"guest{index}", name, True, series=len(RULES) + index)
            for index, name in enumerate(guests)
        ),
    ]


def _views() -> dict[str, dict[str, list[float]]]:
    return {n: {"x": list(s.view[0]), "y": list(s.view[1])} for n, s in LANDSCAPES.items()}


def _guests(paths: Mapping[str, Path2D]) -> list[dict[str, Any]]:
    """Five digits a coordinate are finer than a pixel; what isn't finite ends the path."""
    guests = []
    for index, points in enumerate(paths.values()):
        sound = np.isfinite(points).all(axis=1)
        kept = points[: len(points) if sound.all() else int(np.argmin(sound))]
        rounded = [[float(f"{v:.5g}") for v in column] for column in kept.T]
        guests.append({"name": f"guest{index}", "x": rounded[0], "y": rounded[1]})
    return guests
