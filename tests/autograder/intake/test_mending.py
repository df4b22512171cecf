"""The cells of a submission: what is honest is mended, and nothing takes intake off its feet."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import nbformat
import pytest
from descent_autograder.core.assignment import ReleasedNotebook
from descent_autograder.core.nodes import notice_of
from descent_autograder.intake import Mended, mend
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Notebook = dict[str, Any]


def _mend(notebook: Notebook | bytes, released: ReleasedNotebook) -> Mended:
    raw = notebook if isinstance(notebook, bytes) else json.dumps(notebook).encode()
    return mend(raw, released)


def _ids(notebook: Notebook) -> list[str]:
    known = (cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"])
    return [meta["grade_id"] for meta in known if meta]


def _index(notebook: Notebook, grade_id: str) -> int:
    return next(
        i
        for i, cell in enumerate(notebook["cells"])
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == grade_id
    )


def assert_sound(mended: Mended, released: ReleasedNotebook) -> None:
    """What holds for everything that leaves intake."""
    notebook = mended.notebook
    nbformat.validate(nbformat.from_dict(notebook))
    ids = _ids(notebook)
    assert len(ids) == len(set(ids))
    for known in released.cells:
        if not known.grade:
            continue
        cell = notebook["cells"][_index(notebook, known.grade_id)]
        assert cell["cell_type"] == known.cell_type
        assert cell["metadata"]["nbgrader"] == dict(known.metadata["nbgrader"])
        if known.fixed:
            assert "".join(cell["source"]) == known.source
    for task in ("double", "relative_error"):
        if f"{task}_answer" in ids:
            assert _index(notebook, f"{task}_answer") < _index(notebook, task)
    for remark in [*mended.remarks, *([mended.refusal] if mended.refusal else [])]:
        assert remark.isprintable()
        assert not set("<>") & set(remark) or "<<<<<<<" in remark


def test_an_honest_submission_is_left_as_it_is(
    small_solved: Notebook, released: ReleasedNotebook
) -> None:
    mended = _mend(small_solved, released)
    assert mended.remarks == []
    assert mended.refusal is None
    for before, after in zip(small_solved["cells"], mended.notebook["cells"], strict=True):
        assert after["source"] == "".join(before["source"])
        assert after["id"] == before["id"]
        known = before["metadata"].get("nbgrader")
        if known:
            assert after["metadata"] == {**before["metadata"], "nbgrader": known}
    assert notice_of(mended.remarks, mended.refusal) is None


Change = Callable[[Notebook], None]


def _cell(notebook: Notebook, grade_id: str) -> dict[str, Any]:
    cell: dict[str, Any] = notebook["cells"][_index(notebook, grade_id)]
    return cell


def _delete(notebook: Notebook) -> None:
    del notebook["cells"][_index(notebook, "double")]


def _duplicate(notebook: Notebook) -> None:
    index = _index(notebook, "double")
    notebook["cells"].insert(index, copy.deepcopy(notebook["cells"][index]))


def _edit(notebook: Notebook) -> None:
    _cell(notebook, "double")["source"] = "assert True"


def _retype(notebook: Notebook) -> None:
    cell = _cell(notebook, "double")
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]


def _rename(notebook: Notebook) -> None:
    _cell(notebook, "double")["metadata"]["nbgrader"]["grade_id"] = "treble"


def _strip(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"] = {}


def _raise_points(notebook: Notebook) -> None:
    _cell(notebook, "double")["metadata"]["nbgrader"]["points"] = 1000


def _move_up(notebook: Notebook) -> None:
    notebook["cells"].insert(2, notebook["cells"].pop(_index(notebook, "double")))
    notebook["cells"].insert(2, notebook["cells"].pop(_index(notebook, "relative_error")))


def _tag(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]


def _unlock(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["metadata"].pop("deletable", None)
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["locked"] = False


def _own_points(notebook: Notebook) -> None:
    cell = copy.deepcopy(_cell(notebook, "double"))
    cell["id"] = "bonus"
    cell["metadata"]["nbgrader"] |= {"grade_id": "bonus", "points": 50}
    notebook["cells"].append(cell)


def _other_kernel(notebook: Notebook) -> None:
    notebook["metadata"]["kernelspec"] = {"name": "ir", "language": "R", "display_name": "R"}


def _delete_setup(notebook: Notebook) -> None:
    del notebook["cells"][_index(notebook, "setup")]


def _spoil_text(notebook: Notebook) -> None:
    _cell(notebook, "essay")["source"] = "half a \ud83d and a \x00"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_delete, "“double” was missing; it was put back"),
        (_duplicate, "“double” stood 2 times"),
        (_edit, "“double” had been changed"),
        (_retype, "“double” had become a markdown cell"),
        (_rename, "“double” had lost its id"),
        (_strip, "had lost its id"),
        (_raise_points, "points of the cell “double” had been changed"),
        (_move_up, "“double” had been moved"),
        (_tag, "skip-execution"),
        (_own_points, "“bonus” isn't part of this assignment"),
        (_other_kernel, "language “R”"),
        (_delete_setup, "“setup” was missing"),
        (_spoil_text, "aren't text"),
        (_unlock, ""),
    ],
)
def test_what_is_honest_is_mended_and_said(
    small_solved: Notebook, released: ReleasedNotebook, change: Change, says: str
) -> None:
    notebook = copy.deepcopy(small_solved)
    change(notebook)
    mended = _mend(notebook, released)
    assert mended.refusal is None
    assert_sound(mended, released)
    if says:
        assert any(says in remark for remark in mended.remarks), mended.remarks
    else:
        assert mended.remarks == []
    assert mended.notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert not any("tags" in cell["metadata"] for cell in mended.notebook["cells"])


def test_all_answers_stay_when_all_metadata_is_lost(
    small_solved: Notebook, released: ReleasedNotebook
) -> None:
    notebook = copy.deepcopy(small_solved)
    _strip(notebook)
    for number, cell in enumerate(notebook["cells"]):
        cell["id"] = f"c{number}"
    mended = _mend(notebook, released)
    for grade_id in ("double_answer", "relative_error_answer"):
        before = next(c for c in small_solved["cells"] if c["id"] == grade_id)
        after = _cell(mended.notebook, grade_id)
        assert after["source"] == "".join(before["source"])


def test_an_answer_in_a_cell_of_its_own_isnt_undone_by_a_fresh_stub(
    small_solved: Notebook, released: ReleasedNotebook
) -> None:
    notebook = copy.deepcopy(small_solved)
    index = _index(notebook, "double_answer")
    notebook["cells"][index]["metadata"] = {}
    notebook["cells"][index]["id"] = "mine"
    notebook["cells"][index]["source"] = "double = lambda x: 2 * x"
    mended = _mend(notebook, released)
    assert "double_answer" not in _ids(mended.notebook)
    assert any("answer cell “double_answer” is missing" in r for r in mended.remarks)
    sources = [cell["source"] for cell in mended.notebook["cells"]]
    assert sources.index("double = lambda x: 2 * x") < _index(mended.notebook, "double")


def test_code_written_into_a_test_cell_still_runs(
    small_release: Notebook, released: ReleasedNotebook
) -> None:
    notebook = copy.deepcopy(small_release)
    code = "def double(x):\n    return 2 * x\nassert double(2) == 4"
    _cell(notebook, "double")["source"] = code
    mended = _mend(notebook, released)
    assert_sound(mended, released)
    index = _index(mended.notebook, "double")
    assert mended.notebook["cells"][index - 1]["source"] == code
    assert "nbgrader" not in mended.notebook["cells"][index - 1]["metadata"]


def test_of_two_copies_of_an_answer_the_last_written_one_counts(
    small_solved: Notebook, small_release: Notebook, released: ReleasedNotebook
) -> None:
    notebook = copy.deepcopy(small_solved)
    index = _index(notebook, "essay")
    notebook["cells"].append(copy.deepcopy(_cell(small_release, "essay")))
    notebook["cells"][index]["source"] = "My essay."
    mended = _mend(notebook, released)
    assert _cell(mended.notebook, "essay")["source"] == "My essay."


@pytest.mark.parametrize(
    ("encode", "remarks"),
    [
        (lambda text: b"\xef\xbb\xbf" + text.encode(), 0),
        (lambda text: text.encode("utf-16"), 1),
        (lambda text: b"\xfe\xff" + text.encode("utf-16-be"), 1),
        (lambda text: text.replace("\n", "\r\n").encode(), 0),
    ],
)
def test_encodings_that_can_be_told_are_read(
    small_solved: Notebook, released: ReleasedNotebook, encode: Callable[[str], bytes], remarks: int
) -> None:
    mended = _mend(encode(json.dumps(small_solved, indent=1)), released)
    assert mended.refusal is None
    assert len(mended.remarks) == remarks
    assert_sound(mended, released)


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "the file is empty"),
        (b"\x00" * 100, "the file is empty"),
        (b"\xff\xd8\xff\xe0 a photograph", "UTF-8"),
        (b"<html>not a notebook</html>", "broken JSON in line 1"),
        (b'{"cells": [', "the file ends too early"),
        (b"[1, 2]", "JSON of another kind"),
        (b'{"cells": 3}', "no list of cells"),
        (b'{"cells": [], "metadata": {}\n<<<<<<< HEAD\n}', "unresolved merge"),
        (b'{"cells": ' + b"[" * 200_000, "nested too deeply"),
        (json.dumps({"cells": [{}] * 5000}).encode(), "5000 cells"),
        ('{"cells": [], "größe": 1}'.encode("latin-1"), "UTF-8"),
    ],
)
def test_what_cant_be_read_is_refused_with_the_reason(
    released: ReleasedNotebook, raw: bytes, says: str
) -> None:
    mended = _mend(raw, released)
    assert mended.refusal is not None
    assert says in mended.refusal
    assert "small.ipynb couldn't be graded" in mended.refusal
    assert_sound(mended, released)
    assert "was not graded" in str(notice_of(mended.remarks, mended.refusal))


def test_an_old_notebook_is_converted(small_solved: Notebook, released: ReleasedNotebook) -> None:
    old = nbformat.convert(nbformat.reads(json.dumps(small_solved), 4), 3)
    mended = _mend(json.dumps(old).encode(), released)
    assert mended.refusal is None
    assert any("old format 3" in remark for remark in mended.remarks)
    assert_sound(mended, released)


# --- whatever a student does ---------------------------------------------------------------------

_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
_junk = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_operations = st.tuples(
    st.sampled_from(
        ["delete", "copy", "move", "source", "type", "meta", "id", "nbgrader", "field", "junk"]
    ),
    st.integers(0, 40),
    st.integers(0, 40),
    _junk,
)


def _mangled(notebook: Notebook, operations: list[tuple[str, int, int, Any]]) -> Notebook:
    """A notebook after some accidents, honest or not."""
    notebook = copy.deepcopy(notebook)
    cells = notebook["cells"]
    for kind, i, j, junk in operations:
        if not cells:
            break
        i, j = i % len(cells), j % len(cells)
        cell = cells[i]
        if kind == "delete":
            del cells[i]
        elif kind == "copy":
            cells.insert(j, copy.deepcopy(cell))
        elif kind == "move":
            cells.insert(j, cells.pop(i))
        elif kind == "junk":
            cells.insert(j, junk)
        elif isinstance(cell, dict):
            _spoil(cell, kind, junk)
    return notebook


def _spoil(cell: dict[str, Any], kind: str, junk: Any) -> None:
    metadata = cell.get("metadata")
    known = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    if kind == "source":
        cell["source"] = junk
    elif kind == "type":
        cell["cell_type"] = junk
    elif kind == "meta":
        cell["metadata"] = junk
    elif kind == "id":
        cell["id"] = junk
    elif kind == "nbgrader" and isinstance(metadata, dict):
        metadata["nbgrader"] = junk
    elif isinstance(known, dict):
        for name in list(known)[:2]:
            known[name] = junk


@settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operations=st.lists(_operations, max_size=12))
def test_every_mangled_notebook_comes_out_sound(
    small_solved: Notebook, released: ReleasedNotebook, operations: list[tuple[str, int, int, Any]]
) -> None:
    mended = _mend(_mangled(small_solved, operations), released)
    assert mended.refusal is None
    assert_sound(mended, released)


@settings(max_examples=100, deadline=None)
@given(start=st.integers(0, 10**6), length=st.integers(0, 40), patch=st.binary(max_size=20))
def test_every_damaged_file_is_read_or_refused(
    small_solved: Notebook, released: ReleasedNotebook, start: int, length: int, patch: bytes
) -> None:
    whole = json.dumps(small_solved).encode()
    start %= len(whole)
    assert_sound(_mend(whole[:start] + patch + whole[start + length :], released), released)


@settings(max_examples=50, deadline=None)
@given(document=_junk)
def test_any_json_is_read_or_refused(released: ReleasedNotebook, document: Any) -> None:
    assert_sound(_mend(json.dumps(document).encode(), released), released)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@settings(
    max_examples=10_000,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(operations=st.lists(_operations, max_size=20))
def test_ten_thousand_mangled_notebooks_come_out_sound(
    small_solved: Notebook, released: ReleasedNotebook, operations: list[tuple[str, int, int, Any]]
) -> None:
    assert_sound(_mend(_mangled(small_solved, operations), released), released)
