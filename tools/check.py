"""The tests of what changed, for `make check`.

    python tools/check.py [SINCE]

What changed is what differs from the commit SINCE (HEAD by default), with files that git doesn't
know yet. A changed test is run; a changed module has its tests where the tests mirror it; changed
questions are verified; a changed notebook is run. `make test` runs everything.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {
    "course/descent": "tests/descent",
    "solutions/descent_solutions": "tests/solutions",
    "autograder/descent_autograder": "tests/autograder",
}
"""Where the tests mirror a package."""
ALWAYS = ("test_tree", "test_imports", "test_limits", "test_notebooks", "test_syllabus")
"""The tests of the repository that are quick, and hold whatever was changed."""
VERIFY = "tests/autograder/questions/test_verify.py::test_the_grader_is_right_about_what_it_knows"


def changed(since: str, root: Path = ROOT) -> list[str]:
    """The files that differ from a commit, those that git doesn't know yet among them.

    Raises:
        SystemExit: there is no such commit.
    """
    found: set[str] = set()
    for command in (
        ["diff", "--name-only", "-z", since, "--"],
        ["ls-files", "--others", "--exclude-standard", "-z"],
    ):
        done = subprocess.run(["git", "-C", root, *command], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"make check: {done.stderr.strip().splitlines()[0]}")
        found.update(name for name in done.stdout.split("\0") if name)
    return sorted(found)


def mirrored_tests(names: Iterable[str], root: Path) -> list[str]:
    """The arguments of pytest that run the tests of these files."""
    chosen = {f"tests/repository/{name}.py" for name in ALWAYS}
    for name in names:
        chosen.update(_tests_of(name, root))
    # What lies in a chosen folder, or in a chosen file, is run with it.
    whole = [one for one in chosen if "::" not in one and " " not in one]
    covered = tuple(f"{one}{mark}" for one in whole for mark in ("/", "::", " "))
    return sorted(one for one in chosen if not one.startswith(covered))


def _tests_of(name: str, root: Path) -> Iterator[str]:
    path = Path(name)
    if path.parts[0] == "tests":
        if path.name.startswith("test_") and (root / path).exists():
            yield name
        elif (root / path.parent).is_dir():
            yield path.parent.as_posix()
    elif path.suffix == ".ipynb":
        yield from _of_notebook(path)
    elif "questions/expected/" in name:
        yield from _of_questions([path.name.partition(".")[0]])
    else:
        for package, tests in PACKAGES.items():
            if path.is_relative_to(package):
                yield from _mirrored(path.relative_to(package), root / tests, root)
        if path.is_relative_to("autograder/descent_autograder/questions/units"):
            yield from _of_questions(_questions_in(root / path))
        if path.is_relative_to("solutions/descent_solutions"):
            yield from _of_unit(path.stem)


def _mirrored(inside: Path, tests: Path, root: Path) -> Iterator[str]:
    """A module's own test file, or the tests of its folder, or of the one around that."""
    parent = tests / inside.parent
    candidates = [parent / f"test_{inside.stem}.py", *parent.glob(f"test_{inside.stem}_*.py")]
    candidates.append(parent.parent / f"test_{inside.parent.name}.py")
    own = [path for path in candidates if path.is_file()]
    if own:
        yield from (path.relative_to(root).as_posix() for path in own)
    elif parent.is_dir() and parent != tests:
        yield parent.relative_to(root).as_posix()


def _of_notebook(path: Path) -> Iterator[str]:
    file = "test_lessons" if path.parts[0] == "course" else "test_assignments"
    yield f"tests/notebooks/{file}.py -k {path.stem}"


def _of_questions(ids: Iterable[str]) -> Iterator[str]:
    for question in ids:
        yield f"{VERIFY}[{question}]"


def _questions_in(path: Path) -> list[str]:
    """The questions of an entries' module, read off its text."""
    if not path.exists():
        return []
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    entries = [call for call in calls if getattr(call.func, "id", "") == "Entry" and call.args]
    names = [getattr(call.args[0], "value", None) for call in entries]
    return [name for name in names if isinstance(name, str)]


def _of_unit(unit: str) -> Iterator[str]:
    from descent_autograder.questions.catalogue import entries

    yield from _of_questions(i for i, known in entries().items() if known.asked.unit == unit)


def pytest_calls(chosen: Iterable[str]) -> list[list[str]]:
    """The arguments of each call of pytest: one for each notebook, one for everything else."""
    calls = [one.split() for one in chosen if " -k " in one]
    return [[one for one in chosen if " -k " not in one], *calls]


def main(arguments: list[str]) -> int:
    """Run them; the exit status of the first call of pytest that fails."""
    since = arguments[0] if arguments else "HEAD"
    names = changed(since)
    print(f"{len(names)} files differ from {since}", flush=True)
    pytest = ["pytest", "-q", "-n", str((os.cpu_count() or 1) + 1), "--dist", "loadfile"]
    status = 0
    for call in pytest_calls(mirrored_tests(names, ROOT)):
        print("$ pytest", *call, flush=True)
        done = subprocess.run([*pytest, *call], cwd=ROOT, check=False)
        status = status or done.returncode
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
