"""Faulty versions of a reference, made by editing its text.

A mistake says what a student writes in place of what the reference has. An edit that doesn't find
its text exactly once stops with the reason, so a reference can't change under its mistakes unseen.
"""

from __future__ import annotations
import __future__

import ast
import functools
import inspect
import itertools
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from types import CodeType
from typing import Any

Function = Callable[..., Any]


class EditError(ValueError):
    """An edit doesn't fit the reference; the message says which, and why."""


class OverlapError(EditError):
    """Two edits change the same place, so that they can't be made together."""


@dataclass(frozen=True)
class Edit:
    """One replacement of text.

    Spaces in `old` match as written, a line break matches with whatever indentation follows it.
    `old` never matches inside a longer name. Further lines of `new` are indented like the line in
    which `old` begins. Only the words and signs in which the two differ are changed, so that
    several edits can be made of one expression.

    Attributes:
        old: what the reference has.
        new: what stands there instead.
        everywhere: replace every place where `old` is found, not the only one.
    """

    old: str
    new: str
    everywhere: bool = False


@dataclass(frozen=True)
class Replacement:
    """An edit that has found its place: `text[start:end]` becomes `new`."""

    start: int
    end: int
    new: str


class SourceText:
    """The text of the functions that a question is asked of, and of the helpers they use.

    Docstrings are left out. Private helpers of the same module belong to it by themselves, other
    functions when they are named in `through`.
    """

    def __init__(
        self,
        functions: Sequence[Function],
        through: Sequence[Function] = (),
        bound: Mapping[str, Any] | None = None,
    ) -> None:
        """Read the source of `functions`, all of one module.

        Args:
            functions: what the question is asked of.
            through: functions of the module that they call, and that edits may change too.
            bound: what names of the module mean to edited functions, if not what they mean there.
        """
        self._bound = dict(bound or {})
        self._names = [function.__name__ for function in functions]
        self._module = sys.modules[functions[0].__module__]
        self._find = functools.cache(self._found)
        self.code = functools.lru_cache(maxsize=256)(self._compiled)
        """The compiled text with the edits made; raises EditError where they don't fit."""
        parts = self._with_helpers([*through, *functions])
        self.text = (
            "\n\n".join(_without_docstrings(inspect.getsource(part)) for part in parts) + "\n"
        )

    def _with_helpers(self, parts: Iterable[Any]) -> list[Any]:
        """`parts`, each behind the private functions and classes of the module that it uses."""
        found: dict[str, Any] = {}

        def visit(part: Any) -> None:
            if part.__name__ in found:
                return
            found[part.__name__] = part
            for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(part)))):
                name = node.id if isinstance(node, ast.Name) else ""
                helper = getattr(self._module, name, None) if name.startswith("_") else None
                if callable(helper) and getattr(helper, "__module__", "") == self._module.__name__:
                    visit(helper)

        for part in parts:
            visit(part)
        return list(found.values())

    def places(self, edits: Iterable[Edit]) -> list[Replacement]:
        """Where the edits change the text, in the text's order.

        Raises:
            EditError: an edit's text isn't there, or stands there more than once.
            OverlapError: two of the edits change the same place.
        """
        # Sorting is stable: what is added in one place stands in the order of the edits.
        found = sorted(
            (place for edit in edits for place in self._find(edit)),
            key=lambda place: (place.start, place.end),
        )
        for one, other in itertools.pairwise(found):
            if other.start < one.end:
                raise OverlapError(f"two edits change «{self.text[one.start : one.end]}»")
        return found

    def _found(self, edit: Edit) -> list[Replacement]:
        matches = list(re.finditer(_pattern(edit.old), self.text))
        if not matches or (len(matches) > 1 and not edit.everywhere):
            how_often = "isn't there" if not matches else f"stands there {len(matches)} times"
            raise EditError(f"«{edit.old}» {how_often} in the text of {', '.join(self._names)}")
        return [place for match in matches for place in self._changes(edit, match)]

    def _changes(self, edit: Edit, match: re.Match[str]) -> Iterator[Replacement]:
        """The replacements that make `new` of a place where `old` was found, as few as will do."""
        found, made = _tokens(match[0]), _tokens(self._indented(edit.new, match))
        starts = list(itertools.accumulate(map(len, found), initial=match.start()))
        for kind, i, j, k, n in SequenceMatcher(None, found, made, autojunk=False).get_opcodes():
            if kind != "equal":
                yield Replacement(starts[i], starts[j], "".join(made[k:n]))

    def _indented(self, new: str, match: re.Match[str]) -> str:
        line = self.text[self.text.rfind("\n", 0, match.start()) + 1 : match.start()]
        indent = re.match(r"\s*", line)
        assert indent is not None
        first, *rest = new.split("\n")
        return "\n".join([first, *(indent[0] + one if one.strip() else one for one in rest)])

    def edited(self, edits: Iterable[Edit]) -> str:
        """The text with the edits made. Raises what `places` raises."""
        text = self.text
        for place in reversed(self.places(edits)):
            text = text[: place.start] + place.new + text[place.end :]
        return text

    def functions(self, edits: Iterable[Edit]) -> tuple[Function, ...]:
        """The question's functions with the edits made.

        Raises:
            EditError: they don't fit, or what they make isn't Python.
        """
        names = vars(self._module) | self._bound
        # Executed anew each time: a default that is changed in place belongs to one version.
        exec(self.code(tuple(edits)), names)
        return tuple(names[name] for name in self._names)

    def _compiled(self, edits: tuple[Edit, ...]) -> CodeType:
        flags = __future__.annotations.compiler_flag
        name = f"<{self._names[0]}, edited>"
        try:
            code: CodeType = compile(self.edited(edits), name, "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            made = "; ".join(f"«{edit.old}» → «{edit.new}»" for edit in edits)
            raise EditError(f"{made} makes no Python: {error.msg}, «{error.text}»") from error
        return code


def _tokens(text: str) -> list[str]:
    """Words, signs and runs of white space, in order."""
    return re.findall(r"\w+|\s+|\*\*|//|[<>=!]=|[^\w\s]", text)


def _pattern(old: str) -> str:
    lines = [
        re.escape(line.strip() if i else line.rstrip()) for i, line in enumerate(old.split("\n"))
    ]
    before = r"(?<!\w)" if re.match(r"\w", old) else ""
    after = r"(?!\w)" if re.search(r"\w$", old) else ""
    return before + r"[ \t]*\n[ \t]*".join(lines) + after


def _without_docstrings(source: str) -> str:
    """A function's or class's source, dedented, without its docstrings."""
    source = textwrap.dedent(source)
    lines = source.split("\n")
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or ast.get_docstring(node) is None:
            continue
        first = node.body[0]
        assert first.end_lineno is not None
        kept = [" " * first.col_offset + "pass"] if len(node.body) == 1 else []
        length = first.end_lineno - first.lineno + 1
        lines[first.lineno - 1 : first.end_lineno] = kept + ["\0"] * (length - len(kept))
    return "\n".join(line for line in lines if line != "\0").strip("\n")
