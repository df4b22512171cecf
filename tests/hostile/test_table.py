"""The hostile table: each attack against stock nbgrader and against Descent.

    pytest -m soak -k table -s tests/hostile

prints it. Each row of stock nbgrader's takes some seconds; ``DESCENT_TABLE_MINUTES`` limits them,
and what wasn't run says so.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from itertools import chain, zip_longest
from pathlib import Path

import pytest

from . import attacked_course
from .attack import Attack
from .attacked_class import Aftermath
from .attacked_course import HONEST, NEIGHBOURS, AttackedCourse
from .attacks import ATTACKS
from .stock import Row, Stock, learnt, outcome

pytestmark = [pytest.mark.soak, pytest.mark.jupyter, pytest.mark.sandbox, pytest.mark.timeout(0)]


def test_the_table(
    template: AttackedCourse,
    attacked_class: Aftermath,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = {row.name: row for row in _stock_rows(template, tmp_path)}
    with capsys.disabled():
        print("\n" + _table(rows, attacked_class))
    assert rows.keys() == {attack.name for attack in ATTACKS}
    assert any("gains" in row.outcome for row in rows.values())
    assert not any(_descents(attack, attacked_class).startswith("gains") for attack in ATTACKS)


def _stock_rows(template: AttackedCourse, folder: Path) -> list[Row]:
    site = attacked_course.copied(template, folder / "course", _GUESSES)
    stock = Stock(site, folder)
    honest = stock.grade(NEIGHBOURS[1])
    assert honest["points"] == HONEST, "stock nbgrader doesn't grade the honest as it should"
    minutes = float(os.environ.get("DESCENT_TABLE_MINUTES", "inf"))
    end = time.monotonic() + 60 * minutes
    try:
        return [_stock_row(stock, attack, str(honest["course"]), end) for attack in _mixed()]
    finally:
        stock.clear()


_GUESSES = {
    "TOKEN": "hostiletable",
    "KEY": "2047893761",
    "TCP": "9",
    "TCP6": "9",
    "UDP": "9",
    "SOCKET": "/tmp/no-such-socket",
}


_NOT_SHOWN = {
    "network": "its sandbox has no network",
    "left behind": "what it leaves ends with its sandbox",
    "script for the reader": "its feedback isn't opened here",
}
"""What the sandbox that stock nbgrader is run in would hide, by family."""


def _stock_row(stock: Stock, attack: Attack, untouched: str, end: float) -> Row:
    reason = attack.not_stock or _NOT_SHOWN.get(attack.family)
    if reason:
        return Row(attack.name, f"not run: {reason}", run=False)
    if time.monotonic() > end:
        return Row(attack.name, "not run: no time was left", run=False)
    found = stock.grade(attack.name, attack)
    return Row(attack.name, outcome(attack, found, untouched, stock.site))


def _mixed() -> list[Attack]:
    """The attacks, one of each family in turn, so that a short run tries all kinds."""
    families: dict[str, list[Attack]] = defaultdict(list)
    for attack in ATTACKS:
        families[attack.family].append(attack)
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [attack for attack in turns if attack is not None]


def _descents(attack: Attack, attacked_class: Aftermath) -> str:
    points = attacked_class.points[attack.name]
    earned = dict.fromkeys(HONEST, 0.0) if attack.refused else HONEST
    gained = sum(max(0.0, points[task] - HONEST[task]) for task in HONEST)
    lost = sum(max(0.0, earned[task] - points[task]) for task in HONEST)
    said = [f"gains {gained:g} points"] if gained else []
    said += [
        f"learns {w}"
        for w in learnt(str(attacked_class.notebooks[attack.name]), attacked_class.site)
    ]
    if said:
        return "; ".join(said)
    if attack.refused:
        return "refused, with the reason"
    return f"held; costs itself {lost:g} points" if lost else "held"


def _table(rows: dict[str, Row], attacked_class: Aftermath) -> str:
    lines = ["| attack | what it tries | stock nbgrader | Descent |", "|---|---|---|---|"]
    for attack in ATTACKS:
        row = rows[attack.name]
        stock, ours = row.outcome, _descents(attack, attacked_class)
        lines.append(f"| {attack.name} | {attack.tries} | {stock} | {ours} |")
    ran = [row for row in rows.values() if row.run]
    held = sum(row.outcome == "held" for row in ran)
    ours_gained = sum(_descents(one, attacked_class).startswith("gains") for one in ATTACKS)
    gained = sum("gains" in row.outcome for row in ran)
    lines.append(
        f"\n{len(rows)} attacks. Stock nbgrader: {len(ran)} run, {held} held, {gained} gained "
        f"points. Descent: {len(rows)} run, {ours_gained} gained points."
    )
    return "\n".join(lines)
