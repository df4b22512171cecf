"""Calls between the grader and the student's process, over one socket.

Both sides run the same :class:`Peer`: either may call what the other has handed over, and while it
waits for a reply it serves the other's calls, so that a student's function can call the callback
that a test passed to it. Values travel by :mod:`codec`; changes that a call makes to its arguments
in place travel back with the reply. A frame is its length, its kind, the number of the call that it
asks or answers, and a body.

The trusted side believes nothing that arrives. A handle that was never given out, a reply that
wasn't asked for, a frame cut short: each is a :class:`MalformedError`, after which the channel is
broken and every further call says why.
"""

from __future__ import annotations

import builtins
import linecache
import socket
import traceback
from collections.abc import Callable, Iterator
from struct import Struct, error
from time import monotonic
from typing import Any

import numpy as np

from .boxed import is_boxed, plain_kind
from .codec import MAX_FRAME, Arguments, Codec, MalformedError, UnsendableError

TRUSTED, STUDENT = 0, 1
CALLABLE, ITERATOR = 1, 2
MAX_HANDLES = 1 << 20
_OF_STUDENTS = ("__main__", "student")
_STUDENTS_CODE, _LONGEST_FILE = "<student's code>", 100_000
MAX_REENTRY = 60

_U32 = Struct("<I")
_CALL, _ASK, _RETURN = b"C"[0], b"Q"[0], b"R"[0]
_RAISED, _CHANGED, _PRINTED = 1, 2, 4  # a reply's marks
_CHUNK = 1 << 14  # a larger buffer is mapped and unmapped by the kernel for every message
_LARGE_CHUNK = 1 << 20
_MAX_PRINTED = 8 << 20
_HEAD = Struct("<IBI")  # length of what follows it, kind, number of the call
_HEAD_SIZE = _HEAD.size
_BODY = 5  # where a received frame's body begins: behind kind and number
_TIMEVAL = Struct("@ll")
_EXTRA_ERRORS: dict[str, type[Exception]] = {"LinAlgError": np.linalg.LinAlgError}
_ENDS_OF_LOOPS = (StopIteration, StopAsyncIteration)
# What taking apart a reply that isn't one may raise.
_NOT_UNDERSTOOD = (MalformedError, LookupError, TypeError, ValueError, ArithmeticError)


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
        """Call it over there; what it returns or raises comes back."""
        __tracebackhide__ = True  # tracebacks go from the test to the student's line
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
        taken_output: Callable[[], tuple[str, str] | None] | None = None,
    ) -> None:
        self.sock = sock
        self.side = side
        self.codec = Codec(self, owns=side == STUDENT)
        self.broken: Exception | None = None
        self.on_break: Callable[[Exception], Exception] = lambda problem: problem
        self.on_output: Callable[[str, str], None] = lambda out, err: None
        self.may_print = _MAX_PRINTED
        """How many characters of output replies may still bring along; the rest is left out."""
        self.deadline = float("inf")
        self.to_send: Callable[[Any], Any] | None = None
        self._serve = serve
        self._taken_output = taken_output
        self._exports: list[Any] = []
        self._numbers: dict[int, int] = {}
        self._remotes: dict[int, Remote] = {}
        self._depth = 0
        self._asked = 0

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
        return self.side, number, callable_ | iterator, _name_of(value)

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
        __tracebackhide__ = True
        if self.to_send is not None:
            args = tuple(map(self.to_send, args))
            kwargs = {name: self.to_send(value) for name, value in kwargs.items()}
        body = _U32.pack(remote._number) + self.codec.encode_call(args, kwargs)
        value, changed = self._reply(self._put(_CALL, body))
        if changed is not None:
            carry_over((args, kwargs), (changed.args, changed.kwargs))
        return value

    def ask(self, question: str, *arguments: Any) -> Any:
        """Ask the other side's ``serve`` and return its answer; raises as :meth:`call` does."""
        return self._reply(self._put(_ASK, self.codec.encode((question, arguments))))[0]

    def _put(self, kind: int, body: bytes) -> int:
        """Send a call or a question; return its number."""
        number = self._asked
        self._send(kind, number, body)
        self._asked = (number + 1) & 0xFFFFFFFF
        return number

    def _reply(self, number: int) -> tuple[Any, Arguments | None]:
        """Serve the other side until the reply to a call is there; return value and changes."""
        __tracebackhide__ = True
        if self._depth >= MAX_REENTRY:
            raise RecursionError("calls between test and function are nested too deeply")
        self._depth += 1
        try:
            frame = self._receive()
            while frame[0] != _RETURN:
                self._answer(frame)
                frame = self._receive()
        finally:
            self._depth -= 1
        # Else a reply too many would answer the next call.
        if _U32.unpack_from(frame, 1)[0] != number:
            raise self.fail(malformed("a reply that nobody asked for"))
        return self._understand(frame)

    def _understand(self, frame: bytes) -> tuple[Any, Arguments | None]:
        """Take a reply apart: its marks, the value, then what the marks announce."""
        __tracebackhide__ = True
        codec, changed, raised = self.codec, None, None
        try:
            marks = frame[_BODY]
            value, end = codec.decode_from(frame, _BODY + 1)
            if marks & _CHANGED:
                changed, end = codec.decode_call(frame, end)
            if marks & _PRINTED:
                (out, err), end = codec.decode_from(frame, end)
                self.on_output(self._allowed(out), self._allowed(err))
            if end != len(frame):
                raise MalformedError("bytes are left over after the reply")
            if marks & _RAISED:
                raised = rebuilt(*value)
        except _NOT_UNDERSTOOD as reason:
            raise self.fail(malformed(reason)) from None
        if raised is not None:
            raise raised
        return value, changed

    def _allowed(self, text: Any) -> str:
        """Return as much of a text as replies may still bring along."""
        if type(text) is not str:
            raise MalformedError("output that isn't text")
        allowed = text[: self.may_print]
        self.may_print -= len(allowed)
        return allowed

    # ---- answering

    def serve_forever(self) -> None:
        """Answer the other side until it hangs up."""
        while True:
            self._answer(self._receive())

    def _answer(self, frame: bytes) -> None:
        """Do what the other side asks for and reply; whatever goes wrong travels as a reply."""
        number, marks, changes, printed = _U32.unpack_from(frame, 1)[0], 0, b"", b""
        try:
            value, given = self._perform(frame)
            body = self.codec.encode(value)
            if given is not None and self.codec.changed(given):
                marks, changes = _CHANGED, self.codec.encode_call(given.args, given.kwargs)
        except (MalformedError, BrokenChannelError, ReplyTimeoutError):
            raise
        except BaseException as problem:
            if not self._may_travel(problem):
                raise
            marks, changes = _RAISED, b""
            body = self.codec.encode(described(problem, self.side == STUDENT))
        output = self._taken_output() if self._taken_output else None
        if output is not None:
            marks, printed = marks | _PRINTED, self.codec.encode(output)
        self._send(_RETURN, number, b"".join((bytes((marks,)), body, changes, printed)))

    def _may_travel(self, problem: BaseException) -> bool:
        return isinstance(problem, Exception) or self.side == STUDENT

    def _perform(self, frame: bytes) -> tuple[Any, Arguments | None]:
        """Do what a frame asks for; return the value, and the arguments of a call."""
        kind = frame[0]
        try:
            if kind == _CALL:
                target = self.resolve(self.side, _U32.unpack_from(frame, _BODY)[0], 0, "")
                given, end = self.codec.decode_call(frame, _BODY + 4)
            elif kind == _ASK:
                (question, arguments), end = self.codec.decode_from(frame, _BODY)
            else:
                raise MalformedError("a message of unknown kind")
            if end != len(frame):
                raise MalformedError("bytes are left over after the message")
        except (MalformedError, TypeError, ValueError, error) as reason:
            raise self.fail(malformed(reason)) from None
        if kind == _CALL:
            return target(*given.args, **given.kwargs), given
        return self._serve(str(question), tuple(arguments)), None

    # ---- frames

    def fail(self, problem: Exception) -> Exception:
        """Mark the channel broken and return what to raise; later calls raise the same."""
        if self.broken is None:
            self.broken = self.on_break(problem)
        return self.broken

    def _send(self, kind: int, number: int, body: bytes) -> None:
        if self.broken is not None:
            raise self.broken
        try:
            if len(body) < _LARGE_CHUNK:
                self.sock.sendall(_HEAD.pack(len(body) + _BODY, kind, number) + body)
            else:
                self._send_long(kind, number, memoryview(body))
        except BlockingIOError:
            raise self.fail(ReplyTimeoutError("the time limit was reached")) from None
        except OSError:
            raise self.fail(ended()) from None

    def _send_long(self, kind: int, number: int, body: memoryview) -> None:
        """Send in pieces, so that a side that takes them in slowly gains no time by that."""
        if len(body) >= MAX_FRAME:
            raise UnsendableError(f"a message of {len(body)} bytes is too large")
        self.sock.sendall(_HEAD.pack(len(body) + _BODY, kind, number))
        for start in range(0, len(body), _LARGE_CHUNK):
            self._check_deadline()
            self.sock.sendall(body[start : start + _LARGE_CHUNK])

    def _check_deadline(self) -> None:
        if monotonic() > self.deadline:
            raise BlockingIOError

    def _receive(self) -> bytes:
        """Return the next frame: its kind, number and body.

        The socket's own limit bounds each wait; the deadline bounds them together, so that neither
        bytes that drip in one by one nor calls without end gain anything.
        """
        try:
            if monotonic() > self.deadline:
                raise BlockingIOError
            data = self.sock.recv(_CHUNK)
            if len(data) >= _HEAD_SIZE and _U32.unpack_from(data)[0] == len(data) - 4:
                return data[4:]
            return self._rest(bytearray(data))
        except BlockingIOError:
            raise self.fail(ReplyTimeoutError("the time limit was reached")) from None
        except OSError:
            raise self.fail(ended()) from None

    def _rest(self, buffer: bytearray) -> bytes:
        """Receive what is missing of a frame that begins with ``buffer``."""
        while len(buffer) < 4:
            self._receive_into(buffer, 4 - len(buffer))
        length = _U32.unpack_from(buffer)[0]
        if not _BODY <= length <= MAX_FRAME + _BODY:
            raise self.fail(malformed(f"a message of {length} bytes"))
        if len(buffer) > length + 4:
            raise self.fail(malformed("a message that nobody asked for"))
        while len(buffer) < length + 4:
            self._receive_into(buffer, length + 4 - len(buffer))
        return bytes(memoryview(buffer)[4:])

    def _receive_into(self, buffer: bytearray, wanted: int) -> None:
        """Append up to ``wanted`` bytes; raises OSError at the end and at the deadline."""
        self._check_deadline()
        data = self.sock.recv(min(wanted, _LARGE_CHUNK))
        if not data:
            raise ConnectionResetError
        buffer += data

    def limit(self, seconds: float | None) -> None:
        """Let all that follows end within ``seconds`` (None: no limit).

        The kernel keeps the limit (a time-out of Python's would cost a poll for every message).
        """
        self.deadline = float("inf") if seconds is None else monotonic() + seconds
        whole = max(0.001, seconds or 0.0) if seconds is not None else 0.0
        timeval = _TIMEVAL.pack(int(whole), int(whole % 1 * 1e6))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self.sock.setsockopt(socket.SOL_SOCKET, option, timeval)

    def close(self) -> None:
        """Hang up."""
        self.sock.close()


def _name_of(value: Any) -> str:
    """Return an object's own name, or its type's; whatever its attributes may do when asked."""
    try:
        name = value.__name__
    except Exception:
        name = None
    return name if type(name) is str else type(value).__name__


def ended() -> BrokenChannelError:
    """Return the error for a process that has ended."""
    return BrokenChannelError("the process that runs the notebook's code has ended")


def malformed(problem: object) -> BrokenChannelError:
    """Return the error for a process that doesn't keep to the protocol."""
    return BrokenChannelError(f"the notebook's process sent a message that isn't one ({problem})")


def described(
    problem: BaseException, placed: bool
) -> tuple[list[str], list[Any], str, tuple[str, int, str]]:
    """Return what travels of an exception: its classes' names, its arguments, its text, its place.

    The place is function, line number and line of the last frame that isn't a library's. Only the
    student's side gives it (``placed``): the grader's would be a line of a hidden test.
    """
    names = [kind.__name__ for kind in type(problem).__mro__]
    plain = (type(None), bool, int, float, str)
    try:
        args = [arg if type(arg) in plain else str(arg)[:2000] for arg in problem.args[:10]]
        text = str(problem)[:10_000]
    except Exception:
        args, text = [], "(an exception that can't be shown)"
    return names, args, text, _place(problem) if placed else ("", 0, "")


def _place(problem: BaseException) -> tuple[str, int, str]:
    place = ("", 0, "")
    for frame, number in traceback.walk_tb(problem.__traceback__):
        code = frame.f_code
        if frame.f_globals.get("__name__") in _OF_STUDENTS:
            line = linecache.getline(code.co_filename, number).rstrip()[:300]
            place = code.co_name, number, line
    return place


def rebuilt(names: Any, args: Any, text: Any, place: Any) -> Exception:
    """Return an exception of the first builtin class named, with the same arguments.

    An exception that isn't an ``Exception`` (SystemExit, GeneratorExit), has no builtin class, or
    would end a loop quietly (StopIteration) becomes a RuntimeError that names it. Its traceback
    shows the line that the student wrote.
    """
    problem: Exception = RuntimeError(f"{names[0]}: {text}" if names else str(text))
    for name in list(names)[:50]:
        kind = _EXTRA_ERRORS.get(name) or getattr(builtins, str(name), None)
        if not isinstance(kind, type) or issubclass(kind, _ENDS_OF_LOOPS):
            continue
        if issubclass(kind, Exception) and kind is not Exception:
            problem = _built(kind, str(names[0]), list(args), str(text))
            break
    function, number, line = place
    return _raised_at(problem, str(function), int(number), str(line))


def _raised_at(problem: Exception, function: str, number: int, line: str) -> Exception:
    """Give an exception a traceback whose one frame is a line of the student's."""
    if not 0 < number < _LONGEST_FILE:
        return problem
    lines = ["\n"] * (number - 1) + [line + "\n"]
    linecache.cache[_STUDENTS_CODE] = (len(line), None, lines, _STUDENTS_CODE)
    code = compile("raise problem", _STUDENTS_CODE, "exec")
    name = function if function.isidentifier() else "<module>"
    try:
        exec(code.replace(co_name=name, co_firstlineno=number), {"problem": problem})
    except Exception as raised:
        trace = raised.__traceback__
        return raised.with_traceback(trace.tb_next if trace else None)
    return problem


def _built(kind: type[Exception], name: str, args: list[Any], text: str) -> Exception:
    # Some arguments, such as a SyntaxError's place, don't travel; the text does.
    for arguments in (args, [text]):
        try:
            problem = kind(*arguments)
            if name != kind.__name__:
                problem.add_note(f"(raised as {name})")
            str(problem)
        except Exception:
            continue
        return problem
    return RuntimeError(f"{name}: {text}")


def carry_over(old: Any, new: Any) -> Any:
    """Make ``old`` hold what ``new`` holds, in place where it can be changed; return the result."""
    if plain_kind(old) is not plain_kind(new) or (is_boxed(new) and not is_boxed(old)):
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
        old = type(new)(carry_over(a, b) for a, b in zip(old, new, strict=True))
    elif isinstance(old, np.random.Generator):
        old.bit_generator.state = new.bit_generator.state
    elif isinstance(old, np.random.RandomState):
        old.set_state(new.get_state(legacy=False))
    else:
        return new
    if is_boxed(new):
        old.original, old.content = new.original, new.content
    return old
