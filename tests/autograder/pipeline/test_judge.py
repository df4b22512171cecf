"""``descent judge``: would this file pass?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from descent_autograder import cli, judgefiles

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
    monkeypatch.setattr(judgefiles, "CELL_SECONDS", 4.0)
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


def test_an_empty_folder_is_a_wrong_call(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["judge", "central_difference", str(tmp_path)]) == 2
    assert "holds no .py file" in capfd.readouterr().err
