"""The steps by which a process that is about to run a submission confines itself.

The order matters: namespaces and mounts need capabilities that the process holds only in its own
new user namespace; then these go, then privileges by exec, then system calls.
"""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterable, Mapping
from pathlib import Path

from . import system

HOME = "/home/student"
SCRATCH = (HOME, "/tmp", "/dev/shm")
NAMESPACES = (
    system.CLONE_NEWUSER
    | system.CLONE_NEWPID
    | system.CLONE_NEWNS
    | system.CLONE_NEWNET
    | system.CLONE_NEWIPC
    | system.CLONE_NEWUTS
)
_INSIDE_UID = 1000


def settle_in_namespaces(uid: int, gid: int, scratch_bytes: int, keep: Iterable[str]) -> None:
    """Make a process that was cloned into new namespaces at home there.

    Args:
        uid, gid: who it is outside.
        scratch_bytes: the size of each scratch folder.
        keep: read-only folders that must stay visible although a scratch folder covers them.

    Raises:
        OSError: a step was refused; the process must end.
    """
    system.prctl(system.PR_SET_DUMPABLE, 1)  # else the maps below belong to root
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{_INSIDE_UID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{_INSIDE_UID} {gid} 1")
    kept = {path: os.open(path, os.O_PATH) for path in keep}
    flags = system.MS_NOSUID | system.MS_NODEV
    for folder in SCRATCH:
        system.mount("tmpfs", folder, "tmpfs", flags, f"size={scratch_bytes},nr_inodes=16k")
    for path, descriptor in kept.items():
        os.makedirs(path)
        # With what is mounted in it: without, a user namespace may not uncover what lies below.
        system.mount(f"/proc/self/fd/{descriptor}", path, None, system.MS_BIND | system.MS_REC)
        os.close(descriptor)
    system.mount("proc", "/proc", "proc", flags | system.MS_NOEXEC)


def limit_resources(limits: Mapping[str, float], *, own_user: bool) -> None:
    """Set the limits that the kernel keeps for each process.

    Args:
        limits: as in ``sandbox.Limits``.
        own_user: whether the kernel counts this process's user's processes from zero (in a user
            namespace, or for a user id that nobody else has).
    """
    most_mapped = address_space() + int(limits["memory_bytes"])
    processes = int(limits["processes"]) + (0 if own_user else _processes_of_user())
    cpu = int(limits["notebook_seconds"]) + 5
    for kind, value in (
        (resource.RLIMIT_AS, most_mapped),
        (resource.RLIMIT_FSIZE, int(limits["file_bytes"])),
        (resource.RLIMIT_NOFILE, int(limits["open_files"])),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    with contextlib.suppress(OSError):  # without /proc the kernel's own choice must do
        Path("/proc/self/oom_score_adj").write_text("1000")


def give_up_privileges() -> None:
    """Give up capabilities, and what a program's file could give back."""
    with contextlib.suppress(OSError):
        system.drop_capabilities()
    system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)


def address_space() -> int:
    """Return how many bytes of address space this process uses already."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


def _processes_of_user() -> int:
    """Return how many processes and threads this process's user runs now."""
    uid, total = os.getuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == uid:
                    total += len(os.listdir(f"/proc/{entry.name}/task"))
    return total
