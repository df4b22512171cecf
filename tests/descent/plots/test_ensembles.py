"""The pictures of unit 10 show what the lesson says they show."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from descent.data import digits
from descent.plots import ensembles, style
from descent.plots.ensembles import measuring, training

from .every_picture import Drawer, EveryPicture, drawn

SEEDS = 4
TRAININGS = {"best_of_search", "fit", "your_average", "your_student"}
OTHERS = {"Measured", "measure", "table", "your_sizes"}


@cache
def found() -> ensembles.Measured:
    return ensembles.measure(SEEDS)


def drawer(name: str) -> Drawer:
    """What draws a picture; what it draws is measured when somebody looks."""
    draw: Drawer = getattr(ensembles, name)
    measured = "found" in inspect.signature(draw).parameters
    return lambda **given: draw(found(), **given) if measured else draw(**given)


PICTURES = {name: drawer(name) for name in sorted(set(ensembles.__all__) - TRAININGS - OTHERS)}


def shown(name: str) -> style.Picture:
    return drawn(PICTURES[name])


def numbers(name: str) -> Mapping[str, float]:
    return shown(name).numbers


class TestEveryPicture(EveryPicture):
    pictures = PICTURES


# ---- what was measured -------------------------------------------------------------------------


def test_every_kind_was_measured_on_every_seed() -> None:
    seen = found()
    assert set(seen.models) == set(measuring.KINDS)
    assert set(seen.members) == set(measuring.GROUPS)
    for models in (*seen.models.values(), *seen.students.values()):
        assert len(models) == SEEDS
        for model in models:
            assert model.shape == (len(seen.y), 10)
            assert model.sum(axis=1) == pytest.approx(1)


@pytest.mark.parametrize("kind", ["average", "checkpoints", "search", "four", "distilled"])
def test_every_kind_is_better_than_one_network(kind: str) -> None:
    seen = found()
    assert seen.accuracy(kind).mean() > seen.accuracy("single").mean()
    assert seen.log_loss(kind).mean() < seen.log_loss("single").mean()


def test_one_student_does_as_well_as_six_and_better_than_without_a_teacher() -> None:
    seen = found()
    gap = seen.accuracy("seeds").mean() - seen.accuracy("distilled").mean()
    assert gap < 0.5
    assert seen.log_loss("distilled").mean() < seen.log_loss("control").mean()


def test_the_search_gains_by_better_settings_and_by_averaging() -> None:
    seen = found()
    loss = {kind: seen.log_loss(kind).mean() for kind in ("single", "best", "search", "four")}
    assert loss["search"] < loss["best"] < loss["single"]
    # The better settings alone bring most of the fall; the lesson says so.
    assert loss["best"] - loss["search"] < loss["single"] - loss["best"]
    assert seen.accuracy("search").mean() > seen.accuracy("best").mean() + 0.5
    for best, members in zip(seen.models["best"], seen.members["search"], strict=True):
        assert np.array_equal(best, members[0])


def test_ensembles_are_also_compared_at_equal_size() -> None:
    seen = found()
    for four, six in zip(seen.models["four"], seen.members["seeds"], strict=True):
        assert len(seen.members["search"][0]) == len(seen.members["checkpoints"][0]) == 4
        assert four == pytest.approx(six[:4].mean(axis=0))


def test_table_has_a_line_for_every_kind_with_its_numbers() -> None:
    head, *lines = ensembles.table(found()).splitlines()
    assert len(lines) == len(measuring.KINDS)
    assert "accuracy" in head
    for kind, line in zip(measuring.KINDS, lines, strict=True):
        right, _, error, loss, _, _ = line[26:].split()
        assert float(right) == pytest.approx(found().accuracy(kind).mean(), abs=0.006)
        assert float(loss) == pytest.approx(found().log_loss(kind).mean(), abs=0.0006)
        spread = found().accuracy(kind).std(ddof=1) / SEEDS**0.5
        assert float(error) == pytest.approx(spread, abs=0.006)


def test_only_what_is_drawn_is_described() -> None:
    picture = ensembles.results(found(), ["single", "seeds"])
    assert picture.alt.count(": accuracy ") == 2
    assert "initialisations" in picture.alt
    assert "student" not in picture.alt


def test_measures_agree_with_their_definitions() -> None:
    probabilities = np.array([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7]])
    y = np.array([0, 1])
    assert measuring.accuracy(probabilities, y) == 50
    assert measuring.log_loss(probabilities, y) == pytest.approx(-np.log([0.5, 0.2]).mean())
    pair = np.array([probabilities, probabilities[::-1]])
    ((differ, gain),) = measuring.pairs(pair, y)
    assert differ == 100
    mixed = -np.log([0.3, 0.225]).mean()
    apart = -np.log([0.5, 0.2, 0.1, 0.25]).mean()
    assert gain == pytest.approx(apart - mixed)


def test_averaged_parameters_are_the_decaying_average_of_the_path() -> None:
    data, decay = digits().subset(50), 0.8
    path: list[Any] = []

    def rule(w: Any, dw: Any, state: Any = None, /, *, learning_rate: float) -> Any:
        w = w - learning_rate * dw
        path.append(w.copy())
        return w, None

    count = len(training.fit(data, [1], num_epochs=2, rule=rule).params)
    _, (averaged,) = training.fit_with_averages(data, [1], [decay], num_epochs=2)
    visited = path[::count]
    weights = decay ** np.arange(len(visited) - 1, -1, -1.0)
    expected = np.tensordot(weights / weights.sum(), visited, axes=1)
    assert len(visited) == 10
    assert averaged.params["W1"] == pytest.approx(expected, rel=1e-10)


def test_checkpoints_are_those_asked_for() -> None:
    kept: list[Any] = []
    callbacks = [training.keep_checkpoints(kept, every=2, count=3)]
    last = training.fit(digits().subset(50), [0], callbacks=callbacks)
    assert len(kept) == 3
    assert np.array_equal(kept[-1].params["W1"], last.params["W1"])
    assert not np.array_equal(kept[0].params["W1"], last.params["W1"])


def test_the_best_of_a_search_are_read_from_its_checkpoints() -> None:
    data = digits().subset(training.NUM_EXAMPLES)
    best = training.best_of_search(data, 3, num_trials=3, num_epochs=3, keep=2)
    scores = [network.accuracy(data.X_val, data.y_val) for network in best]
    assert len(best) == 2
    assert scores[0] >= scores[1] > 0.5


# ---- what the lesson says ------------------------------------------------------------------------


def test_a_vote_errs_where_the_average_is_right() -> None:
    seen = numbers("ways_to_average")
    assert seen["wrong"] != seen["truth"]
    assert seen["p"] > 0.5
    assert max(seen["p1"], seen["p2"]) < seen["p3"]


def test_averaged_probabilities_have_the_lowest_log_loss() -> None:
    seen = numbers("ways_compared")
    assert seen["probabilities_loss"] < seen["logits_loss"] < seen["single_loss"]
    assert seen["no_vote"] > 0
    assert abs(seen["probabilities"] - seen["logits"]) < 0.5
    assert min(seen["probabilities"], seen["logits"], seen["votes"]) > seen["single"]


def test_members_bring_less_and_less() -> None:
    seen = numbers("size")
    assert seen["alone"] == pytest.approx(seen["loss_1"])
    assert seen["loss_last"] < seen["loss_2"] < seen["loss_1"]
    assert seen["share_2"] > 0.4
    assert 0 < seen["share_last"] < 0.15


def test_pairs_that_disagree_more_gain_more() -> None:
    seen = numbers("diversity")
    assert seen["correlation"] > 0.3
    assert seen["least"] >= 0


def test_checkpoints_vary_little_at_a_low_rate_and_much_at_a_high_one() -> None:
    seen = numbers("shaken")
    assert seen["checkpoints_0"] < 0.5 * seen["seeds_0"]
    assert seen["checkpoints_2"] > 1.5 * seen["checkpoints_0"]


def test_the_average_stands_nearer_to_the_floor_of_the_bowl() -> None:
    seen = numbers("bowl")
    assert seen["average"] < 0.6 * seen["last"]
    assert seen["average_loss"] < 0.3 * seen["last_loss"]
    assert 0.75 < seen["nearer"] < 0.85


def test_relatives_share_a_valley_and_strangers_do_not() -> None:
    seen = numbers("between")
    assert seen["checkpoints_middle"] > seen["checkpoints_ends"]
    assert seen["seeds_middle"] < seen["seeds_ends"] - 1


def test_the_correction_matters_at_the_start_and_a_sum_grows() -> None:
    seen = numbers("start_at_zero")
    assert seen["plain_1"] == pytest.approx(0.05 * seen["corrected_1"])
    assert 40 < seen["late"] < 50
    assert seen["sum"] == pytest.approx(20, rel=0.1)


def test_a_long_memory_pays_off_only_with_refreshed_statistics() -> None:
    seen = numbers("stale_statistics")
    assert seen["refreshed_4"] > seen["refreshed_0"]
    assert seen["stale_4"] < seen["stale_0"]
    assert seen["refreshed_4"] > seen["stale_4"] + 1


def test_jensen_holds_and_the_best_member_is_not_beaten_in_poor_company() -> None:
    curve = numbers("jensen")
    assert curve["best"] < curve["average"] < curve["mean"]
    seen = numbers("guarantees")
    assert seen["jensen"] == seen["seeds"] == seen["wins"] == SEEDS
    assert seen["alone"] < seen["last"] < seen["last_mean"]


def test_the_second_choice_comes_out_at_a_higher_temperature() -> None:
    seen = numbers("dark_knowledge")
    assert seen["p_cold"] > 0.999
    assert seen["next_warm"] > 50 * seen["next_cold"]
    assert seen["p_warm"] < seen["p_cold"]


def test_no_temperature_beats_one_here() -> None:
    seen = numbers("students")
    assert seen["loss_0"] < seen["loss_1"] < seen["loss_2"]
    assert seen["accuracy_0"] > max(seen["accuracy_1"], seen["accuracy_2"]) - 0.3


def test_one_network_is_too_sure_and_six_are_better_calibrated() -> None:
    seen = numbers("reliability")
    assert seen["single_confidence"] > seen["single_accuracy"] + 0.02
    assert seen["seeds_error"] < 0.6 * seen["single_error"]


def test_time_grows_with_the_members() -> None:
    seen = numbers("cost")
    assert seen["ratio"] == pytest.approx(seen["last"] / seen["one"])
    assert seen["ratio"] > 2


def test_your_own_average_is_drawn_as_it_is() -> None:
    members, y = list(found().members["seeds"][0]), found().y
    right = ensembles.your_sizes(lambda p: np.mean(p, axis=0), members, y).numbers
    assert right["accuracy_last"] == found().accuracy("seeds")[0]
    assert right["loss_last"] == pytest.approx(found().log_loss("seeds")[0])
    first = ensembles.your_sizes(lambda p: p[0], members, y)
    assert first.numbers["accuracy_last"] == first.numbers["accuracy_first"]
    assert first.alt.endswith(".")
    with pytest.raises(ValueError, match="shape"):
        ensembles.your_sizes(lambda p: np.mean(p), members, y)
    with pytest.raises(KeyError):
        ensembles.your_sizes(lambda p: p[0], members, y, text={"no such word": ""})


def test_your_own_average_follows_the_training() -> None:
    data, decay = digits().subset(50), 0.9

    def ema(average: Any, value: Any, *, decay: float, step: int) -> Any:
        average = average + (1 - decay) * (value - average)
        return average, average / (1 - decay**step)

    network, averaged = ensembles.your_average(ema, data, [1], decay=decay)
    expected, (mine,) = training.fit_with_averages(data, [1], [decay])
    assert np.array_equal(network.params["W1"], expected.params["W1"])
    assert averaged.params["W1"] == pytest.approx(mine.params["W1"], rel=1e-9)


def test_your_own_student_learns_from_the_loss_it_is_given() -> None:
    data = digits().subset(50)
    teachers = [training.fit(data, [k], num_epochs=2) for k in range(2)]
    asked: list[tuple[float, float]] = []

    def loss(student: Any, teacher: Any, y: Any, *, temperature: float, alpha: float) -> Any:
        asked.append((temperature, alpha))
        own, target = (
            training.softened(student, temperature),
            training.softened(teacher, temperature),
        )
        return 0.0, temperature * (own - target) / len(y)

    student = ensembles.your_student(loss, teachers, data, [9], temperature=2.0)
    mine = training.distil(data, teachers, 2.0, [9])
    assert set(asked) == {(2.0, 1.0)}
    assert student.params["W1"] == pytest.approx(mine.params["W1"], rel=1e-6)


def test_your_unwritten_functions_are_passed_on() -> None:
    def unwritten(*_: Any, **__: Any) -> Any:
        raise NotImplementedError

    data = digits().subset(50)
    teachers = [training.fit(data, [0], num_epochs=1)]
    with pytest.raises(NotImplementedError):
        ensembles.your_average(unwritten, data, [0])
    with pytest.raises(NotImplementedError):
        ensembles.your_student(unwritten, teachers, data, [0], temperature=1.0)
