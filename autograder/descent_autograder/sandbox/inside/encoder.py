"""Plain data as bytes; :mod:`wire` says what travels how."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from struct import Struct, error
from typing import Any

import numpy as np

from . import generators
from .boxed import is_boxed
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
    UnsendableError,
    claims_too_much,
)

# What was packed once needn't be again: heads of arrays, and short strings (names).
_HEADS: dict[tuple[bytes, Any, tuple[int, ...]], bytes] = {}
_PACKED: dict[str, bytes] = {}
_DTYPE_CODE = {dtype: code for code, dtype in enumerate(DTYPES)}

Chunks = list[bytes]


class Encoder:
    """Writes values as bytes.

    Args:
        handles: numbers objects that don't travel by value.
        owns: whether containers of other types than Python's, and arrays of objects, are sent with
            a handle, by which they come back as what they were.
    """

    def __init__(self, handles: Handles, owns: bool = False) -> None:
        self._handles = handles
        self._owns = owns
        self._items = 0

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
        out: Chunks = [COUNTS.pack(len(args), len(kwargs))]
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

    def _encoder_of_subclass(self, value: Any) -> Callable[[Encoder, Any, Chunks, int], None]:
        """Return how to send ``value``, whose exact type isn't known."""
        kind = type(value)  # not isinstance(): __class__ can lie, and then the base's methods fail
        if is_boxed(value):
            return Encoder._put_boxed
        if self._owns and issubclass(kind, CONTAINERS):
            return Encoder._put_own
        for base, encoder in _BASES:
            if issubclass(kind, base):
                return encoder
        return Encoder._put_handle

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
            out.append(b"i" + I64.pack(value))
            return
        except error:
            value = int(value)
        size = value.bit_length() // 8 + 1
        if size > MAX_INT_BYTES:
            raise UnsendableError(f"an integer of {size} bytes is too large")
        out.append(b"I" + U16.pack(size) + value.to_bytes(size, "little", signed=True))

    def _put_float(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"d" + F64.pack(value))

    def _put_complex(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"c" + C128.pack(value.real, value.imag))

    def _put_str(self, value: Any, out: Chunks, depth: int) -> None:
        exact = type(value) is str
        packed = _PACKED.get(value) if exact else None
        if packed is None:
            data = str.encode(value, "utf-8", "surrogatepass")
            packed = b"s" + U32.pack(len(data)) + data
            if exact and len(data) <= SHORT and len(_PACKED) < MANY:
                _PACKED[value] = packed
        out.append(packed)

    def _put_bytes(self, value: Any, out: Chunks, depth: int) -> None:
        out.append(b"b" + U32.pack(len(value)) + bytes(value))

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
        out.append(tag + U32.pack(len(items)))
        for item in items:
            self._encode(item, out, depth)

    def _put_unordered(self, tag: bytes, items: list[Any], out: Chunks, depth: int) -> None:
        """Put a set's items in an order that both sides agree on: else it seems to have changed."""
        depth = self._enter(len(items), depth)
        out.append(tag + U32.pack(len(items)))
        encoded = []
        for item in items:
            one: Chunks = []
            self._encode(item, one, depth)
            encoded.append(b"".join(one))
        out.extend(sorted(encoded))

    def _put_dict(self, value: Any, out: Chunks, depth: int) -> None:
        items = list(dict.items(value))
        depth = self._enter(2 * len(items), depth)
        out.append(b"D" + U32.pack(len(items)))
        for key, item in items:
            self._encode(key, out, depth)
            self._encode(item, out, depth)

    def _put_range(self, value: Any, out: Chunks, depth: int) -> None:
        try:
            packed = RANGE.pack(value.start, value.stop, value.step)
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
        out.append(b"H" + HANDLE.pack(owner, number, kind, len(label)) + label)

    def _put_own(self, value: Any, out: Chunks, depth: int) -> None:
        """Put a container of a type of one's own: the handle, and the plain value it holds."""
        out.append(b"O")
        self._put_named_handle(value, type(value).__name__, out)
        self._put_plain(value, out, depth)

    def _put_plain(self, value: Any, out: Chunks, depth: int) -> None:
        base = next(kind for kind in CONTAINERS if issubclass(type(value), kind))
        _ENCODERS[base](self, value, out, depth)

    def _put_boxed(self, value: Any, out: Chunks, depth: int) -> None:
        """Put the original back; one that has been changed here travels as a plain value."""
        plain: Chunks = []
        self._put_plain(value, plain, depth)
        if b"".join(plain) == value.content:
            self._put_handle(value.original, out, depth)
        else:
            out.extend(plain)


def _put_array_bytes(array: Any, tag: bytes, out: Chunks) -> None:
    """Append kind, shape and content of an array of numbers or strings."""
    dtype, shape = array.dtype, array.shape
    head = _HEADS.get((tag, dtype, shape))
    if head is None:
        head = tag + _head(dtype, shape)
        if len(_HEADS) < MANY:
            _HEADS[tag, dtype, shape] = head
    if array.nbytes > MAX_FRAME:
        raise UnsendableError(f"an array of {array.nbytes} bytes is too large")
    out.append(head)
    out.append(array.tobytes())


def _head(dtype: Any, shape: tuple[int, ...]) -> bytes:
    if claims_too_much(shape):
        raise UnsendableError(f"an empty array of shape {shape} is too large")
    code = _DTYPE_CODE.get(dtype)
    if code is not None:
        kind = bytes((code, len(shape)))
    elif STRING_DTYPE.fullmatch(dtype.str) or OTHER_NUMBER.fullmatch(dtype.str):
        label = dtype.str.encode()
        kind = bytes((LABELLED, len(shape), len(label))) + label
    else:
        raise UnsendableError(f"an array of dtype {dtype} can't be judged: use an array of numbers")
    return kind + Struct(f"<{len(shape)}Q").pack(*shape)


_ENCODERS: dict[type, Callable[[Encoder, Any, Chunks, int], None]] = {
    type(None): Encoder._put_none,
    bool: Encoder._put_bool,
    int: Encoder._put_int,
    float: Encoder._put_float,
    complex: Encoder._put_complex,
    str: Encoder._put_str,
    bytes: Encoder._put_bytes,
    bytearray: Encoder._put_bytes,
    list: Encoder._put_list,
    tuple: Encoder._put_tuple,
    set: Encoder._put_set,
    frozenset: Encoder._put_frozenset,
    dict: Encoder._put_dict,
    range: Encoder._put_range,
    slice: Encoder._put_slice,
    type(...): Encoder._put_ellipsis,
    np.ndarray: Encoder._put_array,
    np.random.Generator: Encoder._put_generator,
    np.random.RandomState: Encoder._put_random_state,
}
_BASES: list[tuple[type, Callable[[Encoder, Any, Chunks, int], None]]] = [
    (np.generic, Encoder._put_scalar),
    (
        np.ndarray,
        lambda encoder, value, out, depth: encoder._put_array(np.asarray(value), out, depth),
    ),
    *[(kind, _ENCODERS[kind]) for kind in (int, float, complex, str, bytes)],
    *[(kind, _ENCODERS[kind]) for kind in (list, tuple, set, frozenset, dict)],
    (PurePath, lambda encoder, value, out, depth: encoder._put_str(str(value), out, depth)),
]
_ENCODERS.update({dtype.type: Encoder._put_scalar for dtype in DTYPES})
