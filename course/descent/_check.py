"""`check`: what a student calls after each task, and what a grade cell runs."""

from __future__ import annotations

import contextlib
import io
import os
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from descent import questions
from descent.judging import Verdict, exam_for, report

_latest: dict[str, Verdict] = {}
_PRINTED_LIMIT = 2000


@dataclass(frozen=True)
class _Shown:
    """What a front end displays: the same report as text and as HTML."""

    plain: str
    rich: str


def check(
    question: str | None = None, *functions: Callable[..., Any], points: float | None = None
) -> float | None:
    """Check an answer and show the report; without arguments, sum up the notebook so far.

    `question` is the question's id and `functions` are what you wrote, in the order the task
    names them. While a person works this never raises. When a grader runs the notebook
    (NBGRADER_EXECUTION is set), a failed or unfinished check raises AssertionError, a partly
    right one returns the points earned, and full marks return None, which nbgrader reads so.
    """
    if question is None:
        _show(_summary())
        return None
    verdict = _verdict(question, functions, 1.0 if points is None else float(points))
    _latest[question] = verdict
    _show(_Shown(report.text(verdict), report.html(verdict)))
    if "NBGRADER_EXECUTION" not in os.environ or verdict.passed:
        return None
    if verdict.points == 0 and verdict.status == "unfinished":
        # Leaving out what is optional is no failure.
        return None
    if 0 < verdict.score < verdict.points:
        return float(verdict.score)
    raise _failure(verdict)


def _failure(verdict: Verdict) -> AssertionError:
    """The error that a grader sees; IPython prints its first line, for the report stands above."""
    text = report.text(verdict)
    error = AssertionError(text)
    line = f"AssertionError: {text.splitlines()[0]}"
    error._render_traceback_ = lambda: [line]  # type: ignore[attr-defined]
    return error


def latest() -> dict[str, Verdict]:
    """The last verdict of each question checked in this process, in order."""
    return dict(_latest)


def _verdict(question: str, functions: tuple[Any, ...], points: float) -> Verdict:
    try:
        exam = exam_for(question)
    except (KeyError, FileNotFoundError):
        return Verdict(question, "missing", points=points, message=_unknown(question))
    printed = io.StringIO()
    with (
        warnings.catch_warnings(record=True) as caught,
        contextlib.redirect_stdout(printed),
        contextlib.redirect_stderr(printed),
    ):
        warnings.simplefilter("default")
        verdict = questions.judge(question, functions, exam, points)
    if not verdict.passed:
        verdict.remarks = [*_earlier(question, functions), *verdict.remarks]
    said = dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in caught)
    lines = printed.getvalue()[:_PRINTED_LIMIT]
    verdict.printed = "\n".join([*([lines.rstrip()] if lines.strip() else []), *said])
    return verdict


def _earlier(question: str, functions: tuple[Any, ...]) -> list[str]:
    """A sentence for each earlier task that these functions call and that isn't right yet."""
    owners = {name: q.id for q in questions.all_questions().values() for name in q.functions}
    called: dict[str, str] = {}
    for function in functions:
        names = _names(getattr(function, "__code__", None))
        called |= {name: owners[name] for name in names if name in owners}
    return [
        f"It calls your `{name}`, and {owner} isn't right yet: mend that one first."
        for name, owner in called.items()
        if owner != question and owner in _latest and not _latest[owner].passed
    ]


def _names(code: Any) -> list[str]:
    """The names that code looks up outside itself, functions inside it included."""
    if not isinstance(code, types.CodeType):
        return []
    inner = [name for constant in code.co_consts for name in _names(constant)]
    return [*code.co_names, *code.co_freevars, *inner]


def _unknown(question: str) -> str:
    try:
        questions.get(question)
    except KeyError as error:
        return str(error.args[0])
    return f"The expected numbers of {question!r} are missing from this copy of descent."


def _summary() -> _Shown:
    import html

    if not _latest:
        line = "Nothing has been checked in this notebook yet."
        return _Shown(line, f"<p>{line}</p>")
    rows = [(v.question, _state(v), f"{v.score:g} of {v.points:g}") for v in _latest.values()]
    total, possible = (sum(getattr(v, k) for v in _latest.values()) for k in ("score", "points"))
    caption = f"So far: {total:g} of {possible:g} points in {len(rows)} checks."
    width = max(len(r[0]) for r in rows)
    plain = [caption, *(f"  {q:<{width}}  {state:<14}  {score}" for q, state, score in rows)]
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    head = "".join(f'<th scope="col">{name}</th>' for name in ("question", "state", "points"))
    rich = (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )
    return _Shown("\n".join(plain), rich)


def _state(verdict: Verdict) -> str:
    if verdict.passed:
        return "right"
    if verdict.status != "graded":
        return "not yet" if verdict.status == "unfinished" else verdict.status
    return "partly right" if verdict.score > 0 else "not right yet"


def _show(shown: _Shown) -> None:
    try:
        from IPython import get_ipython
        from IPython.display import publish_display_data
    except ImportError:
        print(shown.plain)
        return
    if get_ipython() is None:
        print(shown.plain)
    else:
        publish_display_data({"text/plain": shown.plain, "text/html": shown.rich})
