"""What averaging does to probabilities, and what it can't do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.data import digits
from descent.plots import style
from descent.plots.ensembles.measuring import Measured, accuracy, beginners, log_loss
from descent.plots.ensembles.training import softened
from descent.plots.style import Picture

Array = npt.NDArray[Any]
_TINY = 1e-300

_WAYS = {
    "member": "member {number}",
    "votes": "votes",
    "logits": "logits averaged",
    "probabilities": "probabilities averaged",
    "true": "true class",
    "others": "other classes",
    "x": "class",
    "alt": (
        "A handwritten {truth:.0f} and six bar charts over the ten classes. Above, the "
        "probabilities of three networks: two of them narrowly prefer {wrong:.0f}, the third is "
        "sure that it is {truth:.0f}. Below, three ways to put them together: {wrong:.0f} wins "
        "the vote; averaged probabilities give {truth:.0f} a probability of {p:.2f}, averaged "
        "logits {p_logits:.2f}."
    ),
    "caption": (
        "Two networks say {wrong:.0f}, with probabilities of {p1:.2f} and {p2:.2f}; one says "
        "{truth:.0f}, with {p3:.2f}. It is a {truth:.0f}. On average its probability is {p:.2f}; "
        "averaged logits make it {p_logits:.2f}."
    ),
}


def ways_to_average(found: Measured, *, text: Mapping[str, str] | None = None) -> Picture:
    """A digit on which two unsure networks outvote one that is sure, and rightly so."""
    text = style.words(_WAYS, text)
    example, members = _outvoted(found)
    truth, rows = int(found.y[example]), [0, 1, 2]
    ways = {
        "votes": np.eye(10)[members.argmax(axis=1)].mean(axis=0),
        "logits": softened(np.log(members).mean(axis=0, keepdims=True), 1.0)[0],
        "probabilities": members.mean(axis=0),
    }
    numbers = {
        "truth": truth,
        "wrong": int(ways["votes"].argmax()),
        "p": ways["probabilities"][truth],
        "p_logits": ways["logits"][truth],
    }
    numbers |= {f"p{k + 1}": members[k].max() for k in rows}
    titles = [text["member"].format(number=k + 1) for k in rows] + [text[way] for way in ways]
    with style.canvas(2, 4, height=3.8, width=7.8) as (figure, axes):
        _digit(axes[0, 0], example)
        axes[1, 0].axis("off")
        for ax, bars, title in zip(
            axes[:, 1:].flat, [*members, *ways.values()], titles, strict=True
        ):
            _bars(ax, bars, truth, text)
            ax.set_title(title, fontsize=9.5)
        handles, labels = axes[0, 1].get_legend_handles_labels()
        axes[1, 0].legend(handles, labels, loc="center left", borderaxespad=0)
        for ax in axes[1, 1:]:
            ax.set_xlabel(text["x"])
    return style.picture(figure, text, numbers)


def _outvoted(found: Measured) -> tuple[int, Array]:
    """The digit, and its probabilities (3, C), on which a vote of three errs most plainly."""
    best: tuple[float, int, Array] | None = None
    for stack in found.members["seeds"]:
        for trio in ([0, 1, 2], [3, 4, 5]):
            members = stack[np.array(trio) % len(stack)]
            right = members.argmax(axis=2) == found.y
            for example in np.flatnonzero(right.sum(axis=0) == 1):
                one = members[:, example]
                wrong = one[~right[:, example]].argmax(axis=1)
                if wrong[0] == wrong[1]:
                    order = np.argsort(right[:, example])
                    lead = float(one.mean(axis=0)[found.y[example]])
                    if best is None or lead > best[0]:
                        best = lead, int(example), one[order]
    if best is None:
        raise ValueError("no digit on which two of three networks agree on the same mistake")
    return best[1], best[2]


def _digit(ax: Any, example: int) -> None:
    ax.imshow(digits().X_test[example].reshape(8, 8), cmap="gray_r")
    ax.axis("off")


def _bars(ax: Any, values: Array, truth: int, text: Mapping[str, str]) -> None:
    others = np.arange(len(values)) != truth
    classes = np.arange(len(values))
    ax.bar(classes[others], values[others], color=style.SKY, label=text["others"])
    ax.bar(truth, values[truth], color=style.VERMILION, hatch="//", label=text["true"])
    ax.set(xticks=classes, ylim=(0, 1.05), yticks=(0, 0.5, 1))
    ax.tick_params(axis="x", labelsize=8)
    ax.grid(axis="x", visible=False)


_TOGETHER = {
    "votes": "votes",
    "logits": "logits",
    "probabilities": "probabilities",
    "single": "one network",
    "infinite": "infinite",
    "accuracy": "test accuracy, %",
    "loss": "log loss",
    "alt": (
        "Test accuracy and log loss of one network and of six, put together in three ways, as "
        "means over the seeds with standard errors. Accuracy: one network {single:.1f} %, votes "
        "{votes:.1f} %, averaged logits {logits:.1f} %, averaged probabilities "
        "{probabilities:.1f} %. Log loss: one network {single_loss:.3f}, logits {logits_loss:.3f}, "
        "probabilities {probabilities_loss:.3f}; that of votes is infinite."
    ),
    "caption": (
        "Accuracy and log loss: one network, {single:.2f} % and {single_loss:.3f}; votes, "
        "{votes:.2f} %; logits, {logits:.2f} % and {logits_loss:.3f}; probabilities, "
        "{probabilities:.2f} % and {probabilities_loss:.3f}. On {no_vote:.1f} % of the digits "
        "nobody votes for the true class, which makes the log loss of votes infinite."
    ),
}


def ways_compared(found: Measured, *, text: Mapping[str, str] | None = None) -> Picture:
    """Accuracy and log loss of votes, averaged logits and averaged probabilities."""
    text = style.words(_TOGETHER, text)
    ways: dict[str, list[Array]] = {"single": [], "votes": [], "logits": [], "probabilities": []}
    for stack in found.members["seeds"]:
        ways["single"].append(stack[0])
        ways["votes"].append(np.eye(stack.shape[2])[stack.argmax(axis=2)].mean(axis=0))
        logs = np.log(np.maximum(stack, _TINY)).mean(axis=0)
        ways["logits"].append(softened(logs, 1.0))
        ways["probabilities"].append(stack.mean(axis=0))
    votes = np.array(ways["votes"])[:, np.arange(len(found.y)), found.y]
    numbers = {"no_vote": 100 * np.mean(votes == 0)}
    with style.canvas(1, 2, height=2.4, sharey=True) as (figure, axes):
        for ax, measure, ending in zip(axes, (accuracy, log_loss), ("", "_loss"), strict=True):
            for row, (name, models) in enumerate(ways.items()):
                if name + ending == "votes_loss":
                    right = {"transform": ax.get_yaxis_transform(), "ha": "right", "va": "center"}
                    ax.text(0.98, row, text["infinite"], **right)
                    continue
                values = np.array([measure(model, found.y) for model in models])
                numbers[name + ending] = values.mean()
                look = style.LINES[row] | {"linestyle": "", "capsize": 3}
                ax.errorbar(values.mean(), row, xerr=standard_error(values), **look)
            ax.set(xlabel=text["loss" if ending else "accuracy"], ylim=(len(ways) - 0.5, -0.5))
        axes[0].set_yticks(range(len(ways)), [text[name] for name in ways])
    return style.picture(figure, text, numbers)


def standard_error(values: Array) -> Any:
    """Of the mean over the first axis; 0 where there is one value alone."""
    if len(values) < 2:
        return 0 * values[0]
    return values.std(axis=0, ddof=1) / np.sqrt(len(values))


_JENSEN = {
    "curve": "log loss, −ln p",
    "chord": "mean of the two losses",
    "members": "two members",
    "average": "their average",
    "x": "probability of the true class",
    "y": "log loss",
    "alt": (
        "The falling, upward-bent curve of −ln p. Two members at p = {low:.1f} and p = {high:.1f} "
        "are joined by a chord. Halfway along, the chord lies at {mean:.3f} and the curve below "
        "it, at {average:.3f}."
    ),
    "caption": (
        "Members at p = {low:.1f} and {high:.1f}: the mean of their losses is {mean:.3f}, the loss "
        "of their average {average:.3f}. The better member alone has {best:.3f}."
    ),
}


def jensen(
    low: float = 0.2, high: float = 0.9, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Why the log loss of an average is at most the mean log loss: −ln p bends upwards."""
    text = style.words(_JENSEN, text)
    middle, p = (low + high) / 2, np.linspace(0.08, 1, 200)
    ends = np.array([low, high])
    mean = float(-np.log(ends).mean())
    numbers = {"low": low, "high": high, "mean": mean}
    numbers |= {"average": -np.log(middle), "best": -np.log(high)}
    with style.canvas(height=3.2) as (figure, ax):
        ax.plot(p, -np.log(p), color=style.BLUE, label=text["curve"])
        ax.plot(ends, -np.log(ends), color=style.GREY, linestyle="--")
        looks = {"linestyle": "", "markersize": 8}
        ax.plot(ends, -np.log(ends), **looks, marker="o", color=style.BLACK, label=text["members"])
        ax.plot(middle, mean, **looks, marker="s", color=style.VERMILION, label=text["chord"])
        ax.plot(
            middle, -np.log(middle), **looks, marker="^", color=style.GREEN, label=text["average"]
        )
        ax.annotate("", (middle, -np.log(middle)), (middle, mean), arrowprops={"arrowstyle": "->"})
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend()
    return style.picture(figure, text, numbers)


_GUARANTEES = {
    "average": "the average",
    "mean": "mean of the members",
    "best": "best member",
    "equals": "equals, seed by seed",
    "crowd": "one good network and n poor ones",
    "seed": "seed",
    "poor": "poor networks, n",
    "y": "log loss",
    "alt": (
        "Two panels of log loss. Left, six equal members for each seed: the average lies below the "
        "mean of the members every time, and below the best member {wins:.0f} times of "
        "{seeds:.0f}. Right, one good network with more and more poor ones: the average climbs "
        "from {alone:.2f} to {last:.2f}, above the best member, but stays below the mean, which "
        "climbs to {last_mean:.2f}."
    ),
    "caption": (
        "Left: the average beats the mean of its members in {jensen:.0f} of {seeds:.0f} seeds and "
        "the best of them in {wins:.0f}. Right: with {poor:.0f} poor networks the average has a "
        "log loss of {last:.3f}, the mean {last_mean:.3f}, the best member {alone:.3f}; the "
        "average's accuracy falls from {alone_accuracy:.2f} % to {last_accuracy:.2f} %."
    ),
}


def guarantees(
    found: Measured, num_poor: int = 6, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Log loss of average, mean and best member: among equals, and in poor company."""
    text = style.words(_GUARANTEES, text)
    equals = np.array([_three(stack, found.y) for stack in found.members["seeds"]])
    good, poor = found.models["control"][0], beginners(num_poor)
    crowd = [np.array([good, *poor[:n]]) for n in range(num_poor + 1)]
    company = np.array([_three(stack, found.y) for stack in crowd])
    numbers = {
        "seeds": len(equals),
        "jensen": np.count_nonzero(equals[:, 0] < equals[:, 1]),
        "wins": np.count_nonzero(equals[:, 0] < equals[:, 2]),
        "poor": num_poor,
        "alone": company[0, 0],
        "last": company[-1, 0],
        "last_mean": company[-1, 1],
        "alone_accuracy": accuracy(good, found.y),
        "last_accuracy": accuracy(crowd[-1].mean(axis=0), found.y),
    }
    with style.canvas(1, 2) as (figure, (left, right)):
        for k, name in enumerate(("average", "mean", "best")):
            look = style.LINES[k] | {"label": text[name]}
            left.plot(np.arange(1, len(equals) + 1), equals[:, k], **look | {"linestyle": ""})
            right.plot(range(num_poor + 1), company[:, k], **look)
        left.set(xlabel=text["seed"], ylabel=text["y"], title=text["equals"], ylim=(0, None))
        right.set(xlabel=text["poor"], title=text["crowd"], ylim=(0, None))
        left.legend(loc="lower right")
    return style.picture(figure, text, numbers)


def _three(members: Array, y: Array) -> tuple[float, float, float]:
    """Log loss of the average of (M, N, C), mean of the members', and the best member's."""
    alone = [log_loss(member, y) for member in members]
    return log_loss(members.mean(axis=0), y), float(np.mean(alone)), min(alone)


_DARK = {
    "cold": "T = 1",
    "warm": "T = {temperature:g}",
    "x": "class",
    "y": "probability",
    "alt": (
        "A handwritten {truth:.0f} and the ensemble's probabilities for it on a log axis. At "
        "temperature 1 the {truth:.0f} has {p_cold:.4f} and the next class, {second:.0f}, "
        "{next_cold:.1e}. At temperature {warm:.0f} they have {p_warm:.2f} and {next_warm:.2f}, "
        "and the other classes show their order."
    ),
    "caption": (
        "At T = 1: {p_cold:.4f} for {truth:.0f}, {next_cold:.1e} for {second:.0f}, {last_cold:.0e} "
        "for the least likely class. At T = {warm:.0f}: {p_warm:.3f}, {next_warm:.3f} and "
        "{last_warm:.4f}."
    ),
}


def dark_knowledge(
    found: Measured, temperature: float = 4.0, *, text: Mapping[str, str] | None = None
) -> Picture:
    """What an ensemble says about one digit at temperature 1, and at a higher one."""
    text = style.words(_DARK, text)
    logs = np.log(np.maximum(found.members["seeds"][0], _TINY))
    cold, warm = (np.mean([softened(one, t) for one in logs], axis=0) for t in (1.0, temperature))
    # Sure and right, and yet with a clear second choice.
    sure = (cold.argmax(axis=1) == found.y) & (cold.max(axis=1) > 0.999)
    second = np.sort(warm, axis=1)[:, -2]
    example = int(np.argmax(np.where(sure, second, 0)))
    truth, order = int(found.y[example]), np.argsort(warm[example])
    numbers = {"truth": truth, "second": order[-2], "warm": temperature}
    for name, row in (("cold", cold[example]), ("warm", warm[example])):
        numbers |= {f"p_{name}": row[truth], f"next_{name}": row[order[-2]]}
        numbers[f"last_{name}"] = row[order[0]]
    classes, sizes = np.arange(cold.shape[1]), {"width_ratios": (1, 3.2)}
    with style.canvas(1, 2, height=3.0, gridspec_kw=sizes) as (figure, (left, right)):
        _digit(left, example)
        look = {"width": 0.4, "edgecolor": "white"}
        label = text["warm"].format(temperature=temperature)
        right.bar(classes - 0.2, cold[example], **look, color=style.SKY, label=text["cold"])
        right.bar(classes + 0.2, warm[example], **look, color=style.ORANGE, hatch="//", label=label)
        right.set(yscale="log", xlabel=text["x"], ylabel=text["y"], xticks=classes)
        right.set_ylim(float(cold[example].min()) / 3, 3)
        figure.legend(*right.get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return style.picture(figure, text, numbers)


_RELIABILITY = {
    "single": "one network",
    "seeds": "six networks",
    "perfect": "as sure as right",
    "x": "confidence: the largest probability",
    "y": "accuracy",
    "share": "share of the digits",
    "alt": (
        "Left, accuracy against confidence in ten bins, with a diagonal. One network's points lie "
        "below it: it is surer than it is right. Six networks' points lie nearer to it, or above. "
        "Right, how often each confidence occurs: mostly above 0.9, for one network more than "
        "for six."
    ),
    "caption": (
        "Mean confidence and accuracy: one network, {single_confidence:.1 %} and "
        "{single_accuracy:.1 %}; six, {seeds_confidence:.1 %} and {seeds_accuracy:.1 %}. Expected "
        "calibration error: {single_error:.3f} and {seeds_error:.3f}."
    ),
}


def reliability(
    found: Measured, num_bins: int = 10, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Accuracy over confidence, all seeds together: one network, and an ensemble."""
    text = style.words(_RELIABILITY, text)
    numbers: dict[str, float] = {}
    edges = np.linspace(0, 1, num_bins + 1)
    sizes = {"width_ratios": (1.4, 1)}
    with style.canvas(1, 2, gridspec_kw=sizes) as (figure, (left, right)):
        left.plot([0, 1], [0, 1], color=style.GREY, linestyle=":", label=text["perfect"])
        for k, kind in enumerate(("single", "seeds")):
            stack = np.array(found.models[kind])
            claimed = stack.max(axis=2).ravel()
            hits = (stack.argmax(axis=2) == found.y).ravel().astype(float)
            total, sure, right_ones = (
                np.histogram(claimed, edges, weights=w)[0] for w in (None, claimed, hits)
            )
            numbers[f"{kind}_confidence"], numbers[f"{kind}_accuracy"] = claimed.mean(), hits.mean()
            numbers[f"{kind}_error"] = np.abs(sure - right_ones).sum() / len(claimed)
            seen = total >= 10
            left.plot(
                sure[seen] / total[seen],
                right_ones[seen] / total[seen],
                **style.LINES[k],
                label=text[kind],
            )
            middle = (edges[:-1] + edges[1:]) / 2 + (k - 0.5) * 0.4 / num_bins
            look = {"color": style.LINES[k]["color"], "hatch": "//" if k else ""}
            right.bar(middle, total / len(claimed), 0.4 / num_bins, **look, edgecolor="white")
        left.set(xlabel=text["x"], ylabel=text["y"], xlim=(0.2, 1.02), ylim=(0.2, 1.02))
        right.set(xlabel=text["x"], ylabel=text["share"], yscale="log")
        left.legend()
    return style.picture(figure, text, numbers)
