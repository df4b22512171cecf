"""Who does the work: local worker processes, or a Dask cluster. Both call `execution`.

A local worker is a process started by exec that reads jobs from a socket and writes results to
it. It holds one warm sandbox. When it dies, or overstays its time, its job is given to a new one
once more; a job that costs two workers is reported as failed, and the others go on.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from descent_autograder.execution import Grader, Job, Result, Settings, grade_here

_ATTEMPTS = 2
_START_SECONDS = 60.0


class WorkersFailed(RuntimeError):
    """No worker could be started; the message says why."""


class Pool(Protocol):
    """Anything that turns jobs into results, in whatever order they are done."""

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result | str]]:
        """Yield each job with its result, or with the reason why it has none."""
        ...

    def close(self) -> None:
        """Stop all workers."""
        ...


# --- local worker processes ----------------------------------------------------------------------


@dataclass
class _LocalWorker:
    """One worker process and the job that it has in hand."""

    process: subprocess.Popen[bytes]
    channel: Connection
    job: Job | None = None
    since: float = field(default_factory=time.monotonic)
    ready: bool = False

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
        """Prepare `jobs` workers; they are started by `run`.

        Args:
            settings: what all submissions have in common.
            jobs: how many workers.
            patience: seconds that one submission may take before its worker is given up.
        """
        self._settings = settings
        self._jobs = max(1, jobs)
        self._patience = patience
        self._workers: list[_LocalWorker] = []

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result | str]]:
        """Yield each job with its result, or with the reason why it has none.

        Raises:
            WorkersFailed: when a worker can't be started, for instance for want of a wall.
        """
        source = iter(jobs)
        again: deque[Job] = deque()
        attempts: dict[str, int] = {}
        exhausted = False
        while True:
            while not exhausted and len(self._workers) < self._jobs:
                job = next(source, None)
                if job is None:
                    exhausted = True
                else:
                    again.append(job)
                    self._workers.append(self._start(len(self._workers)))
            for worker in self._workers:
                if worker.ready and worker.job is None:
                    worker.job = again.popleft() if again else next(source, None)
                    exhausted = exhausted or worker.job is None
                    if worker.job is not None:
                        attempts[worker.job.student] = attempts.get(worker.job.student, 0) + 1
                        worker.since = time.monotonic()
                        self._send(worker)
            if not again and all(w.job is None for w in self._workers) and exhausted:
                return
            for job, outcome in self._collect():
                if outcome is None and attempts[job.student] < _ATTEMPTS:
                    again.append(job)
                else:
                    lost = "the process that graded it ended or overran its time, twice"
                    yield job, lost if outcome is None else outcome

    def close(self) -> None:
        """Stop all workers."""
        while self._workers:
            self._workers.pop().stop()

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

    def _send(self, worker: _LocalWorker) -> None:
        try:
            worker.channel.send(worker.job)
        except OSError:
            worker.process.kill()

    def _collect(self) -> Iterator[tuple[Job, Result | str | None]]:
        """Wait for news; yield finished jobs, with None for those whose worker was lost."""
        by_channel = {worker.channel: worker for worker in self._workers}
        for channel in wait(list(by_channel), timeout=0.5):
            worker = by_channel[channel]  # type: ignore[index]
            try:
                message = worker.channel.recv()
            except (EOFError, OSError):
                yield from self._lost(worker)
                continue
            if message is None:
                worker.ready = True
            elif not worker.ready:
                raise WorkersFailed(str(message))
            else:
                job, worker.job = worker.job, None
                if job is not None:
                    yield job, message
        now = time.monotonic()
        for worker in list(self._workers):
            limit = self._patience if worker.ready else _START_SECONDS
            if (worker.job is not None or not worker.ready) and now - worker.since > limit:
                worker.process.kill()

    def _lost(self, worker: _LocalWorker) -> Iterator[tuple[Job, None]]:
        number = self._workers.index(worker)
        worker.stop()
        if not worker.ready:
            raise WorkersFailed("a worker process ended before it was ready")
        self._workers[number] = self._start(number)
        if worker.job is not None:
            yield worker.job, None


def _serve(channel: Connection) -> None:
    """Grade what comes down the channel, until it closes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings, cpu, parent = channel.recv()
    _die_with(parent)
    try:
        grader = Grader(settings, cpu)
    except Exception as error:
        channel.send(str(error) or type(error).__name__)
        return
    with grader:
        channel.send(None)
        while True:
            try:
                job = channel.recv()
            except EOFError:
                return
            try:
                channel.send(grader.grade(job))
            except Exception as error:
                channel.send(f"the grader itself failed: {_where(error)}")
                return


def _where(error: Exception) -> str:
    """An error with the place in our code where it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "descent_autograder" in frame.filename] or frames
    place = f" ({os.path.basename(ours[-1].filename)}:{ours[-1].lineno})" if ours else ""
    return f"{type(error).__name__}: {error}{place}"


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

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[Job, Result | str]]:
        """Yield each job with its result, or with the reason why it has none."""
        from distributed import as_completed

        source = iter(jobs)
        settings = self._client.scatter(self._settings, broadcast=True, hash=False)
        window = 2 * sum(self._client.nthreads().values()) + 2
        pending: dict[Any, Job] = {}
        done = as_completed()
        for job in source:
            pending[self._submit(job, settings, done)] = job
            if len(pending) >= window:
                break
        for future in done:
            job = pending.pop(future)
            yield job, _outcome(future)
            future.release()
            following = next(source, None)
            if following is not None:
                pending[self._submit(following, settings, done)] = following

    def close(self) -> None:
        """Leave the cluster; it belongs to somebody else."""
        self._client.close()

    def _submit(self, job: Job, settings: Any, done: Any) -> Any:
        future = self._client.submit(
            grade_here, job, settings, pure=False, retries=self._retries, key=_key(job)
        )
        done.add(future)
        return future


def _key(job: Job) -> str:
    return f"descent-{job.student}-{os.urandom(8).hex()}"


def _outcome(future: Any) -> Result | str:
    try:
        result = future.result()
    except Exception as error:
        return f"the cluster couldn't grade it ({type(error).__name__}: {error})"
    return result if isinstance(result, Result) else "the cluster returned something else"


if __name__ == "__main__":
    # Import the module by its own name, so that what is pickled on both sides is the same class.
    from descent_autograder.executor import _serve as serve

    serve(Connection(int(sys.argv[1])))
