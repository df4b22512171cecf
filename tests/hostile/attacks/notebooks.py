"""Notebooks whose cells, marks and metadata were changed by hand."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from ..attack import Attack, Notebook, by_id, code, known, tests
from ..attacked_course import POINTS, RIGHT, WRONG

_FAMILY = "mangled notebooks"
Mangle = Callable[[Notebook], None]


def _attack(name: str, tries: str, mangle: Mangle, **more: Any) -> Attack:
    return Attack(name, _FAMILY, tries, mangle=mangle, **more)


def _raw(name: str, tries: str, change: Callable[[bytes], bytes], **more: Any) -> Attack:
    return Attack(name, _FAMILY, tries, raw=change, **more)


def _on_tests(change: Callable[[dict[str, Any]], object]) -> Mangle:
    def mangle(notebook: Notebook) -> None:
        for cell in tests(notebook):
            change(cell)

    return mangle


def _mark(**marks: Any) -> Mangle:
    return _on_tests(lambda cell: known(cell).update(marks))


def _tag(*tags: str) -> Mangle:
    def mangle(notebook: Notebook) -> None:
        for cell in notebook["cells"]:
            cell["metadata"]["tags"] = list(tags)

    return mangle


def _retype(kind: str) -> Mangle:
    def change(cell: dict[str, Any]) -> None:
        cell["cell_type"] = kind
        cell.pop("outputs", None)
        cell.pop("execution_count", None)

    return _on_tests(change)


def _delete(notebook: Notebook) -> None:
    gone = {id(cell) for cell in tests(notebook)}
    notebook["cells"] = [cell for cell in notebook["cells"] if id(cell) not in gone]


def _duplicate(notebook: Notebook) -> None:
    for cell in tests(notebook):
        twin = copy.deepcopy(cell)
        twin["source"] = "pass"
        twin["id"] = twin.get("id", "x")
        notebook["cells"].insert(notebook["cells"].index(cell), twin)
        notebook["cells"].append(copy.deepcopy(twin))


def _first(notebook: Notebook) -> None:
    moved = tests(notebook)
    others = [cell for cell in notebook["cells"] if cell not in moved]
    notebook["cells"] = [*moved, *others]


def _swap_ids(notebook: Notebook) -> None:
    right = by_id(notebook, "central_difference")
    for task in WRONG:
        cell = by_id(notebook, task)
        cell["source"] = right["source"]


def _rename(notebook: Notebook) -> None:
    for cell in tests(notebook):
        known(cell)["grade_id"] = "renamed-" + known(cell)["grade_id"]
        cell["id"] = "renamed-" + str(abs(hash(cell["id"])) % 10**6)


def _exchange_names(notebook: Notebook) -> None:
    one, other = by_id(notebook, "relative_error"), by_id(notebook, "softmax_loss")
    known(one)["grade_id"], known(other)["grade_id"] = "softmax_loss", "relative_error"


def _faked_outputs(cell: dict[str, Any]) -> None:
    cell["execution_count"] = 1
    cell["outputs"] = [
        {
            "output_type": "execute_result",
            "data": {"text/plain": "1000"},
            "metadata": {},
            "execution_count": 1,
        }
    ]


def _own_tests(notebook: Notebook) -> None:
    for number in range(3):
        cell = code("1000")
        cell["id"] = f"mine-{number}"
        cell["metadata"]["nbgrader"] = {
            "grade": True,
            "solution": False,
            "locked": True,
            "task": False,
            "schema_version": 3,
            "grade_id": f"mine-{number}",
            "points": 1000,
            "checksum": "0" * 32,
        }
        notebook["cells"].append(cell)


def _kernel(notebook: Notebook) -> None:
    notebook["metadata"]["kernelspec"] = {
        "name": "bash",
        "display_name": "../../evil",
        "language": "bash",
        "argv": ["sh", "-c", "touch @TOKEN@"],
    }
    notebook["metadata"]["language_info"] = {"name": "bash", "pygments_lexer": "bash"}


def _answers_are_tests(notebook: Notebook) -> None:
    for task in WRONG:
        known(by_id(notebook, f"{task}_answer")).update(
            grade=True, points=POINTS[task], solution=False, locked=True
        )


def _tests_redefine(notebook: Notebook) -> None:
    for cell in tests(notebook):
        cell["source"] = "def check(*a, **k):\n    return None\n" + "".join(cell["source"])


def _many_cells(notebook: Notebook) -> None:
    for number in range(1500):
        cell = code(f"x = {number}")
        cell["id"] = f"filler-{number}"
        notebook["cells"].append(cell)


def _deep_metadata(notebook: Notebook) -> None:
    deep: Any = 1
    for _ in range(400):
        deep = {"x": [deep]}
    notebook["metadata"]["deep"] = deep


def _odd_types(notebook: Notebook) -> None:
    cells = notebook["cells"]
    cells[0:0] = [None, 7, [], {"cell_type": "code"}, {"cell_type": 3, "metadata": 5}]
    cells.append({"cell_type": "code", "metadata": {"nbgrader": []}, "source": None})
    cells.append({"cell_type": "code", "metadata": {"nbgrader": {"grade": 1}}, "source": ["a", 1]})


def _same_ids(notebook: Notebook) -> None:
    for cell in notebook["cells"]:
        cell["id"] = "../../same id\n"


def _copied_answers(notebook: Notebook) -> None:
    """Every answer cell a second time under the id of a test, holding full marks."""
    for task in WRONG:
        cell = copy.deepcopy(by_id(notebook, f"{task}_answer"))
        known(cell)["grade_id"] = task
        cell["source"] = "100.0"
        notebook["cells"].insert(1, cell)


def _right_in_name_only(notebook: Notebook) -> None:
    for task in WRONG:
        by_id(notebook, f"{task}_answer")["source"] = RIGHT["central_difference"].replace(
            "def central_difference", f"def {task}"
        )


def _store(notebook: Notebook) -> None:
    verdict = {task: {"score": 1000, "passed": True, "status": "graded"} for task in POINTS}
    notebook["metadata"]["descent"] = {"verdicts": verdict, "refusal": None}
    notebook["metadata"]["nbgrader"] = {"score": 1000, "max_score": 1000}
    for cell in notebook["cells"]:
        cell["metadata"]["descent"] = {"trusted": True, "score": 1000}


def _doubled_keys(raw: bytes) -> bytes:
    return raw.replace(b'"points": 6.0', b'"points": 6.0, "points": 6000').replace(
        b'"grade": true', b'"grade": true, "grade": false'
    )


def _not_a_number(raw: bytes) -> bytes:
    return raw.replace(b'"nbformat": 4', b'"nbformat": 4, "odd": [NaN, Infinity, -1e999]')


def _utf16(raw: bytes) -> bytes:
    return raw.decode().encode("utf-16")


def _surrogates(raw: bytes) -> bytes:
    return raw.replace(b"won(what)", b"won(what, *, \\ud800 = 1)", 1)


ATTACKS = [
    _attack("tag-skip-execution", "tests are tagged to be skipped", _tag("skip-execution")),
    _attack(
        "tag-raises-exception", "cells are tagged as raising on purpose", _tag("raises-exception")
    ),
    _attack("tag-remove", "tests are tagged to be removed", _tag("remove_cell", "remove-cell")),
    _attack("retype-markdown", "tests become Markdown cells", _retype("markdown")),
    _attack("retype-raw", "tests become raw cells", _retype("raw")),
    _attack("retype-unknown", "tests become cells of no known type", _retype("heading")),
    _attack("delete-tests", "tests are deleted", _delete),
    _attack("duplicate-tests", "tests are doubled, the copies empty", _duplicate),
    _attack("reorder-tests", "tests stand before what they test", _first),
    _attack("rename-tests", "tests bear other ids", _rename),
    _attack("exchange-test-names", "a right test bears a wrong one's id", _exchange_names),
    _attack("copy-right-test", "every test's source is that of a right one", _swap_ids),
    _attack(
        "empty-tests",
        "the tests' sources are emptied",
        _on_tests(lambda cell: cell.update(source="")),
    ),
    _attack(
        "tests-give-points",
        "the tests' sources are a number",
        _on_tests(lambda cell: cell.update(source="1000.0")),
    ),
    _attack("tests-redefine-check", "the tests bring their own check", _tests_redefine),
    _attack("points-huge", "the tests are worth 1000 points each", _mark(points=1000)),
    _attack("points-endless", "the points have 400 digits", _mark(points=10**400)),
    _attack("points-negative", "the tests are worth less than nothing", _mark(points=-5)),
    _attack("points-nonsense", "the points are a string", _mark(points="1e3<script>")),
    _attack("points-nan", "the points are NaN", _mark(points=float("nan"))),
    _attack("marks-not-graded", "the tests are marked as not graded", _mark(grade=False)),
    _attack(
        "marks-unlocked",
        "the tests are marked as unlocked solutions",
        _mark(locked=False, solution=True),
    ),
    _attack("marks-task", "the tests are marked as tasks, graded by hand", _mark(task=True)),
    _attack("marks-schema", "the marks claim another schema", _mark(schema_version=9999)),
    _attack("marks-old-schema", "the marks claim schema 0", _mark(schema_version=0)),
    _attack(
        "marks-gone",
        "the tests' marks are taken away",
        _on_tests(lambda cell: cell["metadata"].pop("nbgrader")),
    ),
    _attack(
        "marks-nonsense",
        "the marks are a list",
        _on_tests(lambda cell: cell["metadata"].update(nbgrader=[1, 2])),
    ),
    _attack(
        "marks-checksum", "checksums are forged", _mark(checksum="d41d8cd98f00b204e9800998ecf8")
    ),
    _attack(
        "faked-outputs", "the tests come with results already there", _on_tests(_faked_outputs)
    ),
    _attack("own-tests", "tests of its own, worth 1000 points", _own_tests),
    _attack("answers-as-tests", "answer cells are marked as tests", _answers_are_tests),
    _attack(
        "answers-under-test-ids", "cells under the tests' ids give full marks", _copied_answers
    ),
    _attack(
        "right-answer-elsewhere", "a right answer stands for every other task", _right_in_name_only
    ),
    _attack(
        "other-kernel",
        "asks for a kernel with a command of its own",
        _kernel,
        not_stock="it asks for a kernel that isn't installed",
    ),
    _attack("verdicts-in-metadata", "metadata claim that all was graded already", _store),
    _attack("many-cells", "1500 more cells", _many_cells),
    _attack("deep-metadata", "metadata nested 400 deep", _deep_metadata),
    _attack("cells-of-odd-types", "cells that are none, and fields of other types", _odd_types),
    _attack("same-cell-ids", "all cells bear one impossible id", _same_ids),
    _raw("doubled-keys", "JSON keys stand twice, the second time with other points", _doubled_keys),
    _raw("not-a-number", "JSON holds NaN and Infinity", _not_a_number),
    _raw("utf-16", "the file is UTF-16", _utf16),
    _raw("lone-surrogates", "the file holds half characters", _surrogates),
    _raw(
        "format-99",
        "the file claims nbformat 99",
        lambda raw: raw.replace(b'"nbformat": 4', b'"nbformat": 99'),
    ),
    _raw(
        "cut-short", "the file ends in the middle", lambda raw: raw[: len(raw) // 2], refused=True
    ),
    _raw(
        "not-json",
        "the file is a pickle that runs a command when loaded",
        lambda raw: b"cposix\nsystem\n(S'touch /tmp/@TOKEN@'\ntR.",
        refused=True,
    ),
    _raw("empty-file", "the file is empty", lambda raw: b"", refused=True),
    _raw("nested-json", "the file is a million brackets", lambda raw: b"[" * 10**6, refused=True),
    _raw(
        "json-of-another-kind",
        "the file is a list of notebooks",
        lambda raw: json.dumps([json.loads(raw)] * 2).encode(),
        refused=True,
    ),
    _raw(
        "merge-conflict",
        "the file holds the marks of a merge",
        lambda raw: b"<<<<<<< HEAD\n" + raw,
        refused=True,
    ),
]
