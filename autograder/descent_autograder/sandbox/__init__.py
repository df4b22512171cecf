"""Running code that nobody vouches for, and judging it outside.

:class:`Sandbox` turns a submitted notebook's bytes into an executed notebook's and its verdicts;
:meth:`Sandbox.session` gives access to the functions of a Python file. What is defended, and how,
is written in ``docs/threat-model.md``.
"""

from .limits import Limits
from .sandbox import Outcome, Sandbox, start_sandbox
from .survey import best_wall
from .walls import NoWall, Wall

__all__ = [
    "Limits",
    "NoWall",
    "Outcome",
    "Sandbox",
    "Wall",
    "best_wall",
    "start_sandbox",
]
