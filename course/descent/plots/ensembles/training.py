"""The trainings of unit 10: one small network on a few digits, in all the ways worth averaging.

The learning rate is high and never lowered, and examples are few, so that networks make different
mistakes and there is something left to gain.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.data import Dataset
from descent.nets import Network, Run, load_checkpoint, train
from descent.search import Study, run_trial

Array = npt.NDArray[Any]
Parameters = dict[str, Array]
NUM_EXAMPLES, NUM_EPOCHS, BATCH_SIZE, LEARNING_RATE = 400, 12, 10, 0.7
STUDENT_RATE = 0.1
SIZES = (64, 40, 10)
DECAY = 0.99


def fit(
    data: Dataset, seed: Sequence[int], rate: float = LEARNING_RATE, **settings: Any
) -> Network:
    """Train one network at one learning rate from beginning to end.

    `settings` go to `descent.nets.train`, above those of this unit.
    """
    rng = np.random.default_rng(seed)
    network = Network(SIZES, rng, batch_norm=True)
    settings = {"num_epochs": NUM_EPOCHS, "batch_size": BATCH_SIZE, **settings}
    train(network, data, learning_rate=rate, rng=rng, progress=False, **settings)
    return network


def keep_checkpoints(kept: list[Network], every: int, count: int) -> Callable[[Run], None]:
    """A callback that puts copies of the network into `kept`: the last `count`, `every` epochs."""
    wanted = range(NUM_EPOCHS, NUM_EPOCHS - every * count, -every)

    def keep(run: Run) -> None:
        if run.epoch in wanted:
            kept.append(run.network.copy())

    return keep


def fit_with_averages(
    data: Dataset, seed: Sequence[int], decays: Sequence[float], **settings: Any
) -> tuple[Network, list[Network]]:
    """Train as `fit`; also one network for each of `decays` that holds the averaged parameters.

    Their batch-norm statistics are those of the trained network: stale.
    """
    rates = np.array(decays)
    means: dict[float, Parameters] = {}

    def step(w: Array, dw: Array, state: Any = None, /, *, learning_rate: float) -> Any:
        w = w - learning_rate * dw
        sums, weights = (
            state if state is not None else (np.zeros((len(rates), *w.shape)), 0 * rates)
        )
        shares = 1 - rates.reshape(-1, *[1] * w.ndim)
        # The weight that has been given out so far; what is missing to 1 still lies on the zeros.
        return w, (sums + shares * (w - sums), weights + (1 - rates) * (1 - weights))

    def read(run: Run) -> None:
        for k, decay in enumerate(decays):
            means[decay] = {name: s[k] / weights[k] for name, (s, weights) in run.states.items()}

    callbacks = [*settings.pop("callbacks", []), read]
    network = fit(data, seed, rule=step, callbacks=callbacks, **settings)
    averaged = [network.copy() for _ in decays]
    for other, decay in zip(averaged, decays, strict=True):
        other.load(means[decay])
    return network, averaged


def best_of_search(
    data: Dataset, seed: int, num_trials: int = 8, num_epochs: int = 6, keep: int = 4
) -> list[Network]:
    """The best checkpoints of a random search over rates and sizes, read back from its folder."""
    space = {"learning_rate": (1e-2, 1.0, "log"), "units": (10, 80, "log")}

    def prepare(config: dict[str, Any], rng: np.random.Generator) -> dict[str, Any]:
        network = Network((SIZES[0], round(config["units"]), SIZES[-1]), rng, batch_norm=True)
        rate = config["learning_rate"]
        return {"network": network, "data": data, "learning_rate": rate, "batch_size": BATCH_SIZE}

    members = []
    with tempfile.TemporaryDirectory() as folder:
        study = Study.create(folder, space, num_trials=num_trials, num_epochs=num_epochs, seed=seed)
        for number in range(num_trials):
            run_trial(folder, number, prepare)
        for best in study.best(keep):
            checkpoint = load_checkpoint(best.path)
            member = prepare(study.config(best.trial), np.random.default_rng())["network"]
            member.load(checkpoint.params, checkpoint.running)
            members.append(member)
    return members


def distil(
    data: Dataset, teachers: Sequence[Network], temperature: float, seed: Sequence[int]
) -> Network:
    """A student of the teachers' softened average on all of `data.X_train`; it sees no label."""
    X = data.X_train
    target = np.mean([softened(t.scores(X), temperature) for t in teachers], axis=0)

    def loss(scores: Array, rows: Array) -> tuple[float, Array]:
        own = softened(scores, temperature)
        surprise = -float(np.vdot(target[rows], np.log(own))) / len(rows)
        return temperature**2 * surprise, temperature * (own - target[rows]) / len(rows)

    return fit(data, seed, STUDENT_RATE, loss=loss)


def as_long_as_the_student(data: Dataset, everything: Dataset, seed: Sequence[int]) -> Network:
    """What the student would be without a teacher: same start, rate and number of updates."""
    num_epochs = round(NUM_EPOCHS * len(everything.X_train) / len(data.X_train))
    return fit(data, seed, STUDENT_RATE, num_epochs=num_epochs)


def softened(scores: Array, temperature: float) -> Array:
    """Class probabilities at a temperature; (N, C) in and out."""
    scaled = scores / temperature
    grown = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))
