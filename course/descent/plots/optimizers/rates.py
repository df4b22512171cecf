"""Pictures of the learning rate over time: schedules, annealing, the range test."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from descent.data import digits
from descent.nets import Network, train
from descent.plots import style
from descent.plots.style import Picture

Array = npt.NDArray[np.float64]

_SCHEDULES = {
    "step": "step: half every 5 epochs",
    "exponential": "exponential: k = 0.1",
    "inverse": "1/t: k = 0.3",
    "cosine": "warm-up and cosine",
    "x": "epoch",
    "y": "learning rate, first one = 1",
    "alt": (
        "Four schedules over 30 epochs on a log axis. Step decay goes down a staircase to "
        "{step:.3f}; the exponential is a straight line down to {exponential:.3f}; 1/t falls "
        "quickly, then ever more slowly, and stays highest at {inverse:.3f}; the cosine rises "
        "for three epochs, stays high for long, and drops to zero at the end."
    ),
    "caption": (
        "What is left of the rate in epoch 29: step {step:.3f}, exponential {exponential:.3f}, "
        "1/t {inverse:.3f}, cosine {cosine:.4f}."
    ),
}


def schedules(*, text: Mapping[str, str] | None = None) -> Picture:
    """Four ways to lower the rate over 30 epochs, on a log axis."""
    text = style.words(_SCHEDULES, text)
    epoch = np.arange(30)
    warm = (epoch + 1) / 3
    curves = {
        "step": 2.0 ** -np.floor(epoch / 5),
        "exponential": np.exp(-0.1 * epoch),
        "inverse": 1 / (1 + 0.3 * epoch),
        "cosine": np.where(epoch < 3, warm, 0.5 + 0.5 * np.cos(np.pi * (epoch - 3) / 27)),
    }
    with style.canvas() as (figure, ax):
        for (name, rate), look in zip(curves.items(), style.LINES, strict=False):
            drawn = {"drawstyle": "steps-post"} if name == "step" else {}
            ax.semilogy(epoch, rate, **look, **drawn, markevery=3, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="lower left")
    return style.picture(figure, text, {name: rate[-1] for name, rate in curves.items()})


_ANNEALING = {
    "high": "always high",
    "low": "always low",
    "slow": "lowered too slowly",
    "fast": "lowered too fast",
    "good": "halved every 5 epochs",
    "x": "epoch",
    "y": "expected loss",
    "alt": (
        "Expected loss over 60 epochs of noisy steps in a bowl, on a log axis. A high rate falls "
        "at once and then hovers at {high:.1e}; a low one creeps and ends at {low:.1e}; lowered "
        "too fast it freezes at {fast:.1e}; lowered too slowly it ends at {slow:.1e}; halved "
        "every five epochs it gets lowest, to {good:.1e}."
    ),
    "caption": (
        "Loss after 60 epochs: always high {high:.1e}, always low {low:.1e}, lowered too slowly "
        "{slow:.1e}, too fast {fast:.1e}, halved every 5 epochs {good:.1e}."
    ),
}


def annealing(*, text: Mapping[str, str] | None = None) -> Picture:
    """Expected loss of noisy gradient descent in a bowl, for five ways to treat the rate.

    With w ← w − η(λw + noise) the mean of w² follows m ← (1 − ηλ)²m + η²σ² exactly.
    """
    text = style.words(_ANNEALING, text)
    rates: dict[str, Callable[[int], float]] = {
        "high": lambda epoch: 0.3,
        "low": lambda epoch: 0.003,
        "slow": lambda epoch: float(0.3 * np.exp(-0.01 * epoch)),
        "fast": lambda epoch: float(0.3 * np.exp(-2.0 * epoch)),
        "good": lambda epoch: float(0.3 * 0.5 ** (epoch // 5)),
    }
    numbers = {}
    with style.canvas(width=8.2) as (figure, ax):
        for (name, rate), look in zip(rates.items(), style.LINES, strict=False):
            losses = _expected_losses([rate(epoch) for epoch in range(60)])
            numbers[name] = losses[-1]
            ax.semilogy(losses, **look, markevery=6, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return style.picture(figure, text, numbers)


def _expected_losses(rates: list[float], steps: int = 10, noise: float = 1.0) -> list[float]:
    """Expected loss ½·w² at each epoch's end, of a bowl of curvature 0.5."""
    square, losses = 100.0, []
    for rate in rates:
        for _ in range(steps):
            square = (1 - 0.5 * rate) ** 2 * square + (rate * noise) ** 2
        losses.append(0.25 * square)
    return losses


_RANGE = {
    "curve": "loss on each batch",
    "smooth": "mean of seven batches",
    "best": "its lowest point",
    "first": "first loss",
    "x": "learning rate",
    "y": "loss",
    "alt": (
        "Loss of a small network on the digits against the learning rate, which grows from batch "
        "to batch on a log axis. Its mean over seven batches stays flat at first, falls from about "
        "{starts:.2g} on, is lowest at {best:.2g}, where a dashed line stands, and rises again. "
        "From {explodes:.2g} on batches have a higher loss than the first one, a dotted line."
    ),
    "caption": (
        "The mean of seven batches is lowest near {best:.2g}; near {explodes:.2g} the loss "
        "explodes: it is higher than at the start. Begin a training well below the lowest point, "
        "near {advised:.2g}."
    ),
}


def range_curve(*, text: Mapping[str, str] | None = None) -> Picture:
    """A learning-rate range test of plain SGD on the digits (after Smith 2017)."""
    text = style.words(_RANGE, text)
    data = digits(center=True)
    network = Network((64, 50, 10), np.random.default_rng(0))
    num_steps = 110
    rates = np.geomspace(1e-4, 1e2, num_steps)
    history = train(
        network,
        data,
        learning_rate=1.0,
        schedule=lambda _, step: float(rates[min(step, num_steps - 1)]),
        schedule_every="iteration",
        batch_size=100,
        num_epochs=10,
        rng=np.random.default_rng(0),
        progress=False,
    )
    losses = np.array(history.batch_loss[:num_steps])
    smooth = np.convolve(np.pad(losses, 3, mode="edge"), np.ones(7) / 7, mode="valid")
    best = int(np.nanargmin(smooth))
    after = np.arange(num_steps) > best
    numbers = {
        "starts": rates[np.flatnonzero(smooth < 0.95 * smooth[0])[0]],
        "best": rates[best],
        "explodes": rates[np.flatnonzero(after & ~(losses <= losses[0]))[0]],
        "advised": rates[best] / 10,
    }
    with style.canvas(height=3.2) as (figure, ax):
        ax.semilogx(rates, losses, color=style.SKY, linewidth=1, label=text["curve"])
        ax.semilogx(rates, smooth, **style.LINES[0], markevery=8, label=text["smooth"])
        ax.axvline(numbers["best"], **{**style.LINES[1], "marker": ""}, label=text["best"])
        ax.axhline(losses[0], color=style.GREY, linestyle=":", label=text["first"])
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(0, 2 * losses[0]))
        ax.legend()
    return style.picture(figure, text, numbers)
