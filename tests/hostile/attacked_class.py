"""One class of attackers and neighbours, graded once; what is left of the machine afterwards."""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from descent_autograder.core.assignment import Assignment
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.grading import pipeline
from descent_autograder.grading.options import Options, Summary
from descent_autograder.reports import class_report, feedback
from nbgrader.api import Grade

from . import attacked_course
from .attack import Attack, snapshot
from .attacked_course import NAME, UNIT, AttackedCourse
from .attacks import files as handed_in

_PR_SET_CHILD_SUBREAPER = 36
_SCRATCH = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/dev", "/home", "/")


@dataclass
class Listeners:
    """Servers that nobody should reach, each with what it has heard."""

    known: dict[str, str]
    sockets: list[socket.socket] = field(default_factory=list)

    def heard(self) -> list[str]:
        """Say which servers somebody has called."""
        found = []
        for server in self.sockets:
            server.setblocking(False)
            try:
                if server.type == socket.SOCK_STREAM:
                    server.accept()
                else:
                    server.recv(100)
            except BlockingIOError:
                continue
            found.append(str(server.getsockname()))
        return found


@contextmanager
def listening(folder: Path, token: str) -> Iterator[Listeners]:
    """Open a server of every kind that attackers call."""
    path = str(folder / "s")
    with ExitStack() as stack:

        def server(family: int, kind: int, address: Any) -> socket.socket:
            opened = stack.enter_context(socket.socket(family, kind))
            opened.bind(address)
            if kind == socket.SOCK_STREAM:
                opened.listen()
            found.sockets.append(opened)
            return opened

        found = Listeners({})
        tcp = server(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        udp = server(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        try:
            tcp6 = server(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)).getsockname()[1]
        except OSError:  # a machine without IPv6
            tcp6 = 9
        server(socket.AF_UNIX, socket.SOCK_STREAM, path)
        server(socket.AF_UNIX, socket.SOCK_STREAM, f"\0{token}")
        server(socket.AF_UNIX, socket.SOCK_DGRAM, f"\0{token}-datagrams")
        os.chmod(path, 0o777)
        found.known |= {
            "TCP": str(tcp.getsockname()[1]),
            "UDP": str(udp.getsockname()[1]),
            "TCP6": str(tcp6),
            "SOCKET": path,
        }
        yield found


@dataclass
class Aftermath:
    """What a graded class has left.

    Attributes:
        site: the course.
        summary: what the run says of itself.
        points: by student, by task, what the gradebook says.
        verdicts: by student, what the journal says.
        notebooks: the autograded notebooks.
        pages: the feedback.
        report: the class report's page.
        changed: files of the course that were changed and shouldn't have been.
        left: what was found on the machine that wasn't there before.
        heard: servers that were reached.
        seconds: how long grading took.
    """

    site: AttackedCourse
    summary: Summary
    points: dict[str, dict[str, float]]
    verdicts: dict[str, Mapping[str, Any]]
    notebooks: dict[str, Any]
    pages: dict[str, Path]
    report: Path
    changed: list[str]
    left: list[str]
    heard: list[str]
    seconds: float


def attack_class(template: AttackedCourse, root: Path, attacks: Sequence[Attack]) -> Aftermath:
    """Copy a course, hand in attacks and honest notebooks, grade once, look at what is left.

    Args:
        template: a released course.
        root: an empty folder.
        attacks: who attacks.
    """
    token = f"hostile{secrets.token_hex(6)}"
    key = str(0x7A000000 + secrets.randbelow(1 << 20))
    with listening(root, token) as servers:
        more = {"TOKEN": token, "KEY": key, **servers.known}
        site = attacked_course.copied(template, root / "course", more)
        attacked_course.hand_in_neighbours(site)
        for attack in attacks:
            attacked_course.attack_with(site, attack)
        if attacks:
            _hand_in_refused(site)
        assignment = Assignment(site.course, UNIT)
        os.environ["DESCENT_CANARY"] = site.canaries["the environment"]
        before = _protected(site)
        with adopting_orphans() as orphans:
            started = time.monotonic()
            summary = pipeline.grade(assignment, Options(limits=attacked_course.LIMITS), say=_quiet)
            seconds = time.monotonic() - started
            left = orphans()
        feedback.write_feedback(assignment)
        built = class_report.build(assignment, summary.rejected)
        report, _ = class_report.write(built, site.course.reports)
        left += traces(token, key, root)
        after = _protected(site)
        heard = servers.heard()
    changed = sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p))
    students = sorted(summary.graded)
    return Aftermath(
        site,
        summary,
        points_of(site),
        {name: (assignment.journal.read(name) or {})["verdicts"] for name in students},
        {name: _notebook(site, name) for name in students},
        {name: site.course.path("feedback", name, UNIT) / f"{NAME}.html" for name in students},
        report,
        changed,
        left,
        heard,
        seconds,
    )


def _quiet(message: str) -> None:
    pass


def _hand_in_refused(site: AttackedCourse) -> None:
    content = json.dumps(attacked_course.answered(site, attacked_course.RIGHT)).encode()
    for name, _, change in handed_in.FOLDERS:
        change(attacked_course.hand_in(site, name, content), site.known)
    for student in handed_in.NAMES:
        attacked_course.hand_in(site, student, content)


def _notebook(site: AttackedCourse, student: str) -> Any:
    path = site.course.path("autograded", student, UNIT) / f"{NAME}.ipynb"
    return json.loads(path.read_text())


def _protected(site: AttackedCourse) -> dict[str, str]:
    """All of the course that a run must leave as it is."""
    root = site.course.root
    found = {}
    for part in ("source", "release", "submitted"):
        found |= {f"{part}/{path}": what for path, what in snapshot(root / part).items()}
    for name in ("nbgrader_config.py", ".descent-secret"):
        found[name] = (root / name).read_text() + oct((root / name).stat().st_mode)
    return found


def points_of(site: AttackedCourse) -> dict[str, dict[str, float]]:
    """What the gradebook says each student has earned, by task."""
    gradebook = SharedGradebook(site.course.db_url, site.course.course_id)
    try:
        found: dict[str, dict[str, float]] = {}
        for grade in gradebook.db.query(Grade).all():
            assert grade.manual_score is None
            assert grade.max_score == attacked_course.POINTS[grade.name]
            found.setdefault(grade.student.id, {})[grade.name] = float(grade.auto_score or 0.0)
        return found
    finally:
        gradebook.close()


@contextmanager
def adopting_orphans() -> Iterator[Any]:
    """Let every process that loses its parent become ours; yield what lists those left over."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    me = psutil.Process()
    before = {child.pid for child in me.children(recursive=True)}

    def found() -> list[str]:
        end = time.monotonic() + 5
        while True:
            left = [c for c in me.children(recursive=True) if c.pid not in before]
            _reap(left)
            left = [c for c in left if c.is_running()]
            if not left or time.monotonic() > end:
                return [f"process {child}" for child in left]
            time.sleep(0.1)

    try:
        yield found
    finally:
        prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _reap(children: list[psutil.Process]) -> None:
    for child in children:
        try:
            os.waitpid(child.pid, os.WNOHANG)
        except ChildProcessError:
            continue


def traces(token: str, key: str, root: Path) -> list[str]:
    """What bears a token or a key anywhere that attackers may have reached."""
    found = []
    for folder in (*_SCRATCH, os.path.expanduser("~"), os.getcwd(), str(root)):
        found += [entry.path for entry in os.scandir(folder) if token in entry.name]
    for kind in ("shm", "sem", "msg"):
        lines = Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]
        found += [f"{kind} {line}" for line in lines if line.split()[0] == key]
    for process in psutil.process_iter(["name"]):
        if token[:15] in (process.info["name"] or ""):
            found.append(f"process {process}")
    if f"{token}-box" in Path("/proc/net/unix").read_text():
        found.append("a Unix socket")
    return found
