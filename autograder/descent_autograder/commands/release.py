"""``descent release``: the students' notebooks, made or updated."""

from __future__ import annotations

import argparse

from descent_autograder.commands.arguments import existing_units, the_course
from descent_autograder.publishing.bundle import make_bundle
from descent_autograder.publishing.release import release


def run(options: argparse.Namespace) -> int:
    """Release units, and pack the students' bundle where that is asked for.

    Raises:
        ReleaseFailed: when a unit can't be released.
        BundleError: when the bundle can't be made.
    """
    course = the_course(options)
    chosen = existing_units(course, options.units)
    for unit in release(course, chosen):
        state = "released" if unit.changed else "up to date"
        print(f"{unit.unit}: {state} ({unit.points:g} points)")
    if options.bundle:
        print(f"bundle: {make_bundle(chosen, course.root, options.bundle)}")
    return 0
