"""Lessons and released assignments, opened in JupyterLab and run from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.preprocessors import ClearSolutions, LockCells

from . import chromium, jupyterlab

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "course" / "lessons").glob("*.ipynb"))
ASSIGNMENTS = sorted((ROOT / "assignments" / "source").glob("*/*.ipynb"))
SECONDS = 150
PICTURES = """
return Array.from(document.querySelectorAll(".jp-OutputArea-output img"), picture =>
  ({alt: picture.alt, loaded: picture.complete && picture.naturalWidth > 0}));
"""
FRAMES = """
return Array.from(document.querySelectorAll(".jp-OutputArea-output iframe"), frame => frame.title);
"""
READABLE = """
return Array.from(document.querySelectorAll(".jp-RenderedMarkdown, .jp-RenderedHTMLCommon"))
  .filter(part => part.scrollWidth > part.clientWidth + 2).map(part => part.innerText.slice(0, 80));
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.jupyter,
    pytest.mark.skipif(chromium.missing() is not None, reason=str(chromium.missing())),
]


def put(path: Path, folder: Path) -> str:
    """Lay a notebook into `folder` as a student gets it; return its name there."""
    notebook = nbformat.read(path, as_version=4)
    name = path.name
    if path in ASSIGNMENTS:
        name = f"assignment-{path.name}"
        for preprocessor in (LockCells(), ClearSolutions()):
            notebook, _ = preprocessor.preprocess(notebook, {})
    nbformat.write(notebook, folder / name)
    return name


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Path, str]]:
    """A browser, the folder that JupyterLab serves, and the address of a notebook in it."""
    folder = tmp_path_factory.mktemp("student")
    state = tmp_path_factory.mktemp("state")
    with jupyterlab.server(folder, state) as address, chromium.browser() as driver:
        chromium.resize(driver, 1200, 1400)
        yield driver, folder, address


@pytest.mark.parametrize("path", [*LESSONS, *ASSIGNMENTS], ids=lambda path: path.stem)
def test_notebook_runs_in_jupyterlab(lab: tuple[Any, Path, str], path: Path) -> None:
    driver, folder, address = lab
    # Leaving the notebook before is no fault of this one.
    driver.get("about:blank")
    driver.get_log("browser")
    cells = jupyterlab.run_all(driver, address.format(path=put(path, folder)), seconds=SECONDS)
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    assert [one for one in outputs if one["output_type"] == "error"] == []
    assert [one["text"] for one in outputs if one.get("name") == "stderr"] == []
    unrun = [c for c in cells if c["cell_type"] == "code" and not c["execution_count"]]
    assert unrun == []

    pictures = driver.execute_script(PICTURES)
    drawn = sum("<img " in str(one.get("data", {}).get("text/html", "")) for one in outputs)
    assert len(pictures) >= drawn
    assert drawn or path not in LESSONS
    assert [one for one in pictures if not one["loaded"] or len(one["alt"]) < 20] == []
    assert "" not in driver.execute_script(FRAMES)
    assert driver.execute_script(READABLE) == []
    severe = [one["message"] for one in driver.get_log("browser") if one["level"] == "SEVERE"]
    assert severe == []


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.stem)
def test_filling_in_an_answer_passes_its_check(lab: tuple[Any, Path, str], path: Path) -> None:
    """The first task, typed in as a student would, and checked."""
    driver, folder, address = lab
    name = put(path, folder)
    solved = nbformat.read(path, as_version=4)
    answer = next(c for c in solved.cells if c.metadata.get("nbgrader", {}).get("solution"))
    jupyterlab.run_all(driver, address.format(path=name), seconds=SECONDS)
    report = driver.execute_async_script(
        """
        const [id, source, done] = arguments;
        const app = window.jupyterapp, notebook = app.shell.currentWidget.content;
        const place = Array.from(notebook.model.cells, cell => cell.id).indexOf(id);
        notebook.activeCellIndex = place;
        notebook.activeCell.model.sharedModel.setSource(source);
        app.commands.execute("notebook:run-cell-and-select-next")
          .then(() => app.commands.execute("notebook:run-cell"))
          .then(() => done(notebook.widgets[place + 1].outputArea.node.innerText))
          .catch(error => done(String(error)));
        """,
        answer.id,
        answer.source,
    )
    assert "right" in report
