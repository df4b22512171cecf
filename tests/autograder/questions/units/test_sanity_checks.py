"""What is special about the questions of unit 2: the models that a report is asked about."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from descent.judging import Verdict, public_exam
from descent.questions import judge
from descent.questions.sanity_checks import CHECKS, faulty_model
from descent_autograder.questions.catalogue import exam
from descent_autograder.questions.units.sanity_checks.report import FAULTS, sanity_report_cases
from descent_solutions.sanity_checks import (
    hinge_loss,
    overfit_tiny,
    regularization_raises_loss,
    sanity_report,
    two_layer_loss,
)

EXPECTED = {
    "a sound model and ten classes": [],
    "a sound model and overlapping classes": [],
    "a model whose first scores are far apart": [0],
    "features that don't belong to their labels": [3],
    "features that all carry the same signal": [],
    "a model that was trained before": [0],
    "equal examples with different labels among the first 20": [2],
    "a model without its penalty": [1],
    "a model that subtracts its penalty": [1],
    "a model with a penalty that can't be turned off": [0, 2],
    "a penalty that isn't there below a reg of 0.5": [1],
    "a model that predicts the neighbouring label": [2, 3],
    "a model that climbs": [2, 3],
    "a model that guesses right from the start and never learns": [2, 3],
    "a loss with the wrong logarithm": [0],
    "a loss that is NaN": [0, 1, 2],
}


@pytest.mark.parametrize("seed", [3, 4])
def test_every_fault_shows_in_the_checks_that_it_should(seed: int) -> None:
    cases = sanity_report_cases(np.random.default_rng(seed))
    found = {}
    for (_, about, *_), case in zip(FAULTS, cases, strict=True):
        with np.errstate(all="ignore"):
            report = sanity_report(faulty_model(case), case["data"], np.random.default_rng(seed))
        found[about] = [i for i, name in enumerate(CHECKS) if not report[name]]
    assert found == EXPECTED


@pytest.mark.parametrize("answer", [True, False])
def test_a_report_that_never_looks_earns_nothing(answer: bool) -> None:
    verdict = judge(
        "sanity_report",
        [lambda model, data, rng: dict.fromkeys(CHECKS, answer)],
        exam("sanity_report", 1),
    )
    assert (verdict.passed, verdict.score) == (False, 0.0)


def test_each_check_earns_its_share() -> None:
    def without_the_last(model, data, rng):  # type: ignore[no-untyped-def]
        return {**sanity_report(model, data, rng), CHECKS[3]: True}

    verdict = judge("sanity_report", [without_the_last], exam("sanity_report", 1), points=4)
    assert (verdict.passed, verdict.score) == (False, 3.0)


SEEDS = (1, 2, 3)


def verdicts(question: str, function: Callable[..., Any]) -> list[Verdict]:
    """On the public exam and on fresh ones."""
    exams = [public_exam(question), *(exam(question, seed) for seed in SEEDS)]
    return [judge(question, [function], made) for made in exams]


def report_with(comparison: Callable[..., float]) -> Callable[..., Any]:
    """A report whose last check holds the model against `comparison(trained, right, data, rng)`."""

    def report(model: Any, data: Any, rng: np.random.Generator) -> Any:
        X, y = data["X_train"], data["y_train"]

        def trained(X: Any, y: Any) -> Any:
            def loss_and_grads(params: Any) -> Any:
                return model["loss_and_grads"](params, X, y, 0.0)

            how = {name: model[name] for name in ("learning_rate", "num_steps")}
            return overfit_tiny(loss_and_grads, model["params"], **how)["params"]

        def right(params: Any, X: Any) -> float:
            return float(np.mean(model["predict"](params, X) == data["y_val"]))

        honest = right(trained(X, y), data["X_val"])
        bar = comparison(trained, right, data, rng)
        return {**sanity_report(model, data, rng), CHECKS[3]: honest > bar + 0.2}

    return report


def trained_on(scramble: Callable[..., Any]) -> Callable[..., Any]:
    return report_with(
        lambda trained, right, data, rng: right(
            trained(*scramble(data["X_train"], data["y_train"], rng)), data["X_val"]
        )
    )


@pytest.mark.parametrize(
    "scramble",
    [
        lambda X, y, rng: (rng.permuted(X, axis=0), y),
        lambda X, y, rng: (X[rng.permutation(len(X))], y),
        lambda X, y, rng: (X, rng.permutation(y)),
    ],
    ids=["columns", "rows", "labels"],
)
def test_whatever_parts_features_and_labels_is_scrambling(scramble: Callable[..., Any]) -> None:
    assert all(v.passed for v in verdicts("sanity_report", trained_on(scramble)))


@pytest.mark.parametrize(
    ("report", "mistake"),
    [
        (trained_on(lambda X, y, rng: (X[:, rng.permutation(X.shape[1])], y)), "columns-mixed"),
        (trained_on(lambda X, y, rng: (rng.permuted(X, axis=1), y)), "columns-mixed"),
        (trained_on(lambda X, y, rng: (0 * X, y)), "features-replaced"),
        (trained_on(lambda X, y, rng: (rng.normal(size=X.shape), y)), "features-replaced"),
        (
            report_with(
                lambda trained, right, data, rng: right(
                    trained(data["X_train"], data["y_train"]), rng.permuted(data["X_val"], axis=0)
                )
            ),
            "scrambled-not-trained",
        ),
        (
            report_with(lambda trained, right, data, rng: 1 / (data["y_train"].max() + 1) - 0.2),
            "",
        ),
    ],
    ids=["column order", "within rows", "zeros", "noise", "validation set", "chance"],
)
def test_what_only_looks_like_scrambling_is_found(report: Callable[..., Any], mistake: str) -> None:
    for verdict in verdicts("sanity_report", report):
        assert not verdict.passed
        assert not mistake or mistake in [m.id for m in verdict.mistakes]


def test_training_that_moves_the_start_is_named() -> None:
    def moving(model: Any, data: Any, rng: np.random.Generator) -> Any:
        X, y, params = data["X_train"], data["y_train"], model["params"]

        def loss(X: Any, y: Any, reg: float = 0.0) -> Any:
            return model["loss_and_grads"](params, X, y, reg)[0]

        def right(X: Any, y: Any) -> float:
            return float(np.mean(model["predict"](params, X) == y))

        def train(X: Any, y: Any) -> None:
            for _ in range(model["num_steps"]):
                for name, grad in model["loss_and_grads"](params, X, y, 0.0)[1].items():
                    params[name] -= model["learning_rate"] * grad

        train(X[:20], y[:20])
        train(X, y)
        honest = right(data["X_val"], data["y_val"])
        train(rng.permuted(X, axis=0), y)
        scrambled = right(data["X_val"], data["y_val"])
        chance = np.log(y.max() + 1)
        values = (
            abs(loss(X, y) - chance) < 0.1 * chance,
            loss(X, y) < loss(X, y, 0.1) < loss(X, y, 1.0),
            loss(X[:20], y[:20]) < 0.1 and right(X[:20], y[:20]) == 1,
            honest > scrambled + 0.2,
        )
        return dict(zip(CHECKS, values, strict=True))

    for verdict in verdicts("sanity_report", moving):
        assert not verdict.passed
        assert "start-moved" in [m.id for m in verdict.mistakes]


@pytest.mark.parametrize("rise", [1e-3, 1e-8, 1e-12])
def test_a_rise_counts_however_small(rise: float) -> None:
    def tolerant(loss_at: Any, regs: Any) -> bool:
        return bool(np.all(np.diff([loss_at(reg) for reg in sorted(regs)]) > rise))

    for verdict in verdicts("regularization_raises_loss", tolerant):
        assert [m.id for m in verdict.mistakes] == ["tolerance"]


def test_nan_fails_wherever_it_stands() -> None:
    def looks_last(loss_at: Any, regs: Any) -> bool:
        losses = [loss_at(reg) for reg in sorted(regs)]
        fallen = any(b <= a for a, b in itertools.pairwise(losses))
        return not (np.isnan(losses[-1]) or fallen)

    assert not any(v.passed for v in verdicts("regularization_raises_loss", looks_last))
    assert all(v.passed for v in verdicts("regularization_raises_loss", regularization_raises_loss))


@pytest.mark.parametrize(("added", "passes"), [(1e-15, True), (1e-12, True), (1e-10, False)])
def test_a_number_inside_the_logarithm_is_judged_alike_on_every_seed(
    added: float, passes: bool
) -> None:
    def guarded(params: Any, X: Any, y: Any, reg: float) -> Any:
        loss, grads = two_layer_loss(params, X, y, reg)
        scores = np.maximum(0, X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]
        probs = np.exp(scores - scores.max(axis=1, keepdims=True))
        chosen = (probs / probs.sum(axis=1, keepdims=True))[np.arange(len(y)), y]
        return loss + np.mean(np.log(chosen) - np.log(chosen + added)), grads

    for verdict in verdicts("two_layer_loss", guarded):
        assert verdict.passed == passes
        assert passes or [m.id for m in verdict.mistakes] == ["epsilon-1e-10"]


@pytest.mark.parametrize(("slope", "passes"), [(0.0, True), (0.5, True), (1.0, True), (2.0, False)])
def test_the_slope_on_the_kink_may_be_0_a_half_or_1(slope: float, passes: bool) -> None:
    def on_the_kink(W: Any, X: Any, y: Any, reg: float) -> Any:
        rows = np.arange(len(y))
        scores = X @ W
        slopes = np.heaviside(scores - scores[rows, y][:, None] + 1, slope)
        slopes[rows, y] = 0
        slopes[rows, y] = -slopes.sum(axis=1)
        return hinge_loss(W, X, y, reg)[0], X.T @ slopes / len(y) + reg * W

    assert {v.passed for v in verdicts("hinge_loss", on_the_kink)} == {passes}
