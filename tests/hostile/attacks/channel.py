"""The judging channel is written by hand: forged, malformed, huge, slow and endless replies."""

from collections.abc import Sequence

from ..attack import Attack, everywhere

_FAMILY = "judging channel"
_NO_CHANNEL = "there is no judging channel"

_PEER = """
import gc, os, socket, struct, sys, time
peer = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Peer")
def asked():
    caller = sys._getframe()
    while caller.f_code.co_name != "_answer":
        caller = caller.f_back
    return caller.f_locals["number"]
def frame(body):
    return struct.pack("<IcI", len(body) + 5, b"R", asked()) + body
def reply(body):
    peer.sock.sendall(frame(b"\\0" + body))
"""

_RUN = """
import gc, itertools
junk = itertools.cycle([@JUNK@])
for thing in gc.get_objects():
    if type(thing).__name__ == "Student":
        inner = type(thing).run
        def run(self, source, count):
            inner(self, source, count)
            return next(junk)
        type(thing).run = run
"""
_NO_OUTPUTS = ["None", "7", "([], None, 1)", "({}, {})", "('x', None)", "([1, None], None)"]
_ODD_ENDS = [
    "([], 7)",
    "([], {})",
    "([], {'ename': 7, 'evalue': None, 'traceback': 5})",
    "([], {'ename': 'x' * 10**6, 'evalue': [], 'traceback': [None, 1, {}]})",
    "([], [])",
]
_ODD_OUTPUTS = [
    "([{}], None)",
    "([{'output_type': 'bogus'}], None)",
    "([{'output_type': 'stream', 'name': 'evil', 'text': 5}], None)",
    "([{'output_type': 'stream'}], None)",
    "([{'output_type': 'display_data', 'data': 5, 'metadata': []}], None)",
    "([{'output_type': 'display_data', 'data': {'text/plain': 5, 7: None}, 'metadata': {}}], None)",
    "([{'output_type': 'execute_result', 'data': {'text/plain': float('nan')}}], None)",
    "([{'output_type': 'error', 'ename': 1, 'evalue': 2, 'traceback': 'x'}], None)",
    "([{'output_type': 'display_data', 'data': {'text/plain': '\\ud800\\0'}, 'metadata': {}}],"
    " None)",
    "([{'output_type': 'update_display_data', 'transient': {'display_id': []}}], None)",
    "([{'output_type': 'display_data', 'data': {'a/b+json': b'x'}, 'metadata': {'x': {1j: 2}}}],"
    " None)",
]


def _says_of_cells(name: str, tries: str, junk: list[str]) -> Attack:
    cell = _RUN.replace("@JUNK@", ", ".join(junk))
    return Attack(name, _FAMILY, tries, cell, not_stock=_NO_CHANNEL)


def _in_call(
    name: str, tries: str, body: str, tasks: Sequence[str] = ("verdict", "squares")
) -> Attack:
    answers = {task: text for task, text in everywhere(body).items() if task in tasks}
    return Attack(name, _FAMILY, tries, _PEER, answers, not_stock=_NO_CHANNEL)


ATTACKS = [
    _in_call(
        "garbage",
        "answers a call with random bytes",
        "peer.sock.sendall(os.urandom(4096))\ntime.sleep(600)",
    ),
    _in_call(
        "huge-length",
        "announces a message of four gigabytes",
        "peer.sock.sendall(b'\\xff\\xff\\xff\\xffR')\ntime.sleep(600)",
    ),
    _in_call(
        "zero-length",
        "announces a message of nothing",
        "peer.sock.sendall(bytes(400))\ntime.sleep(600)",
    ),
    _in_call(
        "forged-verdict",
        "forges a verdict as the reply",
        "reply(peer.codec.encode({'verdicts': [{'score': 100, 'passed': True}],"
        " 'ended': None, 'messages': []}))",
    ),
    _in_call(
        "many-replies",
        "answers one call a thousand times",
        "for _ in range(1000):\n    reply(peer.codec.encode(9))",
    ),
    _in_call(
        "replies-ahead",
        "answers the calls to come, before they are made",
        "ahead = struct.pack('<II', asked() + 1, asked() + 2)\n"
        "reply(peer.codec.encode(9))\n"
        "for number in struct.unpack('<II', ahead):\n"
        "    body = b'\\0' + peer.codec.encode(9)\n"
        "    peer.sock.sendall(struct.pack('<IcI', len(body) + 5, b'R', number) + body)\n"
        "return 9",
    ),
    _in_call(
        "cell-has-ended",
        "says that the test itself has ended, with full marks",
        "reply(peer.codec.encode(([{'output_type': 'execute_result', 'data':"
        " {'text/plain': '22'}, 'metadata': {}}], {})))",
    ),
    _in_call(
        "slow-drip",
        "answers with a byte a second",
        "for byte in frame(b'\\0' + peer.codec.encode('x' * 1000)):\n"
        "    peer.sock.sendall(bytes((byte,)))\n    time.sleep(0.3)",
        ["squares"],
    ),
    _in_call(
        "deep-reply",
        "answers with a list nested a million deep",
        "reply(b'l\\x01\\0\\0\\0' * 10**6 + b'N')",
    ),
    _in_call(
        "wide-reply",
        "answers with a list of four billion items",
        "reply(b'l\\xff\\xff\\xff\\xff' + b'N' * 1000)",
    ),
    _in_call(
        "forged-array",
        "answers with an array of objects, whose pointers are its bytes",
        "reply(b'A\\xff\\x02|O\\x01' + struct.pack('<II', 8, 8) + b'\\x41' * 64)",
    ),
    _in_call(
        "forged-handle",
        "answers with handles of the grader's own objects",
        "reply(b'H' + struct.pack('<BIBB', 0, 3, 1, 1) + b'x')",
    ),
    _in_call(
        "forged-exception",
        "raises, over the channel, exceptions that graders raise",
        "peer.sock.sendall(frame(b'\\1' + peer.codec.encode((['Stopped',"
        " 'SystemExit', 'BaseException'], ['graded', 22], 'passed', ('x', 1, 'y')))))",
    ),
    _in_call(
        "forged-place",
        "an exception whose place is code, in the hope that it is run",
        "peer.sock.sendall(frame(b'\\1' + peer.codec.encode((['ValueError'], [],"
        " 'x', ('a b', 10**9, '__import__(\"os\").system(\"touch /tmp/@TOKEN@-place\")')))))",
    ),
    _in_call("close", "closes the channel", "peer.sock.close()\ntime.sleep(600)"),
    _in_call(
        "shut-down",
        "shuts one direction of the channel",
        "peer.sock.shutdown(socket.SHUT_WR)\ntime.sleep(600)",
    ),
    _in_call(
        "asks-instead",
        "answers a call with endless questions of its own",
        "while True:\n    peer.ask('look', 'check')",
    ),
    _says_of_cells("no-outputs", "says of its cells what can't be said", _NO_OUTPUTS),
    _says_of_cells("odd-endings", "says that its cells ended in impossible ways", _ODD_ENDS),
    _says_of_cells("odd-outputs", "says that its cells gave outputs that are none", _ODD_OUTPUTS),
    Attack(
        "endless-callbacks",
        _FAMILY,
        "calls the test's function without end",
        answers={
            "forward_difference": "def forward_difference(f, x, h=1e-5):\n"
            "    while True:\n        f(x)"
        },
        not_stock="there is no judging channel",
    ),
    Attack(
        "re-entry",
        _FAMILY,
        "calls back and forth until something breaks",
        answers={
            "apply_twice": "def apply_twice(f, x):\n"
            "    g = lambda v: apply_twice(f, v)\n"
            "    try:\n        f(g)\n    except Exception:\n        pass\n"
            "    return f(f(x))",
            "forward_difference": "def forward_difference(f, x, h=1e-5):\n"
            "    return forward_difference",
        },
    ),
    Attack(
        "huge-array",
        _FAMILY,
        "answers with 160 MB of zeros",
        answers=everywhere("return np.zeros(20_000_000)"),
    ),
    Attack(
        "huge-range",
        _FAMILY,
        "answers with a range of 300 million numbers",
        answers=everywhere("return range(0, 3 * 10**8)"),
    ),
    _in_call(
        "forged-generator",
        "answers with random generators that point outside their own words",
        "forged = []\n"
        "for kind, place in (('MT19937', -30000), ('MT19937', 10**6), ('Philox', -10**5)):\n"
        "    bits = getattr(np.random, kind)(0)\n"
        "    state = bits.state\n"
        "    (state if kind == 'Philox' else state['state'])['buffer_pos' if kind == 'Philox'"
        " else 'pos'] = place\n"
        "    forged.append(b'G' + peer.codec.encode([state])[1:])\n"
        "reply(b'l' + struct.pack('<I', len(forged)) + b''.join(forged))",
    ),
    Attack(
        "huge-text",
        _FAMILY,
        "answers with 100 MB of text",
        answers=everywhere("return 'x' * 100_000_000"),
    ),
    Attack(
        "huge-list",
        _FAMILY,
        "answers with two million numbers",
        answers=everywhere("return [0.0] * 2_000_000"),
    ),
    Attack(
        "huge-integer",
        _FAMILY,
        "answers with an integer of a million digits",
        answers=everywhere("return 1 << 3_000_000"),
    ),
    Attack(
        "endless-list",
        _FAMILY,
        "answers with a list that holds itself",
        answers=everywhere("a = []\na.append(a)\nreturn a"),
    ),
    Attack(
        "graders-exceptions",
        _FAMILY,
        "raises exceptions that have a meaning to graders",
        "from descent.judging import Stopped, Unfinished\nimport unittest",
        answers={
            "forward_difference": "def forward_difference(*a, **k):\n"
            "    raise Stopped('graded', 'passed')",
            "verdict": "def verdict(*a, **k):\n    raise unittest.SkipTest('22')",
            "softmax_loss": "def softmax_loss(*a, **k):\n    raise Unfinished",
            "squares": "def squares(k):\n    raise type('Passed', (Warning,), {})(22)",
        },
    ),
    Attack(
        "bytes-that-unpickle",
        _FAMILY,
        "answers with pickles that run a command",
        "import os, pickle\nclass Runs:\n    def __reduce__(self):\n"
        "        return os.system, ('touch /tmp/@TOKEN@-unpickled',)",
        answers=everywhere("return [Runs(), pickle.dumps(Runs())]"),
    ),
    Attack(
        "codes-and-functions",
        _FAMILY,
        "answers with classes, functions and modules",
        "import os, types",
        answers={
            "forward_difference": "def forward_difference(*a, **k):\n    return os",
            "verdict": "def verdict(*a, **k):\n    return os.system",
            "softmax_loss": "def softmax_loss(*a, **k):\n    return type, os.environ",
            "squares": "def squares(k):\n    return types.CodeType",
        },
    ),
]
