"""The pictures of unit 6 show what the lesson says they show."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.optimize
from descent.demos.landscapes import LANDSCAPES
from descent.demos.race import steps_needed
from descent.plots import optimizers, style
from descent.plots.optimizers import heat_map
from descent.plots.optimizers.lbfgs import lbfgs
from descent_autograder.publishing.data_files import heat_map as making
from descent_solutions import optimizers as rules
from matplotlib.text import Text

from .every_picture import Drawer, EveryPicture, drawn

PICTURES: dict[str, Drawer] = {name: getattr(optimizers, name) for name in optimizers.__all__}
PICTURES["your_forms"] = partial(optimizers.your_forms, rules.nesterov_lookahead, rules.nesterov)
PICTURES["your_training"] = partial(optimizers.your_training, {"§": (rules.sgd, 0.3)})


def blank(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
    raise NotImplementedError


def shown(name: str) -> style.Picture:
    return drawn(PICTURES[name])


def numbers(name: str) -> Mapping[str, float]:
    return shown(name).numbers


class TestEveryPicture(EveryPicture):
    pictures = PICTURES


def test_stability_limits_are_those_of_theory() -> None:
    seen = numbers("stability")
    assert seen["plain_limit"] == pytest.approx(2, abs=0.02)
    assert seen["momentum_limit"] == pytest.approx(3.8, abs=0.03)


def test_momentum_overshoots_more_and_nesterov_less() -> None:
    seen = numbers("ball")
    assert seen["over_0"] == 0 < seen["over_0_9"] < seen["over_0_99"]
    seen = numbers("look_ahead")
    assert seen["nesterov_over"] < 0.5 * seen["momentum_over"]
    assert seen["gap"] < 1e-14


def test_the_balls_of_the_pictures_are_the_rules() -> None:
    w, state, path = np.array([1.0]), None, []
    for _ in range(40):
        w, state = rules.momentum(w, w, state, learning_rate=0.3)
        path.append(float(w[0]))
    assert numbers("look_ahead")["momentum_over"] == pytest.approx(-min(path), rel=1e-12)
    v, steps = None, []
    w = np.array([0.0])
    for step in range(31):
        rate = 1.0 if step < 30 else 0.1
        moved, v = rules.momentum(w, np.array([1.0]), v, learning_rate=rate)
        steps.append(float((w - moved)[0]))
        w = moved
    assert numbers("braking")["inside"] == pytest.approx(steps[30], rel=1e-12)


def test_step_lengths_are_those_of_the_rules() -> None:
    seen = numbers("uncorrected_steps")
    assert seen["worst_step"] == 12
    assert seen["only_m"] == pytest.approx(31.6, abs=0.1)
    assert seen["only_v"] == pytest.approx(0.1)
    for decay in (0.9, 0.99, 0.999):
        w, state = np.zeros(1), None
        for g in [1.0] * 200 + [0.1] * 400:
            before = w
            w, state = rules.rmsprop(
                w, np.array([g]), state, learning_rate=1.0, decay_rate=decay, eps=0.0
            )
        key = f"decay_{decay:g}".replace(".", "_")
        assert numbers("leaky_steps")[key] == pytest.approx(float((before - w)[0]), rel=1e-9)


def test_halving_beats_the_other_schedules() -> None:
    seen = numbers("annealing")
    assert min(seen, key=lambda name: seen[name]) == "good"


def test_one_newton_step_lands_and_a_saddle_attracts_it() -> None:
    seen = numbers("newton_paths")
    assert max(seen["bowl_newton"], seen["saddle_newton"]) < 1e-12
    assert min(seen["bowl_gradient"], seen["saddle_gradient"]) > 0.3


def test_lbfgs_wins_with_all_data_and_loses_with_batches() -> None:
    seen = numbers("full_or_mini_batch")
    assert seen["lbfgs"] < 1e-3 < seen["sgd"] < seen["mini_lbfgs"]


def test_lbfgs_goes_where_scipys_goes() -> None:
    x = np.array([-1.2, 1.0, -0.5, 0.8])
    f, df = scipy.optimize.rosen, scipy.optimize.rosen_der
    found = lbfgs(lambda p: (float(f(p)), df(p)), x, 200)
    theirs = scipy.optimize.minimize(f, x, jac=df, method="L-BFGS-B", options={"maxfun": 200})
    np.testing.assert_allclose(found, theirs.x, atol=1e-4)
    assert f(found) <= theirs.fun + 1e-8


def test_noise_shortens_the_escape_by_a_constant_a_decade() -> None:
    assert numbers("escape")["decade"] == pytest.approx(np.log(10) / np.log(1.1), rel=0.02)


def test_no_rule_wins_everywhere() -> None:
    seen = numbers("race_results")
    assert seen["winners"] == 5
    assert seen["share"] < 1
    assert set(LANDSCAPES) <= set(seen)


def test_tuning_the_rate_alone_does_momentum_and_adam_wrong() -> None:
    """The numbers that the lesson names."""
    seen = numbers("race_results")
    assert (seen["usual_least"], seen["usual_most"]) == (52, 72)
    assert seen["momentum_tuned"] == 12 < seen["sgd_ravine"] < seen["momentum_usual"]
    assert (seen["adagrad_ravine"], seen["adagrad_turned"]) == (5, 46)
    assert max(seen["adam_worst"], seen["momentum_worst"], seen["nesterov_worst"]) == 23
    for rule in ("sgd", "adagrad", "rmsprop"):
        assert max(taken[rule]["tuned"] for taken in steps_needed().values()) > 40


def test_range_test_advises_a_rate_that_trains() -> None:
    seen = numbers("range_curve")
    assert seen["starts"] < seen["advised"] < seen["best"] < seen["explodes"]


def test_range_test_marks_the_lowest_point_of_a_line_that_is_drawn() -> None:
    seen, (ax,) = numbers("range_curve"), shown("range_curve").figure.axes
    lines = {str(line.get_label()): line for line in ax.get_lines()}
    rates, smooth = lines["mean of seven batches"].get_data()
    assert seen["best"] == np.asarray(rates)[np.argmin(smooth)]
    losses = np.asarray(lines["loss on each batch"].get_ydata())
    later = np.asarray(rates) > seen["best"]
    assert seen["explodes"] == np.asarray(rates)[later & (losses > losses[0])][0]


def test_stored_heat_map_is_fresh() -> None:
    stored = json.loads(Path(heat_map.__file__).with_suffix(".json").read_text("utf-8"))
    assert json.loads(json.dumps(making.measured())) == stored


def test_own_rules_join_the_heat_map() -> None:
    picture = optimizers.unit_tests({"mine": rules.adam, "not yet": blank}, beside_built_in=False)
    assert picture.numbers["solved by mine"] == 14
    said = {text.get_text() for text in picture.figure.findobj(Text)}
    assert "not yet doesn't run yet" in said


def test_own_forms_and_trainings_wait_until_they_are_written() -> None:
    assert "Not both" in optimizers.your_forms(blank, rules.nesterov).caption
    assert "None of the rules" in optimizers.your_training({"x": (blank, 0.1)}).caption
    assert numbers("your_forms")["gap"] < 1e-12


@pytest.mark.parametrize(("size", "key"), [(0.01, "small"), (10.0, "large")])
def test_weights_with_large_gradients_decay_less_inside_adam(size: float, key: str) -> None:
    decay, rate = 0.01, 1e-7
    w, state, path = np.ones(1), None, []
    for step in range(40_000):
        g = np.array([size if step % 2 else -size]) + decay * w
        w, state = rules.adam(w, g, state, learning_rate=rate)
        path.append(float(w[0]))
    # Settled averages: measure over whole pairs of steps in the second half.
    lost = (path[19_999] - path[-1]) / 20_000 / (rate * decay)
    assert numbers("decay_shares")[key] == pytest.approx(lost, rel=0.02)
