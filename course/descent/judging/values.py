"""Plain values: how what a function returned is read, and when two of them agree.

A value is a tree of dicts, lists and tuples (both read as lists), sets of strings or numbers,
strings, None, booleans and numeric arrays (a number is a 0-d array). Anything else becomes
`Unreadable`, which agrees with nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

ROUNDING = 1e-13
"""Share of an array's largest element below which a difference is rounding, not an error."""

SINGLE = 1e-5
"""Relative error below which numbers that all fit into float32 look as if they had been one."""

MAX_DEPTH = 20


@dataclass(frozen=True)
class Unreadable:
    """A value that can't be compared, with the name of its type."""

    type_name: str


@dataclass(frozen=True)
class Difference:
    """Where and how a value first departs from the expected one.

    `kind` is "type", "shape", "keys", "number", "nan", or "single" for numbers that look as if they
    had gone through float32; `place` is a path such as `["mean"][0, 2]`;
    `relative_error` is the largest over the observation (inf where it has no meaning).
    """

    kind: str
    place: str
    seen: str
    expected: str
    relative_error: float


def read(value: Any, depth: int = 0) -> Any:
    """Return `value` as a plain tree; never raises for what a student may return."""
    if depth > MAX_DEPTH:
        return Unreadable("deeply nested " + _type_name(value))
    if isinstance(value, str):
        return str.__str__(value)  # also of numpy's own kind, whatever its `__str__` would say
    if value is None or isinstance(value, bool | Unreadable):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, Mapping):
        return {_key(k): read(v, depth + 1) for k, v in value.items()}
    if isinstance(value, set | frozenset):
        return {_key(item) for item in value}
    if isinstance(value, list | tuple):
        array = _numeric(value)
        return [read(item, depth + 1) for item in value] if array is None else array
    if isinstance(value, np.ndarray) and value.dtype.kind == "U" and value.ndim == 0:
        return str(value)
    array = _numeric(value)
    return Unreadable(_type_name(value)) if array is None else array


def _type_name(value: Any) -> str:
    kind = type(value)
    # What stands for an object behind the sandbox's wall bears the name of that object's type.
    stands_in = kind.__module__.startswith("descent_")
    return str(value.__name__) if stands_in else kind.__name__


def _key(key: Any) -> Any:
    if isinstance(key, np.generic):
        return key.item()
    if isinstance(key, type):
        return f"the type {key.__name__}"
    if isinstance(key, str):
        return str.__str__(key)
    return key if isinstance(key, int | float | bool | tuple) else _type_name(key)


def _numeric(value: Any) -> Array | None:
    """A private numeric array holding `value`, or None when it is not numbers all through."""
    if isinstance(value, list | tuple):
        if any(isinstance(item, str | Mapping | set | type(None)) for item in value):
            return None
        truths = sum(isinstance(item, bool) for item in value)
        if 0 < truths < len(value):
            return None
    try:
        array = np.array(value)
    except Exception:  # ragged lists, objects with a hostile __array__
        return None
    if array.dtype.kind in "iuf":
        return array.astype(np.float64)
    return array if array.dtype.kind in "bc" else None


@dataclass(frozen=True)
class Tolerance:
    """How closely numbers must agree; `compare` says what the fields mean."""

    rtol: float
    floor: float = 0.0
    as_row: bool = False
    nan_agrees: bool = False


def compare(seen: Any, expected: Any, tolerance: Tolerance) -> Difference | None:
    """First difference between two read values, or None when they agree.

    Numbers agree when they differ by at most `rtol` of the larger one, by `floor`, or by what
    rounding explains (`ROUNDING` of the largest expected element). NaN agrees with nothing, except
    with NaN and infinity under `nan_agrees`, where two wrong answers are compared: an overflow ends
    as one or the other. With `as_row`, axes of
    length one in front don't count: (1, C) is as good as (C,).
    """
    return next(_differences(seen, expected, tolerance, ""), None)


def _differences(
    seen: Any, expected: Any, tolerance: Tolerance, place: str
) -> Iterator[Difference]:
    if isinstance(expected, dict):
        if not isinstance(seen, dict):
            yield _type_difference(seen, expected, place)
        elif seen.keys() != expected.keys():
            yield Difference("keys", place, _keys(seen), _keys(expected), np.inf)
        else:
            for key in expected:
                yield from _differences(seen[key], expected[key], tolerance, f"{place}[{key!r}]")
    elif isinstance(expected, list):
        if isinstance(seen, np.ndarray) and seen.ndim:
            seen = [np.asarray(item) for item in seen]
        if not isinstance(seen, list):
            yield _type_difference(seen, expected, place)
        elif len(seen) != len(expected):
            yield Difference("shape", place, f"{len(seen)} items", f"{len(expected)} items", np.inf)
        else:
            for i, (a, b) in enumerate(zip(seen, expected, strict=True)):
                yield from _differences(a, b, tolerance, f"{place}[{i}]")
    elif isinstance(expected, np.ndarray):
        difference = _array_difference(seen, expected, tolerance, place)
        if difference is not None:
            yield difference
    elif isinstance(expected, bool):
        truth = seen.item() if isinstance(seen, np.ndarray) and seen.size == 1 else seen
        if not isinstance(truth, bool | int | float) or truth != expected:
            yield _type_difference(seen, expected, place)
    elif isinstance(seen, np.ndarray) or type(seen) is not type(expected) or seen != expected:
        yield _type_difference(seen, expected, place)


def _array_difference(
    seen: Any, expected: Array, tolerance: Tolerance, place: str
) -> Difference | None:
    if isinstance(seen, bool):
        seen = np.asarray(seen)
    if isinstance(seen, list) and not seen:
        seen = np.zeros(0)
    if not isinstance(seen, np.ndarray):
        return _type_difference(seen, expected, place)
    if tolerance.as_row:
        seen, expected = _without_front(seen), _without_front(expected)
    if expected.ndim == 0 and seen.size == 1:
        seen = seen.reshape(())
    if seen.shape != expected.shape:
        return Difference("shape", place, str(seen.shape), str(expected.shape), np.inf)
    if expected.dtype.kind == "b" and seen.dtype.kind != "b" and not np.isin(seen, (0, 1)).all():
        return _type_difference(seen, expected, place)
    if seen.dtype.kind == "c" and expected.dtype.kind != "c":
        return Difference("type", place, "complex numbers", "real numbers", np.inf)
    a, b = _as_numbers(seen), _as_numbers(expected)
    errors = relative_errors(a, b, tolerance.floor)
    if tolerance.nan_agrees:
        errors = np.where(~np.isfinite(a) & ~np.isfinite(b), 0.0, errors)
    # `not <=` rather than `>`: a NaN error is a disagreement.
    wrong = ~(errors <= tolerance.rtol)
    if not wrong.any():
        return None
    index = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
    where = place + (f"[{', '.join(map(str, index))}]" if index else "")
    worst = np.inf if np.isnan(errors).any() else float(errors.max())
    kind = "nan" if np.isnan(a[index]) else "number"
    if worst < SINGLE and a.dtype.kind == "f" and np.array_equal(a, a.astype(np.float32)):
        kind = "single"
    return Difference(kind, where, *_apart(a[index], b[index]), worst)


def _apart(a: Any, b: Any) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart."""
    for digits in (6, 9, 12, 17):
        shown = show(a, digits), show(b, digits)
        if shown[0] != shown[1]:
            break
    return shown


def relative_errors(a: Array, b: Array, floor: float = 0.0) -> Array:
    """|a − b| / max(|a|, |b|) elementwise; 0 for equal elements and within floor or rounding."""
    finite = np.abs(b[np.isfinite(b)])
    slack = max(floor, ROUNDING * float(finite.max(initial=0.0)))
    with np.errstate(all="ignore"):
        gap = np.abs(a - b)
        errors = gap / np.maximum(np.abs(a), np.abs(b))
    return np.where((a == b) | (gap <= slack), 0.0, errors)


def largest_relative_error(seen: Any, expected: Any, floor: float = 0.0) -> float:
    """The number to read in a report; inf where the two can't be compared element by element."""
    if isinstance(expected, dict) and isinstance(seen, dict) and seen.keys() == expected.keys():
        return max(
            (largest_relative_error(seen[k], expected[k], floor) for k in expected), default=0.0
        )
    if isinstance(seen, np.ndarray) and isinstance(expected, np.ndarray):
        if seen.squeeze().shape != expected.squeeze().shape:
            return np.inf
        errors = relative_errors(
            _as_numbers(seen.squeeze()), _as_numbers(expected.squeeze()), floor
        )
        return np.inf if np.isnan(errors).any() else float(errors.max(initial=0.0))
    return 0.0 if compare(seen, expected, Tolerance(0.0, floor)) is None else np.inf


def _as_numbers(array: Array) -> Array:
    return array.astype(np.float64) if array.dtype.kind == "b" else array


def _without_front(array: Array) -> Array:
    while array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    return array


def _type_difference(seen: Any, expected: Any, place: str) -> Difference:
    return Difference("type", place, describe(seen), describe(expected), np.inf)


def _keys(value: dict[Any, Any]) -> str:
    return "keys " + ", ".join(map(str, value)) if value else "no keys"


def show(number: Any, digits: int = 6) -> str:
    """A number as a person reads it: with six significant digits."""
    if isinstance(number, complex | np.complexfloating):
        return f"{number:.{digits}g}"
    return f"{float(number):.{digits}g}"


def describe(value: Any) -> str:
    """A value in a few words: what it is, and itself where it is short."""
    if isinstance(value, Unreadable):
        return f"an object of type {value.type_name}"
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return str(bool(value)) if value.dtype.kind == "b" else show(value)
        if value.size <= 8:
            inner = ", ".join(
                str(bool(v)) if value.dtype.kind == "b" else show(v) for v in value.ravel()
            )
            return f"[{inner}]" if value.ndim == 1 else f"[{inner}] of shape {value.shape}"
        return f"an array of shape {value.shape}"
    if isinstance(value, dict):
        if len(value) > 6:
            return f"a dictionary of {len(value)} entries"
        return "{" + ", ".join(f"{k}: {describe(v)}" for k, v in value.items()) + "}"
    if isinstance(value, set):
        return "{" + ", ".join(sorted(map(str, value))) + "}" if value else "an empty set"
    if isinstance(value, list):
        if len(value) > 6:
            return f"a list of {len(value)} items"
        return "[" + ", ".join(map(describe, value)) + "]"
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
