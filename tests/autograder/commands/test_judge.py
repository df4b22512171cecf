"""``descent judge``: would this file pass?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from descent_autograder import cli
from descent_autograder.commands import judge

pytestmark = pytest.mark.sandbox

RIGHT = """\
import numpy as np
def central_difference(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    g = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        a, b = x.copy(), x.copy()
        a[i] += h
        b[i] -= h
        g[i] = (f(a) - f(b)) / {run}
    return g
"""
FILES = {
    "right": RIGHT.format(run="(2 * h)"),
    "wrong": RIGHT.format(run="2 * h"),
    "printing": 'print("{\\"passed\\": true}")\n' + RIGHT.format(run="(2 * h)"),
    "renamed": RIGHT.format(run="(2 * h)").replace("central_difference", "mine"),
    "stub": "def central_difference(f, x, h=1e-5):\n    raise NotImplementedError\n",
    "syntax": "def central_difference(f, x, h=1e-5)\n    return x\n",
    "importing": "import nothing_of_this_name\n" + RIGHT.format(run="(2 * h)"),
    "raising": "def central_difference(f, x, h=1e-5):\n    raise ValueError('<no>')\n",
    "hanging": "def central_difference(f, x, h=1e-5):\n    while True:\n        pass\n",
    "hanging_import": "while True:\n    pass\n",
    "leaving": "import os\ndef central_difference(f, x, h=1e-5):\n    os._exit(0)\n",
    "value": "central_difference = 3\n",
    "latin": "# coding: latin-1\n# caf\u00e9\n" + RIGHT.format(run="(2 * h)"),
    "peeking": (
        "try:\n    import descent_solutions.gradient_checks as g\n"
        "    central_difference = g.central_difference\nexcept ImportError:\n    pass\n"
    ),
}
EXPECTED = {
    "right": ("graded", True),
    "wrong": ("graded", False),
    "printing": ("graded", True),
    "renamed": ("missing", False),
    "stub": ("unfinished", False),
    "syntax": ("crashed", False),
    "importing": ("crashed", False),
    "raising": ("crashed", False),
    "hanging": ("timeout", False),
    "hanging_import": ("timeout", False),
    "leaving": ("crashed", False),
    "value": ("missing", False),
    "latin": ("graded", True),
    "peeking": ("missing", False),
}
KEYS = ["file", "question", "status", "passed", "score", "points", "mistakes", "observations"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("answers")
    for name, source in FILES.items():
        encoding = "latin-1" if name == "latin" else "utf-8"
        (path / f"{name}.py").write_text(source, encoding=encoding)
    return path


def _judge(capfd: pytest.CaptureFixture[str], *arguments: Any) -> list[dict[str, Any]]:
    assert cli.main(["judge", "central_difference", *map(str, arguments), "--json"]) == 0
    out, _ = capfd.readouterr()
    return [json.loads(line) for line in out.splitlines()]


def test_a_folder_of_answers_gets_a_line_each(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "CELL_SECONDS", 4.0)
    lines = _judge(capfd, folder)
    found = {Path(line["file"]).stem: line for line in lines}
    assert {n: (line["status"], line["passed"]) for n, line in found.items()} == EXPECTED
    for line in lines:
        assert list(line) == [*KEYS, "message"]
        assert (line["question"], line["points"]) == ("central_difference", 1.0)
        assert line["score"] == (1.0 if line["passed"] else 0.0)
        for seen in line["observations"]:
            assert sorted(seen) == ["name", "passed", "relative_error"]
    assert found["wrong"]["mistakes"] == ["precedence"]
    assert found["right"]["mistakes"] == []
    assert "central_difference" in found["renamed"]["message"]


def test_name_says_what_the_file_calls_it(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (line,) = _judge(capfd, folder / "renamed.py", "--name", "mine")
    assert line["passed"]


def test_the_seed_draws_the_cases_and_changes_no_verdict(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for seed in (1, 2):
        lines = _judge(capfd, folder / "right.py", folder / "wrong.py", "--seed", seed)
        assert [line["passed"] for line in lines] == [True, False]


def test_without_json_the_report_is_in_words(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["judge", "central_difference", str(folder / "wrong.py")]) == 0
    out, _ = capfd.readouterr()
    assert "not right yet" in out
    assert "quotient is halved and then multiplied by h" in out


WRONG = "def central_difference(f, x, h=1e-5):\n    return 1\n"
SAYING = "def central_difference(f, x, h=1e-5):\n    raise ValueError({!r})\n"
UNREADABLE = {
    "a_codec": "its encoding, “hex”, is unknown",
    "device": "it is a link",
    "folder": "it isn't a regular file",
    "no_codec": "unknown encoding: nothing",
    "pipe": "it isn't a regular file",
    "slow_codec": "its encoding, “punycode”, is unknown",
    "sparse": "it is larger than 1048576 bytes",
}


@pytest.fixture
def bad_files(tmp_path: Path) -> Path:
    """Files that must not be waited for, believed or obeyed, and an honest one after them."""
    (tmp_path / "a_codec.py").write_text(f"# coding: hex\n{WRONG}")
    (tmp_path / "no_codec.py").write_text(f"# coding: nothing\n{WRONG}")
    (tmp_path / "slow_codec.py").write_text(f"# coding: punycode\n{'x' * 10**6}-{'a' * 10**4}")
    (tmp_path / "device.py").symlink_to("/dev/zero")
    (tmp_path / "folder.py").mkdir()
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "sparse.py").touch()
    os.truncate(tmp_path / "sparse.py", 5 << 30)
    (tmp_path / "surrogate.py").write_text(SAYING.format("\ud800"))
    (tmp_path / "terminal.py").write_text(SAYING.format("\x1b]0;title\x07\x1b[2J\u202e"))
    (tmp_path / "name\x1b[2J.py").write_text(WRONG)
    (tmp_path / os.fsdecode(b"name\xff.py")).write_text(WRONG)
    (tmp_path / "zz_honest.py").write_text(RIGHT.format(run="(2 * h)"))
    return tmp_path


@pytest.mark.timeout(120)
def test_bad_files_get_their_line_and_the_others_are_judged(
    bad_files: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = _judge(capfd, bad_files)
    assert len(lines) == len(list(bad_files.iterdir()))
    found = {Path(line["file"]).stem: line for line in lines}
    for name, reason in UNREADABLE.items():
        assert found[name]["status"] == "crashed"
        assert reason in found[name]["message"]
    assert "\x1b[2J" in found["terminal"]["message"]  # JSON escapes it
    assert "\ufffd" in found["surrogate"]["message"]
    assert found["zz_honest"]["passed"]
    (line,) = _judge(capfd, bad_files / "pipe.py")
    assert line["message"].endswith("it isn't a regular file")


@pytest.mark.timeout(120)
def test_no_file_speaks_to_the_terminal(bad_files: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["judge", "central_difference", str(bad_files)]) == 0
    out, _ = capfd.readouterr()
    assert all(line.isprintable() for line in out.splitlines())
    assert "]0;title" in out
    assert out.count("central_difference: ") == len(list(bad_files.iterdir()))


def test_a_file_that_trips_the_grader_keeps_nobody_waiting(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    judge_file = judge.judge_file

    def stumbling(worker: Any, path: Path, *rest: Any) -> Any:
        if path.stem == "wrong":
            raise ZeroDivisionError("unforeseen")
        return judge_file(worker, path, *rest)

    monkeypatch.setattr(judge, "judge_file", stumbling)
    first, second = _judge(capfd, folder / "wrong.py", folder / "right.py")
    assert first["message"].endswith("failed on it: ZeroDivisionError: unforeseen")
    assert (first["status"], second["passed"]) == ("crashed", True)


def test_an_empty_folder_is_a_wrong_call(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["judge", "central_difference", str(tmp_path)]) == 2
    assert "holds no .py file" in capfd.readouterr().err
