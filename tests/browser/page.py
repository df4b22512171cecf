"""A page that shows one demo, and what a person does with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from descent import demos
from descent.demos.engine import Demo

from .chromium import resize

PICTURE = "return document.querySelector('canvas[role=img]').toDataURL()"
PLACE = """
const box = arguments[0].getBoundingClientRect();
return [box.left, box.top, box.width, box.height];
"""


def every(name: str) -> Demo:
    demo: Demo = getattr(demos, name)()
    return demo


class Page:
    """A page that embeds one demo, as a notebook or an exported lesson does."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver = driver
        self.file = folder / "page.html"

    def alone(self, demo: Demo, feature: str, value: str) -> Page:
        """Open the demo as a page of its own for somebody with a preference."""
        self.driver.switch_to.default_content()
        features = [{"name": feature, "value": value}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        resize(self.driver, 900, demo.height)
        self.driver.get(demo.save(self.file).as_uri())
        assert self.run(f"return matchMedia('({feature}: {value})').matches")
        self.rest()
        return self

    def open(self, demo: Demo, width: int = 900, first: str = "") -> Page:
        """Open the demo; ``first`` is a script that runs in its frame before its own."""
        frame = demo.html()
        if first:
            script = f"<head><script>{first}</script>".replace("&", "&amp;").replace("'", "&#39;")
            frame = frame.replace("<head>", script, 1)
        self.driver.switch_to.default_content()
        resize(self.driver, width + 16, demo.height + 40)
        self.file.write_text(
            "<!doctype html><meta charset=utf-8><title>A lesson</title>"
            f"<body style='margin:8px'>{frame}",
            encoding="utf-8",
        )
        self.driver.get_log("browser")
        self.driver.get(self.file.as_uri())
        self.driver.switch_to.frame(0)
        self.rest()
        return self

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def rest(self) -> None:
        """Wait for what was asked for to be drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0];"
            "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)));"
        )

    def picture(self) -> str:
        self.rest()
        picture: str = self.run(PICTURE)
        return picture

    def all(self, selector: str) -> list[Any]:
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def press(self, node: Any, *keys: str) -> None:
        """Focus ``node`` and press keys, as the keyboard would."""
        self.run("arguments[0].focus()", node)
        codes = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        codes |= {"End": 35, "Home": 36, "Enter": 13}
        for key in keys:
            event = {"key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
            text = {"text": "\r"} if key == "Enter" else {}
            for kind in ("keyDown", "keyUp"):
                send = {"type": kind, **event, **(text if kind == "keyDown" else {})}
                self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", send)

    def centre(self, node: Any) -> tuple[float, float]:
        """Where ``node`` is in the whole page: the frame begins 9 pixels in."""
        self.run("arguments[0].scrollIntoView({block: 'nearest'})", node)
        left, top, width, height = self.run(PLACE, node)
        return left + width / 2 + 9, top + height / 2 + 9

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]
