"""Lessons run from top to bottom, can be read without seeing, and keep to the house's form."""

from __future__ import annotations

import functools
import itertools
import re
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from .reading import LESSONS, code_cells, descriptions, headings, paragraphs, read, run
from .reading import texts as texts_of
from .reading import troubles as troubles_of

LESSON_SECONDS = 120
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@functools.cache
def executed(path: Path) -> tuple[Any, float]:
    """The lesson after a run, and how long that took."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        notebook = run(read(path), Path(folder))
        return notebook, time.monotonic() - start


def test_there_are_lessons() -> None:
    assert LESSONS


@pytest.mark.jupyter
@every_lesson
def test_lesson_runs_quietly_and_in_time(path: Path) -> None:
    notebook, seconds = executed(path)
    assert troubles_of(notebook) == []
    assert seconds < LESSON_SECONDS


@pytest.mark.jupyter
@every_lesson
def test_pictures_and_demos_are_described(path: Path) -> None:
    notebook, _ = executed(path)
    described = descriptions(notebook)
    assert len(described) >= 3
    assert [text for text in described if len(text) < 20] == []


@every_lesson
def test_code_is_short_and_draws_nothing_itself(path: Path) -> None:
    for cell in code_cells(read(path)):
        assert len(cell.source.splitlines()) <= 20, cell.source
        assert max(map(len, cell.source.splitlines())) <= 88, cell.source
        assert not re.search(r"\bplt\.|pyplot|\.subplots\(", cell.source), cell.source


@every_lesson
def test_no_wall_of_text(path: Path) -> None:
    for paragraph in paragraphs(read(path)):
        lines = paragraph.splitlines()
        assert len(lines) <= 8, paragraph
        assert max(map(len, lines)) <= 110, paragraph


@every_lesson
def test_headings_are_in_order(path: Path) -> None:
    levels = [level for level, _ in headings(read(path))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@every_lesson
def test_lesson_has_all_its_parts(path: Path) -> None:
    notebook = read(path)
    prose = "\n".join(texts_of(notebook))
    assert re.search(r"\bminutes\b", texts_of(notebook)[0])
    assert prose.count("**Predict first") >= 3
    assert prose.count("Check yourself") >= 3
    assert "lsewhere you may read" in prose
    last = [title for level, title in headings(notebook) if level == 2][-3:]
    assert last == ["One page for the wall", "The three most common mistakes", "Further reading"]
    mistakes = prose.split("## The three most common mistakes")[1].split("## Further reading")[0]
    assert re.findall(r"^(\d)\. ", mistakes, flags=re.M) == ["1", "2", "3"]


@every_lesson
def test_folds_are_closed(path: Path) -> None:
    for text in texts_of(read(path)):
        assert text.count("<details>") == text.count("</details>"), text
        assert text.count("<summary>") == text.count("</summary>"), text
        assert text.count("<details>") == text.count("<summary>"), text
