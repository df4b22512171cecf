"""Running code that nobody vouches for, and judging it outside.

:class:`Worker` turns a submitted notebook's bytes into an executed notebook's and its verdicts;
:meth:`Worker.session` gives access to the functions of a Python file. What is defended, and how, is
written in ``docs/threat-model.md``.
"""

from .limits import Limits
from .walls import NoWall, Wall, best_wall
from .worker import Outcome, Worker, start_worker

__all__ = [
    "Limits",
    "NoWall",
    "Outcome",
    "Wall",
    "Worker",
    "best_wall",
    "start_worker",
]
