"""Whole submissions through a real worker: what counts, what is lost, and what is said."""

from __future__ import annotations

import json
import os
import time
from typing import Any

import nbformat
import pytest
from descent.judging import Stopped
from descent.questions import judge
from descent_autograder.questions import EXAMS, catalogue
from descent_autograder.sandbox import Limits, Sandbox, Wall
from descent_autograder.sandbox.sandbox import UNSAFE_REMARK

from .notebooks import SECRET, Graded, execute, notebook

pytestmark = pytest.mark.sandbox

DIFFERENCE = """
import numpy as np
def central_difference(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for i in np.ndindex(*x.shape):
        old = x[i]
        x[i] = old + h
        plus = f(x)
        x[i] = old - h
        grad[i] = (plus - f(x)) / (2 * h)
        x[i] = old
    return grad
"""
CHECK = Graded('check("central_difference", central_difference, points=3)', 3, "central")


def test_workers_that_know_nothing_of_each_other_take_different_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims = f"\0descent-test-{os.getpid()}"
    monkeypatch.setattr("descent_autograder.sandbox.sandbox._CLAIMS", claims)
    cores = os.sched_getaffinity(0)
    workers = [Sandbox(Wall.NONE) for _ in cores]
    assert {one.cpu for one in workers} == cores
    # One more shares a core; and a core that is given up is taken again.
    beyond = Sandbox(Wall.NONE)
    assert beyond.cpu in cores
    workers[-1].close()
    again = Sandbox(Wall.NONE)
    assert again.cpu == workers[-1].cpu
    for one in [*workers, beyond, again]:
        one.close()


def test_both_sides_stay_on_the_core_of_their_worker(worker: Sandbox) -> None:
    ran = execute(worker, "import os\nprint(os.sched_getaffinity(0))")
    assert ran.text(0) == f"{{{worker.cpu}}}\n"
    assert os.sched_getaffinity(worker.grader_zygote_pid) == {worker.cpu}


@pytest.mark.parametrize("piece", [1 << 24, 1 << 16])
def test_a_cell_that_hoards_memory_leaves_some_for_the_tests(worker: Sandbox, piece: int) -> None:
    """What is left is enough for them, and keeps out of the way of who watches over the sum."""
    hoard = f"kept = []\nwhile True:\n    kept.append(bytearray({piece}))"
    watched = "import time\ntime.sleep(1)"
    ran = execute(worker, DIFFERENCE, hoard, watched, CHECK)
    assert ran.error(1) is not None
    assert ran.score(3) == 3, ran.outputs(3)


@pytest.mark.parametrize("endless", ["print('x' * 10**5)", "display('x' * 10**5)"])
def test_output_without_end_takes_no_memory(worker: Sandbox, endless: str) -> None:
    ran = execute(worker, DIFFERENCE, f"while True: {endless}", CHECK)
    error = ran.error(1)
    assert error is not None
    assert error[0] == "TimeLimit"
    assert ran.score(2) == 3


def test_a_right_answer_earns_its_points(worker: Sandbox) -> None:
    ran = execute(worker, DIFFERENCE, CHECK)
    assert ran.score(1) == 3
    verdict = ran.outcome.verdicts["central"]
    assert verdict["passed"]
    assert verdict["score"] == 3
    assert ran.outcome.remarks == []
    assert ran.outcome.cpu_seconds > 0


def test_wrong_and_blank_answers_earn_none_and_are_told_why(worker: Sandbox) -> None:
    wrong = execute(worker, DIFFERENCE.replace("(2 * h)", "2 * h"), CHECK)
    assert wrong.score(1) == 0
    assert wrong.outcome.verdicts["central"]["mistakes"]
    assert wrong.error(1)[0] == "AssertionError"
    assert any("text/html" in o.get("data", {}) for o in wrong.outputs(1))
    blank = execute(worker, "def central_difference(f, x, h): raise NotImplementedError", CHECK)
    assert blank.score(1) == 0
    assert blank.outcome.verdicts["central"]["status"] == "unfinished"


def test_cases_are_the_students_own_and_come_again(worker: Sandbox, monkeypatch: Any) -> None:
    """The same student meets the same cases, another student others."""
    spy = DIFFERENCE.replace("return grad", "print(repr(x.ravel()[:2].tolist()))\n    return grad")

    def seen(student: str) -> str:
        ran = execute(worker, spy, CHECK, student=student)
        return str(ran.outcome.verdicts["central"]["printed"])

    assert seen("ada") == seen("ada")
    assert seen("ada") != seen("bob")


def test_warnings_prints_and_stderr_cost_nothing(worker: Sandbox) -> None:
    loud = DIFFERENCE.replace(
        "return grad",
        "import sys, warnings\n    warnings.warn('beware')\n    print('out')\n"
        "    print('err', file=sys.stderr)\n    np.array([1.0]) / 0\n    return grad",
    )
    plain = Graded("assert central_difference(lambda x: x.sum(), np.ones(2)).shape == (2,)", 2)
    own = Graded("import sys, warnings\nprint('oops', file=sys.stderr)\nwarnings.warn('w')", 1)
    ran = execute(worker, loud, CHECK, plain, own)
    assert [ran.score(i) for i in (1, 2, 3)] == [3, 2, 1]
    printed = ran.outcome.verdicts["central"]["printed"]
    assert all(word in printed for word in ("beware", "out", "err", "divide by zero"))
    assert "out\n" in ran.text(2)


def test_what_a_function_prints_and_flushes_is_reported(worker: Sandbox) -> None:
    loud = DIFFERENCE.replace(
        "    return grad",
        "    import sys\n    print('one', flush=True)\n    sys.stderr.write('two')\n"
        "    sys.stderr.flush()\n    print('three')\n    return grad",
    )
    ran = execute(worker, loud, CHECK, "print('afterwards')")
    printed = ran.outcome.verdicts["central"]["printed"]
    assert all(word in printed for word in ("one", "two", "three"))
    assert printed.index("one") < printed.index("three")
    assert ran.text(2) == "afterwards\n"


def test_ordinary_asserts_see_names_and_values(worker: Sandbox) -> None:
    ran = execute(
        worker,
        "import numpy as np\nx = np.arange(3)\nname = 'ada'\n"
        "def scale(v, by=2):\n    return v * by",
        Graded("assert name == 'ada' and x.tolist() == [0, 1, 2]\nassert scale(x, by=3)[2] == 6"),
        Graded("assert scale(2) == 5, 'twice'"),
        Graded("def helper(v):\n    return [scale(w) for w in v]\nassert helper([1]) == [2]"),
        Graded("assert no_such_name"),
        Graded("0.5"),
        Graded("'full marks'"),
    )
    assert [ran.score(i) for i in range(1, 7)] == [1, 0, 1, 0, 0.5, 1]
    assert ran.error(2) == ("AssertionError", "twice")
    assert ran.error(4)[0] == "NameError"


def test_a_test_without_a_check_says_what_it_met(worker: Sandbox) -> None:
    ran = execute(
        worker,
        "def scale(v):\n    return 2 * v",
        Graded("assert scale(1) == 5, 'twice\\nno, five times'", name="wrong"),
        Graded("gone(1)", name="gone"),
        Graded("assert scale(1) == 2", name="right"),
    )
    assert ran.outcome.verdicts == {
        "wrong": {"error": "AssertionError: twice"},
        "gone": {"error": "NameError: name 'gone' is not defined"},
    }


def test_grade_cells_never_reach_the_students_process(worker: Sandbox) -> None:
    ran = execute(
        worker,
        "import linecache, gc, sys\ndef f():\n    return 1",
        Graded("canary_9274 = f()\nassert f() == 1 and 'canary_' + '9274'"),
        """
import json
texts = [str(v) for m in (In, linecache.cache.values(), globals().values()) for v in m]
frames = [str(f.f_locals.keys()) for f in sys._current_frames().values()]
words = [o for o in gc.get_objects() if type(o) in (list, dict) and 'canary_' + '9274' in str(o)]
print(json.dumps(len([t for t in texts + frames if "canary_" + "9274 =" in t])))
""",
    )
    assert ran.score(1) == 1
    assert ran.facts(2) == 0


@pytest.mark.parametrize(
    "attack",
    [
        "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True",
        "import numpy.testing\nnumpy.testing.assert_allclose = lambda *a, **k: None",
        "class np:\n    allclose = staticmethod(lambda *a, **k: True)",
        "check = lambda *a, **k: None",
        "import descent\ndescent.check = lambda *a, **k: None",
        "import descent.questions\ndescent.questions.judge = None",
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.AssertionError = ValueError",
        "abs = max = all = any = lambda *a: True\nassert_close = print",
        "class E(dict):\n    __eq__ = lambda *a: True\n    __ne__ = lambda *a: False\n"
        "def answer():\n    return E()",
        "class E(float):\n    __eq__ = lambda *a: True\n    __sub__ = lambda *a: 0\n"
        "def answer():\n    return E()",
        "class E:\n    __eq__ = __lt__ = __le__ = lambda *a: True\n    __abs__ = lambda s: 0\n"
        "    __sub__ = __rsub__ = lambda *a: 0\n    __array__ = lambda *a, **k: __import__('numpy')"
        ".array(42.0)\n    __float__ = lambda s: 42.0\n"
        "def answer():\n    return E()",
        "import numpy as n\nclass E(n.ndarray):\n    __eq__ = lambda *a: True\n"
        "def answer():\n    return n.zeros(1).view(E)",
        "get_ipython().run_cell = lambda *a, **k: None",
        "ip = get_ipython()\nip.input_transformers_cleanup.append(lambda l: ['pass\\n'])",
        "import ast\nclass T(ast.NodeTransformer):\n    def visit_Assert(self, n):\n"
        "        return ast.Pass()\nget_ipython().ast_transformers.append(T())",
        "import sys\nsys.displayhook = lambda v: None\nget_ipython().display_pub.publish = print",
        "answer.__code__ = (lambda: 1).__code__ if 'answer' in globals() else None",
        "import os\ndef answer():\n    os._exit(0)",
        "def answer():\n    raise SystemExit(0)",
        "def answer():\n    raise KeyboardInterrupt",
        "def answer():\n    while True: pass",
        "import socket\ndef answer():\n    import os, struct\n    for fd in range(3, 20):\n"
        "        try: os.write(fd, struct.pack('<I', 11) + b'R\\0d' + struct.pack('d', 42.0))\n"
        "        except OSError: pass\n    return 1",
    ],
)
def test_cheating_gains_nothing(worker: Sandbox, attack: str) -> None:
    """Each is set against three tests of a function that gives the wrong number."""
    ran = execute(
        worker,
        "import numpy as np\ndef answer():\n    return 41.0",
        attack,
        Graded("assert abs(answer() - 42) < 1e-9"),
        Graded("assert np.allclose(answer(), 42.0)"),
        Graded("assert answer() == 42.0"),
    )
    scores = [ran.score(i) for i in (2, 3, 4)]
    assert scores == [0, 0, 0], ran.cells[2:]


def test_the_releases_imports_and_helpers_stand(worker: Sandbox) -> None:
    locked = {"nbgrader": {"grade": False, "solution": False, "locked": True, "grade_id": "h"}}
    release = nbformat.v4.new_notebook()
    release.cells = [
        nbformat.v4.new_code_cell(
            "from numpy.testing import assert_allclose as close\n%matplotlib"
        ),
        nbformat.v4.new_code_cell("def expected():\n    return 42.0", metadata=locked),
    ]
    student = (
        "close = lambda *a: None\ndef expected():\n    return 41.0\ndef answer():\n    return 41.0"
    )
    test = Graded("close(answer(), expected())")
    without = execute(worker, student, test)
    assert without.score(1) == 1  # nobody said that `close` isn't the student's to define
    given = execute(worker, student, test, release=nbformat.writes(release).encode())
    assert given.score(1) == 0
    assert given.error(1)[0] == "AssertionError"


HELPED = (
    Graded("def close(a, b):\n    assert abs(a - b) < 1e-9\nclose(answer(), 41)", name="defines"),
    Graded("close(answer(), 42)", name="uses"),
)
BLANK = "def answer():\n    raise NotImplementedError"


@pytest.mark.parametrize(
    ("defines", "breaks"),
    [
        (HELPED[0], "import os\nif not os.path.exists('/x'): os._exit(0)"),
        (HELPED[0], "pass"),
        (Graded("assert False\n" + HELPED[0].source), "pass"),
    ],
    ids=["a crash in between", "all well", "the helper's cell fails first"],
)
def test_a_helper_of_the_tests_is_never_the_student_s(
    worker: Sandbox, defines: Graded, breaks: str
) -> None:
    """Whether its cell ran in this pair of processes, in an earlier one, or not to its end."""
    student = "def answer():\n    return 41"
    mine = "def close(a, b):\n    return None"
    release = notebook(BLANK, *HELPED)
    ran = execute(worker, student, defines, mine, breaks, HELPED[1], release=release)
    assert ran.score(4) == 0
    assert ran.error(4)[0] == ("NameError" if defines is not HELPED[0] else "AssertionError")
    right = execute(worker, student.replace("41", "42"), defines, breaks, HELPED[1])
    assert right.score(3) == (defines is HELPED[0])


def test_a_name_that_students_are_to_bind_is_looked_up_though_a_test_binds_it_too(
    worker: Sandbox,
) -> None:
    cells = ("rate = None", Graded("rate = rate or 1\nassert rate == 3"), "pass")
    release = notebook(*cells, Graded("assert rate == 3"))
    ran = execute(worker, "rate = 3", *cells[1:], Graded("assert rate == 3"), release=release)
    assert [ran.score(1), ran.score(3)] == [1, 1]


@pytest.mark.parametrize(
    ("score", "counted"),
    [("float('nan')", 0), ("float('inf')", 0), ("1e9", 2), ("-1e9", 0), ("1.5", 1.5)],
)
def test_a_score_that_the_student_returns_is_kept_in_bounds(
    worker: Sandbox, score: str, counted: float
) -> None:
    ran = execute(worker, f"def f():\n    return {score}", Graded("f()", 2))
    assert ran.score(1) == counted


@pytest.mark.parametrize(
    ("cell", "name", "word"),
    [
        ("import os\nos._exit(3)", "Crash", "exit status 3"),
        ("import ctypes\nctypes.string_at(0)", "Crash", "segmentation fault"),
        ("while True:\n    pass", "TimeLimit", "4 seconds"),
        (
            "import signal, ctypes\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
            "ctypes.CDLL(None).sleep(60)",
            "TimeLimit",
            "4 seconds",
        ),
    ],
)
def test_a_crash_loses_the_cell_not_the_notebook(
    worker: Sandbox, cell: str, name: str, word: str
) -> None:
    ran = execute(
        worker,
        "kept = [1]",
        "def answer():\n    return 42 + len(kept)",
        Graded("assert answer() == 43"),
        cell,
        "kept.append(2)",
        Graded("assert answer() == 44"),
    )
    assert ran.error(3)[0] == name
    assert word in ran.error(3)[1]
    assert [ran.score(2), ran.score(5)] == [1, 1]
    assert any(word in remark for remark in ran.outcome.remarks)
    assert [c.execution_count for c in ran.cells] == [1, 2, 3, 4, 5, 6]


def test_a_function_that_crashes_or_hangs_loses_its_test_alone(worker: Sandbox) -> None:
    started = time.monotonic()
    ran = execute(
        worker,
        DIFFERENCE,
        "import os\ndef crash():\n    os._exit(1)\ndef hang():\n    while True: pass",
        Graded("crash()"),
        CHECK,
        Graded("hang()"),
        CHECK,
        Graded('check("central_difference", lambda f, x, h: hang(), points=3)', 3, "hangs"),
        Graded("while True: pass"),
        Graded("assert central_difference(lambda x: x.sum(), np.ones(2)).sum() > 1"),
    )
    assert [ran.score(i) for i in range(2, 9)] == [0, 3, 0, 3, 0, 0, 1]
    assert ran.outcome.verdicts["hangs"]["status"] == "timeout"
    assert "exit status 1" in ran.error(2)[1]
    assert time.monotonic() - started < 30


def test_the_notebooks_own_time_ends(wall: Wall) -> None:
    limits = Limits(cell_seconds=1, notebook_seconds=3)
    with Sandbox(wall, limits, exams=EXAMS) as short:
        ran = execute(short, *["import time\ntime.sleep(0.9)"] * 6, Graded("assert True"))
    assert ran.error(0) is None
    assert ran.error(6)[0] == "NotRun"
    assert "whole notebook" in ran.outcome.remarks[-1]


def test_output_is_cut_with_a_sentence(worker: Sandbox) -> None:
    ran = execute(worker, "for _ in range(10_000):\n    print('x' * 1000)", "print('next')")
    assert len(ran.text(0)) <= 1 << 20
    assert "was cut after" in ran.outputs(0)[-1].text
    assert ran.text(1) == "next\n"


def test_a_forged_generator_draws_nothing_of_the_graders_memory(worker: Sandbox) -> None:
    """A test that lets the student's code draw from a generator draws from no other words."""
    forged = """
import numpy as np
def use(draw):
    for kind, key, place in (
        ("MT19937", "state", 10**5), ("MT19937", "state", -(10**5)), ("Philox", None, -(10**5))
    ):
        bits = getattr(np.random, kind)(0)
        state = bits.state
        if key:
            state[key]["pos"] = place
        else:
            state["buffer_pos"] = place
        bits.state = state
        try:
            draw(np.random.Generator(bits))
            print("drawn")
        except TypeError as error:
            print(error)
    print(draw(np.random.default_rng(1)).size)
"""
    draws = Graded("use(lambda rng: rng.integers(0, 2**32, 1000, dtype=np.uint32))\n0.5")
    ran = execute(worker, forged, draws)
    assert ran.score(1) == 0.5
    assert "drawn" not in ran.text(1)
    assert ran.text(1).endswith("1000\n")


def test_stopping_ends_no_loop_of_a_test(worker: Sandbox) -> None:
    ran = execute(
        worker,
        "def f(x):\n    raise StopIteration",
        Graded("for got, want in zip(map(f, [1, 2]), [1, 4]):\n    assert got == want"),
        Graded("assert all(y > 0 for y in map(f, [1, 2]))"),
    )
    assert [ran.score(1), ran.score(2)] == [0, 0]
    assert ran.error(1)[0] == ran.error(2)[0] == "RuntimeError"


FLOOD = "get_ipython().display_pub.session.limit = 10**12\n"


@pytest.mark.parametrize(
    "cell",
    [
        "print('x' * 20_000_000)",
        "from IPython.display import display, HTML\n"
        "for _ in range(1500): display(HTML('x'), display_id='one')\n"
        "display(HTML('y' * 100_000), display_id='one', update=True)",
        "raise ValueError('x' * 20_000_000)",
        "from IPython.display import display\n"
        "display({'application/json': [list(range(100_000)) for _ in range(9)]}, raw=True)",
    ],
    ids=["text", "updates", "error", "data"],
)
def test_output_that_the_recorder_does_not_cut_is_cut_outside(worker: Sandbox, cell: str) -> None:
    ran = execute(
        worker, "def answer():\n    return 42", FLOOD + cell, Graded("assert answer() == 42")
    )
    assert ran.score(2) == 1
    assert len(ran.outcome.notebook) < 4 << 20
    if "raise" not in cell:
        assert ran.error(1) == ("OutputLimit", "It put out more than a notebook may.")


def test_a_notebook_s_output_has_a_limit_as_well(worker: Sandbox) -> None:
    full = ["print('x' * 1_000_000)"] * 12
    loud = "def f():\n    print('y' * 1_000_000)\n    return 2"
    ran = execute(worker, *full, loud, *[Graded("f()", 2)] * 3, Graded("assert f() == 3"))
    assert len(ran.outcome.notebook) < 11 << 20
    assert ran.error(0) is None
    assert ran.error(11)[0] == "OutputLimit"
    assert [ran.score(i) for i in range(13, 17)] == [2, 2, 2, 0]
    assert ran.error(16)[0] == "AssertionError"


def test_a_test_s_process_grows_no_larger_than_it_may(worker: Sandbox) -> None:
    takes = "import numpy as np\nnp.ones(2 * 10**8)"  # 1.6 GB: the tests' workers have 1 GB
    ran = execute(worker, "x = 1", Graded(takes), Graded("assert x == 1"))
    assert "MemoryError" in ran.error(1)[0]
    assert ran.score(2) == 1
    huge = "def f():\n    return range(3 * 10**8)"
    assert "range" in execute(worker, huge, Graded("assert f() == [1]")).error(1)[1]


def test_what_a_submission_says_of_its_outputs_is_not_believed(worker: Sandbox) -> None:
    forged = """
recorder = get_ipython().display_pub.session
recorder.messages += [
    None, 7, {}, {"output_type": "stream", "name": "odd", "text": 5},
    {"output_type": "display_data", "data": {"text/plain": 5, 7: 8, "bad mime": "x"}},
    {"output_type": "display_data", "data": None, "metadata": "x"},
    {"output_type": "execute_result", "data": {"application/json": {"a": [float("nan"), object]}}},
    {"output_type": "error", "ename": None, "evalue": 7, "traceback": "x"},
    {"output_type": "display_data", "data": {"text/plain": "\\ud800"}},
    {"output_type": "update_display_data", "display_id": ["x"], "data": {}},
]
"""
    ran = execute(worker, forged, Graded("assert True"))
    json.loads(ran.outcome.notebook)
    assert ran.score(1) == 1


def test_files_are_there_and_only_for_this_submission(worker: Sandbox) -> None:
    look = "import os\nprint(sorted(os.listdir('.')))"
    ran = execute(worker, look, files={"data.csv": b"1,2", "sub/x": b"", "../up": b"", "/abs": b""})
    assert "data.csv" in ran.text(0)
    assert "up" not in ran.text(0)
    assert "data.csv" not in execute(worker, look).text(0)


def test_shadow_modules_shadow_nothing_in_the_grader(worker: Sandbox) -> None:
    fake = b"allclose = lambda *a, **k: True\narray = list"
    test = Graded("import numpy\nassert numpy.allclose(answer(), 42.0)")
    ran = execute(worker, "def answer():\n    return 41.0", test, files={"numpy.py": fake})
    assert ran.score(1) == 0


def test_tests_leave_nothing_for_the_next_submission(worker: Sandbox) -> None:
    first = Graded("import numpy as np, builtins\nbuiltins.left = np.left = 1\nnp.random.seed(1)")
    execute(worker, "x = 1", first)
    second = Graded(
        "import builtins\nassert not hasattr(np, 'left') and not hasattr(builtins, 'left')"
    )
    assert execute(worker, "x = 1", second).score(1) == 1


def test_names_that_tests_bind_are_not_taken_for_the_students(worker: Sandbox) -> None:
    ran = execute(
        worker,
        "def f(x):\n    return x",
        Graded("result = f(1)\nassert result == 1"),
        "result = 5",
        Graded("assert result == 5"),
        "print('result' in globals(), result)",
    )
    assert [ran.score(1), ran.score(3)] == [1, 1]
    assert ran.text(4) == "True 5\n"


def test_a_manually_graded_solution_runs_in_the_students_process(worker: Sandbox) -> None:
    node = nbformat.reads(notebook("print('essay')").decode(), as_version=4)
    node.cells[0].metadata["nbgrader"] = {
        "grade": True,
        "solution": True,
        "locked": False,
        "points": 5,
        "grade_id": "essay",
        "schema_version": 3,
        "task": False,
    }
    node.cells[0].source = "import os\nprint(os.getcwd())"
    outcome = worker.execute(
        nbformat.writes(node).encode(), assignment="a", student="s", secret=SECRET
    )
    text = json.loads(outcome.notebook)["cells"][0]["outputs"][0]["text"]
    assert text in ("/home/student\n", ["/home/student\n"]) or "descent-" in str(text)
    assert outcome.verdicts == {}


def test_sessions_expose_a_files_functions(worker: Sandbox) -> None:
    exam = catalogue.exam("central_difference", 3)
    with worker.session(DIFFERENCE, "answer.py") as right:
        assert "central_difference" in right
        verdict = judge("central_difference", [right["central_difference"]], exam)
        assert verdict.passed
        assert right.status == "ok"
        with pytest.raises(KeyError):
            right["no_such_name"]
        with pytest.raises(KeyError):
            right["np"]
    broken = "def central_difference(f, x, h):\n    return 1 / 0\n1 / 0\n"
    with worker.session(broken, "answer.py") as half:
        assert isinstance(half.problem, ZeroDivisionError)
        verdict = judge("central_difference", [half["central_difference"]], exam)
        assert verdict.status == "crashed"
        assert "return 1 / 0" in verdict.message


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_a_state_may_be_of_the_students_own_type(worker: Sandbox, future: str) -> None:
    source = """
from dataclasses import dataclass
from typing import NamedTuple
import numpy as np

@dataclass
class Steps:
    taken: int = 0

class Memory(NamedTuple):
    v: object
    steps: Steps

def momentum(w, dw, state=None, *, learning_rate, mu=0.9):
    state = state or Memory(np.zeros_like(w), Steps())
    v = mu * state.v - learning_rate * dw
    return w + v, Memory(v, Steps(state.steps.taken + 1))
"""
    exam = catalogue.exam("momentum", 3)
    with worker.session(future + source, "answer.py") as session:
        verdict = judge("momentum", [session["momentum"]], exam)
        assert verdict.passed, verdict.message


@pytest.mark.parametrize(
    ("body", "status"), [("import os; os._exit(1)", "crashed"), ("while True: pass", "timeout")]
)
def test_sessions_tell_crashes_from_time_outs(worker: Sandbox, body: str, status: str) -> None:
    exam = catalogue.exam("central_difference", 3)
    with worker.session(f"def central_difference(f, x, h):\n    {body}", "answer.py") as session:
        verdict = judge("central_difference", [session["central_difference"]], exam)
        assert verdict.status == session.status == status
        assert session.message
        with pytest.raises(Stopped):
            session["central_difference"]
    with worker.session(body, "answer.py") as session:
        assert session.status == status


def test_without_a_wall_it_says_so() -> None:
    with Sandbox(Wall.NONE, Limits(cell_seconds=5), exams=EXAMS) as bare:
        ran = execute(bare, DIFFERENCE, CHECK, "while True: pass", CHECK)
    assert [ran.score(1), ran.score(3)] == [3, 3]
    assert ran.outcome.remarks[0] == UNSAFE_REMARK
