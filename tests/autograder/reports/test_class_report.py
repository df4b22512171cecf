"""The class report: all that an instructor needs, and nothing that a browser or sheet obeys."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

import pytest
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.reports import class_report


@pytest.mark.sandbox
def test_the_report_says_all_that_an_instructor_needs(a_class: Course, tools: Any) -> None:
    summary = tools.grade(a_class, tools.SMALL)
    report = class_report.build(Assignment(a_class, tools.SMALL), summary.rejected)
    page, sheet = class_report.write(report, a_class.reports)
    text = page.read_text()
    for heading in (
        "Distribution",
        "Full marks, by task",
        "Most frequent mistakes",
        "Waiting for a person",
        "Refused",
        "Mended or remarked",
    ):
        assert heading in text
    assert "default-src 'none'" in text
    assert "<script" not in text
    assert report.passed("double") == 2
    assert sum(report.distribution()) == 6
    with open(sheet, encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["student"] for row in rows] == ["ada", "ben", "chi", "dan", "eve", "fay"]
    assert rows[0]["score"] == "5"
    assert rows[3]["refused"].endswith("the file ends too early")
    table = class_report.table(report)
    assert "5 / 10" in table
    assert "chi" in table


def test_a_cell_that_begins_with_equals_is_no_formula() -> None:
    assert class_report._not_a_formula("=1+1") == "'=1+1"
    assert class_report._not_a_formula("ada") == "ada"


def test_what_students_wrote_is_escaped_and_the_pages_own_html_is_not() -> None:
    nasty = "<b>x</b>\x1b[31m"
    row = class_report.Row(nasty, 1.0, {"t": 1.0}, remarks=[nasty, "two"], by_hand=["essay"])
    refused = class_report.Row("late", 0.0, refusal=nasty)
    report = class_report.ClassReport(
        *("unit", 2.0, {"t": 2.0}, ["t"], [row, refused], {"odd": nasty}),
        mistakes=Counter({("t", "m"): 1}),
        sayings={("t", "m"): nasty},
    )
    page = class_report.to_html(report)
    escaped = "&lt;b&gt;x&lt;/b&gt;·[31m"
    assert "<b>" not in page
    assert "\x1b" not in page
    for cells in (
        f"<td>{escaped}</td><td>essay</td>",
        f"<td>{escaped}<br>two</td>",
        f"<td>late</td><td>{escaped}</td>",
        f"<td>odd</td><td>{escaped}</td>",
        f"<td>t</td><td>{escaped}</td>",
    ):
        assert cells in page.replace("</td>\n<td>", "</td><td>")
    assert page.count("<table>") == page.count("</table>") == 7
