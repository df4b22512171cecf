"""The running average of parameters: where it stands, how it starts, what it must be given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from descent.plots import style
from descent.plots.ensembles.averaging import standard_error
from descent.plots.ensembles.measuring import halfway, stale_and_refreshed
from descent.plots.style import Picture

_BOWL = {
    "path": "parameters, step by step",
    "average": "running average",
    "minimum": "minimum",
    "x": "first parameter",
    "y": "second parameter",
    "alt": (
        "Contours of a bowl. The path of noisy gradient descent runs down one side and then jumps "
        "about around the minimum, over the last half {last:.2f} away from it in the mean. The "
        "running average moves smoothly, and over the same steps {average:.2f} away."
    ),
    "caption": (
        "Mean distance from the minimum over the last half: the parameters {last:.3f}, their "
        "running average (decay {decay:g}) {average:.3f}. The average is the nearer one at "
        "{nearer:.0 %} of these steps. Loss there: {last_loss:.4f} and {average_loss:.4f}."
    ),
}


def bowl(
    num_steps: int = 160,
    decay: float = 0.95,
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """Noisy gradient descent jumps from wall to wall of a bowl; the average sits near its floor."""
    text = style.words(_BOWL, text)
    rng = np.random.default_rng(4)
    curvature, w, running = np.array([1.0, 4.0]), np.array([-3.0, 1.3]), np.zeros(2)
    path, means = [w], []
    for step in range(1, num_steps + 1):
        w = w - 0.3 * (curvature * w + 1.2 * rng.normal(size=2))
        running = running + (1 - decay) * (w - running)
        path.append(w)
        means.append(running / (1 - decay**step))
    places = {"last": np.array(path), "average": np.array(means)}
    numbers = {"decay": decay}
    distances = {}
    for name, points in places.items():
        late = points[-num_steps // 2 :]
        distances[name] = np.linalg.norm(late, axis=1)
        numbers[name] = distances[name].mean()
        numbers[f"{name}_loss"] = (0.5 * late**2 @ curvature).mean()
    numbers["nearer"] = np.mean(distances["average"] < distances["last"])
    x, y = np.meshgrid(np.linspace(-3.4, 2, 80), np.linspace(-1.7, 1.7, 80))
    with style.canvas(height=3.8) as (figure, ax):
        height = 0.5 * (curvature[0] * x**2 + curvature[1] * y**2)
        ax.contour(x, y, height, levels=np.array([0.1, 0.4, 1, 2, 4]), colors="#BBBBBB")
        looks = {"linewidth": 0.8, "marker": "", "linestyle": "-", "alpha": 0.7}
        ax.plot(*places["last"].T, **style.LINES[1] | looks, label=text["path"])
        smooth = style.LINES[0] | {"markevery": 10}
        ax.plot(*places["average"].T, **smooth, label=text["average"], zorder=3)
        star = {"marker": "*", "markersize": 15, "linestyle": "", "color": style.GREEN}
        ax.plot(0, 0, **star, label=text["minimum"], zorder=4)
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="lower left")
    return style.picture(figure, text, numbers)


_BETWEEN = {
    "checkpoints": "two checkpoints of one run",
    "seeds": "two initialisations",
    "x": "way from one network's parameters to the other's",
    "y": "test accuracy, %",
    "alt": (
        "Test accuracy on the straight line from one network's parameters to another's, as means "
        "over {pairs:.0f} pairs with standard errors. Between two checkpoints of one run it rises "
        "from {checkpoints_ends:.1f} % at the ends to {checkpoints_middle:.1f} % in the middle. "
        "Between two initialisations it falls from {seeds_ends:.1f} to {seeds_middle:.1f} %."
    ),
    "caption": (
        "At the ends and in the middle: checkpoints of one run, {checkpoints_ends:.2f} and "
        "{checkpoints_middle:.2f} %; initialisations, {seeds_ends:.2f} and {seeds_middle:.2f} %."
    ),
}


def between(num_pairs: int = 6, *, text: Mapping[str, str] | None = None) -> Picture:
    """Accuracy between two networks: relatives share a valley, strangers don't."""
    text = style.words(_BETWEEN, text)
    shares = np.linspace(0, 1, 9)
    table = halfway(shares.tolist(), num_pairs)
    numbers: dict[str, float] = {"pairs": num_pairs}
    with style.canvas(height=3.0) as (figure, ax):
        for k, name in enumerate(("checkpoints", "seeds")):
            values = table[:, k]
            mean = values.mean(axis=0)
            look = style.LINES[k] | {"capsize": 3, "label": text[name]}
            ax.errorbar(shares, mean, yerr=standard_error(values), **look)
            numbers[f"{name}_ends"] = (mean[0] + mean[-1]) / 2
            numbers[f"{name}_middle"] = mean[len(shares) // 2]
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(loc="lower left")
    return style.picture(figure, text, numbers)


_START = {
    "value": "the parameter",
    "corrected": "average, corrected",
    "plain": "average from 0, as it is",
    "sum": "decaying sum",
    "x": "step",
    "y": "value",
    "alt": (
        "A parameter that wavers about 1, over {steps:.0f} steps, on a log axis. The corrected "
        "average follows it from the first step. The uncorrected one starts at {plain_1:.3f} and "
        "needs {late:.0f} steps to come within a tenth. The decaying sum climbs to {sum:.1f}."
    ),
    "caption": (
        "Decay {decay:g}. After the first step: corrected {corrected_1:.3f}, the parameter itself; "
        "uncorrected {plain_1:.3f}. The uncorrected average first comes within a tenth of the "
        "corrected one at step {late:.0f}. After {steps:.0f} steps the sum is {sum:.2f}."
    ),
}


def start_at_zero(
    num_steps: int = 100, decay: float = 0.95, *, text: Mapping[str, str] | None = None
) -> Picture:
    """A decaying average with and without the correction for its start, and a decaying sum."""
    text = style.words(_START, text)
    steps = np.arange(1, num_steps + 1)
    value = 1 + 0.1 * np.random.default_rng(0).normal(size=num_steps)
    plain = np.zeros(num_steps)
    for k, seen in enumerate(value):
        before = plain[k - 1] if k else 0.0
        plain[k] = before + (1 - decay) * (seen - before)
    curves = {
        "value": value,
        "corrected": plain / (1 - decay**steps),
        "plain": plain,
        "sum": plain / (1 - decay),
    }
    numbers = {
        "decay": decay,
        "steps": num_steps,
        "corrected_1": curves["corrected"][0],
        "plain_1": plain[0],
        "late": steps[plain > 0.9 * curves["corrected"]][0],
        "sum": curves["sum"][-1],
    }
    with style.canvas() as (figure, ax):
        ax.semilogy(steps, value, color="#BBBBBB", label=text["value"])
        for look, name in zip(style.LINES, ("corrected", "plain", "sum"), strict=False):
            ax.semilogy(steps, curves[name], **look, markevery=10, label=text[name])
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend(ncols=2, loc="lower right")
    return style.picture(figure, text, numbers)


_STALE = {
    "refreshed": "statistics refreshed",
    "stale": "statistics stale",
    "x": "memory of the average in steps, 1 / (1 − decay)",
    "y": "test accuracy, %",
    "alt": (
        "Test accuracy of averaged parameters against the memory of the average, 10 to 1000 steps "
        "on a log axis, as means over {seeds:.0f} seeds with standard errors. With refreshed "
        "statistics accuracy goes from {refreshed_0:.1f} to {refreshed_4:.1f} %; with stale ones "
        "from {stale_0:.1f} to {stale_4:.1f} %."
    ),
    "caption": (
        "Shortest memory: stale {stale_0:.2f} %, refreshed {refreshed_0:.2f} %. Longest: stale "
        "{stale_4:.2f} %, refreshed {refreshed_4:.2f} %."
    ),
}


def stale_statistics(
    decays: Sequence[float] = (0.9, 0.97, 0.99, 0.997, 0.999),
    num_seeds: int = 6,
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """Averaged parameters with the trained network's batch-norm statistics, and with their own.

    Args:
        decays: five decays, rising.
        num_seeds: how many trainings to average over.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_STALE, text)
    table = stale_and_refreshed(decays, num_seeds)
    numbers: dict[str, float] = {"seeds": num_seeds}
    memory = 1 / (1 - np.array(decays))
    with style.canvas() as (figure, ax):
        ax.set_xscale("log")
        for k, name in ((1, "refreshed"), (0, "stale")):
            values = table[:, :, k]
            look = style.LINES[1 - k] | {"capsize": 3, "label": text[name]}
            ax.errorbar(memory, values.mean(axis=0), yerr=standard_error(values), **look)
            numbers |= {f"{name}_{i}": mean for i, mean in enumerate(values.mean(axis=0))}
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend()
    return style.picture(figure, text, numbers)
