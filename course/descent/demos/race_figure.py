"""The race drawn with matplotlib, for moving pictures and for stills of the student's rules."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .landscapes import FLOOR, LANDSCAPES
from .strings import TABLES

__all__ = ["save_gif", "still"]

#: Colour, dashes and marker of each path, as in the frame.
_STYLES: list[tuple[str, Any, str]] = [
    ("#0b6bb0", "-", "o"),
    ("#c8500a", (0, (4, 2)), "s"),
    ("#00805c", (0, (1, 1.5)), "^"),
    ("#a3459a", "-.", "D"),
    ("#8a6100", (0, (2, 1.5)), "P"),
    ("#1f1f1f", (0, (6, 2)), "X"),
    ("#b3233f", (0, (5, 1, 1, 1, 1, 1)), "v"),
    ("#3b7f9e", (0, (2, 1, 0.5, 1)), "*"),
]

Paths = Mapping[str, NDArray[np.float64]]


def _figure(paths: Paths, landscape: str, labels: Mapping[str, str], dpi: int) -> Any:
    """Return a figure of its own, outside pyplot, and each path's four artists."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ground = LANDSCAPES[landscape]
    words = TABLES["optimizer_race"]
    figure = Figure(figsize=(7.2, 3.6), dpi=dpi, layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(1.25, 1))
    x, y = (np.linspace(*span, 400) for span in ground.view)
    above = np.maximum(ground.value(np.array(np.meshgrid(x, y))) - ground.lowest, 0)
    bands = np.floor(16 * (above / above.max()) ** 0.45) / 16
    extent = (*ground.view[0], *ground.view[1])
    left.imshow(bands, extent=extent, origin="lower", cmap="Blues_r", vmin=-0.8, vmax=1)
    left.set(xlabel=words["axis_x"], ylabel=words["axis_y"])
    longest = max(len(points) for points in paths.values())
    right.set(xlim=(0, longest - 1), yscale="log", xlabel=words["axis_step"])
    right.set_title(words["axis_loss"], loc="left", fontsize="medium")
    artists = {}
    losses = {}
    for index, (name, points) in enumerate(paths.items()):
        color, dashes, marker = _STYLES[index % len(_STYLES)]
        style = {"color": color, "linestyle": dashes, "linewidth": 1.8, "marker": marker}
        with np.errstate(all="ignore"):
            losses[name] = np.maximum(ground.value(points.T) - ground.lowest, FLOOR)
        artists[name] = (
            *left.plot([], [], markevery=[-1], **style),
            *right.plot([], [], markevery=[-1], label=labels[name], **style),
        )
    start = max(float(loss[0]) for loss in losses.values())
    least = min(float(np.nanmin(loss)) for loss in losses.values())
    right.set_ylim(min(start / 100, least) / 2, start * 8)
    figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return figure, artists, losses, longest


def _show(step: int, paths: Paths, artists: Any, losses: Any) -> None:
    for name, points in paths.items():
        end = min(step, len(points) - 1) + 1
        path, curve = artists[name]
        path.set_data(points[:end, 0], points[:end, 1])
        curve.set_data(np.arange(end), losses[name][:end])


def still(paths: Paths, landscape: str, labels: Mapping[str, str]) -> bytes | None:
    """Return the end of the race as a PNG, or None when there is nothing to show."""
    if not paths:
        return None
    figure, artists, losses, longest = _figure(paths, landscape, labels, dpi=72)
    _show(longest, paths, artists, losses)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return out.getvalue()


def save_gif(
    paths: Paths, landscape: str, labels: Mapping[str, str], path: Path, frames_per_second: int
) -> None:
    """Write the race as an animated GIF, every second step a frame.

    Raises ValueError when there is no path to show.
    """
    if not paths:
        raise ValueError("from another start there are only your own rules to show: give some")
    from PIL import Image

    figure, artists, losses, longest = _figure(paths, landscape, labels, dpi=100)
    canvas = figure.canvas
    moving = [artist for pair in artists.values() for artist in pair]
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    background = canvas.copy_from_bbox(figure.bbox)
    frames = []
    for step in [*range(0, longest - 1, 2), longest - 1]:
        _show(step, paths, artists, losses)
        canvas.restore_region(background)
        for artist in moving:
            artist.axes.draw_artist(artist)
        picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
        frames.append(picture)
    # The last frame has every colour; thin lines get their own only from maximum coverage.
    palette = frames[-1].quantize(128, Image.Quantize.MAXCOVERAGE)
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    pause = round(1000 / frames_per_second)
    times = [pause] * (len(frames) - 1) + [2000]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=times, loop=0)
