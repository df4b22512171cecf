"""The file side of intake: nothing is followed, opened or believed that shouldn't be."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from descent_autograder.intake import FileLimits, collect, student_problem, submissions

NOTEBOOK = "small.ipynb"


def _collect(folder: Path, limits: FileLimits | None = None) -> tuple[dict[str, bytes], list[str]]:
    found = collect(folder, ["small"], limits)
    return found.files, found.remarks


def test_notebook_files_and_timestamp_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / NOTEBOOK).write_bytes(b"{}")
    (tmp_path / "helper.py").write_bytes(b"x = 1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a b.csv").write_bytes(b"1,2")
    (tmp_path / "timestamp.txt").write_text("2026-11-21 12:00:00 UTC\n")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    (tmp_path / ".ipynb_checkpoints" / NOTEBOOK).write_bytes(b"old")
    found = collect(tmp_path, ["small"])
    assert found.notebooks == {"small": b"{}"}
    assert sorted(found.files) == ["data/a b.csv", "helper.py", "timestamp.txt"]
    assert found.timestamp == "2026-11-21 12:00:00 UTC"
    assert found.remarks == []
    assert found.refusals == {}


@pytest.mark.parametrize("kind", ["link", "dangling", "folder link", "hard link", "fifo", "socket"])
def test_what_isnt_a_plain_file_is_left_out_with_a_reason(tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / NOTEBOOK).write_bytes(b"{}")
    path = folder / "odd.txt"
    if kind == "link":
        path.symlink_to(secret)
    elif kind == "dangling":
        path.symlink_to(tmp_path / "nowhere")
    elif kind == "folder link":
        path.symlink_to(tmp_path)
    elif kind == "hard link":
        os.link(secret, path)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        import socket

        with socket.socket(socket.AF_UNIX) as server:
            here = Path.cwd()
            os.chdir(folder)
            try:
                server.bind("odd.txt")
            finally:
                os.chdir(here)
    files, remarks = _collect(folder)
    assert files == {}
    assert len(remarks) == 1
    assert "“odd.txt” was left out" in remarks[0]


def test_a_linked_notebook_is_refused_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"{}")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / NOTEBOOK).symlink_to(tmp_path / "elsewhere")
    found = collect(folder, ["small"])
    assert found.notebooks == {}
    assert found.refusals == {"small": "small.ipynb can't be graded: it is a link"}


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[2J", "a<img src=x>", "b\u202egpj", "x" * 200])
def test_names_that_would_run_or_deceive_are_left_out(tmp_path: Path, name: str) -> None:
    (tmp_path / NOTEBOOK).write_bytes(b"{}")
    (tmp_path / name).write_bytes(b"1")
    files, remarks = _collect(tmp_path)
    assert files == {}
    assert len(remarks) == 1
    assert remarks[0].isprintable()
    assert not set("<>") & set(remarks[0])


def test_large_many_and_deep_files_are_bounded(tmp_path: Path) -> None:
    limits = FileLimits(file_bytes=10, notebook_bytes=100, total_bytes=1000, files=5, depth=1)
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "deep.txt").write_bytes(b"1")
    (tmp_path / "a" / "large.txt").write_bytes(b"1" * 11)
    for number in range(9):
        (tmp_path / f"n{number}.txt").write_bytes(b"1")
    files, remarks = _collect(tmp_path, limits)
    assert len(files) == 5
    assert any("too many folders deep" in remark for remark in remarks)
    assert any("too large" in remark for remark in remarks)
    assert any("more than 5 files" in remark for remark in remarks)


def test_remarks_are_bounded_and_the_notebook_is_found_among_whatever_lies_there(
    tmp_path: Path,
) -> None:
    (tmp_path / NOTEBOOK).write_bytes(b"{}")
    for number in range(600):
        (tmp_path / f"a{number:03}").symlink_to("nowhere")
    found = collect(tmp_path, ["small"])
    assert found.notebooks == {"small": b"{}"}
    assert len(found.remarks) == 101
    assert found.remarks[-1] == "And 500 more remarks like these."
    found = collect(tmp_path, ["small"], FileLimits(entries=50))
    assert found.notebooks == {"small": b"{}"}
    assert "more than 50 entries" in found.remarks[0]
    assert len(found.remarks) == 50


def test_a_folder_just_within_the_limits_is_taken_whole(tmp_path: Path) -> None:
    for name in (NOTEBOOK, "a.txt", "b.txt", "c.pyc"):
        (tmp_path / name).write_bytes(b"{}")
    (tmp_path / "__pycache__").mkdir()
    found = collect(tmp_path, ["small"], FileLimits(files=3, entries=5))
    assert found.remarks == []
    assert sorted(found.files) == ["a.txt", "b.txt"]


def test_only_the_beginning_of_a_timestamp_is_taken(tmp_path: Path) -> None:
    (tmp_path / "timestamp.txt").write_bytes(b"1" * 10**6)
    assert len(str(collect(tmp_path, []).timestamp)) == 1000


@pytest.fixture
def anybodys() -> Iterator[Path]:
    """A folder in which somebody else than root, who may open anything, can work."""
    folder = Path(tempfile.mkdtemp(prefix="descent-test-"))
    folder.chmod(0o777)
    user = os.geteuid()
    if user == 0:
        os.seteuid(61_018)
    try:
        yield folder
    finally:
        os.seteuid(user)
        for path in folder.rglob("*"):
            path.chmod(0o700)
        shutil.rmtree(folder)


def test_what_cant_be_opened_is_refused_and_stops_nobody_else(anybodys: Path) -> None:
    for student in ("aa", "mm", "zz"):
        (anybodys / student / "20-small").mkdir(parents=True)
        (anybodys / student / "20-small" / NOTEBOOK).write_bytes(b"{}")
    (anybodys / "mm").chmod(0)
    (anybodys / "zz" / "20-small").chmod(0)
    (anybodys / "aa" / "20-small" / "closed").mkdir(mode=0)
    found = dict(submissions(anybodys, "20-small"))
    assert found == {
        "aa": None,
        "mm": "its folder can't be opened (Permission denied)",
        "zz": None,
    }
    opened = collect(anybodys / "aa" / "20-small", ["small"])
    assert opened.notebooks == {"small": b"{}"}
    assert "“closed” was left out: it can't be opened" in opened.remarks[0]
    assert "can't be opened" in collect(anybodys / "zz" / "20-small", ["small"]).refusals["small"]


def test_a_huge_notebook_is_refused_unread(tmp_path: Path) -> None:
    with open(tmp_path / NOTEBOOK, "wb") as file:
        file.truncate(10**12)  # sparse: a terabyte that takes no room
    found = collect(tmp_path, ["small"])
    assert "too large" in found.refusals["small"]


@pytest.mark.parametrize(
    "name", ["Small.ipynb", "small (1).ipynb", "final.ipynb", "in/small.ipynb"]
)
def test_a_notebook_under_another_name_is_taken_for_the_missing_one(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"{}")
    found = collect(tmp_path, ["small"])
    assert found.notebooks == {"small": b"{}"}
    assert len(found.remarks) == 1
    assert "graded in its place" in found.remarks[0]


def test_two_candidates_leave_the_choice_open(tmp_path: Path) -> None:
    (tmp_path / "one.ipynb").write_bytes(b"{}")
    (tmp_path / "two.ipynb").write_bytes(b"{}")
    assert "no notebook called small.ipynb" in collect(tmp_path, ["small"]).refusals["small"]


@pytest.mark.parametrize(
    "name", ["ada", "ada.lovelace", "a-b_c", "ada@uni.edu", "김하나", "Ana María"]
)
def test_ordinary_ids_are_fine(name: str) -> None:
    assert student_problem(name) is None


@pytest.mark.parametrize(
    "name", ["", ".hidden", "-rf", " a", "a\n", "<script>", "a'b", 'a"b', "a/b", "a\\b", "x" * 101]
)
def test_ids_that_would_run_or_deceive_are_refused(name: str) -> None:
    assert student_problem(name)


def test_folders_are_listed_and_links_between_students_are_refused(tmp_path: Path) -> None:
    for student in ("ben", "ada", "<b>", ".git"):
        (tmp_path / student / "20-small").mkdir(parents=True)
    (tmp_path / "eve").symlink_to(tmp_path / "ada")
    (tmp_path / "mal").mkdir()
    (tmp_path / "mal" / "20-small").symlink_to(tmp_path / "ben" / "20-small")
    (tmp_path / "nil").mkdir()
    (tmp_path / "oz").mkdir()
    (tmp_path / "oz" / "20-small").write_text("a file")
    found = dict(submissions(tmp_path, "20-small"))
    assert list(found) == ["<b>", "ada", "ben", "eve", "mal", "oz"]
    assert found["ada"] is None
    assert found["ben"] is None
    assert "link" in str(found["eve"])
    assert "link" in str(found["mal"])
    assert "characters" in str(found["<b>"])
    assert "a file" in str(found["oz"])
