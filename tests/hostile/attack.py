"""What an attack is: something that a student might hand in, and what it tries."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]
Cell = dict[str, Any]


@dataclass(frozen=True)
class Attack:
    """One attack, handed in by a student of its name.

    The notebook that carries it answers some tasks right and the others wrong (see
    ``attacked_course``); whatever the wrong ones gain is stolen. In texts, ``@COURSE@`` and the
    like stand for what an attacker might know or guess (see ``AttackedCourse.known``).
    ``won("…")`` in a cell reports a success.

    Attributes:
        name: the student's id.
        family: what it is grouped under.
        tries: what it tries, in one line.
        cell: a code cell put before all answers.
        answers: other answers, by task, instead of the notebook's own.
        mangle: changes the notebook itself.
        raw: changes the file's bytes.
        tree: changes the folder that is handed in.
        costs: why the attack may cost its own student honest points; empty when it may not.
        refused: the whole notebook can't be read, and says so.
        not_stock: why the row isn't run with stock nbgrader; empty when it is.
    """

    name: str
    family: str
    tries: str
    cell: str = ""
    answers: Mapping[str, str] = field(default_factory=dict)
    mangle: Callable[[Notebook], None] | None = None
    raw: Callable[[bytes], bytes] | None = None
    tree: Callable[[Path, Mapping[str, str]], None] | None = None
    costs: str = ""
    refused: bool = False
    not_stock: str = ""


def everywhere(body: str) -> dict[str, str]:
    """The same body for every task that the notebook answers wrong."""
    from .attacked_course import WRONG

    return {task: f"def {task}{signature}:\n{_indented(body)}" for task, signature in WRONG.items()}


def _indented(body: str) -> str:
    return "\n".join("    " + line if line else "" for line in body.strip("\n").splitlines())


def by_id(notebook: Notebook, grade_id: str) -> Cell:
    """The cell of that nbgrader id."""
    return next(c for c in notebook["cells"] if known(c).get("grade_id") == grade_id)


def known(cell: Cell) -> dict[str, Any]:
    """What nbgrader knows of a cell."""
    found: dict[str, Any] = cell["metadata"].get("nbgrader", {})
    return found


def tests(notebook: Notebook) -> list[Cell]:
    """The grade cells."""
    return [cell for cell in notebook["cells"] if known(cell).get("grade")]


def code(source: str, **metadata: Any) -> Cell:
    """A code cell of a student's own."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"own-{abs(hash(source)) % 10**12}",
        "metadata": metadata,
        "outputs": [],
        "source": source,
    }


def markdown(source: str, **more: Any) -> Cell:
    """A Markdown cell of a student's own."""
    cell_id = f"own-{abs(hash(source)) % 10**12}"
    return {"cell_type": "markdown", "id": cell_id, "metadata": {}, "source": source, **more}


def snapshot(folder: Path) -> dict[str, str]:
    """All that lies below a folder: kind, mode and content or target, by relative path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        what = f"{stat.filemode(status.st_mode)} {status.st_nlink}"
        if stat.S_ISREG(status.st_mode):
            # A second name of a file that a run may write, such as the gradebook, may change.
            is_own = status.st_nlink == 1 and status.st_size < 2**24
            content = path.read_bytes() if is_own else b""
            what += f" {hash(content)}"
        elif stat.S_ISLNK(status.st_mode):
            what += f" {path.readlink()}"
        found[str(path.relative_to(folder))] = what
    return found
