"""The command line: how units are named, and what a wrong call gets."""

from __future__ import annotations

import argparse
import errno
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from descent_autograder import cli, commands
from descent_autograder.core import errors
from descent_autograder.core.errors import Stop

REPOSITORY = Path(__file__).parents[3]


def _below(cls: type[Exception]) -> set[type[Exception]]:
    return {cls}.union(*map(_below, cls.__subclasses__()))


def _run(
    capsys: pytest.CaptureFixture[str], *arguments: str, course: Path | None = None
) -> tuple[int, str, str]:
    given = [*arguments, *(["--course", str(course)] if course else [])]
    try:
        status = cli.main(given)
    except SystemExit as stop:
        status = int(stop.code or 0)
    out, err = capsys.readouterr()
    return status, out, err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "COMMAND"),
        (["greade"], "invalid choice"),
        (["grade"], "UNIT"),
        (["grade", "7up"], "unknown unit '7up'"),
        (["grade", "20", "--jobs", "0"], "at least 1"),
        (["grade", "20", "--jobs", "many"], "at least 1"),
        (["grade", "20", "--colour"], "--colour"),
        (["release", "optimizers"], "no notebook"),
        (["judge", "central_difference"], "FILE"),
        (["judge", "central_difference", "nowhere.py"], "no such file: nowhere.py"),
        (["judge", "central_diference", __file__], "central_difference"),
        (["judge", "central_difference", __file__, "--name", "a", "--name", "b"], "1 function"),
        (["judge", "central_difference", __file__, "--seed", "-1"], "at least 0"),
        (["verify", "nothing"], "unknown unit"),
        (["refresh", "--redraw", "nothing"], "wants a question"),
    ],
)
def test_a_wrong_call_gets_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], small_template: Path, arguments: list[str], says: str
) -> None:
    takes_course = bool(arguments) and arguments[0] in ("grade", "release", "verify", "refresh")
    status, out, err = _run(capsys, *arguments, course=small_template if takes_course else None)
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("descent")
    assert says in err


@pytest.mark.parametrize("arguments", ["grade 1", "grade 1 --unsafe", "judge f f.py", "demo"])
def test_off_linux_nothing_is_graded_and_it_is_said_why(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: str
) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    status, out, err = _run(capsys, *arguments.split())
    assert (status, out) == (cli.FAILED, "")
    assert "needs Linux (or WSL 2 on Windows)" in err
    assert len(err.splitlines()) == 1


def test_verify_runs_no_answers_of_students_and_so_anywhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, small_template: Path
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr("descent_autograder.questions.verify.main", lambda units: 0)
    status, _, err = _run(capsys, "verify", "small", course=small_template)
    assert (status, err) == (0, "")


def test_no_course_is_a_wrong_call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, _, err = _run(capsys, "grade", "1")
    assert status == 2
    assert "--course" in err
    status, _, err = _run(capsys, "grade", "1", course=tmp_path / "missing")
    assert status == 2
    assert "no such directory" in err


def test_nothing_submitted_is_a_failure_in_one_line(
    capsys: pytest.CaptureFixture[str], small_template: Path
) -> None:
    status, _, err = _run(capsys, "grade", "20", course=small_template)
    assert status == 1
    assert (
        err
        == f"descent grade: nobody has submitted 20-small: {small_template}/submitted holds none\n"
    )


@pytest.mark.parametrize(
    "command", ["", *["demo", "release", "grade", "feedback", "verify", "judge"]]
)
def test_help_is_at_hand(capsys: pytest.CaptureFixture[str], command: str) -> None:
    status, out, _ = _run(capsys, *([command] if command else []), "--help")
    assert status == 0
    assert "usage: descent" in out


def test_help_and_wrong_calls_load_nothing_heavy() -> None:
    program = (
        "import sys\nfrom descent_autograder.cli import main\n"
        "try:\n    main(['grade'])\nexcept SystemExit as stop:\n    assert stop.code == 2\n"
        "print(sorted(m for m in ('numpy', 'nbgrader', 'nbconvert') if m in sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


def test_a_full_disk_is_said_in_one_line_and_other_faults_are_not_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(number: int) -> None:
        def run(options: object) -> int:
            raise OSError(number, "what the system says")

        monkeypatch.setattr("descent_autograder.commands.doctor.run", run)
        commands.run(argparse.Namespace(command="doctor"))

    with pytest.raises(Stop, match="what the system says; make room"):
        failing(errno.ENOSPC)
    with pytest.raises(Stop, match="what the system says"):
        failing(errno.EACCES)
    with pytest.raises(OSError, match="what the system says"):
        failing(errno.EIO)


@pytest.mark.parametrize(
    "failure", sorted(_below(errors.DescentError), key=lambda one: one.__name__)
)
def test_every_foreseen_failure_is_one_line_and_its_status(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, failure: Any
) -> None:
    def run(options: object) -> int:
        raise failure("what to do")

    monkeypatch.setattr("descent_autograder.commands.doctor.run", run)
    status, out, err = _run(capsys, "doctor")
    assert (out, err) == ("", "descent doctor: what to do\n")
    assert status == (2 if issubclass(failure, errors.WrongCall) else 1)


def test_verify_and_refresh_take_questions_as_well(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(
        "descent_autograder.questions.verify.main",
        lambda questions, details: asked.append((questions, details)) or 0,
    )
    assert _run(capsys, "verify", "sgd", "verdict", course=REPOSITORY / "assignments")[0] == 0
    assert asked == [(["sgd", "verdict"], True)]

    written: list[Any] = []
    monkeypatch.setattr(
        "descent_autograder.questions.expected.write",
        lambda questions, redraw=False: written.append((list(questions), redraw)) or [],
    )
    course = REPOSITORY / "assignments"
    assert _run(capsys, "refresh", "--redraw", "sgd", course=course)[0] == 0
    assert _run(capsys, "refresh", "sgd", "momentum", course=course)[0] == 0
    assert written == [(["sgd"], True), (["sgd", "momentum"], False)]
    status, _, err = _run(capsys, "refresh", "--redraw", "6", course=course)
    assert (status, "wants a question" in err) == (2, True)


def test_verify_proves_one_question_and_lists_its_pairs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status, out, _ = _run(capsys, "verify", "sgd", course=REPOSITORY / "assignments")
    assert status == 0
    assert re.search(r"sgd +8 +2 +28 +0 +0 +0 +1  ok\n    alike: ", out)
