"""Search spaces: which hyper-parameters there are, and from where to where they go."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

Config = dict[str, Any]


class SpaceError(ValueError):
    """The search space makes no sense; the message names the hyper-parameter and why."""


class Range(NamedTuple):
    """From `low` to `high`, on a "log" or "linear" scale; whole numbers when both ends are ints."""

    low: float
    high: float
    scale: Literal["log", "linear"] = "linear"

    @property
    def whole(self) -> bool:
        """Whether only whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)


Space = Mapping[str, Range | Sequence[Any]]


def check_space(space: Mapping[str, Any]) -> dict[str, Range | list[Any]]:
    """The space with every entry as a Range (from `(low, high, scale)`) or a list of choices.

    Raises SpaceError when it makes no sense.
    """
    if not isinstance(space, Mapping) or not space:
        raise SpaceError("a search space needs at least one hyper-parameter")
    return {str(name): _check_entry(str(name), entry) for name, entry in space.items()}


def _check_entry(name: str, entry: Any) -> Range | list[Any]:
    if isinstance(entry, list):
        return _check_choices(name, entry)
    if not isinstance(entry, tuple) or not 2 <= len(entry) <= 3:
        raise SpaceError(f'{name}: write (low, high, "log" or "linear"), or a list of choices')
    made = Range(*(end.item() if isinstance(end, np.generic) else end for end in entry))
    numbers = all(
        isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
        for v in made[:2]
    )
    if not numbers:
        raise SpaceError(f"{name}: {made.low!r} and {made.high!r} should be finite numbers")
    if made.scale not in ("log", "linear"):
        raise SpaceError(f'{name}: the scale is {made.scale!r}, not "log" or "linear"')
    if not made.low < made.high:
        raise SpaceError(f"{name}: {made.low:g} is not below {made.high:g}")
    if made.scale == "log" and made.low <= 0:
        raise SpaceError(f"{name}: a log scale starts above 0, not at {made.low:g}")
    return made


def _check_choices(name: str, choices: list[Any]) -> list[Any]:
    if not choices:
        raise SpaceError(f"{name}: there is nothing to choose from")
    for choice in choices:
        # They are written down in JSON, and must come back as they were.
        if choice is not None and not isinstance(choice, bool | int | float | str):
            raise SpaceError(f"{name}: {choice!r} should be a number, a string, a bool or None")
    return [choice.item() if isinstance(choice, np.generic) else choice for choice in choices]


def draw(space: Space, rng: np.random.Generator) -> Config:
    """One random configuration: each hyper-parameter uniform on its own scale."""
    config: Config = {}
    for name, entry in space.items():
        if isinstance(entry, Range):
            config[name] = _draw_number(entry, float(rng.random()))
        else:
            config[name] = entry[int(rng.integers(len(entry)))]
    return config


def _draw_number(entry: Range, share: float) -> float:
    """The number `share` of the way up the range's scale."""
    # Whole numbers are rounded: without a half more at both ends, these would come up half as
    # often as the others.
    low, high = entry.low - 0.5 * entry.whole, entry.high + 0.5 * entry.whole
    if entry.scale == "log":
        value = math.exp(math.log(low) + share * (math.log(high) - math.log(low)))
    else:
        value = low + (high - low) * share
    value = min(max(value, entry.low), entry.high)
    return round(value) if entry.whole else value


def narrowed(space: Mapping[str, Any], configs: Sequence[Config]) -> dict[str, Range | list[Any]]:
    """The space that the given configurations span: the next stage of a search.

    A range that they don't span (all are equal) stays as it is; of choices those taken stay.
    """
    made = check_space(space)
    for name, entry in made.items():
        taken = [config[name] for config in configs]
        if not isinstance(entry, Range):
            made[name] = [choice for choice in entry if choice in taken]
        elif taken and min(taken) < max(taken):
            made[name] = Range(min(taken), max(taken), entry.scale)
    return made


def position(entry: Range | Sequence[Any], value: Any) -> float:
    """Where a value stands between the ends of its range: 0 to 1 on the range's own scale."""
    if isinstance(entry, Range):
        if entry.scale == "log":
            return math.log(value / entry.low) / math.log(entry.high / entry.low)
        return float((value - entry.low) / (entry.high - entry.low))
    return entry.index(value) / max(1, len(entry) - 1)
