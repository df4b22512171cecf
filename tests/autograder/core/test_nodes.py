"""A notebook is written as nbformat would, only sooner."""

from __future__ import annotations

import copy
import json
from typing import Any

import nbformat
from descent_autograder.core.course import open_course
from descent_autograder.core.nodes import to_bytes, to_node

_ODD_OUTPUTS = [
    {"output_type": "stream", "name": "stdout", "text": "one\ntwo\r\nthree\u2028four\x0b\n"},
    {"output_type": "stream", "name": "stderr", "text": ""},
    {
        "output_type": "display_data",
        "metadata": {"image/png": {"width": 3}},
        "data": {
            "image/png": "aGVsbG8=\n",
            "text/plain": "a\nb",
            "text/html": '<p>\n "cells": []</p>',
            "image/svg+xml": "<svg>\n</svg>",
            "application/json": {"cells": [], "x": [1, 2.5, float("nan"), True, None, {}]},
        },
    },
    {
        "output_type": "execute_result",
        "execution_count": 2,
        "metadata": {},
        "data": {"text/plain": "1.5"},
    },
    {"output_type": "error", "ename": "E", "evalue": "é\u0001", "traceback": ["\x1b[31mno\n"]},
]


def _notebooks() -> list[dict[str, Any]]:
    course = open_course()
    found = [json.loads(p.read_bytes()) for p in sorted(course.root.glob("source/*/*.ipynb"))]
    odd = copy.deepcopy(found[0])
    odd["metadata"] |= {"a": {"b": {"cells": []}}, "signature": "x", "orig_nbformat": 3}
    odd["cells"][0]["metadata"]["trusted"] = True
    odd["cells"] += [
        {
            "cell_type": "markdown",
            "metadata": {"trusted": False},
            "source": 'text\n "cells": []',
            "attachments": {"a.png": {"image/png": "aGVs", "text/plain": "a\nb"}},
        },
        {"cell_type": "raw", "metadata": {}, "source": ""},
        {
            "cell_type": "code",
            "execution_count": 1,
            "metadata": {"long": "x\n" * 150_000},
            "source": "a = 1\r\n\tb = 'é\U0001f600'\n\n",
            "outputs": _ODD_OUTPUTS,
        },
    ]
    return [*found, odd, {**found[0], "cells": []}]


def test_a_notebook_is_written_as_nbformat_writes_it() -> None:
    for notebook in _notebooks():
        node = to_node(notebook)
        before = copy.deepcopy(node)
        expected = nbformat.v4.nbjson.writes(node) + "\n"
        for _ in range(2):
            assert to_bytes(node) == expected.encode("utf-8")
        assert json.dumps(node) == json.dumps(before)
