"""An invented class for ``descent demo``: what students really hand in, honest and otherwise.

The answers stand as ordinary Python in ``answers``, one file a student, and are never imported:
their source is put into the released notebook. What a file doesn't answer is answered right,
or left blank.
"""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from descent_autograder.sampleclass import hostile

Notebook = dict[str, Any]

_ESSAY = (
    "Float64 and centred differences first, because without them no number can be trusted. Then "
    "a fixed seed for the dropout, `reg = 0`, and a few coordinates of every tensor."
)


@dataclass(frozen=True)
class Student:
    """One member of the class.

    Attributes:
        name: the id.
        about: what is handed in, in a few words.
        hand_in: makes the file from the released and the solved notebook.
    """

    name: str
    about: str
    hand_in: Callable[[Notebook, Notebook], bytes]


def students() -> Sequence[Student]:
    """The class, in the order of the names."""
    return (
        Student("ada", "everything right, vectorised", _solved()),
        Student("ben", "everything right, in plain loops", _solved("loops")),
        Student("chika", "everything right, working in place", _solved("in_place")),
        Student("dmitri", "everything right, with float32 constants", _solved("float32")),
        Student("elif", "everything right, with a RuntimeWarning", _solved("warning")),
        Student("farid", "everything right, and prints a lot", _solved("printing")),
        Student("gaia", "slips in the first tasks", _solved("slips")),
        Student("hana", "arrays and masks go wrong", _solved("masks")),
        Student("ivan", "sums, means and halves go wrong", _solved("halves")),
        Student("jun", "the checks check something else", _solved("detours")),
        Student("kofi", "the hunt goes wrong", _solved("hunt")),
        Student("lena", "blank", _blank),
        Student("mateo", "half finished", _half_finished),
        Student("nora", "raises", _solved("raising", also=_broken_cell)),
        Student("omar", "loops for ever in one task", _solved("endless")),
        Student("priya", "one test cell deleted", _solved(also=_delete_test)),
        Student("quinn", "one test cell duplicated", _solved(also=_duplicate_test)),
        Student("rosa", "broken JSON", _broken_json),
        Student("sven", "hostile: patches numpy.testing", _hostile(hostile.PATCHED_TESTING)),
        Student("tariq", "hostile: fakes the result", _hostile(hostile.FAKED_RESULT)),
        Student("uma", "hostile: tags the tests skip-execution", _skipping_tests),
        Student("viktor", "hostile: reads the gradebook", _hostile(hostile.GRADEBOOK)),
        Student("wanda", "hostile: os._exit", _hostile(hostile.EXIT)),
        Student("yuki", "hostile: answers equal to everything", _equal_to_everything),
    )


def answers(name: str) -> Mapping[str, str]:
    """The source of every function in ``answers/<name>.py``, by the function's name."""
    text = resources.files(__package__).joinpath("answers", f"{name}.py").read_text("utf-8")
    functions = [n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    return {node.name: ast.get_source_segment(text, node) or "" for node in functions}


def _cells(notebook: Notebook) -> dict[str, dict[str, Any]]:
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: cell
        for cell in notebook["cells"]
        if "nbgrader" in cell["metadata"]
    }


def _text(cell: Mapping[str, Any]) -> str:
    return "".join(cell["source"])


def _bytes(notebook: Notebook) -> bytes:
    return (json.dumps(notebook, indent=1, ensure_ascii=False) + "\n").encode("utf-8")


def _without_marks(source: str) -> str:
    lines = source.splitlines()
    return "\n".join(line for line in lines if "### BEGIN" not in line and "### END" not in line)


def _answered(
    released: Notebook, solved: Notebook, own: Mapping[str, str], tasks: int | None = None
) -> Notebook:
    """The release with `own` answers, right ones elsewhere; only the first `tasks` of them."""
    notebook = copy.deepcopy(released)
    right = _cells(solved)
    done = 0
    for grade_id, cell in _cells(notebook).items():
        if not cell["metadata"]["nbgrader"]["solution"]:
            continue
        if tasks is not None and done >= tasks:
            break
        done += 1
        function = grade_id.removesuffix("_answer")
        if cell["cell_type"] == "code":
            cell["source"] = own.get(function) or _without_marks(_text(right[grade_id]))
        else:
            cell["source"] = _ESSAY
    return notebook


def _solved(
    file: str | None = None, also: Callable[[Notebook], None] | None = None
) -> Callable[[Notebook, Notebook], bytes]:
    def hand_in(released: Notebook, solved: Notebook) -> bytes:
        notebook = _answered(released, solved, answers(file) if file else {})
        if also is not None:
            also(notebook)
        return _bytes(notebook)

    return hand_in


def _blank(released: Notebook, solved: Notebook) -> bytes:
    return _bytes(released)


def _half_finished(released: Notebook, solved: Notebook) -> bytes:
    return _bytes(_answered(released, solved, {}, tasks=9))


def _broken_json(released: Notebook, solved: Notebook) -> bytes:
    whole = _bytes(_answered(released, solved, {}))
    return whole[: len(whole) * 2 // 3]


def _first_test(notebook: Notebook) -> int:
    return next(
        index
        for index, cell in enumerate(notebook["cells"])
        if cell["metadata"].get("nbgrader", {}).get("grade")
    )


def _delete_test(notebook: Notebook) -> None:
    del notebook["cells"][_first_test(notebook)]


def _duplicate_test(notebook: Notebook) -> None:
    index = _first_test(notebook)
    notebook["cells"].insert(index + 1, copy.deepcopy(notebook["cells"][index]))


def _code(source: str, cell_id: str) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": cell_id,
        "metadata": {},
        "outputs": [],
        "source": source,
    }


def _broken_cell(notebook: Notebook) -> None:
    notebook["cells"].insert(2, _code("totals = [1, 2, 3]\ntotals[3]", "scratch"))


def _hostile(source: str) -> Callable[[Notebook, Notebook], bytes]:
    """A blank assignment with an attack in front."""

    def hand_in(released: Notebook, solved: Notebook) -> bytes:
        notebook = copy.deepcopy(released)
        notebook["cells"].insert(2, _code(source, "attack"))
        return _bytes(notebook)

    return hand_in


def _equal_to_everything(released: Notebook, solved: Notebook) -> bytes:
    notebook = copy.deepcopy(released)
    for grade_id, cell in _cells(notebook).items():
        if cell["cell_type"] == "code" and cell["metadata"]["nbgrader"]["solution"]:
            function = grade_id.removesuffix("_answer")
            cell["source"] = hostile.EQUAL_TO_ALL.format(function=function)
    return _bytes(notebook)


def _skipping_tests(released: Notebook, solved: Notebook) -> bytes:
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["metadata"]["tags"] = ["skip-execution"]
    return _bytes(notebook)
