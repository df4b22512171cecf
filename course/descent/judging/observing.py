"""Exercising a function and recording what it does: questions, cases and observations."""

from __future__ import annotations

import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from descent.judging.values import describe, read

Case = Mapping[str, Any]
"""The inputs of one trial: plain data (arrays, numbers, strings, lists and dicts of these)."""


@dataclass(frozen=True)
class Observation:
    """One thing seen while a function ran.

    `part` names the share of the points it counts for; `rtol` and `floor` are how closely it must
    agree (see `values.compare`).
    """

    name: str
    value: Any
    rtol: float
    floor: float = 0.0
    as_row: bool = False
    part: str = ""


@dataclass(frozen=True)
class Raised:
    """The function raised instead of returning; where and what, for the report."""

    type_name: str
    message: str
    line: str = ""


@dataclass
class Record:
    """What was seen in one case: observations in order, and how it ended."""

    observations: list[Observation] = field(default_factory=list)
    raised: Raised | None = None
    remarks: list[str] = field(default_factory=list)


class Unfinished(Exception):
    """The function still raises NotImplementedError: nothing has been written yet."""


class Stopped(Exception):
    """The trial can't go on (time is up, the process is gone): not the function's answer.

    `status` is "timeout" or "crashed".
    """

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Failed(Exception):
    """The student's function raised; ends the case."""

    def __init__(self, raised: Raised) -> None:
        self.raised = raised


class _Misshapen(Exception):
    """The student's function returned something that can't be taken apart; ends the case."""


class Folder(str):
    """The path of a folder of files. A sandbox gives the function a folder of its own like it."""

    __slots__ = ()


class Observer:
    """Records what a question's functions do in one case; called `see` in the questions.

    `see.functions` are the functions under test. Every call hands them copies of their own
    (C-contiguous, writable), so that changing an argument can't spoil the trial.
    """

    def __init__(
        self, functions: Sequence[Callable[..., Any]], names: Sequence[str], rtol: float
    ) -> None:
        self.record = Record()
        self.changed = False
        """Whether the last call left its arguments other than it found them."""
        self.functions = tuple(self.wrap(f, n) for f, n in zip(functions, names, strict=True))
        self._rtol = rtol
        self._folders: list[tempfile.TemporaryDirectory[str]] = []

    def __call__(
        self,
        name: str,
        value: Any,
        *,
        rtol: float | None = None,
        floor: float = 0.0,
        as_row: bool = False,
        part: str = "",
    ) -> None:
        """Record an observation (see `Observation`)."""
        rtol = self._rtol if rtol is None else rtol
        self.record.observations.append(
            Observation(name, read(value), rtol, float(floor), as_row, part)
        )

    def unpack(self, value: Any, names: str) -> tuple[Any, ...]:
        """The items of `value` that `names` ("out, cache") lists; extra ones are fine."""
        wanted = [name.strip() for name in names.split(",")]
        if not isinstance(value, tuple | list) or len(value) < len(wanted):
            seen = (
                f"{len(value)} values" if isinstance(value, tuple | list) else describe(read(value))
            )
            raise _Misshapen(
                f"The function should return {len(wanted)} values, ({names}); it returned {seen}."
            )
        return tuple(value[: len(wanted)])

    def entry(self, value: Any, key: str) -> Any:
        """`value[key]` of a returned dictionary, or the end of the case when it isn't there."""
        if not isinstance(value, Mapping) or key not in value:
            raise _Misshapen(
                f"The function should return a dictionary with the key {key!r}; "
                f"it returned {describe(read(value))}."
            )
        return value[key]

    def array(self, value: Any, what: str = "array") -> Any:
        """`value` as a float or bool array to compute with, or the end of the case."""
        plain = read(value)
        if isinstance(plain, bool):
            plain = np.asarray(plain)
        if isinstance(plain, list) and not plain:
            plain = np.zeros(0)
        if not isinstance(plain, np.ndarray):
            raise _Misshapen(f"The {what} should be numbers; it is {describe(plain)}.")
        return plain

    def folder(self, files: Mapping[str, str]) -> Folder:
        """A folder that holds `files` (texts by name) as long as the case runs."""
        self._folders.append(tempfile.TemporaryDirectory(prefix="descent-"))
        path = self._folders[-1].name
        for name, text in files.items():
            (Path(path) / name).write_text(text, encoding="utf-8")
        return Folder(path)

    def close(self) -> None:
        """Remove what the case left on disk."""
        while self._folders:
            self._folders.pop().cleanup()

    def remark(self, sentence: str) -> None:
        """Something worth saying that costs no points."""
        if sentence not in self.record.remarks:
            self.record.remarks.append(sentence)

    def wrap(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """`function` with copied arguments, its changes to them noted, its errors recorded."""

        def call(*args: Any, **kwargs: Any) -> Any:
            given = [own_copy(a) for a in args]
            named = {k: own_copy(v) for k, v in kwargs.items()}
            try:
                result = function(*given, **named)
            except NotImplementedError as error:
                raise Unfinished from error
            except (KeyboardInterrupt, Stopped, _Failed, _Misshapen, Unfinished):
                raise
            except BaseException as error:
                raise _Failed(_raised(error)) from error
            self.changed = not (
                all(_same(a, b) for a, b in zip(args, given, strict=True))
                and all(_same(kwargs[k], named[k]) for k in kwargs)
            )
            if self.changed:
                self.remark(
                    f"{name} changes what it is given, in place. It costs no points; "
                    "a caller may not expect it."
                )
            return result

        return call


def _same(before: Any, after: Any) -> bool:
    """Whether plain data is what it was, to within the rounding of a step there and back."""
    if isinstance(before, np.ndarray):
        return before.shape == np.shape(after) and bool(
            np.allclose(after, before, rtol=1e-9, atol=1e-12, equal_nan=True)
            if before.dtype.kind in "iufcb"
            else np.array_equal(before, after)
        )
    if type(before) is dict:
        return before.keys() == after.keys() and all(_same(v, after[k]) for k, v in before.items())
    if type(before) in (list, tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    return True


def own_copy(value: Any) -> Any:
    """A private copy of plain data: arrays C-contiguous and writable; other objects as they are."""
    if isinstance(value, np.ndarray):
        return np.array(value, order="C", copy=True)
    if type(value) is dict:
        return {k: own_copy(v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(own_copy(v) for v in value)
    return value


def _raised(error: BaseException) -> Raised:
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "descent" not in frame.filename.replace("\\", "/").split("/")
    ]
    line = frames[-1].line or "" if frames else ""
    return Raised(type(error).__name__, str(error)[:300], line.strip())


Observe = Callable[[Observer, Case], None]


@dataclass(frozen=True)
class Question:
    """A question: which functions it is asked of, and how they are exercised.

    `rtol` is 1e-7 where finite differences are involved and 1e-9 elsewhere.
    """

    id: str
    unit: str
    functions: tuple[str, ...]
    observe: Observe
    rtol: float

    def run(self, functions: Sequence[Callable[..., Any]], case: Case) -> Record:
        """Exercise `functions` in one case. Raises Unfinished and Stopped, nothing else."""
        see = Observer(functions, self.functions, self.rtol)
        try:
            self.observe(see, case)
        except _Failed as failed:
            see.record.raised = failed.raised
        except _Misshapen as misshapen:
            see.record.raised = Raised("", str(misshapen))
        except (Unfinished, Stopped):
            raise
        except Exception as error:
            # Only what a function returned can trip the observing code: `descent verify` shows
            # that it doesn't stumble by itself.
            said = f"What the function returned can't be used: {type(error).__name__}: {error}"
            see.record.raised = Raised("", said[:300])
        finally:
            see.close()
        return see.record


_QUESTIONS: dict[str, Question] = {}


def question(
    *functions: str, id: str | None = None, rtol: float = 1e-9
) -> Callable[[Observe], Observe]:
    """Register the decorated function as the way a question is observed.

    The question's id is the function's own name unless `id` is given; `functions` are the names
    that the student writes (by default the id alone); the unit is the module's name.
    """

    def register(observe: Observe) -> Observe:
        name = id or observe.__name__
        unit = observe.__module__.rpartition(".")[2]
        _QUESTIONS[name] = Question(name, unit, functions or (name,), observe, rtol)
        return observe

    return register


def registered() -> Iterator[Question]:
    """All questions of the modules imported so far."""
    return iter(_QUESTIONS.values())
