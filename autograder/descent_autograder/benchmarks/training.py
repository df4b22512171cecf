"""How long one training step of the course's network takes beside scikit-learn and PyTorch.

Same network (64-100-10, ReLU), same batch (200 rows), plain descent, float64 and one thread on
every side; the median of several rounds in which the sides take turns. Ours is the whole loop
that students run, with update ratios and history.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from descent.data import Dataset
from descent.nets import Network, train
from numpy.typing import NDArray

Row = dict[str, Any]
Array = NDArray[Any]
Side = Callable[[Array, Array], None]

SIZES = (64, 100, 10)
NUM_EXAMPLES, BATCH_SIZE, NUM_EPOCHS, ROUNDS = 10_000, 200, 4, 7
STEPS = NUM_EPOCHS * NUM_EXAMPLES // BATCH_SIZE
RATE, PENALTY = 0.01, 1e-4


def rows() -> list[Row]:
    """The rows `training-step-vs-sklearn` and `training-step-vs-torch`.

    `value` and `baseline` are microseconds per step, ours and theirs, and `ratio` is theirs
    over ours: above 1 we are faster. Where the other library isn't installed `baseline` and
    `ratio` are None and `what` says so. Needs threadpoolctl, which scikit-learn brings.
    """
    return [
        _row("training-step-vs-sklearn", "scikit-learn's MLPClassifier", "sklearn", _sklearn),
        _row("training-step-vs-torch", "PyTorch", "torch", _torch),
    ]


def _row(identity: str, rival: str, module: str, theirs: Side) -> Row:
    what = f"training step, {rival}'s time / ours ({'-'.join(map(str, SIZES))}, batch 200)"
    row: Row = {"id": identity, "what": what, "unit": "µs", "baseline": None, "ratio": None}
    sides: list[Side] = [_ours, theirs] if find_spec(module) else [_ours]
    if theirs not in sides:
        row["what"] += f"; {rival} isn't installed"
    value, *baseline = _medians(sides)
    row["value"] = round(value, 1)
    if baseline:
        row |= {"baseline": round(baseline[0], 1), "ratio": round(baseline[0] / value, 2)}
    return row


def _medians(sides: list[Side]) -> list[float]:
    """Microseconds per step of every side; the first round warms up and isn't counted."""
    threads: Any = import_module("threadpoolctl")
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((NUM_EXAMPLES, SIZES[0])), rng.integers(0, 10, NUM_EXAMPLES)
    seconds: list[list[float]] = [[] for _ in sides]
    with threads.threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn remarks that it hasn't converged
        for _ in range(ROUNDS + 1):
            for side, times in zip(sides, seconds, strict=True):
                start = time.perf_counter()
                side(X, y)
                times.append(time.perf_counter() - start)
    return [statistics.median(times[1:]) / STEPS * 1e6 for times in seconds]


def _ours(X: Array, y: Array) -> None:
    rng = np.random.default_rng(1)
    few = X[:BATCH_SIZE], y[:BATCH_SIZE]
    train(
        Network(SIZES, rng),
        Dataset(X, y, *few, *few, num_classes=SIZES[-1]),
        learning_rate=RATE,
        batch_size=BATCH_SIZE,
        num_epochs=NUM_EPOCHS,
        reg=PENALTY,
        rng=rng,
        progress=False,
    )


def _sklearn(X: Array, y: Array) -> None:
    from sklearn.neural_network import MLPClassifier

    MLPClassifier(
        SIZES[1:-1],
        solver="sgd",
        momentum=0,
        nesterovs_momentum=False,
        alpha=PENALTY,
        batch_size=BATCH_SIZE,
        learning_rate_init=RATE,
        max_iter=NUM_EPOCHS,
        n_iter_no_change=NUM_EPOCHS,
        random_state=1,
    ).fit(X, y)


def _torch(X: Array, y: Array) -> None:
    torch: Any = import_module("torch")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    inputs, labels = torch.from_numpy(X), torch.from_numpy(y)
    model = torch.nn.Sequential(
        torch.nn.Linear(*SIZES[:2]), torch.nn.ReLU(), torch.nn.Linear(*SIZES[1:])
    ).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, weight_decay=PENALTY)
    for _ in range(NUM_EPOCHS):
        for rows in torch.randperm(NUM_EXAMPLES).split(BATCH_SIZE):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs[rows]), labels[rows])
            loss.backward()
            optimizer.step()
            loss.item()
