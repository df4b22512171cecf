"""Notebooks and channel messages mangled at random: a few hundred always, 10,000 in the soak."""

from __future__ import annotations

import copy
import json
import socket
import struct
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import nbformat
import numpy as np
import pytest
from descent_autograder.core.assignment import Assignment, ReleasedCell
from descent_autograder.core.nodes import to_node
from descent_autograder.gradebook.preprocessors import Preprocessors
from descent_autograder.gradebook.shared import SharedGradebook
from descent_autograder.grading.steps import Preparer, Submission
from descent_autograder.reports.sanitize import sanitized
from descent_autograder.sandbox.grader_peer import serve_student
from descent_autograder.sandbox.inside.channel import (
    TRUSTED,
    BrokenChannelError,
    Peer,
    Remote,
    RemoteCallable,
    ReplyTimeoutError,
)
from descent_autograder.sandbox.inside.codec import Codec, UnsendableError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from . import attacked_course
from .attack import Notebook
from .attacked_course import NAME, UNIT, AttackedCourse

FEW, MANY = 300, 10_000
_quick = settings(
    max_examples=FEW,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
_long = settings(_quick, max_examples=MANY, derandomize=False)


# --- notebooks -----------------------------------------------------------------------------------

_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["code", "markdown", "raw", "squares", "squares_answer", "\ud800", "\x00", ""]),
)
_junk = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)
_keys = st.sampled_from(
    ["cell_type", "source", "metadata", "outputs", "id", "execution_count", "attachments", "new"]
)
_marks = st.sampled_from(
    ["grade", "solution", "locked", "task", "points", "grade_id", "schema_version", "checksum"]
)
_where = st.integers(0, 40)
_steps = st.one_of(
    st.tuples(st.just("delete"), _where),
    st.tuples(st.just("copy"), _where, _where),
    st.tuples(st.just("move"), _where, _where),
    st.tuples(st.just("field"), _where, _keys, _junk),
    st.tuples(st.just("mark"), _where, _marks, _junk),
    st.tuples(st.just("borrow"), _where, _where),
    st.tuples(st.just("forget"), _where, _keys),
    st.tuples(st.just("top"), st.sampled_from(["cells", "metadata", "nbformat", "x"]), _junk),
    st.tuples(st.just("nest"), _where, st.integers(1, 2000)),
    st.tuples(st.just("junk"), _where, _junk),
)
_cuts = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=8)), max_size=2)
_notebooks = st.tuples(st.lists(_steps, min_size=1, max_size=8), _cuts)


def mangled(notebook: Notebook, steps: list[tuple[Any, ...]], cuts: list[Any]) -> bytes:
    """The file that a series of changes makes of a notebook."""
    notebook = copy.deepcopy(notebook)
    for name, *arguments in steps:
        cells = notebook.get("cells")
        if name == "top":
            notebook[arguments[0]] = arguments[1]
        elif isinstance(cells, list) and cells:
            _step(name, cells, arguments)
    content = json.dumps(notebook).encode()
    for place, length, patch in cuts:
        start = int(place * len(content))
        content = content[:start] + patch + content[start + length :]
    return content


def _step(name: str, cells: list[Any], arguments: list[Any]) -> None:
    place = arguments[0] % len(cells)
    cell = cells[place]
    if name == "delete":
        del cells[place]
    elif name == "copy":
        cells.insert(arguments[1] % len(cells), copy.deepcopy(cell))
    elif name == "move":
        cells.insert(arguments[1] % len(cells), cells.pop(place))
    elif name == "junk":
        cells.insert(place, arguments[1])
    elif isinstance(cell, dict):
        _change(name, cell, cells, arguments)


def _change(name: str, cell: Any, cells: list[Any], arguments: list[Any]) -> None:
    metadata = cell.get("metadata")
    if name == "field":
        cell[arguments[1]] = arguments[2]
    elif name == "forget":
        cell.pop(arguments[1], None)
    elif name == "borrow":
        other = cells[arguments[1] % len(cells)]
        cell["metadata"] = copy.deepcopy(other.get("metadata")) if isinstance(other, dict) else 0
    elif isinstance(metadata, dict):
        known = metadata.setdefault("nbgrader", {})
        if name == "mark" and isinstance(known, dict):
            known[arguments[1]] = arguments[2]
        elif name == "nest":
            deep: Any = 0
            for _ in range(min(arguments[1], 900)):
                deep = [deep]
            metadata["deep"] = deep


@dataclass(frozen=True)
class _Intake:
    """What takes submissions in; it shows nothing of itself in a failure's report."""

    preparer: Preparer = field(repr=False)
    cells: Sequence[ReleasedCell] = field(repr=False)
    released: Notebook = field(repr=False)


@pytest.fixture(scope="module")
def intake(template: AttackedCourse) -> _Intake:
    """The intake of a course that has been released."""
    course = template.course
    gradebook = SharedGradebook(course.db_url, course.course_id)
    released = Assignment(course, UNIT).released(gradebook)
    gradebook.close()
    preparer = Preparer(released, UNIT, course.db_url, Preprocessors(course.config))
    return _Intake(preparer, released[NAME].cells, attacked_course.released(template))


def _hold(intake: _Intake, content: bytes) -> None:
    """Whatever comes in, what goes on is a sound notebook with the instructor's tests."""
    submission = Submission("fuzz", {NAME: content})
    prepared = intake.preparer.prepare(submission)
    node = to_node(prepared.notebooks[NAME])
    nbformat.validate(node)
    found = [cell for cell in node.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    wanted = [cell for cell in intake.cells if cell.grade]
    found.sort(key=lambda cell: str(cell.metadata.nbgrader.grade_id))
    wanted.sort(key=lambda cell: cell.grade_id)
    assert [c.metadata.nbgrader.grade_id for c in found] == [c.grade_id for c in wanted]
    assert [c.metadata.nbgrader.points for c in found] == [c.points for c in wanted]
    assert [c.source for c in found] == [c.source for c in wanted]
    assert [c.cell_type for c in found] == [c.cell_type for c in wanted]
    assert not any(cell.metadata.get("tags") for cell in found)
    assert not any(cell.get("outputs") for cell in node.cells)
    nbformat.validate(sanitized(node))
    intake.preparer.finish(prepared, None)


@_quick
@given(change=_notebooks)
def test_mangled_notebooks_are_mended_or_refused(change: Any, intake: _Intake) -> None:
    _hold(intake, mangled(intake.released, *change))


@pytest.mark.soak
@pytest.mark.timeout(7200)
@_long
@given(change=_notebooks)
def test_ten_thousand_mangled_notebooks(change: Any, intake: _Intake) -> None:
    _hold(intake, mangled(intake.released, *change))


# --- channel messages ----------------------------------------------------------------------------

_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=6),
    st.binary(max_size=6),
    st.sampled_from(["attribute", "next", "look", "run", "__globals__", "shape"]),
)
_values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        | st.builds(lambda n: np.arange(n, dtype=float), st.integers(0, 5))
    ),
    max_leaves=8,
)
_handle = st.tuples(st.just("handle"), st.integers(0, 3), st.integers(0, 6), st.integers(0, 3))
_body = st.tuples(st.just("value"), _values) | _handle | st.tuples(st.just("raw"), st.binary())
_frames = st.lists(
    st.tuples(
        st.sampled_from([b"R", b"R", b"C", b"Q", b"X", b"\0"]),
        st.integers(0, 15),
        _body,
        st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=2),
        st.sampled_from([0, 0, 0, 0, 1, -1, 70, 2**31]),
        st.sampled_from([0, 0, 0, 0, 0, 1, 2**32 - 1]),
    ),
    max_size=4,
)


class _NoHandles:
    def export(self, value: Any) -> tuple[int, int, int, str]:
        raise UnsendableError("nothing is exported here")

    def resolve(self, owner: int, number: int, kind: int, name: str) -> Any:
        return None


def _encoded(frame: Any) -> bytes:
    """One frame of a student's own making.

    Kind, marks, body, bytes changed, by how much its length is wrong, number of the call.
    """
    kind, marks, body, changes, wrong, number = frame
    if body[0] == "value":
        content = bytearray(Codec(_NoHandles()).encode(body[1]))
    elif body[0] == "handle":
        content = bytearray(b"H" + struct.pack("<BIBB", *body[1:], 1) + b"x")
    else:
        content = bytearray(body[1])
    head = bytes((marks,)) if kind == b"R" else struct.pack("<IHH", marks % 5, 1, 0)
    head = head if kind in b"RC" else b""
    content = bytearray(kind + struct.pack("<I", number) + head) + content
    for place, value in changes:
        if place < len(content):
            content[place] = value
    return struct.pack("<I", max(0, min(len(content) + wrong, 2**32 - 1))) + bytes(content)


def _numbers() -> Iterator[int]:
    yield from range(3)


def _converse(frames: list[Any]) -> None:
    """Call a student's function that answers with these frames; nothing else may come of it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        peer = Peer(ours, TRUSTED, serve_student)
        peer.limit(2)
        theirs.sendall(b"".join(map(_encoded, frames)))
        theirs.shutdown(socket.SHUT_WR)
        function = RemoteCallable(peer, 0, 1, "answer")
        given_array = np.arange(4.0)
        try:
            value = function(given_array, _echo, _numbers(), kept={"a": [given_array]})
        except (BrokenChannelError, ReplyTimeoutError, UnsendableError):
            pass
        except Exception as problem:
            if not _is_the_students(problem):
                raise
        else:
            assert _is_plain(value), type(value)
        if peer.broken is not None:
            with pytest.raises(type(peer.broken)):
                function()


def _echo(*values: Any, **named: Any) -> Any:
    return values[0] if values else None


def _is_the_students(problem: Exception) -> bool:
    """Whether the exception came over the channel, or from too deep a conversation."""
    places = traceback.extract_tb(problem.__traceback__)
    sent = places[-1].name == "_understand" or "student" in places[-1].filename
    return sent or "nested too deeply" in str(problem)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(key) and _is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return all(map(_is_plain, value))
    plain = (type(None), bool, int, float, complex, str, bytes, range, slice, type(...))
    numeric = (np.ndarray, np.generic, np.random.Generator, np.random.RandomState)
    ours: tuple[Callable[..., Any], ...] = (_echo,)
    return isinstance(value, (*plain, *numeric, Remote, Iterator)) or value in ours


@_quick
@given(frames=_frames)
def test_mangled_messages_break_nothing_but_their_channel(frames: list[Any]) -> None:
    _converse(frames)


@pytest.mark.soak
@pytest.mark.timeout(7200)
@_long
@given(frames=_frames)
def test_ten_thousand_mangled_messages(frames: list[Any]) -> None:
    _converse(frames)
