"""Makes requirements.lock and environment.yml from what the pyproject.toml files declare.

`lock` resolves everything anew (needs uv); `conda` rewrites environment.yml from the lock;
`group NAME` prints the requirements of one dependency group of the workspace, one a line.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("course", "solutions", "autograder")
LOCK = ROOT / "requirements.lock"
CONDA = ROOT / "environment.yml"
OLDEST_PYTHON = "3.11"

LOCK_HEADER = """\
# Everything the course needs, on every system and on Python 3.11 to 3.13, with hashes.
# Made by `make lock`; edit the pyproject.toml files instead.
"""
CONDA_HEADER = """\
# The environment of requirements.lock for conda and Binder.
# Made by `make lock`; edit the pyproject.toml files instead.
"""


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def name_of(requirement: str) -> str:
    """The normalised project name a requirement begins with."""
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    if match is None:
        raise ValueError(f"not a requirement: {requirement!r}")
    return re.sub(r"[-_.]+", "-", match.group()).lower()


def group(name: str) -> list[str]:
    """The requirements of one dependency group of the workspace."""
    return list(read_toml(ROOT / "pyproject.toml")["dependency-groups"][name])


def declared() -> list[str]:
    """Every requirement that the lock must cover, our own three distributions left out."""
    found = group("dev")
    ours = set()
    for package in PACKAGES:
        settings = read_toml(ROOT / package / "pyproject.toml")
        project = settings["project"]
        ours.add(name_of(project["name"]))
        found += settings["build-system"]["requires"] + project["dependencies"]
        for extra in project.get("optional-dependencies", {}).values():
            found += extra
    return sorted({requirement for requirement in found if name_of(requirement) not in ours})


def lock() -> None:
    """Resolve what is declared into requirements.lock, without naming any package index."""
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit("make lock needs uv (pip install uv); nothing else does")
    command = [uv, "pip", "compile", "-", "--universal", "--python-version", OLDEST_PYTHON]
    command += ["--generate-hashes", "--no-annotate", "--no-header", "--upgrade", "--quiet"]
    # One version for all Pythons: environment.yml can't choose, and numbers shouldn't differ.
    command += ["--no-emit-index-url", "--no-emit-find-links", "--fork-strategy", "fewest"]
    resolved = subprocess.run(
        command, input="\n".join(declared()), stdout=subprocess.PIPE, text=True, check=True
    )
    LOCK.write_text(LOCK_HEADER + resolved.stdout, encoding="utf-8")


def pins() -> list[str]:
    """The lock's `name==version ; marker` lines, without their hashes."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return [line.rstrip(" \\") for line in lines if re.match(r"[A-Za-z0-9]", line)]


def conda_text() -> str:
    """environment.yml: conda's Python, and pip installing the lock's pins and our packages."""
    lines = ["name: descent", "channels: [conda-forge]", "dependencies:"]
    lines += ["  - python>=3.11,<3.14", "  - pip", "  - pip:"]
    lines += [f'    - "{pin}"' for pin in pins()]
    lines += [f"    - -e ./{package}" for package in PACKAGES]
    return CONDA_HEADER + "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    """The command; see the module."""
    match arguments:
        case ["lock"]:
            lock()
            CONDA.write_text(conda_text(), encoding="utf-8")
        case ["conda"]:
            CONDA.write_text(conda_text(), encoding="utf-8")
        case ["group", name]:
            print("\n".join(group(name)))
        case _:
            raise SystemExit("usage: environment.py lock | conda | group NAME")


if __name__ == "__main__":
    main(sys.argv[1:])
