"""Make the demos' still pictures: ``python tests/browser/demo_stills.py [NAME …]``.

A still is the demo's picture as headless Chromium shows it, in few colours, at most 20 KB. A
manifest records which version of the demo it was taken from; a test compares them.
"""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import descent.demos
from chromium import browser, resize
from descent.demos.engine import Demo, fingerprint
from PIL import Image

FOLDER = Path(descent.demos.__file__).parent / "stills"
#: The widest that keeps its colours is taken.
WIDTHS = (800, 740, 680)
MAX_BYTES = 20_000


#: Where the picture and what is said about it end: a still needs no controls.
BELOW = "return document.querySelector('.summary').getBoundingClientRect().bottom + 10"


def squeeze(png: bytes, below: float) -> bytes | None:
    """Return the picture in the most colours that fit into the bytes allowed, or None."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture = picture.crop((0, 0, picture.width, round(below)))
    for colors in (64, 48, 32, 28, 24, 20):
        out = io.BytesIO()
        few = picture.quantize(colors, kmeans=4, dither=Image.Dither.NONE)
        few.save(out, "PNG", optimize=True)
        if out.tell() <= MAX_BYTES:
            return out.getvalue()
    return None


def take(driver: Any, page: Path, height: int) -> bytes:
    """Return a still of the page, as wide as its bytes allow."""
    for width in WIDTHS:
        resize(driver, width, height)
        driver.get(page.as_uri())
        time.sleep(1.5)
        still = squeeze(driver.get_screenshot_as_png(), driver.execute_script(BELOW))
        if still:
            return still
    raise ValueError(f"the picture has more than {MAX_BYTES} bytes in twenty colours")


def main(names: list[str]) -> None:
    manifest_path = FOLDER / "manifest.json"
    manifest = json.loads(manifest_path.read_text()) if manifest_path.is_file() else {}
    with browser() as driver, TemporaryDirectory() as folder:
        for name in names or descent.demos.FRAMES:
            demo: Demo = getattr(descent.demos, name)()
            digest = fingerprint(demo)
            if manifest.get(demo.name) == digest and (FOLDER / f"{demo.name}.png").is_file():
                continue
            still = take(driver, demo.save(Path(folder) / "demo.html"), demo.height)
            (FOLDER / f"{demo.name}.png").write_bytes(still)
            manifest[demo.name] = digest
            print(f"{demo.name}: {len(still)} bytes")
    manifest_path.write_text(json.dumps(manifest, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
