"""The same objective handed to Optuna: random draws, TPE, successive halving and Hyperband.

All spend the same budget, counted in epochs, so that they can be compared honestly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from descent.nets import Run, train
from descent.search.folder import Trial
from descent.search.space import Range, check_space
from descent.search.worker import Prepare, best_score


def random_baseline(
    prepare: Prepare, space: Mapping[str, Any], *, budget: int, num_epochs: int, seed: int
) -> list[Trial]:
    """Random configurations, each trained for `num_epochs`, until `budget` epochs are spent."""
    import optuna

    sampler = optuna.samplers.RandomSampler(seed=seed)
    return _spend(prepare, space, budget, num_epochs, seed, sampler, optuna.pruners.NopPruner())


def bayesian_search(
    prepare: Prepare, space: Mapping[str, Any], *, budget: int, num_epochs: int, seed: int
) -> list[Trial]:
    """TPE (Bergstra et al. 2011) chooses each configuration by the scores of those before it."""
    import optuna

    sampler = optuna.samplers.TPESampler(seed=seed)
    return _spend(prepare, space, budget, num_epochs, seed, sampler, optuna.pruners.NopPruner())


def hyperband(
    prepare: Prepare,
    space: Mapping[str, Any],
    *,
    budget: int,
    num_epochs: int,
    seed: int,
    factor: int = 3,
    brackets: bool = True,
) -> list[Trial]:
    """Hyperband (Li et al. 2017) over random configurations; one bracket alone is halving.

    The pruners are Optuna's asynchronous ones: a trial is given up at a rung when it isn't among
    the best 1/`factor` that have reached it.
    """
    import optuna

    pruner: Any = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=factor)
    if brackets:
        pruner = optuna.pruners.HyperbandPruner(
            min_resource=1, max_resource=num_epochs, reduction_factor=factor
        )
    sampler = optuna.samplers.RandomSampler(seed=seed)
    return _spend(prepare, space, budget, num_epochs, seed, sampler, pruner)


def _spend(
    prepare: Prepare,
    space: Mapping[str, Any],
    budget: int,
    num_epochs: int,
    seed: int,
    sampler: Any,
    pruner: Any,
) -> list[Trial]:
    """Ask, train and tell until the budget is spent; the last trial is cut off by it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    checked = check_space(space)
    study = optuna.create_study(
        direction="maximize",
        sampler=sampler,
        pruner=pruner,
        study_name=f"seed {seed}",  # Hyperband deals trials into brackets by the study's name
    )
    trials: list[Trial] = []
    while budget > 0:
        asked = study.ask()
        trial = Trial(len(trials), _suggest(asked, checked), "running")
        trials.append(trial)
        try:
            _train(trial, prepare, asked, min(num_epochs, budget), seed)
        except Exception as error:
            trial.status, trial.error = "failed", f"{type(error).__name__}: {error}"[:500]
        # A trial that fails before its first epoch costs one all the same, or the search hangs.
        budget -= max(1, trial.epochs)
        if math.isnan(trial.score):
            study.tell(asked, state=optuna.trial.TrialState.FAIL)
        elif trial.status == "abandoned":
            study.tell(asked, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(asked, trial.score)
    return trials


def _train(trial: Trial, prepare: Prepare, asked: Any, num_epochs: int, seed: int) -> None:
    rng = np.random.default_rng([seed, trial.number])
    settings = dict(prepare(trial.config, rng))

    def after_epoch(run: Run) -> bool:
        trial.epochs = run.epoch
        accuracy = 100 * run.history.val_accuracy[-1]
        trial.curve.append(accuracy if math.isfinite(run.history.loss[-1]) else math.nan)
        trial.score = best_score(trial.curve)
        if math.isnan(trial.curve[-1]):
            trial.status = "abandoned"
        else:
            asked.report(accuracy, run.epoch)
            if run.epoch < num_epochs and asked.should_prune():
                trial.status = "abandoned"
        return trial.status == "abandoned"

    callbacks = [*settings.pop("callbacks", []), after_epoch]
    settings |= {"num_epochs": num_epochs, "rng": rng, "progress": False}
    train(**settings, callbacks=callbacks)
    if trial.status == "running":
        trial.status = "finished"


def _suggest(asked: Any, space: Mapping[str, Range | list[Any]]) -> dict[str, Any]:
    config: dict[str, Any] = {}
    for name, entry in space.items():
        if not isinstance(entry, Range):
            config[name] = asked.suggest_categorical(name, entry)
        elif entry.whole:
            low, high = int(entry.low), int(entry.high)
            config[name] = asked.suggest_int(name, low, high, log=entry.scale == "log")
        else:
            config[name] = asked.suggest_float(
                name, entry.low, entry.high, log=entry.scale == "log"
            )
    return config
