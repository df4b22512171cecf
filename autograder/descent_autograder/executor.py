"""Who does the work: local worker processes, or a Dask cluster. Both call `execution`.

A local worker is a process started by exec that reads tasks from a socket and writes results to
it. It holds one warm sandbox. When it dies, or overstays its time, its task is given to a new one
once more; a task that costs two workers is reported as failed, and the others go on.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from descent_autograder.execution import Done, Settings, Task, execute, execute_here, start_worker
from descent_autograder.intake import told

_ATTEMPTS = 2
_AHEAD = 2
_STARTS = 3
_START_SECONDS = 180.0


class WorkersFailed(RuntimeError):
    """No worker could be started; the message says why."""


class Pool(Protocol):
    """Anything that runs submissions, in whatever order they are done."""

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[str, Done | str]]:
        """Yield each student with what came of the task, or with why nothing did."""
        ...

    def close(self) -> None:
        """Stop all workers."""
        ...


# --- local worker processes ----------------------------------------------------------------------


@dataclass
class _LocalWorker:
    """One worker process and the tasks that it has in hand, the one it works on first.

    A worker that has reported a failure of the grader itself ends by itself (`is_leaving`).
    """

    process: subprocess.Popen[bytes]
    channel: Connection
    tasks: deque[Task] = field(default_factory=deque)
    since: float = field(default_factory=time.monotonic)
    ready: bool = False
    is_leaving: bool = False

    def stop(self) -> None:
        self.channel.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()


class LocalPool:
    """Worker processes on this machine, each pinned to a core of its own."""

    def __init__(self, settings: Settings, jobs: int, patience: float) -> None:
        """Start the workers, which get ready while the first submissions are prepared.

        Args:
            settings: what all submissions have in common.
            jobs: how many workers.
            patience: seconds that one submission may take before its worker is given up.

        Raises:
            WorkersFailed: when a worker can't be started.
        """
        self._settings = settings
        self._patience = patience
        self._workers: list[_LocalWorker] = []
        self._stillborn = 0
        try:
            for number in range(max(1, jobs)):
                self._workers.append(self._start(number))
        except BaseException:
            self.close()
            raise

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[str, Done | str]]:
        """Yield each student with what came of the task, or with why nothing did.

        Raises:
            WorkersFailed: when a worker can't be started, for instance for want of a wall.
        """
        source = iter(tasks)
        again: deque[Task] = deque()
        attempts: Counter[str] = Counter()
        while True:
            self._hand_out(source, again)
            if not any(worker.tasks for worker in self._workers):
                return
            for task, outcome in self._collect():
                attempts[task.student] += outcome is None
                if outcome is not None:
                    yield task.student, outcome
                elif attempts[task.student] < _ATTEMPTS:
                    again.append(task)
                else:
                    yield task.student, "the process that ran it ended or overran its time, twice"

    def close(self) -> None:
        """Stop all workers."""
        while self._workers:
            self._workers.pop().stop()

    def _hand_out(self, source: Iterator[Task], again: deque[Task]) -> None:
        """Give every worker a task to work on and one more to go on with."""
        for depth in range(1, _AHEAD + 1):
            for worker in self._workers:
                if len(worker.tasks) >= depth:
                    continue
                task = again.popleft() if again else next(source, None)
                if task is None:
                    return
                if not worker.tasks:
                    worker.since = time.monotonic()
                worker.tasks.append(task)
                try:
                    worker.channel.send(task)
                except OSError:
                    worker.process.kill()

    def _start(self, number: int) -> _LocalWorker:
        ours, theirs = socket.socketpair()
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        worker = _LocalWorker(process, Connection(ours.detach()))
        try:
            worker.channel.send((self._settings, cores[number % len(cores)], os.getpid()))
        except OSError as error:
            worker.stop()
            raise WorkersFailed(f"a worker process ended at its start: {error}") from error
        return worker

    def _collect(self) -> Iterator[tuple[Task, Done | str | None]]:
        """Wait for news; yield finished tasks, with None for those whose worker was lost."""
        by_channel = {worker.channel.fileno(): worker for worker in self._workers}
        for channel in wait([worker.channel for worker in self._workers], timeout=0.5):
            worker = by_channel[channel.fileno()]  # type: ignore[union-attr]
            try:
                message = worker.channel.recv()
            except (EOFError, OSError):
                yield from self._lost(worker)
                continue
            if message is None:
                worker.ready = True
                worker.since = time.monotonic()
            elif not worker.ready:
                raise WorkersFailed(str(message))
            else:
                worker.since = time.monotonic()
                worker.is_leaving = isinstance(message, str)
                yield worker.tasks.popleft(), message
        now = time.monotonic()
        for worker in self._workers:
            limit = self._patience if worker.ready else _START_SECONDS
            if (worker.tasks or not worker.ready) and now - worker.since > limit:
                worker.process.kill()

    def _lost(self, worker: _LocalWorker) -> Iterator[tuple[Task, None]]:
        """Replace a worker that has ended; only the task that it worked on is to blame.

        One that was leaving has told which task that was; it has begun none of the others.
        """
        number = self._workers.index(worker)
        worker.stop()
        if not worker.ready:
            self._stillborn += 1
            if self._stillborn >= _STARTS:
                raise WorkersFailed("worker processes end before they are ready")
        is_at_work = worker.ready and not worker.is_leaving
        blamed = worker.tasks.popleft() if is_at_work and worker.tasks else None
        fresh = self._workers[number] = self._start(number)
        for task in worker.tasks:
            fresh.tasks.append(task)
            with contextlib.suppress(OSError):
                fresh.channel.send(task)
        if blamed is not None:
            yield blamed, None


def _serve(channel: Connection) -> None:
    """Run what comes down the channel, until it closes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings, cpu, parent = channel.recv()
    _die_with(parent)
    try:
        worker = start_worker(settings, cpu)
    except Exception as error:
        channel.send(str(error) or type(error).__name__)
        return
    try:
        channel.send(None)
        for task in _read_ahead(channel):
            try:
                done: Done | str = execute(task, settings, worker)
            except Exception as error:
                channel.send(f"the grader itself failed: {_where(error)}")
                return
            channel.send(done)
    except BrokenPipeError:
        return
    finally:
        worker.close()


def _read_ahead(channel: Connection) -> Iterator[Task]:
    """Yield tasks; a thread reads them, so that the other side never waits to send one."""
    tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()

    def read() -> None:
        while True:
            try:
                tasks.put(channel.recv())
            except (EOFError, OSError):
                tasks.put(None)
                return

    threading.Thread(target=read, daemon=True).start()
    while (task := tasks.get()) is not None:
        yield task


def _where(error: Exception) -> str:
    """An error with the place in our code where it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "descent_autograder" in frame.filename] or frames
    place = f" ({os.path.basename(ours[-1].filename)}:{ours[-1].lineno})" if ours else ""
    return told(error) + place


def _die_with(parent: int) -> None:
    """Ask Linux to end this process when `parent` ends, however it ends."""
    if sys.platform != "linux":
        return
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


# --- a Dask cluster ------------------------------------------------------------------------------


class DaskPool:
    """The same work on a Dask cluster; a task that loses its worker is run on another."""

    def __init__(self, settings: Settings, address: str, retries: int = 3) -> None:
        """Connect to the scheduler.

        Args:
            settings: what all submissions have in common.
            address: the scheduler's, as ``tcp://host:8786``.
            retries: how often a task may lose its worker.

        Raises:
            WorkersFailed: when there is no scheduler at `address`, or it has no workers.
        """
        from distributed import Client

        self._settings = settings
        self._retries = retries
        try:
            self._client = Client(address, timeout=10, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise WorkersFailed(f"no Dask scheduler answers at {address}: {error}") from error
        if not self._client.scheduler_info(n_workers=-1)["workers"]:
            self._client.close()
            raise WorkersFailed(f"the Dask scheduler at {address} has no workers")

    def run(self, tasks: Iterable[Task]) -> Iterator[tuple[str, Done | str]]:
        """Yield each student with what came of the task, or with why nothing did."""
        from distributed import as_completed

        source = iter(tasks)
        settings = self._client.scatter(self._settings, broadcast=True, hash=False)
        window = 2 * sum(self._client.nthreads().values()) + 2
        pending: dict[Any, str] = {}
        done = as_completed(loop=self._client.loop)
        for task in itertools.islice(source, window):
            self._submit(task, settings, pending, done)
        for future in done:
            student = pending.pop(future)
            yield student, _outcome(future)
            future.release()
            for task in itertools.islice(source, 1):
                self._submit(task, settings, pending, done)

    def close(self) -> None:
        """Leave the cluster; it belongs to somebody else."""
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


if __name__ == "__main__":
    # Import the module by its own name, so that what is pickled on both sides is the same class.
    from descent_autograder.executor import _serve as serve

    serve(Connection(int(sys.argv[1])))
