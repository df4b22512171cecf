"""Run the demos' JavaScript in node, as the browser would."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib import resources
from typing import Any

import pytest

_PROGRAM = """
import { readFileSync } from "node:fs";
const { module, calls } = JSON.parse(readFileSync(0, "utf8"));
const loaded = await import(module);
const plain = (key, value) =>
  ArrayBuffer.isView(value) ? Array.from(value)
  : typeof value === "number" && !Number.isFinite(value) ? { number: String(value) }
  : value;
process.stdout.write(JSON.stringify(calls.map(([name, ...args]) => loaded[name](...args)), plain));
"""


def _number(pairs: dict[str, Any]) -> Any:
    return float(pairs["number"]) if set(pairs) == {"number"} else pairs


@pytest.fixture(scope="session")
def javascript() -> Callable[..., list[Any]]:
    """``javascript(module, [(function, *arguments), …])`` returns their results."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed (Debian's package is nodejs)")

    def call(module: str, calls: list[Any]) -> list[Any]:
        file = resources.files("descent.demos") / "modules" / f"{module}.mjs"
        job = json.dumps({"module": f"file://{file}", "calls": calls})
        run = subprocess.run(
            [node, "--input-type=module", "--eval", _PROGRAM],
            input=job,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout, object_hook=_number)

    return call


@pytest.fixture(scope="session")
def agree() -> Callable[[Any, Any], None]:
    """``agree(seen, expected)``: nested numbers equal to 1e-9, infinities and NaN included."""

    def compare(seen: Any, expected: Any, where: str = "result") -> None:
        if isinstance(expected, Mapping):
            for key, value in expected.items():
                compare(seen[key], value, f"{where}.{key}")
        elif isinstance(expected, str | bool) or expected is None:
            assert seen == expected, where
        elif hasattr(expected, "__len__"):
            assert len(seen) == len(expected), where
            for index, (one, other) in enumerate(zip(seen, expected, strict=True)):
                compare(one, other, f"{where}[{index}]")
        else:
            same = math.isnan(seen) and math.isnan(expected)
            close = same or math.isclose(seen, expected, rel_tol=1e-9, abs_tol=1e-12)
            assert close, f"{where}: JavaScript {seen!r}, Python {expected!r}"

    return compare
