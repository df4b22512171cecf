"""``descent demo``: the invented class comes out as it was meant."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from descent_autograder import cli
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import open_course
from descent_autograder.sampleclass import answers, students

UNIT = "01-gradient-checks"
RIGHT = ("ada", "ben", "chika", "dmitri", "elif", "farid", "priya", "quinn")
STEALING = ("sven", "tariq", "uma", "viktor", "wanda", "yuki")


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, tools: Any) -> tuple[Path, str]:
    """The demo's folder and what it printed."""
    import contextlib
    import io
    import os

    here = tmp_path_factory.mktemp("project")
    for part in ("source", "nbgrader_config.py"):
        source = tools.REPOSITORY / "assignments" / part
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        (here / "assignments").mkdir(exist_ok=True)
        copy(source, here / "assignments" / part)
    before = Path.cwd()
    os.chdir(here)
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            assert cli.main(["demo"]) == 0
    finally:
        os.chdir(before)
    return here / "demo", printed.getvalue()


pytestmark = [pytest.mark.sandbox, pytest.mark.timeout(900)]


def test_everybody_gets_what_was_earned(demo: tuple[Path, str], tools: Any) -> None:
    scores = tools.scores_of(open_course(demo[0]), UNIT)
    assert set(scores) == {student.name for student in students()}
    assert {name: scores[name]["score"] for name in RIGHT} == dict.fromkeys(RIGHT, 50.0)
    assert {name: scores[name]["score"] for name in STEALING} == dict.fromkeys(STEALING, 0.0)
    assert {name: scores[name]["score"] for name in ("lena", "rosa")} == {"lena": 0.0, "rosa": 0.0}
    assert scores["omar"]["score"] == 48.0
    for name in ("gaia", "hana", "ivan", "jun", "kofi", "mateo", "nora"):
        assert 0 < scores[name]["score"] < 50


def test_every_question_has_a_typical_mistake_that_is_named(demo: tuple[Path, str]) -> None:
    from descent import questions

    journal = Assignment(open_course(demo[0]), UNIT).journal
    named = {
        question
        for name in ("gaia", "hana", "ivan", "jun", "kofi")
        for question, verdict in (journal.read(name) or {})["verdicts"].items()
        if verdict["mistakes"]
    }
    asked = {q.id for q in questions.all_questions().values() if q.unit == "gradient_checks"}
    assert asked <= named


def test_the_table_and_where_things_are_is_printed(demo: tuple[Path, str]) -> None:
    folder, printed = demo
    for words in (
        "student",
        "score",
        "what went wrong",
        "50 / 60",
        "broken JSON",
        "takes too long",
        "is not defined",
        "10 of the 60 points are given by hand",
    ):
        assert words in printed
    assert str(folder / "feedback") in printed
    for student in students():
        page = folder / "feedback" / student.name / UNIT / "gradient-checks.html"
        assert "Content-Security-Policy" in page.read_text()


def test_the_demo_replaces_only_what_it_made_itself(
    tmp_path: Path, tools: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tools.REPOSITORY)
    (tmp_path / "thesis.txt").write_text("years of work")
    assert cli.main(["demo", "--dir", str(tmp_path)]) == 1
    assert "wasn't made by descent demo" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_answers_are_ordinary_functions() -> None:
    for name in ("loops", "in_place", "slips", "masks", "halves", "detours", "hunt"):
        found = answers(name)
        assert found
        for function, source in found.items():
            assert source.startswith(f"def {function}(")
            compile(source, name, "exec")
