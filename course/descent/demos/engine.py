"""Put a demo's module, data and strings into one self-contained frame.

A demo is a plain ES module in ``modules/`` with three functions: ``simulate(params, data)``
returns plain data, ``draw(stage, result, params, data)`` paints it, and
``summary(result, params, data)`` says in words what is seen. Numbers, words and controls are
passed in from Python, so that a demo can be translated without touching its code.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from .strings import RUNTIME

__all__ = ["MAX_BYTES", "Demo", "bundle", "fingerprint", "script_json"]

#: The most bytes of HTML a demo may put into a notebook.
MAX_BYTES = 60_000

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./(?P<name>[\w-]+\.mjs)";\n', re.MULTILINE)
#: Lines of comment, and types inside a line; both only for who reads the modules.
_COMMENT = re.compile(r"^\s*//.*\n|^\s*/\*\*(?:.|\n)*?\*/\n|/\*\*.*?\*/ ?", re.MULTILINE)
_MARGIN = re.compile(r"^\s+", re.MULTILINE)


def _folder(name: str) -> Any:
    return resources.files(__package__) / name


@cache
def bundle(name: str) -> str:
    """Return module ``name`` and everything it imports as one script, comments left out.

    Modules share one scope afterwards, so top-level names are unique among those that meet.
    """
    return "".join(_collect(f"{name}.mjs", set()))


def _collect(name: str, seen: set[str]) -> list[str]:
    if name in seen:
        return []
    seen.add(name)
    source = (_folder("modules") / name).read_text(encoding="utf-8")
    parts = [part for found in _IMPORT.finditer(source) for part in _collect(found["name"], seen)]
    own = _MARGIN.sub("", _COMMENT.sub("", _IMPORT.sub("", source)))
    return [*parts, re.sub(r"^export ", "", own, flags=re.MULTILINE)]


def script_json(value: Any) -> str:
    r"""Return ``value`` as JSON that is safe inside a ``<script>`` element.

    ``<``, ``>`` and ``&`` would let a string close the element or open a comment; U+2028 and
    U+2029 end a line in older JavaScript. All become ``\uXXXX``, which JSON reads back unchanged.

    Raises ValueError for numbers that aren't finite, which JSON doesn't know.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return re.sub("[<>&\u2028\u2029]", lambda found: f"\\u{ord(found[0]):04x}", text)


@dataclass(frozen=True)
class Demo:
    """An interactive picture for a notebook, a web page or a file.

    In a notebook, the value of a cell is enough to show it. ``alt`` says in words what it shows.

    Attributes:
        name: the module and the still picture, such as ``"step_size"``.
        strings: what people read, by key; see ``descent.demos.strings``.
        controls: sliders, menus and draggable points, in order.
        data: whatever ``simulate`` and ``draw`` need beside the controls' values.
        height: pixels of the frame.
        seconds: how long playing takes; None for a demo that doesn't play.
        state: a line copied from a demo's "Share", to open it as somebody else saw it.
    """

    name: str
    strings: Mapping[str, str]
    controls: Sequence[Mapping[str, Any]]
    data: Mapping[str, Any] = field(default_factory=dict)
    height: int = 560
    seconds: float | None = None
    state: str | None = None
    language: str = "en"

    @property
    def alt(self) -> str:
        """What the demo shows, in words."""
        return self.strings["alt"]

    @property
    def params(self) -> dict[str, Any]:
        """The controls' values at the start, as ``simulate`` receives them."""
        return {control["name"]: control["value"] for control in self.controls}

    def document(self) -> str:
        """Return the demo as a whole HTML page that needs nothing from outside."""
        payload = {
            "strings": {**RUNTIME, **self.strings},
            "controls": list(self.controls),
            "data": self.data,
            "seconds": self.seconds,
            "state": self.state,
        }
        style = (_folder("modules") / "style.css").read_text(encoding="utf-8")
        return (
            f'<!doctype html><html lang="{html.escape(self.language)}"><head>'
            '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            f"<title>{html.escape(self.strings['title'])}</title>"
            f"<style>{_MARGIN.sub('', style)}</style></head><body>"
            f'<script type="application/json" id="payload">{script_json(payload)}</script>'
            f'<script type="module">{bundle("runtime")}{_demo_only(self.name)}'
            "mount({simulate,draw,summary},"
            'JSON.parse(document.getElementById("payload").textContent));'
            "</script></body></html>"
        )

    def html(self) -> str:
        """Return the demo as one ``<iframe>``: sandboxed, self-contained, no kernel needed.

        Raises ValueError when it exceeds 60 KB, the most a notebook should carry.
        """
        # Single quotes around the page: it is full of double ones, and each would cost six bytes.
        source = self.document().replace("&", "&amp;").replace("'", "&#39;")
        frame = (
            f"<iframe srcdoc='{source}' "
            f'sandbox="allow-scripts" allow="clipboard-write" '
            f'title="{html.escape(self.strings["title"])}" loading="lazy" '
            f'style="width:100%;height:{self.height}px;border:1px solid #8c959f;'
            f'border-radius:8px;box-sizing:border-box">{html.escape(self.alt)}</iframe>'
        )
        size = len(frame.encode())
        if size > MAX_BYTES:
            raise ValueError(f"the demo {self.name!r} has {size} bytes, more than {MAX_BYTES}")
        return frame

    def still(self) -> bytes | None:
        """Return a PNG picture of the demo as it opens, or None if there is none.

        One that opens in a state of its own looks different, so it has none.
        """
        if self.state:
            return None
        path = _folder("stills") / f"{self.name}.png"
        return bytes(path.read_bytes()) if path.is_file() else None

    def save(self, path: str | Path) -> Path:
        """Write the demo to ``path`` as a page of its own and return the path."""
        target = Path(path)
        target.write_text(self.document(), encoding="utf-8")
        return target

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        shown = {"text/html": self.html(), "text/plain": self.alt}
        still = self.still()
        if still is not None:
            shown["image/png"] = base64.b64encode(still).decode("ascii")
        return shown, {"image/png": {"alt": self.alt}}


def fingerprint(demo: Demo) -> str:
    """Return a digest of the whole page, by which a still picture is known to be of this demo."""
    return hashlib.sha256(demo.document().encode()).hexdigest()[:16]


def _demo_only(name: str) -> str:
    """The demo's own modules: those that the runtime hasn't brought already."""
    seen: set[str] = set()
    _collect("runtime.mjs", seen)
    return "".join(_collect(f"{name}.mjs", seen))
