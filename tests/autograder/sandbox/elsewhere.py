"""Runs a Python program as another user, also where the interpreter lies in root's own home.

Used by tests as a script: ``python elsewhere.py UID [ARGUMENT OF PYTHON …]``. As root, in a mount
namespace of its own, the closed folders on the way to the interpreter and to this repository are
covered by open ones that hold nothing but the way there; the machine itself isn't changed.
Any other user stays who he is.
``--no-namespaces`` before UID takes away, for the program and all it starts, the means to make
namespaces, as some distributions and containers do.
"""

import ctypes
import errno
import os
import struct
import sys
import tempfile
from pathlib import Path

from descent_autograder.sandbox.inside import seccomp, system

ROOTS = [os.path.realpath(sys.base_prefix), str(Path(__file__).parents[3]), sys.prefix]
"""The environment last: it mostly lies in the repository, which then is open with it."""


def open_the_way(path: str) -> None:
    """Let everybody reach ``path``, in this mount namespace only."""
    closed = [p for p in reversed(Path(path).parents) if not p.stat().st_mode & 0o001]
    if not closed:
        return
    aside = f"{tempfile.gettempdir()}/way-{os.getpid()}"
    os.makedirs(aside, exist_ok=True)
    system.mount(path, aside, None, system.MS_BIND | MS_REC)
    system.mount("tmpfs", str(closed[0]), "tmpfs", 0, "mode=755")
    os.makedirs(path)
    system.mount(aside, path, None, MS_MOVE)
    os.rmdir(aside)


MS_REC, MS_PRIVATE, MS_MOVE = 16384, 1 << 18, 8192


def forbid_namespaces() -> None:
    """Let every attempt to make a namespace fail, from here on and in all that is started."""
    numbers = {"x86_64": (272, 56, 435), "aarch64": (97, 220, 435)}[system.machine()]
    unshare, clone, clone3 = numbers
    allow, deny = 0x7FFF0000, 0x00050000
    code = [
        (0x20, 0, 0, 0),
        (0x15, 0, 1, unshare),
        (0x06, 0, 0, deny | errno.EPERM),
        (0x15, 0, 1, clone3),
        (0x06, 0, 0, deny | errno.ENOSYS),
        (0x15, 0, 3, clone),
        (0x20, 0, 0, 16),
        (0x45, 0, 1, 0x7E020000),
        (0x06, 0, 0, deny | errno.EPERM),
        (0x06, 0, 0, allow),
    ]
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)
    seccomp.install(b"".join(struct.pack("<HBBI", *one) for one in code))


def become(uid: int) -> None:
    """Become another user, for whom the way to the interpreter is open."""
    if ctypes.CDLL(None, use_errno=True).unshare(system.CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "a mount namespace of its own")
    system.mount("none", "/", None, MS_REC | MS_PRIVATE)
    for root in ROOTS:
        open_the_way(root)
    if uid != 0:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def main(arguments: list[str]) -> None:
    without = arguments[0] == "--no-namespaces"
    uid, *program = arguments[1:] if without else arguments
    if os.geteuid() == 0:
        become(int(uid))
    os.environ.update(PYTHONDONTWRITEBYTECODE="1")
    if without:
        forbid_namespaces()
    os.execv(sys.executable, [sys.executable, *program])


if __name__ == "__main__":
    main(sys.argv[1:])
