"""What averaging gives: every kind of ensemble, over several seeds, on the test digits."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.data import Dataset, digits
from descent.nets import Network, refresh_statistics
from descent.plots.ensembles import training

Array = npt.NDArray[Any]
KINDS = (
    "single",
    "average",
    "checkpoints",
    "best",
    "search",
    "four",
    "seeds",
    "distilled",
    "control",
)
"""One network; running average of its parameters; its last checkpoints; the best of a search alone;
the best few of it; four networks that differ in their seed; all of those; the student; one network
that learns from the labels alone, at the student's learning rate and for as many updates."""
GROUPS = ("checkpoints", "search", "seeds")
TEMPERATURES = (1.0, 2.0, 4.0)
TEMPERATURE = 2.0


@dataclass
class Measured:
    """Test probabilities of everything that was trained, seed by seed.

    `y` are the test labels (N,). `models` maps each of KINDS to one (N, C) array a seed, and
    `members` each of GROUPS to one (M, N, C) array a seed. `students` maps a temperature to the
    (N, C) arrays of the students distilled at it.
    """

    y: Array
    models: dict[str, list[Array]] = field(default_factory=dict)
    members: dict[str, list[Array]] = field(default_factory=dict)
    students: dict[float, list[Array]] = field(default_factory=dict)

    def note_group(self, kind: str, networks: Sequence[Network], X: Array) -> None:
        """Record an ensemble: its members, and their average."""
        stack = np.array([network.probabilities(X) for network in networks])
        self.members.setdefault(kind, []).append(stack)
        self.models.setdefault(kind, []).append(stack.mean(axis=0))

    def note(self, kind: str, network: Network, X: Array) -> None:
        """Record a single model."""
        self.models.setdefault(kind, []).append(network.probabilities(X))

    def accuracy(self, kind: str) -> Array:
        """Test accuracy in per cent, one number a seed."""
        return np.array([accuracy(model, self.y) for model in self.models[kind]])

    def log_loss(self, kind: str) -> Array:
        """Test log loss, one number a seed."""
        return np.array([log_loss(model, self.y) for model in self.models[kind]])


def measure(num_seeds: int = 10, num_members: int = 6) -> Measured:
    """Train and measure everything; about a second a seed on one core."""
    everything = digits()
    data, X = everything.subset(training.NUM_EXAMPLES), everything.X_test
    found = Measured(data.y_test)
    for seed in range(num_seeds):
        kept: list[Network] = []
        callbacks = [training.keep_checkpoints(kept, every=2, count=4)]
        first, (averaged,) = training.fit_with_averages(
            data, [seed, 0], [training.DECAY], callbacks=callbacks
        )
        runs = [first, *(training.fit(data, [seed, k]) for k in range(1, num_members))]
        refresh_statistics(averaged, data.X_train)
        found.note("single", first, X)
        found.note("average", averaged, X)
        found.note_group("checkpoints", kept, X)
        searched = training.best_of_search(data, seed)
        found.note("best", searched[0], X)
        found.note_group("search", searched, X)
        found.note_group("seeds", runs, X)
        # As many as there are checkpoints, and members from the search.
        found.models.setdefault("four", []).append(found.members["seeds"][-1][:4].mean(axis=0))
        for heat in TEMPERATURES:
            student = training.distil(everything, runs, heat, [seed, 98])
            found.students.setdefault(heat, []).append(student.probabilities(X))
        found.note("control", training.as_long_as_the_student(data, everything, [seed, 98]), X)
    found.models["distilled"] = found.students[TEMPERATURE]
    return found


def accuracy(probabilities: Array, y: Array) -> float:
    """Per cent of rows of (N, C) whose largest entry is the true class's."""
    return 100 * float(np.mean(np.argmax(probabilities, axis=1) == y))


def log_loss(probabilities: Array, y: Array) -> float:
    """Mean log loss of (N, C) probabilities."""
    of_truth = np.take_along_axis(probabilities, y[:, None], axis=1)
    return -float(np.mean(np.log(np.maximum(of_truth, 1e-300))))


def pairs(members: Array, y: Array) -> Array:
    """For each pair of members (M, N, C): per cent on which they differ, and gain in log loss.

    The gain is what the pair's average saves on the mean of the two.
    """
    found = []
    for one, other in itertools.combinations(members, 2):
        differ = 100 * np.count_nonzero(one.argmax(axis=1) - other.argmax(axis=1)) / len(y)
        apart = (log_loss(one, y) + log_loss(other, y)) / 2
        found.append((differ, apart - log_loss((one + other) / 2, y)))
    return np.array(found)


def by_size(found: Measured) -> tuple[Array, Array, Array]:
    """Accuracy, log loss, and mean log loss of the members, each (seeds, sizes), size after size.

    For each size the members are taken in turn, so that none of them stands for all.
    """
    rows = []
    for members in found.members["seeds"]:
        m = len(members)
        alone = float(np.mean([log_loss(member, found.y) for member in members]))
        row = []
        for size in range(1, m + 1):
            groups = [members[np.arange(k, k + size) % m].mean(axis=0) for k in range(m)]
            right = np.mean([accuracy(group, found.y) for group in groups])
            row.append((right, np.mean([log_loss(group, found.y) for group in groups]), alone))
        rows.append(row)
    right, loss, alone = np.moveaxis(np.array(rows), 2, 0)
    return right, loss, alone


def stale_and_refreshed(decays: Sequence[float], num_seeds: int) -> Array:
    """Test accuracy of averaged parameters (seeds, decays, 2): statistics stale, and refreshed."""
    data = digits().subset(training.NUM_EXAMPLES)
    rows = []
    for seed in range(num_seeds):
        _, averaged = training.fit_with_averages(data, [seed, 0], decays)
        row = []
        for network in averaged:
            stale = 100 * network.accuracy(data.X_test, data.y_test)
            refresh_statistics(network, data.X_train)
            row.append((stale, 100 * network.accuracy(data.X_test, data.y_test)))
        rows.append(row)
    return np.array(rows)


def halfway(shares: Sequence[float], num_pairs: int) -> Array:
    """Test accuracy on the straight line between two networks' parameters (pairs, 2, shares).

    First two checkpoints of one run, two epochs apart, then two networks from other
    initialisations; batch-norm statistics are refreshed at every place.
    """
    data = digits().subset(training.NUM_EXAMPLES)
    rows = []
    for seed in range(num_pairs):
        kept: list[Network] = []
        callbacks = [training.keep_checkpoints(kept, every=2, count=2)]
        first = training.fit(data, [seed, 0], callbacks=callbacks)
        ends = (kept[0], kept[1]), (first, training.fit(data, [seed, 1]))
        rows.append([[_between(*pair, share, data) for share in shares] for pair in ends])
    return np.array(rows)


def _between(one: Network, other: Network, share: float, data: Dataset) -> float:
    mixed = one.copy()
    mixed.load({k: (1 - share) * w + share * other.params[k] for k, w in one.params.items()})
    refresh_statistics(mixed, data.X_train)
    return 100 * mixed.accuracy(data.X_test, data.y_test)


def variety(rates: Sequence[float], num_runs: int, num_members: int) -> Array:
    """Per cent on which two members differ, (rates, 2): checkpoints of a run, and other seeds."""
    data = digits().subset(training.NUM_EXAMPLES)
    table = []
    for rate in rates:
        late, last = [], []
        for run in range(num_runs):
            ends = []
            for k in range(num_members):
                kept: list[Network] = []
                callbacks = [training.keep_checkpoints(kept, every=2, count=num_members)]
                ends.append(training.fit(data, [run, k], rate, callbacks=callbacks))
                late.append(_differ(kept, data.X_test, data.y_test))
            last.append(_differ(ends, data.X_test, data.y_test))
        table.append((np.mean(late), np.mean(last)))
    return np.array(table)


def _differ(networks: Sequence[Network], X: Array, y: Array) -> float:
    return float(pairs(np.array([n.probabilities(X) for n in networks]), y)[:, 0].mean())


def beginners(count: int) -> Array:
    """Test probabilities (count, N, C) of networks that were trained much too little."""
    data = digits().subset(training.NUM_EXAMPLES)
    networks = [training.fit(data, [7, k], rate=0.02, num_epochs=1) for k in range(count)]
    return np.array([network.probabilities(data.X_test) for network in networks])


def prediction_time(num_members: int = 8, repeats: int = 15) -> Array:
    """Milliseconds to classify the test digits with 1, 2, … members: the quickest of `repeats`.

    The quickest, because other programs can only make it slower.
    """
    X = digits().X_test
    rng = np.random.default_rng(0)
    networks = [Network(training.SIZES, rng, batch_norm=True) for _ in range(num_members)]
    times = np.zeros((repeats, num_members))
    for row in times:
        for m in range(num_members):
            started = time.perf_counter()
            np.mean([network.probabilities(X) for network in networks[: m + 1]], axis=0)
            row[m] = time.perf_counter() - started
    return np.asarray(1000 * times.min(axis=0))
