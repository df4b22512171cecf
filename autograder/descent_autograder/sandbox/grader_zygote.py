"""The grader's zygote: warm, outside the wall, forked once for each submission's grader.

What a test does to its process (numpy's global generator, a patched function, a helper of the same
name) ends with the submission.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
from typing import Any

from descent import questions

from . import grader
from .cell_globals import CellGlobals, bind_instructors
from .inside import confine, zygote
from .inside import shell as shells

_PRELOADED = (*zygote.PRELOADED, "descent.judging.report")
"""What the instructor's imports and the judge wait for: all that notebooks import, and more."""

# What a test may need on top of what the warm process has mapped, however little students may use.
_LEAST_MEMORY = 1 << 30


def main(control: int, cpu: int | None, exams: str) -> None:
    """Warm up, then fork graders on the worker's word until it hangs up; never returns."""
    orders = socket.socket(fileno=control)
    zygote.preload(_PRELOADED)
    names = CellGlobals()
    shell = shells.make_shell(names)
    shells.warm_up(shell)
    bind_instructors(names, [])
    draw = _exam_provider(exams)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.collect()
    gc.freeze()
    zygote.stay_on(cpu)
    orders.send(json.dumps({"ready": True}).encode())
    _serve(orders, shell, names, draw)
    os._exit(0)


def _exam_provider(exams: str) -> grader.DrawExam | None:
    """Import what draws exams; its first exam reads all questions, which then are warm.

    Where its module has a function `warm_up`, that is called: what it makes, every grader has.
    """
    if not exams:
        return None
    module, _, function = exams.partition(":")
    provider = importlib.import_module(module)
    draw: grader.DrawExam = getattr(provider, function)
    draw(next(iter(questions.all_questions())), b"warm")
    getattr(provider, "warm_up", lambda: None)()
    return draw


def _serve(
    orders: socket.socket,
    shell: shells.Shell,
    names: CellGlobals,
    draw: grader.DrawExam | None,
) -> None:
    child, own = 0, time.process_time()
    while True:
        message, descriptors = zygote.received(orders)
        if not message:
            _reap(child)
            return
        order = json.loads(message)
        if order["order"] == "reap":
            reply, child = _reap(child), 0
            before, own = own, time.process_time()
            reply["cpu"] += own - before
        else:
            _reap(child)
            child = os.fork()
            if child == 0:
                orders.detach()
                _grade(shell, names, descriptors, order["limits"], draw)
            for descriptor in descriptors:
                os.close(descriptor)
            reply = {"pid": child}
        orders.send(json.dumps(reply).encode())


def _grade(
    shell: shells.Shell,
    names: CellGlobals,
    descriptors: list[int],
    limits: dict[str, float],
    draw: grader.DrawExam | None,
) -> None:
    """Be the grader of one submission; never returns."""
    try:
        memory = confine.address_space() + max(int(limits["memory_bytes"]), _LEAST_MEMORY)
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        gc.enable()
        link, channel = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        grader.run(shell, names, link, channel, draw)
    finally:
        os._exit(0)


def _reap(child: int) -> dict[str, Any]:
    if not child:
        return {"status": None, "cpu": 0.0, "excess": ""}
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    _, status, usage = os.wait4(child, 0)
    return {"status": status, "cpu": usage.ru_utime + usage.ru_stime, "excess": ""}


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
