"""House style of all plots: colours, lines, type, and pictures that carry their own description.

The colours are those of Okabe and Ito (2008), which remain distinct under the common forms of
colour blindness.  No plot relies on colour alone: series also differ in line style and marker.
"""

from __future__ import annotations

import base64
import html
import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#6B6B6B"

LINES: tuple[dict[str, Any], ...] = (
    {"color": BLUE, "linestyle": "-", "marker": "o"},
    {"color": VERMILION, "linestyle": "--", "marker": "s"},
    {"color": GREEN, "linestyle": "-.", "marker": "^"},
    {"color": PURPLE, "linestyle": ":", "marker": "D"},
    {"color": ORANGE, "linestyle": (0, (5, 1, 1, 1, 1, 1)), "marker": "v"},
    {"color": SKY, "linestyle": (0, (1, 1)), "marker": "X"},
)
"""Keyword arguments for the first, second, … line of a plot: colour, line style and marker."""

_PIXELS_PER_INCH = 160
_SHOWN_PIXELS_PER_INCH = 100
_FONTS = (
    "DejaVu Sans",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Noto Sans CJK SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "PingFang SC",
    "Yu Gothic",
    "Malgun Gothic",
    "Microsoft YaHei",
)


@cache
def _installed_fonts() -> list[str]:
    """The fonts of ours that this machine has; naming others makes matplotlib complain."""
    known = set(font_manager.get_font_names())
    return [name for name in _FONTS if name in known]


def _settings() -> dict[str, Any]:
    return {
        "font.family": _installed_fonts(),
        "font.size": 10.0,
        "axes.titlesize": 11.0,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": "#DDDDDD",
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 9.0,
        "lines.linewidth": 1.8,
        "lines.markersize": 5.0,
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "text.color": "#222222",
        "axes.labelcolor": "#222222",
        "xtick.color": "#222222",
        "ytick.color": "#222222",
    }


@dataclass(frozen=True)
class Picture:
    """A figure with a description, a caption and the numbers that it shows.

    Attributes:
        draw: makes the matplotlib figure, when somebody looks at it.
        alt: what the figure shows, for those who cannot see it; plain text.
        caption: a sentence shown below the figure; plain text, may be empty.
        numbers: what was measured, by name.

    In a notebook it displays itself as an HTML image with an ``alt`` attribute.  A bare
    ``image/png`` would lose the description: JupyterLab shows it without one.  While a notebook is
    graded it says in words what it shows: nobody looks, and a whole class would wait for drawing.
    """

    draw: Callable[[], Figure]
    alt: str
    caption: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def figure(self) -> Figure:
        """The matplotlib figure."""
        return self.draw()

    def png(self) -> bytes:
        """The picture as PNG."""
        buffer = io.BytesIO()
        with mpl.rc_context(_settings()):
            self.figure.savefig(buffer, format="png", dpi=_PIXELS_PER_INCH)
        return buffer.getvalue()

    def html(self) -> str:
        """The picture as one self-contained ``<figure>``."""
        width = round(self.figure.get_size_inches()[0] * _SHOWN_PIXELS_PER_INCH)
        data = base64.b64encode(self.png()).decode("ascii")
        caption = f"<figcaption>{html.escape(self.caption)}</figcaption>" if self.caption else ""
        return (
            f'<figure style="margin: 0.5em 0; max-width: {width}px">'
            f'<img src="data:image/png;base64,{data}" alt="{html.escape(self.alt)}" '
            f'width="{width}" style="max-width: 100%; height: auto">{caption}</figure>'
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        text = f"{self.alt}\n{self.caption}".rstrip()
        if os.environ.get("NBGRADER_EXECUTION"):
            return {"text/plain": text}
        return {"text/html": self.html(), "text/plain": text}


@contextmanager
def canvas(
    rows: int = 1, columns: int = 1, *, width: float = 7.2, height: float = 3.6, **options: Any
) -> Iterator[tuple[Figure, Any]]:
    """Give a figure and its axes (one, or an array of them), drawn in the house style.

    Args:
        rows, columns: the grid of axes.
        width, height: in inches.
        options: passed on to ``Figure.subplots``, such as ``sharey=True``.

    The figure is not pyplot's, so that it is shown once and freed with its last reference.
    """
    with mpl.rc_context(_settings()):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure, figure.subplots(rows, columns, **options)


def words(english: Mapping[str, str], own: Mapping[str, str] | None) -> dict[str, str]:
    """The words of one picture: the English ones, replaced by ``own`` where it has the key.

    Raises:
        KeyError: if ``own`` has a key that the picture does not use.
    """
    unknown = sorted(set(own or {}) - set(english))
    if unknown:
        raise KeyError(f"this picture has no words for {unknown}; it has {sorted(english)}")
    return {**english, **(own or {})}


def picture(figure: Figure, text: Mapping[str, str], numbers: Mapping[str, float]) -> Picture:
    """Make the picture of a figure; ``alt`` and ``caption`` of ``text`` may name the numbers."""
    plain = {name: float(value) for name, value in numbers.items()}
    alt, caption = (filled(text.get(key, ""), plain) for key in ("alt", "caption"))
    return Picture(lambda: figure, alt, caption, plain)


def filled(sentence: str, numbers: Mapping[str, float]) -> str:
    """The sentence with its numbers filled in, as the course writes them: 1e-5, −0.5, 99 %.

    Beside Python's own formats it knows ``{share:.0 %}``, with a space before the sign.
    """
    said = sentence.format(**{name: _Number(value) for name, value in numbers.items()})
    short = re.sub(r"(?<=\de)(?:(-)|\+)0*(?=\d)", r"\1", said)
    return re.sub(r"(?<![\w.)\]])-(?=\d)", "−", short)


class _Number(float):
    def __format__(self, how: str) -> str:
        if how.endswith(" %"):
            return f"{float(self):{how[:-2]}%}".replace("%", " %")
        return format(float(self), how)


def slope_of(x: Any, y: Any) -> float:
    """Slope of the straight line through ``log10(y)`` over ``log10(x)``."""
    return float(np.polyfit(np.log10(x), np.log10(y), 1)[0])


def threshold_bands(
    ax: Axes, text: Mapping[str, str], *, axis: str = "y", has_kinks: bool = False
) -> None:
    """Mark the course's thresholds of the relative error on a log axis.

    Args:
        ax: the axes.
        text: its words ``wrong``, ``uncomfortable`` and ``happy`` name the zones, and ``okay``
            where there are kinks.
        axis: the axis along which the relative error is drawn, ``"x"`` or ``"y"``.
        has_kinks: whether the loss has kinks: then errors from 1e-4 down to 1e-7 are okay, and
            else they are uncomfortable.
    """
    line, span = (ax.axhline, ax.axhspan) if axis == "y" else (ax.axvline, ax.axvspan)
    doubtful = 1e-4 if has_kinks else 1e-7
    for value in sorted({1e-2, doubtful, 1e-7}):
        line(value, color=GREY, linewidth=0.8, linestyle=(0, (4, 3)), zorder=0.9)
    low, high = ax.get_ylim() if axis == "y" else ax.get_xlim()
    zones = [
        ("wrong", max(high, 1e-2), 1e-2, VERMILION),
        ("uncomfortable", 1e-2, doubtful, ORANGE),
        ("happy", 1e-7, min(low, 1e-7), GREEN),
    ]
    if has_kinks:
        zones.append(("okay", 1e-4, 1e-7, SKY))
    for name, top, bottom, color in zones:
        span(bottom, top, color=color, alpha=0.10, linewidth=0, zorder=0.5)
        if axis == "y" and bottom < high and top > low:
            middle = float(np.sqrt(min(top, high) * max(bottom, low)))
            ax.text(
                1.005,
                middle,
                text[name],
                transform=ax.get_yaxis_transform(),
                va="center",
                fontsize=8.5,
                color="#444444",
            )
