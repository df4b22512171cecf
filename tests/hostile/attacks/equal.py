"""Answers that are no answers: objects that equal everything, lie about themselves, or are NaN."""

from ..attack import Attack, everywhere

_FAMILY = "equal to everything"


def _returns(name: str, tries: str, cell: str, value: str, **more: object) -> Attack:
    answers = everywhere(f"return {value}")
    return Attack(name, _FAMILY, tries, cell, answers, **more)  # type: ignore[arg-type]


ATTACKS = [
    _returns(
        "equal-float",
        "a float that equals all",
        """
class Right(float):
    __hash__ = float.__hash__
    __eq__ = __le__ = __lt__ = __ge__ = lambda self, other: True
    __ne__ = __gt__ = lambda self, other: False
    __sub__ = __rsub__ = __abs__ = lambda self, *other: Right()
""",
        "Right()",
    ),
    _returns(
        "equal-int",
        "an integer that equals all",
        """
class Right(int):
    __hash__ = int.__hash__
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
""",
        "Right()",
    ),
    _returns(
        "equal-str",
        "a string that equals all",
        """
class Right(str):
    __hash__ = str.__hash__
    __eq__ = __contains__ = lambda self, other: True
    __ne__ = lambda self, other: False
""",
        "Right('any')",
    ),
    _returns(
        "equal-array",
        "an array whose every operation gives a true array or zeros",
        """
class Right(np.ndarray):
    def __array_ufunc__(self, ufunc, method, *inputs, **k):
        return np.ones(3, bool) if ufunc.nout == 1 and "equal" in ufunc.__name__ else np.zeros(3)
    def __array_function__(self, func, types, args, kwargs):
        return True
    __eq__ = lambda self, other: np.ones(3, bool)
""",
        "np.zeros(3).view(Right)",
    ),
    _returns(
        "equal-object",
        "an object with every special method, all of them agreeing",
        """
class Right:
    def __array__(self, *a, **k):
        return np.zeros(())
    def __getattr__(self, name):
        return self
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = lambda s, o: True
    __ne__ = lambda s, o: False
    __sub__ = __rsub__ = __add__ = __radd__ = __mul__ = __rmul__ = lambda s, o: s
    __truediv__ = __rtruediv__ = __getitem__ = lambda s, o: s
    __abs__ = __neg__ = lambda s: s
    __call__ = lambda s, *a, **k: s
    __float__ = lambda s: 0.0
    __bool__ = lambda s: True
    __hash__ = lambda s: 0
    __len__ = lambda s: 0
    __iter__ = lambda s: iter(())
""",
        "Right()",
    ),
    _returns(
        "equal-mock",
        "a MagicMock, which answers to everything",
        "import unittest.mock",
        "unittest.mock.MagicMock(**{'__eq__.return_value': True})",
    ),
    _returns(
        "all-nan", "NaN, in the hope that no difference is larger", "", "np.full((3, 3), np.nan)"
    ),
    _returns("all-inf", "infinity minus infinity", "", "np.inf"),
    _returns("complex-nan", "a complex NaN", "", "complex('nan+nanj')"),
    _returns(
        "all-masked",
        "a masked array, whose comparisons are masked too",
        "",
        "np.ma.masked_all((3, 3))",
    ),
    _returns(
        "object-array",
        "an array of objects that equal all",
        """
class Right:
    __eq__ = lambda self, other: True
    __sub__ = __rsub__ = lambda self, other: 0.0
    __hash__ = None
right = np.empty(3, object)
right[:] = [Right(), Right(), Right()]
""",
        "right",
    ),
    _returns(
        "lying-shape",
        "an object that claims whatever shape and dtype is wanted",
        """
class Shape(tuple):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = None
class Right:
    shape, dtype, ndim, size = Shape(), np.dtype(float), 0, 0
    __array_interface__ = {"shape": (0,), "typestr": "<f8", "data": (1, True), "version": 3}
""",
        "Right()",
    ),
    _returns(
        "lying-containers",
        "lists and dicts that lie about their length and content",
        """
class Everything(dict):
    __missing__ = lambda self, key: 0.0
    __contains__ = __eq__ = lambda self, other: True
    __len__ = lambda self: 10**9
    __iter__ = lambda self: iter(())
    keys = items = values = lambda self: ()
class Pair(list):
    __len__ = lambda self: 2
    __getitem__ = lambda self, index: Everything()
    __eq__ = lambda self, other: True
    __iter__ = lambda self: iter((Everything(), Everything()))
""",
        "Pair([Everything(), Everything()])",
    ),
    _returns("empty-array", "an empty array, which agrees with itself", "", "np.empty((0,))"),
    _returns(
        "type-itself",
        "the class object, whose comparisons are a metaclass's",
        """
class Meta(type):
    __eq__ = lambda self, other: True
    __hash__ = type.__hash__
    __float__ = lambda self: 0.0
class Right(metaclass=Meta):
    pass
""",
        "Right",
    ),
    _returns(
        "endless-iterator", "an iterator without end", "import itertools", "itertools.repeat(0.0)"
    ),
    Attack(
        "spoil-the-inputs",
        _FAMILY,
        "the function changes its inputs so that any answer fits them",
        answers={
            "softmax_loss": """\
def softmax_loss(W, X, y, reg):
    W[...] = X[...] = np.nan
    y[...] = 0
    return np.nan, W""",
            "forward_difference": """\
def forward_difference(f, x, h=1e-5):
    x[...] = 0
    return x""",
        },
    ),
    Attack(
        "different-each-call",
        _FAMILY,
        "guesses another answer at each call",
        "import itertools\nguess = itertools.cycle(['wrong', 'happy', 'okay', 0, 9, 25, 49, 121])",
        everywhere("return next(guess)"),
    ),
]
