"""Pictures that answer the hand: interactive demos for lessons, pages and talks.

Each function returns a :class:`Demo`. As the last value of a cell it shows itself; ``.save(path)``
writes a page of its own; it needs neither a network nor, once shown, a kernel.
"""

from __future__ import annotations

from .babysitting import (
    first_layer_pictures,
    learning_rate_explorer,
    train_val_gap,
    update_ratio_dial,
)
from .engine import Demo
from .gradient_checks import kink_explorer, step_size
from .race import Race, optimizer_race, race
from .sanity_checks import loss_at_chance

__all__ = [
    "Demo",
    "Race",
    "first_layer_pictures",
    "kink_explorer",
    "learning_rate_explorer",
    "loss_at_chance",
    "optimizer_race",
    "race",
    "step_size",
    "train_val_gap",
    "update_ratio_dial",
]
