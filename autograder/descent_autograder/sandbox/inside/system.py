"""The few system calls that Python's library doesn't offer, through the C library."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable

_LIBC = ctypes.CDLL(None, use_errno=True)
# PyDLL keeps the interpreter's lock during the call: a clone()d child must wake up holding it.
_LIBC_LOCKED = ctypes.PyDLL(None, use_errno=True)

NUMBERS: dict[str, dict[str, int]] = {
    "x86_64": {"clone": 56, "capset": 126},
    "aarch64": {"clone": 220, "capset": 91},
}
LANDLOCK_CREATE_RULESET, LANDLOCK_ADD_RULE, LANDLOCK_RESTRICT_SELF = 444, 445, 446

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x00020000, 0x04000000, 0x08000000
CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC = 1, 2, 4, 8, 4096, 16384
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP = 1, 4, 22, 24
PR_SET_NO_NEW_PRIVS, PR_SET_CHILD_SUBREAPER = 38, 36
SECCOMP_MODE_FILTER = 2
SIGCHLD = 17


def machine() -> str:
    """Return the processor's name; raises OSError where the walls don't know it."""
    name = platform.machine()
    if name not in NUMBERS:
        raise OSError(f"no wall is known for a {name} processor")
    return name


def syscall(number: int, *args: int | bytes | ctypes.c_void_p | None) -> int:
    """Make a system call; raises OSError with the kernel's reason."""
    result = int(_LIBC.syscall(ctypes.c_long(number), *[_word(arg) for arg in args]))
    return _checked(result, f"system call {number}")


def prctl(option: int, *args: int | ctypes.c_void_p) -> int:
    """Set something about this process; raises OSError."""
    words = [_word(arg) for arg in args] + [ctypes.c_ulong(0)] * (4 - len(args))
    return _checked(int(_LIBC.prctl(ctypes.c_int(option), *words)), f"prctl {option}")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Mount something; raises OSError."""
    result = _LIBC.mount(
        source.encode(),
        target.encode(),
        kind.encode() if kind else None,
        ctypes.c_ulong(flags),
        options.encode(),
    )
    _checked(int(result), f"mounting {target}")


def fork_into(flags: int) -> int:
    """Fork with ``clone`` flags (new namespaces); return 0 in the child, its pid in the parent.

    Python's own preparations and repairs around a fork are made, as ``os.fork`` makes them.
    """
    python = ctypes.pythonapi
    number = ctypes.c_long(NUMBERS[machine()]["clone"])
    words = [ctypes.c_ulong(flags | SIGCHLD)] + [ctypes.c_ulong(0)] * 4
    python.PyOS_BeforeFork()
    pid = int(_LIBC_LOCKED.syscall(number, *words))
    if pid == 0:
        python.PyOS_AfterFork_Child()
    else:
        python.PyOS_AfterFork_Parent()
    return _checked(pid, "a process in namespaces of its own")


def drop_capabilities() -> None:
    """Give up every capability for good, also across exec; raises OSError."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    for capability in range(64):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError:
            break  # the kernel knows no more, or there were none to begin with
    result = _LIBC.syscall(ctypes.c_long(NUMBERS[machine()]["capset"]), header, nothing)
    _checked(int(result), "giving up capabilities")


def close_all_but(keep: int) -> None:
    """Close every descriptor above 2 but ``keep``."""
    closerange: Callable[[int, int], None] = os.closerange
    closerange(3, keep)
    closerange(keep + 1, os.sysconf("SC_OPEN_MAX") if keep < 1 << 16 else keep + 2)


def _word(arg: int | bytes | ctypes.c_void_p | None) -> object:
    return ctypes.c_ulong(arg) if isinstance(arg, int) else arg


def _checked(result: int, what: str) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
