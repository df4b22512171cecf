"""What is special about the questions of unit 1: answers that few tests tell from a right one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from descent.judging import Verdict, public_exam
from descent.questions import judge
from descent.questions.gradient_checks import network
from descent_autograder.questions.catalogue import exam
from descent_autograder.questions.units.gradient_checks.bugs import find_bugs_cases
from descent_autograder.questions.units.gradient_checks.sampling import sample_coordinates_cases
from descent_solutions import gradient_checks as gc

SEEDS = [None, 3, 18]
Function = Callable[..., Any]


def judged(question: str, function: Function, seed: int | None = None) -> Verdict:
    """The verdict on the public exam, or on a fresh one."""
    made = public_exam(question) if seed is None else exam(question, seed)
    with np.errstate(all="ignore"):
        return judge(question, [function], made)


def names(verdict: Verdict) -> list[str]:
    return [mistake.id for mistake in verdict.mistakes]


# ---- differences ---------------------------------------------------------------------------------


def vectorized(f: Function, x: Any, h: float = 1e-5) -> Any:
    """np.vectorize calls its function once more, to look at the type of what it returns."""
    x = np.asarray(x, float)
    steps = np.eye(x.size).reshape(x.size, *x.shape) * h
    slope = np.vectorize(lambda i: (f(x + steps[i]) - f(x - steps[i])) / (2 * h))
    return slope(np.arange(x.size)).reshape(x.shape)


def test_the_probing_call_of_vectorize_is_no_mistake() -> None:
    assert judged("central_difference", vectorized).passed


def test_four_calls_a_number_are_too_many() -> None:
    def wasteful(f: Function, x: Any, h: float = 1e-5) -> Any:
        gc.central_difference(f, x, h)
        return gc.central_difference(f, x, h)

    wrong = [o.name for o in judged("central_difference", wasteful).observations if not o.passed]
    assert wrong == ["f is called at most twice for each number"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "rule",
    [
        lambda f, df, x, steps: sorted(steps)[(len(steps) - 1) // 2],
        lambda f, df, x, steps: sorted(steps)[1],
        lambda f, df, x, steps: min(steps, key=lambda h: abs(np.log10(h) + 5)),
        lambda f, df, x, steps: gc.best_step(f, df, 1.0, steps),
        lambda f, df, x, steps: gc.best_step(f, df, x, steps[:-1]),
        lambda f, df, x, steps: gc.best_step(f, df, x, steps[1:]),
    ],
    ids=["middle", "second", "near 1e-5", "at another x", "without the last", "without the first"],
)
def test_no_rule_of_thumb_finds_the_best_step(rule: Function, seed: int | None) -> None:
    assert not judged("best_step", rule, seed).passed


def test_a_third_precision_does_no_harm() -> None:
    def three(loss_and_grads: Any, params: Any, checker: Any) -> Any:
        errors = {}
        for dtype in ("float16", "float32", "float64"):
            cast = {name: value.astype(dtype) for name, value in params.items()}
            errors[dtype] = max(checker(loss_and_grads, cast).values())
        return errors

    assert judged("precision_errors", three).passed


# ---- the softmax loss ----------------------------------------------------------------------------


def softmax(shift: Function, inside: float = 0.0) -> Function:
    """A softmax loss with something else subtracted, or with something added in the logarithm."""

    def softmax_loss(W: Any, X: Any, y: Any, reg: float) -> Any:
        rows, scores = np.arange(len(y)), X @ W
        exps = np.exp(scores - shift(scores))
        p = exps / exps.sum(axis=1, keepdims=True)
        loss = -np.log(p[rows, y] + inside).mean() + 0.5 * reg * np.sum(W**2)
        p[rows, y] -= 1
        return loss, X.T @ p / len(y) + reg * W

    return softmax_loss


def by_row(scores: Any) -> Any:
    return scores.max(axis=1, keepdims=True)


@pytest.mark.parametrize("seed", [*SEEDS, *range(20, 30)])
def test_a_number_inside_the_logarithm_is_judged_alike_by_every_exam(seed: int | None) -> None:
    for inside in (0.0, 1e-15, 1e-12):
        assert judged("softmax_loss", softmax(by_row, inside), seed).passed
    for inside in (1e-11, 1e-9, 1e-7):
        assert not judged("softmax_loss", softmax(by_row, inside), seed).passed
    for named in ("1e-10", "1e-8"):
        verdict = judged("softmax_loss", softmax(by_row, float(named)), seed)
        assert names(verdict) == [f"epsilon-{named}"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "shift", [np.mean, lambda s: np.maximum(by_row(s), 0)], ids=["the mean", "nothing below 0"]
)
def test_another_overflow_is_not_called_a_shift_of_the_whole_batch(
    shift: Function, seed: int | None
) -> None:
    verdict = judged("softmax_loss", softmax(shift), seed)
    assert not verdict.passed
    assert "shift-whole" not in names(verdict)


# ---- sampling and checking -----------------------------------------------------------------------


def from_the_first_ten(params: Any, per_parameter: int, rng: np.random.Generator) -> Any:
    first = {name: np.zeros(min(10, value.size)) for name, value in params.items()}
    return {
        name: [tuple(map(int, np.unravel_index(k, params[name].shape))) for (k,) in chosen]
        for name, chosen in gc.sample_coordinates(first, per_parameter, rng).items()
    }


def first_column(params: Any, per_parameter: int, rng: np.random.Generator) -> Any:
    chosen = gc.sample_coordinates(params, per_parameter, rng)
    rows = rng.permutation(len(params["W1"]))
    chosen["W1"] = [(int(i), 0) for i in rows[:per_parameter]]
    return chosen


def from_the_first_half(params: Any, per_parameter: int, rng: np.random.Generator) -> Any:
    chosen = gc.sample_coordinates(params, per_parameter, rng)
    half = {"W1": params["W1"][: len(params["W1"]) // 2]}
    return chosen | gc.sample_coordinates(half, per_parameter, rng)


def one_of_two_samples(params: Any, per_parameter: int, rng: np.random.Generator) -> Any:
    return gc.sample_coordinates(params, per_parameter, np.random.default_rng(rng.integers(2)))


@pytest.mark.parametrize(
    "sample", [from_the_first_ten, first_column, from_the_first_half, one_of_two_samples]
)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_sample_from_a_corner_is_rejected(sample: Function, seed: int | None) -> None:
    assert not judged("sample_coordinates", sample, seed).passed


def test_a_right_sample_fails_less_than_once_in_a_billion_runs() -> None:
    k, draws = 11, 4
    (case, _) = sample_coordinates_cases(np.random.default_rng(0))
    shapes: dict[str, tuple[int, ...]] = case["shapes"]
    large = [shapes["W1"], shapes["V"]]
    assert case["per_parameter"] == k

    def missed(size: int, part: int) -> float:
        """How often none of `part` numbers of `size` is drawn, in all draws together."""
        return (math.comb(size - part, k) / math.comb(size, k)) ** draws

    def part(shape: tuple[int, ...], axis: int, count: int, i: int) -> int:
        """The size of the i-th of `count` equal parts of an axis."""
        length = shape[axis]
        return sum(count * j // length == i for j in range(length)) * math.prod(shape) // length

    few = [shape for shape in shapes.values() if k < math.prod(shape) < 100]
    never = sum(math.prod(s) * missed(math.prod(s), 1) ** few.count(s) for s in set(few))
    halves = sum(
        missed(math.prod(s), part(s, axis, 2, i)) for s in large for axis in (0, 1) for i in (0, 1)
    )
    quarters = sum(
        math.prod(missed(math.prod(s), part(s, axis, 4, i)) for s in large)
        for axis in (0, 1)
        for i in range(4)
    )
    size, (rows, columns) = math.prod(shapes["V"]), shapes["V"]
    apart = sum(
        (math.comb(n, k) * m**k / math.comb(size, k)) ** draws
        for n, m in ((rows, columns), (columns, rows))
    )
    # Evenly spaced, or drawn before: fewer than n² of a parameter's samples each.
    like_that = sum(2 * draws * math.prod(s) ** 2 / math.comb(math.prod(s), k) for s in large)
    assert never + halves + quarters + apart + like_that < 1e-9
    # Four of 600 coordinates, drawn twice, by `check_gradients`.
    assert 1 / math.comb(600, 4) < 1e-9


def test_right_samples_pass_whatever_the_seed() -> None:
    for seed in range(40):
        assert judged("sample_coordinates", gc.sample_coordinates, seed).passed


def checker(together: Function, *, count: int | None = None) -> Function:
    """A gradient checker that puts the errors of a parameter together in its own way."""

    def check_gradients(
        loss_and_grads: Any, params: Any, *, per_parameter: int, rng: Any, h: float = 1e-5
    ) -> Any:
        _, grads = loss_and_grads(params)
        errors: dict[str, Any] = {}
        for name, chosen in gc.sample_coordinates(params, count or per_parameter, rng).items():
            found = []
            for index in chosen:
                plus, minus = params[name].copy(), params[name].copy()
                plus[index] += h
                minus[index] -= h
                rise = loss_and_grads({**params, name: plus})[0]
                rise -= loss_and_grads({**params, name: minus})[0]
                found.append(gc.relative_error(grads[name][index], rise / (2 * h))[0])
            errors[name] = together(found)
        return errors

    return check_gradients


@pytest.mark.parametrize("seed", SEEDS)
def test_every_error_counts_once_in_a_check(seed: int | None) -> None:
    assert judged("check_gradients", checker(np.max), seed).passed
    for together in (np.median, lambda errors: errors[0], lambda errors: errors[-1]):
        assert not judged("check_gradients", checker(together), seed).passed
    assert not judged("check_gradients", checker(np.max, count=1), seed).passed


@pytest.mark.parametrize("seed", SEEDS)
def test_the_step_is_1e_5_when_h_is_left_out(seed: int | None) -> None:
    def another(loss_and_grads: Any, params: Any, *, h: float = 1e-3, **keywords: Any) -> Any:
        return gc.check_gradients(loss_and_grads, params, h=h, **keywords)

    assert not judged("check_gradients", another, seed).passed


@pytest.mark.parametrize("seed", SEEDS)
def test_a_running_maximum_from_zero_is_as_good(seed: int | None) -> None:
    assert judged("check_gradients", checker(lambda errors: max([0.0, *errors])), seed).passed


# ---- the hunt ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_every_threshold_between_rounding_and_the_bugs_finds_the_same(seed: int) -> None:
    (case,) = find_bugs_cases(np.random.default_rng(seed))
    for layer in case["layers"]:
        errors = gc.check_gradients(
            network({**case, **layer}),
            layer["params"],
            per_parameter=10_000 if layer["params"]["W"].size < 100 else 3,
            rng=np.random.default_rng(seed),
        )
        worst = np.max(list(errors.values()))
        if layer["bugs"]:
            assert not worst <= 1e-3
        else:
            assert worst < 1e-7


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("limit", [1e-4, 1e-5, 1e-6, 1e-7])
def test_no_absolute_threshold_finds_the_bugs(limit: float, seed: int | None) -> None:
    def absolute(layers: Any, rng: np.random.Generator) -> Any:
        found = set()
        for name, (loss_and_grads, params) in layers.items():
            _, grads = loss_and_grads(params)
            for key, chosen in gc.sample_coordinates(params, 5, rng).items():
                for index in chosen:
                    plus, minus = params[key].copy(), params[key].copy()
                    plus[index] += 1e-5
                    minus[index] -= 1e-5
                    rise = loss_and_grads({**params, key: plus})[0]
                    rise -= loss_and_grads({**params, key: minus})[0]
                    if not abs(rise / 2e-5 - grads[key][index]) <= limit:
                        found.add(name)
        return found

    assert not judged("find_bugs", absolute, seed).passed


@pytest.mark.parametrize("parameter", ["W", "b", "V"])
@pytest.mark.parametrize("seed", SEEDS)
def test_every_parameter_of_a_layer_must_be_checked(parameter: str, seed: int | None) -> None:
    def without(layers: Any, rng: np.random.Generator) -> Any:
        found = set()
        for name, (loss_and_grads, params) in layers.items():
            errors = gc.check_gradients(loss_and_grads, params, per_parameter=5, rng=rng)
            if not all(error <= 1e-4 for key, error in errors.items() if key != parameter):
                found.add(name)
        return found

    assert not judged("find_bugs", without, seed).passed


def test_names_may_come_in_any_container_that_holds_them() -> None:
    for container in (set, frozenset, list, tuple, lambda found: np.array(sorted(found))):
        verdict = judged("find_bugs", lambda layers, rng, c=container: c(gc.find_bugs(layers, rng)))
        assert verdict.passed


@pytest.mark.parametrize(
    "answer", [", ".join, dict.fromkeys, iter], ids=["a text", "a dictionary", "an iterator"]
)
def test_what_holds_no_names_is_refused_in_words(answer: Function) -> None:
    verdict = judged("find_bugs", lambda layers, rng: answer(gc.find_bugs(layers, rng)))
    assert not verdict.passed
    assert verdict.message.startswith("Return a set or list of names; it is ")
