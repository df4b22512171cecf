"""`make check` runs the tests of what changed."""

from __future__ import annotations

import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .test_tree import ROOT, tracked

CHECK: dict[str, Any] = runpy.run_path(str(ROOT / "tools" / "check.py"))


def chosen(*names: str) -> set[str]:
    return set(CHECK["mirrored_tests"](names, ROOT)) - set(CHECK["mirrored_tests"]([], ROOT))


@pytest.mark.parametrize(
    ("name", "tests"),
    [
        ("course/descent/data/digits.py", {"tests/descent/test_data.py"}),
        ("course/descent/judging/values.py", {"tests/descent/judging/test_values.py"}),
        ("course/descent/judging/exam.py", {"tests/descent/judging"}),
        (
            "autograder/descent_autograder/commands/grade.py",
            {"tests/autograder/commands/test_grade.py"},
        ),
        ("solutions/descent_solutions/ensembles.py", {"tests/solutions/test_ensembles.py"}),
        ("tests/hostile/attack.py", {"tests/hostile"}),
        ("tests/hostile/test_pages.py", {"tests/hostile/test_pages.py"}),
        (
            "course/lessons/06-optimizers.ipynb",
            {"tests/notebooks/test_lessons.py -k 06-optimizers"},
        ),
        (
            "assignments/source/06-optimizers/optimizers.ipynb",
            {"tests/notebooks/test_assignments.py -k optimizers"},
        ),
        ("course/descent/questions/expected/adam.json.gz", {f"{CHECK['VERIFY']}[adam]"}),
        ("README.md", set()),
    ],
)
def test_a_file_has_its_tests(name: str, tests: set[str]) -> None:
    assert tests <= chosen(name)


def test_questions_of_a_changed_module_are_verified() -> None:
    verified = chosen("autograder/descent_autograder/questions/units/optimizers/momentum.py")
    assert {f"{CHECK['VERIFY']}[sgd]", f"{CHECK['VERIFY']}[momentum]"} <= verified
    assert f"{CHECK['VERIFY']}[hinge_loss]" in chosen(
        "solutions/descent_solutions/sanity_checks.py"
    )


def test_what_lies_in_a_chosen_folder_is_run_once() -> None:
    both = chosen("tests/hostile/attack.py", "tests/hostile/test_pages.py")
    assert both == {"tests/hostile"}


def test_every_chosen_test_exists() -> None:
    for path in tracked():
        for one in chosen(path.relative_to(ROOT).as_posix()):
            assert (ROOT / one.split("::")[0].split(" -k ")[0]).exists(), (path, one)


def test_new_and_changed_files_are_seen(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        subprocess.run(["git", "-C", tmp_path, *identity, *arguments], check=True)

    git("init", "-q")
    (tmp_path / "old.py").write_text("")
    (tmp_path / "same.py").write_text("")
    git("add", ".")
    git("commit", "-qm", "first")
    (tmp_path / "old.py").write_text("changed")
    (tmp_path / "new ß.py").write_text("")
    assert CHECK["changed"]("HEAD", tmp_path) == ["new ß.py", "old.py"]
    with pytest.raises(SystemExit, match="make check: fatal: bad revision"):
        CHECK["changed"]("nowhere", tmp_path)
