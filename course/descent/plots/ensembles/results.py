"""What every kind of ensemble gained, how it grows with its size and variety, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from descent.plots import style
from descent.plots.ensembles.averaging import standard_error
from descent.plots.ensembles.measuring import (
    GROUPS,
    KINDS,
    Measured,
    by_size,
    log_loss,
    pairs,
    prediction_time,
    variety,
)
from descent.plots.ensembles.measuring import accuracy as accuracy_of
from descent.plots.style import Picture

_RESULTS = {
    "single": "one network",
    "average": "running average",
    "checkpoints": "4 checkpoints of a run",
    "best": "best of a search, alone",
    "search": "4 best of that search",
    "four": "4 other initialisations",
    "seeds": "6 other initialisations",
    "distilled": "student of those six",
    "control": "student without a teacher",
    "accuracy": "test accuracy, %",
    "loss": "log loss",
    "alt": "Test accuracy and log loss as means over {count:.0f} seeds with standard errors.",
    "row": "{name}: accuracy {accuracy:.1f} %, log loss {loss:.3f}.",
    "caption": "Means over {count:.0f} seeds; bars are standard errors of the mean.",
}


def results(
    found: Measured, kinds: Sequence[str] = KINDS, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Accuracy and log loss of every kind of model, mean and standard error over the seeds."""
    text = style.words(_RESULTS, text)
    numbers: dict[str, float] = {"count": len(found.models["single"])}
    for kind in KINDS:
        numbers |= {kind: found.accuracy(kind).mean(), f"{kind}_loss": found.log_loss(kind).mean()}
    with style.canvas(1, 2, height=0.9 + 0.38 * len(kinds), sharey=True) as (figure, axes):
        for ax, measure, name in (
            (axes[0], found.accuracy, "accuracy"),
            (axes[1], found.log_loss, "loss"),
        ):
            for row, kind in enumerate(kinds):
                values = measure(kind)
                shape = {"color": style.BLUE, "marker": "o", "capsize": 3}
                ax.errorbar(values.mean(), row, xerr=standard_error(values), **shape)
            ax.set(xlabel=text[name], ylim=(len(kinds) - 0.5, -0.5))
        axes[0].set_yticks(range(len(kinds)), [text[kind] for kind in kinds])
    rows = [
        text["row"].format(name=text[k], accuracy=numbers[k], loss=numbers[f"{k}_loss"])
        for k in kinds
    ]
    return style.picture(figure, text | {"alt": " ".join([text["alt"], *rows])}, numbers)


def table(found: Measured, *, text: Mapping[str, str] | None = None) -> str:
    """The same numbers as lines of text: mean ± standard error."""
    text = style.words(_RESULTS, text)
    lines = [f"{'':26}{text['accuracy']:>18}{text['loss']:>18}"]
    for kind in KINDS:
        right, loss = found.accuracy(kind), found.log_loss(kind)
        lines.append(
            f"{text[kind]:26}{right.mean():>11.2f} ± {standard_error(right):.2f}"
            f"{loss.mean():>11.3f} ± {standard_error(loss):.3f}"
        )
    return "\n".join(lines)


_SIZE = {
    "together": "average of n",
    "alone": "mean of them alone",
    "x": "networks averaged, n",
    "accuracy": "test accuracy, %",
    "loss": "log loss",
    "alt": (
        "Two panels against the number of averaged networks, means over the seeds with standard "
        "errors. Accuracy rises from {accuracy_1:.1f} % for one to {accuracy_2:.1f} % for two and "
        "{accuracy_last:.1f} % for {last:.0f}. Log loss falls from {loss_1:.3f} to {loss_2:.3f} "
        "and {loss_last:.3f}; the mean of the members alone stays at {alone:.3f}."
    ),
    "caption": (
        "Of what {last:.0f} networks gain in log loss, the second alone brings {share_2:.0 %} and "
        "the last one {share_last:.0 %}."
    ),
}


def size(found: Measured, *, text: Mapping[str, str] | None = None) -> Picture:
    """Accuracy and log loss against the number of networks that are averaged."""
    text = style.words(_SIZE, text)
    right, loss, alone = by_size(found)
    mean = loss.mean(axis=0)
    gain = mean[0] - mean[-1]
    numbers = {
        "last": loss.shape[1],
        "accuracy_1": right[:, 0].mean(),
        "accuracy_2": right[:, 1].mean(),
        "accuracy_last": right[:, -1].mean(),
        "loss_1": mean[0],
        "loss_2": mean[1],
        "loss_last": mean[-1],
        "alone": alone.mean(),
        "share_2": (mean[0] - mean[1]) / gain,
        "share_last": (mean[-2] - mean[-1]) / gain,
    }
    sizes = np.arange(1, loss.shape[1] + 1)
    look = style.LINES[0] | {"capsize": 3, "label": text["together"]}
    with style.canvas(1, 2, height=3.2) as (figure, (left, below)):
        left.errorbar(sizes, right.mean(axis=0), yerr=standard_error(right), **look)
        below.errorbar(sizes, mean, yerr=standard_error(loss), **look)
        below.plot(sizes, alone.mean(axis=0), **style.LINES[1], label=text["alone"])
        left.set(xlabel=text["x"], ylabel=text["accuracy"], xticks=sizes)
        below.set(xlabel=text["x"], ylabel=text["loss"], xticks=sizes)
        below.legend()
    return style.picture(figure, text, numbers)


_DIVERSITY = {
    "checkpoints": "two checkpoints of a run",
    "search": "two of the search's best",
    "seeds": "two initialisations",
    "x": "disagreement, % of the digits",
    "y": "gain in log loss",
    "alt": (
        "Scatter plot of pairs of networks: on how many digits the two disagree, against what "
        "their average saves on the mean of their log losses. No gain is negative. The more two "
        "networks disagree, the more they tend to gain: the correlation is {correlation:.2f}."
    ),
    "caption": (
        "{pairs:.0f} pairs; correlation {correlation:.2f}; smallest gain {least:.4f}. Mean "
        "disagreement: checkpoints {checkpoints:.1f} %, search {search:.1f} %, initialisations "
        "{seeds:.1f} %."
    ),
}


def diversity(found: Measured, *, text: Mapping[str, str] | None = None) -> Picture:
    """For each pair of members: how often the two disagree, and what their average gains."""
    text = style.words(_DIVERSITY, text)
    points = {
        kind: np.concatenate([pairs(stack, found.y) for stack in found.members[kind]])
        for kind in GROUPS
    }
    every = np.concatenate(list(points.values()))
    numbers = {
        "pairs": len(every),
        "correlation": np.corrcoef(every.T)[0, 1],
        "least": every[:, 1].min(),
    }
    numbers |= {kind: values[:, 0].mean() for kind, values in points.items()}
    with style.canvas() as (figure, ax):
        for look, (kind, values) in zip(style.LINES, points.items(), strict=False):
            shape = look | {"linestyle": "", "alpha": 0.6}
            ax.plot(*values.T, **shape, label=text[kind])
        ax.axhline(0, color=style.GREY, linewidth=0.8)
        ax.set(xlabel=text["x"], ylabel=text["y"], xlim=(0, None))
        ax.legend()
    return style.picture(figure, text, numbers)


_SHAKEN = {
    "checkpoints": "checkpoints of one run",
    "seeds": "other initialisations",
    "x": "learning rate",
    "y": "disagreement, % of the digits",
    "alt": (
        "Disagreement against three learning rates on a log axis. Networks from other "
        "initialisations differ on {seeds_0:.1f}, {seeds_1:.1f} and {seeds_2:.1f} % of the test "
        "digits; checkpoints of one run on {checkpoints_0:.1f}, {checkpoints_1:.1f} and "
        "{checkpoints_2:.1f} %."
    ),
    "caption": (
        "At the lowest rate two checkpoints differ on {checkpoints_0:.1f} % of the digits and two "
        "initialisations on {seeds_0:.1f} %; at the highest, on {checkpoints_2:.1f} % and "
        "{seeds_2:.1f} %."
    ),
}


def shaken(
    rates: Sequence[float] = (0.05, 0.2, 0.7),
    num_runs: int = 2,
    *,
    text: Mapping[str, str] | None = None,
) -> Picture:
    """Variety among the checkpoints of one run, and among runs, at three learning rates."""
    text = style.words(_SHAKEN, text)
    differ = variety(rates, num_runs, num_members=4)
    numbers: dict[str, float] = {}
    with style.canvas(height=3.0) as (figure, ax):
        for k, name in enumerate(("checkpoints", "seeds")):
            ax.semilogx(rates, differ[:, k], **style.LINES[k], label=text[name])
            numbers |= {f"{name}_{i}": share for i, share in enumerate(differ[:, k])}
        ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
        ax.minorticks_off()
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(0, None))
        ax.legend(loc="lower left")
    return style.picture(figure, text, numbers)


_COST = {
    "measured": "measured",
    "line": "n times one network",
    "x": "networks, n",
    "y": "milliseconds for 400 digits",
    "alt": (
        "Time to classify the test digits against the number of networks. It grows along a "
        "straight line from {one:.2f} milliseconds for one to {last:.2f} for {members:.0f}."
    ),
    "caption": (
        "One network takes {one:.2f} ms, {members:.0f} take {last:.2f} ms: {ratio:.1f} times as "
        "long. Measured just now, the quickest of several rounds."
    ),
}


def cost(num_members: int = 8, *, text: Mapping[str, str] | None = None) -> Picture:
    """Time to classify the test digits with one network and with several, measured here."""
    text = style.words(_COST, text)
    times = prediction_time(num_members)
    members = np.arange(1, num_members + 1)
    numbers = {"one": times[0], "last": times[-1], "members": num_members}
    numbers["ratio"] = times[-1] / times[0]
    with style.canvas(height=2.8) as (figure, ax):
        ax.plot(members, times, **style.LINES[0], label=text["measured"])
        ax.plot(members, times[0] * members, color=style.GREY, linestyle=":", label=text["line"])
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(0, None))
        ax.legend()
    return style.picture(figure, text, numbers)


_HEAT = {
    "students": "student",
    "teacher": "its teacher, six networks",
    "x": "temperature T",
    "accuracy": "test accuracy, %",
    "loss": "log loss",
    "alt": (
        "Test accuracy and log loss of students against the temperature of their distillation, "
        "means over the seeds with standard errors, beside their teacher. At T = 1 {accuracy_0:.1f}"
        " % and {loss_0:.3f}, at T = 2 {accuracy_1:.1f} % and {loss_1:.3f}, at T = 4 "
        "{accuracy_2:.1f} % and {loss_2:.3f}; the teacher has {teacher:.1f} % and "
        "{teacher_loss:.3f}."
    ),
    "caption": (
        "T = 1: {accuracy_0:.2f} %, {loss_0:.3f}. T = 2: {accuracy_1:.2f} %, {loss_1:.3f}. T = 4: "
        "{accuracy_2:.2f} %, {loss_2:.3f}. The teacher: {teacher:.2f} %, {teacher_loss:.3f}."
    ),
}


def students(found: Measured, *, text: Mapping[str, str] | None = None) -> Picture:
    """Accuracy and log loss of distilled students against the temperature."""
    text = style.words(_HEAT, text)
    numbers = {
        "teacher": found.accuracy("seeds").mean(),
        "teacher_loss": found.log_loss("seeds").mean(),
    }
    heats = list(found.students)
    with style.canvas(1, 2, height=2.8) as (figure, axes):
        for ax, measure, name in (
            (axes[0], accuracy_of, "accuracy"),
            (axes[1], log_loss, "loss"),
        ):
            values = np.array(
                [[measure(p, found.y) for p in found.students[heat]] for heat in heats]
            ).T
            look = style.LINES[0] | {"capsize": 3, "label": text["students"]}
            ax.errorbar(heats, values.mean(axis=0), yerr=standard_error(values), **look)
            level = numbers["teacher" if name == "accuracy" else "teacher_loss"]
            ax.axhline(level, color=style.VERMILION, linestyle="--", label=text["teacher"])
            ax.set_xscale("log", base=2)
            ax.set_xticks(heats, [f"{heat:g}" for heat in heats])
            ax.set(xlabel=text["x"], ylabel=text[name])
            numbers |= {f"{name}_{i}": mean for i, mean in enumerate(values.mean(axis=0))}
        axes[1].legend()
    return style.picture(figure, text, numbers)
