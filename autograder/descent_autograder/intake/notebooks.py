"""From bytes to a notebook in good shape: encoding, JSON, format version, cells and metadata."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

from descent_autograder.core.text import listed, shown

_MOST_CELLS = 3000
_LONGEST_SOURCE = 2**20
_DEEPEST = 30
_SKIP_TAGS = {"skip-execution", "raises-exception", "remove_cell", "remove-cell"}
_CELL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_BAD_CHARS = re.compile("[\x00\ud800-\udfff]")

Cell = dict[str, Any]


class Refused(Exception):
    """The notebook can't be read; the message is the reason, a clause without a full stop."""


def read_notebook(raw: bytes, remarks: list[str]) -> dict[str, Any]:
    """Read a notebook that a student handed in.

    Args:
        raw: the file.
        remarks: sentences about what was mended are appended here.

    Returns:
        A notebook in nbformat 4 whose cells have the right fields and types, without outputs.

    Raises:
        Refused: when no notebook can be made of it.
    """
    document = _parse(_text(raw, remarks))
    document = _current_format(document, remarks)
    cells = document["cells"]
    if len(cells) > _MOST_CELLS:
        raise Refused(f"it has {len(cells)} cells; at most {_MOST_CELLS} are graded")
    minor = _minor(document)
    skipping: list[int] = []
    mended = [_cell(cell, number, remarks, skipping) for number, cell in enumerate(cells, 1)]
    if skipping:
        remarks.append(
            f"{listed([f'cell {number}' for number in skipping]).capitalize()} bore a tag such as "
            "skip-execution, which changes how a cell is run; it was taken off."
        )
    give_ids(mended, minor)
    return {
        "cells": mended,
        "metadata": _metadata(document.get("metadata")),
        "nbformat": 4,
        "nbformat_minor": minor,
    }


def give_ids(cells: list[Cell], minor: int) -> None:
    """Make the cells' ids fit the format: one of its own each from 4.5 on, none before."""
    taken: set[str] = set()
    for number, cell in enumerate(cells, 1):
        if minor < 5:
            cell.pop("id", None)
        elif cell.get("id") in taken or "id" not in cell:
            cell["id"] = next(
                name for name in (f"mended-{number}-{n}" for n in range(10**6)) if name not in taken
            )
        taken.add(cell.get("id", ""))


def _text(raw: bytes, remarks: list[str]) -> str:
    if not raw.strip(b"\x00\t\n\r "):
        raise Refused("the file is empty")
    encoding = "utf-8"
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            encoding = name
            break
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refused(
            f"it isn't saved as UTF-8 text (byte {error.start + 1}); open it in Jupyter and save "
            "it again"
        ) from None
    if encoding not in ("utf-8", "utf-8-sig"):
        remarks.append(f"The notebook was saved as {encoding.upper()}; it was read as such.")
    return text


def _parse(text: str) -> dict[str, Any]:
    if re.search(r"^<{7} ", text, re.MULTILINE):
        raise Refused("it holds the marks of an unresolved merge (<<<<<<<)")
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        cut = ": the file ends too early" if error.pos >= len(text.rstrip()) else ""
        raise Refused(
            f"it isn't a notebook: broken JSON in line {error.lineno}, column {error.colno}{cut}"
        ) from None
    except (RecursionError, ValueError):
        raise Refused("it isn't a notebook: its JSON is nested too deeply or malformed") from None
    if not isinstance(document, dict):
        raise Refused("it isn't a notebook: the file holds JSON of another kind")
    return document


def _current_format(document: dict[str, Any], remarks: list[str]) -> dict[str, Any]:
    version = document.get("nbformat", 4)
    if "worksheets" in document and version in (2, 3):
        import nbformat

        try:
            document = json.loads(json.dumps(nbformat.convert(nbformat.from_dict(document), 4)))
        except Exception:
            raise Refused("it is an old notebook (format 3) that can't be converted") from None
        remarks.append("The notebook was in the old format 3; it was converted.")
    if not isinstance(document.get("cells"), list):
        raise Refused("it isn't a notebook: it has no list of cells")
    if version not in (2, 3, 4):
        remarks.append(f"The notebook's format {shown(version)} was read as format 4.")
    return document


def _minor(document: dict[str, Any]) -> int:
    minor = document.get("nbformat_minor")
    if not isinstance(minor, int) or isinstance(minor, bool):
        return 4
    return min(max(minor, 0), 5)


def _metadata(metadata: Any) -> dict[str, Any]:
    """Metadata as plain JSON; what isn't (NaN, lone surrogates), or nests deep, is dropped."""
    if not isinstance(metadata, dict):
        return {}
    kept = {}
    for key, value in metadata.items():
        if _is_deep(value, _DEEPEST):
            continue
        try:
            json.dumps([key, value], allow_nan=False, ensure_ascii=False).encode("utf-8")
        except (ValueError, TypeError, RecursionError):
            continue
        kept[key] = value
    kept.pop("descent", None)
    return kept


def _is_deep(value: Any, depth: int) -> bool:
    """Whether containers nest deeper than `depth`: libraries walk through them recursively."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return depth < 0 or any(_is_deep(one, depth - 1) for one in inner)


def _cell(cell: Any, number: int, remarks: list[str], skipping: list[int]) -> Cell:
    if not isinstance(cell, dict):
        remarks.append(f"Cell {number} was no cell at all; it was left empty.")
        cell = {}
    kind = cell.get("cell_type", "code")
    if kind not in ("code", "markdown", "raw"):
        remarks.append(f"Cell {number} was of the unknown type {shown(kind)}; it was taken as raw.")
        kind = "raw"
    mended: Cell = {
        "cell_type": kind,
        "metadata": _cell_metadata(cell.get("metadata"), number, skipping),
        "source": _source(cell.get("source", ""), number, remarks),
    }
    if isinstance(cell.get("id"), str) and _CELL_ID.fullmatch(cell["id"]):
        mended["id"] = cell["id"]
    if kind == "code":
        mended["execution_count"] = None
        mended["outputs"] = []
    elif isinstance(cell.get("attachments"), dict):
        attachments = _attachments(cell["attachments"])
        if attachments:
            mended["attachments"] = attachments
    return mended


def _cell_metadata(found: Any, number: int, skipping: list[int]) -> dict[str, Any]:
    metadata = _metadata(found)
    tags = metadata.get("tags")
    if tags is None:
        return metadata
    kept = [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
    metadata["tags"] = [tag for tag in dict.fromkeys(kept) if tag not in _SKIP_TAGS]
    if len(metadata["tags"]) < len(kept):
        skipping.append(number)
    if not metadata["tags"]:
        del metadata["tags"]
    return metadata


def _source(found: Any, number: int, remarks: list[str]) -> str:
    if isinstance(found, list):
        found = "".join(line for line in found if isinstance(line, str))
    source = found if isinstance(found, str) else None
    if source is None:
        remarks.append(f"Cell {number} held no text; it was left empty.")
        return ""
    if len(source) > _LONGEST_SOURCE:
        remarks.append(f"Cell {number} is longer than a million characters; it was left empty.")
        return ""
    if _BAD_CHARS.search(source):
        remarks.append(f"Cell {number} held characters that aren't text; they became “�”.")
        source = _BAD_CHARS.sub("�", source)
    return source


def _attachments(attachments: dict[str, Any]) -> dict[str, dict[str, str]]:
    kept: dict[str, dict[str, str]] = {}
    for name, bundle in _metadata(attachments).items():
        if isinstance(bundle, dict):
            images = {k: v for k, v in bundle.items() if isinstance(v, str)}
            if images:
                kept[name] = images
    return kept
