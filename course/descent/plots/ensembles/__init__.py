"""Pictures of unit 10, ensembles; each function draws one and returns it.

Every function that draws takes ``text``, a mapping with words that replace the English ones, and
returns a :class:`descent.plots.style.Picture` whose ``numbers`` are what was measured. Those that
take ``found`` draw what :func:`measure` found on the bundled digits. :func:`fit`,
:func:`best_of_search`, :func:`your_average` and :func:`your_student` train for the assignment.
"""

from descent.plots.ensembles.averaging import (
    dark_knowledge,
    guarantees,
    jensen,
    reliability,
    ways_compared,
    ways_to_average,
)
from descent.plots.ensembles.measuring import Measured, measure
from descent.plots.ensembles.results import (
    cost,
    diversity,
    results,
    shaken,
    size,
    students,
    table,
)
from descent.plots.ensembles.running import between, bowl, stale_statistics, start_at_zero
from descent.plots.ensembles.training import best_of_search, fit
from descent.plots.ensembles.yours import your_average, your_sizes, your_student

__all__ = [
    "Measured",
    "best_of_search",
    "between",
    "bowl",
    "cost",
    "dark_knowledge",
    "diversity",
    "fit",
    "guarantees",
    "jensen",
    "measure",
    "reliability",
    "results",
    "shaken",
    "size",
    "stale_statistics",
    "start_at_zero",
    "students",
    "table",
    "ways_compared",
    "ways_to_average",
    "your_average",
    "your_sizes",
    "your_student",
]
