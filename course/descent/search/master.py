"""The master: it starts the workers on Dask, watches the folder, stops and resumes."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from descent.search.claims import ClaimError
from descent.search.folder import Study, StudyError, Trial
from descent.search.progress import Board
from descent.search.space import Range, position
from descent.search.worker import Prepare, allow_again, ask_to_stop, work

NEAR = 0.1
"""Share of a range that counts as its border."""


PATIENCE = 60.0
"""Seconds that an interrupted master grants its workers to finish their epochs."""


@contextlib.contextmanager
def run_cluster(workers: int = 2) -> Iterator[Any]:
    """A Dask cluster of worker processes on this machine, as a client, while the block runs.

    It listens on this machine alone. Raises ValueError for fewer than one worker.
    """
    from dask.distributed import Client, LocalCluster

    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    cluster = LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        # Its remarks on workers that come and go would fill the notebook; the table says it.
        silence_logs=logging.CRITICAL,
    )
    with cluster, Client(cluster) as client:
        yield client


@contextlib.contextmanager
def connect(address: str, *, timeout: float = 30.0) -> Iterator[Any]:
    """A client of the Dask cluster at `address`, once it has a worker, while the block runs.

    Raises ConnectionError when nobody answers there, or no worker comes within `timeout` seconds.
    """
    from dask.distributed import Client

    try:
        client = Client(address, timeout=timeout)
    except (OSError, ValueError) as error:
        raise ConnectionError(f"no Dask scheduler answers at {address}: {error}") from error
    with client:
        try:
            client.wait_for_workers(1, timeout=timeout)
        except TimeoutError as error:
            raise ConnectionError(f"the cluster at {address} has no workers") from error
        yield client


class Search:
    """A study and the code that trains its trials; the folder remembers everything else.

    Make one with `create`, or pick up a folder with `open`; `run` works until every trial has
    ended and may be interrupted and called again, in this process or another.
    """

    def __init__(self, study: Study, prepare: Prepare, *, give_up: bool = True) -> None:
        self.study = study
        self.prepare = prepare
        self.give_up = give_up
        self._lost: dict[int, Trial] = {}

    @classmethod
    def create(
        cls,
        folder: str | os.PathLike[str],
        space: Mapping[str, Any],
        prepare: Prepare,
        *,
        num_trials: int,
        num_epochs: int,
        seed: int,
        give_up: bool = True,
    ) -> Search:
        """A search in `folder`, new or the same as before; see `Study.create`.

        `prepare(config, rng)` returns the arguments of `descent.nets.train` for a configuration:
        network, data, learning rate and so on. It runs in the workers.
        """
        study = Study.create(folder, space, num_trials=num_trials, num_epochs=num_epochs, seed=seed)
        return cls(study, prepare, give_up=give_up)

    @classmethod
    def open(
        cls, folder: str | os.PathLike[str], prepare: Prepare, *, give_up: bool = True
    ) -> Search:
        """Pick up the search in `folder`: trials that have ended stay, the others go on."""
        return cls(Study.open(folder), prepare, give_up=give_up)

    def run(
        self,
        address: str | None = None,
        *,
        workers: int = 2,
        show: bool = True,
        poll: float = 0.25,
    ) -> list[Trial]:
        """Work until every trial has ended; returns them ranked.

        Without `address` a cluster of `workers` processes is made on this machine; with one, the
        cluster at that address is used, whose workers must see the folder under the same path.
        Progress is shown every `poll` seconds where something changed. An interrupt lets every
        worker finish the epoch it is in; a second one stops them at once.

        Raises StudyError while another master is at this folder, and ConnectionError when there
        is no cluster at `address`. A trial whose end couldn't be recorded (its disk was full, its
        worker died again and again) is shown as failed, and the next `run` goes on with it.
        """
        board = Board(enabled=show)
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(self.study.claim("master", wait=False))
            except ClaimError as error:
                raise StudyError(
                    f"{error}. Stop that search, or wait until it has ended; {self.study.path} "
                    "can have one master at a time."
                ) from error
            allow_again(self.study.path)
            self._lost.clear()
            if not all(trial.ended for trial in self.study.trials()):
                cluster = run_cluster(workers) if address is None else connect(address)
                self._watch(stack.enter_context(cluster), board, poll)
        board.show(self.ranked(), None)
        return self.ranked()

    def stop(self) -> None:
        """Let every worker stop after its epoch; a later `run` goes on from there."""
        ask_to_stop(self.study.path)

    def trials(self) -> list[Trial]:
        """Every trial as it stands, by number."""
        return [
            trial if trial.ended else self._lost.get(trial.number, trial)
            for trial in self.study.trials()
        ]

    def ranked(self) -> list[Trial]:
        """Every trial, best first; those without a score last."""
        return ranked(self.trials())

    def warnings(self, near: float = NEAR) -> list[str]:
        """A sentence for each hyper-parameter whose best value stands at the border."""
        scored = [t for t in self.ranked() if t.score == t.score]
        return border_warnings(scored[0], self.study.space, near) if scored else []

    def _start(self, client: Any) -> dict[int, Any]:
        """One future for each trial that hasn't ended, by number."""
        path = Path(self.study.path).resolve()
        return {
            trial.number: client.submit(
                work, path, trial.number, self.prepare, give_up=self.give_up, pure=False
            )
            for trial in self.study.trials()
            if not trial.ended
        }

    def _watch(self, client: Any, board: Board, poll: float) -> None:
        futures = self._start(client)
        link = watching_link(client)
        try:
            while not all(future.done() for future in futures.values()):
                board.show(self.ranked(), link)
                time.sleep(poll)
        except BaseException:
            # Whoever has not begun sees the request too, so nothing needs to be cancelled.
            self.stop()
            board.stopping(self.ranked(), link)
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and not all(f.done() for f in futures.values()):
                time.sleep(poll)
            board.show(self.ranked(), None)
            raise
        for number, future in futures.items():
            trial = self._returned(number, future)
            if trial.status == "failed":
                self._lost[number] = trial

    def _returned(self, number: int, future: Any) -> Trial:
        config = self.study.config(number)
        if future.status == "finished":
            trial: Trial = future.result()
            return replace(trial, config=config)
        why = future.exception() if future.status == "error" else "the cluster has lost it"
        said = f"{type(why).__name__}: {why}" if isinstance(why, Exception) else str(why)
        return Trial(number, config, "failed", error=said[:500])


def watching_link(client: Any) -> str | None:
    """Where a browser can watch the cluster: Dask's dashboard, or its plain pages without Bokeh."""
    link = client.dashboard_link
    if link and importlib.util.find_spec("bokeh") is None:
        return str(link).replace("/status", "/info/main/workers.html")
    return str(link) if link else None


def ranked(trials: list[Trial]) -> list[Trial]:
    """Trials best first; those without a score last, failed ones at the very end."""

    def place(trial: Trial) -> tuple[bool, bool, float]:
        unscored = math.isnan(trial.score)
        return trial.status == "failed", unscored, 0.0 if unscored else -trial.score

    return sorted(trials, key=place)


def border_warnings(
    best: Trial, space: Mapping[str, Range | list[Any]], near: float = NEAR
) -> list[str]:
    """What to say of a best trial that stands at an end of a range."""
    sentences = []
    for name, entry in space.items():
        if isinstance(entry, Range):
            share = position(entry, best.config[name])
            if not near < share < 1 - near:
                side = "low" if share < 0.5 else "high"
                sentences.append(
                    f"{name} = {best.config[name]:.3g} is the best value and stands at the {side} "
                    f"end of {entry.low:g} to {entry.high:g}: search further out."
                )
    return sentences
