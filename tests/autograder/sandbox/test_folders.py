"""A folder that a question hands over is there in the student's process, and nothing else of it."""

from __future__ import annotations

import textwrap

import pytest
from descent.judging import Verdict, report
from descent.questions import judge
from descent_autograder.questions.catalogue import exam
from descent_autograder.sandbox import Sandbox

pytestmark = pytest.mark.sandbox


def judged(source: str) -> Verdict:
    with Sandbox() as worker, worker.session(textwrap.dedent(source), "answer.py") as session:
        return judge("best_checkpoint", [session["best_checkpoint"]], exam("best_checkpoint", 3))


def test_a_right_answer_finds_its_files_and_returns_a_path() -> None:
    verdict = judged(
        r"""
        import re
        from pathlib import Path

        def best_checkpoint(folder):
            best, top = None, -1.0
            for path in Path(folder).iterdir():
                match = re.fullmatch(r"trial\d+-epoch\d+-val(\d+\.\d+)\.npz", path.name)
                if match and float(match[1]) > top:
                    best, top = path, float(match[1])
            if best is None:
                raise FileNotFoundError("no checkpoint")
            return best
        """
    )
    assert verdict.passed, report.text(verdict)


def test_the_trusted_side_s_folder_is_out_of_sight() -> None:
    verdict = judged(
        """
        import os

        def best_checkpoint(folder):
            raise ValueError(str(sorted(os.listdir(os.path.dirname(os.path.abspath(folder))))))
        """
    )
    assert not verdict.passed
    assert verdict.message.count("descent-") == 1
