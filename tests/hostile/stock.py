"""Stock nbgrader under the same attacks: a throw-away user in a throw-away sandbox, per attack.

The sandbox holds the environment read-only, a copy of the course, a small ``/tmp`` and no
network. nbgrader's own ``autograde`` runs in it, then, in a second one, a look at what it left.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from descent_autograder.sandbox import walls

from . import attacked_course
from .attack import Attack
from .attacked_course import HONEST, NAME, UNIT, AttackedCourse

_USER = 61_017
_SECONDS = 90.0
_SIZE = str(256 << 20)
_CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "descent"
c.Execute.timeout = 10
"""
_AS_USER = """\
import os, resource, sys
user, command = int(sys.argv[1]), sys.argv[2:]
if os.getuid() == 0:
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20,) * 2)
resource.setrlimit(resource.RLIMIT_AS, (6 << 30,) * 2)
os.execv(command[0], command)
"""
_LOOK = """\
import hashlib, json, pathlib, re, sqlite3, sys
unit, name, student = sys.argv[1:4]
found = {"points": None, "shown": "", "course": ""}
try:
    book = sqlite3.connect("file:gradebook.db?mode=ro", uri=True)
    rows = book.execute(
        "SELECT base_cell.name, coalesce(grade.manual_score, grade.auto_score, 0) FROM grade"
        " JOIN base_cell ON base_cell.id = grade.cell_id"
        " JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id"
        " JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id"
        " WHERE submitted_assignment.student_id = ?", (student,)).fetchall()
    found["points"] = dict(rows) or None
except sqlite3.Error as error:
    found["error"] = str(error)
path = pathlib.Path("autograded", student, unit, name + ".ipynb")
if path.is_file():
    cells = json.loads(path.read_text())["cells"]
    found["shown"] = json.dumps([cell.get("outputs") for cell in cells])
else:
    found["points"] = None
digest = hashlib.sha256()
for top in ("source", "release", "submitted/mm-neighbour"):
    for one in sorted(pathlib.Path(top).rglob("*")):
        digest.update(str(one).encode() + (one.read_bytes() if one.is_file() else b""))
found["course"] = digest.hexdigest()
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Row:
    """What an attack has done to stock nbgrader.

    Attributes:
        name: the attack.
        outcome: in a few words; "held" when nothing.
        run: whether it was run at all.
    """

    name: str
    outcome: str
    run: bool = True


class Stock:
    """A course that stock nbgrader grades, once per attack, each time from the same state."""

    def __init__(self, site: AttackedCourse, folder: Path) -> None:
        """Copy a released course into ``folder``, without our configuration."""
        self.site = site
        self._folder = folder
        attacked_course.hand_in_neighbours(site)
        (site.course.root / "nbgrader_config.py").write_text(_CONFIG)

    def grade(self, student: str, attack: Attack | None = None) -> dict[str, Any]:
        """Grade one student in a fresh sandbox; return what is found afterwards."""
        box = self._folder / "box"
        self.clear()
        shutil.copytree(self.site.course.root, box, symlinks=True)
        if attack is not None:
            submitted = box / "submitted" / student / UNIT
            submitted.mkdir(parents=True)
            (submitted / f"{NAME}.ipynb").write_bytes(attacked_course.prepare(self.site, attack))
            if attack.tree is not None:
                attack.tree(submitted, self.site.known)
        _give_away(box)
        nbgrader = ["-m", "nbgrader", "autograde", UNIT, "--student", student, "--create"]
        ended = self._inside(box, nbgrader)
        looked = self._inside(box, ["-I", "-c", _LOOK, UNIT, NAME, student])
        found: dict[str, Any] = json.loads(looked or "{}")
        found["ended"] = ended is not None
        return found

    def clear(self) -> None:
        """Remove what the last student has left: folders in folders, deeper than Python can go."""
        subprocess.run(["rm", "-rf", "--", str(self._folder / "box")], check=True)

    def _inside(self, box: Path, arguments: list[str]) -> str | None:
        """Run Python in the sandbox; return what it printed, or None if it had to be killed."""
        command = [*self._sandbox(box), sys.executable, "-I", "-c", _AS_USER, str(_USER)]
        try:
            done = subprocess.run(
                [*command, sys.executable, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        return done.stdout.decode("utf-8", "replace")

    def _sandbox(self, box: Path) -> list[str]:
        program = walls.bubblewrap()
        assert program is not None
        arguments = [program, "--unshare-all", "--die-with-parent", "--hostname", "stock"]
        if os.geteuid() == 0:
            arguments = [one for one in arguments if one != "--unshare-all"]
            arguments += ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
            arguments += ["--cap-drop", "ALL"]
            arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        for path in ("/usr", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts"):
            arguments += ["--ro-bind-try", path, path]
        for path in ("/bin", "/sbin", "/lib", "/lib64"):
            if os.path.islink(path):
                arguments += ["--symlink", os.readlink(path), path]
            elif os.path.isdir(path):
                arguments += ["--ro-bind", path, path]
        arguments += ["--dev", "/dev", "--proc", "/proc"]
        for path in ("/tmp", "/var/tmp", "/dev/shm"):
            arguments += ["--perms", "1777", "--size", _SIZE, "--tmpfs", path]
        parts = [
            attacked_course.REPOSITORY / part for part in ("course", "solutions", "autograder")
        ]
        for path in (os.path.realpath(sys.base_prefix), sys.prefix, *map(str, parts)):
            arguments += [*_parents(path), "--ro-bind", path, path]
        course = str(self.site.course.root)
        arguments += [*_parents(course), "--bind", str(box), course, "--chdir", course]
        arguments += ["--clearenv", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8"]
        scripts = os.path.dirname(sys.executable)
        arguments += ["--setenv", "PATH", f"{scripts}:/usr/bin:/bin"]
        arguments += ["--setenv", "DESCENT_CANARY", self.site.canaries["the environment"]]
        return [*arguments, "--"]


def _parents(path: str) -> list[str]:
    """Make the folders above a target by name, else they are closed to others."""
    return [word for parent in reversed(Path(path).parents[:-1]) for word in ("--dir", str(parent))]


def _give_away(folder: Path) -> None:
    """Let the throw-away user own all that lies in a folder, however deep."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-hR", f"{_USER}:{_USER}", "--", str(folder)], check=True)


def outcome(attack: Attack, found: dict[str, Any], untouched: str, site: AttackedCourse) -> str:
    """What an attack has achieved, in a few words.

    Args:
        attack: the attack.
        found: what ``Stock.grade`` found.
        untouched: what the rest of the course was like before.
        site: the course.
    """
    said = []
    shown = str(found.get("shown", ""))
    points = found.get("points")
    if points is None:
        said.append("no grade" if found.get("ended") else "never ends")
    else:
        gained = sum(max(0.0, points.get(task, 0.0) - HONEST[task]) for task in HONEST)
        lost = sum(max(0.0, HONEST[task] - points.get(task, 0.0)) for task in HONEST)
        extra = sum(score for task, score in points.items() if task not in HONEST)
        if gained + extra:
            said.append(f"gains {gained + extra:g} points")
        if lost and not attack.costs:
            said.append(f"loses {lost:g} honest points")
    said += [f"learns {what}" for what in learnt(shown, site)]
    if found.get("course") != untouched:
        said.append("changes the course")
    if not said and "CAPTURED: " in shown:
        said.append("reaches what it wanted")
    return "; ".join(said) or "held"


def learnt(shown: str, site: AttackedCourse) -> list[str]:
    """Which secrets stand in outputs, those that failing tests show themselves left out."""
    words = {what: word for what, word in site.canaries.items() if what != "a hidden test"}
    hidden = site.canaries["a hidden test"]
    found = [what for what, word in words.items() if word in shown]
    return found + ["a hidden test"] * (f"CAPTURED: {hidden}" in shown)
