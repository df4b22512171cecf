"""The frame: safe against its own contents, small, complete, and ready for translation."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from importlib import resources
from typing import Any

import pytest
from descent import demos
from descent.demos.engine import MAX_BYTES, Demo, bundle, fingerprint, script_json
from descent.demos.strings import RUNTIME, TABLES
from hypothesis import example, given
from hypothesis import strategies as st

NAMES = demos.FRAMES

NASTY = (
    *("<", ">", "&", '"', "'", "/", "script", "</script>", "<!--", "-->", "]]>", "&quot;"),
    *("\u2028", "\u2029", "\\", "\\u003c", "\0", "\n", "{x}", "é", "한", "😀", "</iframe>"),
)
nasty = st.text() | st.lists(st.sampled_from(NASTY)).map("".join)


class Frames(HTMLParser):
    """Read a page as a browser does: tags with their attributes, and the text within them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._open = dict(attrs).get("id") or tag

    def handle_data(self, data: str) -> None:
        self.texts[self._open] = self.texts.get(self._open, "") + data


def opened(demo: Demo) -> tuple[dict[str, str | None], Frames]:
    """Return the iframe's attributes and the page within it."""
    outer = Frames(demo.html())
    assert [tag for tag, _ in outer.found] == ["iframe"]
    attributes = outer.found[0][1]
    return attributes, Frames(attributes["srcdoc"] or "")


@given(st.recursive(nasty, lambda inner: st.lists(inner) | st.dictionaries(nasty, inner)))
@example("</script><script>alert(1)</script>")
@example("<!--<script>")
@example("\u2028\u2029")
def test_json_survives_a_script_element(value: Any) -> None:
    text = script_json(value)
    assert json.loads(text) == value
    assert not re.search("[<>&\u2028\u2029]", text)


@given(title=nasty, lead=nasty, alt=nasty)
def test_strings_arrive_whole_and_open_no_tag(title: str, lead: str, alt: str) -> None:
    words = {**TABLES["step_size"], "title": title, "lead": lead, "alt": alt}
    plain = demos.step_size()
    demo = Demo(plain.name, words, plain.controls, plain.data)
    attributes, page = opened(demo)
    assert attributes["title"] == title
    tags = [tag for tag, _ in page.found]
    assert tags == ["html", "head", "meta", "meta", "title", "style", "body", "script", "script"]
    received = json.loads(page.texts["payload"])
    assert received["strings"] == {**RUNTIME, **words}


@pytest.mark.parametrize("name", NAMES)
def test_demo_is_self_contained_and_small(name: str) -> None:
    demo = getattr(demos, name)()
    attributes, page = opened(demo)
    assert attributes["sandbox"] == "allow-scripts"
    assert len(demo.html().encode()) <= MAX_BYTES
    text = demo.document()
    assert not re.search(r"\b(src|href)\s*=|https?://|@import|\bimport\s*[({*]|\bfetch\(", text)
    assert demo.params.keys() == {control["name"] for control in demo.controls}
    assert json.loads(page.texts["payload"])["data"] == json.loads(json.dumps(demo.data))


@pytest.mark.parametrize("name", NAMES)
def test_demo_shows_itself_with_a_picture_and_words(name: str) -> None:
    demo = getattr(demos, name)()
    shown, metadata = demo._repr_mimebundle_()
    assert set(shown) == {"text/html", "image/png", "text/plain"}
    assert shown["text/plain"] == demo.alt == metadata["image/png"]["alt"]
    assert len(demo.alt) > 80
    still = demo.still()
    assert still is not None
    assert still.startswith(b"\x89PNG")
    assert len(still) <= 20_000


@pytest.mark.parametrize("name", NAMES)
def test_still_is_of_this_version_of_the_demo(name: str) -> None:
    """When this fails, look at the demo, then run ``python tests/browser/demo_stills.py``."""
    demo = getattr(demos, name)()
    manifest = resources.files("descent.demos") / "stills" / "manifest.json"
    recorded = json.loads(manifest.read_text(encoding="utf-8"))
    assert recorded[demo.name] == fingerprint(demo)


def test_a_demo_too_large_is_refused() -> None:
    plain = demos.step_size()
    demo = Demo(plain.name, plain.strings, plain.controls, {"steps": [0.1] * MAX_BYTES})
    with pytest.raises(ValueError, match="more than 60000"):
        demo.html()


def test_saved_page_is_the_document(tmp_path: Any) -> None:
    demo = demos.kink_explorer(state="x=0.5&h=0.1")
    path = demo.save(tmp_path / "kink.html")
    assert path.read_text(encoding="utf-8") == demo.document()
    assert '"state":"x=0.5\\u0026h=0.1"' in demo.document()


def test_modules_hold_no_text_of_their_own() -> None:
    """Whatever a person reads is passed in, so a string in a module is a key, a name or a unit."""
    folder = resources.files("descent.demos") / "modules"
    for file in sorted(folder.iterdir(), key=lambda found: found.name):
        if not file.name.endswith(".mjs"):
            continue
        code = re.sub(r"^\s*//.*$", "", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for literal in re.findall(r'"((?:[^"\\]|\\.)*)"', code):
            prose = re.search(r"[A-Z]?[a-z]{2,} [a-z]{2,}", literal)
            assert not prose or literal.startswith(("(prefers", "0 0 ")), (file.name, literal)


@pytest.mark.parametrize("name", NAMES)
def test_every_key_is_in_the_table_and_every_entry_is_used(name: str) -> None:
    demo = getattr(demos, name)()
    code = bundle(demo.name)
    used = set(re.findall(r"""\btext\("(\w+)\"""", code)) | {"title", "lead", "alt"}
    words = demo.strings
    assert used <= set(words) | set(RUNTIME)
    assert not set(words) & set(RUNTIME), "a demo would change the frame's own words"
    quoted = set(re.findall(r'"(\w+)"', code)) | used
    values = {control["label"] for control in demo.controls}
    for control in demo.controls:
        values |= {label for _, label in control.get("options", [])}
        values |= {control[key] for key in ("shown", "rated") if key in control}
    unused = {key for key, text in words.items() if key not in quoted and text not in values}
    assert not unused


def test_importing_demos_is_light() -> None:
    code = "import sys, descent.demos; print([m for m in sys.modules if m in sys.argv[1:]])"
    heavy = ["matplotlib", "ipywidgets", "IPython", "scipy", "PIL"]
    run = subprocess.run(
        [sys.executable, "-c", code, *heavy], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_alt_text_stands_in_where_frames_are_stripped() -> None:
    demo = demos.step_size()
    assert Frames(demo.html()).texts["iframe"] == demo.alt
