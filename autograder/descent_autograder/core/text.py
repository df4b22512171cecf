"""Texts that students chose: shown in sentences, short, printable and harmless; and remembered."""

from __future__ import annotations

import functools
from collections.abc import Callable

_LONGEST = 60
_LONGEST_REASON = 300
_MOST_REMARKS = 100
_LONG = 20_000
_LONGEST_REMEMBERED = 200_000


def shown(name: object) -> str:
    """A name in quotation marks, without anything that Markdown, HTML or a terminal would obey."""
    text = "".join(
        char if char.isprintable() and char not in "<>&\"'`\\|*[]()!$" else "·"
        for char in str(name)
    )
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return f"“{text}”"


def printable(text: str) -> str:
    """A text without anything that a terminal would obey or couldn't write."""
    return "".join(char if char.isprintable() else "·" for char in text)


def told(error: BaseException) -> str:
    """An error in one short line; its message may hold whatever a student chose."""
    words = str(error)[: 2 * _LONGEST_REASON].split()
    text = printable(f"{type(error).__name__}: {' '.join(words)}".removesuffix(": "))
    return text if len(text) <= _LONGEST_REASON else text[: _LONGEST_REASON - 1] + "…"


def few(remarks: list[str]) -> list[str]:
    """The first hundred remarks, and how many more there were."""
    more = len(remarks) - _MOST_REMARKS
    if more <= 0:
        return remarks
    return [*remarks[:_MOST_REMARKS], f"And {more} more remarks like these."]


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def remembering(convert: Callable[[str], str]) -> Callable[[str], str]:
    """Remember what a text becomes: most cells are the same in all submissions.

    Of long texts, such as a figure that all have drawn, only a few are kept, and of the longest
    none: a class of students who each wrote some would fill the memory.
    """
    short = functools.lru_cache(maxsize=1024)(convert)
    long = functools.lru_cache(maxsize=8)(convert)

    @functools.wraps(convert)
    def converted(source: str) -> str:
        if len(source) > _LONGEST_REMEMBERED:
            return convert(source)
        return (long if len(source) > _LONG else short)(source)

    return converted
