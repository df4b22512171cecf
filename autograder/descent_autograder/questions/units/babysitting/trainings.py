"""Unseen trainings with planted faults, for `diagnose` and `classify_learning_rate`.

Each run is a real one: a small network learns generated data by minibatch descent, and what
is planted is a *cause* (a rate, a spread of initial weights, a size of network or data), never
a curve. Take the cause away and the run gets better; a test does that for every fault.

Runs of one group share the sizes of data and network but nothing else, and are trained side by
side as stacked matrices: several times quicker than one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
from descent.questions.babysitting import CURVES, FAULTS, HEALTHY
from numpy.typing import NDArray

from descent_autograder.questions.drawing import drawn

Array = NDArray[Any]
History = dict[str, Array]

LEARNING_RATES = {
    "low": "learning rate too low",
    "good": HEALTHY,
    "high": "learning rate too high",
    "very high": "diverged",
}
GROUP = 16


@dataclass(frozen=True)
class Plan:
    """Settings and data of a group of R trainings of one shape.

    `X (R, N, D)`, `y (R, N)`, `X_val (R, M, D)`, `y_val (R, M)`; `spread`, `rate` and `reg` are
    `(R,)`. Initial weights have the standard deviation `spread` times the one that suits the
    activation (He's for ReLU, Xavier's for tanh).
    """

    X: Array
    y: Array
    X_val: Array
    y_val: Array
    sizes: tuple[int, ...]
    activation: str
    spread: Array
    rate: Array
    reg: Array
    batch_size: int
    num_epochs: int


def training(fault: str, rng: np.random.Generator) -> History:
    """One fresh run with `fault` planted, or a `"healthy"` one.

    A dict of `"loss"` (mean over each epoch's batches), `"train_accuracy"`, `"val_accuracy"` and
    `"update_ratio"` (mean over weight matrices and updates), each `(number of epochs,)`.
    """
    return trainings(fault, 1, rng)[0]


def trainings(fault: str, num: int, rng: np.random.Generator) -> list[History]:
    """`num` fresh runs with `fault` planted; see `training`.

    A run in which the cause had no effect (a huge rate that happened not to diverge, a bad
    start that was overcome at once) is drawn again. Raises ValueError for an unknown fault.
    """
    if fault != HEALTHY and fault not in FAULTS:
        raise ValueError(f"fault must be one of {(HEALTHY, *FAULTS)}, not {fault!r}")
    runs: list[History] = []
    while len(runs) < num:
        missing = min(GROUP, num - len(runs))
        curves = drawn(partial(_group, fault, missing), partial(_any_took_effect, fault), rng)
        for row in np.flatnonzero(_took_effect(fault, curves)):
            runs.append({name: curves[name][row].copy() for name in CURVES})
    return runs


@lru_cache(maxsize=4)
def pool(seed: int, per_fault: int = 60) -> dict[str, tuple[History, ...]]:
    """`per_fault` runs of every fault and of healthy trainings, made once per process and seed.

    Treat the arrays as read-only: they are shared.
    """
    rng = np.random.default_rng(seed)
    return {name: tuple(trainings(name, per_fault, rng)) for name in (HEALTHY, *FAULTS)}


def sample(
    rng: np.random.Generator,
    per_fault: int,
    *,
    seed: int,
    per_fault_in_pool: int = 60,
    kinds: Sequence[str] = (HEALTHY, *FAULTS),
) -> list[tuple[str, History]]:
    """`per_fault` runs of each of `kinds` from the pool of `seed`, in random order.

    Pairs of the planted fault and a copy of the history; none is drawn twice.
    """
    runs = pool(seed, per_fault_in_pool)
    chosen = [
        (kind, {name: curve.copy() for name, curve in runs[kind][row].items()})
        for kind in kinds
        for row in rng.choice(per_fault_in_pool, per_fault, replace=False)
    ]
    return [chosen[at] for at in rng.permutation(len(chosen))]


def rates(
    diagnose: Callable[[History], Collection[str]], runs: Iterable[tuple[str, History]]
) -> dict[str, tuple[float, float]]:
    """How well `diagnose` does on pairs of planted fault and history.

    For every fault the share of runs with it that it names, and the share of all other runs in
    which it names it wrongly. For `"healthy"` the share of healthy runs with nothing to name,
    and the share of sick ones in which nothing is named. NaN where there are no such runs.
    """
    answers = [(planted, set(diagnose(history)) or {HEALTHY}) for planted, history in runs]
    table = {}
    for kind in (HEALTHY, *FAULTS):
        hits = [kind in named for planted, named in answers if planted == kind]
        alarms = [kind in named for planted, named in answers if planted != kind]
        table[kind] = _share(hits), _share(alarms)
    return table


def _share(answers: list[bool]) -> float:
    return sum(answers) / len(answers) if answers else float("nan")


def _group(fault: str, num: int, rng: np.random.Generator) -> History:
    return train(plan(fault, num, rng), rng)


def _any_took_effect(fault: str, curves: History) -> bool:
    return bool(_took_effect(fault, curves).any())


def _took_effect(fault: str, curves: History) -> Array:
    loss, learnt = curves["loss"], curves["train_accuracy"]
    if fault == "diverged":
        return ~np.isfinite(loss).all(axis=1) | (loss[:, -1] > 3 * loss[:, 0])
    if fault == "bad initialization":
        soon = learnt[:, learnt.shape[1] // 5]
        return (learnt[:, -1] > 0.75) & (soon < 0.6 * learnt[:, -1])
    return np.ones(len(loss), bool)


# --- what is planted --------------------------------------------------------------------------


def plan(fault: str, num: int, rng: np.random.Generator) -> Plan:
    """A group of `num` trainings whose one fault is `fault`."""
    base = _sound(num, rng)
    features, *hidden, classes = base.sizes
    if fault == "learning rate too low":
        return replace(base, rate=_log_uniform(8e-5, 6e-4, num, rng))
    if fault == "learning rate too high":
        return replace(base, activation="tanh", rate=_log_uniform(7, 14, num, rng))
    if fault == "diverged":
        return replace(base, activation="relu", rate=_log_uniform(8, 40, num, rng))
    if fault == "bad initialization":
        return replace(
            base,
            sizes=(features, *hidden, *hidden, classes),
            spread=_log_uniform(0.04, 0.1, num, rng),
            rate=_log_uniform(0.1, 0.25, num, rng),
        )
    if fault == "low capacity":
        return _too_small(base, num, rng)
    return _too_little_data(base, num, rng) if fault == "overfitting" else base


def _sound(num: int, rng: np.random.Generator) -> Plan:
    classes = int(rng.integers(3, 6))
    X, y = _clouds(num, 600, 8, classes, distance=(4.5, 5.5), flipped=(0.01, 0.05), rng=rng)
    return Plan(
        X[:, :300],
        y[:, :300],
        X[:, 300:],
        y[:, 300:],
        sizes=(8, 16, classes),
        activation=str(rng.choice(["relu", "tanh"])),
        spread=_log_uniform(0.7, 1.2, num, rng),
        rate=_log_uniform(0.06, 0.25, num, rng),
        reg=_log_uniform(1e-4, 2e-3, num, rng),
        batch_size=40,
        num_epochs=int(rng.integers(26, 37)),
    )


def _too_small(base: Plan, num: int, rng: np.random.Generator) -> Plan:
    """Many classes through one or two hidden units, with plenty of data."""
    classes = int(rng.integers(6, 9))
    X, y = _clouds(num, 1000, 8, classes, distance=(4.5, 5.5), flipped=(0.01, 0.05), rng=rng)
    return replace(
        base,
        X=X[:, :600],
        y=y[:, :600],
        X_val=X[:, 600:],
        y_val=y[:, 600:],
        sizes=(8, int(rng.integers(1, 3)), classes),
        activation="tanh",
        rate=_log_uniform(0.04, 0.12, num, rng),
        batch_size=60,
    )


def _too_little_data(base: Plan, num: int, rng: np.random.Generator) -> Plan:
    """A wide network, sixty noisy examples of twenty features, no penalty."""
    classes = int(rng.integers(2, 5))
    X, y = _clouds(num, 460, 20, classes, distance=(2.0, 3.0), flipped=(0.15, 0.3), rng=rng)
    return replace(
        base,
        X=X[:, :60],
        y=y[:, :60],
        X_val=X[:, 60:],
        y_val=y[:, 60:],
        sizes=(20, 48, classes),
        reg=np.zeros(num),
        batch_size=15,
        num_epochs=2 * base.num_epochs,
    )


def _clouds(
    num: int,
    num_examples: int,
    num_features: int,
    num_classes: int,
    *,
    distance: tuple[float, float],
    flipped: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Array, Array]:
    """`num` problems of Gaussian clouds around centres a given mean distance apart.

    A share of the labels is drawn at random, between the bounds in `flipped`. Returns
    `X (num, num_examples, num_features)` and `y (num, num_examples)`.
    """
    centers = rng.standard_normal((num, num_classes, num_features))
    centers -= centers.mean(axis=1, keepdims=True)
    mean_square = 2 * np.square(centers).sum(axis=(1, 2)) / (num_classes - 1)
    centers *= (rng.uniform(*distance, num) / np.sqrt(mean_square))[:, None, None]
    y = rng.integers(0, num_classes, (num, num_examples))
    X = np.take_along_axis(centers, y[:, :, None], axis=1)
    X += rng.standard_normal(X.shape)
    strange = rng.random(y.shape) < rng.uniform(*flipped, num)[:, None]
    y[strange] = rng.integers(0, num_classes, np.count_nonzero(strange))
    return X, y


def _log_uniform(low: float, high: float, num: int, rng: np.random.Generator) -> Array:
    return np.exp(rng.uniform(np.log(low), np.log(high), num))


# --- training a group side by side ------------------------------------------------------------


def train(plan: Plan, rng: np.random.Generator) -> dict[str, Array]:
    """Train a group; the four `CURVES`, each `(R, num_epochs)`."""
    (runs, examples), epochs = plan.y.shape, plan.num_epochs
    weights, biases = _initial(plan, rng)
    truth = np.eye(plan.sizes[-1])[plan.y]
    curves = {name: np.zeros((runs, epochs)) for name in CURVES}
    starts = range(0, examples, plan.batch_size)
    with np.errstate(all="ignore"):
        for epoch in range(epochs):
            order = rng.permutation(examples)
            for start in starts:
                rows = order[start : start + plan.batch_size]
                loss, ratio = _step(plan, weights, biases, plan.X[:, rows], truth[:, rows])
                curves["loss"][:, epoch] += loss * len(rows) / examples
                curves["update_ratio"][:, epoch] += ratio / len(starts)
            for part, X, y in (("train", plan.X, plan.y), ("val", plan.X_val, plan.y_val)):
                scores = _forward(plan, weights, biases, X)[-1]
                curves[f"{part}_accuracy"][:, epoch] = (scores.argmax(axis=2) == y).mean(axis=1)
    return curves


def _initial(plan: Plan, rng: np.random.Generator) -> tuple[list[Array], list[Array]]:
    gain = 2.0 if plan.activation == "relu" else 1.0
    shapes = list(zip(plan.sizes, plan.sizes[1:], strict=False))
    spread = plan.spread[:, None, None]
    weights = [
        spread * np.sqrt(gain / shape[0]) * rng.standard_normal((len(spread), *shape))
        for shape in shapes
    ]
    return weights, [np.zeros((len(spread), 1, shape[1])) for shape in shapes]


def _forward(plan: Plan, weights: list[Array], biases: list[Array], X: Array) -> list[Array]:
    """The input, every hidden layer's output, and the scores."""
    signals = [X]
    for W, b in zip(weights, biases, strict=True):
        out = signals[-1] @ W
        out += b
        if W is not weights[-1]:
            _ = np.tanh(out, out=out) if plan.activation == "tanh" else out.clip(0, out=out)
        signals.append(out)
    return signals


def _step(
    plan: Plan, weights: list[Array], biases: list[Array], X: Array, truth: Array
) -> tuple[Array, Array]:
    """One update in place; every run's loss before it and ratio of update to weights, `(R,)`."""
    *inputs, flow = _forward(plan, weights, biases, X)
    flow -= flow.max(axis=2, keepdims=True)
    of_truth = np.einsum("rnc,rnc->rn", flow, truth)
    np.exp(flow, out=flow)
    total = np.einsum("rnc->rn", flow)
    loss = (np.log(total) - of_truth).mean(axis=1)
    flow /= total[:, :, None]
    flow -= truth
    flow /= X.shape[1]
    ratio = np.zeros(len(X))
    for layer in reversed(range(len(weights))):
        W, signal = weights[layer], inputs[layer]
        squared = np.einsum("rij,rij->r", W, W)
        loss += 0.5 * plan.reg * squared
        dW = signal.swapaxes(1, 2) @ flow
        db = np.einsum("rnc->rc", flow)[:, None]
        if layer:
            flow = flow @ W.swapaxes(1, 2)
            flow *= 1 - signal * signal if plan.activation == "tanh" else signal > 0
        dW += plan.reg[:, None, None] * W
        dW *= plan.rate[:, None, None]
        ratio += np.sqrt(np.einsum("rij,rij->r", dW, dW) / squared)
        W -= dW
        db *= plan.rate[:, None, None]
        biases[layer] -= db
    return loss, ratio / len(weights)
