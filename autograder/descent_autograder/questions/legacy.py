"""Entries in the old form: mistakes as switches in a second version. Goes with the last unit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from descent.judging import Mistake, Question
from descent.questions import get

from descent_autograder.questions.entry import Cases, Functions, Ids

Switches = Ids


@dataclass(frozen=True, eq=False)
class Entry:
    question: str
    reference: Functions
    cases: Cases
    family: Callable[[Ids], Functions]
    mistakes: tuple[Mistake, ...]
    freedoms_: tuple[str, ...] = ()
    variants: Mapping[str, Functions] = field(default_factory=dict)
    unpaired: tuple[str, ...] = ()
    reason: str = ""
    deviations: tuple[Any, ...] = ()

    @property
    def asked(self) -> Question:
        return get(self.question)

    def mistake(self, mistake_id: str) -> Mistake:
        return next(m for m in self.mistakes if m.id == mistake_id)

    def version(self, ids: Ids) -> Functions:
        return self.family(ids)

    def freedoms(self) -> list[Ids]:
        sizes = range(len(self.freedoms_) + 1)
        return [frozenset(s) for n in sizes for s in itertools.combinations(self.freedoms_, n)]

    def can_be_made(self, ids: Ids) -> bool:
        return True

    def pairs(self) -> Iterator[tuple[Mistake, Mistake]]:
        for one, other in itertools.combinations(self.mistakes, 2):
            if not {one.id, other.id} & set(self.unpaired):
                yield one, other


def add(entry: Any) -> None:
    import sys

    module = sys._getframe(1).f_globals
    module.setdefault("_OLD", []).append(entry)


def entry(question_id: str) -> Any:
    from descent_autograder.questions import catalogue

    return catalogue.entry(question_id)
