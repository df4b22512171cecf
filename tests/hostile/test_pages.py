"""What attackers hand in, opened in a real browser: the feedback, and the instructor's report.

Each page is opened twice: as it is written, and without its content security policy, so that
neither the policy nor the sanitising hides a hole in the other.
"""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import attacked_course
from .attacked_class import Aftermath
from .attacks import ATTACKS

pytestmark = [pytest.mark.sandbox, pytest.mark.browser, pytest.mark.timeout(600)]
_CHROMIUM = runpy.run_path(str(attacked_course.REPOSITORY / "tests" / "browser" / "chromium.py"))
_FAMILY = "script for the reader"
_OPENED = [attack.name for attack in ATTACKS if attack.family == _FAMILY]
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')
_EVENTS = """
for (const type of ["click", "focus", "toggle", "mouseover", "pointerenter"])
    for (const element of document.querySelectorAll("body *"))
        element.dispatchEvent(new Event(type, {bubbles: false}));
const elements = [...document.querySelectorAll("body *")];
const calls = elements.filter(element => ["src", "srcset", "action", "poster", "data", "background"]
    .some(name => !(element.getAttribute(name) || "data:").startsWith("data:")));
const covers = elements.filter(element => getComputedStyle(element).position === "fixed");
const frames = document.querySelectorAll("iframe, object, embed, form, base, body link, body meta");
return [window.hostile || "", document.title,
        [...calls, ...covers, ...frames].map(element => element.outerHTML.slice(0, 200))];
"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A real browser."""
    reason = _CHROMIUM["missing"]()
    if reason:
        pytest.skip(reason)
    with _CHROMIUM["browser"]() as driver:
        yield driver


def _run_of(driver: Any, page: Path) -> tuple[str, str, list[str]]:
    """Open a page, touch everything on it; what scripts have left, and what frames or fetches."""
    driver.get(page.as_uri())
    found, title, odd = driver.execute_script(_EVENTS)
    return found, title, odd


def test_the_browser_would_run_such_scripts(chromium: Any, tmp_path: Path) -> None:
    """Without a defence each of these pages changes its title: the test can fail."""
    from .attacks.browser import _HTML, RUN

    page = tmp_path / "page.html"
    page.write_text(f"<title>x</title>{_HTML[0]}")
    assert _run_of(chromium, page)[:2] == ("run", "hostile")
    page.write_text(f"<title>x</title><details ontoggle={RUN}>x</details>")
    assert _run_of(chromium, page)[0] == "run"


@pytest.mark.parametrize("guarded", [True, False], ids=["as-written", "without-its-policy"])
def test_feedback_runs_no_script_of_a_student(
    guarded: bool, chromium: Any, attacked_class: Aftermath, tmp_path: Path
) -> None:
    for name in _OPENED:
        page = attacked_class.pages[name]
        if not guarded:
            text, found = _POLICY.subn("", page.read_text())
            assert found == 1, name
            page = tmp_path / f"{name}.html"
            page.write_text(text)
        ran, title, odd = _run_of(chromium, page)
        assert (ran, "hostile" in title, odd) == ("", False, []), name


def test_the_class_report_runs_no_script(chromium: Any, attacked_class: Aftermath) -> None:
    page = attacked_class.report.read_text()
    assert "onerror" in page  # the ids of refused folders are shown
    ran, title, odd = _run_of(chromium, attacked_class.report)
    assert (ran, "hostile" in title, odd) == ("", False, [])
