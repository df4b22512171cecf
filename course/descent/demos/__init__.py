"""Pictures that answer the hand: interactive demos for lessons, pages and talks.

Each function returns a :class:`Demo`. As the last value of a cell it shows itself; ``.save(path)``
writes a page of its own; it needs neither a network nor, once shown, a kernel.
"""

from __future__ import annotations

from .babysitting import (
    batch_size_wiggle,
    first_layer_pictures,
    learning_rate_explorer,
    train_val_gap,
    update_ratio_dial,
)
from .engine import Demo
from .gradient_checks import kink_explorer, step_size
from .live import LiveTraining, train_live
from .optimizers import decay_schedules, newton_vs_gradient
from .race import Race, optimizer_race, race
from .sanity_checks import loss_at_chance
from .searching import coarse_to_fine, ensemble_size, grid_vs_random, temperature

__all__ = [
    "Demo",
    "LiveTraining",
    "Race",
    "batch_size_wiggle",
    "coarse_to_fine",
    "decay_schedules",
    "ensemble_size",
    "first_layer_pictures",
    "grid_vs_random",
    "kink_explorer",
    "learning_rate_explorer",
    "loss_at_chance",
    "newton_vs_gradient",
    "optimizer_race",
    "race",
    "step_size",
    "temperature",
    "train_live",
    "train_val_gap",
    "update_ratio_dial",
]

#: The names of the demos that are frames of their own and open without arguments.
FRAMES = (
    "coarse_to_fine",
    "decay_schedules",
    "ensemble_size",
    "first_layer_pictures",
    "grid_vs_random",
    "kink_explorer",
    "learning_rate_explorer",
    "loss_at_chance",
    "newton_vs_gradient",
    "optimizer_race",
    "step_size",
    "temperature",
    "train_val_gap",
    "update_ratio_dial",
)
