"""The command line: how units are named, and what a wrong call gets."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest
from descent_autograder import cli, commands
from descent_autograder.core import units
from descent_autograder.core.errors import Stop


@pytest.mark.parametrize(
    "text", ["optimizers", "06-optimizers", "06_optimizers", "6", "06", "Optimizers", " 6 "]
)
def test_a_unit_is_accepted_in_every_spelling(text: str) -> None:
    assert units.resolve(text) == "06-optimizers"


def test_hyphens_and_underscores_are_alike() -> None:
    assert units.resolve("activations_and_initialization") == "03-activations-and-initialization"


@pytest.mark.parametrize("text", ["", "0", "12", "optimiser", "-", "06-", "gradient"])
def test_what_names_no_unit_is_refused_with_those_that_do(text: str) -> None:
    with pytest.raises(units.UnknownUnit, match="06-optimizers"):
        units.resolve(text)


def test_a_course_may_have_units_of_its_own() -> None:
    assert units.resolve("small", ["20-small"]) == "20-small"
    assert units.resolve("20", ["20-small"]) == "20-small"


def test_units_have_modules_of_their_names() -> None:
    assert units.module("03-activations-and-initialization") == "activations_and_initialization"


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
    ],
)
def test_a_wrong_call_gets_one_line_and_status_2(
    capsys: pytest.CaptureFixture[str], small_template: Path, arguments: list[str], says: str
) -> None:
    takes_course = bool(arguments) and arguments[0] in ("grade", "release", "verify")
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


def test_the_course_is_found_from_below_and_beside(small_template: Path, tmp_path: Path) -> None:
    from descent_autograder.core.course import find_root

    below = small_template / "source" / "20-small"
    assert find_root(below) == small_template
    (tmp_path / "assignments").mkdir()
    (tmp_path / "assignments" / "nbgrader_config.py").touch()
    assert find_root(tmp_path) == tmp_path / "assignments"


def test_the_secret_is_made_once_and_private(tmp_path: Path) -> None:
    from descent_autograder.core.course import Course, secret_is_private

    course = Course(tmp_path)
    first = course.secret()
    assert len(first) == 64
    assert course.secret() == first
    assert secret_is_private(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".descent-secret"]


def test_a_spoilt_secret_isnt_replaced_in_silence(tmp_path: Path) -> None:
    from descent_autograder.core.course import Course, NoCourse

    (tmp_path / ".descent-secret").write_text("short")
    with pytest.raises(NoCourse, match="backup"):
        Course(tmp_path).secret()


def test_a_full_disk_is_said_in_one_line_and_other_faults_are_not_hidden() -> None:
    def failing(number: int) -> int:
        raise OSError(number, "what the system says")

    with pytest.raises(Stop, match="what the system says; make room"):
        commands._guarded(lambda: failing(errno.ENOSPC))
    with pytest.raises(OSError, match="what the system says"):
        commands._guarded(lambda: failing(errno.EIO))
