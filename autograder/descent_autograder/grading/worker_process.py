"""One local worker: a process of its own that grades what comes down a socket.

python -m descent_autograder.grading.worker_process DESCRIPTOR
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection

from descent_autograder.core.text import told
from descent_autograder.grading.work import Done, Settings, Task, execute, start_sandbox


def serve(channel: Connection) -> None:
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


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
