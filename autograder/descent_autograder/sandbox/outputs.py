"""From what a process says a cell gave to the outputs of a notebook, as nbclient assembles them.

Half of these messages come from the student's process, so nothing in them is taken for granted:
what isn't a well-formed output is left out, and no output is larger than it may be.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Output = dict[str, Any]
TOO_MUCH = "It put out more than a notebook may."
_MIME = re.compile(r"[\w.+-]{1,100}/[\w.+;= -]{1,200}")
_MAX_OUTPUTS = 2000
_DEPTH = 20
_PER_OUTPUT, _PER_VALUE = 100, 8  # what an output and a value in it take beside their texts
_SLACK = 1 << 20  # for what a cell gives besides what it prints and displays: its error
_NOTEBOOK = 4
"""How many cells' worth of output a whole notebook may have."""
_LONGEST = 20_000


class TooMuch(Exception):
    """A cell, or the notebook, has put out more than it may."""


class Outputs:
    """The outputs of a notebook's cells; displays may be updated by later cells.

    Args:
        cell_bytes: how much a cell may put out, roughly in bytes. The student's side cuts its
            cells' output there by itself; where it doesn't, the cell's whole output goes.
    """

    def __init__(self, cell_bytes: int) -> None:
        self._shown: dict[str, list[Output]] = {}
        self._cell_bytes = cell_bytes + _SLACK
        self._cell_left = 0
        self._left = _NOTEBOOK * self._cell_bytes

    def assemble(self, messages: Any, ended: Any, count: int, trusted: bool) -> list[Output]:
        """Return a cell's outputs.

        Args:
            messages: what the process recorded, in order.
            ended: how the cell ended: its status and, for an error, name, value and traceback.
            count: the cell's execution count.
            trusted: whether the cell is a test: what it says itself always stays.
        """
        self._cell_left = self._cell_bytes
        given = messages[:_MAX_OUTPUTS] if isinstance(messages, list) else []
        given = [message for message in given if isinstance(message, dict)]
        try:
            return _with_error(self._outputs(given, count), ended, self._charge)
        except TooMuch:
            if not trusted:
                return [error("OutputLimit", TOO_MUCH)]
        return _with_error(_essentials(given, count), ended, lambda output: None)

    def _outputs(self, messages: list[dict[str, Any]], count: int) -> list[Output]:
        outputs: list[Output] = []
        clear_first = False
        for message in messages:
            kind = message.get("output_type")
            if kind == "clear_output":
                clear_first = bool(message.get("wait"))
                if not clear_first:
                    outputs.clear()
                continue
            if kind == "update_display_data":
                self._update(message)
                continue
            output = _output(message, count)
            if output is None:
                continue
            self._charge(output)
            if clear_first:
                outputs.clear()
                clear_first = False
            outputs.append(output)
            name = message.get("display_id")
            if isinstance(name, str):
                self._shown.setdefault(name, []).append(output)
                self._update(message)
        return outputs

    def _update(self, message: Mapping[str, Any]) -> None:
        """Show new data wherever a display of this id stands."""
        data = _bundle(message.get("data"))
        metadata = _plain(message.get("metadata"), _DEPTH) or {}
        for output in self._shown.get(str(message.get("display_id")), []):
            self._charge({"data": data, "metadata": metadata})
            output["data"], output["metadata"] = dict(data), metadata

    def _charge(self, output: Any) -> None:
        """Take an output off what may still be put out; raises TooMuch when that is too little."""
        size = _PER_OUTPUT + _size(output)
        self._cell_left -= size
        self._left -= size
        if self._cell_left < 0 or self._left < 0:
            self._left += size
            raise TooMuch


def error(name: str, sentence: str) -> Output:
    """Return the output of a cell that was ended from outside."""
    return {
        "output_type": "error",
        "ename": name,
        "evalue": sentence,
        "traceback": [f"{name}: {sentence}"],
    }


def last_line(ended: Mapping[str, Any]) -> str:
    """Return the error that ended a cell as a traceback's last line has it."""
    said = _text(ended.get("evalue"))[:_LONGEST].strip().splitlines()
    return ": ".join([_text(ended.get("ename")), *said[:1]])


def _output(message: Mapping[str, Any], count: int) -> Output | None:
    kind = message.get("output_type")
    if kind == "stream":
        name = "stderr" if message.get("name") == "stderr" else "stdout"
        return {"output_type": "stream", "name": name, "text": _text(message.get("text"))}
    if kind == "error":
        return {
            "output_type": "error",
            "ename": _text(message.get("ename")),
            "evalue": _text(message.get("evalue"))[:_LONGEST],
            "traceback": _lines(message.get("traceback")),
        }
    if kind not in ("display_data", "execute_result"):
        return None
    metadata = _plain(message.get("metadata"), _DEPTH)
    output: Output = {
        "output_type": kind,
        "data": _bundle(message.get("data")),
        "metadata": metadata if isinstance(metadata, dict) else {},
    }
    if kind == "execute_result":
        output["execution_count"] = count
    return output


def _essentials(messages: list[dict[str, Any]], count: int) -> list[Output]:
    """Return what a test shows and how it ended, without what was printed meanwhile."""
    outputs: list[Output] = []
    left = _SLACK
    for message in messages:
        output = _output(message, count) if message.get("output_type") != "stream" else None
        if output is not None and _size(output) <= left:
            left -= _size(output)
            outputs.append(output)
    return outputs


def _with_error(
    outputs: list[Output], ended: Any, charge: Callable[[Output], None]
) -> list[Output]:
    """Add the error that ended a cell where no output tells of it, as nbgrader does."""
    if not isinstance(ended, dict) or ended.get("status") != "error":
        return outputs
    name = _text(ended.get("ename"))
    if not any(o["output_type"] == "error" and o["ename"] == name for o in outputs):
        lines = _lines(ended.get("traceback"))
        no_lines = ["ERROR: An error occurred while showtraceback was disabled"]
        evalue = _text(ended.get("evalue"))[:_LONGEST]
        outputs.append({**error(name, evalue), "traceback": lines or no_lines})
        charge(outputs[-1])
    return outputs


def _size(value: Any) -> int:
    """Return roughly how many bytes a value takes."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(_size(key) + _size(item) for key, item in value.items())
    return sum(map(_size, value)) if isinstance(value, list) else _PER_VALUE


def _text(value: Any) -> str:
    """Return a string that any file can hold."""
    return str(value if isinstance(value, str) else "").encode("utf-8", "replace").decode()


def _lines(value: Any) -> list[str]:
    return [_text(line)[:_LONGEST] for line in value[:1000]] if isinstance(value, list) else []


def _bundle(data: Any) -> dict[str, Any]:
    """Return a mime bundle: text for every type but JSON's, which may hold any plain data."""
    if not isinstance(data, dict):
        return {}
    bundle: dict[str, Any] = {}
    for mime, content in data.items():
        if not isinstance(mime, str) or not _MIME.fullmatch(mime):
            continue
        if isinstance(content, str):
            bundle[mime] = _text(content)
        elif isinstance(content, list) and all(isinstance(line, str) for line in content):
            bundle[mime] = "".join(map(_text, content))
        elif mime.endswith("json"):
            bundle[mime] = _plain(content, _DEPTH)
    return bundle


def _plain(value: Any, depth: int) -> Any:
    """Return what JSON can hold of ``value``."""
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {_text(k): _plain(v, depth - 1) for k, v in value.items() if isinstance(k, str)}
    if isinstance(value, list | tuple):
        return [_plain(item, depth - 1) for item in value]
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 63 else None
    if isinstance(value, float):
        finite = value == value and abs(value) != float("inf")
        return float(value) if finite else None
    return None
