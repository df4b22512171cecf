"""Pictures of the student's own rules at work, also when some of them aren't written yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.data import digits
from descent.nets import Network, train
from descent.plots import style
from descent.plots.style import Picture
from descent.prototypes import written

Array = npt.NDArray[Any]
Rule = Callable[..., tuple[Any, Any]]

_FORMS = {
    "asked": "where nesterov_lookahead asks for the gradient",
    "kept": "what nesterov keeps",
    "x": "step",
    "y": "first coordinate, in a bowl",
    "gap": "Largest difference between the two: {gap:.0e}.",
    "waiting": "Not both of them run yet.",
    "alt": "One coordinate over 25 steps of your two forms of Nesterov's rule. {said}",
    "caption": "{said}",
}


def your_forms(
    lookahead: Rule, rewritten: Rule, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Your two forms of Nesterov's rule: the points at which each meets the gradient."""
    text = style.words(_FORMS, text)
    numbers = {}
    with style.canvas(height=2.8) as (figure, ax):
        said = text["waiting"]
        try:
            asked, kept = _points(lookahead, rewritten)
        except Exception:
            asked = kept = np.zeros((0, 2))
        if len(asked) and asked.shape == kept.shape:
            numbers["gap"] = max(float(np.abs(asked - kept).max()), 1e-17)
            said = text["gap"].format(**numbers)
            ax.plot(asked[:, 0], **style.LINES[0], label=text["asked"])
            marks = {**style.LINES[1], "linestyle": "", "fillstyle": "none", "markersize": 9}
            ax.plot(kept[:, 0], **marks, label=text["kept"])
            ax.legend()
        ax.set(xlabel=text["x"], ylabel=text["y"])
    filled = {key: text[key].replace("{said}", said) for key in ("alt", "caption")}
    return style.picture(figure, {**text, **filled}, numbers)


def _points(lookahead: Rule, rewritten: Rule) -> tuple[Array, Array]:
    """Where the gradient is taken in 25 steps, by the form that asks and the one that keeps."""
    curvature, start = np.array([1.0, 0.3]), np.array([1.0, -2.0])
    asked: list[Array] = []

    def gradient(w: Array) -> Array:
        asked.append(np.array(w))
        return curvature * w

    w, state = start.copy(), None
    for _ in range(25):
        w, state = lookahead(w, gradient, state, learning_rate=0.2, mu=0.9)
    kept: list[Array] = []
    w, state = start.copy(), None
    for _ in range(25):
        kept.append(np.array(w))
        w, state = rewritten(w, curvature * w, state, learning_rate=0.2, mu=0.9)
    return np.array(asked), np.array(kept)


_TRAINING = {
    "label": "{name} at {rate:g}",
    "x": "epoch",
    "y": "training loss",
    "none": "None of the rules runs yet.",
    "best": "The lowest loss, {loss:.3f}, is that of {name}; it gets {right:.1%} of the "
    "validation set right.",
    "alt": "Training loss on the digits over 8 epochs, one line for each of your rules that "
    "runs: {count:.0f} so far. {said}",
    "caption": "{said}",
}


def your_training(
    rules: Mapping[str, tuple[Rule, float]], *, text: Mapping[str, str] | None = None
) -> Picture:
    """A network trained on the digits by each of your rules.

    Args:
        rules: by name, a rule and its learning rate; what doesn't run yet is left out.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_TRAINING, text)
    data = digits(center=True)
    running = written({name: rule for name, (rule, _) in rules.items()})
    numbers: dict[str, float] = {"count": len(running)}
    scores = {}
    with style.canvas() as (figure, ax):
        for place, (name, rule) in enumerate(running.items()):
            rate = rules[name][1]
            history = train(
                Network((64, 40, 10), np.random.default_rng(0)),
                data,
                rule,
                learning_rate=rate,
                num_epochs=8,
                rng=np.random.default_rng(0),
                progress=False,
            )
            scores[name] = (history.loss[-1], history.val_accuracy[-1])
            look = style.LINES[place % len(style.LINES)]
            label = text["label"].format(name=name, rate=rate)
            ax.semilogy(np.arange(1, 9), history.loss, **look, label=label)
        said = text["none"]
        if scores:
            name, (loss, right) = min(scores.items(), key=lambda one: one[1][0])
            said = text["best"].format(name=name, loss=loss, right=right)
            numbers |= {f"loss of {name}": loss for name, (loss, _) in scores.items()}
            ax.legend()
        ax.set(xlabel=text["x"], ylabel=text["y"])
    filled = {key: text[key].replace("{said}", said) for key in ("alt", "caption")}
    return style.picture(figure, {**text, **filled}, numbers)
