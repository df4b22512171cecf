"""What the student's own functions do in a training and in a picture, for the assignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.data import Dataset
from descent.nets import Network, Run
from descent.plots import style
from descent.plots.ensembles.measuring import accuracy, log_loss
from descent.plots.ensembles.training import STUDENT_RATE, fit
from descent.plots.style import Picture

Array = npt.NDArray[Any]

_SIZES = {
    "together": "average of the first n",
    "alone": "number n alone",
    "x": "networks averaged, n",
    "accuracy": "test accuracy, %",
    "loss": "log loss",
    "alt": (
        "Accuracy and log loss of your average of the first n networks, n from 1 to {last:.0f}, "
        "beside each network alone. Accuracy goes from {accuracy_first:.1f} to {accuracy_last:.1f} "
        "%, log loss from {loss_first:.3f} to {loss_last:.3f}."
    ),
    "caption": (
        "One network: {accuracy_first:.2f} %, log loss {loss_first:.3f}. All {last:.0f}: "
        "{accuracy_last:.2f} %, {loss_last:.3f}."
    ),
}


def your_sizes(
    average: Callable[[list[Array]], Any],
    probabilities: Sequence[Array],
    y: Array,
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """Accuracy and log loss of the first 1, 2, … members as `average` puts them together.

    Args:
        average: from a list of (N, C) to (N, C).
        probabilities: one (N, C) for each member.
        y: true classes (N,).
        text: words that replace the English ones, key by key.

    Whatever `average` raises is passed on. Raises ValueError when its result isn't (N, C).
    """
    text = style.words(_SIZES, text)
    together = []
    for n in range(1, len(probabilities) + 1):
        mixed = np.asarray(average([one.copy() for one in probabilities[:n]]))
        if mixed.shape != probabilities[0].shape:
            raise ValueError(f"the average has shape {mixed.shape}, not {probabilities[0].shape}")
        together.append(mixed)
    sizes = np.arange(1, len(together) + 1)
    numbers: dict[str, float] = {"last": len(together)}
    with style.canvas(1, 2, height=3.0) as (figure, axes):
        for ax, measure, name in (
            (axes[0], accuracy, "accuracy"),
            (axes[1], log_loss, "loss"),
        ):
            values = [measure(mixed, y) for mixed in together]
            single = [measure(one, y) for one in probabilities]
            ax.plot(sizes, values, **style.LINES[0], label=text["together"])
            ax.plot(sizes, single, **style.LINES[1] | {"linestyle": ""}, label=text["alone"])
            ax.set(xlabel=text["x"], ylabel=text[name], xticks=sizes)
            numbers |= {f"{name}_first": values[0], f"{name}_last": values[-1]}
        axes[1].legend()
    return style.picture(figure, text, numbers)


def your_average(
    ema: Callable[..., Any], data: Dataset, seed: Sequence[int], *, decay: float = 0.99
) -> tuple[Network, Network]:
    """Train one network while `ema` averages its parameters: it, and a copy that holds the average.

    The copy's batch-norm statistics are those of the trained network: stale. Whatever `ema` raises
    is passed on.
    """
    usable: dict[str, Array] = {}

    def step(w: Array, dw: Array, state: Any = None, /, *, learning_rate: float) -> Any:
        kept, count, _ = (np.zeros(w.shape), 0, None) if state is None else state
        w = w - learning_rate * dw
        kept, corrected = ema(kept, w, decay=decay, step=count + 1)
        return w, (kept, count + 1, corrected)

    def read(run: Run) -> None:
        usable.update({name: state[2] for name, state in run.states.items()})

    network = fit(data, seed, rule=step, callbacks=[read])
    averaged = network.copy()
    averaged.load(usable)
    return network, averaged


def your_student(
    distillation_loss: Callable[..., Any],
    teachers: Sequence[Network],
    data: Dataset,
    seed: Sequence[int],
    *,
    temperature: float,
) -> Network:
    """Train a student on the mean of `distillation_loss` over the teachers; it sees no label.

    Whatever `distillation_loss` raises is passed on.
    """
    logits = [teacher.scores(data.X_train) for teacher in teachers]
    settings = {"temperature": temperature, "alpha": 1.0}

    def loss(scores: Array, rows: Array) -> tuple[float, Array]:
        labels = data.y_train[rows]
        parts = [distillation_loss(scores, one[rows], labels, **settings) for one in logits]
        gradient = sum(part[1] for part in parts) / len(parts)
        return float(np.mean([part[0] for part in parts])), np.asarray(gradient)

    return fit(data, seed, STUDENT_RATE, loss=loss)
