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
import socket
import struct

from . import system

_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_X32 = 0x40000000
_NEWEST = 462  # mseal: what comes later isn't known here

# Names follow the kernel's; None where an architecture has no such call.
_FORBIDDEN: dict[str, tuple[int | None, int | None]] = {
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "acct": (163, 89),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "syslog": (103, 116),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "uselib": (134, None),
    "fanotify_init": (300, 262),
    "lookup_dcookie": (212, 18),
    "vhangup": (153, 58),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "mbind": (237, 235),
    "set_mempolicy": (238, 237),
    "personality": (135, 92),
    "mknod": (133, None),
    "mknodat": (259, 33),
}
# Changes of what isn't content, which Landlock doesn't judge. They are said to have worked: copying
# a file sets its mode, and fails when that does.
_PRETENDED: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
}
# What else reaches beyond a process where no namespace keeps it in: System V's and POSIX's message
# queues by number and name, other processes' standing, news of any folder; and messages with
# descriptors, which would keep files where nobody looks for them.
_SHARED: dict[str, tuple[int | None, int | None]] = {
    "shmctl": (31, 195),
    "semctl": (66, 191),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "msgctl": (71, 187),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "mq_unlink": (241, 181),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "inotify_init": (253, None),
    "inotify_init1": (294, 26),
    "inotify_add_watch": (254, 27),
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
}
# These are about the process that the first argument names; 0 is the caller itself.
_OF_ITSELF: dict[str, tuple[int | None, int | None]] = {
    "prlimit64": (302, 261),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
}
# Signals; the first argument is whom to.
_SIGNALS: dict[str, tuple[int | None, int | None]] = {
    "kill": (62, 129),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
}
_SIGNALS_ELSEWHERE: dict[str, tuple[int | None, int | None]] = {
    "tkill": (200, 130),
    "pidfd_send_signal": (424, 424),
}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435
_SOCKET = {"x86_64": 41, "aarch64": 198}
_SOCKETPAIR = {"x86_64": 53, "aarch64": 199}
_CONNECT = {"x86_64": 42, "aarch64": 203}
_IOCTL = {"x86_64": 16, "aarch64": 29}
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_FIOSETOWN, _SIOCSPGRP = 0x8901, 0x8902
_FCNTL = {"x86_64": 72, "aarch64": 25}
# Who is sent a signal when something can be read, and which; leases and news of folders.
_SIGNALLING = {"F_SETOWN": 8, "F_SETSIG": 10, "F_SETOWN_EX": 15, "F_SETLEASE": 1024}
_SIGNALLING["F_NOTIFY"] = 1026
_PRCTL = {"x86_64": 157, "aarch64": 167}
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
    code += _deny_each(_FORBIDDEN, machine, errno.EPERM)
    # clone3 hides its flags behind a pointer; glibc falls back to clone when there is none
    code += _when(_EQUAL, _CLONE3, [_deny(errno.ENOSYS)])
    code += _when(_EQUAL, _CLONE[machine], _argument_test(_ARG0, _ANY_BIT, _NAMESPACES, True))
    code += _when(_EQUAL, _SOCKETPAIR[machine], _only_stream_pairs())
    if own_namespaces:
        only_unix = _argument_test(_ARG0, _EQUAL, socket.AF_UNIX, False)
        code += _when(_EQUAL, _SOCKET[machine], only_unix)
    else:
        for table in (_SOCKET, _CONNECT):
            code += _when(_EQUAL, table[machine], [_deny(errno.EACCES)])
        code += _deny_each(_PRETENDED, machine, 0)
        code += _nothing_shared(machine)
    if signals_to is not None:
        code += _signals_only_to(signals_to, machine)
    for request in (_TIOCSTI, _TIOCLINUX):
        code += _when(_EQUAL, _IOCTL[machine], _argument_test(_ARG1, _EQUAL, request, True))
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


def _deny_each(
    calls: dict[str, tuple[int | None, int | None]], machine: str, reason: int
) -> list[Instruction]:
    """Refuse each of the calls with one reason (0: do nothing, and say that it worked)."""
    code: list[Instruction] = []
    for number in _numbers(calls, machine):
        code += _when(_EQUAL, number, [_deny(reason)])
    return code


def _numbers(calls: dict[str, tuple[int | None, int | None]], machine: str) -> list[int]:
    column = 0 if machine == "x86_64" else 1
    found = (numbers[column] for numbers in calls.values())
    return [number for number in found if number is not None]


def _nothing_shared(machine: str) -> list[Instruction]:
    """Keep a process that has no namespaces of its own from what others share with it."""
    code = _deny_each(_SHARED, machine, errno.EPERM)
    of_itself = _argument_test(_ARG0, _EQUAL, 0, False, errno.EPERM)
    for number in _numbers(_OF_ITSELF, machine):
        code += _when(_EQUAL, number, of_itself)
    for command in _SIGNALLING.values():
        code += _when(_EQUAL, _FCNTL[machine], _argument_test(_ARG1, _EQUAL, command, True))
    for request in (_FIOSETOWN, _SIOCSPGRP):
        code += _when(_EQUAL, _IOCTL[machine], _argument_test(_ARG1, _EQUAL, request, True))
    # Its open files are looked at from outside, which a process can forbid.
    hiding = _argument_test(_ARG0, _EQUAL, system.PR_SET_DUMPABLE, True)
    return code + _when(_EQUAL, _PRCTL[machine], hiding)


def _signals_only_to(pid: int, machine: str) -> list[Instruction]:
    """Allow signals to one process, and to its own group."""
    code = _deny_each(_SIGNALS_ELSEWHERE, machine, errno.EPERM)
    allow: Instruction = (_RETURN, 0, 0, _ALLOW)
    to_itself = [
        (_LOAD, 0, 0, _ARG0),
        (_EQUAL, 2, 0, pid),
        (_EQUAL, 1, 0, 0),
        _deny(errno.EPERM),
        allow,
    ]
    for number in _numbers(_SIGNALS, machine):
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
