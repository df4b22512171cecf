"""What is special about the questions of unit 2: the models that a report is asked about."""

from __future__ import annotations

import numpy as np
import pytest
from descent.judging import judge
from descent.questions.sanity_checks import CHECKS, faulty_model
from descent_autograder.catalogue import exam
from descent_autograder.questions.sanity_checks import FAULTS, sanity_report_cases
from descent_solutions.sanity_checks import sanity_report

EXPECTED = {
    "a sound model and ten classes": [],
    "a sound model and overlapping classes": [],
    "a model whose first scores are far apart": [0],
    "features that don't belong to their labels": [3],
    "a model without its penalty": [1],
    "a model that subtracts its penalty": [1],
    "a model with a penalty that can't be turned off": [0, 2],
    "a model that predicts the neighbouring label": [2, 3],
    "a model that climbs": [2, 3],
    "a loss with the wrong logarithm": [0],
    "a loss that is NaN": [0, 1, 2],
}


@pytest.mark.parametrize("seed", [3, 4])
def test_every_fault_shows_in_the_checks_that_it_should(seed: int) -> None:
    cases = sanity_report_cases(np.random.default_rng(seed))
    found = {}
    for (_, about, *_), case in zip(FAULTS, cases, strict=True):
        with np.errstate(all="ignore"):
            report = sanity_report(faulty_model(case), case["data"], np.random.default_rng(seed))
        found[about] = [i for i, name in enumerate(CHECKS) if not report[name]]
    assert found == EXPECTED


@pytest.mark.parametrize("answer", [True, False])
def test_a_report_that_never_looks_earns_nothing(answer: bool) -> None:
    verdict = judge(
        "sanity_report",
        [lambda model, data, rng: dict.fromkeys(CHECKS, answer)],
        exam("sanity_report", 1),
    )
    assert (verdict.passed, verdict.score) == (False, 0.0)


def test_each_check_earns_its_share() -> None:
    def without_the_last(model, data, rng):  # type: ignore[no-untyped-def]
        return {**sanity_report(model, data, rng), CHECKS[3]: True}

    verdict = judge("sanity_report", [without_the_last], exam("sanity_report", 1), points=4)
    assert (verdict.passed, verdict.score) == (False, 3.0)
