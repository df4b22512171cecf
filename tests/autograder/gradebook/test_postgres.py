"""A gradebook on a real PostgreSQL server, which refuses root and is run as somebody else."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course, open_course
from descent_autograder.core.errors import GradebookUnreachable
from descent_autograder.grading import pipeline
from descent_autograder.grading.options import Options
from descent_autograder.publishing.release import release

pytestmark = [pytest.mark.sandbox, pytest.mark.postgres, pytest.mark.timeout(600)]


def _programs() -> Path | None:
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    on_path = shutil.which("initdb")
    return Path(found[-1]).parent if found else Path(on_path).parent if on_path else None


def _somebody() -> list[str]:
    """The prefix that runs a command as an ordinary user, where this is root."""
    if os.geteuid() != 0:
        return []
    name = next(n for n in ("postgres", "nobody") if n in {u.pw_name for u in pwd.getpwall()})
    return ["setpriv", f"--reuid={name}", f"--regid={pwd.getpwnam(name).pw_gid}", "--clear-groups"]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a fresh server's empty database."""
    pytest.importorskip("psycopg2")
    programs = _programs()
    if programs is None:
        pytest.skip("PostgreSQL's server isn't installed (package postgresql)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    prefix = _somebody()
    if prefix:
        user = pwd.getpwnam(prefix[1].removeprefix("--reuid="))
        os.chown(folder, user.pw_uid, user.pw_gid)
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run([*prefix, *command], check=True, capture_output=True, cwd=folder)

    run(str(programs / "initdb"), "-D", str(data), "-U", "descent", "-A", "trust", "-N")
    running = subprocess.Popen(
        [
            *prefix,
            *(str(programs / "postgres"), "-D", str(data), "-p", str(port)),
            *("-c", f"unix_socket_directories={folder}", "-c", "fsync=off"),
        ],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _create(port, running)
        yield f"postgresql+psycopg2://descent@127.0.0.1:{port}/gradebook"
    finally:
        running.terminate()
        running.wait(timeout=30)
        shutil.rmtree(folder, ignore_errors=True)


def _create(port: int, running: subprocess.Popen[bytes]) -> None:
    import psycopg2

    deadline = time.monotonic() + 60
    while True:
        try:
            connection = psycopg2.connect(
                host="127.0.0.1", port=port, user="descent", dbname="postgres"
            )
            break
        except psycopg2.OperationalError:
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE gradebook")
    connection.close()


@pytest.fixture
def course(small: Course, tools: Any, server: str) -> Course:
    """The small course with its gradebook on the server."""
    config = small.root / "nbgrader_config.py"
    config.write_text(config.read_text() + f"\nc.CourseDirectory.db_url = {server!r}\n")
    (small.root / "gradebook.db").unlink()
    moved = open_course(small.root)
    release(moved, [tools.SMALL])
    return moved


def test_a_class_is_graded_into_postgresql(
    course: Course, tools: Any, small_solved: Any, small_release: Any
) -> None:
    tools.write(course, tools.SMALL, "ada", small_solved)
    tools.write(course, tools.SMALL, "ben", small_release)
    tools.write(course, tools.SMALL, "dan", b"{\x00")
    assert len(pipeline.grade(Assignment(course, tools.SMALL), Options()).graded) == 3
    scores = tools.scores_of(course, tools.SMALL)
    assert {name: row["score"] for name, row in scores.items()} == {"ada": 5, "ben": 0, "dan": 0}
    assert not (course.root / "gradebook.db").exists()
    assert pipeline.grade(Assignment(course, tools.SMALL), Options()).graded == []
    assert len(pipeline.grade(Assignment(course, tools.SMALL), Options(force=True)).graded) == 3
    assert tools.scores_of(course, tools.SMALL) == scores


def test_a_server_that_is_away_is_reported_without_its_password(
    small: Course, tools: Any, small_solved: Any
) -> None:
    config = small.root / "nbgrader_config.py"
    url = "postgresql+psycopg2://descent:hush@127.0.0.1:9/gradebook"
    config.write_text(config.read_text() + f"\nc.CourseDirectory.db_url = {url!r}\n")
    tools.write(small, tools.SMALL, "ada", small_solved)
    with pytest.raises(GradebookUnreachable, match="refused") as caught:
        pipeline.grade(Assignment(open_course(small.root), tools.SMALL), Options())
    assert "hush" not in str(caught.value)
