"""``descent doctor``: what stands, what is missing, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from descent_autograder import cli
from descent_autograder.commands.doctor import Line, examine
from descent_autograder.core.course import Course

pytestmark = pytest.mark.sandbox


def _found(course: Course | None) -> dict[str, Line]:
    return {line.what: line for line in examine(course)}


def test_a_course_in_order_is_in_order(small: Course, capsys: pytest.CaptureFixture[str]) -> None:
    small.secret()
    assert cli.main(["doctor", "--course", str(small.root)]) == 0
    out = capsys.readouterr().out
    assert "Grading can work here." in out
    for what in ("python", "packages", "sandbox", "gradebook", "secret", "disk"):
        assert f"✓ {what}" in out


def test_a_secret_that_others_can_read_is_a_fault(small: Course) -> None:
    small.secret()
    (small.root / ".descent-secret").chmod(0o644)
    line = _found(small)["secret"]
    assert line.good is False
    assert "chmod 600" in line.remedy


def test_a_spoilt_gradebook_is_a_fault(small: Course, capsys: pytest.CaptureFixture[str]) -> None:
    (small.root / "gradebook.db").write_bytes(b"no database at all, but long enough" * 100)
    assert cli.main(["doctor", "--course", str(small.root)]) == 1
    assert "not a database" in capsys.readouterr().out


def test_without_a_course_the_machine_is_examined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(["doctor"]) == 0
    assert "none here" in capsys.readouterr().out
