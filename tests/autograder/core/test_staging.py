"""Putting files and folders into place: whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from descent_autograder.core.staging import Tree, write_atomically


def test_a_folder_that_cant_be_written_leaves_no_half_behind(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    with pytest.raises(OSError, match="too long"):
        tree.prepare({"a": b"1", "b" * 300: b"2"})
    assert [path for path in tmp_path.rglob("*") if path.name != ".descent-drafts"] == []
    tree.place(tree.prepare({"a": b"old"}), tmp_path / "here")
    with pytest.raises(FileNotFoundError):
        tree.place(tmp_path / ".descent-drafts" / "none" / "new", tmp_path / "here")
    (tmp_path / ".descent-drafts" / "other").mkdir(parents=True)
    with pytest.raises(FileNotFoundError):
        tree.place(tmp_path / ".descent-drafts" / "other" / "new", tmp_path / "here")
    assert (tmp_path / "here" / "a").read_bytes() == b"old"


def test_a_file_is_replaced_or_kept_as_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "below" / "file"
    write_atomically(path, b"first", mode=0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    write_atomically(path, b"second", replace=False)
    assert path.read_bytes() == b"first"
    write_atomically(path, b"third")
    assert path.read_bytes() == b"third"
    assert [one.name for one in path.parent.iterdir()] == ["file"]


def test_a_file_that_cant_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
