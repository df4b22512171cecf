"""The session is turned against its tests: transformers, hooks, displays and faked results."""

from ..attack import Attack

_FAMILY = "session"


def _attack(name: str, tries: str, cell: str, **more: object) -> Attack:
    return Attack(name, _FAMILY, tries, cell, **more)  # type: ignore[arg-type]


ATTACKS = [
    _attack(
        "ast-transformer",
        "an AST transformer removes asserts and checks from every later cell",
        """
import ast
class Remover(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
    def visit_Expr(self, node):
        return ast.Expr(ast.Constant(2.0))
get_ipython().ast_transformers.append(Remover())
""",
    ),
    _attack(
        "input-transformer",
        "input transformers replace the source of every later cell",
        """
def empty(lines):
    return ["2.0\\n"] if any("check(" in l or "assert" in l for l in lines) else lines
shell = get_ipython()
shell.input_transformers_cleanup.append(empty)
shell.input_transformers_post.append(empty)
shell.input_transformer_manager.line_transforms.append(empty)
""",
    ),
    _attack(
        "replace-run-cell",
        "run_cell does nothing for tests",
        """
shell = get_ipython()
shell.run_cell = shell.run_cell_async = shell._run_cell = lambda *a, **k: None
type(shell).run_cell = lambda *a, **k: None
""",
        costs="no later cell of its own runs",
    ),
    _attack(
        "replace-do-execute",
        "the kernel's do_execute answers ok with a value",
        """
kernel = getattr(get_ipython(), "kernel", None)
if kernel is not None:
    def do_execute(code, *a, **k):
        return {"status": "ok", "execution_count": 1, "payload": [], "user_expressions": {}}
    try:
        kernel.do_execute = do_execute
        type(kernel).do_execute = lambda self, *a, **k: do_execute(*a, **k)
    except Exception:
        pass
""",
    ),
    _attack(
        "replace-displayhook",
        "every value that a cell ends with is shown as full marks",
        """
import sys
def hook(value):
    print("2.0")
sys.displayhook = hook
get_ipython().displayhook = hook
""",
    ),
    _attack(
        "replace-display-pub",
        "everything that is displayed reads as full marks",
        """
shell = get_ipython()
type(shell.display_pub).publish = lambda self, data, *a, **k: print("2.0")
type(shell.display_formatter).format = lambda self, value, *a, **k: ({"text/plain": "2.0"}, {})
""",
    ),
    _attack(
        "replace-formatters",
        "floats, strings and None are printed as full marks",
        """
plain = get_ipython().display_formatter.formatters["text/plain"]
for kind in (float, int, str, bool, type(None), np.float64):
    plain.for_type(kind, lambda value, printer, cycle: printer.text("2.0"))
""",
    ),
    _attack(
        "faked-execute-result",
        "messages of the kernel are forged",
        """
shell = get_ipython()
try:
    kernel = shell.kernel
    content = {"data": {"text/plain": "2.0"}, "metadata": {}, "execution_count": 1}
    kernel.session.send(kernel.iopub_socket, "execute_result", content)
    kernel.session.send(kernel.iopub_socket, "status", {"execution_state": "idle"})
except Exception:
    pass
recorder = getattr(shell, "recorder", None)
for name in ("messages", "_messages", "_parts", "parts"):
    kept = getattr(recorder, name, None)
    if isinstance(kept, list):
        kept.append({"output_type": "execute_result", "data": {"text/plain": "2.0"},
                     "metadata": {}, "execution_count": 1})
2.0
""",
    ),
    _attack(
        "value-nan",
        "answer cells end with NaN, which nbgrader counts in full",
        "float('nan')",
        answers={"squares": "def squares(k):\n    return float('nan')\nfloat('nan')"},
    ),
    _attack(
        "value-huge",
        "answers give 1e308 and infinity as their share of a score",
        "1e308",
        answers={"squares": "def squares(k):\n    return 1e308\nfloat('inf')"},
    ),
    _attack(
        "value-from-comparison",
        "the comparison in a partial score gives a huge number instead of a truth",
        """
class Huge(float):
    def __eq__(self, other):
        return 1e9
    __hash__ = None
""",
        answers={"squares": "def squares(k):\n    return Huge(k)"},
    ),
    _attack(
        "magic-names",
        "_, Out, In and the exception hooks hold full marks",
        """
_ = __ = ___ = 2.0
Out = {i: 2.0 for i in range(100)}
In = ["pass"] * 100
get_ipython().user_ns["_oh"] = Out
""",
    ),
    _attack(
        "own-namespace",
        "the session's namespace is a dict that has an answer for every name",
        """
class Names(dict):
    def __missing__(self, name):
        return lambda *a, **k: True
shell = get_ipython()
names = Names(shell.user_ns)
shell.user_ns = names
try:
    shell.user_global_ns = names
except AttributeError:
    pass
""",
        costs="it takes its own later cells' names away",
    ),
    _attack(
        "cell-events",
        "hooks before and after each cell rewrite names and results",
        """
def before(*a):
    globals()["check"] = lambda *a, **k: None
    globals()["squares"] = lambda k: k * k if False else None
def after(result=None, *a):
    if result is not None:
        result.error_in_exec = result.error_before_exec = None
        result.result = 2.0
for event in ("pre_execute", "pre_run_cell"):
    get_ipython().events.register(event, before)
for event in ("post_execute", "post_run_cell"):
    get_ipython().events.register(event, after)
""",
    ),
    _attack(
        "replace-magics",
        "magics are redefined, and %reset wipes the session",
        """
from IPython.core.magic import register_line_magic
@register_line_magic
def matplotlib(line):
    return 2.0
%reset -f
""",
        costs="it wipes its own imports",
    ),
    _attack(
        "quit-politely",
        "exit, quit and SystemExit end the session before the tests",
        "exit(); quit()\nraise SystemExit(0)",
    ),
    _attack(
        "patched-own-server",
        "the student's side of the channel answers questions about names as it likes",
        """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Student":
        kind = type(thing)
        kind.look = lambda self, name: ("value", lambda *a, **k: 10)
""",
        costs="it hides its own right answers",
    ),
    _attack(
        "names-are-modules",
        "tells the grader that its answers are the standard library's modules",
        """
import gc
for thing in gc.get_objects():
    if type(thing).__name__ == "Student":
        type(thing).look = lambda self, name: ("module", "builtins")
""",
        costs="it hides its own right answers",
    ),
    _attack(
        "claims-instructors-names",
        "binds the very names that the tests import or compute",
        """
numpy = check = float = sum = k = half = True
__name__ = "descent_autograder"
__builtins__ = {"sum": lambda *a: 2.0, "float": lambda *a: 2.0}
""",
        costs="its own answers call float",
    ),
]
