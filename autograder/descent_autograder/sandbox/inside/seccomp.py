"""A filter of system calls, written out as BPF by hand: no library has to be found inside.

Students' code may do what honest notebooks do: compute, read and write its own files, start
threads and programs. It may not make or enter namespaces, mount, trace or read other processes,
reach the network or the kernel's own stores (keys, BPF, performance events, io_uring), or keep
memory that no limit counts. System calls of another architecture, and those newer than this list,
don't exist for it.
"""

from __future__ import annotations

import ctypes
import errno
import json
import socket
import struct
from pathlib import Path

from . import system

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000
_NEWEST = 462  # mseal: what comes later isn't known here

_MACHINES = ("x86_64", "aarch64")
Calls = dict[str, list[int | None]]
"""System calls by the kernel's name: each machine's number, or None where it has no such call."""


def _calls() -> dict[str, Calls]:
    """The table of system calls, by what the filter does about them.

    forbidden: refused, whatever stands around the process.
    pretended: changes of what isn't content, which Landlock doesn't judge. They are said to have
        worked: copying a file sets its mode, and fails when that does.
    shared: what else reaches beyond a process where no namespace keeps it in: System V's and
        POSIX's message queues by number and name, other processes' standing, news of any folder;
        and messages with descriptors, which would keep files where nobody looks for them.
    of_itself: about the process that the first argument names; 0 is the caller itself.
    signals, signals_elsewhere: the former's first argument is whom to.
    judged: allowed or refused by an argument.
    """
    tables: dict[str, Calls] = json.loads(Path(__file__).with_name("system_calls.json").read_text())
    return tables


_TABLES = _calls()
_CLONE3 = 435
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902
# Who is sent a signal when something can be read, and which; leases and news of folders.
_SIGNALLING = {"F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15, "F_SETLEASE": 1024}
_SIGNALLING["F_NOTIFY"] = 1026
_NAMESPACES = 0x7E020080  # every CLONE_NEW… flag
_NR, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24

Instruction = tuple[int, int, int, int]
_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06


def program(machine: str, *, own_namespaces: bool, signals_to: int | None = None) -> bytes:
    """Return the filter for ``machine`` as the kernel wants it.

    Args:
        machine: ``"x86_64"`` or ``"aarch64"``.
        own_namespaces: whether the process has namespaces of its own. Without them no socket may
            be made but pairs, no file's mode, owner or time be changed, and nothing that the
            machine's processes share be touched.
        signals_to: the only process that signals may go to, where nothing else keeps them in.
    """
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH),
        (_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NR),
    ]
    if machine == "x86_64":
        code += _when(_ANY_BIT, _X32, [_deny(errno.ENOSYS)])
    code += _when(_ABOVE, _NEWEST, [_deny(errno.ENOSYS)])
    code += _deny_each(_TABLES["forbidden"], machine, errno.EPERM)
    # clone3 hides its flags behind a pointer; glibc falls back to clone when there is none
    code += _when(_EQUAL, _CLONE3, [_deny(errno.ENOSYS)])
    code += _when_called("clone", machine, _argument_test(_ARG0, _ANY_BIT, _NAMESPACES, True))
    code += _when_called("socketpair", machine, _only_stream_pairs())
    if own_namespaces:
        only_unix = _argument_test(_ARG0, _EQUAL, socket.AF_UNIX, False)
        code += _when_called("socket", machine, only_unix)
    else:
        for name in ("socket", "connect"):
            code += _when_called(name, machine, [_deny(errno.EACCES)])
        code += _deny_each(_TABLES["pretended"], machine, 0)
        code += _nothing_shared(machine)
    if signals_to is not None:
        code += _signals_only_to(signals_to, machine)
    for request in (_TIOCSTI, _TIOCLINUX):
        code += _when_called("ioctl", machine, _argument_test(_ARG1, _EQUAL, request, True))
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in code)


def install(filter_: bytes) -> None:
    """Let the kernel apply ``filter_`` to this process for ever; needs no_new_privs.

    Raises:
        OSError: the kernel has no seccomp filters.
    """
    buffer = ctypes.create_string_buffer(filter_, len(filter_))
    head = struct.pack("@HP", len(filter_) // 8, ctypes.addressof(buffer))
    argument = ctypes.create_string_buffer(head, len(head))
    pointer = ctypes.c_void_p(ctypes.addressof(argument))
    system.prctl(system.PR_SET_SECCOMP, system.SECCOMP_MODE_FILTER, pointer)


def _deny(reason: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | reason)


def _deny_each(calls: Calls, machine: str, reason: int) -> list[Instruction]:
    """Refuse each of the calls with one reason (0: do nothing, and say that it worked)."""
    code: list[Instruction] = []
    for number in _numbers(calls, machine):
        code += _when(_EQUAL, number, [_deny(reason)])
    return code


def _numbers(calls: Calls, machine: str) -> list[int]:
    column = _MACHINES.index(machine)
    found = (numbers[column] for numbers in calls.values())
    return [number for number in found if number is not None]


def _when_called(name: str, machine: str, then: list[Instruction]) -> list[Instruction]:
    """Do ``then`` for a call that is judged by its arguments."""
    (number,) = _numbers({name: _TABLES["judged"][name]}, machine)
    return _when(_EQUAL, number, then)


def _nothing_shared(machine: str) -> list[Instruction]:
    """Keep a process that has no namespaces of its own from what others share with it."""
    code = _deny_each(_TABLES["shared"], machine, errno.EPERM)
    of_itself = _argument_test(_ARG0, _EQUAL, 0, False, errno.EPERM)
    for number in _numbers(_TABLES["of_itself"], machine):
        code += _when(_EQUAL, number, of_itself)
    for command in _SIGNALLING.values():
        code += _when_called("fcntl", machine, _argument_test(_ARG1, _EQUAL, command, True))
    for request in (_FIOSETOWN, _SIOCSPGRP):
        code += _when_called("ioctl", machine, _argument_test(_ARG1, _EQUAL, request, True))
    # Its open files are looked at from outside, which a process can forbid.
    hiding = _argument_test(_ARG0, _EQUAL, system.PR_SET_DUMPABLE, True)
    return code + _when_called("prctl", machine, hiding)


def _signals_only_to(pid: int, machine: str) -> list[Instruction]:
    """Allow signals to one process, and to its own group."""
    code = _deny_each(_TABLES["signals_elsewhere"], machine, errno.EPERM)
    allow: Instruction = (_RETURN, 0, 0, _ALLOW)
    to_itself = [
        (_LOAD, 0, 0, _ARG0),
        (_EQUAL, 2, 0, pid),
        (_EQUAL, 1, 0, 0),
        _deny(errno.EPERM),
        allow,
    ]
    for number in _numbers(_TABLES["signals"], machine):
        code += _when(_EQUAL, number, to_itself)
    return code


def _when(test: int, value: int, then: list[Instruction]) -> list[Instruction]:
    """Do ``then`` where the loaded word passes the test, else go on behind it."""
    return [(test, 0, len(then), value), *then]


def _argument_test(
    arg: int, test: int, value: int, deny: bool, reason: int | None = None
) -> list[Instruction]:
    """Deny when the low word of an argument passes the test (or fails it), else allow.

    The flags and numbers tested here live in the low word; the kernel ignores the high one.
    """
    refuse = _deny(reason or (errno.EPERM if deny else errno.EACCES))
    allow: Instruction = (_RETURN, 0, 0, _ALLOW)
    if not deny:
        return [(_LOAD, 0, 0, arg), (test, 1, 0, value), refuse, allow]
    # what isn't denied goes on to the next rule for the same call
    return [(_LOAD, 0, 0, arg), (test, 0, 1, value), refuse, (_LOAD, 0, 0, _NR)]


def _only_stream_pairs() -> list[Instruction]:
    """Allow pairs of stream sockets: a datagram socket of a pair could be sent elsewhere."""
    return [
        (_LOAD, 0, 0, _ARG1),
        (_AND, 0, 0, 0xF),
        (_EQUAL, 1, 0, int(socket.SOCK_STREAM)),
        _deny(errno.EACCES),
        (_RETURN, 0, 0, _ALLOW),
    ]
