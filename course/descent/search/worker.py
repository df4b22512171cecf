"""What a worker does: train one trial, a checkpoint after every epoch, and say how it ended."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from descent.nets import Run, train
from descent.search.claims import ClaimError
from descent.search.folder import Study, Trial, trial_name
from descent.search.space import Config

Prepare = Callable[[Config, np.random.Generator], Mapping[str, Any]]
"""From a configuration and a generator to the arguments of `descent.nets.train`."""

STOP = "stop"


def run_trial(
    path: str | os.PathLike[str], number: int, prepare: Prepare, *, give_up: bool = True
) -> Trial:
    """Train a trial from where the folder says it stands; returns how it stands afterwards.

    A trial that ended already is left as it is. With `give_up`, one is abandoned when the loss of
    an epoch exceeds three times that of its very first batch, or isn't finite. Whatever `prepare`
    or the training raises makes a failed trial. Only what the disk refuses (OSError), and a claim
    that somebody else took over (ClaimError), is raised: nothing can be recorded then.
    """
    study = Study.open(path)
    with study.claim(trial_name(number)) as still_ours:
        known = study.ended().get(number)
        if known is not None:
            return known
        trial = Trial(number, study.config(number), "running")
        try:
            _train(study, trial, prepare, give_up, still_ours)
        except (OSError, ClaimError):
            raise
        except Exception as error:
            trial.status, trial.error = "failed", _said(error)
        if trial.ended:
            study.finish(trial)
        return trial


def work(
    path: str | os.PathLike[str], number: int, prepare: Prepare, *, give_up: bool = True
) -> Trial:
    """What a Dask worker is asked for: `run_trial`, with an error told and never raised.

    A trial whose error couldn't be recorded in the folder comes back failed, and the next `run`
    tries it again.
    """
    try:
        return run_trial(path, number, prepare, give_up=give_up)
    except Exception as error:
        return Trial(number, {}, "failed", error=_said(error))


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _train(
    study: Study, trial: Trial, prepare: Prepare, give_up: bool, still_ours: Callable[[], bool]
) -> None:
    resume = study.latest(trial.number)
    if resume is not None:
        # It may have been killed between its last checkpoint and the note of how it ended.
        _look(trial, resume.epoch, resume.history, study.num_epochs, give_up)
    if trial.ended or (study.path / STOP).exists():
        return
    rng = study.rng(trial.number)
    settings = dict(prepare(trial.config, rng))

    def after_epoch(run: Run) -> bool:
        if not still_ours():
            raise ClaimError(f"another worker took over trial {trial.number}")
        _look(trial, run.epoch, vars(run.history), study.num_epochs, give_up)
        study.save(trial.number, trial.curve[-1], run.checkpoint())
        return trial.ended or (study.path / STOP).exists()

    callbacks = [*settings.pop("callbacks", []), after_epoch]
    settings |= {"num_epochs": study.num_epochs, "rng": rng, "progress": False}
    train(**settings, callbacks=callbacks, resume=resume)


def _look(
    trial: Trial, epoch: int, history: Mapping[str, Any], num_epochs: int, give_up: bool
) -> None:
    """Write down in `trial` how it stands after `epoch` epochs."""
    losses, trial.epochs = history["loss"], epoch
    # Predictions of a network full of NaN are one class: their accuracy means nothing.
    trial.curve = [
        100 * accuracy if math.isfinite(loss) else math.nan
        for loss, accuracy in zip(losses, history["val_accuracy"], strict=True)
    ]
    trial.score = best_score(trial.curve)
    if give_up and _hopeless(history["batch_loss"][0], losses[-1]):
        trial.status = "abandoned"
    elif epoch >= num_epochs:
        trial.status = "finished"


def best_score(curve: list[float]) -> float:
    """The best of a curve, NaN aside; NaN when there is nothing else."""
    return max((score for score in curve if not math.isnan(score)), default=math.nan)


def _hopeless(first: float, latest: float) -> bool:
    return not math.isfinite(latest) or latest > 3 * first


def ask_to_stop(path: str | os.PathLike[str]) -> None:
    """Let every worker on this folder stop after the epoch it is in."""
    (Path(path) / STOP).touch()


def allow_again(path: str | os.PathLike[str]) -> None:
    """Take the request to stop back."""
    (Path(path) / STOP).unlink(missing_ok=True)
