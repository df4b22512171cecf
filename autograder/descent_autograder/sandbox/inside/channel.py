"""Calls between the trusted process and the student's, over one socket.

Both sides run the same :class:`Peer`: either may call what the other has handed over, and while it
waits for a reply it serves the other's calls, so that a student's function can call the callback
that a test passed to it. Values travel by :mod:`codec`; changes that a call makes to its arguments
in place travel back with the reply.

The trusted side believes nothing that arrives. A handle that was never given out, a reply that
wasn't asked for, a frame cut short: each is a :class:`MalformedError`, after which the channel is
broken and every further call says why.
"""

from __future__ import annotations

import builtins
import socket
import time
from collections.abc import Callable, Iterator
from struct import Struct
from typing import Any

import numpy as np

from .codec import MAX_FRAME, Codec, MalformedError, UnsendableError

TRUSTED, STUDENT = 0, 1
CALLABLE, ITERATOR = 1, 2
MAX_HANDLES = 1 << 20
MAX_REENTRY = 60

_LENGTH = Struct("<I")
_CALL, _ASK, _RETURN, _RAISE = b"C"[0], b"Q"[0], b"R"[0], b"X"[0]
_CHUNK = 1 << 18
_EXTRA_ERRORS: dict[str, type[Exception]] = {"LinAlgError": np.linalg.LinAlgError}


class BrokenChannelError(RuntimeError):
    """The student's process is gone, or doesn't keep to the protocol; the message says why."""


class ReplyTimeoutError(TimeoutError):
    """The student's process didn't answer within the time limit."""


class Remote:
    """The other side's object, known by its number only.

    It equals nothing but itself, and offers no special method that Python might call by itself.
    Attributes whose names don't begin with an underscore are asked for over the channel.
    """

    __slots__ = ("__name__", "__qualname__", "_kind", "_number", "_peer")

    def __init__(self, peer: Peer, number: int, kind: int, name: str) -> None:
        set_slot = object.__setattr__
        set_slot(self, "_peer", peer)
        set_slot(self, "_number", number)
        set_slot(self, "_kind", kind)
        set_slot(self, "__name__", name)
        set_slot(self, "__qualname__", name)

    def __repr__(self) -> str:
        return f"<{self.__name__}>"

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{self.__name__!r} gives no access to {name!r}")
        return self._peer.ask("attribute", self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_"):
            raise AttributeError(f"{self.__name__!r} gives no access to {name!r}")
        self._peer.ask("assign", self, name, value)


class RemoteCallable(Remote):
    """The other side's function, class or other callable."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._peer.call(self, args, kwargs)


class RemoteIterator(Remote):
    """The other side's iterator or generator."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        found, value = self._peer.ask("next", self)
        if not found:
            raise StopIteration
        return value


class Peer:
    """One end of the channel.

    Args:
        sock: a connected stream socket; the peer owns it from here on.
        side: ``TRUSTED`` or ``STUDENT``.
        serve: what answers the other side's questions: ``serve(name, arguments) -> value``.
        taken_output: returns what was written to stdout and stderr since it was last asked; sent
            along with replies.
    """

    def __init__(
        self,
        sock: socket.socket,
        side: int,
        serve: Callable[[str, tuple[Any, ...]], Any],
        taken_output: Callable[[], tuple[str, str]] | None = None,
    ) -> None:
        self.sock = sock
        self.side = side
        self.codec = Codec(self)
        self.broken: Exception | None = None
        self.on_break: Callable[[Exception], Exception] = lambda problem: problem
        self.on_output: Callable[[str, str], None] = lambda out, err: None
        self.deadline = float("inf")
        self._serve = serve
        self._taken_output = taken_output
        self._exports: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._remotes: dict[int, Remote] = {}
        self._depth = 0

    # ---- handles (the codec asks for these)

    def export(self, value: Any) -> tuple[int, int, int, str]:
        """Return the handle of ``value``; see :class:`codec.Handles`."""
        if isinstance(value, Remote) and value._peer is self:
            return 1 - self.side, value._number, value._kind, value.__name__
        number = self._numbers.get(id(value))
        if number is None:
            number = len(self._exports)
            if number >= MAX_HANDLES:
                raise UnsendableError("too many objects were handed over")
            self._exports.append(value)
            self._numbers[id(value)] = number
        kind = type(value)
        callable_ = CALLABLE if callable(value) else 0
        iterator = ITERATOR if hasattr(kind, "__next__") and not callable_ else 0
        name = getattr(value, "__name__", None)
        return self.side, number, callable_ | iterator, name if type(name) is str else kind.__name__

    def resolve(self, owner: int, number: int, kind: int, name: str) -> Any:
        """Return what a handle stands for; see :class:`codec.Handles`."""
        if owner == self.side:
            if number >= len(self._exports):
                raise MalformedError("a handle that was never given out")
            return self._exports[number]
        remote = self._remotes.get(number)
        if remote is None:
            if owner != 1 - self.side or len(self._remotes) >= MAX_HANDLES:
                raise MalformedError("a handle of nobody's")
            make = RemoteCallable if kind & CALLABLE else RemoteIterator if kind else Remote
            remote = self._remotes[number] = make(self, number, kind, name)
        return remote

    # ---- asking

    def call(self, remote: Remote, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call the other side's object; in-place changes to the arguments are carried over.

        Raises:
            the exception that the call raised, as the same builtin class; UnsendableError,
            BrokenChannelError or ReplyTimeoutError.
        """
        given = (args, kwargs)
        self._send(_CALL, _LENGTH.pack(remote._number) + self.codec.encode(given))
        value, changed = self._reply()
        if changed is not None:
            carry_over(given, changed)
        return value

    def ask(self, question: str, *arguments: Any) -> Any:
        """Ask the other side's ``serve`` and return its answer; raises as :meth:`call` does."""
        self._send(_ASK, self.codec.encode((question, arguments)))
        return self._reply()[0]

    def _reply(self) -> tuple[Any, Any]:
        """Serve the other side until its reply is there; return the value and the changes."""
        if self._depth >= MAX_REENTRY:
            raise RecursionError("calls between test and function are nested too deeply")
        self._depth += 1
        try:
            while True:
                frame = self._receive()
                kind = frame[0]
                if kind in (_RETURN, _RAISE):
                    break
                self._answer(frame)
        finally:
            self._depth -= 1
        return self._understand(frame)

    def _understand(self, frame: bytes) -> tuple[Any, Any]:
        decode = self.codec.decode
        try:
            value, changed, output = decode(frame, 1)
            if output is not None:
                self.on_output(*(str(text) for text in output))
            if frame[0] == _RETURN:
                return value, changed
            problem = rebuilt(*value)
        except (MalformedError, TypeError, ValueError) as problem:
            raise self.fail(malformed(problem)) from None
        raise problem

    # ---- answering

    def serve_forever(self) -> None:
        """Answer the other side until it hangs up."""
        while True:
            self._answer(self._receive())

    def _answer(self, frame: bytes) -> None:
        """Do what the other side asks for and reply; whatever goes wrong travels as a reply."""
        try:
            kind, value, changed = _RETURN, *self._perform(frame)
        except (MalformedError, BrokenChannelError, ReplyTimeoutError):
            raise
        except BaseException as problem:
            if not self._may_travel(problem):
                raise
            kind, value, changed = _RAISE, described(problem), None
        output = self._taken_output() if self._taken_output else None
        try:
            body = self.codec.encode((value, changed, output))
        except Exception as problem:
            kind = _RAISE
            body = self.codec.encode((described(problem), None, output))
        self._send(kind, body)

    def _may_travel(self, problem: BaseException) -> bool:
        return isinstance(problem, Exception) or self.side == STUDENT

    def _perform(self, frame: bytes) -> tuple[Any, Any]:
        kind = frame[0]
        if kind == _CALL:
            target = self.resolve(self.side, _LENGTH.unpack_from(frame, 1)[0], 0, "")
            given = self._decoded(frame, 5)
            mutable = self.codec.saw_mutable
            args, kwargs = self._call_parts(given)
            value = target(*args, **kwargs)
            if mutable and self.codec.encode(given) != frame[5:]:
                return value, given
            return value, None
        if kind == _ASK:
            question = self._decoded(frame, 1)
            if type(question) is not tuple or len(question) != 2 or type(question[1]) is not tuple:
                raise self.fail(malformed("a question of the wrong form"))
            return self._serve(str(question[0]), question[1]), None
        raise self.fail(malformed("a message of unknown kind"))

    def _decoded(self, frame: bytes, start: int) -> Any:
        try:
            return self.codec.decode(frame, start)
        except MalformedError as problem:
            raise self.fail(malformed(problem)) from None

    def _call_parts(self, given: Any) -> tuple[Any, Any]:
        if type(given) is tuple and len(given) == 2:
            args, kwargs = given
            if type(args) is tuple and type(kwargs) is dict and all(type(k) is str for k in kwargs):
                return args, kwargs
        raise self.fail(malformed("a call of the wrong form"))

    # ---- frames

    def fail(self, problem: Exception) -> Exception:
        """Mark the channel broken and return what to raise; later calls raise the same."""
        if self.broken is None:
            self.broken = self.on_break(problem)
        return self.broken

    def _send(self, kind: int, body: bytes) -> None:
        if self.broken is not None:
            raise self.broken
        if len(body) >= MAX_FRAME:
            raise UnsendableError(f"a message of {len(body)} bytes is too large")
        try:
            self.sock.sendall(_LENGTH.pack(len(body) + 1) + bytes((kind,)) + body)
        except TimeoutError:
            raise self.fail(ReplyTimeoutError("the time limit was reached")) from None
        except OSError:
            raise self.fail(ended()) from None

    def _receive(self) -> bytes:
        """Return the next frame: its kind and body.

        The socket's own time-out bounds each wait; the deadline bounds them together, so that
        bytes that drip in one by one gain nothing.
        """
        try:
            data = self.sock.recv(_CHUNK)
            if len(data) >= 4:
                length = _LENGTH.unpack_from(data)[0]
                if len(data) == length + 4 and length:
                    return data[4:]
            return self._rest(data)
        except TimeoutError:
            raise self.fail(ReplyTimeoutError("the time limit was reached")) from None
        except OSError:
            raise self.fail(ended()) from None

    def _rest(self, data: bytes) -> bytes:
        """Receive what is missing of a frame that begins with ``data``."""
        buffer = bytearray(data)
        length = None
        while length is None or len(buffer) < length + 4:
            if not data:
                raise self.fail(ended())
            if length is None and len(buffer) >= 4:
                length = _LENGTH.unpack_from(buffer)[0]
                if not 0 < length <= MAX_FRAME:
                    raise self.fail(malformed(f"a message of {length} bytes"))
                continue
            if time.monotonic() > self.deadline:
                raise TimeoutError
            data = self.sock.recv(_CHUNK)
            buffer += data
        if len(buffer) > length + 4:
            raise self.fail(malformed("a message that nobody asked for"))
        return bytes(memoryview(buffer)[4:])

    def limit(self, seconds: float | None) -> None:
        """Let all that follows end within ``seconds`` (None: no limit)."""
        self.deadline = float("inf") if seconds is None else time.monotonic() + seconds
        self.sock.settimeout(seconds)

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


def ended() -> BrokenChannelError:
    """Return the error for a process that has ended."""
    return BrokenChannelError("the process that runs the notebook's code has ended")


def malformed(problem: object) -> BrokenChannelError:
    """Return the error for a process that doesn't keep to the protocol."""
    return BrokenChannelError(f"the notebook's process sent a message that isn't one ({problem})")


def described(problem: BaseException) -> tuple[list[str], list[Any], str]:
    """Return what travels of an exception: the names of its classes, its arguments, its text."""
    names = [kind.__name__ for kind in type(problem).__mro__]
    plain = (type(None), bool, int, float, str)
    try:
        args = [arg if type(arg) in plain else str(arg)[:2000] for arg in problem.args[:10]]
        text = str(problem)[:10_000]
    except Exception:
        args, text = [], "(an exception that can't be shown)"
    return names, args, text


def rebuilt(names: Any, args: Any, text: Any) -> Exception:
    """Return an exception of the first builtin class named, with the same arguments.

    An exception that isn't an ``Exception`` (SystemExit, KeyboardInterrupt) or has no builtin class
    becomes a RuntimeError that names it.
    """
    for name in list(names)[:50]:
        kind = _EXTRA_ERRORS.get(name) or getattr(builtins, str(name), None)
        if isinstance(kind, type) and issubclass(kind, Exception) and kind is not Exception:
            return _built(kind, str(names[0]), list(args), str(text))
    return RuntimeError(f"{names[0]}: {text}" if names else str(text))


def _built(kind: type[Exception], name: str, args: list[Any], text: str) -> Exception:
    try:
        problem = kind(*args)
        if name != kind.__name__:
            problem.add_note(f"(raised as {name})")
        str(problem)
    except Exception:
        return RuntimeError(f"{name}: {text}")
    return problem


def carry_over(old: Any, new: Any) -> Any:
    """Make ``old`` hold what ``new`` holds, in place where it can be changed; return the result."""
    if type(old) is not type(new):
        return new
    if isinstance(old, np.ndarray):
        if old.shape != new.shape or old.dtype != new.dtype or not old.flags.writeable:
            return new
        old[...] = new
    elif isinstance(old, list):
        merged = [carry_over(a, b) for a, b in zip(old, new, strict=False)]
        old[:] = merged + new[len(old) :]
    elif isinstance(old, dict):
        merged_items = {k: carry_over(old[k], v) if k in old else v for k, v in new.items()}
        old.clear()
        old.update(merged_items)
    elif isinstance(old, set):
        old.clear()
        old.update(new)
    elif isinstance(old, tuple) and len(old) == len(new):
        return tuple(carry_over(a, b) for a, b in zip(old, new, strict=True))
    elif isinstance(old, np.random.Generator):
        old.bit_generator.state = new.bit_generator.state
    elif isinstance(old, np.random.RandomState):
        old.set_state(new.get_state(legacy=False))
    else:
        return new
    return old
