"""The failures that a person can do something about, each with its exit status."""

# DescentError              a command can't go on: its message says why, and what to do
# ├─ WrongCall              the arguments fit the grammar, but not the world (exit status 2)
# │  └─ UnknownUnit         they name no unit of the course
# ├─ Stop                   anything else that a command finds by itself
# ├─ NoCourse               no course directory is here, or it can't be used
# ├─ ReleaseFailed          a unit can't be released
# ├─ NotReleased            it hasn't been
# ├─ BundleError            the student's bundle can't be made
# ├─ NothingSubmitted       there is nothing to grade
# ├─ AlreadyRunning         somebody else is grading in this course
# ├─ WorkersFailed          nobody could be found to do the work
# └─ GradebookError         the gradebook can't be used:
#    ├─ GradebookBusy       another program has locked it
#    ├─ GradebookUnreachable   it can't be opened
#    └─ UnknownStudent      it doesn't know the student, and none may be entered
#
# Three stand where they are raised: `sandbox.walls.NoWall` (no sandbox can be built),
# `publishing.solution_regions.SolutionError` (a solution cell doesn't fit the reference) and
# `publishing.derived.DerivedError` (a notebook mentions a task that isn't there).

from __future__ import annotations


class DescentError(Exception):
    """A command can't go on; the message says why, and what to do."""

    exit_status = 1


class WrongCall(DescentError):
    """The arguments fit the grammar, but not the world."""

    exit_status = 2


class UnknownUnit(WrongCall):
    """The text names no unit of this course."""


class Stop(DescentError):
    """The command can't go on."""


class NoCourse(DescentError):
    """No course directory could be found, or it can't be used."""


class ReleaseFailed(DescentError):
    """A unit couldn't be released; the message names the unit, the cell and the reason."""


class NotReleased(DescentError):
    """The assignment isn't in the gradebook, or its release folder is missing."""


class BundleError(DescentError):
    """The bundle can't be made, or would hold what students may not see."""


class NothingSubmitted(DescentError):
    """There is nothing to grade; the message says where it was looked for."""


class AlreadyRunning(DescentError):
    """Another grading run is at work in this course."""


class WorkersFailed(DescentError):
    """No worker could be started; the message says why."""


class GradebookError(DescentError):
    """The gradebook can't be used, or doesn't take what it is given."""


class GradebookBusy(GradebookError):
    """Somebody else has kept the gradebook locked for longer than we wait."""


class GradebookUnreachable(GradebookError):
    """The gradebook can't be opened; the message says where and why."""


class UnknownStudent(GradebookError):
    """The student isn't in the gradebook, and the course doesn't let the grader enter any."""
