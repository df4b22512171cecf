"""The catalogue: for every question its reference, fresh cases, accepted variants and mistakes.

A unit's module in `descent_autograder.questions` adds one `Entry` a question. From an entry come
the exams that grade (fresh cases, seeded), the expected numbers that ship with the course, and
the table of `descent verify`.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

import numpy as np
from descent.judging import Candidate, Case, Exam, Mistake, Question, Record, Stopped, Unfinished
from descent.questions import get

Functions = Callable[..., Any] | tuple[Callable[..., Any], ...]
Switches = frozenset[str]
Cases = Callable[[np.random.Generator], list[dict[str, Any]]]
T = TypeVar("T")


@dataclass(frozen=True)
class Entry:
    """What the grader knows about one question.

    `family(on)` is a faulty version of the reference whose faults are switched on by their ids,
    so that any two can be combined; with nothing on it is right. `freedoms` are switches too:
    they change the numbers and are accepted. `variants` are other right answers, with the same
    numbers. `alone` are mistakes that aren't looked for in pairs: each one more makes as many pairs
    as there are mistakes, with every set of freedoms. `few` says why there are fewer than five
    mistakes, where there are.
    """

    question: str
    reference: Functions
    cases: Cases
    family: Callable[[Switches], Functions]
    mistakes: tuple[Mistake, ...]
    freedoms: tuple[str, ...] = ()
    variants: Mapping[str, Functions] = field(default_factory=dict)
    alone: tuple[str, ...] = ()
    few: str = ""

    @property
    def asked(self) -> Question:
        """The question itself."""
        return get(self.question)

    def mistake(self, mistake_id: str) -> Mistake:
        """The mistake of that id."""
        return next(m for m in self.mistakes if m.id == mistake_id)


_ENTRIES: dict[str, Entry] = {}


def add(entry: Entry) -> None:
    """Put an entry into the catalogue."""
    _ENTRIES[entry.question] = entry


@functools.cache
def entries() -> Mapping[str, Entry]:
    """Every entry by its question's id, unit by unit."""
    from descent_autograder.questions import units

    for module in pkgutil.walk_packages(units.__path__, f"{units.__name__}."):
        importlib.import_module(module.name)
    return _ENTRIES


def entry(question_id: str) -> Entry:
    """The entry of a question. Raises KeyError, with the nearest names, when there is none."""
    get(question_id)
    return entries()[question_id]


def as_tuple(functions: Functions) -> tuple[Callable[..., Any], ...]:
    """A question's functions as a tuple, also when it is asked of one."""
    return functions if isinstance(functions, tuple) else (functions,)


def run(question: Question, functions: Functions, case: Case) -> Record:
    """One record of functions of ours: also of one that never comes to an answer."""
    try:
        with np.errstate(all="ignore"):
            return question.run(as_tuple(functions), case)
    except (Unfinished, Stopped) as error:
        raise RuntimeError(f"{question.id}: {type(error).__name__} in the catalogue") from error


class OnDemand(Sequence[T]):
    """A sequence whose items are made when first asked for, and kept."""

    def __init__(self, make: Callable[[int], T], length: int) -> None:
        self._make = functools.cache(make)
        self._length = length

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, i: int) -> T: ...
    @overload
    def __getitem__(self, i: slice) -> list[T]: ...
    def __getitem__(self, i: int | slice) -> T | list[T]:
        if isinstance(i, slice):
            return [self[k] for k in range(*i.indices(self._length))]
        if not -self._length <= i < self._length:
            raise IndexError(i)
        return self._make(i % self._length)


class Later(Sequence[T]):
    """A sequence that is made when it is first looked at: a right answer needs no mistakes."""

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._made = functools.cache(make)

    def __len__(self) -> int:
        return len(self._made())

    @overload
    def __getitem__(self, i: int) -> T: ...
    @overload
    def __getitem__(self, i: slice) -> Sequence[T]: ...
    def __getitem__(self, i: int | slice) -> T | Sequence[T]:
        return self._made()[i]


def recording(question: Question, functions: Functions, cases: Sequence[Case]) -> Sequence[Record]:
    """What the question records of `functions`, case by case, on demand."""
    return OnDemand(lambda i: run(question, functions, cases[i]), len(cases))


def accepted_switches(entry: Entry) -> list[Switches]:
    """Every set of freedoms that an answer may take together, none first."""
    return [
        frozenset(chosen)
        for size in range(len(entry.freedoms) + 1)
        for chosen in itertools.combinations(entry.freedoms, size)
    ]


def candidates(entry: Entry, cases: Sequence[Case], most: int = 2) -> Iterator[Candidate]:
    """Every mistake alone, then the pairs, each with every set of freedoms."""
    for size in range(1, most + 1):
        for chosen in itertools.combinations(entry.mistakes, size):
            ids = frozenset(m.id for m in chosen)
            if size > 1 and ids & set(entry.alone):
                continue
            for freedom in accepted_switches(entry):
                records = recording(entry.asked, entry.family(ids | freedom), cases)
                yield Candidate(chosen, records.__getitem__)


def exam_on(question_id: str, cases: Sequence[Case]) -> Exam:
    """The exam of a question on given cases: reference, freedoms and mistakes, on demand."""
    known = entry(question_id)
    switches = accepted_switches(known)

    def accepted(i: int) -> Sequence[Record]:
        functions = known.family(switches[i]) if switches[i] else known.reference
        return recording(known.asked, functions, cases)

    return Exam(
        question_id,
        cases,
        OnDemand(accepted, len(switches)),
        Later(lambda: list(candidates(known, cases))),
    )


def exam(question_id: str, seed: int | bytes) -> Exam:
    """A fresh exam: new cases from `seed`. Raises KeyError for a question that doesn't exist."""
    number = int.from_bytes(seed, "big") if isinstance(seed, bytes) else seed
    return exam_on(question_id, entry(question_id).cases(np.random.default_rng(number)))
