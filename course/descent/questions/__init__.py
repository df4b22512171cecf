"""The questions of the course, one module a unit: how each function is exercised, no answers."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from typing import Any

from descent.judging.exam import Exam
from descent.judging.observing import Question, registered
from descent.judging.verdict import Verdict, decide


@functools.cache
def all_questions() -> dict[str, Question]:
    """Every question by its id, in the order of the units' modules."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return {q.id: q for q in registered()}


def get(question_id: str) -> Question:
    """The question of that id. Raises KeyError with the nearest names when there is none."""
    import difflib

    questions = all_questions()
    if question_id not in questions:
        near = difflib.get_close_matches(str(question_id), questions, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise KeyError(f"There is no question called {question_id!r}.{hint}")
    return questions[question_id]


def judge(
    question_id: str, functions: Sequence[Callable[..., Any]], exam: Exam, points: float = 1.0
) -> Verdict:
    """Hold `functions` against `exam` and return the verdict.

    Raises nothing for what the functions do, except KeyboardInterrupt; KeyError for a question
    that doesn't exist.
    """
    return decide(get(question_id), functions, exam, points)
