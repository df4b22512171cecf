"""Pictures that answer the hand: interactive demos for lessons, pages and talks.

Each function returns a :class:`Demo`. As the last value of a cell it shows itself; ``.save(path)``
writes a page of its own; it needs neither a network nor, once shown, a kernel.
"""

from __future__ import annotations

from .engine import Demo
from .gradient_checks import kink_explorer, step_size
from .race import Race, optimizer_race, race

__all__ = ["Demo", "Race", "kink_explorer", "optimizer_race", "race", "step_size"]
