"""A clone works wherever it lies: in a folder named descent, below a path with odd characters."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .test_tree import ROOT, tracked


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("clone") / "a Größe [v2]" / "descent"
    for path in tracked():
        copied = place / path.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)
    return place


def run(clone: Path, *arguments: str) -> str:
    """What Python says, run in the clone with the clone's packages; it must succeed."""
    packages = [str(clone / part) for part in ("course", "solutions", "autograder")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(packages)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=clone, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.sandbox
def test_the_demo_is_graded_there(clone: Path) -> None:
    where = "import descent_autograder as a; print(a.__file__)"
    assert Path(run(clone, "-c", where).strip()).is_relative_to(clone)
    out = run(clone, "-m", "descent_autograder.cli", "demo", "--jobs", "1")
    assert re.search(r"\b24 graded\b", out), out
    assert list((clone / "demo").rglob("feedback/**/*.html"))


def test_students_code_there_is_told_from_the_librarys(clone: Path) -> None:
    tests = ["tests/descent/judging", "tests/descent/test_check.py"]
    out = run(clone, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests)
    assert re.search(r"\d{2,} passed", out)
