"""The channel, both ends in one process: calls, callbacks, changes, and replies that are none."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pytest
from descent_autograder.sandbox.grader_peer import serve_student
from descent_autograder.sandbox.inside.channel import (
    STUDENT,
    TRUSTED,
    BrokenChannelError,
    Peer,
    Remote,
    RemoteCallable,
    RemoteIterator,
    ReplyTimeoutError,
    described,
    rebuilt,
)
from descent_autograder.sandbox.inside.codec import Codec
from hypothesis import given, settings
from hypothesis import strategies as st


@contextmanager
def connected(**names: Any) -> Iterator[Peer]:
    """Yield the trusted end of a channel whose other end knows these names."""
    ours, theirs = socket.socketpair()
    questions: dict[str, Callable[..., Any]] = {
        "look": names.__getitem__,
        "attribute": getattr,
        "assign": setattr,
        "next": lambda i: next(((True, v) for v in i), (False, None)),
    }

    def student() -> None:
        try:
            Peer(theirs, STUDENT, lambda q, a: questions[q](*a)).serve_forever()
        except (BrokenChannelError, OSError):
            theirs.close()

    thread = threading.Thread(target=student, daemon=True)
    thread.start()
    peer = Peer(ours, TRUSTED, serve_student)
    peer.limit(5)
    try:
        yield peer
    finally:
        ours.close()
        thread.join(5)
        assert not thread.is_alive()


def test_calls_functions_with_plain_data() -> None:
    with connected(add=lambda a, b=1: a + b) as peer:
        add = peer.ask("look", "add")
        assert isinstance(add, RemoteCallable)
        assert add(1) == 2
        assert add("a", b="b") == "ab"
        assert np.array_equal(add(np.eye(2), np.ones(2)), np.eye(2) + 1)


def test_callbacks_re_enter() -> None:
    def fold(f: Any, values: Any) -> Any:
        total = 0
        for value in values:
            total = f(total, value)
        return total

    with connected(fold=fold) as peer:
        remote = peer.ask("look", "fold")
        assert remote(lambda a, b: a + b, [1, 2, 3]) == 6
        # the callback may itself call the student's function
        assert remote(lambda a, b: a + remote(lambda x, y: x + y, [b, b]), [1, 2]) == 6


def test_a_function_comes_back_as_itself() -> None:
    def callback(x: int) -> int:
        return x

    with connected(same=lambda f: f, pair=lambda f: [f, {"f": f}]) as peer:
        assert peer.ask("look", "same")(callback) is callback
        pair = peer.ask("look", "pair")(callback)
        assert pair[0] is callback
        assert pair[1]["f"] is callback
        assert peer.ask("look", "same") is peer.ask("look", "same")


def test_changes_in_place_are_carried_back() -> None:
    def change(array: Any, items: list[Any], state: dict[str, Any], seen: set[int]) -> None:
        array *= 2
        items.append(4)
        items[0] = "new"
        state["w"] += 1
        state["added"] = 1
        del state["gone"]
        seen.add(2)

    with connected(change=change) as peer:
        array, items, seen = np.ones(3), [1, [2]], {1}
        inner, weights = items[1], np.zeros(2)
        state = {"w": weights, "gone": 0}
        peer.ask("look", "change")(array, items, state, seen=seen)
        assert array.tolist() == [2, 2, 2]
        assert items == ["new", [2], 4]
        assert items[1] is inner
        assert weights.tolist() == [1, 1]  # the very array, wherever else it is known
        assert state.keys() == {"w", "added"}
        assert seen == {1, 2}


def test_callbacks_change_the_students_arguments_too() -> None:
    def offer(f: Any) -> Any:
        array = np.zeros(2)
        f(array)
        return array

    def fill(array: Any) -> None:
        array[:] = 7

    with connected(offer=offer) as peer:
        assert peer.ask("look", "offer")(fill).tolist() == [7, 7]


def test_draws_advance_the_callers_generator() -> None:
    with connected(draw=lambda rng, n: rng.normal(size=n)) as peer:
        rng, twin = np.random.default_rng(1), np.random.default_rng(1)
        drawn = peer.ask("look", "draw")(rng, 3)
        assert np.array_equal(drawn, twin.normal(size=3))
        assert rng.normal() == twin.normal()


def test_exceptions_arrive_as_the_same_builtin_class() -> None:
    class Own(ValueError):
        pass

    def fail(kind: str) -> None:
        raise {
            "value": ValueError("v", 2),
            "own": Own("own"),
            "key": KeyError("k"),
            "exit": SystemExit(3),
            "linalg": np.linalg.LinAlgError("singular"),
            "unicode": UnicodeDecodeError("utf-8", b"x", 0, 1, "bad"),
            "base": Exception("plain"),
            "todo": NotImplementedError("later"),
        }[kind]

    with connected(fail=fail) as peer:
        remote = peer.ask("look", "fail")
        with pytest.raises(ValueError, match="v") as caught:
            remote("value")
        assert caught.value.args == ("v", 2)
        with pytest.raises(ValueError, match="own") as caught:
            remote("own")
        assert type(caught.value) is ValueError
        with pytest.raises(KeyError) as missing:
            remote("key")
        assert str(missing.value) == "'k'"
        with pytest.raises(RuntimeError, match="SystemExit"):
            remote("exit")
        with pytest.raises(np.linalg.LinAlgError):
            remote("linalg")
        with pytest.raises((UnicodeError, RuntimeError)):
            remote("unicode")
        with pytest.raises(RuntimeError, match="plain"):
            remote("base")
        with pytest.raises(NotImplementedError):
            remote("todo")


def test_no_exception_ends_a_loop_of_the_tests() -> None:
    class Own(StopIteration):
        pass

    def fail(kind: type[BaseException]) -> None:
        raise kinds[kind]

    kinds: dict[Any, BaseException] = {
        "stop": StopIteration(1),
        "own": Own(),
        "async": StopAsyncIteration(),
        "generator": GeneratorExit(),
    }
    with connected(fail=fail) as peer:
        remote = peer.ask("look", "fail")
        for kind in kinds:
            with pytest.raises(RuntimeError):
                all(map(remote, [kind]))
            with pytest.raises(RuntimeError):
                list(zip(map(remote, [kind]), [1], strict=False))


def test_errors_of_callbacks_reach_the_student_and_come_back() -> None:
    def careful(f: Any) -> str:
        try:
            f()
        except ZeroDivisionError:
            return "caught"
        return "nothing"

    with connected(careful=careful, careless=lambda f: f()) as peer:
        assert peer.ask("look", "careful")(lambda: 1 / 0) == "caught"
        with pytest.raises(ZeroDivisionError):
            peer.ask("look", "careless")(lambda: 1 / 0)


def test_objects_stay_on_their_side() -> None:
    class Model:
        def __init__(self) -> None:
            self.weights = np.zeros(2)
            self._secret = 1

        def fit(self, x: Any) -> Model:
            self.weights = self.weights + x
            return self

        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    with connected(Model=Model) as peer:
        model = peer.ask("look", "Model")()
        assert type(model) is Remote
        assert model.fit(1.5) is model
        assert model.weights.tolist() == [1.5, 1.5]
        model.weights = np.ones(1)
        assert model.weights.tolist() == [1]
        assert not callable(model)
        assert model != 1
        assert model != "anything"
        for private in ("_secret", "__dict__x", "__array__", "__len__"):
            with pytest.raises(AttributeError):
                getattr(model, private)
        with pytest.raises(TypeError):
            float(model)
        assert np.asarray(model).dtype == object


def test_containers_of_the_students_own_come_back_as_what_they_were() -> None:
    class Memory(NamedTuple):
        v: Any
        steps: int

    class Box(dict[str, Any]):
        __getattr__ = dict.__getitem__  # any attribute may be asked for, and raise anything

        def bump(self) -> None:
            self["n"] += 1

    def start() -> tuple[Memory, Box]:
        return Memory(np.zeros(2), 0), Box(n=0)

    def step(memory: Memory, box: Box) -> tuple[Memory, Box]:
        box.bump()
        return Memory(memory.v + 1, memory.steps + 1), box

    with connected(start=start, step=step, kind=lambda x: type(x).__name__) as peer:
        memory, box = peer.ask("look", "start")()
        for _ in range(3):
            seen = box
            memory, box = peer.ask("look", "step")(memory, box)
            assert seen == box  # changed in place, and carried back
        assert memory[0].tolist() == [3, 3]
        assert memory[1] == 3
        assert box == {"n": 3}
        assert isinstance(memory, tuple)
        assert isinstance(box, dict)
        # What a test changes is no longer the original, but the plain value that the test means.
        box["n"] = 7
        assert peer.ask("look", "kind")(memory) == "Memory"
        assert peer.ask("look", "kind")(box) == "dict"
        assert peer.ask("look", "kind")([memory, box]) == "list"


def test_arrays_that_cannot_be_judged_may_be_kept() -> None:
    def step(state: Any) -> Any:
        if state is None:
            state = np.array([None, []], dtype=object)
        state[1].append(len(state[1]))
        return state

    records = np.zeros(2, dtype=[("v", float)])
    with connected(step=step, records=lambda: records, v=lambda r: r["v"]) as peer:
        state = None
        for _ in range(3):
            state = peer.ask("look", "step")(state)
        assert type(state) is Remote
        assert state.__name__ == "ndarray of object"
        assert peer.ask("look", "v")(peer.ask("look", "records")()).tolist() == [0, 0]


def test_iterators_are_drawn_from_one_by_one() -> None:
    def count() -> Iterator[int]:
        yield from range(10**9)

    with connected(count=count, zipped=lambda i: [next(i), next(i)]) as peer:
        numbers = peer.ask("look", "count")()
        assert isinstance(numbers, RemoteIterator)
        assert [next(numbers) for _ in range(3)] == [0, 1, 2]
        assert peer.ask("look", "zipped")(iter("abc")) == ["a", "b"]


def test_large_arrays_travel() -> None:
    with connected(double=lambda x: 2 * x) as peer:
        big = np.arange(1_000_000.0)
        assert np.array_equal(peer.ask("look", "double")(big), 2 * big)
        with pytest.raises(TypeError, match="too large"):
            peer.ask("look", "double")(np.zeros(20_000_000))


def test_only_what_was_handed_over_can_be_called() -> None:
    """The student may name any handle: only those given to it mean anything."""

    class Course:
        answers = 42

        def grade(self) -> int:
            return 7

    Course.__module__ = "descent_autograder.questions.catalogue"
    given_ = Course()
    tried = {
        "function": lambda f: f.func_globals,
        "attribute": lambda f: f.answers,
    }
    with connected(**tried) as peer:
        for name, target in (("function", connected), ("attribute", given_)):
            with pytest.raises(AttributeError):
                peer.ask("look", name)(target)


def replying(*frames: bytes, wait: float = 0.0, drip: bool = False, stays: bool = False) -> Peer:
    """Return the trusted end of a channel whose other end sends these bytes, come what may.

    With `stays` it then listens until it is hung up on, else it hangs up itself.
    """
    ours, theirs = socket.socketpair()

    def hostile() -> None:
        with theirs:
            for frame in frames:
                time.sleep(wait)
                for piece in [frame[i : i + 1] for i in range(len(frame))] if drip else [frame]:
                    try:
                        theirs.sendall(piece)
                    except OSError:
                        return
                    if drip:
                        time.sleep(0.2)
            time.sleep(wait)
            while stays and theirs.recv(4096):
                pass

    threading.Thread(target=hostile, daemon=True).start()
    peer = Peer(ours, TRUSTED, serve_student)
    peer.limit(1)
    return peer


def frame(body: bytes) -> bytes:
    return struct.pack("<I", len(body)) + body


def message(kind: bytes, body: bytes = b"", number: int = 0) -> bytes:
    """A frame with the number of a call; a new peer's first call is number 0."""
    return frame(kind + struct.pack("<I", number) + body)


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"\x01",
        frame(b""),
        b"\xff\xff\xff\xff" + b"x" * 100,
        frame(b"R"),
        frame(b"R\x00N"),
        message(b"R"),
        message(b"R", b"\x00"),
        message(b"R", b"\x00N") * 2,
        message(b"R", b"\x00NN"),
        message(b"R", b"\x01N"),
        message(b"R", b"\x02N"),
        message(b"R", b"\x04N" + b"i" + b"\x00" * 8),
        message(b"R", b"\x04N" + b"t\x02\x00\x00\x00NN"),
        message(b"Z"),
        message(b"C", b"\xff\xff\xff\xff\x00\x00\x00\x00"),
        message(b"C", b"\x00"),
        message(b"Q", b"N"),
        message(b"R", b"\x00N", number=1),
        message(b"R", b"\x00H\x00\x05\x00\x00\x00\x00\x00"),
    ],
)
def test_what_is_no_reply_breaks_the_channel_for_good(reply: bytes) -> None:
    peer = replying(reply)
    for _ in range(2):
        with pytest.raises(BrokenChannelError):
            peer.ask("look", "x")
    peer.close()


def test_slow_replies_are_not_waited_for() -> None:
    reply = message(b"R", b"\x00N")
    for peer in (replying(reply, wait=3), replying(reply, drip=True)):
        started = time.monotonic()
        with pytest.raises(ReplyTimeoutError):
            peer.ask("look", "x")
        assert time.monotonic() - started < 2.5
        peer.close()


def test_calls_without_end_come_to_an_end() -> None:
    """Each comes in time, and all together don't."""

    def calls(f: Any) -> None:
        while True:
            time.sleep(0.02)
            f()

    with connected(calls=calls) as peer:
        remote = peer.ask("look", "calls")
        peer.limit(0.5)
        started = time.monotonic()
        with pytest.raises(ReplyTimeoutError):
            remote(lambda: None)
        assert time.monotonic() - started < 2


def test_output_comes_along_up_to_a_limit() -> None:
    printed: list[str] = []
    body = b"\x04N" + Codec(Peer(socket.socket(), STUDENT, print)).encode(("x" * 100, "y" * 100))
    peer = replying(message(b"R", body), message(b"R", body, number=1), stays=True)
    peer.may_print = 150
    peer.on_output = lambda out, err: printed.extend((out, err))
    peer.ask("look", "x")
    peer.ask("look", "x")
    assert printed == ["x" * 100, "y" * 50, "", ""]
    peer.close()


def test_a_reply_too_many_does_not_answer_the_next_call() -> None:
    """However late it comes: each reply belongs to one call."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = Peer(ours, TRUSTED, serve_student)
        peer.limit(1)
        theirs.sendall(message(b"R", b"\x00N"))
        assert peer.ask("look", "x") is None
        theirs.sendall(message(b"R", b"\x00N"))
        with pytest.raises(BrokenChannelError, match="nobody asked for"):
            peer.ask("look", "x")


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60), st.booleans())
def test_fuzzed_replies_answer_or_break(body: bytes, framed: bool) -> None:
    fuzzed(body, framed)


@pytest.mark.soak
@settings(max_examples=10_000, deadline=None)
@given(st.binary(max_size=200), st.booleans())
def test_soak_fuzzed_replies_answer_or_break(body: bytes, framed: bool) -> None:
    fuzzed(body, framed)


def fuzzed(body: bytes, framed: bool) -> None:
    peer = replying(message(b"R", body) if framed else body)
    try:
        peer.ask("look", "x")
    except BrokenChannelError:
        assert peer.broken is not None
    except Exception:
        # the student's side may well send an exception: in a frame, and not otherwise
        if not framed:
            raise
    finally:
        peer.close()


def test_a_syntax_error_stays_one() -> None:
    with pytest.raises(SyntaxError) as caught:
        compile("def f()\n", "answer.py", "exec")
    again = rebuilt(*described(caught.value, placed=False))
    assert type(again) is SyntaxError
    assert str(again) == str(caught.value)
