"""tools/setup-venv says what a machine lacks and whose package it is, and does nothing twice."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = ["tools/setup-venv", "requirements.lock", "pyproject.toml"]
NEEDED += [f"{package}/pyproject.toml" for package in ("course", "solutions", "autograder")]
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make and sh are for POSIX")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in NEEDED:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def interpreter(tree: Path, name: str, script: str) -> Path:
    path = tree / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def setup(tree: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "tools/setup-venv"],
        cwd=tree,
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
    )


def test_an_old_python_is_named(tree: Path) -> None:
    old = interpreter(tree, "old", "echo 3.8")
    done = setup(tree, PYTHON=str(old))
    assert done.returncode == 1
    assert "is Python 3.8; Descent needs 3.11, 3.12 or 3.13" in done.stderr
    assert not (tree / ".venv").exists()


def test_no_python_at_all_is_said(tree: Path) -> None:
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        interpreter(tree, name, "exit 127")
    done = setup(tree, PATH=f"{tree}/bin:/usr/bin:/bin")
    assert done.returncode == 1
    assert "python3 and python3-venv" in done.stderr


def test_a_missing_interpreter_is_named(tree: Path) -> None:
    done = setup(tree, PYTHON="python3.99")
    assert done.returncode == 1
    assert "python3.99 can't be run" in done.stderr


def test_a_python_without_venv_names_the_package(tree: Path) -> None:
    script = f'case "$2" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"'
    done = setup(tree, PYTHON=str(interpreter(tree, "bare", script)))
    assert done.returncode == 1
    assert f"apt-get install python{VERSION}-venv" in done.stderr


def test_what_stands_is_left_alone_until_an_input_changes(tree: Path) -> None:
    """A recording stand-in for pip shows when anything would be installed."""
    log = tree / "installed"
    script = f'case "$1 $2" in "-m pip") echo "$@" >>{log} ;; *) exec {sys.executable} "$@" ;; esac'
    (tree / ".venv" / "bin").mkdir(parents=True)
    interpreter(tree / ".venv", "python", script)
    (tree / ".venv" / "descent.stamp").write_text(f"{VERSION} {tree} ")
    only_system = "/usr/bin:/bin"
    assert setup(tree, PATH=only_system).returncode == 0
    lines = log.read_text().splitlines()
    assert len(lines) == 2
    assert "--require-hashes -r requirements.lock" in lines[0]
    assert "--no-deps --no-build-isolation -e course -e solutions -e autograder" in lines[1]

    second = setup(tree, PATH=only_system)
    assert (second.returncode, second.stdout) == (0, "")
    assert len(log.read_text().splitlines()) == 2

    with (tree / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    setup(tree, PATH=only_system)
    assert len(log.read_text().splitlines()) == 4
