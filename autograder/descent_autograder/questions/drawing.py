"""Drawing cases by trial: with a bound, so that no draw can go on for ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from descent_autograder.questions.entry import Rng

T = TypeVar("T")
MOST_TRIALS = 1000
"""A draw that is good once in twenty trials misses a thousand of them once in 10²² exams."""


def drawn(draw: Callable[[Rng], T], good: Callable[[T], bool], rng: Rng) -> T:
    """The first of at most 1,000 draws that is good. The whole case is drawn anew each time.

    Raises:
        RuntimeError: none was; then what is asked for is too rare to be drawn by trial.
    """
    for _ in range(MOST_TRIALS):
        case = draw(rng)
        if good(case):
            return case
    raise RuntimeError(f"{MOST_TRIALS} trials, and no good case: what is asked for is too rare")
