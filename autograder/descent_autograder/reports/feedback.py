"""Feedback for students: nbgrader's own template and tree, made for a whole class at once.

``nbgrader generate_feedback`` starts its machinery for every student; here the template, the
style sheet and the gradebook are opened once. Each page forbids by its content security policy
whatever sanitising could have missed.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter
from nbconvert.filters import DataTypeFilter, Highlight2HTML
from nbgrader.converters import GenerateFeedback
from nbgrader.preprocessors import GetGrades

from descent_autograder import intake
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course
from descent_autograder.core.nodes import to_node
from descent_autograder.core.staging import Tree
from descent_autograder.core.text import remembering
from descent_autograder.gradebook.preprocessors import resources_for, shared_gradebook
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.reports import sanitize

_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; font-src data: {fonts}; "
    "script-src 'nonce-{nonce}' 'strict-dynamic'; base-uri 'none'; form-action 'none'; "
    "frame-src 'none'; object-src 'none'"
)
# The template's style sheet takes away the mark by which a fold is known.
_FOLDS = "<style>summary { display: list-item; cursor: pointer }</style>\n"
_UNUSED_SCRIPTS = re.compile(
    r'<script src="[^"]*(?:jquery|require)[^"]*"></script>|<script type="module">.*?</script>',
    re.DOTALL,
)


class _Page(HTMLExporter):  # type: ignore[misc]
    """nbconvert's exporter, without copying each notebook and parsing each finished page."""

    _shown = (
        *("include_code", "include_markdown", "include_raw", "include_unknown", "include_input"),
        *("include_output", "include_output_stdin", "include_input_prompt"),
        "include_output_prompt",
    )

    def render(self, nb: Any, resources: dict[str, Any]) -> str:
        """Fill the template with a notebook that nobody else needs any more."""
        resources = self._init_resources(resources)
        resources["raw_mimetypes"] = self.raw_mimetypes
        resources["output_mimetype"] = self.output_mimetype
        resources["global_content_filter"] = dict.fromkeys(self._shown, True) | {"no_prompt": False}
        return str(self.template.render(nb=nb, resources=resources)).lstrip("\r\n")


class FeedbackMaker:
    """Turns graded notebooks into pages, with one template and one gradebook for all."""

    def __init__(self, course: Course) -> None:
        """Open the gradebook and prepare the template as nbgrader would."""
        self._course = course
        self._converter = GenerateFeedback(coursedir=course.directory, config=course.config)
        self._exporter = _Page(parent=self._converter, config=self._converter.config)
        self._exporter.filters = {
            "markdown2html": sanitize.markdown2html,
            "highlight_code": _highlighter(),
            "filter_data_type": DataTypeFilter(parent=self._exporter),
        }
        steps = self._converter.preprocessors
        self._preprocessors = [_configured(step, self._exporter) for step in steps]
        self._exporter._preprocessors = []
        self._fonts = _origin(self._exporter.mathjax_url)
        self.gradebook = SharedGradebook(course.db_url, course.course_id)

    def __enter__(self) -> FeedbackMaker:
        return self

    def __exit__(self, *error: object) -> None:
        self.gradebook.close()

    def page(self, notebook: bytes, name: str, assignment: str, student: str) -> bytes:
        """One page of feedback.

        Args:
            notebook: the graded notebook.
            name: its name without ``.ipynb``.
            assignment: the folder of the unit.
            student: the student's id; the gradebook must know the submission.
        """
        resources = resources_for(assignment, name, student, self._course.db_url)
        resources["metadata"] = {"name": name, "path": ""}
        resources["config_dir"] = ""
        node = sanitize.sanitized(to_node(notebook))
        with shared_gradebook(self.gradebook):
            for step in self._preprocessors:
                node, resources = step(node, resources)
        return self._guarded(self._exporter.render(node, resources)).encode("utf-8")

    def _guarded(self, text: str) -> str:
        """Add the policy; only the scripts of the template's own head may run."""
        nonce = secrets.token_urlsafe(18)
        head, end, body = text.partition("</head>")
        head = _UNUSED_SCRIPTS.sub("", head).replace("<script", f'<script nonce="{nonce}"')
        policy = _POLICY.format(nonce=nonce, fonts=self._fonts)
        meta = (
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="referrer" content="no-referrer">'
        )
        return head.replace("<head>", f"<head>\n{meta}", 1) + _FOLDS + end + body


def _origin(address: str) -> str:
    """The scheme and host of an address, for the policy."""
    found = re.match(r"https?://[A-Za-z0-9.:-]+", address)
    return found[0] if found else ""


def _highlighter() -> Any:
    """nbconvert's highlighter, with a memory."""
    stock = Highlight2HTML(pygments_lexer="ipython3")

    @remembering
    def remembered(source: str) -> str:
        return str(stock(source, language="ipython3"))

    def highlight(source: str, language: str | None = None, metadata: Any = None) -> str:
        return remembered(source)

    return highlight


def _configured(step: Any, parent: Any) -> Any:
    from traitlets.utils.importstring import import_item

    cls = import_item(step) if isinstance(step, str) else step
    made = cls(parent=parent)
    if not isinstance(made, GetGrades):
        made.enabled = True
    return made


def write_feedback(
    assignment: Assignment, students: Collection[str] | None = None
) -> Sequence[str]:
    """Write the feedback tree of a graded assignment.

    Args:
        assignment: the unit.
        students: only these; everybody with a graded submission when None.

    Returns:
        The students for whom feedback was written.
    """
    written = []
    name = assignment.name
    tree = Tree(assignment.course.step("feedback"))
    with FeedbackMaker(assignment.course) as maker:
        for student in _graded(assignment, students):
            submission = maker.gradebook.find_submission(name, student)
            maker.gradebook.fetch(submission, name, student, with_points=True)
            files = _pages(maker, assignment.autograded(student), name, student)
            tree.place(tree.prepare(files, mode=0o644), assignment.feedback(student))
            maker.gradebook.forget()
            written.append(student)
        maker.gradebook.db.rollback()
    tree.close()
    return written


def _graded(assignment: Assignment, students: Collection[str] | None) -> Iterator[str]:
    top = assignment.course.step("autograded")
    for student, problem in intake.submissions(top, assignment.name):
        if problem is None and (students is None or student in students):
            yield student


def _pages(maker: FeedbackMaker, folder: Path, assignment: str, student: str) -> dict[str, bytes]:
    files = dict(intake.collect(folder, ()).files)
    for path in sorted(folder.glob("*.ipynb")):
        files[f"{path.stem}.html"] = maker.page(path.read_bytes(), path.stem, assignment, student)
    return files
