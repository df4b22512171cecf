"""The expected numbers that ship with the course: made here, read by `descent.judging`.

Cases are drawn once and kept, inputs included, because a generator's stream may differ between
numpy versions; `write` only works out anew what the reference, the freedoms and the mistakes do
with them. The command is `descent refresh [--redraw QUESTION]`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import descent.questions
import numpy as np
from descent.judging import Case, Observation, Record, public_exam
from descent.judging.exam import (
    from_json,
    record_to_json,
    to_json,
)
from descent.judging.fingerprint import fingerprinted

from descent_autograder.questions.catalogue import (
    OnDemand,
    candidates,
    entries,
    entry,
    recording_of,
)
from descent_autograder.questions.entry import Entry

SEED = 20140615
TAIL = ("mistakes", "candidates")
"""What stands on the second line of a file, which only a wrong answer needs."""
FOLDER = Path(descent.questions.__file__).parent / "expected"


def path_of(question_id: str, folder: Path = FOLDER) -> Path:
    """Where the expected numbers of a question stand."""
    return folder / f"{question_id}.json.gz"


def read(question_id: str, folder: Path = FOLDER) -> Any:
    """The stored data of a question, as JSON: head and tail of `make` in one."""
    head, _, tail = gzip.decompress(path_of(question_id, folder).read_bytes()).partition(b"\n")
    return json.loads(head) | json.loads(tail)


def draw_cases(known: Entry) -> list[dict[str, Any]]:
    """The public cases of a question that has none yet."""
    return known.cases(np.random.default_rng([SEED, *known.question.encode()]))


def make(question_id: str, cases: Sequence[Case]) -> dict[str, Any]:
    """Everything that is stored for a question: cases, accepted recordings, mistakes."""
    known = entry(question_id)

    def whole(records: Sequence[Record]) -> list[Any]:
        return [record_to_json(record) for record in records]

    return {
        "question": question_id,
        "cases": [to_json(dict(case)) for case in cases],
        "accepted": [whole(recording_of(known, ids, cases)) for ids in known.freedoms()],
        "mistakes": [[m.id, m.says, m.hint] for m in known.mistakes],
        "candidates": [
            [[m.id for m in c.mistakes], _short(c.record, len(cases))]
            for c in candidates(known, cases)
        ],
    }


def _short(record: Any, length: int) -> list[Any]:
    """Records of a mistake, with fingerprints in place of arrays."""

    def shortened(r: Record) -> Record:
        return Record(
            [
                Observation(o.name, fingerprinted(o.value), o.rtol, o.floor, o.as_row, o.part)
                for o in r.observations
            ],
            r.raised,
        )

    return [record_to_json(shortened(r)) for r in OnDemand(record, length)]


def write(
    question_ids: Sequence[str] = (), *, redraw: bool = False, folder: Path = FOLDER
) -> list[Path]:
    """Write the expected numbers of the questions (all of them by default); returns the files."""
    folder.mkdir(exist_ok=True)
    files = []
    for question_id in question_ids or entries():
        known, path = entry(question_id), path_of(question_id, folder)
        kept = path.exists() and not redraw
        cases = (
            [from_json(c) for c in read(question_id, folder)["cases"]]
            if kept
            else draw_cases(known)
        )
        made = make(question_id, cases)
        tail = {key: made.pop(key) for key in TAIL}
        lines = [
            json.dumps(part, separators=(",", ":"), ensure_ascii=False) for part in (made, tail)
        ]
        path.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
        files.append(path)
    public_exam.cache_clear()
    return files


def stale(question_id: str, folder: Path = FOLDER) -> str:
    """Why the stored numbers of a question are out of date; empty when they are fresh to 1e-12."""
    if not path_of(question_id, folder).exists():
        return "never written"
    stored = read(question_id, folder)
    cases = [from_json(case) for case in stored["cases"]]
    # Through JSON once, so that both sides hold the same kinds of things.
    made = json.loads(json.dumps(make(question_id, cases)))
    return _difference(stored, made, "", 0.0)


def _difference(a: Any, b: Any, where: str, slack: float) -> str:
    """The first place where two stored exams differ by more than 1e-12 relative, or `slack`."""
    if isinstance(a, float) and isinstance(b, float | int) and not isinstance(b, bool):
        near = abs(a - b) <= 1e-12 * max(abs(a), abs(b)) + slack
        return "" if near else f"{where}: {a!r} became {b!r}"
    if type(a) is not type(b):
        return f"{where}: {a!r} became {b!r}"
    if isinstance(a, dict):
        if a.keys() != b.keys():
            return f"{where}: other keys"
        return next((d for k in a if (d := _difference(a[k], b[k], f"{where}.{k}", slack))), "")
    if isinstance(a, list):
        if len(a) != len(b):
            return f"{where}: {len(a)} items became {len(b)}"
        if _is_observation(a):
            # Difference quotients carry rounding of their own, which differs between platforms.
            slack = max(a[3], 1e-9)
        items = enumerate(zip(a, b, strict=True))
        found = (_difference(x, y, f"{where}[{i}]", slack) for i, (x, y) in items)
        return next(filter(None, found), "")
    return "" if a == b else f"{where}: {a!r} became {b!r}"


def _is_observation(item: list[Any]) -> bool:
    """Whether this is an observation as `record_to_json` writes it: name, value, rtol and more."""
    return len(item) == 6 and isinstance(item[0], str) and isinstance(item[4], bool)
