"""The same work on a Dask cluster, which belongs to somebody else."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from descent_autograder.core.errors import WorkersFailed
from descent_autograder.core.text import told
from descent_autograder.grading.work import Done, Settings, Task, execute_here, warm_up_here


class DaskPool:
    """Runs submissions on a Dask cluster; a task that loses its worker is run on another."""

    def __init__(
        self, address: str, limits: Mapping[str, Any], unsafe: bool, retries: int = 3
    ) -> None:
        """Make a pool that isn't connected yet.

        Args:
            address: the scheduler's, as ``tcp://host:8786``.
            limits, unsafe: as for a local pool.
            retries: how often a task may lose its worker.
        """
        self._address = address
        self._sandbox = dict(limits), unsafe
        self._retries = retries
        self._client: Any = None
        self._warming: list[Any] = []

    def grow(self, waiting: int) -> None:
        """Connect, and let the cluster build sandboxes; its owner decides how many workers it has.

        Raises:
            WorkersFailed: when there is no scheduler at the address, or it has no workers.
        """
        if waiting:
            self._connect()
            self._warm_up(waiting)

    def _connect(self) -> None:
        if self._client is not None:
            return
        from distributed import Client

        try:
            self._client = Client(self._address, timeout=10, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise WorkersFailed(f"no Dask scheduler answers at {self._address}: {error}") from error
        if not self._client.scheduler_info(n_workers=-1)["workers"]:
            raise WorkersFailed(f"the Dask scheduler at {self._address} has no workers")

    def _warm_up(self, waiting: int) -> None:
        """Ask as many threads as there are submissions for a sandbox, before they get any.

        Nobody waits for the answers: what fails will fail, and be told, in a task.
        """
        threads = self._client.nthreads().items()
        places = [address for address, number in threads for _ in range(number)]
        for place in places[len(self._warming) : waiting]:
            asked = self._client.submit(
                warm_up_here, *self._sandbox, workers=[place], key=f"descent-{os.urandom(8).hex()}"
            )
            self._warming.append(asked)

    def run(self, settings: Settings, tasks: Iterable[Task]) -> Iterator[tuple[str, Done | str]]:
        """Yield each student with what came of the task, or with why nothing did."""
        from distributed import as_completed

        source = iter(tasks)
        shared = self._client.scatter(settings, broadcast=True, hash=False)
        window = 2 * sum(self._client.nthreads().values()) + 2
        pending: dict[Any, str] = {}
        done = as_completed(loop=self._client.loop)
        for task in itertools.islice(source, window):
            self._submit(task, shared, pending, done)
        for future in done:
            student = pending.pop(future)
            yield student, _outcome(future)
            future.release()
            for task in itertools.islice(source, 1):
                self._submit(task, shared, pending, done)

    def close(self) -> None:
        """Leave the cluster; it belongs to somebody else."""
        if self._client is not None:
            self._client.close()

    def _submit(self, task: Task, settings: Any, pending: dict[Any, str], done: Any) -> None:
        future = self._client.submit(
            execute_here,
            task,
            settings,
            pure=False,
            retries=self._retries,
            key=f"descent-{task.student}-{os.urandom(8).hex()}",
        )
        pending[future] = task.student
        done.add(future)


def _outcome(future: Any) -> Done | str:
    try:
        result = future.result()
    except Exception as error:
        return f"the cluster couldn't run it ({told(error)})"
    return result if isinstance(result, Done) else "the cluster returned something else"
