"""`descent verify`: proof that the grader is right about what it knows.

For every question, on the public exam and on fresh ones: the reference, every freedom and every
accepted variant pass; a blank answer is unfinished; nonsense fails; every mistake is rejected and
named as itself only; a green `check` and a full grade agree. Pairs of mistakes that overlap,
cancel, crash or look like another are found and listed.
"""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from descent.judging import Exam, Verdict, public_exam, report
from descent.questions import judge

from descent_autograder.questions import expected
from descent_autograder.questions.catalogue import entries, exam
from descent_autograder.questions.editing import EditError
from descent_autograder.questions.entry import Entry, Ids, Mistake, as_tuple

SEEDS = (1, 2, 3)
FEWEST_MISTAKES = 5


@dataclass
class Finding:
    """What verifying one question brought to light; `problems` is empty when all is well."""

    question: str
    mistakes: int
    variants: int
    problems: list[str] = field(default_factory=list)
    pairs: int = 0
    overlapping: list[str] = field(default_factory=list)
    cancelling: list[str] = field(default_factory=list)
    crashing: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    note: str = ""

    @property
    def named(self) -> int:
        """How many pairs of mistakes are recognised as just these two."""
        return self.pairs - len(self.cancelling) - len(self.crashing) - len(self.ambiguous)

    def add(self, part: Finding) -> None:
        """Take over what a part of the proof has found."""
        self.pairs += part.pairs
        for mine, other in (
            (self.problems, part.problems),
            (self.overlapping, part.overlapping),
            (self.cancelling, part.cancelling),
            (self.crashing, part.crashing),
            (self.ambiguous, part.ambiguous),
        ):
            mine += other


Part = tuple[str, str, int]
"""A part of the proof that can run by itself: the question, what is looked at, which of them."""
PAIRS_A_PART = 40


def verify(known: Entry, seeds: Sequence[int] = SEEDS) -> Finding:
    """Verify one question."""
    finding = _entry_itself(known)
    if not finding.problems:
        for part in _parts(known, seeds):
            finding.add(_proved(known, part))
    return finding


def _entry_itself(known: Entry) -> Finding:
    """What can be said of an entry without judging anything."""
    finding = Finding(
        known.question,
        len(known.mistakes),
        len(known.variants) + len(known.freedoms()) - 1,
        note=known.reason,
    )
    if len(known.mistakes) < FEWEST_MISTAKES and not known.reason:
        finding.problems.append(f"fewer than {FEWEST_MISTAKES} mistakes, and no reason given")
    ids = [m.id for m in known.mistakes]
    finding.problems += [f"mistake {i} stands twice" for i in set(ids) if ids.count(i) > 1]
    finding.problems += _ill_fitting(known)
    return finding


def _parts(known: Entry, seeds: Sequence[int]) -> Iterator[Part]:
    """The parts of the proof, those that take longest first."""
    pairs = len(known.mistakes) * (len(known.mistakes) - 1) // 2
    yield from ((known.question, "pairs", first) for first in range(0, pairs, PAIRS_A_PART))
    if expected.path_of(known.question).exists():
        yield known.question, "public exam", 0
    yield from ((known.question, "fresh exam", seed) for seed in seeds)
    yield known.question, "stored numbers", 0


def _proved(known: Entry, part: Part) -> Finding:
    """What one part of the proof brings to light."""
    _, what, which = part
    finding = Finding(known.question, 0, 0)
    if what == "stored numbers":
        why = expected.stale(known.question)
        finding.problems += [f"expected numbers are out of date: {why}"] if why else []
    elif what == "pairs":
        if expected.path_of(known.question).exists():
            pairs = list(itertools.combinations(known.mistakes, 2))[which : which + PAIRS_A_PART]
            _pairs(known, public_exam(known.question), pairs, finding)
    else:
        fresh = what == "fresh exam"
        made = exam(known.question, which) if fresh else public_exam(known.question)
        name = f"{what} {which}" if fresh else what
        _accepts(known, made, name, finding)
        _rejects(known, made, name, finding)
    return finding


def _ill_fitting(known: Entry) -> Iterator[str]:
    """The mistakes and freedoms whose edits don't fit the reference, and why."""
    for one in known.deviations:
        try:
            known.version(frozenset({one.id}))
        except EditError as error:
            yield f"{one.id}: {error}"


def _judged(known: Entry, functions: Any, made: Exam) -> Verdict:
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        return judge(known.question, as_tuple(functions), made)


def _accepts(known: Entry, made: Exam, name: str, finding: Finding) -> None:
    right: list[tuple[str, Any]] = [("the reference", known.reference)]
    for ids in known.freedoms()[1:]:
        right.append((f"the reference with {', '.join(sorted(ids))}", known.version(ids)))
    right += [(f"variant «{label}»", functions) for label, functions in known.variants.items()]
    for label, functions in right:
        verdict = _judged(known, functions, made)
        if not verdict.passed:
            finding.problems.append(f"{name}: {label} is rejected\n{report.text(verdict)}")
        if "reference" in label and verdict.remarks:
            finding.problems.append(f"{name}: the reference draws a remark: {verdict.remarks[0]}")


def _blank(*_: Any, **__: Any) -> Any:
    raise NotImplementedError


def nonsense() -> dict[str, Callable[..., Any]]:
    """Answers that are wrong whatever was asked."""

    def raises(*_: Any, **__: Any) -> Any:
        raise ValueError("no")

    return {
        "None": lambda *_, **__: None,
        "0.0": lambda *_, **__: 0.0,
        "NaN": lambda *_, **__: float("nan"),
        "an object": lambda *_, **__: object(),
        "a pair of None": lambda *_, **__: (None, None),
        "its first argument": lambda *a, **__: a[0] if a else None,
        "an exception": raises,
        "an exit": lambda *_, **__: (_ for _ in ()).throw(SystemExit),
    }


def _rejects(known: Entry, made: Exam, name: str, finding: Finding) -> None:
    count = len(as_tuple(known.reference))
    if _judged(known, (_blank,) * count, made).status != "unfinished":
        finding.problems.append(f"{name}: a blank answer isn't called unfinished")
    for label, function in nonsense().items():
        if _judged(known, (function,) * count, made).passed:
            finding.problems.append(f"{name}: {label} passes")
    for mistake in known.mistakes:
        for freedom in known.freedoms():
            if not known.can_be_made(freedom | {mistake.id}):
                continue
            _names(known, made, frozenset({mistake.id}), freedom, name, finding)


def _names(known: Entry, made: Exam, ids: Ids, freedom: Ids, name: str, finding: Finding) -> None:
    verdict = _judged(known, known.version(ids | freedom), made)
    (mistake,) = ids
    label = mistake + (f" with {', '.join(sorted(freedom))}" if freedom else "")
    if verdict.passed:
        finding.problems.append(f"{name}: {label} passes")
    elif [m.id for m in verdict.mistakes] != [mistake]:
        named = ", ".join(m.id for m in verdict.mistakes) or "nothing"
        finding.problems.append(f"{name}: {label} is named as {named}")


def _pairs(
    known: Entry, made: Exam, pairs: Sequence[tuple[Mistake, Mistake]], finding: Finding
) -> None:
    """Sort pairs of mistakes: those that cancel, crash, or look like something else."""
    for pair in pairs:
        ids = [m.id for m in pair]
        if not known.can_be_made(frozenset(ids)):
            finding.overlapping.append(" + ".join(ids))
            continue
        finding.pairs += 1
        verdict = _judged(known, known.version(frozenset(ids)), made)
        label = " + ".join(ids)
        if verdict.passed:
            finding.cancelling.append(label)
        elif verdict.status == "crashed":
            finding.crashing.append(label)
        elif sorted(m.id for m in verdict.mistakes) != sorted(ids):
            finding.ambiguous.append(label)


def main(questions: Sequence[str] | None = None, *, details: bool = False) -> int:
    """Print the table for these questions, all by default; the cores share the work.

    Args:
        questions: their ids.
        details: also list the pairs of mistakes that overlap, cancel, crash or look alike.

    Returns:
        1 when anything is off, or nothing was verified; else 0.
    """
    chosen = entries() if questions is None else questions
    known = {name: entry for name, entry in entries().items() if name in chosen}
    header = f"{'question':<24}{'mistakes':>9}{'variants':>9}{'pairs':>7}{'overlap':>9}"
    print(header + f"{'cancel':>8}{'crash':>7}{'alike':>7}  state")
    findings = []
    for finding in _verified(list(known.values())):
        findings.append(finding)
        print(_row(finding), flush=True)
        if details:
            _print_pairs(finding)
    for finding in findings:
        for problem in finding.problems:
            print(f"{finding.question}: {problem}")
    bad = sum(bool(f.problems) for f in findings)
    print(
        f"{len(findings)} questions, {sum(f.mistakes for f in findings)} mistakes, "
        f"{sum(f.named for f in findings)} pairs named; {bad} questions with problems"
    )
    return 1 if bad or not findings else 0


def _verified(known: Sequence[Entry]) -> Iterator[Finding]:
    """Every entry's finding, in order, as soon as all its parts are proved."""
    findings = {entry.question: _entry_itself(entry) for entry in known}
    sound = [entry for entry in known if not findings[entry.question].problems]
    parts = [part for entry in sound for part in _parts(entry, SEEDS)]
    with ProcessPoolExecutor(max(1, min(os.cpu_count() or 1, len(parts)))) as pool:
        proved = zip(parts, pool.map(_proved_by_id, parts), strict=True)
        following = next(proved, None)
        for entry in known:
            finding = findings[entry.question]
            while following is not None and following[0][0] == entry.question:
                finding.add(following[1])
                following = next(proved, None)
            yield finding


def _proved_by_id(part: Part) -> Finding:
    return _proved(entries()[part[0]], part)


def _row(finding: Finding) -> str:
    state = "ok" if not finding.problems else f"{len(finding.problems)} problems"
    state += f"  ({finding.note})" if finding.note else ""
    return (
        f"{finding.question:<24}{finding.mistakes:>9}{finding.variants:>9}{finding.pairs:>7}"
        f"{len(finding.overlapping):>9}{len(finding.cancelling):>8}{len(finding.crashing):>7}"
        f"{len(finding.ambiguous):>7}  {state}"
    )


def _print_pairs(finding: Finding) -> None:
    for word, pairs in (
        ("overlap", finding.overlapping),
        ("cancel", finding.cancelling),
        ("crash", finding.crashing),
        ("alike", finding.ambiguous),
    ):
        for pair in pairs:
            print(f"    {word}: {pair}")
