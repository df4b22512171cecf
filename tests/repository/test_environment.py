"""The lock covers what is declared and names no place; environment.yml is the same environment."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYTHONS = ("3.11", "3.12", "3.13")


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", ROOT / "tools" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TOOL = load_tool()
LOCK = TOOL.LOCK.read_text(encoding="utf-8")
PINS = {TOOL.name_of(pin): Requirement(pin) for pin in TOOL.pins()}


def applies(requirement: Requirement, python: str) -> bool:
    environment = {key: str(value) for key, value in default_environment().items()}
    environment |= {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    environment |= {"sys_platform": "linux", "platform_machine": "x86_64"}
    return requirement.marker is None or requirement.marker.evaluate(environment)


@pytest.mark.parametrize("text", TOOL.declared())
@pytest.mark.parametrize("python", PYTHONS)
def test_lock_satisfies_what_is_declared(text: str, python: str) -> None:
    wanted = Requirement(text)
    if not applies(wanted, python):
        return
    pin = PINS[TOOL.name_of(text)]
    assert applies(pin, python)
    (version,) = (specifier.version for specifier in pin.specifier)
    assert wanted.specifier.contains(version), f"{text} isn't met by {pin}; make lock renews it"


def test_all_three_packages_are_declared() -> None:
    names = {TOOL.name_of(text) for text in TOOL.declared()}
    assert {"numpy", "optuna", "scipy", "nbgrader", "hatchling", "editables", "pytest"} <= names
    assert not {name for name in PINS if name.startswith("descent")}


def test_every_pin_has_hashes() -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK)
    bare = [block for block in blocks[1:] if "--hash=sha256:" not in block]
    assert bare == []
    assert all(re.fullmatch(r"[^=]+==[^=]+( ; .*)?", pin) for pin in TOOL.pins())


def test_lock_names_no_place() -> None:
    assert not re.search(r"://|file:|--(extra-)?index|--find-links|--trusted", LOCK)


def test_benchmarks_alone_need_torch() -> None:
    assert "torch" not in PINS
    assert any(TOOL.name_of(text) == "torch" for text in TOOL.group("bench"))


def test_environment_yml_is_fresh() -> None:
    assert TOOL.CONDA.read_text(encoding="utf-8") == TOOL.conda_text(), "make lock renews it"


def test_environment_yml_is_what_conda_reads() -> None:
    environment = yaml.safe_load(TOOL.CONDA.read_text(encoding="utf-8"))
    conda, (pip,) = environment["dependencies"][:-1], environment["dependencies"][-1].values()
    assert conda == ["python>=3.11,<3.14", "pip"]
    assert [one for one in pip if not one.startswith("-e ")] == TOOL.pins()
    editable = [one.removeprefix("-e ./") for one in pip if one.startswith("-e ")]
    assert editable == ["course", "solutions", "autograder"]
