"""The small trainings behind the pictures of unit 9."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from descent.data import Dataset, digits
from descent.nets import History, Network, train

Array = NDArray[Any]
CLASSES = 10


@cache
def few_digits(num_examples: int) -> Dataset:
    """The digits with only the first ``num_examples`` to train on."""
    return digits(center=True).subset(num_examples)


def trained(
    data: Dataset,
    *,
    learning_rate: float,
    reg: float = 0.0,
    units: int = 50,
    num_epochs: int,
    seed: int,
) -> tuple[Network, History]:
    """A network with one hidden layer after plain gradient descent in batches of 50."""
    rng = np.random.default_rng(seed)
    network = Network((data.num_features, units, CLASSES), rng)
    history = train(
        network,
        data,
        learning_rate=learning_rate,
        reg=reg,
        batch_size=50,
        num_epochs=num_epochs,
        rng=rng,
        progress=False,
    )
    return network, history


def with_validation(data: Dataset, training: Array, validation: Array) -> Dataset:
    """The training set of ``data`` divided anew, by indices, into training and validation."""
    X, y = data.X_train, data.y_train
    return replace(
        data,
        X_train=X[training],
        y_train=y[training],
        X_val=X[validation],
        y_val=y[validation],
    )
