"""The same probes as another user, and where nobody may make namespaces."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.sandbox
HERE = Path(__file__).parent
ORDINARY = "61000"

SCENES = {
    "an ordinary user": ([ORDINARY], "namespaces", ["test_confinement.py", "-k", "not bombs"]),
    "an ordinary user, namespaces forbidden": (
        ["--no-namespaces", ORDINARY],
        "landlock",
        ["test_confinement.py", "older_landlock.py", "second_wall.py"],
    ),
    "root, namespaces forbidden": (
        ["--no-namespaces", "0"],
        "landlock",
        ["test_confinement.py", "second_wall.py", "-k", "not bombs"],
    ),
}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("scene", SCENES)
def test_the_wall_stands_for(scene: str) -> None:
    who, wall, files = SCENES[scene]
    if os.geteuid() != 0 and scene.startswith("root"):
        pytest.skip("only root can play root")
    command = [sys.executable, str(HERE / "elsewhere.py"), *who, "-m", "pytest", "-q"]
    temporary = tempfile.gettempdir()  # not pytest's own folder, which other users can't enter
    command += ["-p", "no:cacheprovider", f"--basetemp={temporary}/scene-{os.getpid()}"]
    command += [str(HERE / word) if word.endswith(".py") else word for word in files]
    environment = {**os.environ, "MPLCONFIGDIR": temporary, "DESCENT_TEST_EXPECT": wall, "CI": ""}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=HERE.parents[2], check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed
    assert int(passed[1]) >= 15
    assert "skipped" not in done.stdout.replace("Nothing was skipped", "")
