"""From what a process says a cell gave to the outputs of a notebook, as nbclient assembles them.

Half of these messages come from the student's process, so nothing in them is taken for granted:
what isn't a well-formed output is left out, and no output is larger than it may be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

Output = dict[str, Any]
_MIME = re.compile(r"[\w.+-]{1,100}/[\w.+;= -]{1,200}")
_MAX_OUTPUTS = 2000
_DEPTH = 20


class Outputs:
    """The outputs of a notebook's cells; displays may be updated by later cells."""

    def __init__(self) -> None:
        self._shown: dict[str, list[Output]] = {}

    def assemble(self, messages: Any, ended: Any, count: int) -> list[Output]:
        """Return a cell's outputs.

        Args:
            messages: what the process recorded, in order.
            ended: how the cell ended: its status and, for an error, name, value and traceback.
            count: the cell's execution count.
        """
        outputs: list[Output] = []
        clear_first = False
        for message in list(messages)[:_MAX_OUTPUTS] if isinstance(messages, list) else []:
            if not isinstance(message, dict):
                continue
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
            if clear_first:
                outputs.clear()
                clear_first = False
            outputs.append(output)
            name = message.get("display_id")
            if isinstance(name, str):
                self._shown.setdefault(name, []).append(output)
                self._update(message)
        return _with_error(outputs, ended)

    def _update(self, message: Mapping[str, Any]) -> None:
        """Show new data wherever a display of this id stands."""
        for output in self._shown.get(str(message.get("display_id")), []):
            output["data"] = _bundle(message.get("data"))
            output["metadata"] = _plain(message.get("metadata"), _DEPTH) or {}


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
    said = _text(ended.get("evalue")).strip().splitlines()
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
            "evalue": _text(message.get("evalue")),
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


def _with_error(outputs: list[Output], ended: Any) -> list[Output]:
    """Add the error that ended a cell where no output tells of it, as nbgrader does."""
    if not isinstance(ended, dict) or ended.get("status") != "error":
        return outputs
    name = _text(ended.get("ename"))
    if not any(o["output_type"] == "error" and o["ename"] == name for o in outputs):
        lines = _lines(ended.get("traceback"))
        no_lines = ["ERROR: An error occurred while showtraceback was disabled"]
        evalue = _text(ended.get("evalue"))
        outputs.append({**error(name, evalue), "traceback": lines or no_lines})
    return outputs


def _text(value: Any) -> str:
    """Return a string that any file can hold."""
    return str(value if isinstance(value, str) else "").encode("utf-8", "replace").decode()


def _lines(value: Any) -> list[str]:
    return [_text(line) for line in value[:1000]] if isinstance(value, list) else []


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
