"""What an answer is compared with: cases, accepted recordings and the recordings of mistakes."""

from __future__ import annotations

import functools
import gzip
import importlib.resources
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from descent.judging.fingerprint import Fingerprint
from descent.judging.observing import Case, Observation, Raised, Record
from descent.judging.values import Difference, Tolerance, Unreadable, compare

Recording = Sequence[Record]
"""One record a case."""


@dataclass(frozen=True)
class Mistake:
    """A mistake students make: its id, what a good teacher would say, and what to try."""

    id: str
    says: str
    hint: str = ""


@dataclass(frozen=True)
class Candidate:
    """One or two mistakes made together, and what the question then records, case by case.

    `record(i)` is the record of case i, made or looked up only when it is needed.
    """

    mistakes: tuple[Mistake, ...]
    record: Callable[[int], Record]


@dataclass(frozen=True)
class Exam:
    """The cases of a question, every accepted recording (the reference's first), the mistakes."""

    question: str
    cases: Sequence[Case]
    accepted: Sequence[Recording]
    candidates: Iterable[Candidate]


@dataclass(frozen=True)
class Disagreement:
    """The first place in a case where two records differ; `difference` is None for how it ended."""

    name: str
    difference: Difference | None


def disagreements(
    seen: Record, expected: Record, *, nan_agrees: bool = False
) -> Iterator[Disagreement]:
    """Where `seen` departs from `expected`, observation by observation, then in how it ended."""
    for mine, theirs in zip(seen.observations, expected.observations, strict=False):
        if mine.name != theirs.name:
            yield Disagreement(theirs.name, None)
            return
        difference = _compare(mine, theirs, nan_agrees)
        if difference is not None:
            yield Disagreement(theirs.name, difference)
    if len(seen.observations) != len(expected.observations) or _ending(seen) != _ending(expected):
        yield Disagreement("", None)


def _ending(record: Record) -> str | None:
    return None if record.raised is None else record.raised.type_name


def agree(seen: Record, expected: Record, *, nan_agrees: bool = False) -> bool:
    """Whether two records of the same case say the same thing."""
    return next(disagreements(seen, expected, nan_agrees=nan_agrees), None) is None


def _compare(mine: Observation, theirs: Observation, nan_agrees: bool) -> Difference | None:
    if isinstance(theirs.value, Fingerprint):
        same = theirs.value.matches(mine.fingerprint, theirs.rtol, theirs.floor)
        return None if same else Difference("number", "", "", "", np.inf)
    # The looser of the two floors would let a wild answer widen its own tolerance: the expected
    # record's is the one that counts.
    tolerance = Tolerance(theirs.rtol, theirs.floor, theirs.as_row, nan_agrees)
    return compare(mine.value, theirs.value, tolerance)


# ---- JSON -----------------------------------------------------------------------------------

_SPECIAL = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}


def to_json(value: Any) -> Any:
    """Plain data as JSON; arrays, tuples, sets, non-finite numbers and records are tagged."""
    if isinstance(value, np.ndarray):
        data = [_number(v) for v in value.ravel().tolist()]
        return {"__": "array", "dtype": str(value.dtype), "shape": list(value.shape), "data": data}
    if isinstance(value, np.generic):
        return to_json(value.item())
    if isinstance(value, bool | str | int | None):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, complex):
        return {"__": "complex", "data": [_number(value.real), _number(value.imag)]}
    if isinstance(value, list):
        return [to_json(v) for v in value]
    if isinstance(value, tuple):
        return {"__": "tuple", "data": [to_json(v) for v in value]}
    if isinstance(value, set):
        return {"__": "set", "data": sorted((to_json(v) for v in value), key=repr)}
    if isinstance(value, dict):
        return {"__": "dict", "data": [[to_json(k), to_json(v)] for k, v in value.items()]}
    if isinstance(value, Fingerprint):
        numbers = [_number(v) for v in value.numbers]
        data = [list(value.shape), numbers, _number(value.size)]
        return {"__": "fingerprint", "data": data}
    if isinstance(value, Unreadable):
        return {"__": "unreadable", "data": value.type_name}
    raise TypeError(f"{type(value).__name__} is not plain data")


def _number(value: Any) -> Any:
    if isinstance(value, complex):
        return [_number(value.real), _number(value.imag)]
    if isinstance(value, float) and not np.isfinite(value):
        return {"__": "float", "data": str(value)}
    return value


def from_json(value: Any) -> Any:
    """The inverse of `to_json`."""
    if isinstance(value, list):
        return [from_json(v) for v in value]
    if not isinstance(value, dict):
        return value
    tag, data = value["__"], value["data"]
    if tag == "array":
        items = [complex(*map(from_json, v)) if isinstance(v, list) else from_json(v) for v in data]
        return np.array(items, dtype=value["dtype"]).reshape(value["shape"])
    if tag == "float":
        return _SPECIAL[data]
    if tag == "complex":
        return complex(*map(from_json, data))
    if tag == "tuple":
        return tuple(from_json(v) for v in data)
    if tag == "set":
        return {from_json(v) for v in data}
    if tag == "dict":
        return {from_json(k): from_json(v) for k, v in data}
    if tag == "fingerprint":
        shape, numbers, size = data
        return Fingerprint(tuple(shape), tuple(map(from_json, numbers)), from_json(size))
    return Unreadable(data)


def record_to_json(record: Record) -> Any:
    """A record as lists that JSON can hold."""
    raised = record.raised
    return [
        [
            [o.name, to_json(o.value), o.rtol, o.floor, o.as_row, o.part]
            for o in record.observations
        ],
        None if raised is None else [raised.type_name, raised.message],
    ]


def record_from_json(data: Any) -> Record:
    """The inverse of `record_to_json`."""
    observations, raised = data
    return Record(
        [Observation(o[0], from_json(o[1]), *o[2:]) for o in observations],
        None if raised is None else Raised(*raised),
    )


# ---- where exams come from --------------------------------------------------------------------

Provider = Callable[[str], Exam]


@functools.cache
def public_exam(question_id: str) -> Exam:
    """The exam that ships with the course: fixed cases, the expected numbers, the mistakes.

    Raises FileNotFoundError for a question that has none.
    """
    folder = importlib.resources.files("descent.questions") / "expected"
    text = gzip.decompress((folder / f"{question_id}.json.gz").read_bytes()).decode()
    # Two lines: what a right answer needs, and what only a wrong one is held against.
    head, _, tail = text.partition("\n")
    return exam_from_json(json.loads(head), lambda: json.loads(tail))


def exam_from_json(head: Any, tail: Callable[[], Any]) -> Exam:
    """An exam from its stored form; `tail` is called when a mistake has to be named."""
    return Exam(
        head["question"],
        [from_json(case) for case in head["cases"]],
        [[record_from_json(r) for r in recording] for recording in head["accepted"]],
        _Candidates(tail),
    )


class _Candidates:
    """Mistakes that are read when they are asked for, and their records when they are looked at."""

    def __init__(self, read: Callable[[], Any]) -> None:
        self._candidates = functools.cache(lambda: list(_candidates(read())))

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self._candidates())


def _candidates(data: Any) -> Iterator[Candidate]:
    mistakes = {m[0]: Mistake(*m) for m in data["mistakes"]}
    for ids, records in data["candidates"]:
        record = functools.cache(functools.partial(_nth_record, records))
        yield Candidate(tuple(mistakes[i] for i in ids), record)


def _nth_record(records: list[Any], i: int) -> Record:
    return record_from_json(records[i])


_provider: Provider = public_exam


def set_exams(provider: Provider | None) -> None:
    """Let `provider` make the exams from now on (None: the public ones). The grader's hook."""
    global _provider
    _provider = provider or public_exam


def exam_for(question_id: str) -> Exam:
    """The exam that a check of this question is held against now."""
    return _provider(question_id)
