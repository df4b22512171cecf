"""The failures that a person can do something about, each with its exit status."""

from __future__ import annotations


class DescentError(Exception):
    """A command can't go on; the message says in one line why, and what to do."""

    exit_status = 1


class WrongCall(DescentError):
    """The arguments fit the grammar, but not the world."""

    exit_status = 2


class Stop(DescentError):
    """The command can't go on."""
