"""Descriptions of sliders, menus, switches and draggable points, as the frame reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["button", "point", "select", "slider", "toggle"]

Control = dict[str, Any]


def slider(
    name: str,
    label: str,
    low: float,
    high: float,
    value: float,
    *,
    log: bool = False,
    step: float = 1.0,
    shown: str | None = None,
) -> Control:
    """A slider from ``low`` to ``high``, in even steps or in even ratios (``log``).

    ``shown`` is a template for the value, such as ``"× {value}"``.
    """
    control = {"kind": "range", "name": name, "label": label, "min": low, "max": high}
    control |= {"value": value, "scale": "log" if log else "linear", "step": step}
    return control | ({"shown": shown} if shown else {})


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
