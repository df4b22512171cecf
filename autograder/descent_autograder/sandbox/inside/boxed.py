"""Containers whose type is the student's own, as the trusted side holds them.

A named tuple or an ordered dictionary arrives as the plain value that it holds, so that nothing of
the student's runs here. But it must go back as what it was: the state of an update rule, say, whose
fields the student's next call reads by name. So the plain value remembers the original, which has
stayed on the student's side, and what it held on arrival: as long as it still holds that, the
original goes back in its place.
"""

from __future__ import annotations

from typing import Any


class Boxed:
    """A plain container that knows which of the other side's objects it was read from."""

    original: Any
    content: bytes

    @property
    def __name__(self) -> str:
        return str(self.original.__name__)


class BoxedTuple(Boxed, tuple[Any, ...]):
    """A tuple's plain value."""


class BoxedList(Boxed, list[Any]):
    """A list's plain value."""


class BoxedDict(Boxed, dict[Any, Any]):
    """A dictionary's plain value."""


KINDS: dict[type, type] = {tuple: BoxedTuple, list: BoxedList, dict: BoxedDict}
"""By plain type."""


def is_boxed(value: Any) -> bool:
    """Return whether ``value`` stands for a container of the student's own."""
    return issubclass(type(value), Boxed)


def plain_kind(value: Any) -> type:
    """Return the type of ``value``, or of the plain value that it is."""
    kind = type(value)
    return next((plain for plain, own in KINDS.items() if kind is own), kind)


def boxed(plain: Any, original: Any, content: bytes) -> Any:
    """Return ``plain``, a tuple, list or dict, as one that stands for ``original``."""
    value = KINDS[type(plain)](plain)
    value.original, value.content = original, content
    return value
