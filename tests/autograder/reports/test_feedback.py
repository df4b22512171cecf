"""Feedback: nothing of a student's runs in the browser, and nothing honest is lost."""

from __future__ import annotations

import base64
import html.parser
import json
import re
from typing import Any

import pytest
from descent.judging import Verdict, report
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.nodes import to_bytes, to_node
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.reports import sanitize
from descent_autograder.reports.feedback import FeedbackMaker, write_feedback
from hypothesis import given
from hypothesis import strategies as st

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<form action=//evil.example><input name=q><button>x</button></form>",
    "<object data='x.svg'></object><embed src='x.svg'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "<base href=//evil.example/>",
    "<style>body{display:none}</style>",
    "<div style='position:fixed;top:0;left:0;width:100%;height:100%'>cover</div>",
    "<div style='background:url(//evil.example/x.png)'>x</div>",
    "<img src=//evil.example/track.png>",
    "<img src=../../logout>",
    "<math><mtext></mtext><mglyph><svg><mtext><textarea><a title='</textarea>"
    "<img src onerror=alert(1)>'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "[x](javascript:alert(1))",
    "![x](javascript:alert(1))",
    "<details ontoggle=alert(1) open>x</details>",
    "</div></div></body><script>alert(1)</script>",
    "<b id=score name=score>10 / 10</b>",
]
_NEVER = {
    *("script", "iframe", "object", "embed", "form", "input", "button", "base", "link", "meta"),
    *("style", "template", "svg", "math", "noscript", "textarea"),
}
_ADDRESSES = {"href", "src", "action", "data", "srcdoc", "formaction", "srcset", "xlink:href"}


class _Found(html.parser.HTMLParser):
    """What of a page could run, load from elsewhere or cover the page."""

    def __init__(self) -> None:
        super().__init__()
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _NEVER:
            self.bad.append(tag)
        for name, value in attrs:
            text = (value or "").strip().lower()
            if name.startswith("on") or name in ("id", "name", "srcdoc"):
                self.bad.append(f"{tag} {name}")
            if name in _ADDRESSES and not text.startswith(
                ("http://", "https://", "mailto:", "#", "data:image/")
            ):
                self.bad.append(f"{tag} {name}={text}")
            if name == "src" and "//" in text:
                self.bad.append(f"{tag} {name}={text}")
            if name == "style" and any(word in text for word in ("position", "url(", "height")):
                self.bad.append(f"{tag} {name}={text}")


def harmful(page: str) -> list[str]:
    """What of an HTML fragment could do harm."""
    found = _Found()
    found.feed(page)
    return found.bad


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives_in_html(attack: str) -> None:
    assert harmful(attack) or attack.startswith(("[", "!"))  # the test would notice
    assert harmful(sanitize.clean_html(attack)) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_attack_survives_in_markdown(attack: str) -> None:
    for text in (attack, f"# Title\n\n> {attack}\n\n- {attack}", f"| a |\n|---|\n| {attack} |"):
        assert harmful(sanitize.markdown2html({}, text)) == []


_PIECES = [
    *ATTACKS,
    *re.findall(r"<[^>]*>?|[^<]+", "".join(ATTACKS)),
    "</p>",
    "<table>",
    "<b>",
    "<!--",
]


@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), max_size=12).map("".join))
def test_no_mixture_of_attacks_survives_and_what_is_clean_stays(source: str) -> None:
    clean = sanitize.clean_html(source)
    assert harmful(clean) == []
    assert sanitize.clean_html(clean) == clean


def test_elements_nested_without_end_are_shown_as_text() -> None:
    assert sanitize.clean_html("<div>" * 150_000).startswith("<pre>&lt;div&gt;")
    assert sanitize.clean_html("<i>" * 2000 + "x" + "</i>" * 2000).count("<i>") == 2000


def test_honest_markdown_and_reports_stay() -> None:
    source = (
        "# A\n\n*b* **c** `d`\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n$a < b$ and [l](https://e.org)"
    )
    page = sanitize.markdown2html({}, source)
    for part in ("<h1>A</h1>", "<em>b</em>", "<code>d</code>", "<td>1</td>", "$a &lt; b$"):
        assert part in page
    assert 'href="https://e.org"' in page
    said = report.html(Verdict("adam", message="x < y"))
    assert sanitize.clean_html(said).count("<p") == said.count("<p")
    assert "border-left" in sanitize.clean_html(said)


def test_a_missing_attachment_or_endless_nesting_shows_the_text() -> None:
    assert "attachment:x" in sanitize.markdown2html({}, "![a](attachment:x)")
    assert "&gt;" in sanitize.markdown2html({}, ">" * 5000 + " deep")


def test_what_is_remembered_is_bounded() -> None:
    made: list[str] = []
    convert = sanitize.remembering(lambda source: made.append(source) or source)  # type: ignore[func-returns-value]
    common = ["short", "x" * 100_000]
    others = [f"{number}{'y' * 300_000}" for number in range(3)]
    for source in (*common, *others) * 2:
        assert convert(source) == source
    assert made == [*common, *others, *others]


def test_attachments_belong_to_their_cell() -> None:
    picture = {"a.png": {"image/png": PIXEL}}
    text = "![a](attachment:a.png)"
    assert PIXEL in sanitize.markdown2html({"cell": {"attachments": picture}}, text)
    assert PIXEL not in sanitize.markdown2html({}, text)


def _output(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "data": data, "metadata": {}, **more}


PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n not much of a picture").decode()


def _hostile_notebook(released: dict[str, Any], tools: Any) -> dict[str, Any]:
    """A graded notebook whose every field holds an attack."""
    notebook: dict[str, Any] = json.loads(json.dumps(released))
    script = "<script>alert(1)</script>"
    cell = tools.by_id(notebook, "double_answer")
    cell["outputs"] = [
        _output({"text/html": script, "text/plain": "x"}),
        _output({"application/javascript": "alert(1)", "text/plain": "x"}),
        _output({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"}),
        _output({"text/markdown": script}),
        _output({"text/latex": f"$x$ {script}"}),
        _output({"image/png": 'x" onerror="alert(1)'}),
        _output(
            {"image/png": PIXEL},
            metadata={"image/png": {"width": "1 onload=alert(1)", "alt": '"><script>'}},
        ),
        _output({"text/html": "x"}, metadata={"text/html": {"isolated": True}}),
        _output({"application/vnd.jupyter.widget-view+json": {"model_id": script}}),
        {"output_type": "stream", "name": "stdout", "text": script},
        {"output_type": "error", "ename": script, "evalue": script, "traceback": [script]},
        {
            "output_type": "execute_result",
            "data": {"text/plain": script},
            "metadata": {},
            "execution_count": script,
        },
    ]
    cell["execution_count"] = "<img src=x onerror=alert(1)>"
    cell["source"] = f"# {script}\nx = '</script><script>alert(1)</script>'"
    essay = tools.by_id(notebook, "essay")
    essay["source"] = "\n\n".join(ATTACKS)
    essay["attachments"] = {"a": {"text/html": script}}
    notebook["cells"].append(
        {
            "cell_type": "raw",
            "id": "raw",
            "metadata": {"raw_mimetype": "text/html"},
            "source": script,
        }
    )
    notebook["metadata"]["title"] = f"</title>{script}"
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"x": script}}
    notebook["metadata"]["language_info"] = {"name": script, "pygments_lexer": script}
    return notebook


@pytest.fixture
def graded(small: Any, tools: Any, small_release: Any) -> Any:
    """A course with one graded submission that holds attacks wherever it can."""
    gradebook = SharedGradebook(small.db_url, small.course_id)
    gradebook.add_student("mal")
    gradebook.add_submission(tools.SMALL, "mal")
    gradebook.close()
    folder = small.path("autograded", "mal", tools.SMALL)
    folder.mkdir(parents=True)
    notebook = to_node(_hostile_notebook(small_release, tools))
    (folder / "small.ipynb").write_bytes(to_bytes(notebook))
    (folder / "data.csv").write_text("1,2")
    return small


def test_nothing_runs_in_the_feedback(graded: Any, tools: Any) -> None:
    assert write_feedback(Assignment(graded, tools.SMALL)) == ["mal"]
    folder = graded.path("feedback", "mal", tools.SMALL)
    assert sorted(path.name for path in folder.iterdir()) == ["data.csv", "small.html"]
    page = (folder / "small.html").read_text()
    head, _, body = page.partition("</head>")
    assert "default-src 'none'" in head
    assert head.index("Content-Security-Policy") < head.index("<script")
    nonce = head.split("'nonce-")[1].split("'")[0]
    assert head.count("<script") == head.count(f'<script nonce="{nonce}"')
    assert "alert(1)" not in head
    assert nonce not in body
    found = [bad for bad in harmful(body) if not bad.startswith(("a name", "div id", "a href=#"))]
    assert found == []
    assert "&lt;script&gt;alert(1)" in body  # what was printed can still be read


def test_every_page_has_a_nonce_of_its_own(graded: Any, tools: Any) -> None:
    notebook = (graded.path("autograded", "mal", tools.SMALL) / "small.ipynb").read_bytes()
    with FeedbackMaker(graded) as maker:
        first, second = (maker.page(notebook, "small", tools.SMALL, "mal") for _ in range(2))
    assert first != second


def test_scores_and_comments_are_on_the_page(graded: Any, tools: Any) -> None:
    gradebook = SharedGradebook(graded.db_url, graded.course_id)
    gradebook.find_grade("double", "small", tools.SMALL, "mal").auto_score = 1.5
    comment = gradebook.find_comment("double_answer", "small", tools.SMALL, "mal")
    comment.manual_comment = "Look *here*."
    gradebook.db.commit()
    gradebook.close()
    write_feedback(Assignment(graded, tools.SMALL))
    page = (graded.path("feedback", "mal", tools.SMALL) / "small.html").read_text()
    assert "(Score: 1.5 / 10.0)" in page
    assert "Look <em>here</em>." in page
