"""Every notebook stands in its canonical form, and the form is what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest
from descent_autograder.publishing.canonical import canonical, canonical_text, find_notebooks, main

ROOT = Path(__file__).parents[2]
FOLDERS = [ROOT / "course" / "lessons", ROOT / "assignments" / "source"]
NOTEBOOKS = list(find_notebooks(folder for folder in FOLDERS if folder.exists()))


def messy() -> dict[str, Any]:
    output = {"output_type": "stream", "name": "stdout", "text": ["1\n"]}
    code = {"cell_type": "code", "source": "print(1)\n\n", "outputs": [output]}
    code |= {"execution_count": 7, "metadata": {"scrolled": True, "tags": ["a"]}, "id": "twice"}
    text = {
        "cell_type": "markdown",
        "source": ["# Größe\n", "naïve"],
        "metadata": {},
        "id": "twice",
    }
    metadata = {"kernelspec": {"name": "my-env", "display_name": "mine"}, "widgets": {}}
    return {"cells": [code, text], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_tracked_notebook_is_canonical(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert canonical_text(text) == text, "make format mends it"


def test_what_a_run_leaves_is_removed() -> None:
    notebook = canonical(messy())
    code, text = notebook["cells"]
    assert (code["outputs"], code["execution_count"]) == ([], None)
    assert code["metadata"] == {"tags": ["a"]}
    assert code["source"] == ["print(1)"]
    assert text["source"] == ["# Größe\n", "naïve"]
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "widgets" not in notebook["metadata"]


def test_ids_are_unique_and_stay() -> None:
    notebook = canonical(messy())
    first, second = (cell["id"] for cell in notebook["cells"])
    assert first == "twice"
    assert second != "twice"
    assert canonical(notebook) == notebook


def test_layout_is_nbformats_own(tmp_path: Path) -> None:
    text = canonical_text(json.dumps(messy()))
    path = tmp_path / "written.ipynb"
    nbformat.write(nbformat.reads(text, as_version=4), path)
    assert path.read_text(encoding="utf-8") == text


def test_older_minor_versions_get_ids() -> None:
    old = messy() | {"nbformat_minor": 2}
    for cell in old["cells"]:
        del cell["id"]
    assert len({cell["id"] for cell in canonical(old)["cells"]}) == 2


def test_command_names_then_mends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "one.ipynb"
    path.write_text(json.dumps(messy()))
    assert main([str(tmp_path)]) == 1
    assert "not canonical" in capsys.readouterr().out
    assert main(["--write", str(tmp_path)]) == 0
    assert main([str(tmp_path)]) == 0


@pytest.mark.parametrize("content", ["{", '{"nbformat": 3}', None])
def test_command_refuses_what_it_cannot_read(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "one.ipynb"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit) as stopped:
        main([str(path)])
    assert stopped.value.code == 2
