"""What each subcommand of ``descent`` does: one module each, with ``run(options)``."""

from __future__ import annotations

import argparse
import errno
import importlib
import sys

from descent_autograder.core.errors import DescentError, Stop

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_RUNNING_ANSWERS = frozenset({"demo", "grade", "judge"})


def run(options: argparse.Namespace) -> int:
    """Run the subcommand that was asked for.

    Args:
        options: what the command line said; its ``command`` is the name of a module here.

    Returns:
        The exit status.

    Raises:
        DescentError: when the command can't go on; the message says why, and what to do.
    """
    if options.command in _RUNNING_ANSWERS and sys.platform != "linux":
        raise Stop(
            "grading needs Linux (or WSL 2 on Windows): there is no sandbox elsewhere, and without "
            "one (--unsafe) its processes still use what only Linux has"
        )
    # Only now, so that each command imports no more than it needs.
    command = importlib.import_module(f"{__name__}.{options.command}")
    try:
        return int(command.run(options))
    except OSError as error:
        sys.stdout.flush()
        if isinstance(error, PermissionError):
            raise Stop(str(error)) from error
        if error.errno in _NO_ROOM:
            raise Stop(f"{error}; make room and give the same command again") from error
        raise
    except DescentError:
        sys.stdout.flush()  # so that what was said before stands before it
        raise
