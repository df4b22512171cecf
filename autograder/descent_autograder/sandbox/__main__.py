"""``python -m descent_autograder.sandbox``: says which wall stands here, and tries it."""

from __future__ import annotations

import sys

from .selftest import selftest


def main() -> int:
    """Print the findings; return 0 where submissions can be graded behind a wall."""
    report = selftest()
    print("\n".join(report.lines()))
    return 0 if report.wall else 1


if __name__ == "__main__":
    sys.exit(main())
