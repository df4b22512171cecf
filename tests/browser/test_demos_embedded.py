"""The demos where lessons are read: JupyterLab, Notebook 7 and an exported page, no kernel."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

from .chromium import browser, missing, resize
from .frames import drag
from .jupyterlab import server

pytestmark = [pytest.mark.browser, pytest.mark.jupyter]

CELLS = ("demos.step_size()", 'demos.race({"mine": mine}, landscape="saddle")')
SETUP = """from descent import demos
def mine(w, dw, state=None, *, learning_rate):
    return w - learning_rate * dw, state
"""
PICTURE = "return document.querySelector('canvas[role=img]').toDataURL()"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a lesson that has been run and trusted, and its exported page."""
    folder = tmp_path_factory.mktemp("lesson")
    cells = [nbformat.v4.new_code_cell(source) for source in (SETUP, *CELLS)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    work = folder / "work"
    work.mkdir()
    nbformat.write(notebook, work / "lesson.ipynb")
    places = {"JUPYTER_DATA_DIR": str(folder / "data"), "IPYTHONDIR": str(folder / "ipython")}
    for command in (
        ["nbconvert", "--to", "notebook", "--execute", "--inplace", "lesson.ipynb"],
        ["nbconvert", "--to", "html", "lesson.ipynb"],
        ["trust", "lesson.ipynb"],
    ):
        subprocess.run(
            [sys.executable, "-m", "jupyter", *command],
            cwd=work,
            env=os.environ | places,
            check=True,
            capture_output=True,
            timeout=180,
        )
    return folder


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    with browser() as started:
        resize(started, 1280, 1400)
        yield started


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with server(folder / "work", folder) as found:
        yield found


def frames(driver: Any) -> list[Any]:
    """Wait until both demos are in the page and return their frames."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found: list[Any] = driver.find_elements("css selector", "iframe[srcdoc]")
        if len(found) == len(CELLS):
            return found
        time.sleep(0.2)
    raise AssertionError("the demos aren't in the page")


def settle(driver: Any) -> str:
    """Wait for the demo to draw and return its picture."""
    driver.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)));"
    )
    picture: str = driver.execute_script(PICTURE)
    return picture


def use(driver: Any, number: int) -> None:
    """Use a demo by keyboard, by slider and by point; each must change the picture."""
    frame = frames(driver)[number]
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", frame)
    time.sleep(0.5)
    corner = driver.execute_script(
        "const box = arguments[0].getBoundingClientRect(); return [box.left + 1, box.top + 1];",
        frame,
    )
    driver.switch_to.frame(frame)
    before = settle(driver)
    slider = driver.find_element("css selector", "input[type=range]:not(.transport *)")
    handle = driver.find_element("css selector", ".handle")
    for node, key in ((slider, "ArrowLeft"), (handle, "ArrowLeft")):
        driver.execute_script("arguments[0].focus()", node)
        for _ in range(8):
            event = {"key": key, "code": key, "windowsVirtualKeyCode": 37}
            for kind in ("keyDown", "keyUp"):
                driver.execute_cdp_cmd("Input.dispatchKeyEvent", {"type": kind, **event})
        after = settle(driver)
        assert after != before, "the keyboard changes nothing"
        before = after
    left, top, width, height = driver.execute_script(
        "const box = arguments[0].getBoundingClientRect();"
        "return [box.left, box.top, box.width, box.height];",
        handle,
    )
    x, y = corner[0] + left + width / 2, corner[1] + top + height / 2
    drag(driver, [(x, y), (x + 10, y + 5), (x + 40, y + 20)])
    assert settle(driver) != before, "dragging the point changes nothing"
    driver.switch_to.default_content()


def complaints(driver: Any) -> list[str]:
    """What the demos' own frames wrote to the console."""
    told = [entry["message"] for entry in driver.get_log("browser")]
    return [message for message in told if "srcdoc" in message]


@pytest.mark.parametrize("place", ["lab", "notebooks", "exported"])
def test_demo_plays_where_lessons_are_read(
    place: str, driver: Any, folder: Path, request: pytest.FixtureRequest
) -> None:
    if place == "exported":
        driver.get((folder / "work" / "lesson.html").as_uri())
    else:
        address = request.getfixturevalue("address").format(path="lesson.ipynb")
        driver.get(
            address.replace("/lab/tree/", "/notebooks/") if place == "notebooks" else address
        )
    for number in range(len(CELLS)):
        use(driver, number)
    assert complaints(driver) == []


def test_untrusted_notebook_says_what_would_be_seen(
    driver: Any, folder: Path, address: str
) -> None:
    """JupyterLab drops frames it doesn't trust; the words within them stay."""
    source = (folder / "work" / "lesson.ipynb").read_text(encoding="utf-8")
    (folder / "work" / "stranger.ipynb").write_text(source.replace("mine", "theirs"), "utf-8")
    driver.get(address.format(path="stranger.ipynb"))
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        text = driver.find_element("css selector", "body").text
        if "a curve with its tangent" in text:
            return
        time.sleep(0.3)
    raise AssertionError("an untrusted demo leaves nothing behind")
