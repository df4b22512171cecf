"""Taking apart what a function returned: the observer's tools for questions."""

from __future__ import annotations

import json
import linecache
from collections.abc import Callable
from pathlib import Path
from typing import Any

import descent.judging
import numpy as np
import pytest
from descent.judging.observing import Case, Observer, Question, Raised, _is_students, own_copy


def seen(function: Callable[..., Any], look: Callable[[Observer, Case], None]) -> Any:
    """What a question that only looks records: its values, and how the case ended."""
    record = Question("one", "unit", ("one",), look, 1e-9).run((function,), {})
    return [o.value for o in record.observations], record.raised


def ended(function: Callable[..., Any], look: Callable[[Observer], Any]) -> str:
    values, raised = seen(function, lambda see, case: see("seen", look(see)))
    assert values == []
    assert isinstance(raised, Raised)
    assert raised.type_name == ""
    return raised.message


def test_a_list_is_no_generator() -> None:
    def generator() -> Any:
        yield 1

    for function in (generator, lambda: zip([1], [2], strict=True)):
        said = ended(function, lambda see: see.items(see.functions[0](), "pairs"))
        assert said == "Return a list of pairs; this is a generator (it has `yield`)."
    said = ended(lambda: {"a": 1}, lambda see: see.items(see.functions[0](), "pairs"))
    assert said == "Return a list of pairs; it is {a: 1}."


def test_entries_and_numbers_say_what_is_meant() -> None:
    assert (
        ended(lambda: (1, 2), lambda see: see.entry(see.functions[0](), "score", "trial"))
        == "Each trial should be a dictionary with the key 'score'; it is [1, 2]."
    )
    assert (
        ended(lambda: None, lambda see: see.number(see.functions[0](), "score"))
        == "Each score should be a number; it is None."
    )


@pytest.mark.parametrize(("numbers", "passes"), [(True, True), (False, False)])
def test_an_array_is_unpacked_where_numbers_are_meant(numbers: bool, passes: bool) -> None:
    def look(see: Observer, case: Case) -> None:
        see("sum", sum(see.unpack(see.functions[0](), "low, high", numbers=numbers)))

    values, raised = seen(lambda: np.array([1.0, 2.0]), look)
    assert (raised is None) == passes
    assert values == ([3.0] if passes else [])
    assert seen(lambda: np.ones(3), look)[1] is not None


class OwnError(FileNotFoundError):
    """An error of the student's own kind."""


def raises(error: Exception) -> Callable[[], Any]:
    def function() -> Any:
        raise error

    return function


def test_an_error_that_is_asked_for_is_caught_by_its_built_in_type() -> None:
    def look(see: Observer, case: Case) -> None:
        see("error", see.catch(see.functions[0])[1])

    assert seen(raises(OwnError()), look)[0] == ["FileNotFoundError"]
    assert seen(lambda: 3, look)[0] == [""]


def test_another_error_than_the_one_that_is_asked_for_ends_the_case() -> None:
    def look(see: Observer, case: Case) -> None:
        see("error", see.catch(see.functions[0], "planted")[1])

    assert seen(raises(ValueError("planted")), look)[0] == ["ValueError"]
    values, raised = seen(raises(ValueError("my own")), look)
    assert (values, raised.type_name, raised.message) == ([], "ValueError", "my own")


def in_a_cell(source: str) -> Callable[..., Any]:
    """A function `f` as a notebook's cell defines it: its lines are known, and no library's."""
    linecache.cache["<cell>"] = (len(source), None, source.splitlines(keepends=True), "<cell>")
    names: dict[str, Any] = {"np": np}
    exec(compile(source, "<cell>", "exec"), names)
    function: Callable[..., Any] = names["f"]
    return function


@pytest.mark.parametrize("line", ["rng.uniform(1, -np.inf)", "np.stack([np.ones(2), np.ones(3)])"])
def test_the_line_of_an_error_is_the_students_own(line: str) -> None:
    def look(see: Observer, case: Case) -> None:
        see.functions[0](np.random.default_rng(0))

    _, raised = seen(in_a_cell(f"def f(rng):\n    return {line}\n"), look)
    assert raised.line == f"return {line}"


@pytest.mark.parametrize("folder", ["descent", "descent_solutions", "descent/course/descent_copy"])
def test_a_folder_of_the_packages_name_holds_the_students_code(folder: str, tmp_path: Path) -> None:
    file = tmp_path / folder / "own.py"
    file.parent.mkdir(parents=True)
    file.write_text("def f(x):\n    return x + missing\n")
    names: dict[str, Any] = {}
    exec(compile(file.read_text(), str(file), "exec"), names)

    def look(see: Observer, case: Case) -> None:
        see.functions[0](1.0)

    assert seen(names["f"], look)[1].line == "return x + missing"


def test_our_own_package_is_no_students_code_wherever_it_lies() -> None:
    judging = str(Path(descent.judging.__file__).parent / "observing.py")
    assert not _is_students(judging)
    assert not _is_students(json.__file__)
    assert not _is_students(np.__file__)


def test_an_array_with_two_places_has_both_in_a_copy() -> None:
    one = np.zeros(2)
    copy = own_copy({"m": one, "v": [one], "other": np.zeros(2)})
    assert copy["m"] is copy["v"][0]
    assert copy["m"] is not one
    assert copy["other"] is not copy["m"]
