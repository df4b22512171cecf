"""Mistakes and accepted deviations written as text: what is edited, and what is said of it.

    mu-fixed: v = 0.0  →  mu = 0.9⏎v = 0.0
        It looks as if mu is always 0.9. Try: Use the argument `mu`.
    ema: - learning_rate * dw  →  + (1 - mu) * dw
        w + v  →  w - learning_rate * v
        It looks as if the velocity is an average. Try: Let the push −ηg come in whole.

A name and a colon begin one. `→` between two spaces on each side separates what the reference has
from what is written instead (nothing, at a line's end); `⇒` replaces it everywhere; `⏎` is a line
break. A line that begins with an arrow goes on with the edit of the line before. All other lines
are prose: the sentence, then what to try behind `Try:`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from descent_autograder.questions.editing import Edit
from descent_autograder.questions.entry import Accepted, Mistake, Wrapper

Sentences = Mapping[str, tuple[str, str]]
"""By id, what is said of mistakes that several questions share, and what to try."""


@dataclass
class _Passage:
    """One mistake or freedom, as it stands in the text."""

    id: str
    edits: list[Edit] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)

    def sentences(self) -> tuple[str, str]:
        """What is said, and what to try."""
        says, _, hint = " ".join(self.prose).partition(" Try: ")
        return says, hint


def sentences(text: str) -> dict[str, tuple[str, str]]:
    """Names and sentences without edits, for questions whose references differ.

    Raises:
        ValueError: a passage has edits, or no sentence.
    """
    found = list(_passages(text))
    for one in found:
        if one.edits or not one.prose:
            raise ValueError(f"{one.id}: a sentence is wanted here, and no edit")
    return {one.id: one.sentences() for one in found}


def written(
    text: str,
    *,
    said: Sentences | None = None,
    wrap: Mapping[str, Wrapper] | None = None,
) -> tuple[Mistake, ...]:
    """The mistakes that a text describes, in its order.

    Args:
        text: see the module.
        said: the sentences of those that have none in the text.
        wrap: by id, what is put around the functions, behind the edits.

    Raises:
        ValueError: one has no sentence or nothing that makes it, or `wrap` names one that the text
            doesn't.
    """
    mistakes = []
    for one in _made(text, wrap or {}):
        says, hint = one.sentences() if one.prose else (said or {}).get(one.id, ("", ""))
        if not says:
            raise ValueError(f"{one.id}: no sentence says what it looks like")
        mistakes.append(Mistake(one.id, says, hint, tuple(one.edits), (wrap or {}).get(one.id)))
    return tuple(mistakes)


def accepted(text: str) -> tuple[Accepted, ...]:
    """The freedoms that a text describes; they need no sentence. Raises what `written` raises."""
    return tuple(Accepted(one.id, tuple(one.edits)) for one in _made(text, {}))


def _made(text: str, wrap: Mapping[str, Wrapper]) -> list[_Passage]:
    """The passages of a text, each of which is made somehow."""
    passages = list(_passages(text))
    unknown = wrap.keys() - {one.id for one in passages}
    if unknown:
        raise ValueError(f"the text has nothing called {', '.join(sorted(unknown))}")
    for one in passages:
        if not one.edits and one.id not in wrap:
            raise ValueError(f"{one.id}: needs an edit, or a wrapper")
    return passages


def _passages(text: str) -> Iterator[_Passage]:
    found: list[_Passage] = []
    for line in _lines(text):
        head = re.match(r"([\w-]+):(?:\s+|$)", line)
        if head:
            found.append(_Passage(head[1]))
            line = line[head.end() :]
        elif not found or not line.startswith(" "):
            raise ValueError(f"«{line}» belongs to no name: `name: old  →  new` begins one")
        parts = re.split(r"  ([→⇒])(?:  |$)", line)
        if len(parts) == 3:
            old, arrow, new = (part.strip(" ").replace("⏎", "\n") for part in parts)
            found[-1].edits.append(Edit(old, new, everywhere=arrow == "⇒"))
        elif len(parts) > 3:
            raise ValueError(f"«{line.strip()}» has two arrows: write one edit a line")
        elif line.strip():
            found[-1].prose.append(line.strip())
    yield from found


def _lines(text: str) -> list[str]:
    """The lines that say something, dedented; one that begins with an arrow joins the one above."""
    joined = re.sub(r"[ \t]*\n\s*([→⇒])(?=\s)", r"  \1", textwrap.dedent(text).strip("\n"))
    joined = re.sub(r"  ([→⇒]) (?! |\n|$)", r"  \1  ", joined)
    return [line for line in joined.split("\n") if line.strip()]
