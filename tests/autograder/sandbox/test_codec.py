"""The codec: what it carries comes out equal; what isn't a message is refused, whatever it is."""

from __future__ import annotations

import enum
import math
import struct
from collections import Counter, OrderedDict, namedtuple
from typing import Any

import numpy as np
import pytest
from descent_autograder.sandbox.inside import wire
from descent_autograder.sandbox.inside.codec import Codec, MalformedError, UnsendableError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

# Generated slowly where the machine is busy; that says nothing about the codec.
patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


class Objects:
    """Hands out numbers for objects and takes them back."""

    def __init__(self) -> None:
        self.objects: list[Any] = []

    def export(self, value: Any) -> tuple[int, int, int, str]:
        self.objects.append(value)
        return 0, len(self.objects) - 1, int(callable(value)), getattr(value, "__name__", "")

    def resolve(self, owner: int, number: int, kind: int, name: str) -> Any:
        if owner != 0 or number >= len(self.objects):
            raise MalformedError("no such handle")
        return self.objects[number]


def carried(value: Any) -> Any:
    both = Codec(Objects())
    return both.decode(both.encode(value))


def same(a: Any, b: Any) -> bool:
    """Return whether two plain values are equal, of the same types, NaN equal to itself."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if isinstance(a, np.generic):
        return a.dtype == b.dtype and a.tobytes() == b.tobytes()
    if isinstance(a, float):
        return struct.pack("d", a) == struct.pack("d", b)
    if isinstance(a, complex):
        return same(a.real, b.real) and same(a.imag, b.imag)
    if isinstance(a, dict):
        return all(same(x, y) for x, y in zip(a.items(), b.items(), strict=True))
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, slice):
        return same((a.start, a.stop, a.step), (b.start, b.stop, b.step))
    return bool(a == b)


keys = (
    st.none()
    | st.booleans()
    | st.integers(-(2**200), 2**200)
    | st.text()
    | st.binary()
    | st.floats(allow_nan=False)
)
arrays = hnp.arrays(
    hnp.scalar_dtypes().filter(lambda d: d.kind in "biufc") | hnp.unicode_string_dtypes(max_len=5),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
)
leaves = (
    keys
    | st.floats()
    | st.complex_numbers()
    | arrays
    | arrays.filter(lambda a: a.size and a.dtype.kind != "U").map(lambda a: a.ravel()[0])
    | st.builds(range, st.integers(-9, 9), st.integers(-9, 9))
    | st.builds(slice, st.integers(-9, 9) | st.none(), st.integers(-9, 9))
    | st.just(...)
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.sets(keys)
        | st.frozensets(keys)
    ),
    max_leaves=20,
)


@patient
@given(values)
def test_plain_data_comes_out_equal(value: Any) -> None:
    assert same(carried(value), value)


@patient
@given(st.lists(values, max_size=5), st.dictionaries(st.text(max_size=5), values, max_size=3))
def test_arguments_come_out_equal_and_unchanged(args: list[Any], kwargs: dict[str, Any]) -> None:
    both = Codec(Objects())
    message = both.encode_call(tuple(args), kwargs)
    given_, end = both.decode_call(message, 0)
    assert end == len(message)
    assert same(given_.args, tuple(args))
    assert same(given_.kwargs, kwargs)
    assert not both.changed(given_)


@patient
@given(hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4)))
def test_a_changed_array_is_noticed(array: Any) -> None:
    both = Codec(Objects())
    given_, _ = both.decode_call(both.encode_call((array,), {}), 0)
    given_.args[0].flat[0] = 1.0 if array.flat[0] != 1.0 else 2.0
    assert both.changed(given_)


def test_changes_within_containers_are_noticed() -> None:
    both = Codec(Objects())
    given_, _ = both.decode_call(both.encode_call(({"w": np.zeros(2)}, [1]), {}), 0)
    assert not both.changed(given_)
    given_.args[0]["w"][1] = 1
    assert both.changed(given_)


def test_arrays_arrive_writable_and_contiguous() -> None:
    for array in (np.arange(6.0).reshape(2, 3).T, np.arange(9)[::2], np.asfortranarray(np.eye(3))):
        got = carried(array)
        assert np.array_equal(got, array)
        assert got.flags.c_contiguous
        assert got.flags.writeable
        assert got.flags.owndata


@pytest.mark.parametrize("bits", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_arrive_in_the_same_state(bits: str) -> None:
    rng = np.random.Generator(getattr(np.random, bits)(7))
    rng.integers(0, 9, dtype=np.int32)  # leaves half a word behind
    assert np.array_equal(carried(rng).normal(size=9), rng.normal(size=9))
    legacy = np.random.RandomState(3)
    legacy.normal()
    assert np.array_equal(carried(legacy).normal(size=9), legacy.normal(size=9))


BITS = ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"]


def state_of(bits: str) -> dict[str, Any]:
    made = getattr(np.random, bits)(7)
    made.random_raw(3)
    return dict(made.state)


def legacy_state() -> dict[str, Any]:
    return dict(np.random.RandomState(3).get_state(legacy=False))


def arrived(tag: bytes, state: Any) -> Any:
    """What a state becomes that the other side has put together by hand."""
    both = Codec(Objects())
    return both.decode(tag + both.encode([state])[1:])


def with_changed(state: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    return {**state, first: with_changed(state[first], rest, value) if rest else value}


FORGED = [
    *[("MT19937", "state.pos", pos) for pos in (-1, 625, -30_000, 1 << 20, 2.0, True, None)],
    *[("Philox", "buffer_pos", pos) for pos in (-1, 5, -(1 << 31), 1 << 31, 1.0, False)],
    ("MT19937", "state.key", np.zeros(623, np.uint32)),
    ("MT19937", "state.key", np.zeros(624, np.uint64)),
    ("MT19937", "state.key", [0] * 624),
    ("MT19937", "state.more", 1),
    ("MT19937", "has_uint32", 0),
    ("MT19937", "state", (np.zeros(624, np.uint32), 0)),
    ("Philox", "buffer", np.zeros(3, np.uint64)),
    ("Philox", "buffer", np.zeros(4, ">u8")),
    ("Philox", "state.counter", np.zeros((4, 1), np.uint64)),
    ("Philox", "state.key", np.zeros(4, np.uint64)),
    ("Philox", "has_uint32", 2),
    ("PCG64", "state.inc", 2),
    ("PCG64", "state.inc", (1 << 128) + 1),
    ("PCG64", "state.state", -1),
    ("PCG64", "state.state", 1 << 128),
    ("PCG64", "uinteger", 1 << 32),
    ("PCG64DXSM", "has_uint32", -1),
    ("SFC64", "state.state", np.zeros(5, np.uint64)),
    ("SFC64", "state.state", np.zeros(4)),
    ("SFC64", "uinteger", np.uint32(1)),
    ("SFC64", "bit_generator", "BitGenerator"),
    ("SFC64", "bit_generator", ["SFC64"]),
    ("PCG64", "bit_generator", "MT19937"),
]


@pytest.mark.parametrize(("bits", "path", "value"), FORGED)
def test_a_generator_s_state_is_looked_at_whole(bits: str, path: str, value: Any) -> None:
    """numpy itself takes most of these, and then reads beyond its own words."""
    with pytest.raises(MalformedError):
        arrived(b"G", with_changed(state_of(bits), path, value))


@pytest.mark.parametrize(
    ("path", "value"),
    [("has_gauss", 2), ("gauss", 0), ("gauss", None), ("state.pos", 700), ("state.pos", -4)],
)
def test_a_legacy_generator_s_too(path: str, value: Any) -> None:
    assert isinstance(arrived(b"L", legacy_state()), np.random.RandomState)
    with pytest.raises(MalformedError):
        arrived(b"L", with_changed(legacy_state(), path, value))


@pytest.mark.parametrize("state", [None, [], {}, {"bit_generator": "PCG64"}, Objects(), "PCG64"])
def test_what_is_no_state_makes_no_generator(state: Any) -> None:
    for tag in (b"G", b"L"):
        with pytest.raises(MalformedError):
            arrived(tag, state)
    with pytest.raises(
        MalformedError
    ):  # a twister's state without RandomState's own part, and v.v.
        arrived(b"L", state_of("MT19937"))
    with pytest.raises(MalformedError):
        arrived(b"G", legacy_state())


ODD, HALF = b"\x01" + bytes(15), struct.Struct("<BI")


@pytest.mark.parametrize(
    "packed",
    [
        bytes(16) + bytes(16) + HALF.pack(0, 0),  # an even increment: no such generator
        bytes(16) + ODD + HALF.pack(2, 0),
        bytes(16) + ODD + HALF.pack(0, 0)[:-1],
        bytes(16) + ODD,
        b"",
    ],
)
def test_a_packed_state_is_looked_at_whole(packed: bytes) -> None:
    sound = Codec(Objects()).decode(b"P" + bytes(16) + ODD + HALF.pack(1, 7))
    assert sound.bit_generator.state["uinteger"] == 7
    with pytest.raises(MalformedError):
        Codec(Objects()).decode(b"P" + packed)


@patient
@given(st.integers(0, (1 << 128) - 1), st.integers(0, (1 << 127) - 1), st.booleans())
def test_any_state_of_the_customary_generator_arrives(state: int, inc: int, has: bool) -> None:
    rng = np.random.default_rng(0)
    rng.bit_generator.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": 2 * inc + 1},
        "has_uint32": int(has),
        "uinteger": (state & 0xFFFFFFFF) * has,
    }
    assert carried(rng).bit_generator.state == rng.bit_generator.state


def test_a_generator_that_arrived_has_children_of_its_own() -> None:
    first, second = carried(np.random.default_rng(1)).spawn(2)
    again = carried(np.random.default_rng(1)).spawn(1)[0]
    other = carried(np.random.default_rng(2)).spawn(1)[0]
    drawn = [rng.random() for rng in (first, second, again, other)]
    assert drawn[0] == drawn[2]
    assert len(set(drawn)) == 3


@patient
@given(st.sampled_from(BITS), st.data())
def test_mangled_states_stay_within_their_words_or_are_refused(
    bits: str, data: st.DataObject
) -> None:
    state: dict[str, Any] = state_of(bits)
    paths = [k for k in state if k != "state"] + [f"state.{k}" for k in state["state"]]
    numbers = st.integers(-(2**40), 2**40) | st.integers(-8, 700) | st.integers(-(2**130), 2**130)
    words = hnp.arrays(st.sampled_from([np.uint32, np.uint64, np.int64]), st.integers(0, 6))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(paths))
        state = with_changed(state, path, data.draw(numbers | words | leaves))
    try:
        made = arrived(b"G", state).bit_generator
    except MalformedError:
        return
    assert 0 <= made.state.get("buffer_pos", 0) <= 4
    assert 0 <= made.state["state"].get("pos", 0) <= 624
    assert same(made.state, state)
    made.random_raw(10)


def test_subclasses_arrive_as_the_plain_values_they_hold() -> None:
    class Equal(dict):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

        def items(self) -> Any:
            return [("forged", 1)]

    class EqualArray(np.ndarray):
        def __eq__(self, other: object) -> Any:
            return np.ones(self.shape, bool)

        __hash__ = None  # type: ignore[assignment]

    pair = namedtuple("pair", "a b")
    number = enum.IntEnum("number", {"one": 1}).one
    assert same(carried(Equal(a=1)), {"a": 1})
    assert type(carried(np.zeros(3).view(EqualArray))) is np.ndarray
    assert same(carried(pair(1, 2)), (1, 2))
    assert same(carried(number), 1)
    assert same(carried(OrderedDict(a=1)), {"a": 1})
    assert same(carried(Counter("aa")), {"a": 2})


def test_everything_else_travels_by_handle() -> None:
    class Anything:
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = None  # type: ignore[assignment]

    for value in (Anything(), len, Anything, iter([1]), (x for x in "a"), object()):
        assert carried(value) is value


def test_what_cannot_travel_is_refused_kindly() -> None:
    both = Codec(Objects())
    nested: list[Any] = []
    nested.append(nested)
    for value, word in [
        (np.array([None, {}], dtype=object), "dtype object"),
        (np.zeros(2, dtype="f8,i4"), "array of numbers"),
        (nested, "nested"),
        (1 << 60_000, "too large"),
        ([0] * (wire.MAX_ITEMS + 1), "items"),
        (range(10**30), "range"),
        (range(-(1 << 63), (1 << 63) - 1), "range"),
        (range(wire.MAX_RANGE + 1), "range"),
        (np.zeros((0, wire.MAX_ITEMS + 1)), "empty array"),
        (np.random.RandomState(np.random.PCG64(1)), "RandomState"),
    ]:
        with pytest.raises(UnsendableError, match=word):
            both.encode(value)


def test_a_bool_is_one_of_two() -> None:
    both = Codec(Objects())
    message = bytearray(both.encode(np.array([True, False])))
    message[-2:] = b"\x02\xff"
    got = both.decode(bytes(message))
    assert got.tobytes() == b"\x01\x01"


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"?",
        b"i\x00",
        b"s\xff\xff\xff\xff",
        b"l\xff\xff\xff\x7f",
        b"D\x01\x00\x00\x00l\x00\x00\x00\x00N",  # a list as a key
        b"l\x01\x00\x00\x00" * 60 + b"N",
        b"A\x0b\x01" + struct.pack("<Q", 1 << 60),
        b"A\x0b\x02" + struct.pack("<QQ", 0, 1 << 60),
        b"A\x0b\x40" + b"\x00" * 512,
        b"A\xfe\x00",
        b"A\xff\x00\x02|O" + b"\x00" * 8,
        b"A\xff\x01\x03<U1" + struct.pack("<QI", 1, 0x110000),
        b"G\x01\x00\x00\x00D\x01\x00\x00\x00s\x0d\x00\x00\x00bit_generators\x02\x00\x00\x00os",
        b"G\x01\x00\x00\x00N",
        b"H\x00\xff\xff\xff\xff\x00\x00",
        b"H\x07\x00\x00\x00\x00\x00\x00",
        b"n\x0b\x01" + struct.pack("<Qd", 1, 1.0),
        b"I\xff\xff",
        b":\x01\x00\x00\x00N\x00",
        b"s\x02\x00\x00\x00\xff\xff",
        b"r" + struct.pack("<qqq", 0, 1, 0),
        b"r" + struct.pack("<qqq", 0, wire.MAX_RANGE + 1, 1),
        b"r" + struct.pack("<qqq", -(1 << 63), (1 << 63) - 1, 1),
        b"A\x0b\x02" + struct.pack("<QQ", 1 << 22, 0),
    ],
)
def test_what_is_no_message_is_refused(message: bytes) -> None:
    with pytest.raises(MalformedError):
        Codec(Objects()).decode(message)


@settings(patient, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(message: bytes) -> None:
    refuses_or_decodes(message)


@settings(patient, max_examples=300)
@given(values, st.data())
def test_mangled_messages_decode_or_are_refused(value: Any, data: st.DataObject) -> None:
    message = bytearray(Codec(Objects()).encode(value))
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, max(0, len(message) - 1)))
        message[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    refuses_or_decodes(bytes(message))


@pytest.mark.soak
@settings(patient, max_examples=10_000)
@given(st.binary(max_size=400))
def test_soak_any_bytes_decode_or_are_refused(message: bytes) -> None:
    refuses_or_decodes(message)


def refuses_or_decodes(message: bytes) -> None:
    both = Codec(Objects())
    for decode in (both.decode, lambda m: both.decode_call(m, 0)):
        try:
            decode(message)
        except MalformedError:
            continue


def test_nan_is_nan_on_the_other_side() -> None:
    assert math.isnan(carried(float("nan")))
