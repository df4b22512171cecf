"""The expected numbers that ship with the course are what the references make of their cases."""

from __future__ import annotations

from pathlib import Path

import pytest
from descent.questions import all_questions
from descent_autograder.questions import catalogue, expected
from descent_autograder.questions.catalogue import entries


@pytest.mark.parametrize("question_id", list(entries()))
def test_expected_numbers_are_fresh(question_id: str) -> None:
    assert expected.stale(question_id) == ""


def test_every_question_has_an_entry_and_every_file_a_question() -> None:
    assert set(entries()) == set(all_questions())
    stored = {path.name.removesuffix(".json.gz") for path in expected.FOLDER.glob("*.json.gz")}
    assert stored == set(entries())


def test_files_stay_small() -> None:
    assert all(path.stat().st_size < 200_000 for path in expected.FOLDER.glob("*.json.gz"))


def test_a_changed_number_is_noticed(tmp_path: Path) -> None:
    expected.write(["verdict", "relative_error"], folder=tmp_path, redraw=True)
    assert expected.stale("verdict", tmp_path) == ""
    swapped = expected.path_of("relative_error", tmp_path)
    swapped.write_bytes(expected.path_of("verdict", tmp_path).read_bytes())
    assert expected.stale("relative_error", tmp_path) != ""


def test_cases_once_drawn_are_kept(tmp_path: Path) -> None:
    expected.write(["crossed_kinks"], folder=tmp_path, redraw=True)
    before = expected.read("crossed_kinks", tmp_path)["cases"]
    expected.write(["crossed_kinks"], folder=tmp_path)
    assert expected.read("crossed_kinks", tmp_path)["cases"] == before


def test_what_is_warm_needs_no_reading_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue.warm_up()
    monkeypatch.setattr("inspect.getsource", lambda _: pytest.fail("read once more"))
    monkeypatch.setattr("builtins.compile", lambda *_, **__: pytest.fail("compiled once more"))
    for known in catalogue.entries().values():
        for mistake in known.mistakes:
            known.version(frozenset({mistake.id}))
