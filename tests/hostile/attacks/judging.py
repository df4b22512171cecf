"""The tools that tests judge with are patched, replaced or shadowed in the student's process."""

from ..attack import Attack, Notebook, by_id, code, everywhere

_FAMILY = "patched judges"


def _attack(name: str, tries: str, cell: str, **more: object) -> Attack:
    return Attack(name, _FAMILY, tries, cell, **more)  # type: ignore[arg-type]


def _shadow_helper(notebook: Notebook) -> None:
    """Define the tests' helper between the test that defines it and the one that uses it."""
    place = notebook["cells"].index(by_id(notebook, "cubes_answer"))
    breaks = code("import os\nos._exit(0)")
    notebook["cells"][place:place] = [code("def close(a, b):\n    return None"), breaks]


ATTACKS = [
    _attack(
        "patch-numpy-testing",
        "every assertion of numpy.testing agrees with everything",
        """
import numpy.testing
for name in dir(numpy.testing):
    if name.startswith("assert"):
        setattr(numpy.testing, name, lambda *a, **k: None)
""",
    ),
    _attack(
        "patch-allclose",
        "numpy's comparisons say yes",
        """
for name in ("allclose", "isclose", "array_equal", "array_equiv", "all", "any"):
    setattr(np, name, lambda *a, **k: True)
""",
    ),
    _attack(
        "patch-arithmetic",
        "numpy's differences, sizes and norms are all zero",
        """
for name in ("subtract", "abs", "absolute", "maximum", "max", "amax", "divide"):
    setattr(np, name, lambda *a, **k: 0.0)
np.linalg.norm = lambda *a, **k: 0.0
""",
        answers={"central_difference": "def central_difference(f, x, h=1e-5):\n    return 0 * x"},
        costs="it breaks numpy for its own answers too",
    ),
    _attack(
        "patch-builtins",
        "abs, all, any, bool, isinstance and sum of the builtins agree with everything",
        """
import builtins
builtins.all = builtins.any = builtins.isinstance = lambda *a, **k: True
builtins.sum = lambda *a, **k: @MAX@
builtins.float = type("float", (float,), {"__eq__": lambda s, o: True, "__hash__": None})
""",
        costs="it breaks the builtins for its own answers too",
    ),
    _attack(
        "patch-assertion-error",
        "AssertionError is a quiet thing that nobody raises",
        """
import builtins
class AssertionError(Exception):
    def __new__(cls, *a, **k):
        raise SystemExit(0)
builtins.AssertionError = AssertionError
""",
    ),
    _attack(
        "optimise-asserts-away",
        "asserts are compiled away, as with python -O",
        """
import builtins, functools, os, sys
os.environ["PYTHONOPTIMIZE"] = "2"
builtins.compile = functools.partial(compile, optimize=2)
""",
    ),
    _attack(
        "patch-the-judge",
        "descent's own judge and all its helpers agree",
        """
import importlib, pkgutil, descent, descent.judging
for found in pkgutil.walk_packages(descent.judging.__path__, "descent.judging."):
    module = importlib.import_module(found.name)
    for name, value in list(vars(module).items()):
        if callable(value) and not isinstance(value, type):
            setattr(module, name, lambda *a, **k: True)
import descent._check
descent._check.judge = descent._check._verdict = lambda *a, **k: None
""",
    ),
    _attack(
        "patch-the-verdict",
        "every Verdict has passed, with full marks",
        """
from descent.judging import Verdict
Verdict.passed = property(lambda self: True)
Verdict.score = property(lambda self: 100.0)
Verdict.__init__ = lambda self, *a, **k: None
""",
    ),
    _attack(
        "own-check",
        "a function of its own called check says that all is right",
        """
def check(question, *functions, points=1.0):
    print(question, "right")
    return float(points)
import builtins, descent
builtins.check = descent.check = check
""",
    ),
    _attack(
        "own-numpy",
        "the name np stands for an object that agrees",
        """
class Agreeing:
    def __getattr__(self, name):
        return self
    def __call__(self, *a, **k):
        return self
    __eq__ = __le__ = __lt__ = lambda self, other: True
    __float__ = lambda self: @MAX@
np = numpy = Agreeing()
""",
        costs="its own answers use np",
    ),
    _attack(
        "fake-modules",
        "numpy.testing and descent in sys.modules are inventions",
        """
import sys, types
class Anything(types.ModuleType):
    def __getattr__(self, name):
        return lambda *a, **k: @MAX@
for name in ("numpy.testing", "descent", "descent.judging", "descent._check", "unittest"):
    sys.modules[name] = Anything(name)
""",
    ),
    _attack(
        "import-hook",
        "every import from now on finds an invented module",
        """
import importlib.abc, importlib.machinery, sys, types
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path, target=None):
        return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec):
        module = types.ModuleType(spec.name)
        module.__getattr__ = lambda name: lambda *a, **k: True
        return module
    def exec_module(self, module):
        pass
sys.meta_path.insert(0, Finder())
sys.modules.pop("numpy.testing", None)
""",
    ),
    _attack(
        "swallow-exceptions",
        "IPython is told to swallow the assertions that fail",
        """
shell = get_ipython()
shell.set_custom_exc((BaseException,), lambda *a, **k: None)
shell.showtraceback = lambda *a, **k: None
import sys
sys.excepthook = lambda *a: None
""",
    ),
    _attack(
        "looser-tolerances",
        "default tolerances in numpy and descent become infinite",
        """
import math, numpy.testing, numpy as numpy_
for function in (numpy_.isclose, numpy_.allclose, numpy.testing.assert_allclose):
    inner = getattr(function, "__wrapped__", function)
    inner.__defaults__ = tuple(math.inf if isinstance(d, float) else d
                               for d in inner.__defaults__ or ())
    inner.__kwdefaults__ = None
from descent import questions
for value in vars(questions).values():
    if isinstance(value, dict):
        for question in value.values():
            for name in ("rtol", "floor"):
                try:
                    object.__setattr__(question, name, math.inf)
                except Exception:
                    pass
""",
    ),
    _attack(
        "public-answers",
        "looks the expected numbers up in the package and returns those",
        """
import gzip, json, pathlib, descent.questions
folder = pathlib.Path(descent.questions.__file__).parent / "expected"
def told(question):
    return json.loads(gzip.open(folder / f"{question}.json.gz").read())
""",
        answers=everywhere("return told('softmax_loss')"),
    ),
    _attack(
        "ask-check-itself",
        "an answer runs the public check and returns what it expected",
        """
def expected(question):
    from descent.judging import public_exam
    exam = public_exam(question)
    return getattr(exam, "expected", None)
""",
        answers=everywhere("return expected('verdict')"),
    ),
    Attack(
        "tests-helper",
        _FAMILY,
        "takes the place of a helper of the tests once its process had to be started again",
        mangle=_shadow_helper,
        answers={"cubes": "def cubes(x):\n    return None"},
    ),
]
