"""Search spaces, and the folder that remembers a study."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from descent.nets import Checkpoint
from descent.search import (
    ClaimError,
    Range,
    SpaceError,
    Study,
    StudyError,
    Trial,
    check_space,
    draw,
    narrowed,
    position,
)
from descent.search.claims import _machine
from hypothesis import given
from hypothesis import strategies as st

SPACE = {"rate": (1e-5, 1e-1, "log"), "units": (8, 64, "log"), "kind": ["relu", "tanh"]}


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ((1.0, 0.1, "log"), "not below"),
        ((0.0, 1.0, "log"), "above 0"),
        ((0.1, 1.0, "cubic"), "cubic"),
        ((math.nan, 1.0), "finite numbers"),
        (("a", "b"), "finite numbers"),
        ([], "nothing to choose"),
        (3.0, "list of choices"),
        ([[1, 2]], "a number, a string"),
        ((1.0,), "list of choices"),
    ],
)
def test_a_space_that_makes_no_sense_is_refused_by_name(entry: Any, said: str) -> None:
    with pytest.raises(SpaceError, match="rate: .*" + said):
        check_space({"rate": entry})


def test_an_empty_space_is_refused() -> None:
    with pytest.raises(SpaceError, match="at least one"):
        check_space({})


@given(st.integers(0, 10_000))
def test_draws_stay_inside_and_positions_between_0_and_1(seed: int) -> None:
    space = check_space(SPACE)
    config = draw(space, np.random.default_rng(seed))
    assert isinstance(config["units"], int)
    assert config["kind"] in SPACE["kind"]
    assert all(0 <= position(space[name], value) <= 1 for name, value in config.items())


def test_a_log_range_is_drawn_by_its_exponent() -> None:
    rng = np.random.default_rng(0)
    space = check_space({"rate": Range(1e-6, 1.0, "log")})
    shares = [position(space["rate"], draw(space, rng)["rate"]) for _ in range(2000)]
    assert np.histogram(shares, 4, (0, 1))[0] == pytest.approx([500] * 4, abs=80)


def test_whole_numbers_come_up_equally_often_at_the_ends() -> None:
    rng = np.random.default_rng(0)
    space = check_space({"layers": (1, 4), "units": (np.int64(2), np.int64(3), "log")})
    draws = [draw(space, rng) for _ in range(4000)]
    counts = np.bincount([d["layers"] for d in draws])
    assert counts[1:] == pytest.approx([1000] * 4, abs=150)
    assert {d["units"] for d in draws} == {2, 3}


def test_the_next_stage_spans_the_given_configurations() -> None:
    configs: list[dict[str, Any]] = [
        {"rate": 1e-3, "units": 20, "kind": "tanh"},
        {"rate": 1e-2, "units": 20, "kind": "tanh"},
    ]
    made = narrowed(SPACE, configs)
    assert made["rate"] == Range(1e-3, 1e-2, "log")
    # Nothing is spanned by equal values: the range stays.
    assert made["units"] == Range(8, 64, "log")
    assert made["kind"] == ["tanh"]


def study(path: Path, **changes: Any) -> Study:
    settings = {"space": SPACE, "num_trials": 4, "num_epochs": 3, "seed": 1, **changes}
    return Study.create(path, settings.pop("space"), **settings)


def test_a_study_is_picked_up_from_its_folder_alone(tmp_path: Path) -> None:
    made = study(tmp_path / "s")
    assert Study.open(tmp_path / "s") == made
    assert study(tmp_path / "s") == made
    assert [made.config(i) for i in range(4)] == [
        Study.open(tmp_path / "s").config(i) for i in range(4)
    ]


def test_another_study_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    study(tmp_path)
    for changes in ({"seed": 2}, {"num_epochs": 9}, {"space": {"rate": (1e-3, 1.0, "log")}}):
        with pytest.raises(StudyError, match="another study"):
            study(tmp_path, **changes)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "something else"}', "null"])
def test_a_folder_without_a_study_is_said_to_hold_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(StudyError, match="no study"):
        Study.open(tmp_path)


def test_junk_in_the_folder_is_passed_over(tmp_path: Path) -> None:
    made = study(tmp_path)
    whole = made.save(1, 87.25, Checkpoint({"W1": np.ones(2)}, epoch=2))
    made.finish(Trial(0, made.config(0), "finished", 50.0, 3))
    of_another = asdict(Trial(2, {"rate": 0.5}, "finished", 99.0, 3))
    for name, text in (
        ("trial001-epoch003-val99.00.npz", "half a file"),
        ("trial001-epoch004-val99.00.npz.tmp", ""),
        ("trial002.json", json.dumps(of_another)),
        ("trial003.json", json.dumps({"number": 3, "status": "dancing", "config": {}})),
        ("trial009.json", json.dumps({"unexpected": 1})),
        ("notes.txt", "hello"),
        (".trial001-epoch001-val10.00.npz.abc.tmp", ""),
    ):
        (tmp_path / name).write_text(text)
    (tmp_path / "trial001-epoch005-val99.00.npz").write_bytes(whole.read_bytes()[:-100])
    (tmp_path / "trial077-epoch001-val99.00.npz").write_bytes(whole.read_bytes())
    (tmp_path / "trial003-epoch001-val10.00.npz").write_bytes(whole.read_bytes())
    (tmp_path / "trial005.json").mkdir()
    assert list(made.ended()) == [0]
    assert made.best()[0].path == whole
    latest = made.latest(1)
    assert latest is not None
    assert latest.epoch == 2
    assert made.latest(2) is None
    # A whole file, but of another configuration: nothing to go on from.
    assert made.latest(3) is None
    assert [t.status for t in made.trials()] == ["finished", "running", "waiting", "running"]


def test_the_best_checkpoints_are_one_a_trial(tmp_path: Path) -> None:
    made = study(tmp_path)
    for number, epoch, score in ((0, 1, 50.0), (0, 2, 70.0), (1, 1, 9.5), (2, 1, math.nan)):
        made.save(number, score, Checkpoint({}, epoch=epoch))
    assert [(c.trial, c.epoch) for c in made.best(5)] == [(0, 2), (1, 1)]


def test_a_claim_is_held_by_one_and_handed_on(tmp_path: Path) -> None:
    made, order = study(tmp_path), []

    def second() -> None:
        with made.claim("trial000", lease=5):
            order.append("second")

    with made.claim("trial000", lease=5):
        thread = threading.Thread(target=second)
        thread.start()
        time.sleep(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
    assert not list(tmp_path.glob("*.claim-*"))


# This process lives, but the claim isn't its own: what a process id given away again looks like.
REUSED = json.dumps({"machine": _machine(), "pid": os.getpid(), "token": "x"})
ELSEWHERE = json.dumps({"machine": "elsewhere", "pid": 1, "token": "x"})


@pytest.mark.parametrize(
    "owner", ["junk", "", ELSEWHERE, REUSED], ids=["junk", "nothing", "elsewhere", "reused"]
)
@pytest.mark.parametrize("wait", [True, False])
def test_a_claim_nobody_touches_runs_out(tmp_path: Path, owner: str, wait: bool) -> None:
    made = study(tmp_path)
    (tmp_path / "trial000.claim-1").write_text(owner)
    started = time.monotonic()
    with made.claim("trial000", lease=0.5, wait=wait) as still_ours:
        assert 0.4 < time.monotonic() - started < 5
        assert still_ours()
        assert [path.name for path in tmp_path.glob("*.claim-*")] == ["trial000.claim-2"]


@pytest.mark.parametrize("asked_after", [True, False])
def test_the_claim_of_a_dead_process_is_free_at_once(tmp_path: Path, asked_after: bool) -> None:
    made = study(tmp_path)
    gone = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert gone.stdout is not None
    gone.stdout.read()  # ends when the process does
    if asked_after:
        gone.wait(30)
    owner = {"machine": _machine(), "pid": gone.pid, "token": "x"}
    (tmp_path / "trial000.claim-4").write_text(json.dumps(owner))
    started = time.monotonic()
    with made.claim("trial000"):
        assert time.monotonic() - started < 10 or not Path("/proc").exists()
    gone.wait(30)
    gone.stdout.close()


def test_a_living_owner_is_named_to_those_who_do_not_wait(tmp_path: Path) -> None:
    made = study(tmp_path)
    with (
        made.claim("master", lease=1),
        pytest.raises(ClaimError, match=f"master is in other hands: process {os.getpid()} on "),
        made.claim("master", lease=1, wait=False),
    ):
        pytest.fail("two had the claim")


def test_of_many_who_find_a_claim_stale_one_at_a_time_has_it(tmp_path: Path) -> None:
    made = study(tmp_path)
    (tmp_path / "trial000.claim-1").write_text("junk")
    inside, most = [0], []

    def enter() -> None:
        with made.claim("trial000", lease=2) as still_ours:
            inside[0] += 1
            most.append(inside[0])
            time.sleep(0.01)
            assert still_ours()
            inside[0] -= 1

    threads = [threading.Thread(target=enter) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most == [1] * 8
    assert not list(tmp_path.glob("*.claim-*"))


def test_who_was_taken_for_dead_knows_it(tmp_path: Path) -> None:
    made = study(tmp_path)
    with made.claim("trial000", lease=60) as still_ours:
        assert still_ours()
        (tmp_path / "trial000.claim-2").write_text("somebody else")
        assert not still_ours()
    assert [path.name for path in tmp_path.glob("*.claim-*")] == ["trial000.claim-2"]
