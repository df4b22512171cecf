"""Assignments: every question has its task, points agree, blank ends politely, solved earns all."""

from __future__ import annotations

import ast
import doctest
import re
from pathlib import Path
from typing import Any

import pytest
from descent.questions import all_questions
from nbgrader.preprocessors import ClearSolutions

from .reading import (
    ASSIGNMENTS,
    code_cells,
    descriptions,
    headings,
    paragraphs,
    read,
    run,
    texts,
    troubles,
)

every_assignment = pytest.mark.parametrize("path", ASSIGNMENTS, ids=lambda path: path.stem)


def nbgrader(cell: Any) -> dict[str, Any]:
    known: dict[str, Any] = cell.metadata.get("nbgrader", {})
    return known


def is_check(cell: Any) -> bool:
    return cell.cell_type == "code" and bool(nbgrader(cell).get("grade"))


def is_answer(cell: Any) -> bool:
    return cell.cell_type == "code" and bool(nbgrader(cell).get("solution"))


def asked(cell: Any) -> tuple[str, list[str], float]:
    """Question, functions and points that a check cell names."""
    (statement,) = ast.parse(cell.source).body
    assert isinstance(statement, ast.Expr)
    call = statement.value
    assert isinstance(call, ast.Call)
    assert ast.unparse(call.func) == "check"
    (points,) = [ast.literal_eval(k.value) for k in call.keywords if k.arg == "points"]
    question, *functions = call.args
    return ast.literal_eval(question), [ast.unparse(one) for one in functions], points


def by_hand(notebook: Any) -> list[Any]:
    return [c for c in notebook.cells if c.cell_type == "markdown" and nbgrader(c).get("grade")]


def released(path: Path) -> Any:
    """The notebook as a student gets it: solutions taken out."""
    notebook, _ = ClearSolutions().preprocess(read(path), {})
    return notebook


def reports(notebook: Any) -> dict[str, str]:
    """The first output of each check cell, as text, by question."""
    return {
        asked(cell)[0]: str(cell.outputs[0].data["text/plain"])
        for cell in notebook.cells
        if is_check(cell)
    }


def test_there_are_assignments() -> None:
    assert ASSIGNMENTS


@every_assignment
def test_every_question_of_the_unit_has_its_task(path: Path) -> None:
    unit = path.stem.replace("-", "_")
    of_unit = {q.id for q in all_questions().values() if q.unit == unit}
    checks = [asked(cell)[0] for cell in read(path).cells if is_check(cell)]
    assert len(checks) == len(set(checks)) >= (12 if unit == "gradient_checks" else 5)
    assert set(checks) == of_unit


@every_assignment
def test_checks_name_the_functions_and_points_of_their_question(path: Path) -> None:
    for cell in filter(is_check, read(path).cells):
        question, functions, points = asked(cell)
        assert tuple(functions) == all_questions()[question].functions
        assert points == nbgrader(cell)["points"]


@every_assignment
def test_cells_are_marked_as_nbgrader_wants_them(path: Path) -> None:
    names = []
    for cell in read(path).cells:
        known = nbgrader(cell)
        if not known:
            continue
        names.append(known["grade_id"])
        assert known["schema_version"] == 3
        assert known["task"] is False
        # What students may not change is locked, and nothing else is.
        assert known["locked"] is is_check(cell)
        assert ("points" in known) is known["grade"]
        assert known["grade"] or known["solution"]
    assert len(names) == len(set(names))


@every_assignment
def test_every_task_has_all_its_parts(path: Path) -> None:
    cells = read(path).cells
    for place, check_cell in enumerate(cells):
        if not is_check(check_cell):
            continue
        question, functions, points = asked(check_cell)
        answers = [cell for cell in cells[:place] if is_answer(cell)][-len(functions) :]
        task = cells[cells.index(answers[0]) - 1]
        title = task.source.splitlines()[0]
        worth = "no points" if not points else f"({points:g} point{'s' if points != 1 else ''})"
        assert title.startswith("### Task "), title
        assert worth in title, title
        assert ">>> " in task.source, question
        assert "<summary>Hint</summary>" in task.source, question
        written = [node for cell in answers for node in ast.parse(cell.source).body]
        named = {node.name: node for node in written if isinstance(node, ast.FunctionDef)}
        named |= {node.name: node for node in written if isinstance(node, ast.ClassDef)}
        for name in functions:
            assert ast.get_docstring(named[name]), name
        assert cells[place + 1].source.startswith("<details>\n<summary>After it passes"), question


@every_assignment
def test_tasks_are_numbered_in_order(path: Path) -> None:
    titles = [title for level, title in headings(read(path)) if level == 3]
    numbers = [int(re.match(r"(?:Task|Question) (\d+) ", title)[1]) for title in titles]  # type: ignore[index]
    assert numbers == list(range(1, len(titles) + 1))


@every_assignment
def test_heading_tells_points_and_time(path: Path) -> None:
    notebook = read(path)
    total = sum(nbgrader(cell).get("points", 0) for cell in notebook.cells)
    first = texts(notebook)[0]
    assert f"**{total:g} points" in first
    assert re.search(r"\bhours?\b", first)
    assert headings(notebook)[0][0] == 1


@every_assignment
def test_one_question_is_graded_by_hand_with_a_rubric(path: Path) -> None:
    notebook = read(path)
    (essay,) = by_hand(notebook)
    question = notebook.cells[notebook.cells.index(essay) - 1].source
    points = nbgrader(essay)["points"]
    assert f"({points} points, graded by hand)" in question
    rubric = question.split("| Rubric | points |")[1]
    assert sum(int(n) for n in re.findall(r"\| (\d+) \|$", rubric, flags=re.M)) == points


@every_assignment
def test_text_is_short_and_folds_are_closed(path: Path) -> None:
    notebook = released(path)
    for paragraph in paragraphs(notebook):
        assert len(paragraph.splitlines()) <= 8, paragraph
    for text in texts(notebook):
        assert text.count("<details>") == text.count("</details>"), text


@every_assignment
def test_what_students_read_fits_the_page(path: Path) -> None:
    notebook = released(path)
    for cell in code_cells(notebook):
        assert max(map(len, cell.source.splitlines())) <= 88, cell.source
    for text in texts(notebook):
        for block in re.findall(r"```python\n(.*?)```", text, re.S):
            assert max(map(len, block.splitlines())) <= 78, block


@every_assignment
def test_first_cell_imports_and_last_cell_sums_up(path: Path) -> None:
    first, *_, last = code_cells(read(path))
    assert "from descent import check" in first.source
    assert last.source == "check()"


@every_assignment
def test_examples_in_the_tasks_are_true(path: Path) -> None:
    names: dict[str, Any] = {}
    notebook = read(path)
    for cell in code_cells(notebook):
        if is_answer(cell) or cell is code_cells(notebook)[0]:
            exec(compile(cell.source, cell.id, "exec"), names)
    examples = 0
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        for number, block in enumerate(re.findall(r"```python\n(>>> .*?)```", cell.source, re.S)):
            test = doctest.DocTestParser().get_doctest(block, dict(names), cell.id, None, number)
            complaints: list[str] = []
            result = doctest.DocTestRunner(verbose=False).run(test, out=complaints.append)
            assert result.failed == 0, "".join(complaints)
            examples += result.attempted
    assert examples >= len([cell for cell in notebook.cells if is_check(cell)])


@pytest.mark.jupyter
@every_assignment
def test_blank_release_runs_politely(path: Path, tmp_path: Path) -> None:
    notebook = run(released(path), tmp_path)
    assert troubles(notebook) == []
    said = reports(notebook)
    assert {question for question, text in said.items() if "not yet" not in text} == set()
    assert "" not in descriptions(notebook)
    assert re.search(r"\b0 of \d+ points", code_cells(notebook)[-1].outputs[0].data["text/plain"])


@pytest.mark.jupyter
@every_assignment
def test_solved_assignment_earns_full_marks(path: Path, tmp_path: Path) -> None:
    notebook = run(read(path), tmp_path)
    assert troubles(notebook) == []
    said = reports(notebook)
    assert {question: text for question, text in said.items() if ": right." not in text} == {}
    total = sum(asked(cell)[2] for cell in notebook.cells if is_check(cell))
    summary = code_cells(notebook)[-1].outputs[0].data["text/plain"]
    assert f"{total:g} of {total:g} points" in summary
