"""Attacks that invented students put into their notebooks, for ``descent demo``.

Each is a cell in front of a blank assignment, the last one the answer to every task: whatever it
gains is stolen.
"""

PATCHED_TESTING = """\
import numpy.testing

def agree(*args, **kwargs):
    return True

for name in dir(numpy.testing):
    if name.startswith("assert"):
        setattr(numpy.testing, name, agree)
np.allclose = np.isclose = np.array_equal = agree

import descent._check
descent._check.judge = agree
"""

FAKED_RESULT = """\
from IPython.display import display

def check(question, *functions, points=1.0):
    display(f"{question}: right. {points} of {points} points.")
    return float(points)

get_ipython().run_cell = lambda *args, **kwargs: None
get_ipython().ast_transformers.clear()
"""

GRADEBOOK = """\
import glob
import os
import sqlite3

places = [os.getcwd(), *glob.glob("/*"), *glob.glob("/home/*"), *glob.glob("../*")]
found = [os.path.join(p, f) for p in places for f in ("gradebook.db", ".descent-secret")]
found = [path for path in found if os.path.exists(path)]
print("found:", found)
for path in found:
    with sqlite3.connect(path) as book:
        book.execute("UPDATE grade SET manual_score = 60")
"""

EXIT = """\
import atexit
import os

atexit.register(print, "all tests passed")
os._exit(0)
"""

EQUAL_TO_ALL = """\
class Right(float):
    __hash__ = float.__hash__

    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __array__(self, *args, **kwargs):
        return np.zeros(())

def {function}(*args, **kwargs):
    return Right()
"""
