"""What the grader knows about one question: an `Entry`, and the mistakes students make in it."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import descent.judging
import numpy as np
from descent.judging import Question
from descent.questions import get

from descent_autograder.questions.editing import Edit, EditError, Function, SourceText

Functions = Function | tuple[Function, ...]
Rng = np.random.Generator
Case = dict[str, Any]
Cases = Callable[[Rng], list[Case]]
Wrapper = Callable[[Any], Any]
"""From a question's functions, as an entry's reference holds them, to others of that kind."""
Ids = frozenset[str]


@dataclass(frozen=True)
class Mistake(descent.judging.Mistake):
    """A mistake students make: the sentence for it, and how the reference becomes it.

    Mostly it is an edit of the reference: what stands there, and what is written instead. What no
    edit can say is a wrapper around the functions.

    Attributes:
        edits: what is edited.
        wrap: makes the mistake out of the functions, behind the edits.
    """

    edits: tuple[Edit, ...] = ()
    wrap: Wrapper | None = None


@dataclass(frozen=True)
class Accepted:
    """A freedom: it is made as a `Mistake` is, changes the numbers, and is right as well."""

    id: str
    edits: tuple[Edit, ...] = ()
    wrap: Wrapper | None = None


Deviation = Mistake | Accepted


@dataclass(frozen=True, eq=False)
class Entry:
    """What the grader knows about one question.

    Attributes:
        question: its id.
        reference: the function, or the tuple of functions, that is right.
        cases: draws fresh cases from a generator.
        mistakes: what students get wrong.
        accepted: what changes the numbers and is right too; any of them together.
        variants: other right answers, by name, with the same numbers as the reference.
        through: functions of the reference's module that it calls, and that edits may change.
        bound: what names of the reference's module mean in edited versions, where it isn't what
            they mean there: something that does the same, quicker.
        unpaired: ids of mistakes that aren't looked for in pairs: each one more makes as many
            pairs as there are mistakes, with every set of freedoms.
        reason: why there are fewer than five mistakes, where there are.
    """

    question: str
    reference: Functions
    cases: Cases
    mistakes: tuple[Mistake, ...]
    accepted: tuple[Accepted, ...] = ()
    variants: Mapping[str, Functions] = field(default_factory=dict)
    through: tuple[Function, ...] = ()
    bound: Mapping[str, Any] = field(default_factory=dict)
    unpaired: tuple[str, ...] = ()
    reason: str = ""

    @property
    def asked(self) -> Question:
        """The question itself."""
        return get(self.question)

    def mistake(self, mistake_id: str) -> Mistake:
        """The mistake of that id."""
        return next(m for m in self.mistakes if m.id == mistake_id)

    def version(self, ids: Ids) -> Functions:
        """The reference with the mistakes and freedoms of these ids made.

        Raises:
            EditError: an edit doesn't fit the reference.
            OverlapError: two of them change the same place.
        """
        return _version(self, ids)

    def freedoms(self) -> list[Ids]:
        """Every set of freedoms that an answer may take together, none first."""
        sets = _subsets([a.id for a in self.accepted])
        return [ids for ids in sets if self.can_be_made(ids)]

    def can_be_made(self, ids: Ids) -> bool:
        """Whether these mistakes and freedoms can be made together."""
        chosen = self._chosen(ids)
        if len(chosen) < 2:
            return True
        try:
            _text(self).code(tuple(edit for one in chosen for edit in one.edits))
        except EditError:
            return False
        return True

    def pairs(self) -> Iterator[tuple[Mistake, Mistake]]:
        """The pairs of mistakes that can be made together, and are looked for together."""
        for one, other in itertools.combinations(self.mistakes, 2):
            ids = frozenset({one.id, other.id})
            if not ids & set(self.unpaired) and self.can_be_made(ids):
                yield one, other

    @property
    def deviations(self) -> tuple[Deviation, ...]:
        """All freedoms, then all mistakes."""
        return (*self.accepted, *self.mistakes)

    def _chosen(self, ids: Ids) -> list[Deviation]:
        return [one for one in self.deviations if one.id in ids]


def as_tuple(functions: Functions) -> tuple[Function, ...]:
    """A question's functions as a tuple, also when it is asked of one."""
    return functions if isinstance(functions, tuple) else (functions,)


@functools.cache
def _text(entry: Entry) -> SourceText:
    return SourceText(as_tuple(entry.reference), entry.through, entry.bound)


def _version(entry: Entry, ids: Ids) -> Functions:
    chosen = entry._chosen(ids)
    if len(chosen) < len(ids):
        missing = ", ".join(sorted(ids - {one.id for one in chosen}))
        raise KeyError(f"{entry.question} has no mistake or freedom called {missing}")
    made: Functions = entry.reference
    if any(one.edits for one in chosen):
        edited = _text(entry).functions(edit for one in chosen for edit in one.edits)
        made = edited if isinstance(entry.reference, tuple) else edited[0]
    for one in chosen:
        made = one.wrap(made) if one.wrap else made
    return made


def _subsets(ids: Sequence[str]) -> list[Ids]:
    sizes = range(len(ids) + 1)
    return [frozenset(some) for size in sizes for some in itertools.combinations(ids, size)]
