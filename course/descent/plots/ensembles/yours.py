"""Pictures of what the student's own functions do, for the assignment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.plots import style
from descent.plots.ensembles.measuring import accuracy, log_loss
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
