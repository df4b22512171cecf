"""The pictures of unit 9 show what the lesson says they show."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import numpy as np
import pytest
from descent.plots import hyperparameter_search as plots
from descent.plots import style
from descent.search import Trial, check_space, draw

from .every_picture import Drawer, EveryPicture, drawn

SPACE = {"rate": (1e-4, 1.0, "log"), "kind": ["a", "b"]}
NARROW = SPACE | {"rate": (1e-4, 1e-2, "log")}


def found(best_rate: float = 0.01) -> list[Trial]:
    """Trials whose score falls with the distance from `best_rate`, and one that failed."""
    rng = np.random.default_rng(0)
    trials = []
    for number in range(12):
        config = draw(check_space(SPACE), rng)
        score = 90 - 10 * abs(math.log10(config["rate"] / best_rate))
        status = "abandoned" if number % 3 == 0 else "finished"
        curve = [score / 2, score] if status == "finished" else [score]
        trials.append(Trial(number, config, status, score, len(curve), curve))
    return [*trials, Trial(12, {"rate": 0.5, "kind": "a"}, "failed", error="no")]


WAYS = {"one": [1.0, 2.0, 3.0], "other": [2.0, 3.0, 4.5]}
PICTURES: dict[str, Drawer] = {name: getattr(plots, name) for name in plots.__all__} | {
    "comparison": partial(plots.comparison, WAYS),
    "folds": partial(plots.folds, 3),
    "learning_curves": partial(plots.learning_curves, found()),
    "optimism": partial(plots.optimism, 12),
    "parallel_coordinates": partial(plots.parallel_coordinates, found(), SPACE),
    "score_against": partial(plots.score_against, found(), "rate", SPACE),
    "stages": partial(plots.stages, [found(), found()[:4]], "rate", [SPACE, NARROW]),
}


def shown(name: str) -> style.Picture:
    return drawn(PICTURES[name])


def numbers(name: str) -> Mapping[str, float]:
    return shown(name).numbers


class TestEveryPicture(EveryPicture):
    pictures = PICTURES
    # Names of hyper-parameters, choices and ways to search are the caller's own words.
    own_words = "|".join([*SPACE, *SPACE["kind"], *WAYS])


def test_the_learning_rate_matters_most() -> None:
    seen = numbers("sensitivity")
    assert seen["rate_span"] > 3 * max(seen["reg_span"], seen["units_span"])


def test_uniform_draws_miss_the_lower_powers_of_ten() -> None:
    seen = numbers("log_scale")
    assert seen["uniform_low"] < 0.005
    assert seen["uniform_top"] == pytest.approx(0.9, abs=0.02)
    assert seen["log_low"] == pytest.approx(0.5, abs=0.03)


def test_giving_up_saves_work_and_keeps_the_best() -> None:
    seen = numbers("giving_up")
    assert seen["given_up"] >= 3
    assert seen["saved"] > 0.25
    assert seen["best"] < 0.1
    assert 0 < seen["beyond"] < seen["given_up"]
    # The best run rose first: a limit of 1.1 times the first loss would have ended it.
    assert 1.1 * seen["limit"] / 3 < seen["highest"] < seen["limit"]


def test_every_run_given_up_is_seen_to_end_somewhere_else() -> None:
    figure = shown("giving_up").figure
    (ax,) = figure.axes
    ends = [line for line in ax.lines if line.get_marker() in ("X", "^")]
    places = {tuple(np.asarray(line.get_xydata())[0]) for line in ends}
    assert len(places) == len(ends) == numbers("giving_up")["given_up"]
    low, high = ax.get_ylim()
    assert all(low < height < high for _, height in places)


def test_only_those_that_went_to_the_end_count_as_trained_to_the_end() -> None:
    config = {"rate": 0.1, "kind": "a"}
    kinds = (("finished", 3), ("abandoned", 1), ("abandoned", 2), ("finished", 2), ("running", 3))
    trials = [Trial(k, config, how, 50.0, n, [50.0] * n) for k, (how, n) in enumerate(kinds)]
    picture = plots.learning_curves(trials)
    seen = picture.numbers
    assert (seen["finished"], seen["abandoned"], seen["cut"]) == (1, 2, 2)
    assert seen["mean"] == 1.5
    assert "1 trained to the end, 2 given up, 2 cut off" in picture.caption
    assert "given up had" not in plots.learning_curves(trials[:1]).caption


def test_stages_are_as_wide_as_what_was_searched() -> None:
    seen = numbers("stages")
    assert (seen["widest"], seen["narrowest"]) == pytest.approx((4, 2))
    assert 0 < seen["drawn"] < seen["widest"]
    assert "4.00, 2.00" in shown("stages").caption
    with pytest.raises(ValueError, match="kind is no range"):
        plots.stages([found()], "kind", [SPACE])


def test_legends_stand_outside_the_scattered_trials() -> None:
    for name in ("score_against", "stages"):
        figure = shown(name).figure
        figure.draw_without_rendering()
        (ax,) = figure.axes
        legend = ax.get_legend()
        assert legend is not None
        assert legend.get_window_extent().x0 > ax.get_window_extent().x1


def test_halving_spends_nearly_the_same_in_every_round() -> None:
    seen = numbers("rungs")
    assert (seen["total"], seen["full"], seen["rounds"]) == (27 + 3 * 18, 27 * 27, 4)


def test_the_mean_of_folds_is_steadier_than_one() -> None:
    seen = plots.folds().numbers
    assert seen["several"] < 0.6 * seen["one"]


def test_the_winners_score_is_optimistic_and_training_chooses_worst() -> None:
    seen = plots.optimism().numbers
    assert seen["gap_all"] > 3
    # One model alone promises neither too much nor too little.
    assert abs(seen["gap_one"]) < 3 * seen["error"] < 1
    assert seen["fresh_all"] > seen["train_fresh"] + 2


@pytest.mark.parametrize(
    ("best_rate", "at_border", "said"),
    [(0.01, 0, "inside the range"), (3.0, 1, "further up"), (1e-6, 1, "further down")],
)
def test_a_best_value_at_the_border_is_pointed_out(
    best_rate: float, at_border: int, said: str
) -> None:
    picture = plots.score_against(found(best_rate), "rate", SPACE)
    assert picture.numbers["at_border"] == at_border
    assert said in picture.caption
    assert picture.numbers["trials"] == 12


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="kind is no range"):
        plots.score_against(found(), "kind", SPACE)
    with pytest.raises(ValueError, match="no trial has a score"):
        plots.parallel_coordinates(found()[-1:], SPACE)


def test_ways_are_compared_seed_by_seed() -> None:
    picture = plots.comparison(WAYS)
    means, gains = picture.caption.split("Gains over “one”, seed by seed: ")
    assert means == "Means, in %: one 2.00 ± 0.58; other 3.17 ± 0.73. "
    assert gains == "other +1.17 ± 0.17."
    assert picture.numbers["other gain"] == pytest.approx(7 / 6)
