"""What each subcommand of ``descent`` does, and how its failures are put into one line."""

from __future__ import annotations

import argparse
import errno
import importlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from descent_autograder.core import units
from descent_autograder.core.course import Course, NoCourse, open_course
from descent_autograder.core.errors import Stop, WrongCall


def run(options: argparse.Namespace) -> int:
    """Run the subcommand that was asked for and return the exit status."""
    if options.command in _RUNNING_ANSWERS and sys.platform != "linux":
        raise Stop(
            "grading needs Linux (or WSL 2 on Windows): there is no sandbox elsewhere, and without "
            "one (--unsafe) its processes still use what only Linux has"
        )
    return _COMMANDS[options.command](options)


def _course(options: argparse.Namespace) -> Course:
    try:
        return open_course(options.course)
    except NoCourse as error:
        raise WrongCall(str(error)) from error


def _units(course: Course, names: Sequence[str]) -> list[str]:
    """The folders that the names mean; all that have a source when there are none."""
    chosen = _resolved(course, names)
    known = course.units()
    for unit in chosen:
        if unit not in known:
            raise WrongCall(f"{unit} has no notebook in {course.step('source')}")
    if not chosen and not known:
        raise WrongCall(f"no unit has a notebook in {course.step('source')}")
    return list(dict.fromkeys(chosen or known))


def _resolved(course: Course, names: Sequence[str]) -> list[str]:
    """The folders that the names mean, found without reading the configuration."""
    folders = [path.name for path in sorted(course.root.glob("source/*")) if path.is_dir()]
    try:
        return [units.resolve(name, folders) for name in names]
    except units.UnknownUnit as error:
        raise WrongCall(str(error)) from error


def _demo(options: argparse.Namespace) -> int:
    from descent_autograder.commands.demo import demo

    return _guarded(lambda: demo(options.dir, _grading(options)))


def _release(options: argparse.Namespace) -> int:
    from descent_autograder.publishing.release import release

    course = _course(options)
    chosen = _units(course, options.units)

    def work() -> int:
        for unit in release(course, chosen):
            state = "released" if unit.changed else "up to date"
            print(f"{unit.unit}: {state} ({unit.points:g} points)")
        if options.bundle:
            from descent_autograder.publishing.bundle import make_bundle

            print(f"bundle: {make_bundle(chosen, course.root, options.bundle)}")
        return 0

    return _guarded(work)


def _grading(options: argparse.Namespace) -> Any:
    from descent_autograder.grading.pipeline import Options

    return Options(
        students=tuple(getattr(options, "student", ())),
        jobs=options.jobs,
        scheduler=options.scheduler,
        unsafe=options.unsafe,
        force=getattr(options, "force", False),
    )


def _grade(options: argparse.Namespace) -> int:
    from descent_autograder.commands.grade import grade_class

    course = _course(options)
    unit = _resolved(course, [options.unit])[0]
    if not any(course.root.glob(f"source/{unit}/*.ipynb")):
        _units(course, [unit])  # the configuration may name another place; reading it is slow
    return _guarded(
        lambda: grade_class(course, unit, _grading(options), feedback=not options.no_feedback)
    )


def _feedback(options: argparse.Namespace) -> int:
    from descent_autograder.reports.feedback import write_feedback

    course = _course(options)
    unit = _units(course, [options.unit])[0]

    def work() -> int:
        written = write_feedback(course, unit, students=options.student or None)
        print(f"feedback for {len(written)} students in {course.step('feedback')}")
        return 0

    return _guarded(work)


def _verify(options: argparse.Namespace) -> int:
    course = _course(options)
    chosen = _resolved(course, options.units)
    from descent_autograder.publishing.grade_cells import notebook_problems
    from descent_autograder.questions.verify import main as verify

    status = int(verify([units.module(unit) for unit in chosen]))
    for unit in chosen or course.units():
        for path in sorted(course.path("source", ".", unit).glob("*.ipynb")):
            for problem in notebook_problems(path):
                print(f"{unit}: {problem}")
                status = status or 1
    return status


def _judge(options: argparse.Namespace) -> int:
    from descent_autograder.commands.judge import judge_files
    from descent_autograder.sandbox import NoWall

    try:
        return judge_files(
            options.question,
            options.files,
            names=options.name,
            seed=options.seed,
            as_json=options.json,
            unsafe=options.unsafe,
        )
    except NoWall as error:
        raise Stop(str(error)) from error


def _refresh(options: argparse.Namespace) -> int:
    from descent_autograder.commands.refresh import refresh

    course = _course(options)
    return _guarded(lambda: refresh(course, _units(course, options.units)))


def _doctor(options: argparse.Namespace) -> int:
    from descent_autograder.commands.doctor import doctor

    try:
        course = open_course(options.course)
    except NoCourse as error:
        if options.course is not None:
            raise WrongCall(str(error)) from error
        course = None
    return doctor(course)


def _bench(options: argparse.Namespace) -> int:
    try:
        bench = importlib.import_module("descent_autograder.benchmarks.runner")
    except ModuleNotFoundError as error:
        raise Stop(f"{error}; the bench needs an extra of its own, see CONTRIBUTING") from error
    return int(bench.main(options.names))


def _guarded(work: Callable[[], int]) -> int:
    """Run `work`; failures that a person can do something about become one line."""
    try:
        return work()
    except Exception as error:
        sys.stdout.flush()
        if isinstance(error, _foreseen()):
            raise Stop(str(error)) from error
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            raise Stop(f"{error}; make room and give the same command again") from error
        raise


def _foreseen() -> tuple[type[Exception], ...]:
    """Failures whose message says what to do; imported only once something has failed."""
    from descent_autograder.core.assignment import NotReleased
    from descent_autograder.gradebook.writer import GradebookBusy, GradebookUnreachable
    from descent_autograder.grading.local_workers import WorkersFailed
    from descent_autograder.grading.pipeline import AlreadyRunning, NothingSubmitted
    from descent_autograder.publishing.bundle import BundleError
    from descent_autograder.publishing.release import ReleaseFailed
    from descent_autograder.sandbox import NoWall

    return (
        AlreadyRunning,
        BundleError,
        GradebookBusy,
        GradebookUnreachable,
        NoCourse,
        NoWall,
        NotReleased,
        NothingSubmitted,
        PermissionError,
        ReleaseFailed,
        WorkersFailed,
    )


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_RUNNING_ANSWERS = frozenset({"demo", "grade", "judge"})
_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "release": _release,
    "grade": _grade,
    "feedback": _feedback,
    "verify": _verify,
    "judge": _judge,
    "refresh": _refresh,
    "doctor": _doctor,
    "bench": _bench,
}
