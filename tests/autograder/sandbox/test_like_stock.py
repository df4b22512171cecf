"""An honest notebook's outputs are those of a real Jupyter kernel, figures pixel by pixel."""

from __future__ import annotations

import base64
import io
import os
import re
from typing import Any

import nbformat
import numpy as np
import pytest
from descent_autograder.sandbox import Sandbox

from .notebooks import execute, notebook

pytestmark = [pytest.mark.sandbox, pytest.mark.jupyter]

CELLS = [
    "import numpy as np\nimport matplotlib.pyplot as plt\nimport os, sys, time",
    "1 + 1",
    "x = np.arange(6.0).reshape(2, 3)\nx",
    "print('before')\ndisplay({'a': 1})\nprint('between')\ndisplay(x)\nprint('after')\nx.sum()",
    "print('to stderr', file=sys.stderr)\nprint('to stdout')",
    "os.system('echo from a program')",
    # A kernel reads what programs write in a thread of its own: on a busy machine it comes late.
    "print('first', flush=True)\nos.system('echo second')\ntime.sleep(1)\nprint('third')",
    "1 / 0",
    "def f(n):\n    if n == 0:\n        raise ValueError('deep')\n    return f(n - 1)\nf(3)",
    "this is not python",
    "raise SystemExit",
    "input('?')",
    "undefined_name",
    "%matplotlib inline",
    "plt.plot([1, 2, 3])\nplt.show()",
    "plt.plot([3, 1, 2], label='x')\nplt.legend()\nplt.title('T')",
    "fig, axes = plt.subplots(2, 2)\nfig.tight_layout()",
    "fig, axes = plt.subplots(2, 2, layout='constrained')\naxes[0, 0].set_ylabel('a long label')\n",
    "fig, axes = plt.subplots(1, 2, layout='tight')\naxes[0].set_xlabel('x')\nplt.show()",
    "print('a'); plt.imshow(np.eye(3)); plt.colorbar(); plt.show(); print('b')\n"
    "plt.hist(np.arange(10.0)); None",
    "fig = plt.figure(figsize=(2, 2)); fig.add_subplot().plot([1, 2]); plt.close(fig); fig",
    "_ + 1 if isinstance(_, int) else type(_).__name__",
    "In[2], Out[2]",
    "from IPython.display import HTML, Markdown, clear_output\nprint('gone')\nclear_output()\n"
    "display(HTML('<b>x</b>'), Markdown('*y*'))",
    "handle = display('old', display_id='d')",
    "handle.update('new')",
    "a = 1;\na;",
    "import warnings\nwarnings.warn('careful')",
    "await __import__('asyncio').sleep(0)\n'awaited'",
    "!echo shell",
    "get_ipython().kernel is not None",
    "class A:\n    def __repr__(self): raise RuntimeError('no repr')\nA()",
    "{'deep': [1, (2, {3})]}, None, True, 1.5",
    "assert 1 == 2, 'reason'",
    "np.array([1.0]) / 0",
    "get_ipython().execution_count",
]


@pytest.fixture(scope="module")
def stock() -> Any:
    """The notebook as a real kernel runs it, under nbclient's settings of nbgrader."""
    from nbclient import NotebookClient

    # A kernel that thinks it is being tested doesn't catch what programs print.
    tested = os.environ.pop("PYTEST_CURRENT_TEST")
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    try:
        node = nbformat.reads(notebook(*CELLS).decode(), as_version=4)
        NotebookClient(node, allow_errors=True, timeout=120, kernel_name="python3").execute()
    finally:
        del os.environ["NBGRADER_EXECUTION"]
        os.environ["PYTEST_CURRENT_TEST"] = tested
    return node


@pytest.fixture(scope="module")
def ours(worker: Sandbox) -> Any:
    return execute(worker, *CELLS)


@pytest.mark.parametrize("index", range(len(CELLS)), ids=lambda i: f"{i}-{CELLS[i][:30]!r}")
def test_outputs_are_the_same(stock: Any, ours: Any, index: int) -> None:
    expected = [normal(output) for output in merged(stock.cells[index].outputs)]
    found = [normal(output) for output in merged(ours.outputs(index))]
    if CELLS[index].startswith("input("):  # the frames inside the kernel are the kernel's own
        for output in (*expected, *found):
            output.pop("traceback")
    assert found == expected
    assert ours.cells[index].execution_count == stock.cells[index].execution_count


def test_there_are_figures(stock: Any) -> None:
    pictures = [o for c in stock.cells for o in c.outputs if "image/png" in o.get("data", {})]
    assert len(pictures) >= 8


def test_kernel_metadata_is_the_same(stock: Any, ours: Any) -> None:
    assert ours.node.metadata.language_info == stock.metadata.language_info


def merged(outputs: list[Any]) -> list[dict[str, Any]]:
    """Join what a stream wrote in one go: a kernel may send it in several pieces."""
    joined: list[dict[str, Any]] = []
    for output in map(dict, outputs):
        last = joined[-1] if joined else {}
        same = output["output_type"] == "stream" and output["name"] == last.get("name")
        if same:
            last["text"] += output["text"]
            continue
        joined.append(output)
    return joined


def normal(output: dict[str, Any]) -> dict[str, Any]:
    """Replace pictures by their pixels, and what differs from run to run by words."""
    output = dict(output)
    if "data" in output:
        output["data"] = {
            mime: pixels(content) if mime == "image/png" else steady(content)
            for mime, content in output["data"].items()
        }
    for key in ("text", "evalue"):
        if key in output:
            output[key] = steady(output[key])
    if "traceback" in output:
        output["traceback"] = [steady(line) for line in output["traceback"]]
    return output


def pixels(png: str) -> Any:
    import matplotlib.image

    picture = matplotlib.image.imread(io.BytesIO(base64.b64decode(png)))
    return (picture.shape, (np.asarray(picture) * 255).astype(int).tobytes())


def steady(text: Any) -> Any:
    if not isinstance(text, str):
        return text
    text = re.sub(r"0x[0-9a-f]+", "0x…", text)
    return re.sub(r"/\S*ipykernel_\d+/\d+\.py", "CELL", text)
