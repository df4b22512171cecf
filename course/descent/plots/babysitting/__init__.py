"""Pictures of unit 5, babysitting; each function draws one and returns it.

Every function takes ``text``, a mapping with words that replace the English ones, and returns a
:class:`descent.plots.style.Picture` whose ``numbers`` are what was measured while drawing. All of
them watch real trainings of small networks.
"""

from descent.plots.babysitting.curves import gallery, rate_curves, wiggle_by_batch
from descent.plots.babysitting.gaps import gaps, update_ratios
from descent.plots.babysitting.layers import filters, layer_histograms

__all__ = [
    "filters",
    "gallery",
    "gaps",
    "layer_histograms",
    "rate_curves",
    "update_ratios",
    "wiggle_by_batch",
]
