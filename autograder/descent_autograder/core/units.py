"""The names of the units, and the ways in which people write them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from descent_autograder.core.errors import UnknownUnit

UNITS: Sequence[str] = (
    "gradient-checks",
    "sanity-checks",
    "activations-and-initialization",
    "batch-normalization",
    "babysitting",
    "optimizers",
    "sgd-noise",
    "regularization",
    "hyperparameter-search",
    "ensembles",
    "capstone",
)


def folder(number: int) -> str:
    """The folder of unit `number`, counted from 1: ``6`` → ``06-optimizers``."""
    return f"{number:02d}-{UNITS[number - 1]}"


def resolve(text: str, also: Iterable[str] = ()) -> str:
    """Return the folder name of the unit that `text` names.

    Accepts ``optimizers``, ``06-optimizers``, ``06_optimizers`` and ``6``, in any case.

    Args:
        text: what was typed.
        also: folders of units that this course has besides the standard ones.

    Raises:
        UnknownUnit: when nothing fits; the message lists what would.
    """
    folders = {folder(number): None for number in range(1, len(UNITS) + 1)}
    folders.update(dict.fromkeys(also))
    wanted = text.strip().lower().replace("_", "-").strip("/")
    for name in folders:
        number, _, rest = name.lower().replace("_", "-").partition("-")
        spellings = {name.lower().replace("_", "-"), rest, number, number.lstrip("0")}
        if wanted and wanted in spellings:
            return name
    raise UnknownUnit(f"unknown unit {text!r}: choose from {', '.join(folders)}")


def module(unit: str) -> str:
    """The Python module of a unit: ``06-optimizers`` → ``optimizers``."""
    return re.sub(r"^\d+-", "", unit).replace("-", "_")
