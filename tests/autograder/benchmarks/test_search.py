"""The row of the search benchmark, from a short run: what it holds, not how fast it is."""

import json

import pytest
from descent_autograder.benchmarks import search


@pytest.mark.dask
@pytest.mark.timeout(120)
def test_one_and_two_workers_are_timed_in_the_same_run(monkeypatch):
    monkeypatch.setattr(search, "NUM_TRIALS", 2)
    monkeypatch.setattr(search, "NUM_EPOCHS", 1)
    (row,) = search.rows()
    assert row["id"] == "search-two-workers"
    assert set(row) == {"id", "what", "value", "unit", "baseline", "ratio"}
    assert row["value"] > 0
    assert row["ratio"] == pytest.approx(row["baseline"] / row["value"], rel=0.1)
    json.dumps(row)
