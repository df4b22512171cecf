"""The training loop: minibatches, any optimizer rule, and a record of all that happened."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from descent.progress_bar import ProgressBar

from ..data import Dataset
from .checkpoints import Checkpoint
from .history import History
from .layers import Params, cross_entropy
from .network import Network

Array = NDArray[Any]
RowsLoss = Callable[[Array, Array], tuple[float, Array]]
Schedule = Callable[[float, int], float]
_PROBE = 1000


class Rule(Protocol):
    """An optimizer: from a parameter, its gradient and its own memory to the next parameter."""

    def __call__(
        self, w: Array, dw: Array, state: Any = None, /, *, learning_rate: float
    ) -> tuple[Array, Any]:
        """The next `w`, of the shape of `w` and `dw`, and the state that the rule wants back."""
        ...


@dataclass
class Run:
    """A training under way, as callbacks see it after every epoch.

    `epoch` counts the finished ones. `learning_rate` and `rule` may be changed and hold from the
    next step on (a schedule sets the learning rate again). `states` maps each parameter to what
    the rule returned for it last.
    """

    network: Network
    history: History
    rule: Rule | None
    learning_rate: float
    num_epochs: int
    rng: np.random.Generator
    states: dict[str, Any]
    epoch: int = 0
    iteration: int = 0

    def checkpoint(self, **notes: Any) -> Checkpoint:
        """All that is needed to go on from here; copy or save it before the next step.

        The arrays are the network's own and change as training goes on.
        """
        return Checkpoint(
            params=self.network.params,
            running=self.network.running,
            epoch=self.epoch,
            states=self.states,
            history=self.history.as_plain(),
            learning_rate=self.learning_rate,
            generator=dict(self.rng.bit_generator.state),
            notes=notes,
        )


Callback = Callable[[Run], bool | None]


def train(
    network: Network,
    data: Dataset,
    rule: Rule | None = None,
    *,
    learning_rate: float,
    schedule: Schedule | None = None,
    schedule_every: Literal["epoch", "iteration"] = "epoch",
    batch_size: int = 100,
    num_epochs: int = 10,
    rng: np.random.Generator,
    reg: float = 0.0,
    loss: RowsLoss | None = None,
    callbacks: Sequence[Callback] = (),
    resume: Checkpoint | None = None,
    progress: bool = True,
) -> History:
    """Train `network` on `data.X_train`, watching `data.X_val`; returns the history.

    Every epoch visits each training example once, in a fresh random order, in batches of
    `batch_size` (the last may be smaller). `rule(w, dw, state, learning_rate=…)` returns the
    next `w` and the state it wants back, and is called once per parameter and batch, with
    `state=None` the first time; without a rule a parameter moves by `-learning_rate * dw`.
    More settings of a rule go in with `functools.partial`. The network's parameters are
    replaced or changed in place.

    `schedule(rate0, epoch)` gives the learning rate from the first one, `learning_rate`, and
    the number of finished epochs (or iterations, with `schedule_every="iteration"`).
    `loss(scores, rows) -> (loss, dscores)` replaces the cross-entropy; `rows` are the indices
    of the batch's examples in `data.X_train`. Each of `callbacks` is called with the `Run` after
    every epoch; training ends early when one returns True.

    `resume` continues a checkpoint's training up to `num_epochs` epochs in all: network, `rng`
    and states are set to the checkpoint's, and with the same arguments the outcome is that of
    a training never interrupted. `progress` shows a bar in notebooks and terminals.

    A training that diverges goes on, without warnings; its losses are then inf or NaN. Raises
    ValueError for settings that make no sense, or a rule whose `w` has another shape.
    """
    if batch_size < 1 or num_epochs < 1:
        raise ValueError("batch_size and num_epochs must be at least 1")
    if data.num_features != network.sizes[0]:
        raise ValueError(
            f"the network takes {network.sizes[0]} features, the data have {data.num_features}"
        )
    fresh = History(batch_ratio={name: [] for name in network.params})
    run = Run(network, fresh, rule, learning_rate, num_epochs, rng, {})
    if resume is not None:
        _restore(run, resume)
    X = np.asarray(data.X_train, network.dtype)
    cuts = range(batch_size, len(X), batch_size)
    probe = X[:_PROBE], data.y_train[:_PROBE]
    with (
        np.errstate(all="ignore"),
        ProgressBar(num_epochs, "epoch", enabled=progress) as bar,
    ):
        while run.epoch < num_epochs:
            if schedule is not None and schedule_every == "epoch":
                run.learning_rate = schedule(learning_rate, run.epoch)
            total = 0.0
            for rows in np.split(rng.permutation(len(X)), cuts):
                if schedule is not None and schedule_every == "iteration":
                    run.learning_rate = schedule(learning_rate, run.iteration)
                total += len(rows) * _step(run, X[rows], data.y_train[rows], rows, reg, loss)
            run.epoch += 1
            _look(run, probe, data, total / len(X))
            bar.show(run.epoch, f"loss {run.history.loss[-1]:.3g}")
            answers = [callback(run) for callback in callbacks]
            if any(answers):
                break
    return run.history


def _step(run: Run, X: Array, y: Array, rows: Array, reg: float, loss: RowsLoss | None) -> float:
    """One update of every parameter; returns the batch's loss before it."""
    network, params = run.network, run.network.params
    of_scores = None if loss is None else (lambda scores: loss(scores, rows))
    value, grads = network.loss_and_grads(params, X, y, reg=reg, loss=of_scores)
    network.update_running()
    for name, dw in grads.items():
        size = _norm(params[name])
        moved = _descend(params, name, dw, run) if run.rule is None else _apply(name, dw, run)
        run.history.batch_ratio[name].append(moved / size if size else math.nan)
    run.history.batch_loss.append(value)
    run.iteration += 1
    return value


def _descend(params: Params, name: str, dw: Array, run: Run) -> float:
    """The plain step, in place; returns its length."""
    dw *= run.learning_rate
    params[name] -= dw
    return _norm(dw)


def _apply(name: str, dw: Array, run: Run) -> float:
    """A step of the rule, which may work in place; returns the length of the move it made."""
    assert run.rule is not None
    w = run.network.params[name]
    before = w.copy()
    after, run.states[name] = run.rule(w, dw, run.states.get(name), learning_rate=run.learning_rate)
    if np.shape(after) != before.shape:
        raise ValueError(
            f"the rule was given {name} with shape {before.shape}"
            f" and returned shape {np.shape(after)}"
        )
    run.network.params[name] = after = np.asarray(after, before.dtype)
    return _norm(np.subtract(after, before, out=before))


def _norm(array: Array) -> float:
    return math.sqrt(np.vdot(array, array))


def _look(run: Run, probe: tuple[Array, Array], data: Dataset, mean_loss: float) -> None:
    """Write down how the network does at the end of an epoch."""
    network, history = run.network, run.history
    history.loss.append(mean_loss)
    history.learning_rate.append(run.learning_rate)
    history.train_accuracy.append(network.accuracy(*probe))
    history.layers.append(network.layer_report())
    scores = network.scores(np.asarray(data.X_val, network.dtype))
    history.val_accuracy.append(float(np.mean(np.argmax(scores, axis=1) == data.y_val)))
    history.val_loss.append(cross_entropy(scores, data.y_val)[0])
    steps = run.iteration // run.epoch
    weights = [name for name in network.params if name.startswith("W")]
    history.update_ratio.append(
        float(np.mean([history.batch_ratio[name][-steps:] for name in weights]))
    )


def _restore(run: Run, checkpoint: Checkpoint) -> None:
    run.network.load(checkpoint.params, checkpoint.running)
    run.history = History(**deepcopy(checkpoint.history))
    run.states = deepcopy(checkpoint.states)
    run.epoch, run.iteration = checkpoint.epoch, len(run.history.batch_loss)
    run.learning_rate = checkpoint.learning_rate
    run.rng.bit_generator.state = checkpoint.generator
