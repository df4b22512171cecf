"""What the master shows while it works: the best trials so far, and where to watch the cluster."""

from __future__ import annotations

import base64
import html
import sys
from typing import Any

from descent.search.folder import Trial

ROWS = 8


class Board:
    """A table that replaces itself in a notebook, and one line a change in a terminal."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._enabled = enabled
        self._handle: Any = None
        self._last = ""

    def show(self, trials: list[Trial], dashboard: str | None) -> None:
        """Show the ranked trials, if anything has changed."""
        self._show(summary(trials), trials, dashboard)

    def stopping(self, trials: list[Trial], dashboard: str | None) -> None:
        """Say that the workers are finishing their epochs."""
        line = "Stopping when each worker has finished its epoch; interrupt again to stop now."
        self._show(f"{line} {summary(trials)}", trials, dashboard)

    def _show(self, line: str, trials: list[Trial], dashboard: str | None) -> None:
        if not self._enabled:
            return
        standing = "".join(f"{t.number}{t.epochs}{t.status}" for t in trials[:ROWS])
        text = f"{line}{standing}{dashboard}" if _in_notebook() else line
        if text == self._last:
            return
        self._last = text
        if _in_notebook():
            self._update({"text/plain": line, "text/html": table(trials, dashboard, line)})
        else:
            print(line, file=sys.stderr, flush=True)

    def _update(self, bundle: dict[str, str]) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def summary(trials: list[Trial]) -> str:
    """How far the search has come, in one line."""
    ended = sum(t.ended for t in trials)
    epochs = sum(t.epochs for t in trials)
    best = trials[0].score if trials else float("nan")
    shown = "none yet" if best != best else f"{best:.2f} % (trial {trials[0].number})"
    return f"{ended} of {len(trials)} trials ended, {epochs} epochs trained, best {shown}"


def table(trials: list[Trial], dashboard: str | None, caption: str) -> str:
    """The best trials as an HTML table, each with its curve as a small picture."""
    names = list(trials[0].config) if trials else []
    head = "".join(
        f'<th scope="col">{html.escape(name)}</th>'
        for name in ("trial", *names, "status", "epochs", "best %", "curve")
    )
    rows = []
    for trial in trials[:ROWS]:
        values = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in trial.config.values()]
        score = "" if trial.score != trial.score else f"{trial.score:.2f}"
        cells = (str(trial.number), *values, trial.status, str(trial.epochs), score)
        row = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        rows.append(f"<tr>{row}<td>{sparkline(trial.curve)}</td></tr>")
    link = ""
    if dashboard:
        url = html.escape(dashboard, quote=True)
        link = f'<p>Watch the workers: <a href="{url}">{url}</a></p>'
    return (
        f"<table><caption>{html.escape(caption)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>{link}"
    )


def sparkline(curve: list[float]) -> str:
    """A curve of per cent values as a picture of 80 by 20 pixels."""
    points = [(i, v) for i, v in enumerate(curve) if v == v]
    if len(points) < 2:
        return ""
    step = 76 / (len(curve) - 1)
    path = " ".join(f"{2 + i * step:.1f},{19 - 0.18 * v:.1f}" for i, v in points)
    label = f"validation accuracy from {points[0][1]:.0f} to {points[-1][1]:.0f} per cent"
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="20">'
        f'<polyline points="{path}" fill="none" stroke="#0072B2" stroke-width="1.5"/></svg>'
    )
    data = base64.b64encode(drawing.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{label}" width="80" height="20">'
