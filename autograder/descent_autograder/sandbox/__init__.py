"""Running code that nobody vouches for, and judging it outside.

:class:`Worker` turns a submitted notebook's bytes into an executed notebook's and its verdicts;
:class:`Session` gives access to the functions of a Python file. What is defended, and how, is
written in ``docs/threat-model.md``.
"""

from .limits import Limits
from .selftest import Report, selftest
from .session import Session
from .walls import NoWall, Wall, best_wall
from .worker import Outcome, Worker

__all__ = [
    "Limits",
    "NoWall",
    "Outcome",
    "Report",
    "Session",
    "Wall",
    "Worker",
    "best_wall",
    "selftest",
]
