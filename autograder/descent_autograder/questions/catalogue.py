"""The catalogue: for every question its reference, fresh cases, accepted variants and mistakes.

A module in `questions.units` has one `Entry` a question, under any name. From an entry come
the exams that grade (fresh cases, seeded), the expected numbers that ship with the course, and
the table of `descent verify`.
"""

from __future__ import annotations

import functools
import importlib
import itertools
import pkgutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar, overload

import numpy as np
from descent.judging import Candidate, Case, Exam, Question, Record, Stopped, Unfinished
from descent.questions import get

from descent_autograder.questions import units
from descent_autograder.questions.entry import Entry, Functions, Ids, as_tuple

T = TypeVar("T")


@functools.cache
def entries() -> Mapping[str, Entry]:
    """Every entry by its question's id, as it stands in a module of `questions.units`."""
    modules = pkgutil.walk_packages(units.__path__, f"{units.__name__}.")
    values = [v for module in modules for v in vars(importlib.import_module(module.name)).values()]
    return {value.question: value for value in values if isinstance(value, Entry)}


def entry(question_id: str) -> Entry:
    """The entry of a question. Raises KeyError, with the nearest names, when there is none."""
    get(question_id)
    return entries()[question_id]


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


def recording(question: Question, functions: Functions, cases: Sequence[Case]) -> Sequence[Record]:
    """What the question records of `functions`, case by case, on demand."""
    return OnDemand(lambda i: run(question, functions, cases[i]), len(cases))


def recording_of(entry: Entry, ids: Ids, cases: Sequence[Case]) -> Sequence[Record]:
    """What is recorded of the reference with mistakes and freedoms; it is made when asked for."""
    version = functools.cache(lambda: entry.version(ids))
    return OnDemand(lambda i: run(entry.asked, version(), cases[i]), len(cases))


def candidates(entry: Entry, cases: Sequence[Case], most: int = 2) -> Iterator[Candidate]:
    """Every mistake alone, then the pairs, each with every set of freedoms that it leaves."""
    alone = [(mistake,) for mistake in entry.mistakes]
    # Pairs are made one after the other: whether two can be is seen by compiling them.
    for chosen in itertools.chain(alone, entry.pairs() if most > 1 else ()):
        ids = frozenset(mistake.id for mistake in chosen)
        for freedom in entry.freedoms():
            if freedom and not entry.can_be_made(ids | freedom):
                continue
            yield Candidate(chosen, recording_of(entry, ids | freedom, cases).__getitem__)


class Candidates:
    """The candidates of an exam, made as far as somebody looks, and kept."""

    def __init__(self, entry: Entry, cases: Sequence[Case]) -> None:
        self._made: list[Candidate] = []
        self._more = candidates(entry, cases)

    def __iter__(self) -> Iterator[Candidate]:
        for place in itertools.count():
            if place == len(self._made):
                following = next(self._more, None)
                if following is None:
                    return
                self._made.append(following)
            yield self._made[place]


def exam_on(question_id: str, cases: Sequence[Case]) -> Exam:
    """The exam of a question on given cases: reference, freedoms and mistakes, on demand."""
    known = entry(question_id)
    freedoms = known.freedoms()
    return Exam(
        question_id,
        cases,
        OnDemand(lambda i: recording_of(known, freedoms[i], cases), len(freedoms)),
        Candidates(known, cases),
    )


def exam(question_id: str, seed: int | bytes) -> Exam:
    """A fresh exam: new cases from `seed`. Raises KeyError for a question that doesn't exist."""
    number = int.from_bytes(seed, "big") if isinstance(seed, bytes) else seed
    return exam_on(question_id, entry(question_id).cases(np.random.default_rng(number)))


def warm_up() -> None:
    """Make every mistake and freedom once: reading and compiling a reference is then done.

    It takes 0.4 s of processor time; each grader that meets a wrong answer would spend 7 to 80 ms.
    """
    for known in entries().values():
        for one in known.deviations:
            known.version(frozenset({one.id}))
