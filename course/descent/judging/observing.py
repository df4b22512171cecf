"""Exercising a function and recording what it does: questions, cases and observations."""

from __future__ import annotations

import re
import sys
import sysconfig
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any, NoReturn

import numpy as np

from descent.judging.fingerprint import Fingerprint
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

    @cached_property
    def fingerprint(self) -> Fingerprint | None:
        """What the value is compared by with the records of mistakes: with hundreds of them."""
        return Fingerprint.of_seen(self.value)


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
    """The function still meets a NotImplementedError; `blank` if there is nothing else in it."""

    def __init__(self, *, blank: bool = False) -> None:
        super().__init__()
        self.blank = blank


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
        self._changed = False
        self._about_changing: list[str] = []
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

    @property
    def changed(self) -> bool:
        """Whether the last call left its arguments other than it found them.

        A question that asks counts the answer, so the remark that it costs nothing is taken back.
        """
        kept = [r for r in self.record.remarks if r not in self._about_changing]
        self.record.remarks = kept
        return self._changed

    def unpack(self, value: Any, names: str, *, numbers: bool = False) -> tuple[Any, ...]:
        """The items of `value` that `names` ("out, cache") lists; extra ones are fine.

        Where all of them are `numbers`, an array of just as many will do.
        """
        wanted = [name.strip() for name in names.split(",")]
        if numbers and isinstance(value, np.ndarray) and value.shape == (len(wanted),):
            value = tuple(value)
        if not isinstance(value, tuple | list) or len(value) < len(wanted):
            seen = (
                f"{len(value)} values" if isinstance(value, tuple | list) else describe(read(value))
            )
            raise _Misshapen(
                f"The function should return {len(wanted)} values, ({names}); it returned {seen}."
            )
        return tuple(value[: len(wanted)])

    def items(self, value: Any, what: str) -> list[Any]:
        """The items of a returned list or tuple of `what` ("trials"), or the end of the case.

        An iterator ends it as well: behind a wall it would run when it is read, not when it is
        called.
        """
        if isinstance(value, Iterator):
            self.end(f"Return a list of {what}; this is a generator (it has `yield`).")
        if not isinstance(value, tuple | list):
            self.end(f"Return a list of {what}; it is {describe(read(value))}.")
        return list(value)

    def entry(self, value: Any, key: str, what: str = "") -> Any:
        """`value[key]` of a returned dictionary, or the end of the case when it isn't there.

        `what` says which dictionary is meant ("trial"), where it isn't the returned one itself.
        """
        if not isinstance(value, Mapping) or key not in value:
            seen = describe(read(value))
            if what:
                self.end(f"Each {what} should be a dictionary with the key {key!r}; it is {seen}.")
            self.end(
                f"The function should return a dictionary with the key {key!r}; it returned {seen}."
            )
        return value[key]

    def number(self, value: Any, what: str) -> float:
        """`value` as a float to compute with, or the end of the case."""
        plain = read(value)
        if not isinstance(plain, np.ndarray) or plain.size != 1 or plain.dtype.kind == "c":
            self.end(f"Each {what} should be a number; it is {describe(plain)}.")
        return float(plain.item())

    def end(self, reason: str) -> NoReturn:
        """End the case: what the function returned can't be taken apart, and this is why."""
        raise _Misshapen(reason)

    def catch(self, call: Callable[[], Any], message: str = "") -> tuple[Any, str]:
        """What `call` returns, and the type of error that it raises ("" for none).

        For errors that the question is about: others end the case as ever. With `message`, only
        an error that says just that is caught.
        """
        try:
            return call(), ""
        except _Failed as failed:
            if message and failed.raised.message != message:
                raise
            return None, _builtin_type(failed.__cause__)

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
                raise Unfinished(blank=_is_blank(function)) from error
            except (KeyboardInterrupt, Stopped, _Failed, _Misshapen, Unfinished):
                raise
            except BaseException as error:
                raise _Failed(_raised(error)) from error
            self._changed = not (
                all(_same(a, b) for a, b in zip(args, given, strict=True))
                and all(_same(kwargs[k], named[k]) for k in kwargs)
            )
            if self._changed:
                said = (
                    f"{name} changes what it is given, in place. That alone costs no points; "
                    "a caller may not expect it."
                )
                self._about_changing.append(said)
                self.remark(said)
            return result

        return call


def _same(before: Any, after: Any) -> bool:
    """Whether plain data is what it was, to within the rounding of a step there and back."""
    if isinstance(before, np.ndarray) and before.dtype.kind == "O":
        return before.shape == np.shape(after) and all(map(_same, before.ravel(), np.ravel(after)))
    if isinstance(before, np.ndarray):
        if type(after) is np.ndarray and np.array_equal(before, after):
            return True  # by far the quicker question, and mostly the answer
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


def own_copy(value: Any, made: dict[int, Any] | None = None) -> Any:
    """A private copy of plain data: arrays C-contiguous and writable; other objects as they are.

    An array with two places in `value` has both in the copy: it matters to who changes it in place.
    `made` holds the copies so far.
    """
    made = {} if made is None else made
    if isinstance(value, np.ndarray):
        if id(value) not in made:
            made[id(value)] = np.array(value, order="C", copy=True)
        return made[id(value)]
    if type(value) is dict:
        return {k: own_copy(v, made) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(own_copy(v, made) for v in value)
    return value


def _builtin_type(error: BaseException | None) -> str:
    """The nearest built-in type of an error: a type of the student's own doesn't cross a wall."""
    return next(k for k in type(error).__mro__ if k.__module__ == "builtins").__name__


def _parts(path: str) -> tuple[str, ...]:
    return PurePath(path.replace("\\", "/")).parts


_INSTALLED = ("site-packages", "dist-packages")
_STANDARD = tuple(_parts(sysconfig.get_path(p)) for p in ("stdlib", "platstdlib"))


def _package_folders() -> Iterator[tuple[str, ...]]:
    """Where our packages really lie: a clone or a student's folder may bear the same name."""
    for name, module in list(sys.modules.items()):
        is_ours = name == "descent" or (name.startswith("descent_") and "." not in name)
        if is_ours and getattr(module, "__path__", None) and module.__file__:
            yield _parts(module.__file__)[:-1]


def _is_students(filename: str) -> bool:
    """Whether a line stands in the student's own code, not in a library or in the judge."""
    parts = _parts(filename)
    folders = (*_STANDARD, *_package_folders())
    ours = any(parts[: len(folder)] == folder for folder in folders)
    library = ours or any(part in _INSTALLED for part in parts)
    return not (library or filename.startswith("<frozen") or filename.endswith(".pyx"))


def _raised(error: BaseException) -> Raised:
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_students(f.filename)]
    line = frames[-1].line or "" if frames else ""
    return Raised(type(error).__name__, _without_stand_ins(str(error))[:300], line.strip())


def _is_blank(function: Any) -> bool:
    """Whether a function does nothing but raise NotImplementedError; False where it can't be seen.

    Then it looks up nothing else, and has no constant but its docstring and None.
    """
    code = getattr(function, "__code__", None)
    if code is None:
        return False
    constants = [c for c in code.co_consts if c is not None and c != function.__doc__]
    return code.co_names == ("NotImplementedError",) and not constants


_STAND_IN = re.compile(r"'?(?:\bdescent_\w[\w.]*\.)?\bRemote(?:Callable|Iterator)?\b'?")


def _without_stand_ins(message: str) -> str:
    """`message` without the names of what stands for an object behind a sandbox's wall."""
    return _STAND_IN.sub("an object of yours", message)


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
            see.record.raised = Raised("", _without_stand_ins(said)[:300])
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
