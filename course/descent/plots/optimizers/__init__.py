"""Pictures of unit 6, optimizers; each function draws one and returns it.

Every function takes ``text``, a mapping with words that replace the English ones, and returns a
:class:`descent.plots.style.Picture` whose ``numbers`` are what was measured while drawing. The
pictures come from formulas for one parameter, from the race's stored paths, or from the rules
that are handed in: the update rules themselves are the student's to write.
"""

from descent.plots.optimizers.adaptive import (
    adagrad_steps,
    decay_shares,
    leaky_steps,
    uncorrected_steps,
)
from descent.plots.optimizers.curvature import full_or_mini_batch, newton_paths
from descent.plots.optimizers.heat_map import unit_tests
from descent.plots.optimizers.landscapes import escape, race_results
from descent.plots.optimizers.momentum import (
    ball,
    braking,
    look_ahead,
    speed_up,
    stability,
)
from descent.plots.optimizers.rates import annealing, range_curve, schedules
from descent.plots.optimizers.yours import your_forms, your_training

__all__ = [
    "adagrad_steps",
    "annealing",
    "ball",
    "braking",
    "decay_shares",
    "escape",
    "full_or_mini_batch",
    "leaky_steps",
    "look_ahead",
    "newton_paths",
    "race_results",
    "range_curve",
    "schedules",
    "speed_up",
    "stability",
    "uncorrected_steps",
    "unit_tests",
    "your_forms",
    "your_training",
]
