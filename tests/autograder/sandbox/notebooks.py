"""Small notebooks for the sandbox's tests, and what came of them."""

import json
from dataclasses import dataclass
from typing import Any

import nbformat
from descent_autograder.sandbox import Outcome, Sandbox

SECRET = b"a secret of the tests' own, 32 B"


@dataclass(frozen=True)
class Graded:
    """A grade cell: its source, its points, its name."""

    source: str
    points: float = 1.0
    name: str = ""


def notebook(*cells: str | Graded) -> bytes:
    """Return a notebook of student cells (strings) and grade cells."""
    node = nbformat.v4.new_notebook()
    for number, cell in enumerate(cells):
        if isinstance(cell, str):
            node.cells.append(nbformat.v4.new_code_cell(cell))
            continue
        about = {
            "grade": True,
            "solution": False,
            "locked": True,
            "task": False,
            "points": cell.points,
            "grade_id": cell.name or f"test-{number}",
            "schema_version": 3,
        }
        node.cells.append(nbformat.v4.new_code_cell(cell.source, metadata={"nbgrader": about}))
    return nbformat.writes(node).encode()


class Ran:
    """An executed notebook, its outputs at hand."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.node = nbformat.reads(outcome.notebook.decode(), as_version=4)
        nbformat.validate(self.node)
        self.cells = [cell for cell in self.node.cells if cell.cell_type == "code"]

    def outputs(self, index: int) -> list[Any]:
        """Return the outputs of a cell."""
        return list(self.cells[index].outputs)

    def text(self, index: int) -> str:
        """Return what a cell wrote to stdout."""
        return "".join(
            output.text
            for output in self.outputs(index)
            if output.output_type == "stream" and output.name == "stdout"
        )

    def facts(self, index: int) -> Any:
        """Return the JSON that a cell printed last."""
        lines = self.text(index).strip().splitlines()
        assert lines, f"the cell printed nothing: {self.outputs(index)}"
        return json.loads(lines[-1])

    def error(self, index: int) -> tuple[str, str] | None:
        """Return name and value of the error a cell ended with, None if it didn't."""
        for output in self.outputs(index):
            if output.output_type == "error":
                return output.ename, output.evalue
        return None

    def score(self, index: int) -> float:
        """Return the score that nbgrader itself reads off a grade cell."""
        from nbgrader.utils import determine_grade

        score, _ = determine_grade(self.cells[index])
        assert score is not None
        return float(score)


def execute(worker: Sandbox, *cells: str | Graded, **options: Any) -> Ran:
    """Run cells as a notebook."""
    given = {"assignment": "tests", "student": "somebody", "secret": SECRET, **options}
    return Ran(worker.execute(notebook(*cells), **given))
