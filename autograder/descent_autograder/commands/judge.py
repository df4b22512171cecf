"""``descent judge``: would the answer in this file pass?

Each file runs in a fresh child behind the wall; the question, the cases and the reference stay in
this process.
"""

from __future__ import annotations

import argparse
import codecs
import io
import json
import math
import os
import re
import stat
import tokenize
from collections.abc import Sequence
from pathlib import Path

from descent import questions
from descent.judging import Exam, Stopped, Verdict, report
from descent.judging.observing import Question
from descent.questions import judge

from descent_autograder.core.errors import WrongCall
from descent_autograder.core.text import printable, shown, told
from descent_autograder.questions import catalogue
from descent_autograder.sandbox import Limits, NoWall, Sandbox

CELL_SECONDS = 20.0
_LARGEST_FILE = 2**20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
# What people save files in. Python knows others, some of which (punycode) take hours to decode.
_ENCODINGS = re.compile(r"(ascii|big5|cp|euc|gb|hz|iso|johab|koi8|mac|shift_jis|tis|utf-8).*")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def run(options: argparse.Namespace) -> int:
    """Judge the files that were named."""
    return judge_files(
        options.question,
        options.files,
        names=options.name,
        seed=options.seed,
        as_json=options.json,
        unsafe=options.unsafe,
    )


def judge_files(
    question_id: str,
    paths: Sequence[Path],
    *,
    names: Sequence[str] = (),
    seed: int = 0,
    as_json: bool = False,
    unsafe: bool = False,
) -> int:
    """Judge files and print a verdict each.

    Args:
        question_id: the question.
        paths: Python files, or folders of which every ``.py`` is judged.
        names: what the files call the functions, when not as the question does.
        seed: draws the cases.
        as_json: print one JSON object a line and nothing else.
        unsafe: go on where no sandbox can be built.

    Returns:
        0, since verdicts were reached.

    Raises:
        WrongCall: for an unknown question, a missing file or a wrong number of names.
        descent_autograder.sandbox.NoWall: when no sandbox can be built.
    """
    question, exam = _question(question_id, seed)
    wanted = list(names) or list(question.functions)
    if len(wanted) != len(question.functions):
        raise WrongCall(
            f"{question_id} is asked of {len(question.functions)} function(s) "
            f"({', '.join(question.functions)}), but --name was given {len(wanted)} time(s)"
        )
    files = _files(paths)
    with Sandbox(limits=Limits(cell_seconds=CELL_SECONDS), unsafe=unsafe) as worker:
        for path in files:
            verdict = _judged(worker, path, exam, wanted)
            print(_line(path, verdict) if as_json else _words(path, verdict), flush=True)
    return 0


def _question(question_id: str, seed: int) -> tuple[Question, Exam]:
    try:
        return questions.get(question_id), catalogue.exam(question_id, seed)
    except KeyError as error:
        raise WrongCall(str(error.args[0])) from error


def _files(paths: Sequence[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        if os.path.isdir(path):
            found = sorted(path.glob("*.py"))
            if not found:
                raise WrongCall(f"the folder {path} holds no .py file")
            files += found
        elif not os.path.lexists(path):
            raise WrongCall(f"no such file: {path}")
        elif path.suffix != ".py":
            raise WrongCall(f"{path} isn't a Python file")
        else:
            files.append(path)
    return files


def _judged(worker: Sandbox, path: Path, exam: Exam, names: Sequence[str]) -> Verdict:
    """Judge one file; one that trips the grader itself mustn't keep the others waiting."""
    try:
        return judge_file(worker, path, exam, names)
    except NoWall:
        raise
    except Exception as error:
        return _without_exam(exam, "crashed", f"The grader itself failed on it: {told(error)}")


def judge_file(worker: Sandbox, path: Path, exam: Exam, names: Sequence[str]) -> Verdict:
    """Run one file behind the wall and judge its functions.

    Args:
        worker: a started worker.
        path: the file.
        exam: the question's cases, reference and mistakes.
        names: what the file calls the functions, in the question's order.
    """
    try:
        source = _read(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        return _without_exam(exam, "crashed", f"The file can't be read: {reason}")
    with worker.session(source, printable(path.name)) as session:
        if session.status != "ok":
            return _without_exam(exam, session.status, session.message)
        if session.problem is not None:
            return _without_exam(exam, *_why(session.problem))
        try:
            functions = [session[name] for name in names]
        except KeyError as error:
            message = f"The file defines no function called {error.args[0]}."
            return _without_exam(exam, "missing", message)
        except Stopped as stopped:
            return _without_exam(exam, stopped.status, str(stopped))
        session.renew()
        return judge(exam.question, functions, exam)


def _read(path: Path) -> str:
    """Read a file's text, without following a link or waiting for what isn't a regular file.

    Raises:
        OSError: when it can't be opened or read.
        ValueError: when it holds no text of a file that we judge; the message says why.
    """
    if path.is_symlink():
        raise ValueError("it is a link")
    handle = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it isn't a regular file")
        with open(handle, "rb", closefd=False) as file:
            raw = file.read(_LARGEST_FILE + 1)
    finally:
        os.close(handle)
    if len(raw) > _LARGEST_FILE:
        raise ValueError(f"it is larger than {_LARGEST_FILE} bytes")
    return io.TextIOWrapper(io.BytesIO(raw), _encoding(raw)).read()


def _encoding(raw: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    except SyntaxError as error:
        raise ValueError(str(error.msg)[:100]) from error
    if not _ENCODINGS.fullmatch(codecs.lookup(encoding).name):
        raise ValueError(f"its encoding, {shown(encoding)}, is unknown")
    return encoding


def _why(problem: Exception) -> tuple[str, str]:
    if isinstance(problem, Stopped):
        return problem.status, str(problem)
    if isinstance(problem, NotImplementedError):
        return "unfinished", ""
    return "crashed", f"The file raised {type(problem).__name__}: {problem}"


def _without_exam(exam: Exam, status: str, message: str) -> Verdict:
    return Verdict(exam.question, status=status, message=message)


def _line(path: Path, verdict: Verdict) -> str:
    """The verdict as one line of JSON, with the keys that other tools rely on."""
    return json.dumps(
        {
            "file": str(path),
            "question": verdict.question,
            "status": verdict.status,
            "passed": verdict.passed,
            "score": verdict.score,
            "points": verdict.points,
            "mistakes": [mistake.id for mistake in verdict.mistakes],
            "observations": [
                {
                    "name": seen.name,
                    "relative_error": _finite(seen.relative_error),
                    "passed": seen.passed,
                }
                for seen in verdict.observations
            ],
            "message": _LONE_SURROGATES.sub("\ufffd", verdict.message),
        },
        allow_nan=False,
    )


def _finite(number: float | None) -> float | None:
    """JSON knows no infinity."""
    return float(number) if number is not None and math.isfinite(number) else None


def _words(path: Path, verdict: Verdict) -> str:
    """The verdict as text; a file's name and its errors may hold what a terminal would obey."""
    lines = [str(path), *("  " + line for line in report.text(verdict).splitlines())]
    return "\n".join(map(printable, lines))
