"""How the functions of unit 2 are exercised."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.judging.observing import Case, Observer, question
from descent.nets import Network
from descent.questions.gradient_checks import network

Array = npt.NDArray[Any]
Params = Mapping[str, Array]

CHECKS = (
    "loss at chance",
    "regularization raises the loss",
    "overfits a tiny set",
    "beats scrambled features",
)
"""The names in a sanity report."""


@question()
def hinge_loss(see: Observer, case: Case) -> None:
    (function,) = see.functions
    loss, grad = see.unpack(function(case["W"], case["X"], case["y"], case["reg"]), "loss, dW")
    see("loss", loss, part="loss", floor=1e-13)
    see("dW", grad, part="gradient", floor=1e-13)


@question()
def expected_initial_loss(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for kind in ("softmax", "hinge"):
        see(kind, function(kind, case["num_classes"]), part=kind)


@question()
def two_layer_loss(see: Observer, case: Case) -> None:
    (function,) = see.functions
    given = (case["params"], case["X"], case["y"], case["reg"])
    loss, grads = see.unpack(function(*given), "loss, grads")
    # Scores near ±1000 keep thirteen digits after the point; X hands their rounding on.
    floor = 1e-12 * (1 + float(np.abs(case["X"]).max()))
    see("loss", loss, part="loss", floor=1e-11)
    for name in case["params"]:
        grad = see.entry(grads, name)
        see(f"d{name}", grad, part="gradients", floor=floor, as_row=name.startswith("b"))


@question()
def regularization_raises_loss(see: Observer, case: Case) -> None:
    (function,) = see.functions
    order = np.argsort(case["regs"])
    knots = np.asarray(case["regs"], float)[order], np.asarray(case["losses"], float)[order]

    def loss_at(reg: Any) -> float:
        return float(np.interp(float(reg), *knots))

    see("rises", function(loss_at, case["regs"]))


@question(rtol=1e-8)
def overfit_tiny(see: Observer, case: Case) -> None:
    (function,) = see.functions
    result = function(
        network({**case, "bugs": {}, "divide": {}}),
        case["params"],
        learning_rate=case["learning_rate"],
        num_steps=case["num_steps"],
    )
    see("losses", see.entry(result, "loss"), part="loss")
    params = see.entry(result, "params")
    for name in case["params"]:
        see(f"{name} at the end", see.entry(params, name), part="params")


# ---- a model to report on ------------------------------------------------------------------------


def faulty_model(case: Case) -> dict[str, Any]:
    """A two-layer softmax classifier, as `sanity_report` takes it, with a fault planted.

    `case["fault"]` is "" for a sound one; see the branches for the others.
    """
    fault, params = case["fault"], case["params"]
    features, hidden = params["W1"].shape
    net = Network((features, hidden, len(params["b2"])), np.random.default_rng(0), init="zeros")

    def loss_and_grads(
        params: Params, X: Array, y: Array, reg: float = 0.0
    ) -> tuple[float, dict[str, Array]]:
        if fault == "penalty missing":
            reg = 0.0
        elif fault == "penalty subtracted":
            reg = -reg
        elif fault == "penalty always on":
            reg = reg + 0.05
        elif fault == "penalty only above 0.5":
            reg = reg if reg > 0.5 else 0.0
        loss, grads = net.loss_and_grads(dict(params), X, np.asarray(y), reg=reg)
        if fault == "logarithm to base 10":
            return loss / np.log(10), {n: g / np.log(10) for n, g in grads.items()}
        if fault == "loss is NaN":
            return float("nan"), grads
        if fault == "gradients of the wrong sign":
            return loss, {n: -g for n, g in grads.items()}
        if fault == "gradients are zero":
            return loss, {n: 0 * g for n, g in grads.items()}
        return loss, grads

    def predict(params: Params, X: Array) -> Array:
        labels = net.predict(X, dict(params))
        return (labels + 1) % len(params["b2"]) if fault == "labels shifted" else labels

    return {
        "params": dict(params),
        "loss_and_grads": loss_and_grads,
        "predict": predict,
        "learning_rate": case["learning_rate"],
        "num_steps": case["num_steps"],
    }


@question()
def sanity_report(see: Observer, case: Case) -> None:
    (function,) = see.functions
    model, data = faulty_model(case), case["data"]
    with np.errstate(all="ignore"):
        report = function(model, data, np.random.default_rng(case["seed"]))
    for name in CHECKS:
        see(name, see.entry(report, name), part=name)
