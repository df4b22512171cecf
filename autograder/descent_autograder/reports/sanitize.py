"""Makes what students wrote harmless where it is shown: in feedback and in the formgrader.

nbconvert's ``sanitize_html`` leaves scripts in Markdown live under nbgrader's templates, and those
templates print several fields without escaping them. Here every notebook is rebuilt field by
field from what is known to be harmless, and Markdown and HTML pass an allow-list of elements,
attributes, styles and addresses. Nothing that runs, loads from elsewhere or covers the page is
left.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Mapping
from typing import Any

import nbformat
import nh3
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor

from descent_autograder.core.text import remembering


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TAGS = _words(
    "a abbr b blockquote br caption code col colgroup dd del details div dl dt em figcaption "
    "figure h1 h2 h3 h4 h5 h6 hr i img kbd li mark ol p pre q s samp small span strong sub "
    "summary sup table tbody td tfoot th thead tr u ul var"
)
_STYLES = _words(
    "background-color border border-collapse border-left border-right border-top border-bottom "
    "color font-family font-style font-weight line-height list-style margin margin-left "
    "margin-top padding padding-left text-align text-decoration vertical-align white-space "
    "width"
)
_PLAIN_ATTRIBUTES = _words(
    "align alt aria-hidden aria-label colspan role rowspan scope start title"
)
_CLASS = re.compile(r"highlight|hl-[a-z0-9]+|[a-z]{1,2}\d?|dataframe|anchor-link|mermaid")
_LINK = re.compile(r"(https?://|mailto:|#)", re.IGNORECASE)
_INLINE_IMAGE = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
_LOCAL_IMAGE = re.compile(r"(?!.*\.\.)[\w][\w ./-]*\.(png|jpe?g|gif|svg|webp)", re.IGNORECASE)
_SAFE_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_SIZES = re.compile(r"\d{1,4}(px|%|em)?")
_OPENS = re.compile(r"<[a-z]", re.IGNORECASE)
_LOADS = re.compile(r"url|image|src|attr|@|\\", re.IGNORECASE)
"""What a style would need to load something; an escape could hide any of them."""

_LONGEST_MARKDOWN = 200_000
_LONGEST_HTML = 1_000_000
_LONGEST_IMAGE = 20_000_000
_MOST_ELEMENTS = 20_000
"""Elements nested without end take a parser the square of their number: these take seconds."""


def _kept(tag: str, name: str, value: str) -> str | None:
    """What stays of an attribute's value; None takes it away. nh3 has looked at its name."""
    text = value.strip()
    if name == "class":
        good = all(_CLASS.fullmatch(word) for word in text.split())
    elif name == "href":
        good = bool(_LINK.match(text))
    elif name == "src":
        good = bool(_INLINE_IMAGE.fullmatch(text) or _LOCAL_IMAGE.fullmatch(text))
    elif name in ("width", "height"):
        good = bool(_SIZES.fullmatch(text))
    else:
        good = name != "style" or not _LOADS.search(text)
    return value if good else None


_SIZED = {"width", "height"}
_CLEANER = nh3.Cleaner(
    tags=set(_TAGS),
    # What stands inside these is no text to be read, so it goes together with its element.
    clean_content_tags={"script", "style", "template", "noscript"},
    attributes={
        "*": {"class", "style", *_PLAIN_ATTRIBUTES},
        "a": {"href"},
        "img": {"src", *_SIZED},
        **{tag: set(_SIZED) for tag in ("td", "th", "col")},
    },
    attribute_filter=_kept,
    filter_style_properties=set(_STYLES),
    url_schemes={"http", "https", "mailto", "data"},
    link_rel=None,
)


@remembering
def clean_html(source: str) -> str:
    """HTML without anything that runs, loads from elsewhere or covers the page.

    Args:
        source: any HTML, however malformed.
    """
    if len(source) > _LONGEST_HTML:
        return "<p>(HTML of more than a million characters isn't shown.)</p>"
    if source.count("<") > _MOST_ELEMENTS and len(_OPENS.findall(source)) > _MOST_ELEMENTS:
        return f"<pre>{html.escape(source)}</pre>"
    # A lone surrogate is in no text that a browser reads.
    return str(_CLEANER.clean(source.encode("utf-8", "replace").decode("utf-8")))


@remembering
def _without_attachments(source: str) -> str:
    return _rendered(source, {})


def _rendered(source: str, attachments: Mapping[str, Mapping[str, str]]) -> str:
    if len(source) > _LONGEST_MARKDOWN:
        return f"<pre>{html.escape(source[:_LONGEST_MARKDOWN])}…</pre>"
    renderer = IPythonRenderer(
        escape=False,
        attachments=attachments,
        exclude_anchor_links=True,
    )
    try:
        return clean_html(MarkdownWithMath(renderer=renderer).render(source))
    except Exception:
        # A missing attachment or nesting without end: the text itself can still be read.
        return f"<pre>{html.escape(source)}</pre>"


@pass_context
def markdown2html(context: Any, source: str) -> str:
    """Markdown as harmless HTML; takes the place of nbconvert's filter of that name."""
    cell = context.get("cell") or {}
    attachments = cell.get("attachments")
    if attachments:
        return _rendered(str(source), attachments)
    return _without_attachments(str(source))


class Sanitize(Preprocessor):  # type: ignore[misc]
    """Rebuilds a notebook from harmless fields, for nbconvert's HTML exporter."""

    def preprocess(self, nb: Any, resources: Any) -> Any:
        """Return a harmless copy of the notebook."""
        return sanitized(nb), resources


def sanitized(nb: Any) -> Any:
    """A copy of a notebook that holds nothing but what is known to be harmless.

    Args:
        nb: a notebook node of format 4, of any content.
    """
    return nbformat.from_dict(
        {
            "cells": [_cell(cell) for cell in nb.cells],
            "metadata": {
                "language_info": {"name": "python", "pygments_lexer": "ipython3"},
            },
            "nbformat": 4,
            "nbformat_minor": 5 if nb.get("nbformat_minor", 4) >= 5 else 4,
        }
    )


def _cell(cell: Mapping[str, Any]) -> dict[str, Any]:
    kind = cell["cell_type"]
    source = str(cell.get("source", ""))
    clean: dict[str, Any] = {
        "cell_type": kind,
        "metadata": _cell_metadata(cell.get("metadata", {})),
        "source": source,
    }
    if isinstance(cell.get("id"), str) and _SAFE_NAME.fullmatch(cell["id"]):
        clean["id"] = cell["id"]
    if kind == "code":
        count = cell.get("execution_count")
        clean["execution_count"] = count if type(count) is int else None
        outputs = (_output(output) for output in cell.get("outputs", []))
        clean["outputs"] = [output for output in outputs if output is not None]
    elif kind == "markdown":
        clean["attachments"] = _attachments(cell.get("attachments", {}))
    else:
        clean["cell_type"] = "raw"
        clean["source"] = f"<pre>{html.escape(source)}</pre>"
    return clean


def _cell_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    clean: dict[str, Any] = {"tags": []}
    known = metadata.get("nbgrader")
    if not isinstance(known, Mapping):
        return clean
    kept: dict[str, Any] = {
        key: bool(known.get(key)) for key in ("grade", "solution", "locked", "task")
    }
    grade_id = known.get("grade_id", "")
    kept["grade_id"] = grade_id if _SAFE_NAME.fullmatch(str(grade_id)) else "cell"
    for key in ("points", "score"):
        if isinstance(known.get(key), (int, float)):
            kept[key] = float(known[key])
    for key in ("checksum", "cell_type"):
        if isinstance(known.get(key), str) and _SAFE_NAME.fullmatch(known[key]):
            kept[key] = known[key]
    if type(known.get("schema_version")) is int:
        kept["schema_version"] = known["schema_version"]
    clean["nbgrader"] = kept
    return clean


def _output(output: Mapping[str, Any]) -> dict[str, Any] | None:
    kind = output.get("output_type")
    if kind == "stream":
        name = "stderr" if output.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": str(output.get("text", ""))}
    if kind == "error":
        return {
            "output_type": "error",
            "ename": str(output.get("ename", "")),
            "evalue": str(output.get("evalue", "")),
            "traceback": [str(line) for line in output.get("traceback", [])],
        }
    if kind not in ("display_data", "execute_result"):
        return None
    bundle = output.get("data", {})
    data = {mime: value for mime, value in map(_datum, bundle.items()) if value is not None}
    if not data:
        return None
    clean = {
        "output_type": kind,
        "data": data,
        "metadata": _output_metadata(output.get("metadata", {}), data),
    }
    if kind == "execute_result":
        count = output.get("execution_count")
        clean["execution_count"] = count if type(count) is int else None
    return clean


def _datum(item: tuple[str, Any]) -> tuple[str, str | None]:
    mime, value = item
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    if not isinstance(value, str):
        return mime, None
    if mime in ("text/plain", "text/markdown", "text/latex"):
        return mime, value
    if mime == "text/html":
        return mime, clean_html(value)
    if mime in ("image/png", "image/jpeg"):
        return mime, _base64(value)
    if mime == "image/svg+xml" and len(value) <= _LONGEST_IMAGE:
        # The template shows it through an <img>, where scripts don't run.
        return mime, value
    return mime, None


def _base64(value: str) -> str | None:
    if len(value) > _LONGEST_IMAGE:
        return None
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    return value


def _output_metadata(metadata: Any, data: Mapping[str, str]) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    for mime in ("image/png", "image/jpeg"):
        if mime not in data:
            continue
        told = metadata.get(mime) if isinstance(metadata, Mapping) else None
        told = told if isinstance(told, Mapping) else {}
        kept: dict[str, Any] = {
            key: told[key]
            for key in ("width", "height")
            if type(told.get(key)) is int and 0 < told[key] < 10_000
        }
        kept["alt"] = str(told.get("alt") or "A figure that this cell drew")
        clean[mime] = kept
    return clean


def _attachments(attachments: Any) -> dict[str, dict[str, str]]:
    clean: dict[str, dict[str, str]] = {}
    if not isinstance(attachments, Mapping):
        return clean
    for name, bundle in attachments.items():
        images = {
            mime: value
            for mime, value in (bundle.items() if isinstance(bundle, Mapping) else ())
            if mime in ("image/png", "image/jpeg", "image/gif", "image/svg+xml")
            and isinstance(value, str)
            and _base64(value) is not None
        }
        if images:
            clean[str(name)] = images
    return clean
