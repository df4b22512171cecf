"""Who may import whom: students' code stands on little, and never on solutions or grader."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from descent_autograder.publishing.canonical import find_notebooks

ROOT = Path(__file__).parents[2]
DESCENT = ROOT / "course" / "descent"
SOLUTIONS = ROOT / "solutions" / "descent_solutions"
FOR_STUDENTS = {"descent", "numpy", "matplotlib", "ipywidgets", "IPython", "mpl_toolkits"}
# matplotlib and pooch can't be installed without these two.
FOR_STUDENTS |= {"PIL"}
FOR_DOWNLOADS = {"pooch", "requests"}
FOR_SEARCH = {"dask", "distributed", "optuna", "scipy"}
FOR_SOLUTIONS = {"descent", "descent_solutions", "numpy", "scipy"}
FOR_NOTEBOOKS = {"descent", "numpy", "matplotlib"}
NOTEBOOKS = list(
    find_notebooks(
        path
        for path in (ROOT / "course" / "lessons", ROOT / "assignments" / "source")
        if path.exists()
    )
)


def imported(source: str) -> Iterator[str]:
    """The top-level names of everything that a source imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


def foreign(source: str, allowed: set[str]) -> set[str]:
    return set(imported(source)) - allowed - sys.stdlib_module_names


def allowed_in(path: Path) -> set[str]:
    """What a module of `descent` may import."""
    parts = path.relative_to(DESCENT).with_suffix("").parts
    if parts[0] == "search":
        return FOR_STUDENTS | FOR_SEARCH
    return FOR_STUDENTS | FOR_DOWNLOADS if parts[0] == "data" else FOR_STUDENTS


def code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return re.sub(r"^([ \t]*)[%!].*$", r"\1pass", "\n".join(code), flags=re.M)


@pytest.mark.parametrize("path", sorted(DESCENT.rglob("*.py")), ids=lambda p: p.stem)
def test_descent(path: Path) -> None:
    assert foreign(path.read_text(encoding="utf-8"), allowed_in(path)) == set()


@pytest.mark.parametrize("path", sorted(SOLUTIONS.rglob("*.py")), ids=lambda p: p.stem)
def test_solutions(path: Path) -> None:
    assert foreign(path.read_text(encoding="utf-8"), FOR_SOLUTIONS) == set()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks(path: Path) -> None:
    assert foreign(code_of(path), FOR_NOTEBOOKS) == set()


# Where the name to import isn't the name to install.
INSTALLED_AS = {"IPython": "ipython", "sklearn": "scikit-learn", "PIL": "pillow"}


@pytest.mark.parametrize("package", ["course", "solutions", "autograder"])
def test_what_is_imported_is_declared(package: str) -> None:
    project = tomllib.loads((ROOT / package / "pyproject.toml").read_text())["project"]
    workspace = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project.get("optional-dependencies", {}).values()
    wanted = project["dependencies"] + [one for extra in extras for one in extra]
    # What the digits were taken from and the benchmarks compare with, and what comes along.
    wanted += workspace["dependency-groups"]["bench"] + ["pillow", "requests", "mpl_toolkits"]
    wanted += ["ipython", "distributed", project["name"]]
    declared = {re.match(r"[\w-]+", one)[0].lower().replace("-", "_") for one in wanted}
    found: dict[str, str] = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        for name in foreign(path.read_text(encoding="utf-8"), set()):
            found[INSTALLED_AS.get(name, name).lower().replace("-", "_")] = path.name
    assert {name: path for name, path in found.items() if name not in declared} == {}


def test_a_breach_is_seen() -> None:
    source = (
        "def f():\n    from descent_solutions.optimizers import adam\n    import os, torch.nn\n"
    )
    assert foreign(source, FOR_STUDENTS) == {"descent_solutions", "torch"}


def loaded_by(statement: str) -> set[str]:
    """The top-level modules that stand in memory after a statement in a new interpreter."""
    code = f"{statement}\nimport sys\nprint(' '.join(name.split('.')[0] for name in sys.modules))"
    command = [sys.executable, "-c", code]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


def test_importing_descent_is_cheap() -> None:
    heavy = {"matplotlib", "ipywidgets", "IPython", "scipy", "dask", "distributed", "optuna"}
    heavy |= {"pooch", "nbformat", "descent_solutions", "descent_autograder"}
    assert loaded_by("import descent") & heavy == set()


def test_importing_solutions_loads_no_grader() -> None:
    assert "descent_autograder" not in loaded_by("import descent_solutions")
