"""The rows of the training benchmark, from a short run: what they hold, not how fast it is."""

import json

import pytest
from descent_autograder.benchmarks import training


@pytest.fixture
def _short(monkeypatch):
    monkeypatch.setattr(training, "NUM_EXAMPLES", 600)
    monkeypatch.setattr(training, "STEPS", training.NUM_EPOCHS * 3)
    monkeypatch.setattr(training, "ROUNDS", 1)


@pytest.mark.usefixtures("_short")
def test_scikit_learn_and_we_are_timed_in_the_same_run():
    row = training._row("training-step-vs-sklearn", "scikit-learn", "sklearn", training._sklearn)
    assert set(row) == {"id", "what", "value", "unit", "baseline", "ratio"}
    assert row["value"] > 0
    assert row["ratio"] == pytest.approx(row["baseline"] / row["value"], rel=0.05)
    json.dumps(row)


@pytest.mark.usefixtures("_short")
def test_a_library_that_is_missing_is_said_to_be_missing():
    row = training._row("id", "A rival", "no_such_module", training._torch)
    assert row["what"].endswith("A rival isn't installed")
    assert (row["baseline"], row["ratio"]) == (None, None)
    assert row["value"] > 0


@pytest.mark.usefixtures("_short")
def test_the_rows_have_the_names_others_rely_on():
    names = [row["id"] for row in training.rows()]
    assert names == ["training-step-vs-sklearn", "training-step-vs-torch"]
