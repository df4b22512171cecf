"""The demos in headless Chromium: by mouse, finger and keyboard, without a network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from descent import demos
from descent.demos.engine import Demo
from descent.demos.strings import RUNTIME

from .chromium import browser, missing
from .frames import drag
from .page import Page, every

pytestmark = pytest.mark.browser

NAMES = demos.FRAMES
STATE = "return document.getElementById('state').value"
SAID = "return document.querySelector('.summary').textContent"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    with browser() as driver:
        yield Page(driver, tmp_path_factory.mktemp("demo"))


@pytest.mark.parametrize("name", NAMES)
def test_opens_quietly_and_asks_for_nothing(name: str, page: Page) -> None:
    page.driver.get_log("performance")
    page.open(every(name))
    time.sleep(0.1)
    assert page.complaints() == []
    messages = [
        json.loads(entry["message"])["message"] for entry in page.driver.get_log("performance")
    ]
    asked = [
        m["params"]["request"]["url"]
        for m in messages
        if m["method"] == "Network.requestWillBeSent"
        and not m["params"]["documentURL"].startswith("chrome:")
    ]
    assert {url.split(":")[0] for url in asked} <= {"file", "about"}
    assert len(page.run(SAID)) > 30


@pytest.mark.parametrize("name", NAMES)
def test_every_slider_and_menu_works_from_the_keyboard(name: str, page: Page) -> None:
    page.open(every(name))
    for number, _ in enumerate(page.all("input[type=range]")):
        node = page.all("input[type=range]")[number]
        label = node.get_attribute("id") or node.get_attribute("aria-label")
        before, value = page.picture(), node.get_attribute("value")
        page.press(node, "ArrowLeft")
        if node.get_attribute("value") == value:
            page.press(node, "ArrowRight")
        assert node.get_attribute("value") != value, label
        page.press(node, "Home")
        low = page.picture()
        page.press(node, "End")
        assert page.picture() != low or low != before, f"{label} changes nothing"
        assert node.get_attribute("aria-valuetext")
    for node in page.all("select"):
        before, value = page.picture(), node.get_attribute("value")
        page.press(node, "ArrowDown")
        if node.get_attribute("value") == value:
            page.press(node, "ArrowUp")
        assert node.get_attribute("value") != value
        page.picture()
    assert page.complaints() == []


@pytest.mark.parametrize("name", NAMES)
def test_points_are_moved_by_keys_mouse_and_finger(name: str, page: Page) -> None:
    page.open(every(name))
    handles = page.all(".handle")
    points = [c for c in every(name).controls if c["kind"] == "point"]
    assert len(handles) == len(points)
    for handle, control in zip(handles, points, strict=True):
        axes = "y" if control.get("axis") == "y" else "x" if control.get("axis") else "xy"

        def moved(act: Any, handle: Any = handle) -> bool:
            before, state, said = (
                page.picture(),
                page.run(STATE),
                handle.get_attribute("aria-label"),
            )
            act()
            after = page.picture()
            changed = page.run(STATE) != state and handle.get_attribute("aria-label") != said
            return changed and after != before

        assert moved(lambda handle=handle: page.press(handle, *["ArrowLeft"] * 3))
        if axes == "xy":
            assert moved(lambda handle=handle: page.press(handle, *["ArrowUp"] * 3))
        x, y = page.centre(handle)
        end = (x, y - 30) if axes == "y" else (x + 40, y - 10)
        assert moved(lambda x=x, y=y, end=end: drag(page.driver, [(x, y), (x + 5, y - 2), end]))
        x, y = page.centre(handle)

        def touch(x: float = x, y: float = y) -> None:
            for kind, places in (
                ("touchStart", [(x, y)]),
                ("touchMove", [(x - 15, y + 8)]),
                ("touchMove", [(x - 30, y + 16)]),
                ("touchEnd", []),
            ):
                points = [{"x": px, "y": py} for px, py in places]
                send = {"type": kind, "touchPoints": points}
                page.driver.execute_cdp_cmd("Input.dispatchTouchEvent", send)

        assert moved(touch)
    assert page.complaints() == []


@pytest.mark.parametrize("name", NAMES)
def test_state_as_text_brings_the_same_picture_back(name: str, page: Page) -> None:
    page.open(every(name))
    for node in page.all(".controls input[type=range]")[:2]:
        page.press(node, "ArrowLeft", "ArrowLeft", "ArrowLeft")
    picture, state = page.picture(), page.run(STATE)
    again = page.open(getattr(demos, name)(state=state))
    assert again.run(STATE) == state
    assert again.picture() == picture
    nonsense = page.open(getattr(demos, name)(state="rate=oops&__proto__=1&=&%%&start=1"))
    assert nonsense.complaints() == []
    assert "NaN" not in nonsense.run(STATE)


@pytest.mark.parametrize("name", [name for name in NAMES if every(name).seconds])
def test_plays_pauses_steps_and_scrubs(name: str, page: Page) -> None:
    page.open(every(name))
    play, back, step = page.all(".transport button")
    scrub = page.all(".transport input")[0]
    last = page.picture()
    page.press(back, "Enter")
    assert page.picture() != last or int(scrub.get_attribute("value")) > 0
    page.press(step, "Enter")
    assert page.picture() == last
    page.press(play, "Enter")
    waited = time.monotonic()
    while scrub.get_attribute("value") in ("0", scrub.get_attribute("max")):
        assert time.monotonic() - waited < 3
    page.press(play, "Enter")
    page.rest()
    at = int(scrub.get_attribute("value"))
    assert 0 < at < int(scrub.get_attribute("max"))
    assert page.picture() != last
    time.sleep(0.3)
    assert int(scrub.get_attribute("value")) == at
    page.press(scrub, "Home")
    page.rest()
    assert scrub.get_attribute("value") == "0"
    assert page.complaints() == []


def test_playing_is_calm_where_motion_is_unwelcome(page: Page) -> None:
    page.alone(every("optimizer_race"), "prefers-reduced-motion", "reduce")
    page.press(page.all(".transport button")[0], "Enter")
    seen = set()
    for _ in range(60):
        seen.add(int(page.all(".transport input")[0].get_attribute("value")))
        time.sleep(0.02)
    assert len(seen) > 1
    last = int(page.all(".transport input")[0].get_attribute("max"))
    assert seen <= {k * last // 8 for k in range(9)}, "eight jumps, and nothing between"


COLLECT = """
window.painted = [];
for (const name of ["fillText", "strokeText"]) {
  const paint = CanvasRenderingContext2D.prototype[name];
  CanvasRenderingContext2D.prototype[name] = function (text, ...rest) {
    window.painted.push([String(text), this.font]);
    return paint.call(this, text, ...rest);
  };
}
"""
WORDS = """
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const words = [];
while (walk.nextNode()) {
  const node = walk.currentNode.parentElement;
  if (node.closest("script")) continue;
  words.push([walk.currentNode.textContent, getComputedStyle(node).fontSize]);
}
for (const node of document.querySelectorAll("[aria-label]")) {
  words.push([node.getAttribute("aria-label"), "14px"]);
}
return [...words, ...window.painted];
"""


@pytest.mark.parametrize("name", NAMES)
def test_all_text_is_passed_in_and_legible(name: str, page: Page) -> None:
    """With every string marked, nothing unmarked is left but numbers; none is under 14 px."""
    plain = every(name)
    marked = {key: f"⟦{text}⟧" for key, text in plain.strings.items()}
    controls = json.loads(json.dumps(list(plain.controls)))
    for control in controls:
        control["label"] = f"⟦{control['label']}⟧"
        control["options"] = [[v, f"⟦{label}⟧"] for v, label in control.get("options", [])]
        for key in ("rated", "shown"):
            if key in control:
                control[key] = f"⟦{control[key]}⟧"
    demo = Demo(plain.name, marked, controls, plain.data, plain.height, plain.seconds)
    words = page.open(demo, first=COLLECT).run(WORDS)
    assert len(words) > 10
    for text, font in words:
        left = text
        while "⟦" in left:
            left = re.sub(r"⟦[^⟦⟧]*⟧", "", left)
        left = re.sub(r"\d+ of \d+", "", left).strip()
        assert left in RUNTIME.values() or re.fullmatch(r"[\d\s.,×⁻⁰¹²³⁴-⁹−∞%NaN]*", left), text
        size = re.search(r"([\d.]+)px", font)
        assert size, font
        assert float(size[1]) >= 14, (text, font)


@pytest.mark.parametrize("width", [700, 800, 1000, 1400])
@pytest.mark.parametrize("name", NAMES)
def test_fits_its_frame(name: str, width: int, page: Page) -> None:
    page.open(every(name), width)
    root = "document.documentElement"
    sizes = page.run(f"return [{root}.scrollHeight, {root}.scrollWidth, innerHeight, innerWidth]")
    assert sizes[0] <= sizes[2], "taller than its frame"
    assert sizes[1] <= sizes[3], "wider than its frame"


LARGER = """
document.addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    style.textContent = "body { font-size: 16.5px !important }";
    document.head.append(style);
});
"""


@pytest.mark.parametrize("name", NAMES)
def test_fits_its_frame_with_a_wider_font(name: str, page: Page) -> None:
    """Systems differ in their fonts: a tenth more must not cut anything off."""
    page.open(every(name), 700, first=LARGER)
    sizes = page.run("return [document.documentElement.scrollHeight, innerHeight]")
    assert sizes[0] <= sizes[1], "taller than its frame"


def test_a_narrow_screen_scrolls_down_and_never_sideways(page: Page) -> None:
    for name in NAMES:
        page.open(every(name), 360)
        root = "document.documentElement"
        assert page.run(f"return {root}.scrollWidth <= innerWidth"), name
        assert page.complaints() == []


@pytest.fixture(scope="session")
def axe() -> str:
    """Axe's script, installed from the workshop's lock by `make lint` or here."""
    tools = Path(__file__).parents[2] / "tools"
    script = tools / "js" / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed (Debian's package is npm)")
        subprocess.run([tools / "setup-js"], check=True, timeout=120)
    return script.read_text(encoding="utf-8")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", NAMES)
def test_axe_finds_nothing(name: str, theme: str, page: Page, axe: str) -> None:
    page.alone(every(name), "prefers-color-scheme", theme)
    page.run("for (const node of document.querySelectorAll('details')) node.open = true")
    page.run(axe)
    found = page.driver.execute_async_script(
        "const done = arguments[0];"
        "axe.run({resultTypes: ['violations']}).then((result) => done(result.violations));"
    )
    told = [f"{v['impact']} {v['id']}: {v['nodes'][0]['html'][:120]}" for v in found]
    assert not told
