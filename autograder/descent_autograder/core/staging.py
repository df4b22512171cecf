"""Files and folders that are put into place at once: a kill leaves the old ones or the new ones."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path


def write_atomically(
    path: Path, content: bytes, *, mode: int = 0o666, replace: bool = True
) -> None:
    """Write a file so that, whenever the power goes, it is the old one or the new one.

    Args:
        path: where; its folder is made when it is missing.
        content: what is to stand in it.
        mode: who may read and write it, less what the process's umask takes away.
        replace: False leaves alone what stands there already.
    """
    from descent.atomic import write_whole  # only now: it brings numpy

    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda file: file.write(content), mode=mode, replace=replace)


class Tree:
    """Puts whole folders into place at once: prepared aside, then renamed."""

    def __init__(self, top: Path) -> None:
        """Work below `top`, the folder of one nbgrader step; leftovers of a killed run go."""
        self._drafts = top / ".descent-drafts"
        shutil.rmtree(self._drafts, ignore_errors=True)

    def prepare(self, files: Mapping[str, bytes], mode: int = 0o444) -> Path:
        """Write `files` into a new folder aside; the caller puts it into place."""
        draft = self._drafts / secrets.token_hex(8) / "new"
        try:
            draft.mkdir(parents=True)
            for name, content in files.items():
                path = draft / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                path.chmod(mode)
        except BaseException:
            # On a full disk, the others need the room that half a folder takes.
            shutil.rmtree(draft.parent, ignore_errors=True)
            raise
        return draft

    def place(self, draft: Path, destination: Path) -> None:
        """Put a prepared folder where it belongs, replacing what stands there."""
        old = draft.with_name("old")
        try:
            destination.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(destination):
                os.rename(destination, old)
            try:
                os.rename(draft, destination)
            except OSError:
                if os.path.lexists(old):
                    os.rename(old, destination)
                raise
        finally:
            shutil.rmtree(draft.parent, ignore_errors=True)

    def close(self) -> None:
        """Remove what was left aside."""
        shutil.rmtree(self._drafts, ignore_errors=True)
