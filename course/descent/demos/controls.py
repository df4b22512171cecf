"""Descriptions of sliders, menus, switches and draggable points, as the frame reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["button", "point", "rated", "select", "slider", "toggle"]

Control = dict[str, Any]


def slider(
    name: str,
    label: str,
    low: float,
    high: float,
    value: float,
    *,
    log: bool = False,
    near_one: bool = False,
    zero: bool = False,
    step: float = 1.0,
    shown: str | None = None,
) -> Control:
    """A slider from ``low`` to ``high``.

    Args:
        log: even ratios instead of even steps; with ``zero``, its left end is 0.
        near_one: even ratios of the distance to 1, for momentum: 0 … 0.9 … 0.99.
        step: the size of even steps.
        shown: a template for the value, such as ``"× {value}"``.
    """
    scale = "log" if log else "near-one" if near_one else "linear"
    control: Control = {"kind": "range", "name": name, "label": label, "min": low, "max": high}
    control |= {"value": value, "scale": scale, "step": step}
    return control | ({"zero": True} if zero else {}) | ({"shown": shown} if shown else {})


def rated(
    name: str, label: str, rated_label: str, low: float, high: float, value: float, series: int
) -> Control:
    """A line that can be hidden, with a log slider of its own; its value is ``[shown, number]``."""
    control: Control = {"kind": "rated", "name": name, "label": label, "rated": rated_label}
    control |= {"min": low, "max": high, "value": [True, value], "scale": "log"}
    return control | {"series": series}


def select(
    name: str,
    label: str,
    values: Sequence[Any],
    words: Mapping[str, str],
    *,
    value: Any = None,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
) -> Control:
    """A menu; ``words`` names each value, ``presets`` sets other controls when one is chosen."""
    options = [[v, words.get(str(v), str(v))] for v in values]
    control = {"kind": "select", "name": name, "label": label, "options": options}
    control["value"] = values[0] if value is None else value
    return control | ({"presets": presets} if presets else {})


def toggle(name: str, label: str, value: bool, *, series: int | None = None) -> Control:
    """A switch; with ``series`` it shows that line's colour, dashes and marker beside it."""
    control: Control = {"kind": "toggle", "name": name, "label": label, "value": value}
    return control | ({} if series is None else {"series": series})


def button(name: str, label: str, value: int = 0) -> Control:
    """A button that adds 1 to its value each time: a new seed, say."""
    return {"kind": "button", "name": name, "label": label, "value": value}


def point(
    name: str,
    label: str,
    value: float | Sequence[float],
    low: float | Sequence[float],
    high: float | Sequence[float],
    *,
    axis: str | None = None,
) -> Control:
    """A point to drag in the picture, or along one ``axis`` of it when ``value`` is a number."""
    control = {"kind": "point", "name": name, "label": label, "value": value}
    return control | {"min": low, "max": high} | ({"axis": axis} if axis else {})
