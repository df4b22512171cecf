"""Pictures of unit 1, gradient checks; each function draws one and returns it.

Every function takes ``text``, a mapping with words that replace the English ones, and returns a
:class:`descent.plots.style.Picture` whose ``numbers`` are what was measured while drawing.
"""

from descent.plots.gradient_checks.hiding import (
    bug_at_initialization,
    bug_behind_penalty,
    dropout_seed,
    one_long_vector,
)
from descent.plots.gradient_checks.hunting import line_up
from descent.plots.gradient_checks.kinks import kink_crossed, kinks_by_batch_size
from descent.plots.gradient_checks.reading import (
    active_range,
    error_against_depth,
    same_difference,
    thresholds,
)
from descent.plots.gradient_checks.steps import (
    chords,
    error_against_step,
    precision,
    taylor_terms,
    your_errors,
)

__all__ = [
    "active_range",
    "bug_at_initialization",
    "bug_behind_penalty",
    "chords",
    "dropout_seed",
    "error_against_depth",
    "error_against_step",
    "kink_crossed",
    "kinks_by_batch_size",
    "line_up",
    "one_long_vector",
    "precision",
    "same_difference",
    "taylor_terms",
    "thresholds",
    "your_errors",
]
