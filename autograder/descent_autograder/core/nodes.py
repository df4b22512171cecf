"""Notebooks as nbformat's nodes: read, written, and told what was remarked about them."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from typing import Any

import nbformat

from descent_autograder.core.text import remembering

NOTICE_ID = "descent-notice"


def to_node(notebook: bytes | Mapping[str, Any]) -> Any:
    """A `NotebookNode` from a file's bytes or plain data, with sources as single strings."""
    document = json.loads(notebook) if isinstance(notebook, bytes) else notebook
    return nbformat.v4.nbjson.to_notebook(document)


def to_bytes(node: Any) -> bytes:
    """The bytes that nbconvert's ``NotebookExporter`` would write.

    Most cells are the same in all submissions, so nbformat writes each of them once.
    """
    cells = [_written_cell(json.dumps(cell, ensure_ascii=False)) for cell in node.cells]
    text: str = nbformat.v4.nbjson.writes(nbformat.from_dict({**node, "cells": []}))
    if cells:
        # No line breaks stand in JSON's strings, so this can only be the notebook's own list.
        text = text.replace('\n "cells": []', f'\n "cells": [{",".join(cells)}\n ]')
    return (text + "\n").encode("utf-8")


@remembering
def _written_cell(cell: str) -> str:
    """A cell as it stands in a file."""
    node = nbformat.from_dict({"cells": [json.loads(cell)], "metadata": {}})
    text: str = nbformat.v4.nbjson.writes(node)
    return text[text.index("[") + 1 : text.rindex("]")].rstrip()


def to_transit(node: Any) -> bytes:
    """A notebook as compact JSON, for the way to a worker."""
    return json.dumps(node, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def refusal_of(node: Any) -> str | None:
    """Why intake refused this notebook, or None."""
    reason = node.metadata.get("descent", {}).get("refusal")
    return None if reason is None else str(reason)


def add_notice(
    node: Any, remarks: Sequence[str], refusal: str | None = None, *, first: bool = False
) -> None:
    """Tell the student at the head of the notebook what intake and execution remarked.

    Args:
        node: the notebook, changed in place.
        remarks: sentences, added to those that stand there already.
        refusal: why the notebook can't be graded.
        first: put these sentences before those that stand there.
    """
    if refusal is not None:
        node.metadata["descent"] = {"refusal": refusal}
    if not remarks and refusal is None:
        return
    notice = next((c for c in node.cells if c.metadata.get("descent")), None)
    said: list[str] = [] if notice is None else list(notice.metadata["descent"]["remarks"])
    said = [*remarks, *said] if first else [*said, *remarks]
    if notice is None:
        notice = nbformat.v4.new_markdown_cell(id=NOTICE_ID)
        if node.nbformat_minor < 5:
            del notice["id"]
        node.cells.insert(0, notice)
    notice.metadata["descent"] = {"remarks": said}
    notice.source = notice_of(said, refusal)


def notice_of(remarks: Sequence[str], refusal: str | None) -> str | None:
    """The Markdown that tells a student what intake did, or None when it did nothing."""
    if refusal:
        return (
            "**This submission was not graded.**\n\n"
            f"{html.escape(refusal, quote=False)}.\n\n"
            "Your instructor has been told. What follows is the empty assignment."
        )
    if not remarks:
        return None
    lines = "\n".join(f"- {html.escape(remark, quote=False)}" for remark in remarks)
    return f"**Notes on the file that you handed in**\n\n{lines}"
