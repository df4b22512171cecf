"""Start a JupyterLab of its own and drive it through the browser."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SETTINGS = {
    # All cells stay in the page, also those that scrolled out of sight.
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
RUN_ALL = """
const [done, seconds] = [arguments[arguments.length - 1], arguments[0]];
const app = window.jupyterapp, panel = app.shell.currentWidget;
const late = setTimeout(() => done({problem: `not done after ${seconds} s`}), seconds * 1000);
panel.context.ready
  .then(() => panel.sessionContext.ready)
  .then(() => app.commands.execute("notebook:run-all-cells"))
  .then(() => {
    clearTimeout(late);
    const cells = Array.from(panel.content.model.cells, cell => cell.toJSON());
    done({cells});
  })
  .catch(error => done({problem: String(error)}));
"""
LOADED = """
const panel = window.jupyterapp?.shell?.currentWidget;
return Boolean(panel?.context?.isReady && panel?.sessionContext?.isReady);
"""


@contextmanager
def server(folder: Path, state: Path) -> Iterator[str]:
    """Serve `folder` with JupyterLab, its own files under `state`; yield the address with token."""
    for name, values in SETTINGS.items():
        path = state / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values), encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    token = secrets.token_hex(16)
    command = [sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"]
    command += [
        "--expose-app-in-browser",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.ip=127.0.0.1",
    ]
    command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={token}"]
    environment = os.environ | {
        "JUPYTERLAB_SETTINGS_DIR": str(state / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(state / "workspaces"),
        "JUPYTER_CONFIG_DIR": str(state / "config"),
        "JUPYTER_DATA_DIR": str(state / "data"),
        "JUPYTER_RUNTIME_DIR": str(state / "runtime"),
        "IPYTHONDIR": str(state / "ipython"),
    }
    with (state / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api?token={token}", process, state / "log")
            yield f"http://127.0.0.1:{port}/lab/tree/{{path}}?reset&token={token}"
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"JupyterLab didn't start:\n{log.read_text(errors='replace')[-3000:]}")


def run_all(driver: Any, address: str, *, seconds: float) -> list[dict[str, Any]]:
    """Open the notebook, run all its cells, and return them with their outputs.

    Raises RuntimeError when the notebook can't be opened or isn't done in time.
    """
    driver.get(address)
    deadline = time.monotonic() + 90
    while not driver.execute_script(LOADED):
        if time.monotonic() > deadline:
            raise RuntimeError("the notebook didn't open")
        time.sleep(0.2)
    driver.set_script_timeout(seconds + 30)
    result: dict[str, Any] = driver.execute_async_script(RUN_ALL, seconds)
    if "problem" in result:
        raise RuntimeError(result["problem"])
    cells: list[dict[str, Any]] = result["cells"]
    return cells
