"""The list of skips ends every run; in CI a skipped wall, kernel, browser or cluster fails it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent.parent / "conftest.py"
SAMPLE = """
import pytest

@pytest.mark.sandbox
def test_wall():
    pytest.skip("no wall here")

@pytest.mark.skipif(True, reason="only on a Tuesday")
def test_free():
    pass

@pytest.mark.browser
@pytest.mark.xfail
def test_known():
    assert False

@pytest.mark.dask
def test_fine():
    pass
"""


def run(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    marks = "".join(f"    {name}\n" for name in ("sandbox", "browser", "dask"))
    (folder / "pytest.ini").write_text(f"[pytest]\nmarkers =\n{marks}")
    (folder / "conftest.py").write_text(CONFTEST.read_text(encoding="utf-8"), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    environment = os.environ | {"CI": ci}
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    return tmp_path


def test_skips_are_listed_last(sample: Path) -> None:
    done = run(sample, ci="")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-3:] == [
        "2 skipped:",
        "  test_sample.py::test_wall: no wall here",
        "  test_sample.py::test_free: only on a Tuesday",
    ]


def test_ci_refuses_a_skipped_wall(sample: Path) -> None:
    done = run(sample, ci="true")
    assert done.returncode == 1
    assert "sandbox tests may not be skipped in CI, but: no wall here" in done.stdout
    assert "1 failed, 1 passed, 1 skipped, 1 xfailed" in done.stdout


def test_ci_refuses_a_module_that_skips_itself(tmp_path: Path) -> None:
    (tmp_path / "test_module.py").write_text("import pytest\npytest.importorskip('nonesuch')\n")
    assert run(tmp_path, ci="").returncode == 5
    done = run(tmp_path, ci="true")
    assert done.returncode == 2
    assert "test_module.py skips itself in CI" in done.stdout


def test_nothing_skipped_is_said(tmp_path: Path) -> None:
    (tmp_path / "test_fine.py").write_text("def test_fine():\n    assert True\n")
    assert run(tmp_path, ci="true").stdout.splitlines()[-1] == "Nothing was skipped."
