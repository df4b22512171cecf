"""The shared folder through which workers and master speak: one study, its trials on disk.

    study.json                        what is searched: space, trials, epochs, seed
    trial007-epoch003-val87.25.npz    a checkpoint, its validation score in the name
    trial007.json                     how the trial ended
    trial007.claim-1                  who is at it now; touched while its worker lives

Everything is written under another name and renamed, so a reader never meets half a file; what
doesn't look like one of these is not ours and is left alone.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from descent.atomic import write_whole
from descent.nets import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from descent.search.claims import LEASE, claim, claimed
from descent.search.space import Config, Range, check_space, draw

_FORMAT = "descent search 1"
_CHECKPOINT = re.compile(r"trial(\d+)-epoch(\d+)-val(\d+\.\d+|nan)\.npz")
_RESULT = re.compile(r"trial(\d+)\.json")


class StudyError(ValueError):
    """The folder holds no study, or another one than was asked for."""


@dataclass(frozen=True)
class Checkpointed:
    """A checkpoint as its name tells it; `score` is the validation accuracy in per cent."""

    trial: int
    epoch: int
    score: float
    path: Path


@dataclass
class Trial:
    """How a trial stands: "waiting", "running", "finished", "abandoned" or "failed".

    `score` is the best validation accuracy in per cent so far (NaN while there is none), `epochs`
    how far it got, `curve` the validation accuracy after each epoch, `error` why it failed.
    """

    number: int
    config: Config
    status: str = "waiting"
    score: float = math.nan
    epochs: int = 0
    curve: list[float] = field(default_factory=list)
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do for it."""
        return self.status in ("finished", "abandoned", "failed")


@dataclass(frozen=True)
class Study:
    """A study in a folder: everything but the code that trains."""

    path: Path
    space: Mapping[str, Range | list[Any]]
    num_trials: int
    num_epochs: int
    seed: int

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        space: Mapping[str, Any],
        *,
        num_trials: int,
        num_epochs: int,
        seed: int,
    ) -> Study:
        """Make the folder, or open it when it already holds this very study.

        Raises SpaceError for a space that makes no sense, ValueError for numbers below 1, and
        StudyError when the folder holds a different study.
        """
        if num_trials < 1 or num_epochs < 1:
            raise ValueError("num_trials and num_epochs must be at least 1")
        made = cls(Path(path), check_space(space), num_trials, num_epochs, seed)
        made.path.mkdir(parents=True, exist_ok=True)
        if (made.path / "study.json").exists():
            found = cls.open(path)
            if found != made:
                raise StudyError(
                    f"{path} holds another study (other space, trials, epochs or seed). "
                    "Take another folder, or open this one as it is."
                )
            return found
        facts = {
            "format": _FORMAT,
            "space": {
                name: {"range": list(entry)} if isinstance(entry, Range) else {"choices": entry}
                for name, entry in made.space.items()
            },
            "num_trials": num_trials,
            "num_epochs": num_epochs,
            "seed": seed,
        }
        write_text(made.path / "study.json", json.dumps(facts, indent=1))
        return made

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Study:
        """Open a study from its folder alone. Raises StudyError when there is none."""
        try:
            facts = json.loads((Path(path) / "study.json").read_text(encoding="utf-8"))
            if facts["format"] != _FORMAT:
                raise ValueError(f"its format is {facts['format']!r}")
            space = {
                name: tuple(entry["range"]) if "range" in entry else entry["choices"]
                for name, entry in facts["space"].items()
            }
            numbers = [int(facts[key]) for key in ("num_trials", "num_epochs", "seed")]
            return cls(Path(path), check_space(space), *numbers)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StudyError(f"{path} holds no study: {error}") from error

    def config(self, number: int) -> Config:
        """The configuration of a trial: always the same for the same study."""
        return draw(self.space, np.random.default_rng([self.seed, number]))

    def rng(self, number: int) -> np.random.Generator:
        """The generator with which a trial starts."""
        return np.random.default_rng([self.seed, number, 1])

    # ---- checkpoints

    def checkpoints(self, number: int | None = None) -> list[Checkpointed]:
        """Every checkpoint (of one trial), by trial and epoch.

        Foreign files and damaged ones are passed over, whatever they are called.
        """
        found: dict[tuple[int, int], Checkpointed] = {}
        for path in self.path.iterdir():
            match = _CHECKPOINT.fullmatch(path.name)
            if match and int(match[1]) < self.num_trials and number in (None, int(match[1])):
                with contextlib.suppress(OSError):
                    facts = path.stat()
                    if _is_whole(path, facts.st_size, facts.st_mtime_ns):
                        one = Checkpointed(int(match[1]), int(match[2]), float(match[3]), path)
                        found[one.trial, one.epoch] = one
        return [found[key] for key in sorted(found)]

    def save(self, number: int, score: float, checkpoint: Checkpoint) -> Path:
        """Write a checkpoint of a trial under its name; see `descent.nets.save_checkpoint`."""
        shown = "nan" if math.isnan(score) else f"{score:.2f}"
        name = f"{trial_name(number)}-epoch{checkpoint.epoch:03d}-val{shown}.npz"
        notes = {**checkpoint.notes, "config": self.config(number)}
        return save_checkpoint(self.path / name, replace(checkpoint, notes=notes))

    def latest(self, number: int) -> Checkpoint | None:
        """The furthest checkpoint of a trial that can be read and is of its configuration."""
        for candidate in reversed(self.checkpoints(number)):
            with contextlib.suppress(CheckpointError, FileNotFoundError):
                checkpoint = load_checkpoint(candidate.path)
                if checkpoint.notes.get("config") == self.config(number):
                    return checkpoint
        return None

    def best(self, count: int = 1) -> list[Checkpointed]:
        """The best checkpoint of each of the `count` best trials, best first."""
        leaders: dict[int, Checkpointed] = {}
        for one in self.checkpoints():
            known = leaders.get(one.trial)
            if not math.isnan(one.score) and (known is None or one.score > known.score):
                leaders[one.trial] = one
        return sorted(leaders.values(), key=lambda c: c.score, reverse=True)[:count]

    # ---- results

    def finish(self, trial: Trial) -> None:
        """Record how a trial ended."""
        path = self.path / f"{trial_name(trial.number)}.json"
        write_text(path, json.dumps(asdict(trial), indent=1))

    def ended(self) -> dict[int, Trial]:
        """The trials that have ended; files that don't read as one are passed over."""
        found = {}
        for path in self.path.iterdir():
            match = _RESULT.fullmatch(path.name)
            if match:
                with contextlib.suppress(ValueError, TypeError, OSError):
                    trial = Trial(**json.loads(path.read_text(encoding="utf-8")))
                    if self._is_ours(trial, int(match[1])):
                        found[trial.number] = trial
        return found

    def _is_ours(self, trial: Trial, number: int) -> bool:
        numbers = [trial.score, trial.epochs, *trial.curve]
        return (
            number == trial.number < self.num_trials
            and trial.ended
            and trial.config == self.config(number)
            and all(isinstance(value, int | float) for value in numbers)
        )

    def trials(self) -> list[Trial]:
        """Every trial as the folder shows it, in their order."""
        ended, names = self.ended(), claimed(self.path)
        reached: dict[int, list[Checkpointed]] = {}
        for one in self.checkpoints():
            reached.setdefault(one.trial, []).append(one)
        return [
            ended.get(number)
            or self._under_way(number, reached.get(number, []), trial_name(number) in names)
            for number in range(self.num_trials)
        ]

    def _under_way(self, number: int, reached: list[Checkpointed], begun: bool) -> Trial:
        curve = [one.score for one in reached]
        return Trial(
            number,
            self.config(number),
            "running" if reached or begun else "waiting",
            max((score for score in curve if not math.isnan(score)), default=math.nan),
            reached[-1].epoch if reached else 0,
            curve,
        )

    # ---- claims

    def claim(
        self, name: str, *, lease: float = LEASE, wait: bool = True
    ) -> contextlib.AbstractContextManager[Callable[[], bool]]:
        """Hold the claim on "master" or on a trial's name; see `descent.search.claims.claim`."""
        return claim(self.path, name, lease=lease, wait=wait)


def trial_name(number: int) -> str:
    """How the files of a trial begin."""
    return f"trial{number:03d}"


@cache
def _is_whole(path: Path, size: int, changed: int) -> bool:
    """Whether a file is an archive to its end: its table of contents stands last.

    Remembered by size and time of change, for the master looks several times a second.
    """
    return zipfile.is_zipfile(path)


def write_text(path: Path, text: str) -> None:
    """Write a small file whole or not at all."""
    write_whole(path, lambda file: file.write(text.encode("utf-8")))
