"""Reading and comparing values."""

from __future__ import annotations

import numpy as np
import pytest
from descent.judging.values import Tolerance, Unreadable, compare, describe, read
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

TIGHT = Tolerance(1e-9)
arrays = npst.arrays(
    np.float64,
    npst.array_shapes(min_dims=0, max_dims=3, max_side=4),
    elements=st.floats(-1e6, 1e6),
)


@given(arrays)
def test_an_array_agrees_with_itself(a: np.ndarray) -> None:
    assert compare(read(a), read(a.copy()), TIGHT) is None


@given(arrays, st.data())
def test_one_changed_element_is_found_and_placed(a: np.ndarray, data: st.DataObject) -> None:
    index = data.draw(st.tuples(*(st.integers(0, n - 1) for n in a.shape)))
    b = a.copy()
    b[index] += 1.0 + abs(b).max()
    difference = compare(read(b), read(a), TIGHT)
    assert difference is not None
    assert difference.kind == "number"
    assert difference.place == (f"[{', '.join(map(str, index))}]" if index else "")


@given(arrays)
def test_nan_agrees_with_nothing(a: np.ndarray) -> None:
    a.flat[0] = np.nan
    assert compare(read(a), read(a), TIGHT) is not None
    assert compare(read(a), read(a), Tolerance(1e-9, nan_agrees=True)) is None


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (1, 1.0),
        (np.float32(0.5), 0.5),
        ([1, 2], np.array([1.0, 2.0])),
        ((True, False), np.array([True, False])),
        (np.array([1, 0]), np.array([True, False])),
        (np.array([[2.5]]), 2.5),
        ({"a": 1.0}, {"a": np.float64(1)}),
        ([(0, 1)], [np.array([0, 1])]),
        ({"x", "y"}, {"y", "x"}),
        (np.str_("happy"), "happy"),
        (np.array("happy"), "happy"),
        ({np.str_("a"): np.str_("happy")}, {"a": "happy"}),
    ],
)
def test_other_spellings_of_the_same_value_agree(seen: object, expected: object) -> None:
    assert compare(read(seen), read(expected), TIGHT) is None


@pytest.mark.parametrize(
    ("seen", "expected", "kind"),
    [
        (None, 1.0, "type"),
        ("1.0", 1.0, "type"),
        (np.zeros((2, 1)), np.zeros((1, 2)), "shape"),
        (np.zeros(4), np.zeros((2, 2)), "shape"),
        (1.0 + 0j, 1.0, "type"),
        ({"a": 1.0}, {"b": 1.0}, "keys"),
        ([1.0], [1.0, 2.0], "shape"),
        (np.array([0.2, 1.0]), np.array([False, True]), "type"),
        (True, "yes", "type"),
        (float("inf"), 1.0, "number"),
        (float("nan"), float("nan"), "nan"),
    ],
)
def test_what_differs_is_said_to_differ(seen: object, expected: object, kind: str) -> None:
    difference = compare(read(seen), read(expected), TIGHT)
    assert difference is not None
    assert difference.kind == kind


def test_a_row_may_have_axes_in_front_only_where_allowed() -> None:
    row, flat = read(np.ones((1, 3))), read(np.ones(3))
    assert compare(row, flat, Tolerance(1e-9, as_row=True)) is None
    assert compare(row, flat, TIGHT) is not None


def test_the_floor_is_absolute_and_rounding_follows_the_largest_element() -> None:
    assert compare(read(1e-7), read(0.0), Tolerance(1e-9, floor=1e-6)) is None
    assert compare(read(1e-5), read(0.0), Tolerance(1e-9, floor=1e-6)) is not None
    assert compare(read([1e6, 1e-9]), read([1e6, 0.0]), TIGHT) is None


class Liar:
    """Equal to everything, and an array of whatever is asked."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]

    def __array__(self, *_: object, **__: object) -> np.ndarray:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "thing", [Liar(), object(), lambda: 0, np.array([object()]), [[1], [1, 2]]]
)
def test_what_is_not_plain_data_agrees_with_nothing(thing: object) -> None:
    value = read(thing)
    for expected in (1.0, "a", None, np.zeros(3), {"a": 1.0}, True):
        assert compare(value, read(expected), TIGHT) is not None


def test_endless_nesting_is_cut_short() -> None:
    nested: list[object] = []
    nested.append(nested)
    assert "Unreadable" in repr(read(nested))


def test_descriptions_are_short() -> None:
    things = [np.zeros((50, 50)), list(range(1000)), "x" * 1000, dict.fromkeys(range(99)), {1, 2}]
    assert all(len(describe(read(thing))) < 120 for thing in things)
    assert describe(Unreadable("Model")) == "an object of type Model"
