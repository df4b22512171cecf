"""A progress bar for notebooks and terminals that needs nothing but them."""

from __future__ import annotations

import sys
import time
from html import escape
from typing import Any

_WIDTH = 24
_SECONDS_BETWEEN = 0.1


class ProgressBar:
    """Shows how far a loop has come; silent where nobody could see it move.

    In a notebook it is one display that is updated in place, on a terminal one line of stderr.
    Elsewhere (scripts, graders, logs) nothing is written. Use as a context manager and call
    `show(done, note)` as often as you like: it draws at most ten times a second.
    """

    def __init__(self, total: int, label: str, *, enabled: bool = True) -> None:
        self.total, self.label = total, label
        self._draw = _drawer() if enabled else None
        self._started = self._drawn_at = time.monotonic()
        self._last = (0, "")

    def __enter__(self) -> ProgressBar:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._draw:
            self._draw.close(self._line(*self._last), self._last[0] / self.total)

    def show(self, done: int, note: str = "") -> None:
        """Record that `done` of `total` steps are done, with a short `note` at the end."""
        self._last = (done, note)
        now = time.monotonic()
        if self._draw and now - self._drawn_at >= _SECONDS_BETWEEN:
            self._drawn_at = now
            self._draw.update(self._line(done, note), done / self.total)

    def _line(self, done: int, note: str) -> str:
        elapsed = time.monotonic() - self._started
        left = f", {elapsed * (self.total - done) / done:.0f} s left" if done > 0 else ""
        return f"{self.label} {done}/{self.total}, {elapsed:.0f} s{left}  {note}".rstrip()


class _Terminal:
    def update(self, line: str, share: float) -> None:
        bar = ("#" * round(share * _WIDTH)).ljust(_WIDTH, ".")
        sys.stderr.write(f"\r\x1b[2K[{bar}] {line}")
        sys.stderr.flush()

    def close(self, line: str, share: float) -> None:
        self.update(line, share)
        sys.stderr.write("\n")


class _Notebook:
    def __init__(self) -> None:
        from IPython.display import display

        self._display = display
        self._handle: Any = None

    def update(self, line: str, share: float) -> None:
        data = {
            "text/plain": line,
            "text/html": f"<label><progress max='1' value='{share:.3f}'></progress> "
            f"{escape(line)}</label>",
        }
        if self._handle is None:
            self._handle = self._display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)

    def close(self, line: str, share: float) -> None:
        # A loop too short to have been drawn leaves no bar behind.
        if self._handle is not None:
            self.update(line, share)


def _drawer() -> _Terminal | _Notebook | None:
    if "IPython" in sys.modules:
        shell = sys.modules["IPython"].get_ipython()
        if hasattr(shell, "kernel"):
            return _Notebook()
    return _Terminal() if sys.stderr is not None and sys.stderr.isatty() else None
