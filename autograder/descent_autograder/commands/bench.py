"""``descent bench``: what counts, measured side by side."""

from __future__ import annotations

import argparse

from descent_autograder.benchmarks import runner
from descent_autograder.core.errors import Stop


def run(options: argparse.Namespace) -> int:
    """Measure the rows that were named, or all.

    Raises:
        Stop: when a package is missing that only the bench needs.
    """
    try:
        return runner.main(options.names)
    except ModuleNotFoundError as error:
        raise Stop(f"{error}; the bench needs an extra of its own, see CONTRIBUTING") from error
