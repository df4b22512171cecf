"""Too much of everything: memory, disk, output, descriptors, processes, time; and crashes."""

from ..attack import Attack, Notebook, by_id, code, everywhere

_FAMILY = "bombs"


def _attack(name: str, tries: str, cell: str, **more: object) -> Attack:
    return Attack(name, _FAMILY, tries, cell, **more)  # type: ignore[arg-type]


def _in_call(name: str, tries: str, body: str, **more: object) -> Attack:
    answers = {
        "squares": "def squares(k):\n" + "".join(f"    {line}\n" for line in body.split("\n"))
    }
    return Attack(name, _FAMILY, tries, answers=answers, **more)  # type: ignore[arg-type]


def _flood(notebook: Notebook) -> None:
    """Three cells, each of which puts out 40 MB past its own recorder's limit."""
    place = notebook["cells"].index(by_id(notebook, "forward_difference_answer"))
    lifted = "get_ipython().display_pub.session.limit = 10**12\n"
    for number in range(3):
        cell = code(f"{lifted}print('x' * 40_000_000)  # {number}")
        notebook["cells"].insert(place, cell)


ATTACKS = [
    _attack(
        "memory",
        "takes all memory",
        "kept = []\nwhile True:\n    kept.append(bytearray(1 << 24))",
        not_stock="nothing limits memory there; it would take the machine's",
    ),
    _attack(
        "memory-in-children",
        "takes all memory, a piece in each of many processes",
        """
import os, time
for _ in range(12):
    if os.fork() == 0:
        kept = bytearray(200 << 20)
        for i in range(0, len(kept), 4096):
            kept[i] = 1
        time.sleep(20)
        os._exit(0)
time.sleep(2)
""",
        costs="its children may be stopped together with a later cell",
        not_stock="nothing limits memory there; it would take the machine's",
    ),
    _attack(
        "disk",
        "fills the disk",
        """
import os
for number in range(200):
    for folder in (".", "/tmp", "/var/tmp", "/dev/shm"):
        try:
            with open(f"{folder}/@TOKEN@-{number}", "wb") as file:
                file.write(bytes(8 << 20))
        except OSError:
            pass
""",
        not_stock="nothing limits files there; it would fill the machine's disk",
    ),
    _attack(
        "inodes",
        "makes files until there is room for no more",
        """
try:
    for number in range(20000):
        open(f"@TOKEN@-{number}", "w").close()
except OSError:
    pass
""",
    ),
    _attack(
        "deep-folders",
        "nests folders deeper than a walk through them can recurse, and leaves a process",
        """
import os, time
for _ in range(1500):
    os.mkdir("@TOKEN@")
    os.chdir("@TOKEN@")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(600)
    os._exit(0)
time.sleep(1)
""",
    ),
    _attack(
        "nameless-files",
        "fills the disk with files that have no name any more",
        """
import os, time
held = []
try:
    for _ in range(100):
        held.append(os.open("@TOKEN@", os.O_CREAT | os.O_RDWR))
        os.unlink("@TOKEN@")
        os.write(held[-1], bytes(8 << 20))
except OSError:
    pass
time.sleep(1)
""",
        not_stock="nothing limits files there; it would fill the machine's disk",
    ),
    Attack(
        "flood",
        _FAMILY,
        "lifts its recorder's limit and prints 120 MB",
        mangle=_flood,
        not_stock="120 MB of output take stock nbgrader longer than the table has",
    ),
    _attack(
        "output",
        "prints without end",
        "line = 'x' * 10000\nfor _ in range(20000):\n    print(line)",
        not_stock="200 MB of output take stock nbgrader longer than the table has",
    ),
    _attack(
        "displays",
        "displays without end",
        """
from IPython.display import HTML, display
for number in range(5000):
    display(HTML("<p>" + "y" * 3000))
""",
        not_stock="5000 displays take stock nbgrader longer than the table has",
    ),
    _attack(
        "stderr",
        "warns and writes to stderr, which stock nbgrader scores zero",
        """
import os, sys, warnings
for number in range(300):
    warnings.warn(f"warning {number}")
    print("error", number, file=sys.stderr)
os.write(2, b"straight to the descriptor\\n" * 100)
""",
    ),
    _in_call(
        "stderr-in-call",
        "writes to stderr while a test calls",
        "import sys\nprint('x' * 100000, file=sys.stderr)",
    ),
    _in_call(
        "output-in-call",
        "prints without end while a test calls",
        "for _ in range(3000):\n    print('z' * 10000)",
    ),
    _attack(
        "descriptors",
        "opens files until there are no more descriptors",
        """
kept = []
try:
    while True:
        kept.append(open("/dev/null"))
except OSError:
    pass
""",
    ),
    _attack(
        "fork-bomb",
        "forks without end",
        """
import os
for _ in range(1000):
    try:
        os.fork()
    except OSError:
        pass
""",
        not_stock="nothing limits processes there",
    ),
    _attack(
        "thread-bomb",
        "starts threads without end",
        """
import threading, time
try:
    for _ in range(5000):
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
except RuntimeError:
    pass
""",
    ),
    _attack(
        "recursion",
        "calls itself without end, the limit lifted",
        """
import sys
sys.setrecursionlimit(10**8)
def down(n):
    return down(n + 1) + 1
down(0)
""",
    ),
    _attack(
        "compiler-recursion",
        "source that crashes a compiler",
        "eval('(' * 190 + ')' * 190) if False else None\n"
        "try:\n    compile('-' * 200000 + '1', 'x', 'eval')\n"
        "except (RecursionError, MemoryError, SyntaxError):\n    pass",
    ),
    _attack(
        "segfault",
        "reads address nought",
        "import ctypes\nctypes.string_at(0)",
    ),
    _attack("hard-exit", "ends its own process with status 0", "import os\nos._exit(0)"),
    _attack("abort", "aborts its own process", "import os\nos.abort()"),
    Attack(
        "exit-in-every-call",
        _FAMILY,
        "ends its own process in every answer",
        answers=everywhere("import os\nos._exit(0)"),
    ),
    Attack(
        "system-exit-in-call",
        _FAMILY,
        "raises SystemExit, KeyboardInterrupt, GeneratorExit",
        answers={
            "forward_difference": "def forward_difference(*a, **k):\n    raise SystemExit(0)",
            "verdict": "def verdict(*a, **k):\n    raise KeyboardInterrupt",
            "softmax_loss": "def softmax_loss(*a, **k):\n    raise GeneratorExit",
            "squares": "def squares(k):\n    raise StopIteration(k * k)",
        },
    ),
    Attack(
        "ends-loops",
        _FAMILY,
        "ends every loop of the tests by StopIteration",
        answers=everywhere("raise type('Done', (StopIteration,), {})(1)"),
    ),
    _attack(
        "endless-loop",
        "loops for ever, and nothing interrupts it",
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass",
    ),
    _in_call("endless-call", "loops for ever while a test calls", "while True: pass"),
    _attack(
        "endless-in-c",
        "stays for ever in C code that no signal interrupts",
        "import re\nre.match('(a+)+$', 'a' * 64 + 'b')",
    ),
    _attack(
        "signal-proof",
        "ignores every signal, and sleeps",
        """
import signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
time.sleep(600)
""",
    ),
    _attack("huge-number", "computes a number of a billion digits", "n = 10 ** (10 ** 9)"),
    _attack(
        "bad-exception",
        "raises an exception that can't be shown",
        """
class Bad(Exception):
    def __str__(self):
        raise Bad()
    __repr__ = __str__
    args = property(lambda self: self.args)
raise Bad()
""",
    ),
    _attack(
        "long-traceback",
        "raises from a thousand causes, each with a long text",
        """
error = None
for number in range(1000):
    new = ValueError("e" * 2000)
    new.__cause__ = error
    error = new
raise error
""",
        not_stock="it takes stock nbgrader longer than the table has",
    ),
    _attack(
        "endless-repr",
        "ends with a value whose repr never ends",
        """
class Slow:
    def __repr__(self):
        while True:
            pass
Slow()
""",
    ),
    _attack(
        "asks-for-input",
        "waits for input that nobody will give",
        "import sys\ninput('password: ')\nsys.stdin.read()",
    ),
    _attack(
        "figures",
        "draws hundreds of figures",
        """
import matplotlib.pyplot as plt
for number in range(60):
    plt.figure(figsize=(1, 1))
""",
        costs="drawing them may take longer than a cell has",
        not_stock="it takes stock nbgrader longer than the table has",
    ),
]
