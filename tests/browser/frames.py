"""How long a demo's frames take: scripting and painting, while something is dragged."""

from __future__ import annotations

import time
from typing import Any

#: Times each animation frame from its first script to the first task after its painting.
STOPWATCH = """
window.frameTimes = [];
const channel = new MessageChannel();
let start = null;
channel.port1.onmessage = () => {
  window.frameTimes.push(performance.now() - start);
  start = null;
};
const request = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (callback) => request((now) => {
  const first = start === null;
  if (first) start = performance.now();
  callback(now);
  if (first) channel.port2.postMessage(null);
});
"""


def mouse(driver: Any, kind: str, x: float, y: float) -> None:
    """Send a real mouse event at a place in the page."""
    event = {"type": kind, "x": x, "y": y, "pointerType": "mouse"}
    held = {"button": "left", "buttons": 1, "clickCount": 1}
    driver.execute_cdp_cmd("Input.dispatchMouseEvent", event | held)


def drag(driver: Any, path: list[tuple[float, float]], pause: float = 0.008) -> None:
    """Press at the first place, move through the others, let go at the last."""
    mouse(driver, "mousePressed", *path[0])
    for place in path[1:]:
        mouse(driver, "mouseMoved", *place)
        time.sleep(pause)
    mouse(driver, "mouseReleased", *path[-1])


def percentile95(times: list[float]) -> float:
    """Return the 95th percentile, the larger of two neighbours."""
    return sorted(times)[min(len(times) - 1, int(0.95 * len(times)))]
