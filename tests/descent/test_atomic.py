"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import IO

import pytest
from descent.atomic import write_whole


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_a_file_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 200)
    for content in (b"first", b"second, and longer"):
        write_whole(path, lambda file, content=content: file.write(content))
        assert path.read_bytes() == content
    assert names(tmp_path) == [path.name]


def test_what_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(file: IO[bytes]) -> None:
        file.write(b"half")
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(path, fail)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_the_first_one_stays_where_that_is_asked(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, lambda file: file.write(b"first"), replace=False)
    write_whole(path, lambda file: file.write(b"second"), replace=False)
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == ["file"]
