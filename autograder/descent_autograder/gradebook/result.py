"""What came of a submission, as the gradebook takes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Result:
    """What came of one submission, ready to be written.

    Attributes:
        student: the student's id.
        notebooks: the graded notebooks, up to where grades are saved.
        verdicts: by grade id, what the judge found.
        remarks: what intake mended and what happened in execution, in sentences.
        refusals: why notebooks couldn't be graded, by name.
        seconds: wall time of execution.
        cpu_seconds: processor time of execution and verdict.
        failed: whether the grader itself failed, so that the next run should try again.
    """

    student: str
    notebooks: Mapping[str, Any] = field(repr=False)
    verdicts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    remarks: Sequence[str] = ()
    refusals: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    failed: bool = False
