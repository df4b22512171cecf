"""Judging: run a student's functions through an exam and say what was seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from descent.judging.exam import (
    Candidate,
    Disagreement,
    Exam,
    Recording,
    agree,
    disagreements,
)
from descent.judging.observing import Case, Question, Raised, Record, Stopped, Unfinished
from descent.judging.values import describe, largest_relative_error

STILL_MEETS = "It still meets `raise NotImplementedError`, here or in a function it calls."


@dataclass(frozen=True)
class Seen:
    """One line of a report: an observation held against the expected one.

    `case` says in words which case it is; `relative_error` is None where there is no number to
    read; `place`, `seen` and `expected` are set for what disagrees.
    """

    name: str
    passed: bool
    relative_error: float | None = None
    case: str = ""
    kind: str = ""
    place: str = ""
    seen: str = ""
    expected: str = ""


@dataclass(frozen=True)
class Named:
    """A mistake the answer agrees with, number for number."""

    id: str
    says: str
    hint: str = ""


@dataclass
class Verdict:
    """What was decided about an answer, and why.

    `status` is "graded", "unfinished", "crashed", "timeout" or "missing"; `passed` is true only
    for a graded answer with which every observation agrees; `score` is out of `points`.
    """

    question: str
    status: str = "graded"
    passed: bool = False
    score: float = 0.0
    points: float = 1.0
    mistakes: list[Named] = field(default_factory=list)
    observations: list[Seen] = field(default_factory=list)
    message: str = ""
    remarks: list[str] = field(default_factory=list)
    printed: str = ""

    def to_json(self) -> dict[str, Any]:
        """The verdict as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """The inverse of `to_json`."""
        fields = dict(data)
        fields["mistakes"] = [Named(**m) for m in fields["mistakes"]]
        fields["observations"] = [Seen(**o) for o in fields["observations"]]
        return cls(**fields)


def decide(
    question: Question,
    functions: Sequence[Callable[..., Any]],
    exam: Exam,
    points: float = 1.0,
) -> Verdict:
    """Hold `functions` against an exam of their question and return the verdict.

    Raises nothing for what the functions do, except KeyboardInterrupt.
    """
    verdict = Verdict(question.id, points=points)
    problem = _not_callable(question, functions)
    if problem:
        verdict.status, verdict.message = "missing", problem
        return verdict
    try:
        records = [question.run(functions, case) for case in exam.cases]
    except Unfinished as unfinished:
        verdict.status = "unfinished"
        verdict.message = "" if unfinished.blank else STILL_MEETS
        return verdict
    except Stopped as stopped:
        verdict.status, verdict.message = stopped.status, str(stopped)
        return verdict
    _decide(verdict, records, exam)
    return verdict


def _not_callable(question: Question, functions: Sequence[Any]) -> str:
    wanted = question.functions
    if len(functions) != len(wanted):
        return (
            f"This question is asked of {len(wanted)} "
            f"function{'s' if len(wanted) > 1 else ''} ({', '.join(wanted)}); "
            f"{len(functions)} were given."
        )
    for name, function in zip(wanted, functions, strict=True):
        if not callable(function):
            return f"{name} is {describe(function)}, not a function."
    return ""


def _decide(verdict: Verdict, records: Recording, exam: Exam) -> None:
    expected = next((r for r in exam.accepted if _accepts(r, records)), None)
    verdict.passed = expected is not None
    reference = exam.accepted[0] if expected is None else expected
    verdict.observations = _lines(records, reference, exam.cases, agreed=verdict.passed)
    verdict.remarks = list(dict.fromkeys(r for record in records for r in record.remarks))
    if verdict.passed:
        verdict.score = verdict.points
        return
    closest = max(exam.accepted, key=lambda r: _share(records, r))
    verdict.score = verdict.points * _share(records, closest)
    raised = next((r.raised for r in records if r.raised is not None), None)
    if raised is not None:
        verdict.message = _in_words(raised)
        if raised.type_name and all(_only_raised(r) for r in records):
            verdict.status = "crashed"
    verdict.mistakes = _name(records, exam)


def _accepts(expected: Recording, records: Recording) -> bool:
    return all(
        theirs.raised is None and agree(mine, theirs)
        for mine, theirs in zip(records, expected, strict=True)
    )


def _only_raised(record: Record) -> bool:
    return record.raised is not None and not record.observations


def _in_words(raised: Raised) -> str:
    if not raised.type_name:
        return raised.message
    said = f"Your function raised {raised.type_name}"
    if raised.message:
        said += f": {raised.message}"
    return said + (f"  (at: {raised.line})" if raised.line else "")


def _share(records: Recording, expected: Recording) -> float:
    """Share of the points earned: the parts in which nothing disagrees, where there are parts.

    An answer with an unnamed observation that disagrees, or that doesn't run to its end, earns
    only the parts whose observations were all made.
    """
    parts = {o.part for record in expected for o in record.observations}
    named = sorted(parts - {""})
    if not named:
        return 0.0
    lost: set[str] = set()
    for mine, theirs in zip(records, expected, strict=True):
        made = len(mine.observations)
        lost |= {o.part for o in theirs.observations[made:]}
        wrong = {d.name for d in disagreements(mine, theirs)}
        lost |= {o.part for o in theirs.observations[:made] if o.name in wrong}
    if "" in lost:
        return 0.0
    return sum(part not in lost for part in named) / len(named)


def _name(records: Recording, exam: Exam) -> list[Named]:
    """The mistake, or pair of mistakes, that explains every number; the simplest one first.

    Where more than two would, none is named: that would be guessing.
    """
    best: tuple[Candidate, ...] = ()
    for candidate in exam.candidates:
        if best and len(candidate.mistakes) > len(best[0].mistakes):
            break
        if _explains(candidate, records):
            best += (candidate,)
    named = {m.id: Named(m.id, m.says, m.hint) for c in best for m in c.mistakes}
    return list(named.values()) if len(named) <= 2 else []


def _explains(candidate: Candidate, records: Recording) -> bool:
    """Whether a candidate agrees in every case, and in one of them by more than NaN alone."""
    pairs = ((record, candidate.record(i)) for i, record in enumerate(records))
    by_numbers = False
    for mine, theirs in pairs:
        if not agree(mine, theirs, nan_agrees=True):
            return False
        by_numbers = by_numbers or agree(mine, theirs)
    return by_numbers


def _lines(
    records: Recording, expected: Recording, cases: Sequence[Case], *, agreed: bool
) -> list[Seen]:
    """One line an observation's name: the first case in which it disagrees, else the worst one.

    `agreed`: whether they are known to agree in all of them.
    """
    lines: dict[str, Seen] = {}
    for mine, theirs, case in zip(records, expected, cases, strict=True):
        found = [] if agreed else disagreements(mine, theirs)
        wrong: dict[str, Disagreement] = {d.name: d for d in found}
        about = str(case.get("about", ""))
        for seen, wanted in zip(mine.observations, theirs.observations, strict=False):
            if seen.name != wanted.name:
                # Seen only where something is wrong, as a NaN on the way.
                if seen.name not in lines or lines[seen.name].passed:
                    said = describe(seen.value)
                    lines[seen.name] = Seen(seen.name, False, None, about, "extra", seen=said)
                break
            known = lines.get(wanted.name)
            if known is not None and not known.passed:
                continue
            line = _line(seen.value, wanted, wrong.get(wanted.name), about)
            if known is None or not line.passed or _larger(line, known):
                lines[wanted.name] = line
    return list(lines.values())


def _line(seen: Any, wanted: Any, wrong: Disagreement | None, about: str) -> Seen:
    error = largest_relative_error(seen, wanted.value, wanted.floor)
    number = None if error == float("inf") else error
    if wrong is None:
        return Seen(wanted.name, True, number if number is not None else 0.0, about)
    d = wrong.difference
    if d is None:
        return Seen(wanted.name, False, number, about)
    return Seen(wanted.name, False, number, about, d.kind, d.place, d.seen, d.expected)


def _larger(line: Seen, known: Seen) -> bool:
    return (line.relative_error or 0.0) > (known.relative_error or 0.0)
