"""Who does the work: local worker processes, or a Dask cluster. Both call `execution`.

A local worker is a process started by exec that reads tasks from a socket and writes results to
it. It holds one warm sandbox, which it builds before it is told what to do, so that workers can be
started while the class is still being read. When it dies, or overstays its time, its task is given
to a new one once more; a task that costs two workers is reported as failed, and the others go on.
"""

from __future__ import annotations

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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from descent_autograder.grading.work import (
    Done,
    Settings,
    Task,
    execute,
    execute_here,
    start_sandbox,
    warm_up_here,
)
from descent_autograder.intake import told

_ATTEMPTS = 2
_AHEAD = 2
_STARTS = 3
_START_SECONDS = 180.0
_LEAST_PATIENCE = 60.0


class WorkersFailed(RuntimeError):
    """No worker could be started; the message says why."""


class Pool(Protocol):
    """Anything that runs submissions, in whatever order they are done."""

    def grow(self, waiting: int) -> None:
        """Have at least as many workers getting ready as so many submissions can use."""
        ...

    def run(self, settings: Settings, tasks: Iterable[Task]) -> Iterator[tuple[str, Done | str]]:
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

    def send(self, message: Settings | Task) -> None:
        """Send a message; a worker that can't be reached is ended, and so will be replaced."""
        try:
            self.channel.send(message)
        except OSError:
            self.process.kill()

    def dismiss(self) -> None:
        """Tell the worker to end, once, without waiting until it has."""
        if self.channel.closed:
            return
        self.channel.close()
        # One that waits for a task sees that nothing more will come, and tidies up undisturbed.
        is_waiting = self.ready and not self.tasks
        if not is_waiting and self.process.poll() is None:
            self.process.terminate()

    def stop(self) -> None:
        """End the worker."""
        self.dismiss()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()


class _Stock:
    """The next tasks, got ready ahead of their need."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._source = iter(tasks)
        self._ready: deque[Task] = deque()

    def fill(self, size: int) -> bool:
        """Have `size` tasks ready; return False when there aren't as many."""
        while len(self._ready) < size:
            task = next(self._source, None)
            if task is None:
                return False
            self._ready.append(task)
        return True

    def take(self) -> Task | None:
        """The next task, or None after the last."""
        return self._ready.popleft() if self.fill(1) else None

    def put_back(self, task: Task) -> None:
        """Give a task out once more, before all others."""
        self._ready.appendleft(task)


class LocalPool:
    """Worker processes on this machine, each pinned to a core of its own."""

    def __init__(
        self,
        limits: Mapping[str, Any],
        unsafe: bool,
        jobs: int = 0,
        patience: float | None = None,
    ) -> None:
        """Make a pool without workers.

        Args:
            limits: overrides of the sandbox's limits, by name.
            unsafe: run student code without a sandbox where none can be built.
            jobs: at most so many workers; 0 means one a core.
            patience: seconds that one submission may take before its worker is given up; by
                default what the limits allow, and some more.
        """
        self._limits = limits
        self._unsafe = unsafe
        self._jobs = jobs or len(os.sched_getaffinity(0))
        self._patience = patience
        self._settings: Settings | None = None
        self._workers: list[_LocalWorker] = []
        self._leaving: list[_LocalWorker] = []
        self._stillborn = 0

    def grow(self, waiting: int) -> None:
        """Start workers for `waiting` submissions; they get ready while the caller goes on.

        Raises:
            WorkersFailed: when a worker can't be started.
        """
        for number in range(len(self._workers), min(self._jobs, waiting)):
            self._workers.append(self._start(number))

    def run(self, settings: Settings, tasks: Iterable[Task]) -> Iterator[tuple[str, Done | str]]:
        """Yield each student with what came of the task, or with why nothing did.

        Args:
            settings: what all tasks have in common.
            tasks: read a few tasks ahead of their need.

        Raises:
            WorkersFailed: when a worker can't be started, for instance for want of a wall.
        """
        self._settings = settings
        for worker in self._workers:
            worker.send(settings)
        stock = _Stock(tasks)
        attempts: Counter[str] = Counter()
        while True:
            self._hand_out(stock)
            if not any(worker.tasks for worker in self._workers):
                return
            found: list[tuple[str, Done | str]] = []
            for task, outcome in self._collect():
                attempts[task.student] += outcome is None
                if outcome is not None:
                    found.append((task.student, outcome))
                elif attempts[task.student] < _ATTEMPTS:
                    stock.put_back(task)
                else:
                    why = "the process that ran it ended or overran its time, twice"
                    found.append((task.student, why))
            # First of all, nobody shall wait for what the caller does with the results.
            self._hand_out(stock)
            yield from found

    def close(self) -> None:
        """Stop all workers, all at the same time."""
        for worker in self._workers:
            worker.dismiss()
        workers = self._leaving + self._workers
        self._leaving, self._workers = [], []
        for worker in workers:
            worker.stop()

    def _hand_out(self, stock: _Stock) -> None:
        """Give every worker a task to work on and one more to go on with.

        The last few go to whoever is free first, so that all end at about the same time.
        """
        enough = 2 * len(self._workers)
        for depth in range(1, _AHEAD + 1):
            for worker in self._workers:
                if len(worker.tasks) >= depth:
                    continue
                task = stock.take() if depth == 1 or stock.fill(enough) else None
                if task is None:
                    return self._dismiss_idle(stock)
                if not worker.tasks:
                    worker.since = time.monotonic()
                worker.tasks.append(task)
                worker.send(task)
        return None

    def _dismiss_idle(self, stock: _Stock) -> None:
        """Let those who have nothing more to do end while the others still work."""
        if stock.fill(1):
            return
        for worker in self._workers:
            if not worker.tasks:
                worker.dismiss()
                self._leaving.append(worker)
        self._workers = [worker for worker in self._workers if worker.tasks]

    def _start(self, number: int) -> _LocalWorker:
        ours, theirs = socket.socketpair()
        cores = sorted(os.sched_getaffinity(0))
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        worker = _LocalWorker(process, Connection(ours.detach()))
        try:
            core = cores[number % len(cores)]
            worker.channel.send((self._limits, self._unsafe, core, os.getpid()))
        except OSError as error:
            worker.stop()
            raise WorkersFailed(f"a worker process ended at its start: {error}") from error
        if self._settings is not None:
            worker.send(self._settings)
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
            if (not worker.tasks and worker.ready) or now - worker.since < _LEAST_PATIENCE:
                continue
            if now - worker.since > (self._longest() if worker.ready else _START_SECONDS):
                worker.process.kill()

    def _longest(self) -> float:
        """How many seconds a worker may take for one submission."""
        if self._patience is None:
            # Asked only of a slow worker: what holds the limits takes long to import.
            from descent_autograder.sandbox import Limits

            seconds = float(Limits(**self._limits).notebook_seconds)
            notebooks = len(self._settings.releases) if self._settings else 1
            self._patience = _LEAST_PATIENCE + 1.5 * seconds * notebooks
        return self._patience

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
            fresh.send(task)
        if blamed is not None:
            yield blamed, None


def _serve(channel: Connection) -> None:
    """Run what comes down the channel, until it closes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limits, unsafe, cpu, parent = channel.recv()
    _die_with(parent)
    try:
        worker = start_sandbox(limits, unsafe, cpu)
        # It only ever waits for its sandbox, or its sandbox for it: on one core that is quickest.
        os.sched_setaffinity(0, {cpu})
    except Exception as error:
        channel.send(str(error) or type(error).__name__)
        return
    try:
        channel.send(None)
        settings: Settings | None = None
        for message in _read_ahead(channel):
            if isinstance(message, Settings):
                settings = message
                continue
            assert settings is not None
            try:
                done: Done | str = execute(message, settings, worker)
            except Exception as error:
                channel.send(f"the grader itself failed: {_where(error)}")
                return
            channel.send(done)
    except BrokenPipeError:
        return
    finally:
        worker.close()


def _read_ahead(channel: Connection) -> Iterator[Settings | Task]:
    """Yield messages; a thread reads them, so that the other side never waits to send one."""
    messages: queue.SimpleQueue[Settings | Task | None] = queue.SimpleQueue()

    def read() -> None:
        while True:
            try:
                messages.put(channel.recv())
            except (EOFError, OSError):
                messages.put(None)
                return

    threading.Thread(target=read, daemon=True).start()
    while (message := messages.get()) is not None:
        yield message


def _where(error: Exception) -> str:
    """An error with the place in our code where it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "descent_autograder" in frame.filename] or frames
    place = f" ({os.path.basename(ours[-1].filename)}:{ours[-1].lineno})" if ours else ""
    return told(error) + place


def _die_with(parent: int) -> None:
    """Ask Linux to end this process when `parent` ends, however it ends."""
    import ctypes

    pr_set_pdeathsig = 1
    ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
    if os.getppid() != parent:
        sys.exit(0)


# --- a Dask cluster ------------------------------------------------------------------------------


class DaskPool:
    """The same work on a Dask cluster; a task that loses its worker is run on another."""

    def __init__(
        self, address: str, limits: Mapping[str, Any], unsafe: bool, retries: int = 3
    ) -> None:
        """Make a pool that isn't connected yet.

        Args:
            address: the scheduler's, as ``tcp://host:8786``.
            limits, unsafe: as for :class:`LocalPool`.
            retries: how often a task may lose its worker.
        """
        self._address = address
        self._sandbox = dict(limits), unsafe
        self._retries = retries
        self._client: Any = None
        self._warming: list[Any] = []

    def grow(self, waiting: int) -> None:
        """Connect, and let the cluster build sandboxes; how many workers it has is its owner's say.

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


if __name__ == "__main__":
    # Import the module by its own name, so that what is pickled on both sides is the same class.
    from descent_autograder.grading.local_workers import _serve as serve

    serve(Connection(int(sys.argv[1])))
