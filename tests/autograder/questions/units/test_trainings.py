"""Planted faults are real faults, and the reference names them; stacked training is right."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from descent.data import Dataset
from descent.nets import Network
from descent.nets import train as train_network
from descent_autograder.questions.units.babysitting import trainings
from descent_autograder.questions.units.babysitting.trainings import (
    CURVES,
    FAULTS,
    HEALTHY,
    LEARNING_RATES,
)
from descent_solutions.babysitting import (
    classify_learning_rate,
    diagnose,
    epochs_axis,
    layer_statistics,
    update_ratio,
)

KINDS = (HEALTHY, *FAULTS)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_stacked_training_is_the_given_networks_training(activation):
    rng = np.random.default_rng(0)
    # In one batch an epoch the order of examples can't matter, so that both must agree.
    plan = replace(
        trainings.plan(HEALTHY, 2, rng), activation=activation, batch_size=300, num_epochs=6
    )
    curves = trainings.train(plan, np.random.default_rng(7))
    weights, _ = trainings._initial(plan, np.random.default_rng(7))
    for run in range(2):
        empty = plan.X[run][:1], plan.y[run][:1]
        data = Dataset(
            plan.X[run], plan.y[run], plan.X_val[run], plan.y_val[run], *empty, plan.sizes[-1]
        )
        given = iter([W[run] for W in weights])
        network = Network(
            plan.sizes, rng, activation=activation, init=lambda n, m, rng, given=given: next(given)
        )
        history = train_network(
            network, data, learning_rate=plan.rate[run], reg=plan.reg[run], batch_size=300,
            num_epochs=6, rng=rng, progress=False,
        )  # fmt: skip
        for name, expected in history.epochs().items():
            np.testing.assert_allclose(curves[name][run], expected, rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("fault", KINDS)
def test_a_run_has_the_four_curves(fault):
    run = trainings.training(fault, np.random.default_rng(0))
    assert tuple(run) == CURVES
    assert len({curve.shape for curve in run.values()}) == 1
    assert len(run["loss"]) >= 26
    for name in ("train_accuracy", "val_accuracy"):
        assert (run[name] >= 0).all()
        assert (run[name] <= 1).all()


def test_runs_come_from_the_generator_alone_and_never_twice():
    first, again, other = (
        trainings.trainings(HEALTHY, 3, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one["loss"], same["loss"])
    losses = {run["loss"].tobytes() for run in first + other}
    assert len(losses) == 6


def ends(plan, seed):
    """Mean late loss, training accuracy and gap of every run of a plan."""
    curves = trainings.train(plan, np.random.default_rng(seed))
    loss, train, val = (
        curves[name][:, -5:].mean(axis=1) for name in ("loss", "train_accuracy", "val_accuracy")
    )
    return loss, train, train - val


def cured(fault, plan):
    features, *_, classes = plan.sizes
    same = np.ones_like(plan.rate)
    if fault in ("learning rate too low", "learning rate too high", "diverged"):
        return replace(plan, rate=0.15 * same)
    if fault == "bad initialization":
        return replace(plan, spread=same)
    if fault == "low capacity":
        return replace(plan, sizes=(features, 16, classes))
    held_out = 300
    return replace(  # more data and a penalty, the two remedies
        plan,
        reg=0.1 * same,
        X=np.concatenate([plan.X, plan.X_val[:, :held_out]], axis=1),
        y=np.concatenate([plan.y, plan.y_val[:, :held_out]], axis=1),
        X_val=plan.X_val[:, held_out:],
        y_val=plan.y_val[:, held_out:],
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_taking_the_cause_away_helps(fault):
    better = []
    for seed in range(5):
        plan = trainings.plan(fault, 8, np.random.default_rng(seed))
        sick, well = ends(plan, seed), ends(cured(fault, plan), seed)
        if fault == "overfitting":
            better.extend(well[2] < sick[2] - 0.05)
        elif fault == "low capacity":
            better.extend(well[1] > sick[1] + 0.1)
        else:
            better.extend(~(well[0] >= sick[0]))
    assert np.mean(better) >= 0.95


def test_the_reference_names_the_faults_of_a_thousand_fresh_runs():
    runs = [
        (kind, run)
        for kind in KINDS
        for run in trainings.trainings(kind, 143, np.random.default_rng([20, KINDS.index(kind)]))
    ]
    table = trainings.rates(diagnose, runs)
    assert len(runs) == 1001
    assert all(named >= 0.95 for named, _ in table.values()), table
    assert all(alarms <= 0.02 for _, alarms in table.values()), table


def test_the_reference_names_the_learning_rates_of_fresh_runs():
    for label, fault in LEARNING_RATES.items():
        runs = trainings.trainings(fault, 60, np.random.default_rng(3))
        named = Counter(classify_learning_rate(run["loss"]) for run in runs)
        assert named[label] >= 0.95 * 60, (label, named)


def test_rates_count_hits_and_false_alarms():
    runs = [("diverged", {}), (HEALTHY, {}), (HEALTHY, {}), ("overfitting", {})]
    answers = iter([{"diverged"}, set(), {"overfitting"}, {"overfitting", "diverged"}])
    table = trainings.rates(lambda history: next(answers), runs)
    assert table["diverged"] == (1.0, 1 / 3)
    assert table["overfitting"] == (1.0, 1 / 3)
    assert table[HEALTHY] == (0.5, 0.0)
    assert np.isnan(table["low capacity"][0])


def test_a_sample_is_balanced_shuffled_and_safe_to_change():
    rng = np.random.default_rng(0)
    drawn = trainings.sample(rng, 3, seed=11, per_fault_in_pool=4, kinds=("diverged", HEALTHY))
    assert Counter(kind for kind, _ in drawn) == {"diverged": 3, HEALTHY: 3}
    losses = {run["loss"].tobytes() for _, run in drawn}
    assert len(losses) == 6
    kept = trainings.pool(11, 4)[HEALTHY][0]["loss"].copy()
    for _, run in drawn:
        run["loss"][:] = 0
    np.testing.assert_array_equal(trainings.pool(11, 4)[HEALTHY][0]["loss"], kept)


def test_an_unknown_fault_is_refused():
    with pytest.raises(ValueError, match="fault must be one of"):
        trainings.training("gremlins", np.random.default_rng(0))


# --- the small functions of the unit ----------------------------------------------------------


def test_the_epochs_axis_counts_examples_used_before_each_loss():
    np.testing.assert_allclose(epochs_axis(5, 100, 40), [0, 0.4, 0.8, 1.2, 1.6])


def test_the_update_ratio_agrees_with_the_networks_record():
    w, update = np.array([[3.0, 0.0], [0.0, 4.0]]), np.array([[0.0, 0.03], [0.04, 0.0]])
    assert update_ratio(w, update) == pytest.approx(0.01)
    assert np.isnan(update_ratio(0 * w, update))


def test_layer_statistics_agree_with_the_networks_report():
    rng = np.random.default_rng(0)
    network = Network((4, 8, 6, 3), rng, activation="tanh", init=2.0)
    statistics = layer_statistics(network.activations(rng.standard_normal((30, 4))))
    for name, column in network.layer_report().items():
        np.testing.assert_allclose([layer[name] for layer in statistics], column, atol=1e-12)
