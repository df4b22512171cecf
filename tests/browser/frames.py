"""How long a demo's frames take: scripting and painting, while something is dragged."""

from __future__ import annotations

import json
import time
import urllib.request
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import websocket

from .page import PLACE, Page, every

#: The events that say where a frame begins and how long each task of a thread took.
CATEGORIES = ["devtools.timeline", "toplevel"]


@contextmanager
def traced(driver: Any) -> Iterator[list[float]]:
    """Trace the browser meanwhile; afterwards the list holds the milliseconds of each frame.

    A frame's cost is everything that the page's main thread did for it: events, scripts, layout,
    painting, collecting garbage. It is measured in the thread's own processor time, so that
    other programs on the machine don't count.
    """
    frames: list[float] = []
    address = driver.capabilities["goog:chromeOptions"]["debuggerAddress"]
    with urllib.request.urlopen(f"http://{address}/json/version") as reply:
        url = json.load(reply)["webSocketDebuggerUrl"]
    socket = websocket.create_connection(url, timeout=60, suppress_origin=True)
    try:
        config = {"includedCategories": CATEGORIES, "excludedCategories": ["*"]}
        start = {"transferMode": "ReportEvents", "traceConfig": config}
        socket.send(json.dumps({"id": 1, "method": "Tracing.start", "params": start}))
        while json.loads(socket.recv()).get("id") != 1:
            pass
        yield frames
        socket.send(json.dumps({"id": 2, "method": "Tracing.end"}))
        events: list[dict[str, Any]] = []
        while True:
            message = json.loads(socket.recv())
            if message.get("method") == "Tracing.dataCollected":
                events += message["params"]["value"]
            if message.get("method") == "Tracing.tracingComplete":
                break
        frames += frame_costs(events)
    finally:
        socket.close()


def frame_costs(events: list[dict[str, Any]]) -> list[float]:
    """Return the milliseconds of processor time per frame, from a trace's events."""
    whole = [event for event in events if event.get("ph") == "X"]
    threads = Counter(
        (event["pid"], event["tid"]) for event in whole if event["name"] == "FireAnimationFrame"
    )
    ((thread, _),) = threads.most_common(1)
    mine = [event for event in whole if (event["pid"], event["tid"]) == thread]
    starts = sorted(event["ts"] for event in mine if event["name"] == "FireAnimationFrame")
    tasks = [event for event in mine if event["name"].endswith("RunTask")]
    costs = [0.0] * len(starts)
    for task in tasks:
        # A task belongs to the first frame that begins within it or after it.
        frame = bisect_left(starts, task["ts"])
        if frame < len(starts):
            costs[frame] += task.get("tdur", 0) / 1000
    return costs


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


def movable(page: Page) -> list[Any]:
    """What is dragged when frames are timed: not the scrub bar."""
    return [
        *page.all(".controls input[type=range], .rules input[type=range]"),
        *page.all(".handle"),
    ]


def drag_about(page: Page, node: Any) -> None:
    """Drag ``node`` to and fro for a while."""
    left, _, width, _ = page.run(PLACE, node)
    x, y = page.centre(node)
    if node.get_attribute("type") == "range":
        path = [(left + 19 + (width - 20) * abs((k / 20) % 2 - 1), y) for k in range(61)]
    else:
        ways = [(60 * ((k / 15) % 2 - 1), 30 * ((k / 20) % 2 - 1)) for k in range(60)]
        path = [(x, y), *((x + dx, y + dy) for dx, dy in ways)]
    drag(page.driver, path)
    page.rest()


def frame_times(name: str, page: Page) -> dict[str, float]:
    """The 95th percentile of a demo's frames in milliseconds, by the control that is dragged."""
    page.open(every(name))
    found = {}
    for number in range(len(movable(page))):
        page.open(every(name))
        node = movable(page)[number]
        label = str(node.get_attribute("id"))
        with traced(page.driver) as frames:
            drag_about(page, node)
        found[label] = percentile95(frames)
    return found
