"""Plain data as bytes and back, for two processes of which one is not trusted.

What travels by value: None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset,
dict, range, slice, Ellipsis, paths (as strings), numpy scalars and arrays of numbers or strings,
and numpy's random generators (as their bit generator's state). Subclasses of these travel as the
plain value that they hold; the student's side adds a handle to its own kinds of list, tuple and
dict, by which they come back as what they were (see :mod:`held`). Everything else travels as a
*handle*: a number that means something only to the side that owns the object.

Decoding builds nothing but those values: no name is looked up, no code is run, and every size is
checked against the bytes that are really there before anything is allocated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import PurePath
from struct import Struct, error
from typing import Any, NamedTuple, Protocol

import numpy as np

from . import generators
from .held import held, is_held

MAX_FRAME = 64 << 20
"""The largest message, in bytes."""
MAX_DEPTH = 50
"""How deeply containers may be nested."""
MAX_ITEMS = 1 << 20
"""How many values one message may hold, those inside arrays not counted."""
MAX_INT_BYTES = 4096
MAX_RANGE = 1_000_000
"""How many numbers a range may stand for: whoever compares one, writes them all out."""

_COUNTS = Struct("<HH")
_U16, _U32, _I64, _F64 = Struct("<H"), Struct("<I"), Struct("<q"), Struct("<d")
_C128, _RANGE, _HANDLE = Struct("<dd"), Struct("<qqq"), Struct("<BIBB")

_NUMBERS = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16", "g"]
_DTYPES = [np.dtype(code) for code in _NUMBERS]
_DTYPE_CODE = {dtype: code for code, dtype in enumerate(_DTYPES)}
_STRING_DTYPE = re.compile(r"[<>=|]?[SU]\d{1,7}")
_OTHER_NUMBER = re.compile(r"[<>][iufc]\d{1,2}")
_LABELLED, _MAX_NDIM = 255, 32
_MANY, _SHORT = 1000, 64
# What was packed or checked once needn't be again: heads of arrays, and short strings (names).
_HEADS: dict[tuple[bytes, Any, tuple[int, ...]], bytes] = {}
_KNOWN: dict[bytes, tuple[Any, tuple[int, ...], int]] = {}
_PACKED: dict[str, bytes] = {}
_READ: dict[bytes, str] = {}

Chunks = list[bytes]
Span = tuple[Any, int, int]
"""An array, and where in its message its content begins and ends."""


class MalformedError(Exception):
    """The bytes are not a message: cut short, too large, too deep, or of an unknown kind."""


class UnsendableError(TypeError):
    """A value can't travel: an array of objects, or something too large or too deep."""


class Handles(Protocol):
    """How a codec turns objects that don't travel by value into numbers and back."""

    def export(self, value: Any) -> tuple[int, int, int, str]:
        """Return ``(owner, number, kind, name)`` for ``value``."""

    def resolve(self, owner: int, number: int, kind: int, name: str) -> Any:
        """Return the object, or a stand-in, that a handle means; raise MalformedError if none."""


class Arguments(NamedTuple):
    """The decoded arguments of a call, and what is needed to see whether the call changed them.

    ``arrays`` lists all that could be changed in place, or is None where there is more than that.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    frame: bytes
    start: int
    arrays: list[Span] | None


class Codec:
    """Encodes values to bytes and decodes them, with handles for what isn't plain data.

    A message is a value, or the arguments of a call.

    Args:
        handles: numbers objects and finds them again.
        owns: whether containers of other types than Python's, and arrays of objects, are sent with
            a handle, by which they come back as what they were.
    """

    def __init__(self, handles: Handles, owns: bool = False) -> None:
        self._handles = handles
        self._owns = owns
        self._items = 0
        self._arrays: list[Span] = []
        self._saw_container = False

    # ---- encoding

    def encode(self, value: Any) -> bytes:
        """Return ``value`` as bytes.

        Raises:
            UnsendableError: something in it can't travel.
        """
        out: Chunks = []
        self._items = MAX_ITEMS
        self._encode(value, out, 0)
        return b"".join(out)

    def encode_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        """Return the arguments of a call as bytes; raises as :meth:`encode` does."""
        if len(args) > 0xFFFF or len(kwargs) > 0xFFFF:
            raise UnsendableError("more than 65535 arguments")
        out: Chunks = [_COUNTS.pack(len(args), len(kwargs))]
        self._items = MAX_ITEMS
        for value in args:
            self._encode(value, out, 0)
        for name, value in kwargs.items():
            self._put_str(name, out, 0)
            self._encode(value, out, 0)
        return b"".join(out)

    def _encode(self, value: Any, out: Chunks, depth: int) -> None:
        encoder = _ENCODERS.get(type(value)) or self._encoder_of_subclass(value)
        encoder(self, value, out, depth)

    def _encoder_of_subclass(self, value: Any) -> Callable[[Codec, Any, Chunks, int], None]:
        """Return how to send ``value``, whose exact type isn't known."""
        kind = type(value)  # not isinstance(): __class__ can lie, and then the base's methods fail
        if is_held(value):
            return Codec._put_held
        if self._owns and issubclass(kind, _CONTAINERS):
            return Codec._put_own
        for base, encoder in _BASES:
            if issubclass(kind, base):
                return encoder
        return Codec._put_handle

    def _enter(self, count: int, depth: int) -> int:
        self._items -= count
        if depth >= MAX_DEPTH:
            raise UnsendableError(f"the value is nested more than {MAX_DEPTH} levels deep")
        if self._items < 0:
            raise UnsendableError(f"the value holds more than {MAX_ITEMS} items")
        return depth + 1

    def _put_none(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"N")

    def _put_bool(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"T" if value else b"F")

    def _put_int(self, value: Any, out: Chunks, depth: int) -> None:
        try:
            out.append(b"i" + _I64.pack(value))
            return
        except error:
            value = int(value)
        size = value.bit_length() // 8 + 1
        if size > MAX_INT_BYTES:
            raise UnsendableError(f"an integer of {size} bytes is too large")
        out.append(b"I" + _U16.pack(size) + value.to_bytes(size, "little", signed=True))

    def _put_float(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"d" + _F64.pack(value))

    def _put_complex(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"c" + _C128.pack(value.real, value.imag))

    def _put_str(self, value: Any, out: Chunks, depth: int) -> None:
        exact = type(value) is str
        packed = _PACKED.get(value) if exact else None
        if packed is None:
            data = str.encode(value, "utf-8", "surrogatepass")
            packed = b"s" + _U32.pack(len(data)) + data
            if exact and len(data) <= _SHORT and len(_PACKED) < _MANY:
                _PACKED[value] = packed
        out.append(packed)

    def _put_bytes(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"b" + _U32.pack(len(value)) + bytes(value))

    def _put_list(self, value: Any, out: Chunks, depth: int) -> None:
        self._put_sequence(b"l", list(list.__iter__(value)), out, depth)

    def _put_tuple(self, value: Any, out: Chunks, depth: int) -> None:
        items = value if type(value) is tuple else list(tuple.__iter__(value))
        self._put_sequence(b"t", items, out, depth)

    def _put_set(self, value: Any, out: Chunks, depth: int) -> None:
        self._put_unordered(b"S", list(set.__iter__(value)), out, depth)

    def _put_frozenset(self, value: Any, out: Chunks, depth: int) -> None:
        self._put_unordered(b"Z", list(frozenset.__iter__(value)), out, depth)

    def _put_sequence(self, tag: bytes, items: Sequence[Any], out: Chunks, depth: int) -> None:
        depth = self._enter(len(items), depth)
        out.append(tag + _U32.pack(len(items)))
        for item in items:
            self._encode(item, out, depth)

    def _put_unordered(self, tag: bytes, items: list[Any], out: Chunks, depth: int) -> None:
        """Put a set's items in an order that both sides agree on: else it seems to have changed."""
        depth = self._enter(len(items), depth)
        out.append(tag + _U32.pack(len(items)))
        encoded = []
        for item in items:
            one: Chunks = []
            self._encode(item, one, depth)
            encoded.append(b"".join(one))
        out.extend(sorted(encoded))

    def _put_dict(self, value: Any, out: Chunks, depth: int) -> None:
        items = list(dict.items(value))
        depth = self._enter(2 * len(items), depth)
        out.append(b"D" + _U32.pack(len(items)))
        for key, item in items:
            self._encode(key, out, depth)
            self._encode(item, out, depth)

    def _put_range(self, value: Any, out: Chunks, depth: int) -> None:
        try:
            packed = _RANGE.pack(value.start, value.stop, value.step)
            count = len(value)
        except (error, OverflowError):
            raise UnsendableError("a range beyond 64 bits is too large") from None
        if count > MAX_RANGE:
            raise UnsendableError(f"a range of more than {MAX_RANGE} numbers is too large")
        out.append(b"r" + packed)

    def _put_slice(self, value: Any, out: Chunks, depth: int) -> None:
        self._put_sequence(b":", [value.start, value.stop, value.step], out, depth)

    def _put_ellipsis(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"E")

    def _put_scalar(self, value: Any, out: Chunks, depth: int) -> None:
        self._put_numbers(np.asarray(value), b"n", value, out)

    def _put_array(self, value: Any, out: Chunks, depth: int) -> None:
        self._put_numbers(value, b"A", value, out)

    def _put_numbers(self, array: Any, tag: bytes, value: Any, out: Chunks) -> None:
        try:
            _put_array_bytes(array, tag, out)
        except UnsendableError:
            if not self._owns or array.nbytes > MAX_FRAME:
                raise
            # What can't be judged may still be kept: the state of an update rule, say.
            self._put_named_handle(value, f"{type(value).__name__} of {array.dtype}", out)

    def _put_generator(self, value: Any, out: Chunks, depth: int) -> None:
        bits = value.bit_generator
        if type(bits) is np.random.PCG64:  # the customary one, as few bytes
            out.append(b"P" + generators.packed(bits))
            return
        state = bits.state
        if not generators.can_travel(state):
            raise UnsendableError("a random generator whose kind or state isn't numpy's own")
        self._put_sequence(b"G", [state], out, depth)

    def _put_random_state(self, value: Any, out: Chunks, depth: int) -> None:
        state = value.get_state(legacy=False)
        if not generators.can_travel(state, legacy=True):
            raise UnsendableError("a RandomState that isn't a Mersenne twister of numpy's own")
        self._put_sequence(b"L", [state], out, depth)

    def _put_handle(self, value: Any, out: Chunks, depth: int) -> None:
        self._put_named_handle(value, None, out)

    def _put_named_handle(self, value: Any, name: str | None, out: Chunks) -> None:
        owner, number, kind, own_name = self._handles.export(value)
        label = (own_name if name is None else name).encode("utf-8", "replace")[:100]
        out.append(b"H" + _HANDLE.pack(owner, number, kind, len(label)) + label)

    def _put_own(self, value: Any, out: Chunks, depth: int) -> None:
        """Put a container of a type of one's own: the handle, and the plain value it holds."""
        out.append(b"O")
        self._put_named_handle(value, type(value).__name__, out)
        self._put_plain(value, out, depth)

    def _put_plain(self, value: Any, out: Chunks, depth: int) -> None:
        base = next(kind for kind in _CONTAINERS if issubclass(type(value), kind))
        _ENCODERS[base](self, value, out, depth)

    def _put_held(self, value: Any, out: Chunks, depth: int) -> None:
        """Put the original back; one that has been changed here travels as a plain value."""
        plain: Chunks = []
        self._put_plain(value, plain, depth)
        if b"".join(plain) == value.content:
            self._put_handle(value.original, out, depth)
        else:
            out.extend(plain)

    # ---- decoding

    def decode(self, frame: bytes, start: int = 0) -> Any:
        """Return the value whose encoding fills ``frame`` from ``start`` to its end.

        Raises:
            MalformedError: the bytes are no such encoding.
        """
        value, end = self.decode_from(frame, start)
        if end != len(frame):
            raise MalformedError("bytes are left over after the value")
        return value

    def decode_from(self, frame: bytes, start: int) -> tuple[Any, int]:
        """Return the value encoded at ``start`` and where its encoding ends."""
        self._begin()
        try:
            return _DECODERS[frame[start]](self, frame, start + 1, 0)
        except _BROKEN as problem:
            raise MalformedError(f"{type(problem).__name__}: {problem}"[:200]) from None

    def decode_call(self, frame: bytes, start: int) -> tuple[Arguments, int]:
        """Return the arguments encoded at ``start`` and where their encoding ends."""
        self._begin()
        try:
            count, named = _COUNTS.unpack_from(frame, start)
            pos = start + 4
            args = []
            for _ in range(count):
                value, pos = _DECODERS[frame[pos]](self, frame, pos + 1, 0)
                args.append(value)
            kwargs: dict[str, Any] = {}
            for _ in range(named):
                if frame[pos] != _STR:
                    raise MalformedError("an argument without a name")
                name, pos = self._get_str(frame, pos + 1, 0)
                kwargs[name], pos = _DECODERS[frame[pos]](self, frame, pos + 1, 0)
        except _BROKEN as problem:
            raise MalformedError(f"{type(problem).__name__}: {problem}"[:200]) from None
        arrays = None if self._saw_container else self._arrays
        return Arguments(tuple(args), kwargs, frame, start, arrays), pos

    def changed(self, given: Arguments) -> bool:
        """Return whether arguments are no longer what their message says."""
        if given.arrays is None:
            now = self.encode_call(given.args, given.kwargs)
            return now != given.frame[given.start :]
        return any(a.tobytes() != given.frame[i:j] for a, i, j in given.arrays)

    def _begin(self) -> None:
        self._items = MAX_ITEMS
        self._arrays = []
        self._saw_container = False

    def _count(self, buf: Any, pos: int, depth: int, width: int = 1) -> tuple[int, int]:
        """Read a length, refusing one that the remaining bytes can't hold."""
        count: int = _U32.unpack_from(buf, pos)[0]
        if count * width > len(buf) - pos - 4:
            raise MalformedError("a length beyond the end of the message")
        self._items -= count * width
        if self._items < 0:
            raise MalformedError(f"more than {MAX_ITEMS} items")
        if depth >= MAX_DEPTH:
            raise MalformedError(f"nested more than {MAX_DEPTH} levels deep")
        return count, pos + 4

    def _get_none(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return None, pos

    def _get_true(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return True, pos

    def _get_false(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return False, pos

    def _get_ellipsis(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return ..., pos

    def _get_int(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return _I64.unpack_from(buf, pos)[0], pos + 8

    def _get_big_int(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        size = _U16.unpack_from(buf, pos)[0]
        end = pos + 2 + size
        if size > MAX_INT_BYTES or end > len(buf):
            raise MalformedError("an integer too large")
        return int.from_bytes(buf[pos + 2 : end], "little", signed=True), end

    def _get_float(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return _F64.unpack_from(buf, pos)[0], pos + 8

    def _get_complex(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return complex(*_C128.unpack_from(buf, pos)), pos + 16

    def _get_str(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        end: int = pos + 4 + _U32.unpack_from(buf, pos)[0]
        if end > len(buf):
            raise MalformedError("a length beyond the end of the message")
        data = buf[pos + 4 : end]
        text = _READ.get(data)
        if text is None:
            text = data.decode("utf-8", "surrogatepass")
            if len(data) <= _SHORT and len(_READ) < _MANY:
                _READ[data] = text
        return text, end

    def _get_bytes(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        end: int = pos + 4 + _U32.unpack_from(buf, pos)[0]
        if end > len(buf):
            raise MalformedError("a length beyond the end of the message")
        return buf[pos + 4 : end], end

    def _items_at(self, buf: Any, pos: int, depth: int) -> tuple[list[Any], int]:
        count, pos = self._count(buf, pos, depth)
        items = []
        depth += 1
        for _ in range(count):
            item, pos = _DECODERS[buf[pos]](self, buf, pos + 1, depth)
            items.append(item)
        return items, pos

    def _get_list(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        self._saw_container = True
        return self._items_at(buf, pos, depth)

    def _get_tuple(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        items, pos = self._items_at(buf, pos, depth)
        return tuple(items), pos

    def _get_set(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        self._saw_container = True
        items, pos = self._items_at(buf, pos, depth)
        return set(items), pos

    def _get_frozenset(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        items, pos = self._items_at(buf, pos, depth)
        return frozenset(items), pos

    def _get_slice(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        items, pos = self._items_at(buf, pos, depth)
        return slice(*items), pos

    def _get_dict(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        self._saw_container = True
        count, pos = self._count(buf, pos, depth, width=2)
        found: dict[Any, Any] = {}
        depth += 1
        for _ in range(count):
            key, pos = _DECODERS[buf[pos]](self, buf, pos + 1, depth)
            found[key], pos = _DECODERS[buf[pos]](self, buf, pos + 1, depth)
        return found, pos

    def _get_range(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        found = range(*_RANGE.unpack_from(buf, pos))
        if len(found) > MAX_RANGE:
            raise MalformedError("a range too large")
        return found, pos + 24

    def _get_scalar(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        array, pos = _array_at(buf, pos)
        if array.ndim:
            raise MalformedError("a scalar with dimensions")
        return array[()], pos

    def _get_array(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        array, end = _array_at(buf, pos)
        if not self._saw_container:
            self._arrays.append((array, end - array.nbytes, end))
        return array, end

    def _state_at(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        self._saw_container = True
        (state,), pos = self._items_at(buf, pos, depth)
        return state, pos

    def _get_generator(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        state, pos = self._state_at(buf, pos, depth)
        return generators.generator(state), pos

    def _get_customary_generator(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        self._saw_container = True
        end = pos + generators.PACKED_SIZE
        return generators.unpacked(buf[pos:end]), end

    def _get_random_state(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        state, pos = self._state_at(buf, pos, depth)
        return generators.random_state(state), pos

    def _get_handle(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        owner, number, kind, length = _HANDLE.unpack_from(buf, pos)
        start = pos + _HANDLE.size
        end = start + length
        if end > len(buf):
            raise MalformedError("a name beyond the end of the message")
        name = bytes(buf[start:end]).decode("utf-8", "replace")
        found = self._handles.resolve(owner, number, kind, name)
        # One's own container, back from the other side, may be changed in place as well.
        self._saw_container |= issubclass(type(found), _CONTAINERS)
        return found, end

    def _get_own(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        if buf[pos] != _HANDLE_TAG:
            raise MalformedError("a container without its handle")
        original, start = self._get_handle(buf, pos + 1, depth)
        if buf[start] not in _PLAIN_CONTAINERS:
            raise MalformedError("a container that is none")
        plain, end = _DECODERS[buf[start]](self, buf, start + 1, depth)
        return held(plain, original, bytes(buf[start:end])), end


def _put_array_bytes(array: Any, tag: bytes, out: Chunks) -> None:
    """Append kind, shape and content of an array of numbers or strings."""
    dtype, shape = array.dtype, array.shape
    head = _HEADS.get((tag, dtype, shape))
    if head is None:
        head = tag + _head(dtype, shape)
        if len(_HEADS) < _MANY:
            _HEADS[tag, dtype, shape] = head
    if array.nbytes > MAX_FRAME:
        raise UnsendableError(f"an array of {array.nbytes} bytes is too large")
    out.append(head)
    out.append(array.tobytes())


def _head(dtype: Any, shape: tuple[int, ...]) -> bytes:
    if _claims_too_much(shape):
        raise UnsendableError(f"an empty array of shape {shape} is too large")
    code = _DTYPE_CODE.get(dtype)
    if code is not None:
        kind = bytes((code, len(shape)))
    elif _STRING_DTYPE.fullmatch(dtype.str) or _OTHER_NUMBER.fullmatch(dtype.str):
        label = dtype.str.encode()
        kind = bytes((_LABELLED, len(shape), len(label))) + label
    else:
        raise UnsendableError(f"an array of dtype {dtype} can't be judged: use an array of numbers")
    return kind + Struct(f"<{len(shape)}Q").pack(*shape)


def _array_at(buf: bytes, pos: int) -> tuple[Any, int]:
    """Return the array encoded at ``pos``, as a writable copy, and where it ends."""
    code, ndim = buf[pos], buf[pos + 1]
    if code == _LABELLED:
        return _labelled_array_at(buf, pos)
    start = pos + 2 + 8 * ndim
    head = buf[pos:start]
    known = _KNOWN.get(head)
    if known is None:
        dtype, shape = _DTYPES[code], _shape(buf, pos + 2, ndim)
        known = dtype, shape, _length(shape) * dtype.itemsize
        if len(_KNOWN) < _MANY:
            _KNOWN[head] = known
    dtype, shape, size = known
    end = start + size
    if end > len(buf):
        raise MalformedError("an array beyond the end of the message")
    if code == 0:  # bytes other than 0 and 1 would make a bool that is neither
        return np.ndarray(shape, np.uint8, buf, start).astype(bool), end
    return np.ndarray(shape, dtype, buf, start).copy(), end


def _labelled_array_at(buf: bytes, pos: int) -> tuple[Any, int]:
    """Return an array whose dtype is written out: of strings, or in another byte order."""
    ndim = buf[pos + 1]
    end = pos + 3 + buf[pos + 2]
    label = buf[pos + 3 : end].decode("ascii")
    if not (_STRING_DTYPE.fullmatch(label) or _OTHER_NUMBER.fullmatch(label)):
        raise MalformedError("an unknown dtype")
    dtype, shape = np.dtype(label), _shape(buf, end, ndim)
    start = end + 8 * ndim
    size = _length(shape) * dtype.itemsize
    if start + size > len(buf) or dtype.itemsize == 0:
        raise MalformedError("an array beyond the end of the message")
    if dtype.kind == "U":
        points = np.frombuffer(buf, dtype.str[0] + "u4", size // 4, start)
        if points.max(initial=0) > 0x10FFFF:
            raise MalformedError("a string with impossible characters")
    return np.ndarray(shape, dtype, buf, start).copy(), start + size


def _shape(buf: bytes, pos: int, ndim: int) -> tuple[int, ...]:
    """Return the shape written at ``pos``; raises MalformedError for one that can't be."""
    if ndim > _MAX_NDIM:
        raise MalformedError(f"more than {_MAX_NDIM} dimensions")
    shape = Struct(f"<{ndim}Q").unpack_from(buf, pos)
    if max(shape, default=0) > MAX_FRAME or _claims_too_much(shape):
        raise MalformedError("an array beyond the end of the message")
    return shape


def _claims_too_much(shape: tuple[int, ...]) -> bool:
    """Return whether an empty array is long in a way that no bytes vouch for."""
    return 0 in shape and _length(tuple(filter(None, shape))) > MAX_ITEMS


def _length(shape: tuple[int, ...]) -> int:
    count = 1
    for length in shape:
        count *= length
    return count


_ENCODERS: dict[type, Callable[[Codec, Any, Chunks, int], None]] = {
    type(None): Codec._put_none,
    bool: Codec._put_bool,
    int: Codec._put_int,
    float: Codec._put_float,
    complex: Codec._put_complex,
    str: Codec._put_str,
    bytes: Codec._put_bytes,
    bytearray: Codec._put_bytes,
    list: Codec._put_list,
    tuple: Codec._put_tuple,
    set: Codec._put_set,
    frozenset: Codec._put_frozenset,
    dict: Codec._put_dict,
    range: Codec._put_range,
    slice: Codec._put_slice,
    type(...): Codec._put_ellipsis,
    np.ndarray: Codec._put_array,
    np.random.Generator: Codec._put_generator,
    np.random.RandomState: Codec._put_random_state,
}
_BASES: list[tuple[type, Callable[[Codec, Any, Chunks, int], None]]] = [
    (np.generic, Codec._put_scalar),
    (np.ndarray, lambda codec, value, out, depth: codec._put_array(np.asarray(value), out, depth)),
    *[(kind, _ENCODERS[kind]) for kind in (int, float, complex, str, bytes)],
    *[(kind, _ENCODERS[kind]) for kind in (list, tuple, set, frozenset, dict)],
    (PurePath, lambda codec, value, out, depth: codec._put_str(str(value), out, depth)),
]
_ENCODERS.update({dtype.type: Codec._put_scalar for dtype in _DTYPES})

_CONTAINERS = (tuple, list, dict)
_HANDLE_TAG, _PLAIN_CONTAINERS = b"H"[0], b"tlD"
_BROKEN = (LookupError, ValueError, TypeError, AttributeError, OverflowError, error, MemoryError)
_STR = b"s"[0]

_DECODERS: dict[int, Callable[[Codec, Any, int, int], tuple[Any, int]]] = {
    tag[0]: decoder
    for tag, decoder in {
        b"N": Codec._get_none,
        b"T": Codec._get_true,
        b"F": Codec._get_false,
        b"i": Codec._get_int,
        b"I": Codec._get_big_int,
        b"d": Codec._get_float,
        b"c": Codec._get_complex,
        b"s": Codec._get_str,
        b"b": Codec._get_bytes,
        b"l": Codec._get_list,
        b"t": Codec._get_tuple,
        b"S": Codec._get_set,
        b"Z": Codec._get_frozenset,
        b"D": Codec._get_dict,
        b"r": Codec._get_range,
        b":": Codec._get_slice,
        b"E": Codec._get_ellipsis,
        b"n": Codec._get_scalar,
        b"A": Codec._get_array,
        b"G": Codec._get_generator,
        b"P": Codec._get_customary_generator,
        b"L": Codec._get_random_state,
        b"H": Codec._get_handle,
        b"O": Codec._get_own,
    }.items()
}
