"""Data to train on: the bundled digits, generated sets, and larger ones for those online.

`digits()` reads a file that comes with the course. `spirals`, `blobs`, `ravine` and `patterns`
draw from the generator they are given. `cifar10` and `mnist` (in `descent.data.online`, extra
`descent[download]`) download once and are needed by no lesson, question or test.
"""

from .bundled import digits
from .dataset import Dataset, split
from .generated import blobs, patterns, ravine, scramble_features, spirals

__all__ = [
    "Dataset",
    "blobs",
    "digits",
    "patterns",
    "ravine",
    "scramble_features",
    "spirals",
    "split",
]
