"""A verdict in words: as plain text and as HTML.

Each sentence stands whole in `SENTENCES`, so that an edition in another language replaces one
table. The report never shows the reference and never prints more than the first difference.
"""

from __future__ import annotations

import html as _html
import re

from descent.judging.verdict import Seen, Verdict

SENTENCES = {
    "passed": "{question}: right. {score} of {points} points.",
    "partly": "{question}: partly right. {score} of {points} points.",
    "wrong": "{question}: not right yet. {score} of {points} points.",
    "unfinished": "{question}: not yet.",
    "blank": "{question}: not yet. Nothing has been written here so far.",
    "crashed": "{question}: it stops with an error. {score} of {points} points.",
    "timeout": "{question}: it takes too long. {score} of {points} points.",
    "missing": "{question}: can't be checked.",
    "shape": "{name}: the shape is {seen}, expected {expected}.",
    "keys": "{name}: it has {seen}, expected {expected}.",
    "type": "{name}: it is {seen}, expected {expected}.",
    "nan": "{name}: not a number (NaN), expected {expected}.",
    "number": "{name}: {seen}, expected {expected}; largest relative error {error} ({reading}).",
    "near": "{name}: {seen}, expected {expected}; largest relative error {error}.",
    "single": "{name}: {seen}, expected {expected}; it looks like float32: stay in float64.",
    "extra": "{name}: {seen}.",
    "ended": "{name}: could not be compared.",
    "agrees": "{name}: agrees; largest relative error {error} ({reading}).",
    "same": "{name}: agrees.",
    "looks": "{says}",
    "try": "Try this: {hint}",
    "case": "Seen with {case}.",
    "printed": "Your code printed:",
    "right": "right",
    "not right": "not right",
}

MAX_LINES = 6


def headline(verdict: Verdict) -> str:
    """The first sentence of a report."""
    key = verdict.status
    if key == "graded":
        key = "passed" if verdict.passed else "partly" if verdict.score > 0 else "wrong"
    elif key == "unfinished" and not verdict.message:
        key = "blank"
    return SENTENCES[key].format(
        question=verdict.question, score=f"{verdict.score:g}", points=f"{verdict.points:g}"
    )


def reading(error: float) -> str:
    """A relative error read with the thresholds of unit 1."""
    if not error <= 1e-2:
        return "wrong"
    if error > 1e-4:
        return "uncomfortable"
    return "okay only with kinks" if error > 1e-7 else "happy"


def line(seen: Seen) -> str:
    """One observation in one sentence."""
    name = seen.name + (f", at {seen.place}" if seen.place and not seen.passed else "")
    error = seen.relative_error
    key = ("agrees" if error else "same") if seen.passed else seen.kind or "ended"
    if key == "number" and error is not None and reading(error) == "happy":
        # A gradient check would be happy; where nothing but rounding may differ, this isn't.
        key = "near"
    shown = "" if error is None else f"{error:.1e}"
    return SENTENCES[key].format(
        name=name,
        seen=seen.seen,
        expected=seen.expected,
        error=shown or "infinite",
        reading=reading(float("inf") if error is None else error),
    )


def _ordered(verdict: Verdict) -> list[Seen]:
    """What disagrees first: shapes and types, then numbers; then what agrees."""
    first = {"shape": 0, "keys": 0, "type": 0, "extra": 0}
    order = sorted(verdict.observations, key=lambda s: (s.passed, first.get(s.kind, 1)))
    return order[:MAX_LINES]


def text(verdict: Verdict) -> str:
    """The report as plain text."""
    mark = "✓" if verdict.passed else "…" if verdict.status == "unfinished" else "✗"
    lines = [f"{mark} {headline(verdict)}"]
    lines += [f"  {s}" for s in _guidance(verdict)]
    for seen in _ordered(verdict):
        lines.append(f"  {'✓' if seen.passed else '✗'} {line(seen)}")
        if not seen.passed and seen.case:
            lines.append("      " + SENTENCES["case"].format(case=seen.case))
    lines += [f"  {remark}" for remark in verdict.remarks]
    if verdict.printed:
        lines.append("  " + SENTENCES["printed"])
        lines += [f"    {row}" for row in verdict.printed.splitlines()]
    return "\n".join(lines)


def _guidance(verdict: Verdict) -> list[str]:
    """The message, then what it looks like and what to try."""
    sentences = [verdict.message] if verdict.message else []
    for mistake in verdict.mistakes:
        sentences.append(SENTENCES["looks"].format(says=mistake.says))
        if mistake.hint:
            sentences.append(SENTENCES["try"].format(hint=mistake.hint))
    return sentences


_COLOURS = {"right": "#0072B2", "wrong": "#B4420A", "waiting": "#6B6B6B"}


def html(verdict: Verdict) -> str:
    """The report as an HTML fragment: no script, no style sheet, everything escaped."""
    kind = "right" if verdict.passed else "waiting" if verdict.status == "unfinished" else "wrong"
    mark = {"right": "✓", "wrong": "✗", "waiting": "…"}[kind]
    parts = [
        f'<div role="status" style="border-left:4px solid {_COLOURS[kind]};padding:4px 12px;'
        'margin:4px 0;line-height:1.5">',
        f'<p style="margin:2px 0"><span aria-hidden="true">{mark}</span> '
        f"<strong>{_escape(headline(verdict))}</strong></p>",
    ]
    parts += [f'<p style="margin:2px 0">{_with_code(s)}</p>' for s in _guidance(verdict)]
    rows = _ordered(verdict)
    if rows:
        parts.append('<ul style="margin:2px 0;padding-left:1.4em;list-style:none">')
        for seen in rows:
            state = SENTENCES["right" if seen.passed else "not right"]
            case = ""
            if not seen.passed and seen.case:
                case = "<br><small>" + _escape(SENTENCES["case"].format(case=seen.case))
                case += "</small>"
            parts.append(
                f'<li><span role="img" aria-label="{_escape(state)}">'
                f"{'✓' if seen.passed else '✗'}</span> {_escape(line(seen))}{case}</li>"
            )
        parts.append("</ul>")
    parts += [f'<p style="margin:2px 0">{_with_code(r)}</p>' for r in verdict.remarks]
    if verdict.printed:
        parts.append(
            f"<details><summary>{_escape(SENTENCES['printed'])}</summary>"
            f"<pre>{_escape(verdict.printed)}</pre></details>"
        )
    return "\n".join([*parts, "</div>"])


def _with_code(words: str) -> str:
    """Escaped, with what stands between backticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _escape(words))


def _escape(words: str) -> str:
    return _html.escape(words, quote=True)
