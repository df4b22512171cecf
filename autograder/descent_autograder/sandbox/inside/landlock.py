"""Landlock: the second wall, for machines where nobody may make namespaces.

A process that restricts itself keeps, for good, only what a ruleset names: some folders to read,
one scratch folder to write. Landlock doesn't judge changes of modes, owners and times, nor sockets
other than TCP: the filter of system calls does.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

from . import system

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1, 2, 4, 8
_ALL_BY_VERSION = {1: 0x1FFF, 2: 0x3FFF, 3: 0x7FFF, 5: 0xFFFF}
_TCP, _SCOPES = 0x3, 0x3
_PATH_BENEATH, _VERSION = 1, 1
SIGNALS_SINCE = 6
"""The version from which Landlock also keeps signals within its domain."""

_READ = EXECUTE | READ_FILE | READ_DIR
_DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
_FACTS = ("/proc/cpuinfo", "/proc/meminfo")


def version() -> int:
    """Return the kernel's Landlock version, 0 where it has none."""
    try:
        return system.syscall(system.LANDLOCK_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


def ruleset(shown: Iterable[str], hidden: Iterable[str], scratch: str, abi: int) -> int:
    """Return the descriptor of a ruleset.

    Args:
        shown: folders and files to read and execute.
        hidden: what lies below them and isn't to be read; names in folders stay visible.
        scratch: the folder to write.
        abi: the Landlock version to use.

    Raises:
        OSError: the kernel has no Landlock.
    """
    everything = max(rights for since, rights in _ALL_BY_VERSION.items() if since <= abi)
    tcp = _TCP if abi >= 4 else 0
    scopes = _SCOPES if abi >= SIGNALS_SINCE else 0
    attributes = struct.pack("=QQQ", everything, tcp, scopes)
    size = 24 if abi >= SIGNALS_SINCE else 16 if abi >= 4 else 8
    number = system.syscall(system.LANDLOCK_CREATE_RULESET, attributes, size, 0)
    secrets = [os.path.realpath(path) for path in hidden]
    for path in shown:
        _allow_tree(number, os.path.realpath(path), secrets)
    for path in _DEVICES:
        _allow(number, path, READ_FILE | WRITE_FILE)
    for path in _FACTS:
        _allow(number, path, READ_FILE)
    _allow(number, scratch, everything)
    return number


def restrict(number: int) -> None:
    """Keep this process, for good, to a ruleset; needs no_new_privs."""
    system.syscall(system.LANDLOCK_RESTRICT_SELF, number, 0)


def _allow_tree(number: int, path: str, secrets: list[str]) -> None:
    """Show ``path`` but for the secrets below it."""
    if path in secrets or not os.path.exists(path):
        return
    if not any(secret.startswith(path.rstrip("/") + "/") for secret in secrets):
        _allow(number, path, _READ if os.path.isdir(path) else _READ & ~READ_DIR)
        return
    _allow(number, path, READ_DIR)
    for entry in os.scandir(path):
        _allow_tree(number, entry.path, secrets)


def _allow(number: int, path: str, rights: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what isn't there needs no permission
    try:
        rule = struct.pack("=Qi", rights, descriptor)
        buffer = ctypes.create_string_buffer(rule, len(rule))
        pointer = ctypes.c_void_p(ctypes.addressof(buffer))
        system.syscall(system.LANDLOCK_ADD_RULE, number, _PATH_BENEATH, pointer, 0)
    finally:
        os.close(descriptor)
