"""What the student's code may ask of the grader: to use what a test handed to it.

A function may be called, an iterator advanced, and of an object of one of the grader's own classes
the public attributes read. Nothing else has an answer: attributes of functions, modules, frames
and classes lead to the whole interpreter.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from descent.judging import Folder

from .inside.channel import TRUSTED, Peer

_OWN = ("descent", "__main__")
"""Where classes come from whose objects show their attributes: the course, and the test itself."""


def open_peer(channel: socket.socket) -> Peer:
    """Return the trusted end of a channel to a student's process."""
    peer = Peer(channel, TRUSTED, serve_student)

    def placed(value: Any) -> Any:
        """Put a folder of ours into the student's working directory; the rest goes as it is."""
        if type(value) is not Folder:
            return value
        name = Path(value).name
        files = {f"{name}/{path.name}": path.read_bytes() for path in Path(value).iterdir()}
        peer.ask("files", files)
        return name

    peer.to_send = placed
    return peer


def serve_student(question: str, arguments: tuple[Any, ...]) -> Any:
    """Answer one question of the student's process.

    Raises:
        AttributeError, TypeError: the question has no answer; the student's code gets to see it.
    """
    if question == "next" and len(arguments) == 1:
        return _next(arguments[0])
    if question == "attribute" and len(arguments) == 2 and type(arguments[1]) is str:
        return _attribute(*arguments)
    raise TypeError(f"tests allow no {question!r}")


def _next(iterator: Any) -> tuple[bool, Any]:
    if not isinstance(iterator, Iterator):
        raise TypeError("not an iterator")
    for value in iterator:
        return True, value
    return False, None


def _attribute(target: Any, name: str) -> Any:
    kind = type(target)
    home = str(kind.__module__).partition(".")[0]
    is_own = home in _OWN and not isinstance(target, type | ModuleType)
    if name.startswith("_") or not is_own:
        raise AttributeError(f"tests give no access to {name!r}")
    return getattr(target, name)
