"""Pictures of one ball in one bowl: stability, momentum, looking ahead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.plots import style
from descent.plots.style import Picture

Array = npt.NDArray[np.float64]


def _momentum(slope: float, mu: float) -> Array:
    """The matrix that takes (position, velocity) one step on, in a bowl; slope is η · λ."""
    return np.array([[1 - slope, mu], [-slope, mu]])


def _look_ahead(slope: float, mu: float) -> Array:
    """The same for Nesterov's rule, which meets the slope at position + μ · velocity."""
    return np.array([[1 - slope, mu * (1 - slope)], [-slope, mu * (1 - slope)]])


def _rewritten(slope: float, mu: float) -> Array:
    """The same in the variable that is kept in practice, position + μ · velocity itself."""
    return np.array([[1 - (1 + mu) * slope, mu**2], [-slope, mu]])


def _walk(step: Array, num_steps: int) -> Array:
    """Positions and velocities of a start at 1, at rest: (num_steps + 1, 2)."""
    states = [np.array([1.0, 0.0])]
    for _ in range(num_steps):
        states.append(step @ states[-1])
    return np.array(states)


_STABILITY = {
    "plain": "SGD, full batch",
    "momentum": "momentum 0.9",
    "x": "learning rate × curvature, ηλ",
    "y": "distance left after 100 steps",
    "start": "as far as at the start",
    "alt": (
        "Distance from the minimum after 100 steps in a bowl, against learning rate times "
        "curvature, on a log axis. Without momentum it falls to nothing near 1 and shoots up at "
        "{plain_limit:.2f}; with momentum 0.9 it shoots up only at {momentum_limit:.2f}."
    ),
    "caption": (
        "The largest rate that still comes closer, measured: ηλ = {plain_limit:.2f} without "
        "momentum and {momentum_limit:.2f} with momentum 0.9."
    ),
}


def stability(*, text: Mapping[str, str] | None = None) -> Picture:
    """How far 100 steps leave a ball from the bottom of a bowl, against rate × curvature."""
    text = style.words(_STABILITY, text)
    slopes = np.linspace(0.02, 4.5, 449)
    numbers: dict[str, float] = {}
    with style.canvas() as (figure, ax):
        for (name, mu), look in zip((("plain", 0.0), ("momentum", 0.9)), style.LINES, strict=False):
            # The length of (position, velocity) doesn't dip to zero where a swing passes through.
            ends = np.array([_walk(_momentum(s, mu), 100)[-1] for s in slopes])
            left = np.linalg.norm(ends, axis=1)
            numbers[f"{name}_limit"] = float(slopes[left < 1].max())
            shown = np.clip(left, 1e-9, 1e9)
            ax.semilogy(slopes, shown, **look, markevery=40, label=text[name])
        ax.axhline(1, color=style.GREY, linewidth=0.9, linestyle=(0, (4, 3)), label=text["start"])
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(1e-9, 1e9))
        ax.legend(loc="upper left")
    return style.picture(figure, text, numbers)


_BALL = {
    "label": "μ = {mu:g}",
    "left": "the step, in units of η · gradient",
    "steps": "steps under one constant gradient",
    "right": "position in a bowl",
    "bowl_steps": "steps in a bowl, ηλ = 0.05",
    "alt": (
        "Two panels of curves for momentum 0, 0.5, 0.9 and 0.99. Left: under a constant gradient "
        "the step grows to 1, 2, 10 and, if one waits, 100 times η · gradient; after 60 steps the "
        "last one is at {late:.0f}. Right: in a bowl the larger momentum swings further past the "
        "minimum, to {over_0_9:.2f} with 0.9 and {over_0_99:.2f} with 0.99, from a start at 1."
    ),
    "caption": (
        "Left: steps grow to 1/(1 − μ). Right: how far past the minimum the ball swings: "
        "{over_0:.2f}, {over_0_5:.2f}, {over_0_9:.2f} and {over_0_99:.2f} for μ = 0, 0.5, 0.9 "
        "and 0.99."
    ),
}


def ball(*, text: Mapping[str, str] | None = None) -> Picture:
    """Momentum builds up speed where gradients agree, and overshoots where they turn."""
    text = style.words(_BALL, text)
    numbers: dict[str, float] = {}
    with style.canvas(1, 2, width=8.2) as (figure, (left, right)):
        steps = np.arange(1, 61)
        for mu, look in zip((0.0, 0.5, 0.9, 0.99), style.LINES, strict=False):
            growth = (1 - mu**steps) / (1 - mu)
            label = text["label"].format(mu=mu)
            left.semilogy(steps, growth, **look, markevery=10, label=label)
            position = _walk(_momentum(0.05, mu), 120)[:, 0]
            right.plot(position, **look, markevery=20, label=label)
            numbers[f"over_{mu:g}".replace(".", "_")] = max(0.0, -float(position.min()))
        numbers["late"] = float(growth[-1])
        left.set(xlabel=text["steps"], title=text["left"])
        right.axhline(0, color=style.BLACK, linewidth=0.8)
        right.set(xlabel=text["bowl_steps"], title=text["right"])
        left.legend()
    return style.picture(figure, text, numbers)


_LOOK_AHEAD = {
    "here": "w",
    "velocity": "μv",
    "here_slope": "−η · gradient at w",
    "ahead_slope": "−η · gradient at w + μv",
    "momentum": "momentum",
    "nesterov": "Nesterov",
    "rewritten": "rewritten form",
    "left": "one step in a ravine",
    "right": "position in a bowl, μ = 0.9",
    "steps": "steps, ηλ = 0.3",
    "alt": (
        "Left: two steps from one point w of a ravine. Both begin with the arrow μv, which "
        "crosses the valley floor. Momentum adds the gradient of w, which pushes further across; "
        "Nesterov adds the gradient of the arrow's tip, which pushes back. Right: in a bowl "
        "momentum swings to {momentum_over:.2f} past the minimum, Nesterov to "
        "{nesterov_over:.2f}; the rewritten form, moved back by μv, lies on Nesterov's curve."
    ),
    "caption": (
        "Past the minimum: momentum {momentum_over:.2f}, Nesterov {nesterov_over:.2f}. After the "
        "change of variables the two forms of Nesterov's rule differ by at most {gap:.0e}."
    ),
}


def look_ahead(*, text: Mapping[str, str] | None = None) -> Picture:
    """Where Nesterov's rule takes the gradient, and what that does to the overshoot."""
    text = style.words(_LOOK_AHEAD, text)
    slope, mu, num_steps = 0.3, 0.9, 40
    plain = _walk(_momentum(slope, mu), num_steps)
    ahead = _walk(_look_ahead(slope, mu), num_steps)
    kept = _walk(_rewritten(slope, mu), num_steps)
    back = kept[:, 0] - mu * kept[:, 1]
    numbers = {
        "momentum_over": -float(plain[:, 0].min()),
        "nesterov_over": -float(ahead[:, 0].min()),
        "gap": max(float(np.abs(back - ahead[:, 0]).max()), 1e-17),
    }
    with style.canvas(1, 2, width=8.2) as (figure, (left, right)):
        _arrows(left, text)
        right.plot(plain[:, 0], **style.LINES[0], markevery=5, label=text["momentum"])
        right.plot(ahead[:, 0], **style.LINES[1], markevery=5, label=text["nesterov"])
        marks = {**style.LINES[2], "linestyle": "", "fillstyle": "none", "markersize": 9}
        right.plot(back, **marks, markevery=5, label=text["rewritten"])
        right.axhline(0, color=style.BLACK, linewidth=0.8)
        right.set(title=text["right"], xlabel=text["steps"])
        right.legend()
    return style.picture(figure, text, numbers)


def _arrows(ax: Any, text: Mapping[str, str]) -> None:
    """One step of each rule, as arrows over the contours of a ravine."""
    curvature, rate = np.array([0.1, 1.0]), 0.35
    w, push = np.array([-2.0, 0.8]), np.array([2.2, -1.5])
    tip = w + push
    x, y = np.meshgrid(np.linspace(-3, 1.5, 80), np.linspace(-1.6, 1.4, 80))
    heights = curvature[0] * x**2 + curvature[1] * y**2
    ax.contour(x, y, heights, levels=8, colors="#BBBBBB", linewidths=0.8)
    arrows: Sequence[tuple[str, Array, Array, int, str]] = (
        ("velocity", w, push, 2, "-"),
        ("here_slope", tip, -rate * 2 * curvature * w, 0, "--"),
        ("ahead_slope", tip, -rate * 2 * curvature * tip, 1, "-"),
    )
    for name, start, move, look, line in arrows:
        color = style.LINES[look]["color"]
        shape = {"arrowstyle": "-|>", "color": color, "linewidth": 2, "linestyle": line}
        ax.annotate("", start + move, start, arrowprops={**shape, "shrinkA": 0, "shrinkB": 0})
        ax.plot([], [], color=color, linewidth=2, linestyle=line, label=text[name])
    ax.plot(*w, "o", color=style.BLACK)
    ax.annotate(text["here"], w, xytext=(-12, 6), textcoords="offset points")
    ax.set(title=text["left"], xticks=[], yticks=[])
    ax.legend(loc="lower left", fontsize=8)


_SPEED_UP = {
    "momentum": "momentum μ",
    "speed": "speed-up 1/(1 − μ)",
    "x": "share of the epochs",
    "alt": (
        "Momentum rises on a straight line from 0.5 to 0.99 over the epochs. The speed-up "
        "1/(1 − μ) starts at {first:.0f}, reaches 10 only after {tenfold:.0%} of the epochs, and "
        "ends at {last:.0f}."
    ),
    "caption": (
        "The speed-up reaches 10 after {tenfold:.0%} of the epochs and 50 after {fiftyfold:.0%}: "
        "a straight line in μ is anything but straight in speed."
    ),
}


def speed_up(*, text: Mapping[str, str] | None = None) -> Picture:
    """A momentum that grows linearly from 0.5 to 0.99, and the speed-up that it allows."""
    text = style.words(_SPEED_UP, text)
    share = np.linspace(0, 1, 201)
    mu = 0.5 + 0.49 * share
    speed = 1 / (1 - mu)
    numbers = {
        "first": speed[0],
        "last": speed[-1],
        "tenfold": share[speed >= 10][0],
        "fiftyfold": share[speed >= 50][0],
    }
    with style.canvas(1, 2, width=8.2, height=2.8) as (figure, axes):
        for ax, values, name, look in zip(
            axes, (mu, speed), ("momentum", "speed"), style.LINES, strict=False
        ):
            ax.plot(share, values, **look, markevery=25)
            ax.set(title=text[name], xlabel=text["x"])
    return style.picture(figure, text, numbers)


_BRAKING = {
    "inside": "v ← μv − ηg, the course's form",
    "outside": "rate outside, as in PyTorch",
    "average": "an average, rate outside",
    "x": "step",
    "y": "length of the step, in first rates",
    "alt": (
        "Length of the steps under a constant gradient, with momentum 0.9, for three forms. After "
        "step 30 the rate is divided by ten. The two forms with the rate inside and outside grow "
        "to {top:.1f} together; then the one with the rate outside drops to {outside:.2f} at once, "
        "while the other is still at {inside:.1f} and dies away slowly. The average only ever "
        "reaches {average_top:.2f}."
    ),
    "caption": (
        "In step 31: {inside:.1f} with the rate inside, {outside:.2f} with the rate outside; in "
        "step 45 they are {inside_late:.1f} and {outside_late:.2f}. The average never gets beyond "
        "{average_top:.2f}."
    ),
}


def braking(*, text: Mapping[str, str] | None = None) -> Picture:
    """Three forms of momentum when the rate is divided by ten after 30 equal steps."""
    text = style.words(_BRAKING, text)
    steps = np.arange(60)
    rate = np.where(steps < 30, 1.0, 0.1)
    age = np.subtract.outer(steps, steps)
    kept = np.where(age >= 0, 0.9 ** np.maximum(age, 0), 0.0)
    curves = {
        "inside": kept @ rate,
        "outside": rate * kept.sum(axis=1),
        "average": rate * 0.1 * kept.sum(axis=1),
    }
    numbers = {
        "top": curves["inside"][29],
        "inside": curves["inside"][30],
        "outside": curves["outside"][30],
        "inside_late": curves["inside"][44],
        "outside_late": curves["outside"][44],
        "average_top": curves["average"].max(),
    }
    with style.canvas(height=3.0) as (figure, ax):
        for (name, length), look in zip(curves.items(), style.LINES, strict=False):
            ax.plot(steps + 1, length, **look, markevery=5, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend()
    return style.picture(figure, text, numbers)
