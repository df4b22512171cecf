"""How much sooner a search on a local Dask cluster ends with a second worker.

The same search twice: same study, same seed, a folder of its own each; the clusters stand before
the clock starts, and each worker has trained one trial to have its modules loaded.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from descent.search import Search, run_cluster

Row = dict[str, Any]

SPACE = {"learning_rate": (1e-3, 1.0, "log"), "units": (60, 100, "log")}
NUM_TRIALS, NUM_EPOCHS, POLL = 16, 30, 0.05


def rows() -> list[Row]:
    """The row `search-two-workers`.

    `value` and `baseline` are seconds with two workers and with one, and `ratio` is one worker's
    time over two workers': 2 would be perfect, on a machine with two free cores.
    """
    one, two = _seconds(1), _seconds(2)
    what = f"search of {NUM_TRIALS} trials on digits, one worker's time / two workers'"
    return [
        {
            "id": "search-two-workers",
            "what": what,
            "value": round(two, 2),
            "unit": "s",
            "baseline": round(one, 2),
            "ratio": round(one / two, 2),
        }
    ]


def _seconds(workers: int) -> float:
    with tempfile.TemporaryDirectory() as folder, run_cluster(workers) as client:
        address = client.scheduler.address
        _search(Path(folder) / "warm", 2 * workers, 1).run(address, show=False, poll=POLL)
        timed = _search(Path(folder) / "timed", NUM_TRIALS, NUM_EPOCHS)
        start = time.perf_counter()
        trials = timed.run(address, show=False, poll=POLL)
        seconds = time.perf_counter() - start
    if not all(trial.ended and trial.status != "failed" for trial in trials):
        raise RuntimeError(f"a trial of the timed search failed: {trials[-1].error}")
    return seconds


def _search(folder: Path, num_trials: int, num_epochs: int) -> Search:
    settings = {"num_trials": num_trials, "num_epochs": num_epochs, "seed": 0}
    return Search.create(folder, SPACE, _prepare, **settings, give_up=False)


def _prepare(config: Mapping[str, Any], rng: np.random.Generator) -> dict[str, Any]:
    from descent.data import digits
    from descent.nets import Network

    data = digits(center=True)
    network = Network((data.num_features, config["units"], data.num_classes), rng)
    rate = config["learning_rate"]
    return {"network": network, "data": data, "learning_rate": rate, "batch_size": 10}
