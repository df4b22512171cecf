"""The trainings behind the pictures of unit 5."""

from __future__ import annotations

from functools import cache

import numpy as np

from descent.data import Dataset, digits
from descent.nets import History, Network, train


@cache
def centered_digits() -> Dataset:
    """The digits with the training set's mean image taken away."""
    return digits(center=True)


def watch(
    sizes: tuple[int, ...],
    learning_rate: float,
    num_epochs: int,
    *,
    data: Dataset | None = None,
    activation: str = "tanh",
    init: str | float = "he",
    reg: float = 0.0,
    batch_size: int = 100,
    growth: float = 1.0,
) -> tuple[Network, History]:
    """Train a fresh network by plain gradient descent, on the digits unless told otherwise.

    The learning rate is multiplied by `growth` after every epoch.
    """
    network = Network(sizes, np.random.default_rng(0), activation=activation, init=init)
    history = train(
        network,
        data or centered_digits(),
        learning_rate=learning_rate,
        schedule=lambda rate, epoch: rate * growth**epoch,
        reg=reg,
        batch_size=batch_size,
        num_epochs=num_epochs,
        rng=np.random.default_rng(1),
        progress=False,
    )
    return network, history
