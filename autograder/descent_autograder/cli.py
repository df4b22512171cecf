"""The ``descent`` command.

Every subcommand imports what it needs when it is called, so that ``descent --help`` and wrong
calls are answered at once. A wrong call gets one line and exit status 2, a run that fails one
line and 1.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from descent_autograder.core.errors import DescentError, WrongCall

FAILED = 1


class _Parser(argparse.ArgumentParser):
    """Says in one line what is wrong, without the usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(WrongCall.exit_status, f"{self.prog}: {message} (see {self.prog} --help)\n")


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="descent",
        description="Release, grade and look after the Descent course.",
        epilog="UNIT is a name (optimizers), a folder (06-optimizers) or a number (6).",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, about: str, *, course: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")
        if course:
            sub.add_argument(
                "--course", type=Path, metavar="DIR", help="the course directory (found by itself)"
            )
        return sub

    _demo(command("demo", "grade an invented class, under demo/", course=False))
    _release(command("release", "make or update the students' notebooks"))
    _grade(command("grade", "grade what was submitted"))
    _feedback(command("feedback", "write the feedback of a graded unit"))
    _names(command("verify", "prove the grader: references pass, mistakes are named"))
    _judge(command("judge", "ask whether a file's answer would pass", course=False))
    _refresh(command("refresh", "write anew what follows from references and assignments"))
    command("doctor", "say which sandbox this machine can build, and what it lacks")
    _bench(command("bench", "measure what counts; writes bench.json", course=False))
    return parser


def _demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", type=Path, default=Path("demo"), help="where (default: demo)")
    _grading_options(parser)


def _release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("units", nargs="*", metavar="UNIT", help="all units by default")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="also pack the student's bundle")


def _grade(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("unit", metavar="UNIT")
    parser.add_argument(
        "--student", action="append", default=[], metavar="ID", help="only this one (repeatable)"
    )
    parser.add_argument("--force", action="store_true", help="grade again what hasn't changed")
    parser.add_argument("--no-feedback", action="store_true", help="leave the feedback for later")
    _grading_options(parser)


def _feedback(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("unit", metavar="UNIT")
    parser.add_argument("--student", action="append", default=[], metavar="ID")


def _refresh(parser: argparse.ArgumentParser) -> None:
    _names(parser)
    parser.add_argument(
        "--redraw",
        action="append",
        default=[],
        metavar="QUESTION",
        help="draw its public cases anew",
    )


def _bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="all rows by default")


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "names", nargs="*", metavar="UNIT|QUESTION", help="as in optimizers or adam; all by default"
    )


def _grading_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs", type=_positive, default=0, metavar="N", help="worker processes (one a core)"
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler to use instead")
    _unsafe_option(parser)


def _judge(judge: argparse.ArgumentParser) -> None:
    judge.add_argument("question", metavar="QUESTION", help="as in central_difference")
    judge.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a .py file or a folder")
    judge.add_argument(
        "--name", action="append", default=[], help="what the file calls it (once a function)"
    )
    judge.add_argument("--seed", type=_seed, default=0, help="draws the test cases (default: 0)")
    judge.add_argument("--json", action="store_true", help="one JSON object a line, nothing else")
    _unsafe_option(judge)


def _unsafe_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--unsafe", action="store_true", help="go on where no sandbox can be built (dangerous)"
    )


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number of at least 1")
    return number


def _seed(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} isn't a whole number of at least 0")
    return number


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = build_parser().parse_args(arguments)
    try:
        from descent_autograder import commands
        from descent_autograder.core import startup

        startup.skip_unused_checks()
        return commands.run(options)
    except DescentError as error:
        print(f"descent {options.command}: {error}", file=sys.stderr)
        return error.exit_status
    except KeyboardInterrupt:
        print(
            f"\ndescent {options.command}: stopped; what is done is kept, and the same command "
            "goes on from there",
            file=sys.stderr,
        )
        return 130
    except BrokenPipeError:
        return FAILED


if __name__ == "__main__":
    sys.exit(main())
