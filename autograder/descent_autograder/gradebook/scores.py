"""What the gradebook holds of an assignment: everybody's scores, and how many points there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nbgrader.api import BaseCell
from sqlalchemy import select

from descent_autograder.core.assignment import ReleasedNotebook


def scores(gradebook: Any, assignment: str) -> dict[str, dict[str, Any]]:
    """All scores of an assignment by student, manual ones included.

    Returns:
        By student: ``score``, ``max_score``, ``needs_manual_grade`` and, under ``cells``, the
        score of every cell by its id.
    """
    entry = gradebook.find_assignment(assignment)
    rows = gradebook.db.execute(select(BaseCell.id, BaseCell.name))
    names = {row[0]: row[1] for row in rows}
    table: dict[str, dict[str, Any]] = {}
    for submission in entry.submissions:
        row: dict[str, Any] = {
            "score": 0.0,
            "max_score": float(entry.max_score),
            "needs_manual_grade": False,
            "by_hand": [],
            "cells": {},
        }
        for notebook in submission.notebooks:
            penalty = float(notebook.late_submission_penalty or 0.0)
            row["score"] -= penalty
            for grade in notebook.grades:
                name = names[grade.cell_id]
                row["cells"][name] = float(grade.score)
                row["score"] += float(grade.score)
                if grade.needs_manual_grade:
                    row["needs_manual_grade"] = True
                    row["by_hand"].append(name)
        table[submission.student_id] = row
    return table


def max_scores(released: Mapping[str, ReleasedNotebook]) -> dict[str, float]:
    """The points of every graded cell by its id."""
    return {
        cell.grade_id: cell.points
        for notebook in released.values()
        for cell in notebook.cells
        if cell.grade or cell.task
    }
