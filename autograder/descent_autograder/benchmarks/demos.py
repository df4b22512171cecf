"""What a frame of a demo costs while something is dragged, in headless Chromium.

The browser is driven with the tools of the tests, which stand in the same repository.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from descent import demos

from descent_autograder.core.course import open_course

Row = dict[str, Any]


def rows() -> list[Row]:
    """`demo-frame`: the dearest control of the dearest demo, scripting and painting together.

    Raises RuntimeError when no browser can be started; the message says what to install.
    """
    repository = str(open_course().root.parent)
    if repository not in sys.path:
        sys.path.insert(0, repository)
    chromium, frames, page = (
        importlib.import_module(f"tests.browser.{name}") for name in ("chromium", "frames", "page")
    )
    reason = chromium.missing()
    if reason:
        raise RuntimeError(reason)
    worst, where = 0.0, ""
    with chromium.browser() as driver, tempfile.TemporaryDirectory() as folder:
        for name in demos.FRAMES:
            for control, cost in frames.frame_times(name, page.Page(driver, Path(folder))).items():
                if cost > worst:
                    worst, where = cost, f"{name}, {control}"
    what = f"95th percentile of scripting and painting a frame while dragging; dearest: {where}"
    row: Row = {"id": "demo-frame", "what": what, "value": round(worst, 2), "unit": "ms CPU"}
    return [row | {"baseline": None, "ratio": None}]
