"""Files that are written whole or not at all, whenever the power goes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

_LONGEST_NAME = 60


def write_whole(
    path: Path, write: Callable[[IO[bytes]], Any], *, mode: int = 0o666, replace: bool = True
) -> None:
    """Write a file so that no reader ever sees half of it.

    It is written under another name in the same folder, forced to disk and renamed. When that
    fails, an earlier file of the name is still there, whole.

    Args:
        path: where it is to stand.
        write: writes the content to an open file.
        mode: who may read and write it, less what the process's umask takes away.
        replace: False leaves a file alone that stands there already, or comes there meanwhile.
    """
    draft = path.with_name(f".{path.name[:_LONGEST_NAME]}.{secrets.token_hex(8)}.tmp")
    try:
        with open(draft, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(draft, path)
        else:
            _keep_first(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _keep_first(draft: Path, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
