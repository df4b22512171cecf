"""How names that students chose are shown in sentences: short, printable and harmless."""

from __future__ import annotations

_LONGEST = 60


def shown(name: object) -> str:
    """A name in quotation marks, without anything that Markdown, HTML or a terminal would obey."""
    text = "".join(
        char if char.isprintable() and char not in "<>&\"'`\\|*[]()!$" else "·"
        for char in str(name)
    )
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return f"“{text}”"


def listed(names: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"
