"""The formgrader, started for real, shows what we graded, and nothing of a student's runs in it."""

from __future__ import annotations

import copy
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.grading import pipeline
from descent_autograder.grading.options import Options

pytestmark = [pytest.mark.sandbox, pytest.mark.jupyter, pytest.mark.timeout(600)]

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
TOKEN = "a-token-for-this-test"


@pytest.fixture
def graded(small: Course, tools: Any, small_solved: Any) -> Course:
    evil = copy.deepcopy(small_solved)
    tools.by_id(evil, "essay")["source"] = f"An essay. {EVIL}"
    show = f"from IPython.display import HTML, Javascript, display\ndisplay(HTML({EVIL!r}))"
    evil["cells"].insert(2, tools.cell("code", "show", f"{show}\nJavascript('alert(1)')"))
    tools.write(small, tools.SMALL, "ada", small_solved)
    tools.write(small, tools.SMALL, "mal", evil)
    pipeline.grade(Assignment(small, tools.SMALL), Options())
    return small


@pytest.fixture
def server(graded: Course, tmp_path: Path) -> Iterator[str]:
    """A Jupyter server with nbgrader's formgrader, in the course's directory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = tmp_path / "jupyter"
    config.mkdir()
    settings = {
        "ServerApp": {"jpserver_extensions": {"nbgrader.server_extensions.formgrader": True}}
    }
    (config / "jupyter_server_config.json").write_text(json.dumps(settings))
    path = str(Path(sys.executable).parent) + os.pathsep + os.environ["PATH"]
    surroundings = {**os.environ, "PATH": path, "HOME": str(tmp_path)}
    log = tmp_path / "server.log"
    command = [sys.executable, "-m", "jupyter_server", f"--port={port}", "--no-browser"]
    command += [f"--IdentityProvider.token={TOKEN}", "--allow-root", "--ServerApp.port_retries=0"]
    with open(log, "wb") as out:
        running = subprocess.Popen(
            command,
            cwd=graded.root,
            env={**surroundings, "JUPYTER_CONFIG_DIR": str(config)},
            stdout=out,
            stderr=out,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, running, log)
        yield address
    finally:
        running.terminate()
        running.wait(timeout=30)


def _wait(address: str, running: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and running.poll() is None:
        try:
            _get(f"{address}/api")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.3)
        else:
            return
    raise AssertionError(log.read_text())


def _get(address: str) -> str:
    request = urllib.request.Request(address, headers={"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return str(reply.read().decode())


def test_the_formgrader_shows_the_class(server: str, graded: Course, tools: Any) -> None:
    students = json.loads(_get(f"{server}/formgrader/api/submissions/{tools.SMALL}"))
    found = {row["student"]: row for row in students}
    assert {name: row["score"] for name, row in found.items()} == {"ada": 5.0, "mal": 5.0}
    assert all(row["autograded"] for row in students)
    assert found["ada"]["needs_manual_grade"]
    assert "formgrader" in _get(f"{server}/formgrader/gradebook")
    gradebook = SharedGradebook(graded.db_url, graded.course_id)
    submission = gradebook.find_submission_notebook("small", tools.SMALL, "mal")
    identifier = submission.id
    gradebook.close()
    page = _get(f"{server}/formgrader/submissions/{identifier}/")
    assert "An essay." in page
    assert "relative_error: right" in page
    assert "alert(1)</script>" not in page.replace("&lt;/script&gt;", "")
    assert "onerror=alert" not in page.replace("&lt;img src=x onerror=alert(1)&gt;", "").replace(
        "onerror=alert(1)&gt;", ""
    )
