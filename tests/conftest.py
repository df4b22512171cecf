"""What was skipped is said last; in CI some things may not be skipped at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

# A green run in which no wall was built and no browser opened would prove nothing.
NEVER_SKIPPED_IN_CI = frozenset({"sandbox", "jupyter", "browser", "dask"})

_skips: list[tuple[str, str]] = []


def _in_ci() -> bool:
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")


def _is_skip(report: pytest.TestReport | pytest.CollectReport) -> bool:
    return report.skipped and not hasattr(report, "wasxfail")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: Any = yield
    required = NEVER_SKIPPED_IN_CI & {mark.name for mark in item.iter_markers()}
    if _in_ci() and required and _is_skip(report):
        marks = ", ".join(sorted(required))
        report.outcome = "failed"
        report.longrepr = f"{marks} tests may not be skipped in CI, but: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report: Any = yield
    # A module that skips itself hides its marks: in CI any such module fails.
    if _in_ci() and _is_skip(report):
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skips itself in CI: {_reason(report)}"
    return report


_HOSTILE = "tests/hostile/"
"""Files that share one class of attackers, graded once."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each process whole files, and one of them all that looks at the attacked class."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return _HOSTILE if nodeid.startswith(_HOSTILE) else str(super()._split_scope(nodeid))

    return Scheduling(config, log) if config.option.dist == "loadfile" else None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for report in terminalreporter.stats.get("skipped", []):
        _skips.append((report.nodeid, _reason(report)))


def pytest_unconfigure(config: pytest.Config) -> None:
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput") or config.option.collectonly:
        return
    if not _skips:
        reporter.write_line("Nothing was skipped.")
        return
    reporter.write_line(f"{len(_skips)} skipped:")
    for name, reason in _skips:
        reporter.write_line(f"  {name}: {reason}")
