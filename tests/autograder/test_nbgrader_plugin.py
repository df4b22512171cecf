"""What nbgrader_config.py loads, today's and that of courses which were set up earlier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from descent_autograder import nbgrader_plugin
from descent_autograder.core.course import Course
from descent_autograder.gradebook.preprocessors import Preprocessors, SaveAutoGrades
from descent_autograder.reports import sanitize
from nbgrader.converters import Autograde
from nbgrader.validator import Validator
from traitlets.utils.importstring import import_item

EARLIER = """
from descent_autograder import passes

c = get_config()
c.CourseDirectory.course_id = "descent"
c.Autograde.exporter_class = passes.IntakeExporter
c.Autograde.autograde_preprocessors = [
    passes.Execute,
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    passes.SaveAutoGrades,
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]
passes.use_wall_in_validate()
c.HTMLExporter.preprocessors = ["descent_autograder.sanitize.Sanitize"]
c.HTMLExporter.filters = {"markdown2html": "descent_autograder.sanitize.markdown2html"}
"""


@pytest.fixture(params=["today's", "an earlier"])
def config(request: pytest.FixtureRequest, tmp_path: Path, tools: Any) -> Any:
    """The configuration of a course that has one of the two files."""
    today = tools.REPOSITORY / "assignments" / "nbgrader_config.py"
    text = today.read_text() if request.param == "today's" else EARLIER
    (tmp_path / "nbgrader_config.py").write_text(text)
    return Course(tmp_path).config


def test_plain_nbgrader_gets_our_intake_wall_and_grades(config: Any) -> None:
    converter = Autograde(config=config)
    assert converter.exporter_class is nbgrader_plugin.IntakeExporter
    assert nbgrader_plugin.Execute in converter.autograde_preprocessors
    assert SaveAutoGrades in converter.autograde_preprocessors
    assert nbgrader_plugin.Execute in Validator().preprocessors


def test_descent_runs_what_the_course_names(config: Any) -> None:
    steps = Preprocessors(config)
    assert [type(step).__name__ for step in steps.executed] == [
        "IgnorePattern",
        "ClearMetadataPreprocessor",
        "LimitOutput",
    ]
    assert type(steps.saving[0]) is SaveAutoGrades


def test_what_students_wrote_is_made_harmless(config: Any) -> None:
    (preprocessor,) = config.HTMLExporter.preprocessors
    assert import_item(preprocessor) is sanitize.Sanitize
    assert import_item(config.HTMLExporter.filters["markdown2html"]) is sanitize.markdown2html
