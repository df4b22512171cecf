"""Bytes as plain data; :mod:`wire` says what travels how."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, error
from typing import Any, NamedTuple

import numpy as np

from . import generators
from .boxed import boxed
from .wire import (
    C128,
    CONTAINERS,
    COUNTS,
    DTYPES,
    F64,
    HANDLE,
    I64,
    LABELLED,
    MANY,
    MAX_DEPTH,
    MAX_FRAME,
    MAX_INT_BYTES,
    MAX_ITEMS,
    MAX_RANGE,
    OTHER_NUMBER,
    RANGE,
    SHORT,
    STRING_DTYPE,
    U16,
    U32,
    Handles,
    MalformedError,
    claims_too_much,
    length_of,
)

_MAX_NDIM = 32
# What was checked once needn't be again: heads of arrays, and short strings (names).
_KNOWN: dict[bytes, tuple[Any, tuple[int, ...], int]] = {}
_READ: dict[bytes, str] = {}

Span = tuple[Any, int, int]
"""An array, and where in its message its content begins and ends."""

_HANDLE_TAG, _PLAIN_CONTAINERS = b"H"[0], b"tlD"
_BROKEN = (LookupError, ValueError, TypeError, AttributeError, OverflowError, error, MemoryError)
_STR = b"s"[0]


class Arguments(NamedTuple):
    """The decoded arguments of a call, and what is needed to see whether the call changed them.

    ``arrays`` lists all that could be changed in place, or is None where there is more than that.
    """

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    frame: bytes
    start: int
    arrays: list[Span] | None


class Decoder:
    """Reads values from bytes, building nothing but plain data.

    Args:
        handles: finds objects again by their numbers.
    """

    def __init__(self, handles: Handles) -> None:
        self._handles = handles
        self._items = 0
        self._arrays: list[Span] = []
        self._saw_container = False

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
            count, named = COUNTS.unpack_from(frame, start)
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

    def _begin(self) -> None:
        self._items = MAX_ITEMS
        self._arrays = []
        self._saw_container = False

    def _count(self, buf: Any, pos: int, depth: int, width: int = 1) -> tuple[int, int]:
        """Read a length, refusing one that the remaining bytes can't hold."""
        count: int = U32.unpack_from(buf, pos)[0]
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
        return I64.unpack_from(buf, pos)[0], pos + 8

    def _get_big_int(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        size = U16.unpack_from(buf, pos)[0]
        end = pos + 2 + size
        if size > MAX_INT_BYTES or end > len(buf):
            raise MalformedError("an integer too large")
        return int.from_bytes(buf[pos + 2 : end], "little", signed=True), end

    def _get_float(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return F64.unpack_from(buf, pos)[0], pos + 8

    def _get_complex(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        return complex(*C128.unpack_from(buf, pos)), pos + 16

    def _get_str(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        end: int = pos + 4 + U32.unpack_from(buf, pos)[0]
        if end > len(buf):
            raise MalformedError("a length beyond the end of the message")
        data = buf[pos + 4 : end]
        text = _READ.get(data)
        if text is None:
            text = data.decode("utf-8", "surrogatepass")
            if len(data) <= SHORT and len(_READ) < MANY:
                _READ[data] = text
        return text, end

    def _get_bytes(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        end: int = pos + 4 + U32.unpack_from(buf, pos)[0]
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
        found = range(*RANGE.unpack_from(buf, pos))
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
        owner, number, kind, length = HANDLE.unpack_from(buf, pos)
        start = pos + HANDLE.size
        end = start + length
        if end > len(buf):
            raise MalformedError("a name beyond the end of the message")
        name = bytes(buf[start:end]).decode("utf-8", "replace")
        found = self._handles.resolve(owner, number, kind, name)
        # One's own container, back from the other side, may be changed in place as well.
        self._saw_container |= issubclass(type(found), CONTAINERS)
        return found, end

    def _get_own(self, buf: Any, pos: int, depth: int) -> tuple[Any, int]:
        if buf[pos] != _HANDLE_TAG:
            raise MalformedError("a container without its handle")
        original, start = self._get_handle(buf, pos + 1, depth)
        if buf[start] not in _PLAIN_CONTAINERS:
            raise MalformedError("a container that is none")
        plain, end = _DECODERS[buf[start]](self, buf, start + 1, depth)
        return boxed(plain, original, bytes(buf[start:end])), end


def _array_at(buf: bytes, pos: int) -> tuple[Any, int]:
    """Return the array encoded at ``pos``, as a writable copy, and where it ends."""
    code, ndim = buf[pos], buf[pos + 1]
    if code == LABELLED:
        return _labelled_array_at(buf, pos)
    start = pos + 2 + 8 * ndim
    head = buf[pos:start]
    known = _KNOWN.get(head)
    if known is None:
        dtype, shape = DTYPES[code], _shape(buf, pos + 2, ndim)
        known = dtype, shape, length_of(shape) * dtype.itemsize
        if len(_KNOWN) < MANY:
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
    if not (STRING_DTYPE.fullmatch(label) or OTHER_NUMBER.fullmatch(label)):
        raise MalformedError("an unknown dtype")
    dtype, shape = np.dtype(label), _shape(buf, end, ndim)
    start = end + 8 * ndim
    size = length_of(shape) * dtype.itemsize
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
    if max(shape, default=0) > MAX_FRAME or claims_too_much(shape):
        raise MalformedError("an array beyond the end of the message")
    return shape


_DECODERS: dict[int, Callable[[Decoder, Any, int, int], tuple[Any, int]]] = {
    tag[0]: decoder
    for tag, decoder in {
        b"N": Decoder._get_none,
        b"T": Decoder._get_true,
        b"F": Decoder._get_false,
        b"i": Decoder._get_int,
        b"I": Decoder._get_big_int,
        b"d": Decoder._get_float,
        b"c": Decoder._get_complex,
        b"s": Decoder._get_str,
        b"b": Decoder._get_bytes,
        b"l": Decoder._get_list,
        b"t": Decoder._get_tuple,
        b"S": Decoder._get_set,
        b"Z": Decoder._get_frozenset,
        b"D": Decoder._get_dict,
        b"r": Decoder._get_range,
        b":": Decoder._get_slice,
        b"E": Decoder._get_ellipsis,
        b"n": Decoder._get_scalar,
        b"A": Decoder._get_array,
        b"G": Decoder._get_generator,
        b"P": Decoder._get_customary_generator,
        b"L": Decoder._get_random_state,
        b"H": Decoder._get_handle,
        b"O": Decoder._get_own,
    }.items()
}
