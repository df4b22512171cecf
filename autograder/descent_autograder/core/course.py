"""Where a course lives: its folders, its settings, its gradebook and its secret.

A course is an ordinary nbgrader course directory, recognised by its ``nbgrader_config.py``.
"""

from __future__ import annotations

import os
import secrets
import stat
import sysconfig
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from descent_autograder.core.errors import NoCourse
from descent_autograder.core.staging import write_atomically

CONFIG_NAME = "nbgrader_config.py"
SECRET_NAME = ".descent-secret"


@dataclass(frozen=True)
class Course:
    """One nbgrader course directory.

    Attributes:
        root: absolute path of the directory that holds ``nbgrader_config.py``.
    """

    root: Path

    @cached_property
    def config(self) -> Any:
        """The traitlets configuration that nbgrader would use there, read at first use.

        Raises:
            NoCourse: when it can't be read.
        """
        put_scripts_on_path()
        return load_config(self.root)

    @cached_property
    def directory(self) -> Any:
        """nbgrader's own `CourseDirectory` for this course, made at first use."""
        from nbgrader.coursedir import CourseDirectory

        return CourseDirectory(config=self.config)

    @cached_property
    def db_url(self) -> str:
        """Where the gradebook is: an SQLAlchemy URL."""
        return str(self.directory.db_url)

    @property
    def course_id(self) -> str:
        """nbgrader's name for the course."""
        return str(self.directory.course_id)

    def path(self, step: str, student: str, assignment: str) -> Path:
        """The folder of one step (``submitted``, ``autograded``, …), as nbgrader lays it out."""
        directory = self.directory
        name = getattr(directory, f"{step}_directory")
        return Path(os.path.normpath(directory.format_path(name, student, assignment)))

    def step(self, step: str) -> Path:
        """The folder that holds all students of one step."""
        return self.root / str(getattr(self.directory, f"{step}_directory"))

    @property
    def reports(self) -> Path:
        """Where class reports are written."""
        return self.root / "reports"

    @property
    def journals(self) -> Path:
        """Where journals are kept: what has been released, and who has been graded."""
        return self.reports / ".records"

    def units(self) -> list[str]:
        """The folders of all assignments that have a source, in order."""
        source = self.step("source")
        if not source.is_dir():
            return []
        return sorted(entry.name for entry in source.iterdir() if any(entry.glob("*.ipynb")))

    def secret(self) -> bytes:
        """The course's secret, made at the first call (mode 600) and kept from then on.

        Raises:
            NoCourse: when the file is there but holds no secret.
        """
        path = self.root / SECRET_NAME
        if not path.exists():
            # Of two runs that start at once, one makes it and the other takes what it finds.
            text = f"{secrets.token_hex(32)}\n"
            write_atomically(path, text.encode("ascii"), mode=0o600, replace=False)
        text = path.read_text(encoding="ascii", errors="replace").strip()
        if len(text) < 32:
            raise NoCourse(
                f"{path} holds no secret; restore it from your backup, or delete it to have a new "
                "one made (students then get other test cases than before)"
            )
        return text.encode("ascii")


def secret_is_private(root: Path) -> bool:
    """Whether nobody but its owner can read the course's secret."""
    mode = (root / SECRET_NAME).stat().st_mode
    return not mode & (stat.S_IRWXG | stat.S_IRWXO)


def find_root(start: Path) -> Path:
    """Find the course directory: `start`, its ``assignments``, or the same of a parent.

    Raises:
        NoCourse: when there is none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        for candidate in (folder, folder / "assignments"):
            if (candidate / CONFIG_NAME).is_file():
                return candidate
    raise NoCourse(
        f"no course directory found from {start}: change to one that holds {CONFIG_NAME}, "
        "or name it with --course DIR"
    )


def open_course(start: Path | None = None) -> Course:
    """Open the course at or above `start` (the current directory by default).

    Raises:
        NoCourse: when there is none.
    """
    if start is not None and not start.is_dir():
        raise NoCourse(f"no such directory: {start}")
    return Course(find_root(start or Path.cwd()))


def load_config(root: Path) -> Any:
    """Read nbgrader's configuration as nbgrader does: the user's, then the course's on top."""
    from jupyter_core.paths import jupyter_config_path
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    config = Config()
    for folder in (*reversed(jupyter_config_path()), str(root)):
        if (Path(folder) / CONFIG_NAME).is_file():
            try:
                config.merge(PyFileConfigLoader(CONFIG_NAME, path=folder).load_config())
            except Exception as error:
                raise NoCourse(f"can't read {Path(folder) / CONFIG_NAME}: {error}") from error
    config.CourseDirectory.root = str(root)
    return config


def put_scripts_on_path() -> None:
    """Let nbgrader find ``alembic``, which it calls by its bare name for a new gradebook."""
    scripts = sysconfig.get_path("scripts")
    path = os.environ.get("PATH", "")
    if scripts not in path.split(os.pathsep):
        os.environ["PATH"] = scripts + os.pathsep + path
