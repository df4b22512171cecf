"""The report: four checks of a model and its data."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.data import blobs
from descent.questions.sanity_checks import CHECKS, faulty_model
from descent_solutions import sanity_checks as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

Array = npt.NDArray[Any]

# ---- cases ---------------------------------------------------------------------------------------

FAULTS = (
    ("", "a sound model and ten classes", 10, 8.0, 1.0),
    ("", "a sound model and overlapping classes", 5, 3.9, 1.0),
    ("", "a model whose first scores are far apart", 6, 7.0, 500.0),
    ("", "features that don't belong to their labels", 5, 7.0, 1.0),
    ("", "features that all carry the same signal", 5, 7.0, 1.0),
    ("", "a model that was trained before", 5, 8.0, 1.0),
    ("", "equal examples with different labels among the first 20", 4, 7.0, 1.0),
    ("penalty missing", "a model without its penalty", 4, 6.0, 1.0),
    ("penalty subtracted", "a model that subtracts its penalty", 6, 7.0, 1.0),
    ("penalty always on", "a model with a penalty that can't be turned off", 5, 7.0, 1.0),
    ("penalty only above 0.5", "a penalty that isn't there below a reg of 0.5", 4, 7.0, 1.0),
    ("labels shifted", "a model that predicts the neighbouring label", 4, 6.0, 1.0),
    ("gradients of the wrong sign", "a model that climbs", 6, 7.0, 1.0),
    (
        "gradients are zero",
        "a model that guesses right from the start and never learns",
        5,
        8.0,
        1.0,
    ),
    ("logarithm to base 10", "a loss with the wrong logarithm", 8, 5.0, 1.0),
    ("loss is NaN", "a loss that is NaN", 4, 6.0, 1.0),
)
"""Fault planted, what the report calls it, classes, distance of the classes, size of W2."""

NUM_TRAIN, NUM_VAL, NUM_TINY = 100, 60, 20


def sanity_report_cases(rng: Rng) -> list[Case]:
    # Cases that any sensible way of checking decides alike.
    return [drawn(partial(_report_case, spec), _is_clear, rng) for spec in FAULTS]


def _report_case(spec: tuple[str, str, int, float, float], rng: Rng) -> Case:
    fault, about, num_classes, distance, size = spec
    features, hidden = num_classes + 5, 16
    X, y = blobs(
        rng,
        num_per_class=(NUM_TRAIN + NUM_VAL) // num_classes + 1,
        num_classes=num_classes,
        num_features=features,
        distance=distance,
    )
    if about.startswith("features that all"):
        X = (y - (num_classes - 1) / 2)[:, None] + 0.5 * rng.normal(size=X.shape)
    order = rng.permutation(len(y))[: NUM_TRAIN + NUM_VAL]
    # Two digits after the point are plenty, and keep the stored cases short.
    X, y = X[order].round(2), y[order]
    if about.startswith("equal examples"):
        X[10:20], y[10:20] = X[:10], (y[:10] + 1) % num_classes
    data = {
        "X_train": X[:NUM_TRAIN],
        "y_train": y[:NUM_TRAIN],
        "X_val": X[NUM_TRAIN:],
        "y_val": y[NUM_TRAIN:],
    }
    if about.startswith("features that don't"):
        data["X_train"] = rng.permuted(data["X_train"], axis=0)
    params = {
        "W1": (np.sqrt(2 / features) * rng.normal(size=(features, hidden))).round(4),
        "b1": np.zeros(hidden),
        "W2": (0.002 * size * rng.normal(size=(hidden, num_classes))).round(5),
        "b2": np.zeros(num_classes),
    }
    case = {
        "about": f"{about}, C = {num_classes}",
        "fault": fault,
        "params": params,
        "data": data,
        "learning_rate": 0.5,
        "num_steps": 100 if about.startswith("features that all") else 50,
        "seed": int(rng.integers(2**31)),
    }
    if about.startswith("a model that was trained"):
        _train_on_large_features(case)
    elif about.startswith("a model that guesses"):
        # The largest score says what it said, but all of them are nearly equal.
        trained = _learnt(case)
        small = {name: trained[name] / 500 for name in ("W2", "b2")}
        case["params"] = {n: v.round(5) for n, v in {**trained, **small}.items()}
    return case


def _learnt(case: Case) -> dict[str, Array]:
    """What a sound model learns from the training set of a case."""
    model, data = faulty_model({**case, "fault": ""}), case["data"]
    look = _Look(model, data, np.random.default_rng(0))
    return dict(look.descent(data["X_train"], data["y_train"])[1])


def _train_on_large_features(case: Case) -> None:
    """Start from trained parameters, with features in the hundreds.

    Shuffled features of that size make the model forget. Zeros, or noise around 1, hardly move it.
    """
    params, data = _learnt(case), case["data"]
    params |= {"W1": params["W1"] / 10, "b1": params["b1"] * 10, "W2": params["W2"] / 10}
    case["params"] = {name: value.round(4) for name, value in params.items()}
    case["data"] = data | {name: (100 * data[name]).round() for name in ("X_train", "X_val")}
    case["learning_rate"] = 0.005


def _is_clear(case: Case) -> bool:
    """Whether no number of the report lies near its threshold, on the training set neither."""
    about, data, num_classes = case["about"], case["data"], len(case["params"]["b2"])
    X, y = data["X_train"], data["y_train"]
    if np.ptp(y[:NUM_TINY]) != y.max() or y.max() != num_classes - 1:
        return False
    with np.errstate(all="ignore"):
        look = _Look(faulty_model(case), data, np.random.default_rng(case["seed"]))
        tiny_loss, tiny_accuracy, _ = look.trained(X[:NUM_TINY], y[:NUM_TINY])
        whole_loss, learnt, honest = look.trained(X, y)
        start = look.loss_at(0.0) / np.log(num_classes)
        # Features or labels may be shuffled: they part either way.
        scrambled = [look.trained(look.scrambled(), y)[2]]
        if about.startswith(("features", "a model that was trained", "a sound")):
            scrambled.append(look.trained(look.scrambled(), y)[2])
            scrambled.append(look.trained(X, look.rng.permutation(y))[2])
        kept = []
        if about.startswith("features that all"):
            kept = [look.mixed(), look.reordered(), look.reordered()]
        elif about.startswith("a model that was trained"):
            kept = [0 * X, look.rng.normal(size=X.shape)]
        kept_accuracies = [look.trained(Z, y)[2] for Z in kept]
    if about.startswith("a sound model and overlapping") and not whole_loss > 0.15:
        return False
    if about.startswith("features that don't") and not learnt > max(scrambled) + 0.3:
        return False
    if min(kept_accuracies, default=1.0) < honest - 0.1:
        return False
    if about.startswith("a model that guesses") and not honest > 0.9:
        return False
    return bool(
        not 0.03 < abs(start - 1) < 0.3
        and not 0.06 < tiny_loss < 0.2
        and (tiny_accuracy == 1 or tiny_accuracy < 0.9)
        and (honest > max([*scrambled, 0.3]) + 0.3 or honest < min(scrambled) + 0.1)
    )


# ---- what can be learnt about a model ------------------------------------------------------------

_TRAININGS: dict[str, dict[str, Any]] = {}


def _overfit_tiny(
    loss_and_grads: Any, params: Any, *, learning_rate: float, num_steps: int
) -> dict[str, Any]:
    """`overfit_tiny` of the references, remembered: pairs of mistakes repeat the same trainings.

    The first loss and gradients tell one training from every other.
    """
    first, grads = loss_and_grads(params)
    key = f"{first!r} {[np.sum(g).hex() for g in grads.values()]} {learning_rate} {num_steps}"
    if key not in _TRAININGS:
        if len(_TRAININGS) > 1000:
            _TRAININGS.clear()
        _TRAININGS[key] = reference.overfit_tiny(
            loss_and_grads, params, learning_rate=learning_rate, num_steps=num_steps
        )
    return _TRAININGS[key]


class _Look:
    """What a report can learn about a model, in numbers."""

    def __init__(self, model: Any, data: Any, rng: Rng) -> None:
        self.model, self.data, self.rng = model, data, rng

    def loss_at(self, reg: float) -> float:
        """The loss of the first parameters on the whole training set."""
        params, data = self.model["params"], self.data
        loss, _ = self.model["loss_and_grads"](params, data["X_train"], data["y_train"], reg)
        return float(loss)

    def descent(self, X: Array, y: Array) -> tuple[float, Any]:
        """Last loss and parameters after training."""
        run = _overfit_tiny(
            lambda params: self.model["loss_and_grads"](params, X, y, 0.0),
            self.model["params"],
            learning_rate=self.model["learning_rate"],
            num_steps=self.model["num_steps"],
        )
        return float(run["loss"][-1]), run["params"]

    def trained(self, X: Array, y: Array) -> tuple[float, float, float]:
        """Last loss, accuracy on what was learnt, and accuracy on the validation set."""
        loss, params = self.descent(X, y)
        seen, new = (
            float(np.mean(self.model["predict"](params, inputs) == labels))
            for inputs, labels in ((X, y), (self.data["X_val"], self.data["y_val"]))
        )
        return loss, seen, new

    def scrambled(self) -> Array:
        """The training features, every column shuffled by itself."""
        return np.asarray(self.rng.permuted(self.data["X_train"], axis=0))

    def mixed(self) -> Array:
        """The training features, every row shuffled by itself."""
        return np.asarray(self.rng.permuted(self.data["X_train"], axis=1))

    def reordered(self) -> Array:
        """The training features, whole columns in another order."""
        return np.asarray(self.rng.permutation(self.data["X_train"], axis=1))


def sanity_report_by_labels(model: Any, data: Any, rng: Rng) -> Any:
    """Shuffles the labels, which parts them from their features as well."""
    look = _Look(model, data, rng)
    X, y = data["X_train"], data["y_train"]
    num_classes = len(np.unique(y))
    loss, accuracy, _ = look.trained(X[:NUM_TINY], y[:NUM_TINY])
    honest, scrambled = (look.trained(X, labels)[2] for labels in (y, rng.permutation(y)))
    losses = [look.loss_at(reg) for reg in (0, 0.1, 1)]
    return {
        "overfits a tiny set": bool(loss < 0.1 and accuracy > 0.99),
        "beats scrambled features": int(honest > scrambled + 0.2),
        "loss at chance": bool(np.isclose(losses[0], np.log(num_classes), rtol=0.1)),
        "regularization raises the loss": bool(losses[0] < losses[1] < losses[2]),
    }


# ---- the question --------------------------------------------------------------------------------


def _in_a_row(report: Any) -> Any:
    """Each check passes only if those before it have."""

    def stopping(*given: Any) -> Any:
        said = report(*given)
        return dict(zip(CHECKS, itertools.accumulate((said[c] for c in CHECKS), min), strict=True))

    return stopping


SANITY_REPORT = Entry(
    "sanity_report",
    reference.sanity_report,
    sanity_report_cases,
    through=(reference.regularization_raises_loss,),
    bound={"overfit_tiny": _overfit_tiny},
    variants={"labels shuffled instead of features": sanity_report_by_labels},
    mistakes=written(
        """
        penalty-on: abs(loss_at(0.0)  →  abs(loss_at(1.0)
            It looks as if the initial loss is taken with the penalty on.
            Try: Set reg to 0 first: ln C is what the data loss should be.
        always-ten: int(y.max()) + 1  →  10
            It looks as if every problem is expected to have ten classes.
            Try: Count the classes in the labels.
        hinge-expected: "softmax"  →  "hinge"
            It looks as if the initial loss is compared with the hinge's C − 1.
            Try: These models have a softmax loss: expect ln C.
        after-training: abs(loss_at(0.0)  →  abs(trained(X, y)[0]
            It looks as if the first loss is taken after training.
            Try: Take it with `model["params"]` before any step; training must not move these.
        start-moved: X, y = data  →  model = dict(model)⏎X, y = data
            return run["loss"]  →  model["params"] = run["params"]⏎return run["loss"]
            tiny_loss < 0.1
            →  model["loss_and_grads"](model["params"], X[:20], y[:20], 0.0)[0] < 0.1
            accuracy(tiny_params  →  accuracy(model["params"]
            It looks as if all trainings move one and the same set of arrays.
            Try: Copy `model["params"]`, every array in it too, before each training.
        reg-skipped: [0.0, 0.1, 1.0]  →  [0.1, 1.0]
            It looks as if not every reg of 0, 0.1 and 1 is compared with the next.
            Try: A penalty may be missing between any two of them: ask for a rise at each.
        not-strict: > losses  →  >= losses
            It looks as if a loss that doesn't move with reg passes.
            Try: A penalty that is never added leaves the loss where it was: ask for a rise.
        loss-only: == 1.0  →  >= 0.0
            It looks as if only the loss on the tiny set counts.
            Try: Ask for 100 % accuracy too: predictions have code, and bugs, of their own.
        accuracy-only: tiny_loss < 0.1  →  (tiny_loss < 0.1 or True)
            It looks as if only the accuracy on the tiny set counts.
            Try: Ask for a loss near 0 too: 100 % comes long before it.
        penalty-while-overfitting: y: Array) -> tuple  →  y: Array, reg: float = 0.0) -> tuple
            y, 0.0)  →  y, reg)
            trained(X[:20], y[:20])  →  trained(X[:20], y[:20], 0.1)
            It looks as if the tiny set is learnt with the penalty on.
            Try: The penalty keeps the loss away from 0: set reg to 0 here.
        fewer-than-twenty: [:20]  ⇒  [:10]
            It looks as if fewer than 20 examples are learnt by heart.
            Try: Take all of the first 20: what can't be learnt may be among the last of them.
        whole-set: [:20]  ⇒  [:]
            It looks as if the whole training set has to be learnt by heart.
            Try: Take about 20 examples: a sound model may well fail on all of them.
        training-accuracy: trained(X, y)[1], data["X_val"], data["y_val"]  →  trained(X, y)[1], X, y
            It looks as if the training accuracy is held against the scrambled model. Try: What was
            learnt by heart says nothing: compare accuracies on the validation set.
        pairs-kept: trained(rng.permuted(X, axis=0), y)
            →  trained(X[order := rng.permutation(len(y))], y[order])
            It looks as if the examples are shuffled together with their labels.
            Try: Shuffle each column of X by itself, so that features lose their labels.
        columns-mixed: axis=0  →  axis=1
            It looks as if values change from one column to another. Try: Shuffle each column by
            itself: `rng.permuted(X, axis=0)`. Columns that change places, or rows shuffled inside,
            may keep what they tell.
        features-replaced: rng.permuted(X, axis=0)  →  0 * X
            It looks as if other numbers take the place of the features.
            Try: Keep the values of each column and change their order only.
        scrambled-not-trained: trained(rng.permuted(X, axis=0), y)[1], data["X_val"]
            →  trained(X, y)[1], rng.permuted(data["X_val"], axis=0)
            It looks as if no model is trained on scrambled features. Try: Train a second time, from
            the same start, on scrambled `X_train`; compare both on the validation set as it is.
        nan-passes: abs(loss_at(0.0) - expected) <  →  not abs(loss_at(0.0) - expected) >=
            np.all(losses[1:] > losses[:-1])  →  not np.any(losses[1:] <= losses[:-1])
            tiny_loss <  →  not tiny_loss >=
            It looks as if a loss that is NaN passes. Try: Every comparison with NaN is False: ask
            whether the check holds, not whether it fails.
        stops-early:
            It looks as if a check counts as failed once an earlier one has failed.
            Try: Report each check by itself: the pattern names the fault.
        """,
        wrap={"stops-early": _in_a_row},
    ),
)
