"""How what students chose is shown in sentences: short, printable and harmless."""

from __future__ import annotations

_LONGEST = 60
_LONGEST_REASON = 300
_MOST_REMARKS = 100


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
