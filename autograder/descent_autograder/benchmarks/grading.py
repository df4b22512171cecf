"""How long grading takes beside stock nbgrader, and beside nothing at all.

One class of honest submissions of unit 1, graded by stock nbgrader (`nbgrader autograde`, serial,
tests in the student's kernel), by us on one worker and on every core, and executed bare: the same
cells in a warm interpreter, without a kernel, wall, gradebook or notebook. All in one run.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from descent_autograder.core import units
from descent_autograder.core.assignment import Assignment
from descent_autograder.core.course import Course, open_course
from descent_autograder.grading.options import Options
from descent_autograder.grading.pipeline import grade
from descent_autograder.sampleclass import students

Row = dict[str, Any]
UNIT = units.folder(1)
CLASS_SIZE = 100
HONEST = ("ada", "ben", "chika", "elif", "farid", "gaia", "hana", "ivan", "lena", "mateo")
"""Who hands in what runs to its end: right, wrong, blank and half finished."""


def rows() -> list[Row]:
    """Grading, gradebook and feedback: our time, the other's, and theirs over ours."""
    with tempfile.TemporaryDirectory(prefix="descent-bench-") as folder:
        ours, stock = Path(folder) / "ours", Path(folder) / "stock"
        course = _class(ours)
        _stock_copy(course, stock)
        alone, clustered = (_copy(course, Path(folder) / name) for name in ("alone", "clustered"))
        one, _ = _descent(alone, jobs=1)
        every, of_the_writer = _descent(course, jobs=0)
        on_cluster = _on_cluster(clustered)
        theirs = _nbgrader(stock, "autograde")
        _agree(ours, stock)
        our_feedback, their_feedback = _feedback(course), _nbgrader(stock, "generate_feedback")
        executing, floor = _executing(course), _floor(course)
    each = 1000 / CLASS_SIZE
    return [
        _row("grading-vs-stock", "grade a class, all cores: stock / ours", every, theirs, each),
        _row("grading-vs-stock-one-worker", "the same on one worker", one, theirs, each),
        _row(
            "grading-on-dask",
            "as many Dask workers: local workers / these",
            on_cluster,
            every,
            each,
        ),
        {
            "id": "grading-vs-floor",
            "what": "CPU to execute and judge: ours / the cells alone (lower is better)",
            "value": round(1000 * executing, 1),
            "unit": "ms CPU per submission",
            "baseline": round(1000 * floor, 1),
            "ratio": round(executing / floor, 2),
        },
        {
            "id": "gradebook-per-submission",
            "what": "CPU of the one writer: intake, nbgrader's preprocessors, gradebook, files",
            "value": round(each * of_the_writer, 1),
            "unit": "ms CPU per submission",
            "baseline": None,
            "ratio": None,
        },
        _row(
            "feedback-vs-stock", "write feedback: stock / ours", our_feedback, their_feedback, each
        ),
    ]


def _row(identity: str, what: str, ours: float, theirs: float, each: float) -> Row:
    return {
        "id": identity,
        "what": what,
        "value": round(ours * each, 1),
        "unit": "ms per submission",
        "baseline": round(theirs * each, 1),
        "ratio": round(theirs / ours, 2),
    }


def _class(folder: Path) -> Course:
    """A course of its own with a released unit and a class that has handed it in."""
    from descent_autograder.publishing.release import release

    model = open_course()
    folder.mkdir()
    shutil.copyfile(model.root / "nbgrader_config.py", folder / "nbgrader_config.py")
    shutil.copytree(model.path("source", ".", UNIT), folder / "source" / UNIT)
    course = open_course(folder)
    with _quiet():
        release(course, [UNIT])
    name = next(course.path("release", ".", UNIT).glob("*.ipynb")).name
    released = json.loads((course.path("release", ".", UNIT) / name).read_bytes())
    solved = json.loads((course.path("source", ".", UNIT) / name).read_bytes())
    by_name = {student.name: student for student in students()}
    for i in range(CLASS_SIZE):
        student = by_name[HONEST[i % len(HONEST)]]
        path = course.path("submitted", f"{student.name}{i:03d}", UNIT)
        path.mkdir(parents=True)
        (path / name).write_bytes(student.hand_in(released, solved))
    return course


def _copy(course: Course, folder: Path) -> Course:
    """The same course with a gradebook of its own."""
    shutil.copytree(course.root, folder)
    return open_course(folder)


def _stock_copy(course: Course, folder: Path) -> None:
    """The same course for stock nbgrader: its own configuration, and a gradebook of its own."""
    shutil.copytree(course.root, folder, ignore=shutil.ignore_patterns(".descent*"))
    config = "c = get_config()\nc.CourseDirectory.course_id = 'descent'\n"
    (folder / "nbgrader_config.py").write_text(config)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _descent(course: Course, jobs: int = 0, scheduler: str | None = None) -> tuple[float, float]:
    """Seconds for the class, graded for the first time; and this process's CPU seconds of it."""
    started, spent = time.perf_counter(), time.process_time()
    options = Options(jobs=jobs, scheduler=scheduler)
    summary = grade(Assignment(course, UNIT), options, say=lambda _: None)
    took = time.perf_counter() - started, time.process_time() - spent
    if len(summary.graded) != CLASS_SIZE:
        raise RuntimeError(f"{len(summary.graded)} of {CLASS_SIZE} graded: {summary}")
    return took


def _on_cluster(course: Course) -> float:
    """Seconds for the class on a Dask cluster that stands, with a worker for every core."""
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=len(os.sched_getaffinity(0)),
        threads_per_worker=1,
        processes=True,
        dashboard_address=":0",
    ) as cluster:
        took, _ = _descent(course, scheduler=cluster.scheduler_address)
    return took


def _executing(course: Course) -> float:
    """The mean CPU seconds per submission of execute and verdict, in one worker."""
    from descent_autograder import questions
    from descent_autograder.sandbox import Sandbox

    release = next(course.path("release", ".", UNIT).glob("*.ipynb")).read_bytes()
    cpu = []
    with Sandbox(exams=questions.EXAMS) as worker, _on_core(worker.cpu):
        for path in sorted(course.step("submitted").glob(f"*/{UNIT}/*.ipynb")):
            notebook = path.read_bytes()
            outcome = worker.execute(
                notebook,
                assignment=UNIT,
                student=path.parts[-3],
                secret=course.secret(),
                release=release,
            )
            cpu.append(outcome.cpu_seconds)
    return statistics.mean(cpu)


@contextlib.contextmanager
def _on_core(core: int) -> Iterator[None]:
    """Stay on the core of a sandbox, as the processes do that grade a class."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _nbgrader(folder: Path, command: str) -> float:
    """Seconds that a stock command takes for the class."""
    arguments = [sys.executable, "-m", "nbgrader", command, UNIT, "--force"]
    binaries = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": os.pathsep.join([binaries, os.environ["PATH"]])}
    started = time.perf_counter()
    subprocess.run(arguments, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def _agree(ours: Path, stock: Path) -> None:
    """Stop when the two graders differ: a quick wrong grade is worth no comparison."""
    from nbgrader.api import Gradebook

    def scores(folder: Path) -> dict[str, float]:
        with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
            found = gradebook.assignment_submissions(UNIT)
            return {
                s.student_id: s.auto_score if hasattr(s, "auto_score") else s.score for s in found
            }

    if scores(ours) != scores(stock):
        raise RuntimeError("stock nbgrader and Descent give different grades")


def _feedback(course: Course) -> float:
    from descent_autograder.reports.feedback import write_feedback

    started = time.perf_counter()
    write_feedback(Assignment(course, UNIT))
    return time.perf_counter() - started


_BARE = """
import contextlib, io, json, resource, sys
import matplotlib
matplotlib.use("agg")
import matplotlib.pyplot, numpy, descent, IPython
from descent.plots import gradient_checks

def spent():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

def run(path):
    namespace = {"__name__": "__main__"}
    started = spent()
    for cell in json.load(open(path, encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Exception):
                exec("".join(cell["source"]), namespace)
    return spent() - started

run(sys.argv[1])
print(sum(map(run, sys.argv[1:])) / len(sys.argv[1:]))
"""


def _floor(course: Course) -> float:
    """Mean CPU seconds of the same cells, exec'd in a warm interpreter with ordinary asserts."""
    paths = sorted(map(str, course.step("submitted").glob(f"*/{UNIT}/*.ipynb")))
    environment = os.environ | {"NBGRADER_EXECUTION": "autograde"} | _one_thread()
    arguments = [sys.executable, "-c", _BARE, *paths]
    done = subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def _one_thread() -> dict[str, str]:
    return dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
