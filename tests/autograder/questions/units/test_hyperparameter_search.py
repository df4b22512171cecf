"""What is special about the questions of unit 9: laws of chance, folders, and lists of trials."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from descent.judging import Verdict
from descent.questions import judge
from descent.questions.hyperparameter_search import (
    LARGEST_GAP,
    MIXED_EXAMPLES,
    MIXED_FOLDS,
    MIXED_WITHIN,
)
from descent_autograder.questions.catalogue import exam
from descent_solutions import hyperparameter_search as h
from scipy.stats import binom, kstwo

SEEDS = (5, 6)


def verdicts(question: str, answer: Callable[..., Any]) -> list[Verdict]:
    return [judge(question, [answer], exam(question, seed)) for seed in SEEDS]


def wrong(verdict: Verdict) -> set[str]:
    return {seen.name for seen in verdict.observations if not seen.passed}


def test_a_right_answer_hardly_ever_has_bad_luck() -> None:
    assert kstwo.sf(LARGEST_GAP, 20_000) < 1e-9
    pairs, share = MIXED_EXAMPLES - MIXED_FOLDS, 1 / MIXED_FOLDS
    above = binom.sf(pairs * (share + MIXED_WITHIN) - 1, pairs, share)
    below = binom.cdf(pairs * (share - MIXED_WITHIN), pairs, share)
    # Of the neighbours and of those a deal apart.
    assert 2 * (above + below) < 1e-9


def mantissa_and_decade(low: float, high: float, rng: Any, size: Any = None) -> Any:
    decades = rng.integers(round(math.log10(low)), round(math.log10(high)), size)
    return np.clip(rng.uniform(1, 10, size) * 10.0**decades, low, high)


def bell(low: float, high: float, rng: Any, size: Any = None) -> Any:
    a, b = math.log(low), math.log(high)
    return np.exp(np.clip(rng.normal((a + b) / 2, (b - a) / 4, size), a, b))


@pytest.mark.parametrize("answer", [mantissa_and_decade, bell])
def test_a_law_that_is_nearly_right_is_wrong_on_every_seed(answer: Any) -> None:
    for verdict in verdicts("log_uniform", answer):
        assert "spread evenly over the logarithm" in wrong(verdict)


def test_a_million_possible_numbers_are_as_good_as_any() -> None:
    def fine(low: float, high: float, rng: Any, size: Any = None) -> Any:
        return low * (high / low) ** (rng.integers(0, 10**6, size) / 1e6)

    assert all(v.passed for v in verdicts("log_uniform", fine))


def in_turn(num_examples: int, num_folds: int, rng: Any) -> Any:
    return cut([np.arange(num_examples)[i::num_folds] for i in range(num_folds)])


def in_turn_then_shuffled(num_examples: int, num_folds: int, rng: Any) -> Any:
    folds = [rng.permutation(np.arange(num_examples)[i::num_folds]) for i in range(num_folds)]
    return cut(folds)


def within_blocks(num_examples: int, num_folds: int, rng: Any) -> Any:
    blocks = np.array_split(np.arange(num_examples), num_folds)
    return cut([rng.permutation(block) for block in blocks])


def cut(folds: Any) -> Any:
    return [(np.hstack(folds[:i] + folds[i + 1 :]), fold) for i, fold in enumerate(folds)]


@pytest.mark.parametrize(
    ("answer", "mistake"),
    [
        (in_turn, "not-shuffled"),
        (in_turn_then_shuffled, "shuffled-within"),
        (within_blocks, "shuffled-within"),
    ],
)
def test_folds_that_are_not_cut_from_a_shuffle_are_named(answer: Any, mistake: str) -> None:
    for verdict in verdicts("k_folds", answer):
        assert [m.id for m in verdict.mistakes] == [mistake]


def test_generators_are_told_so() -> None:
    def folds(*given: Any) -> Any:
        yield from h.k_folds(*given)

    def trials(*given: Any) -> Any:
        yield from h.random_search(*given)

    for verdict in verdicts("k_folds", folds):
        assert verdict.message == "Return a list of pairs; this is a generator (it has `yield`)."
    for verdict in verdicts("random_search", trials):
        assert "Return a list of trials; this is a generator" in verdict.message


class Trial:
    """What a student might keep a trial in."""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda trials: trials[0], "Return a list of trials; it is {config:"),
        (lambda trials: [(t["config"], t["score"]) for t in trials], "Each trial should be a dict"),
        (lambda trials: [Trial() for _ in trials], "it is an object of type Trial"),
        (lambda trials: [t | {"score": None} for t in trials], "a number; it is None"),
        (lambda trials: [t | {"config": "c3"} for t in trials], "Each config should be a dict"),
    ],
)
def test_trials_of_another_form_are_described(changed: Any, said: str) -> None:
    for verdict in verdicts("random_search", lambda *given: changed(h.random_search(*given))):
        assert said in verdict.message
    for verdict in verdicts(
        "successive_halving", lambda *given, **named: changed(h.successive_halving(*given, **named))
    ):
        assert said in verdict.message


def test_a_sort_that_compares_dictionaries_fails_where_scores_are_equal() -> None:
    def by_tuples(objective: Any, space: Any, num_trials: int, rng: Any) -> Any:
        trials = h.random_search(objective, space, num_trials, rng)
        pairs = [(t["score"], t["config"]) for t in trials if not math.isnan(t["score"])]
        done = [{"config": config, "score": score} for score, config in sorted(pairs, reverse=True)]
        return done + trials[len(done) :]

    for verdict in verdicts("random_search", by_tuples):
        assert "'<' not supported between instances of 'dict' and 'dict'" in verdict.message


def test_zero_is_a_score_like_any_other() -> None:
    def zero_fails(objective: Any, *given: Any) -> Any:
        return h.random_search(lambda config: objective(config) or math.nan, *given)

    for verdict in verdicts("random_search", zero_fails):
        assert wrong(verdict) == {"only those fail that raise or score NaN"}


def test_an_error_of_the_students_own_is_not_taken_for_the_objectives() -> None:
    def clumsy(objective: Any, space: Any, num_trials: int, rng: Any) -> Any:
        raise ValueError("high - low < 0")

    for verdict in verdicts("random_search", clumsy):
        assert verdict.mistakes == []
        assert "high - low < 0" in verdict.message


def by_index(train: Any, configs: Any, *, min_epochs: int, factor: int) -> Any:
    """Looks a configuration up by itself, so that equal ones are one."""
    by_text = {str(config): config for config in configs}
    return h.successive_halving(train, list(by_text.values()), min_epochs=min_epochs, factor=factor)


def test_equal_configurations_are_two() -> None:
    for verdict in verdicts("successive_halving", by_index):
        assert "number of trials" in wrong(verdict)


def test_a_path_has_to_be_one() -> None:
    def entry(folder: str) -> Any:
        best = h.best_checkpoint(folder)
        return next(e for e in os.scandir(folder) if e.name == best.name)

    def pair(folder: str) -> Any:
        return 88.4, h.best_checkpoint(folder)

    for verdict in verdicts("best_checkpoint", entry):
        assert "a string or a Path. It is an object of type DirEntry" in verdict.message
    for verdict in verdicts("best_checkpoint", pair):
        assert "a string or a Path. It is [88.4, an object of type PosixPath]" in verdict.message


def test_a_path_elsewhere_is_none_into_the_folder() -> None:
    answers: list[Callable[[str], Any]] = [
        lambda folder: "./" + h.best_checkpoint(folder).name,
        lambda folder: Path(folder).parent / h.best_checkpoint(folder).name,
    ]
    for answer in answers:
        assert all(
            wrong(v) == {"a path into the folder"} for v in verdicts("best_checkpoint", answer)
        )
    assert all(
        v.passed for v in verdicts("best_checkpoint", lambda f: h.best_checkpoint(f).resolve())
    )


def test_an_error_of_ones_own_kind_will_do() -> None:
    class NoCheckpointError(FileNotFoundError):
        pass

    def own_kind(folder: str) -> Any:
        try:
            return h.best_checkpoint(folder)
        except FileNotFoundError as error:
            raise NoCheckpointError from error

    assert all(v.passed for v in verdicts("best_checkpoint", own_kind))


@pytest.mark.parametrize("score", [0.0, -math.inf])
def test_the_grader_itself_draws_no_warning(score: float) -> None:
    def constant(objective: Any, space: Any, num_trials: int, rng: Any) -> Any:
        config = {name: low for name, (low, _, _) in space.items()}
        return [{"config": config, "score": score} for _ in range(num_trials)]

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not any(v.passed for v in verdicts("random_search", constant))
        assert not any(v.passed for v in verdicts("log_uniform", lambda low, *_: np.array([-low])))
