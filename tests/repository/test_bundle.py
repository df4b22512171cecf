"""What a student gets is whole, runs, and holds nothing of the solutions or the grader."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import venv
import zipfile
from pathlib import Path

import pytest
from descent_autograder.core import units
from descent_autograder.publishing import bundle
from descent_autograder.publishing.bundle import BundleError, make_bundle, working_copy

from .leaks import ROOT, search, telling_lines, texts

SOURCE = ROOT / "assignments" / "source"
LESSONS = sorted((ROOT / "course" / "lessons").glob("*.ipynb"))
SOLUTIONS = ROOT / "solutions" / "descent_solutions"
QUESTIONS = ROOT / "autograder" / "descent_autograder" / "questions"

# A computer without POSIX: what it lacks can't be imported, and the os module is smaller.
WINDOWS_LIKE = """
import asyncio, base64, multiprocessing, os, random, signal, subprocess, sys, tempfile
import matplotlib, numpy, ipywidgets
from IPython.core.interactiveshell import InteractiveShell
class Shell(InteractiveShell):
    def enable_gui(self, gui=None):
        pass
shell = Shell.instance()
shell.run_line_magic("matplotlib", "inline")
import matplotlib.pyplot
for name in ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
for name in ("fork", "forkpty", "getuid", "geteuid", "getgid", "setsid", "killpg", "uname",
             "sched_getaffinity", "sched_setaffinity", "posix_spawn", "statvfs"):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGALRM", "SIGKILL", "SIGHUP", "setitimer", "alarm"):
    delattr(signal, name)
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course directory of its own, released by nbgrader itself."""
    root = tmp_path_factory.mktemp("course")
    shutil.copytree(SOURCE, root / "source", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copyfile(ROOT / "assignments" / "nbgrader_config.py", root / "nbgrader_config.py")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for source in sorted((root / "source").iterdir()):
        command = [sys.executable, "-m", "nbgrader", "generate_assignment", source.name]
        command += ["--create", "--force", f"--course-dir={root}"]
        done = subprocess.run(
            command, cwd=root, env=os.environ | {"PATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    return root


@pytest.fixture(scope="module")
def made(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds `student` and `student.zip`."""
    dest = tmp_path_factory.mktemp("dist")
    make_bundle([], course, dest)
    return dest


def small_course(root: Path, text: str = "1 + 1") -> Path:
    """A course with one released notebook of one cell."""
    notebook = (
        '{"cells": [{"cell_type": "code", "execution_count": null, "id": "a", "metadata": {},'
        f' "outputs": [], "source": ["{text}"]}}], "metadata": {{}}, "nbformat": 4,'
        ' "nbformat_minor": 5}'
    )
    folder = root / "release" / "06-optimizers"
    folder.mkdir(parents=True)
    (folder / "optimizers.ipynb").write_text(notebook)
    return root


def test_bundle_holds_all_that_a_student_needs(made: Path) -> None:
    names = {path.name for path in (made / "student").iterdir()}
    wheels = {name for name in names if name.endswith(".whl")}
    assert names - wheels == {"lessons", "assignments", "INSTALL.md", "LICENSE", "LICENSE-text"}
    assert len(wheels) == 1
    guide = (made / "student" / "INSTALL.md").read_text(encoding="utf-8")
    assert f"pip install ./{wheels.pop()} jupyterlab" in guide
    assert "{" not in guide
    lessons = {path.name for path in (made / "student" / "lessons").iterdir()}
    assert lessons == {path.name for path in LESSONS}


def test_zip_holds_the_folder(made: Path) -> None:
    with zipfile.ZipFile(made / "student.zip") as archive:
        packed = {name.removeprefix("descent-course/") for name in archive.namelist()}
    files = (path for path in (made / "student").rglob("*") if path.is_file())
    assert packed == {path.relative_to(made / "student").as_posix() for path in files}


def test_same_content_gives_the_same_zip(tmp_path: Path) -> None:
    course = small_course(tmp_path / "course")
    first = make_bundle(["06-optimizers"], course, tmp_path / "one").read_bytes()
    os.utime(course / "release" / "06-optimizers" / "optimizers.ipynb", (0, 0))
    assert make_bundle(["06-optimizers"], course, tmp_path / "two").read_bytes() == first
    assert make_bundle(["06-optimizers"], course, tmp_path / "two").read_bytes() == first


def test_a_relative_destination_is_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = small_course(tmp_path / "course")
    monkeypatch.chdir(tmp_path)
    assert make_bundle([], course, Path("dist")).read_bytes()
    assert (tmp_path / "dist" / "student.zip").exists()
    assert not (ROOT / "course" / "dist").exists()


def test_an_unreleased_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="not released: 06-optimizers"):
        make_bundle(["06-optimizers"], tmp_path, tmp_path / "dist")
    with pytest.raises(BundleError, match="no unit"):
        make_bundle([], tmp_path, tmp_path / "dist")


@pytest.mark.parametrize(
    "leak", ["import descent_solutions", "from descent_autograder import x", "### BEGIN SOLUTION"]
)
def test_a_leak_stops_the_bundle(tmp_path: Path, leak: str) -> None:
    course = small_course(tmp_path / "course")
    dest = tmp_path / "dist"
    make_bundle([], course, dest)
    before = (dest / "student.zip").read_bytes()
    shutil.rmtree(course / "release")
    small_course(course, leak)
    with pytest.raises(BundleError, match=r"optimizers\.ipynb mentions"):
        make_bundle([], course, dest)
    assert (dest / "student.zip").read_bytes() == before
    assert {path.name for path in dest.iterdir()} == {"student", "student.zip"}


def test_working_copy_keeps_what_somebody_filled_in(tmp_path: Path) -> None:
    student, lab = tmp_path / "student", tmp_path / "lab"
    (student / "lessons").mkdir(parents=True)
    (student / "lessons" / "a.ipynb").write_text("fresh")
    working_copy(student, lab)
    (lab / "lessons" / "a.ipynb").write_text("mine")
    (student / "lessons" / "b.ipynb").write_text("new")
    working_copy(student, lab)
    assert (lab / "lessons" / "a.ipynb").read_text() == "mine"
    assert (lab / "lessons" / "b.ipynb").read_text() == "new"


def test_command_refuses_an_unknown_unit(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        bundle.main(["astrology"])
    assert stopped.value.code == 2
    assert "unknown unit 'astrology'" in capsys.readouterr().err


def test_search_finds_a_planted_line(tmp_path: Path) -> None:
    module = next(path for path in SOLUTIONS.glob("*.py") if telling_lines(path))
    planted = sorted(telling_lines(module))[0]
    (tmp_path / "note.md").write_text(f"fine\n    {planted}  # look\n")
    assert len(search(tmp_path, telling_lines(module))) == 1


@pytest.mark.jupyter
@pytest.mark.parametrize("what", ["release", "student"])
def test_no_line_of_a_solution_is_given_away(course: Path, made: Path, what: str) -> None:
    forbidden = set().union(*(telling_lines(path) for path in SOLUTIONS.glob("*.py")))
    assert search(course / "release" if what == "release" else made / "student", forbidden) == []


@pytest.mark.jupyter
@pytest.mark.parametrize("what", ["release", "student"])
def test_no_hidden_case_is_given_away(course: Path, made: Path, what: str) -> None:
    forbidden = set().union(*(telling_lines(path) for path in QUESTIONS.rglob("*.py")))
    given = set().union(*(telling_lines(path) for path in (ROOT / "course").rglob("*.py")))
    where = course / "release" if what == "release" else made / "student"
    assert search(where, forbidden - given) == []


@pytest.mark.jupyter
def test_solutions_and_grader_are_not_named(course: Path, made: Path) -> None:
    pattern = re.compile(r"descent[_-](solutions|autograder)|BEGIN SOLUTION|HIDDEN TESTS")
    for where in (course / "release", made / "student"):
        assert [name for name, text in texts(where) if pattern.search(text)] == []


def test_grader_modules_are_not_in_the_wheel(made: Path) -> None:
    (wheel,) = (made / "student").glob("*.whl")
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"descent"}


def run_like_windows(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = folder / "windows_like.py"
    script.write_text(WINDOWS_LIKE + textwrap.dedent(code), encoding="utf-8")
    environment = os.environ | {"MPLBACKEND": "agg"}
    return subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True
    )


def test_descent_imports_without_posix(tmp_path: Path) -> None:
    package = ROOT / "course" / "descent"
    modules = []
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        modules.append(".".join(part for part in parts if part != "__init__"))
    lines = "".join(f"import {name}\n" for name in modules)
    done = run_like_windows(lines, tmp_path)
    assert done.returncode == 0, done.stderr


def test_the_block_blocks(tmp_path: Path) -> None:
    assert "ModuleNotFoundError" in run_like_windows("import fcntl\n", tmp_path).stderr
    assert "AttributeError" in run_like_windows("os.fork()\n", tmp_path).stderr


@pytest.mark.jupyter
def test_a_lesson_runs_without_posix(tmp_path: Path) -> None:
    code = f"""
    import json
    for cell in json.load(open({str(LESSONS[0])!r}, encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            shell.run_cell("".join(cell["source"]), silent=False).raise_error()
    print("ran to the end")
    """
    done = run_like_windows(code, tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert "ran to the end" in done.stdout


@pytest.mark.jupyter
@pytest.mark.timeout(900)
def test_bundle_installs_as_a_student_would(made: Path, tmp_path: Path) -> None:
    """INSTALL.md's own lines in a fresh environment, then the first lesson in a real kernel."""
    home = tmp_path / "home"
    home.mkdir()
    with zipfile.ZipFile(made / "student.zip") as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "descent-course"
    venv.create(folder / ".venv", with_pip=True)
    scripts = folder / ".venv" / "bin"
    (wheel,) = folder.glob("*.whl")
    guide = (folder / "INSTALL.md").read_text(encoding="utf-8")
    line = f"pip install ./{wheel.name} jupyterlab"
    assert line in guide
    clean = {
        key: os.environ[key] for key in os.environ if not key.startswith(("PYTHON", "JUPYTER"))
    }
    clean |= {"PATH": f"{scripts}:/usr/bin:/bin", "MPLCONFIGDIR": str(home)}
    clean["PIP_NO_COMPILE"] = "1"  # most of what comes with JupyterLab isn't imported here

    def run(command: str) -> None:
        done = subprocess.run(
            command.split(), cwd=folder, env=clean, capture_output=True, text=True
        )
        if "No matching distribution" in done.stderr or "Connection" in done.stderr:
            pytest.skip("no package index can be reached from here")
        assert done.returncode == 0, done.stderr[-3000:]

    run(line)
    run(f"jupyter nbconvert --to notebook --execute --output ran.ipynb lessons/{LESSONS[0].name}")
    for released in sorted((folder / "assignments").rglob("*.ipynb"))[:1]:
        assert units.resolve(released.stem)
        run(f"jupyter nbconvert --to notebook --execute --output ran.ipynb {released}")
