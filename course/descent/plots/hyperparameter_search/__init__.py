"""Pictures of unit 9, hyper-parameter search; each function draws one and returns it.

Every function takes ``text``, a mapping with words that replace the English ones, and returns a
:class:`descent.plots.style.Picture` whose ``numbers`` are what was measured while drawing. Those
that take ``trials`` show what a search has found, see :class:`descent.search.Trial`; the others
train small networks on the bundled digits.
"""

from descent.plots.hyperparameter_search.budgets import (
    comparison,
    giving_up,
    learning_curves,
    rungs,
)
from descent.plots.hyperparameter_search.ranges import (
    log_scale,
    parallel_coordinates,
    score_against,
    sensitivity,
    stages,
)
from descent.plots.hyperparameter_search.roles import folds, optimism

__all__ = [
    "comparison",
    "folds",
    "giving_up",
    "learning_curves",
    "log_scale",
    "optimism",
    "parallel_coordinates",
    "rungs",
    "score_against",
    "sensitivity",
    "stages",
]
