"""What a training leaves behind to be looked at."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
WATCHED = ("loss", "train_accuracy", "val_accuracy", "update_ratio")


@dataclass
class History:
    """Per epoch and per iteration records of one training, as lists that grow.

    Per epoch: `loss` (mean over the epoch's batches, penalty included), `train_accuracy` (on
    the first 1,000 training examples at most, after the epoch), `val_loss` (cross-entropy) and
    `val_accuracy`, `learning_rate`, `update_ratio` (mean over the epoch's updates and over all
    weight matrices of ‖update‖ / ‖weights‖), and `layers`: mean, std and saturated share of
    every hidden layer's output, as `Network.layer_report` gives them.

    Per iteration: `batch_loss`, and for every parameter its `batch_ratio`, the size of the
    update that was really made over the size that the parameter had (L2 norms; NaN for a
    parameter that was all zero).
    """

    loss: list[float] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    update_ratio: list[float] = field(default_factory=list)
    learning_rate: list[float] = field(default_factory=list)
    layers: list[dict[str, Array]] = field(default_factory=list)
    batch_loss: list[float] = field(default_factory=list)
    batch_ratio: dict[str, list[float]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.loss)

    def epochs(self) -> dict[str, Array]:
        """The four curves that one watches, each `(number of epochs,)` float64.

        They are `"loss"`, `"train_accuracy"`, `"val_accuracy"` and `"update_ratio"`.
        """
        return {name: np.array(getattr(self, name), float) for name in WATCHED}

    def as_plain(self) -> dict[str, Any]:
        """All records as a dict of lists, dicts and arrays; `History(**plain)` undoes it."""
        return asdict(self)
