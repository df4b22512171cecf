"""The form of messages between two processes of which one is not trusted: plain data as bytes.

What travels by value: None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset,
dict, range, slice, Ellipsis, paths (as strings), numpy scalars and arrays of numbers or strings,
and numpy's random generators (as their bit generator's state). Subclasses of these travel as the
plain value that they hold; the student's side adds a handle to its own kinds of list, tuple and
dict, by which they come back as what they were (see :mod:`boxed`). Everything else travels as a
*handle*: a number that means something only to the side that owns the object.

Decoding builds nothing but those values: no name is looked up, no code is run, and every size is
checked against the bytes that are really there before anything is allocated.
"""

from __future__ import annotations

import re
from struct import Struct
from typing import Any, Protocol

import numpy as np

MAX_FRAME = 64 << 20
"""The largest message, in bytes."""
MAX_DEPTH = 50
"""How deeply containers may be nested."""
MAX_ITEMS = 1 << 20
"""How many values one message may hold, those inside arrays not counted."""
MAX_INT_BYTES = 4096
MAX_RANGE = 1_000_000
"""How many numbers a range may stand for: whoever compares one, writes them all out."""

COUNTS = Struct("<HH")
U16, U32, I64, F64 = Struct("<H"), Struct("<I"), Struct("<q"), Struct("<d")
C128, RANGE, HANDLE = Struct("<dd"), Struct("<qqq"), Struct("<BIBB")

_NUMBERS = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16", "g"]
DTYPES = [np.dtype(code) for code in _NUMBERS]
STRING_DTYPE = re.compile(r"[<>=|]?[SU]\d{1,7}")
OTHER_NUMBER = re.compile(r"[<>][iufc]\d{1,2}")
LABELLED = 255
"""In the place of a dtype's number: its name is written out."""
CONTAINERS = (tuple, list, dict)
MANY, SHORT = 1000, 64
"""How many heads and strings are remembered, and how long such a string may be."""


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


def claims_too_much(shape: tuple[int, ...]) -> bool:
    """Return whether an empty array is long in a way that no bytes vouch for."""
    return 0 in shape and length_of(tuple(filter(None, shape))) > MAX_ITEMS


def length_of(shape: tuple[int, ...]) -> int:
    """How many items an array of that shape has."""
    count = 1
    for length in shape:
        count *= length
    return count
