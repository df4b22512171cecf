"""The tree as a whole: nothing of one machine in it, nothing made by a run, commands that exist."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
MADE = [".venv/x", "demo/x", "dist/x", "assignments/release/x", "assignments/submitted/x"]
MADE += ["assignments/autograded/x", "assignments/feedback/x", "assignments/gradebook.db"]
MADE += ["bench.json", "assignments/.descent-secret", "demo/.descent-secret"]


def tracked() -> list[Path]:
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


TEXTS = {path.relative_to(ROOT).as_posix(): text_of(path) for path in tracked()}


def matches(pattern: str) -> list[str]:
    here = Path(__file__).relative_to(ROOT).as_posix()
    return [
        f"{name}: {found[0]}"
        for name, text in TEXTS.items()
        if name != here and (found := re.search(pattern, text))
    ]


def test_no_path_of_one_machine() -> None:
    homes = r"(?<![\w.])/(?:home|Users)/(?!student|user|someone|me\b)\w+/"
    # In brackets, so that the pattern doesn't match where it is written down.
    assert matches(rf"(?<![\w.])/[w]ork/|/[r]oot/\w|\.[p]yenv|/[t]mp/pytest|{homes}") == []


def test_no_package_registry_is_named() -> None:
    hosts = r"pyp[i]\.org|python[h]osted|registry\.[n]pmjs|deb\.[d]ebian|conda\.[a]naconda"
    assert matches(hosts) == []


def test_nothing_is_left_for_later() -> None:
    marks = r"\b(?:TODO|FIXME|XXX|HACK)\b|(?i:\blorem ipsum\b)"
    assert matches(marks) == []


def test_no_file_is_huge() -> None:
    big = [path.name for path in tracked() if path.stat().st_size > 1_000_000]
    assert big == []


@pytest.mark.parametrize("name", MADE)
def test_what_runs_make_is_ignored(name: str) -> None:
    command = ["git", "-C", str(ROOT), "check-ignore", "-q", name]
    assert subprocess.run(command).returncode == 0


def make_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.M))


def test_documents_name_commands_that_exist() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"`make (?:[A-Z]+=\S+ )*([a-z]+)", TEXTS[name]))
        assert named, name
        assert named <= make_targets()


def test_documents_name_subcommands_that_exist() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "descent_autograder.cli", "--help"], capture_output=True, text=True
    )
    exist = set(re.findall(r"^    ([a-z]+)  ", done.stdout, flags=re.M))
    used = "\n".join(TEXTS[name] for name in ("README.md", "CONTRIBUTING.md", "Makefile"))
    named = set(re.findall(r"(?:bin|BIN\))/descent ([a-z]+)", used))
    assert {"demo", "judge"} <= named <= exist


def test_documents_link_to_what_exists() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)\)", TEXTS[name])
        assert [link for link in links if not (ROOT / link).exists()] == []


def test_help_lists_every_command_of_the_readme() -> None:
    done = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True)
    listed = set(re.findall(r"^  make ([a-z]+)", done.stdout, flags=re.M))
    assert {"demo", "test", "lab", "grade", "release", "bench", "soak", "help"} <= listed


def test_ci_runs_the_test_command_of_the_readme() -> None:
    assert "`make test`" in TEXTS["README.md"]
    assert TEXTS[".ci/run"].rstrip().endswith("\nmake test")


def test_pre_commit_hooks_are_local_and_complete() -> None:
    config = yaml.safe_load(TEXTS[".pre-commit-config.yaml"])
    (repository,) = config["repos"]
    assert repository["repo"] == "local"
    hooks = {hook["id"]: hook["entry"] for hook in repository["hooks"]}
    assert {"ruff-check", "ruff-format", "mypy", "notebooks", "solutions"} <= set(hooks)
    validate = [
        sys.executable,
        "-m",
        "pre_commit",
        "validate-config",
        str(ROOT / ".pre-commit-config.yaml"),
    ]
    assert subprocess.run(validate).returncode == 0


def test_licences_say_whose_and_which() -> None:
    assert "the Descent authors" in TEXTS["LICENSE"]
    assert TEXTS["LICENSE"].startswith("BSD 3-Clause")
    assert "Attribution 4.0" in TEXTS["LICENSE-text"]
    for package in ("course", "solutions", "autograder"):
        project = tomllib.loads(TEXTS[f"{package}/pyproject.toml"])["project"]
        assert project["license"] == "BSD-3-Clause"
