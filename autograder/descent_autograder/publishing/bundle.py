"""The student's bundle: lessons, released notebooks, a wheel of `descent`, how to install it.

It holds nothing of the solutions or the grader, and refuses to be made when it would. The same
content gives the same zip, byte for byte.

    python -m descent_autograder.publishing.bundle [UNIT ...] [--dest FOLDER] [--lab FOLDER]
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from descent_autograder.core import units
from descent_autograder.core.course import open_course
from descent_autograder.core.errors import BundleError, DescentError
from descent_autograder.publishing.canonical import canonical_text

__all__ = ["main", "make_bundle", "working_copy"]

WORKSPACE = Path(__file__).resolve().parents[3]
LICENCES = ("LICENSE", "LICENSE-text")
# The oldest time that a zip can hold: what a bundle says mustn't depend on when it was made.
EPOCH = (1980, 1, 1, 0, 0, 0)
FOLDER_IN_ZIP = "descent-course"
SECRET_NAMES = re.compile(
    rb"descent[_-]solutions|descent[_-]autograder|BEGIN (?:SOLUTION|HIDDEN TESTS|MARK SCHEME)"
)


def make_bundle(
    names: Sequence[str], course: Path, dest: Path, *, workspace: Path = WORKSPACE
) -> Path:
    """Make `dest`/student and `dest`/student.zip.

    What stood in `dest`/student is replaced as a whole, at the end.

    Args:
        names: unit folders such as `06-optimizers`; none means every released one.
        course: its `release` holds their notebooks, as nbgrader left them.
        dest: where.
        workspace: holds lessons, licences and the source of the wheel.

    Returns:
        The zip's path.

    Raises:
        BundleError: when a unit isn't released, the wheel can't be built, or something in the
            bundle names the solutions or the grader.
    """
    chosen = _released(names, course / "release")
    dest = dest.resolve()
    dest.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=dest, prefix=".bundle-") as scratch:
        student = Path(scratch) / "student"
        student.mkdir()
        _copy_lessons(
            workspace / "course" / "lessons", student / "lessons", chosen if names else []
        )
        for folder in chosen:
            shutil.copytree(folder, student / "assignments" / folder.name)
        for name in LICENCES:
            shutil.copyfile(workspace / name, student / name)
        wheel = _build_wheel(workspace / "course", student)
        guide = (workspace / "course" / "INSTALL.md").read_text(encoding="utf-8")
        (student / "INSTALL.md").write_text(guide.replace("{wheel}", wheel.name), encoding="utf-8")
        _refuse_leaks(student)
        packed = Path(scratch) / "student.zip"
        _pack(student, packed)
        shutil.rmtree(dest / "student", ignore_errors=True)
        student.rename(dest / "student")
        return packed.replace(dest / "student.zip")


def working_copy(student: Path, target: Path) -> None:
    """Copy into `target` what isn't there yet: notebooks that somebody filled in stay theirs."""
    for file in (path for path in student.rglob("*") if path.is_file()):
        copy = target / file.relative_to(student)
        if not copy.exists():
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)


def _released(names: Sequence[str], release: Path) -> list[Path]:
    folders = [release / name for name in names]
    if not names and release.is_dir():
        folders = sorted(path for path in release.iterdir() if any(path.glob("*.ipynb")))
    missing = [folder.name for folder in folders if not any(folder.glob("*.ipynb"))]
    if missing or not folders:
        what = ", ".join(missing) or "no unit"
        raise BundleError(f"not released: {what} (descent release makes the students' notebooks)")
    return folders


def _copy_lessons(source: Path, target: Path, chosen: Sequence[Path]) -> None:
    """Copy the lessons of the chosen units, or all; without outputs, as they stand in the tree."""
    target.mkdir()
    wanted = {folder.name for folder in chosen}
    for lesson in sorted(source.glob("*.ipynb")):
        if not wanted or lesson.stem in wanted:
            text = canonical_text(lesson.read_text(encoding="utf-8"))
            (target / lesson.name).write_text(text, encoding="utf-8")


def _build_wheel(package: Path, target: Path) -> Path:
    """Build `package` with the environment's own hatchling: no network, no isolation."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run(
        [*command, "--directory", str(target)], cwd=package, capture_output=True, text=True
    )
    wheels = list(target.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise BundleError(f"the wheel of descent can't be built: {done.stderr.strip()}")
    return wheels[0]


def _contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a folder by name, those inside wheels too."""
    for file in sorted(path.rglob("*")):
        if not file.is_file():
            continue
        name = file.relative_to(path).as_posix()
        yield name, file.read_bytes()
        if file.suffix == ".whl":
            with zipfile.ZipFile(file) as wheel:
                for inner in wheel.namelist():
                    yield f"{name}/{inner}", wheel.read(inner)


def _refuse_leaks(student: Path) -> None:
    for name, content in _contents(student):
        found = SECRET_NAMES.search(content) or SECRET_NAMES.search(name.encode())
        if found:
            raise BundleError(f"{name} mentions {found[0].decode()}: students may not get it")


def _pack(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            name = f"{FOLDER_IN_ZIP}/{file.relative_to(folder).as_posix()}"
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, file.read_bytes())


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the bundle of the course around the current folder."""
    parser = argparse.ArgumentParser(prog="python -m descent_autograder.publishing.bundle")
    parser.add_argument("units", nargs="*", metavar="UNIT", help="all released ones by default")
    parser.add_argument("--dest", type=Path, default=WORKSPACE / "dist")
    parser.add_argument("--lab", type=Path, metavar="FOLDER", help="also a copy to work in")
    options = parser.parse_args(arguments)
    try:
        chosen = [units.resolve(name) for name in options.units]
        packed = make_bundle(chosen, open_course().root, options.dest)
    except DescentError as error:
        parser.error(str(error))
    print(f"The student's bundle: {packed.with_suffix('')}, and {packed.name} beside it")
    if options.lab:
        working_copy(packed.with_suffix(""), options.lab)
        print(f"Your copy: {options.lab} (delete it to begin anew)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
