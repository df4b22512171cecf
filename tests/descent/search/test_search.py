"""The search on a real local Dask cluster: killed, resumed, and the same trials all the same."""

from __future__ import annotations

import errno
import math
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from descent.search import ClaimError, Search, Study, StudyError, Trial, run_cluster, run_trial
from descent.search.master import border_warnings, connect
from descent.search.progress import Board, sparkline, table
from descent.search.worker import work

pytestmark = [pytest.mark.dask, pytest.mark.timeout(120)]
SPACE = {"learning_rate": (1e-4, 1.0, "log"), "units": (8, 32, "log")}


def preparation(pause: float = 0.0) -> Any:
    """What prepares a trial; nested, so that it travels to the workers as it is."""

    def prepare(config: Any, rng: Any) -> Any:
        import time

        import numpy as np
        from descent.data import blobs, split
        from descent.nets import Network

        clouds = blobs(np.random.default_rng(0), num_per_class=60)
        data = split(*clouds, np.random.default_rng(1))
        network = Network([data.num_features, config["units"], data.num_classes], rng=rng)
        return {
            "network": network,
            "data": data,
            "learning_rate": config["learning_rate"],
            "batch_size": 50,
            "callbacks": [lambda run: time.sleep(pause)],
        }

    return prepare


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something holds, and fail when it doesn't in time."""
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)


def written(study: Study) -> dict[str, int]:
    """Every checkpoint's name and when it was written."""
    return {c.path.name: c.path.stat().st_mtime_ns for c in study.checkpoints()}


def search(path: Path, pause: float = 0.0, **changes: Any) -> Search:
    settings = {"num_trials": 5, "num_epochs": 4, "seed": 3, **changes}
    return Search.create(path, SPACE, preparation(pause), **settings)


def outcome(study: Study) -> list[Any]:
    """What a search found, without the files' times: results, and the checkpoints' content."""
    results = [(t.number, t.config, t.status, t.score, t.epochs, t.curve) for t in study.trials()]
    last = [study.latest(n) for n in range(study.num_trials)]
    return [results, [(c.epoch, {k: v.tolist() for k, v in c.params.items()}) for c in last if c]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    made = search(tmp_path_factory.mktemp("undisturbed"))
    for number in range(5):
        run_trial(made.study.path, number, made.prepare)
    return outcome(made.study)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with run_cluster(2) as client:
        yield client


def test_a_cluster_finds_what_one_process_finds(tmp_path: Path, undisturbed: list[Any]) -> None:
    made = search(tmp_path)
    trials = made.run(show=False, poll=0.1)
    assert {t.status for t in trials} <= {"finished", "abandoned"}
    assert sum(t.status == "finished" for t in trials) >= 3
    np.testing.assert_equal(outcome(made.study), undisturbed)
    assert [t.score for t in trials] == sorted((t.score for t in trials), reverse=True)
    assert all(t.ended for t in trials)
    assert not list(tmp_path.glob("*.claim-*"))
    assert not list(tmp_path.glob("*.tmp"))


def test_a_killed_worker_costs_at_most_its_epoch(
    tmp_path: Path, undisturbed: list[Any], cluster: Any
) -> None:
    made = search(tmp_path, pause=0.3)
    pids = cluster.run(os.getpid)
    futures = made._start(cluster)
    wait_until(lambda: len(made.study.checkpoints()) >= 3)
    before = written(made.study)
    os.kill(next(iter(pids.values())), signal.SIGKILL)
    wait_until(lambda: all(future.done() for future in futures.values()))
    assert {future.status for future in futures.values()} == {"finished"}
    # Every epoch that had been written was kept, not trained again.
    assert before.items() <= written(made.study).items()
    np.testing.assert_equal(outcome(made.study), undisturbed)


def test_a_killed_master_is_resumed_from_the_folder_alone(
    tmp_path: Path, undisturbed: list[Any]
) -> None:
    program = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        import test_search
        if __name__ == "__main__":
            test_search.search(Path({str(tmp_path / "study")!r}), pause=0.3).run(show=False)
        """
    )
    script = tmp_path / "master.py"
    script.write_text(program)
    master = subprocess.Popen([sys.executable, str(script)], start_new_session=True)

    def has_begun() -> bool:
        assert master.poll() is None
        found = (tmp_path / "study" / "study.json").exists()
        return found and len(Study.open(tmp_path / "study").checkpoints()) >= 4

    try:
        wait_until(has_begun)
    finally:
        os.killpg(master.pid, signal.SIGKILL)
        master.wait(10)
    resumed = Search.open(tmp_path / "study", preparation())
    before = written(resumed.study)
    assert len(resumed.study.ended()) < 5
    resumed.run(show=False, poll=0.1)
    assert before.items() <= written(resumed.study).items()
    np.testing.assert_equal(outcome(resumed.study), undisturbed)


def test_a_stopped_search_goes_on_where_it_stood(
    tmp_path: Path, undisturbed: list[Any], cluster: Any
) -> None:
    made = search(tmp_path)
    stopping = preparation()

    def prepare(config: Any, rng: Any) -> Any:
        made.stop()
        return stopping(config, rng)

    trial = run_trial(tmp_path, 0, prepare)
    assert (trial.status, trial.epochs) == ("running", 1)
    assert run_trial(tmp_path, 1, prepare).epochs == 0
    made.run(cluster.scheduler.address, show=False, poll=0.1)
    np.testing.assert_equal(outcome(made.study), undisturbed)


def test_an_interrupt_lets_each_worker_finish_its_epoch(
    tmp_path: Path, undisturbed: list[Any], cluster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, address = search(tmp_path, pause=0.2), cluster.scheduler.address
    shown = Board.show

    def show(self: Board, trials: list[Trial], dashboard: str | None) -> None:
        shown(self, trials, dashboard)
        if dashboard and made.study.checkpoints():
            raise KeyboardInterrupt

    monkeypatch.setattr(Board, "show", show)
    with pytest.raises(KeyboardInterrupt):
        made.run(address, show=False, poll=0.1)
    monkeypatch.undo()
    assert not list(tmp_path.glob("*.claim-*"))
    stopped = made.trials()
    assert any(t.status == "running" and 0 < t.epochs < 4 for t in stopped)
    before = written(made.study)
    Search.open(tmp_path, preparation()).run(address, show=False, poll=0.1)
    assert before.items() <= written(made.study).items()
    np.testing.assert_equal(outcome(made.study), undisturbed)


def test_a_cluster_is_used_by_its_address_and_left_running(
    tmp_path: Path, undisturbed: list[Any], cluster: Any
) -> None:
    made = search(tmp_path)
    made.run(cluster.scheduler.address, show=False, poll=0.1)
    np.testing.assert_equal(outcome(made.study), undisturbed)
    assert len(cluster.scheduler_info()["workers"]) == 2


def test_a_cluster_that_is_not_there_is_said_so() -> None:
    with pytest.raises(ConnectionError, match="no Dask scheduler answers at tcp://"):
        connect("tcp://127.0.0.1:9", timeout=1).__enter__()
    with pytest.raises(ValueError, match="at least 1"):
        run_cluster(0).__enter__()


def test_a_second_master_is_turned_away(tmp_path: Path) -> None:
    made = search(tmp_path)
    with (
        made.study.claim("master", lease=1),
        pytest.raises(StudyError, match=f"process {os.getpid()} on .* one master at a time"),
    ):
        made.run(show=False)


def test_a_search_that_has_ended_starts_no_cluster(tmp_path: Path) -> None:
    made = search(tmp_path)
    for number in range(5):
        run_trial(tmp_path, number, made.prepare)
    started = time.monotonic()
    assert all(t.ended for t in made.run("tcp://127.0.0.1:9", show=False))
    assert time.monotonic() - started < 5


def test_an_objective_that_raises_is_a_failed_trial_and_the_search_goes_on(
    tmp_path: Path, cluster: Any
) -> None:
    good = preparation()

    def prepare(config: Any, rng: Any) -> Any:
        if config["units"] % 2:
            raise MemoryError("too wide")
        return good(config, rng)

    made = Search.create(tmp_path, SPACE, prepare, num_trials=6, num_epochs=2, seed=0)
    trials = made.run(cluster.scheduler.address, show=False, poll=0.1)
    failed = [t for t in trials if t.status == "failed"]
    assert 0 < len(failed) < 6
    assert all("MemoryError: too wide" in t.error for t in failed)
    assert trials[-len(failed) :] == failed


def test_a_run_that_diverges_is_given_up_and_the_others_go_on(tmp_path: Path) -> None:
    space = {"learning_rate": (1e-2, 1e6, "log"), "units": (8, 16, "log")}
    made = Search.create(tmp_path, space, preparation(), num_trials=8, num_epochs=4, seed=0)
    for number in range(8):
        run_trial(tmp_path, number, made.prepare)
    abandoned = [t for t in made.ranked() if t.status == "abandoned"]
    assert abandoned
    assert all(t.epochs < 4 for t in abandoned)
    assert any(t.status == "finished" and t.epochs == 4 for t in made.trials())


def test_a_run_that_explodes_in_its_first_epoch_is_given_up(tmp_path: Path) -> None:
    space = {"learning_rate": (1e3, 1e4, "log"), "units": (8, 16, "log")}
    made = Search.create(tmp_path, space, preparation(), num_trials=1, num_epochs=3, seed=0)
    trial = run_trial(tmp_path, 0, made.prepare)
    latest = made.study.latest(0)
    assert latest is not None
    # By then the epoch's own loss is huge: only the one before the first step can tell.
    assert latest.history["batch_loss"][0] < 20 < latest.history["loss"][0]
    assert (trial.status, trial.epochs) == ("abandoned", 1)
    kept = Search.create(
        tmp_path / "kept", space, preparation(), num_trials=1, num_epochs=3, seed=0, give_up=False
    )
    assert run_trial(tmp_path / "kept", 0, kept.prepare, give_up=False).status == "finished"


def test_a_full_disk_is_told_and_nothing_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = search(tmp_path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("descent.nets.checkpoints.np.savez", full)
    with pytest.raises(OSError, match="No space left"):
        run_trial(tmp_path, 0, made.prepare)
    told = work(tmp_path, 0, made.prepare)
    assert (told.status, "No space left" in told.error) == ("failed", True)
    monkeypatch.undo()
    assert made.study.ended() == {}
    assert not list(tmp_path.glob("*.claim-*"))
    assert not list(tmp_path.glob("*.tmp"))
    assert run_trial(tmp_path, 0, made.prepare).status == "finished"


def test_a_worker_killed_after_its_last_epoch_is_not_trained_again(tmp_path: Path) -> None:
    made = search(tmp_path)
    first = run_trial(tmp_path, 0, made.prepare)
    (tmp_path / "trial000.json").unlink()
    times = {c.path: c.path.stat().st_mtime_ns for c in made.study.checkpoints()}
    assert run_trial(tmp_path, 0, made.prepare) == first
    assert times == {c.path: c.path.stat().st_mtime_ns for c in made.study.checkpoints()}


def test_a_worker_killed_before_it_noted_a_hopeless_trial_gives_it_up(tmp_path: Path) -> None:
    space = {"learning_rate": (1e5, 1e6, "log"), "units": (8, 16, "log")}
    made = Search.create(tmp_path, space, preparation(), num_trials=1, num_epochs=4, seed=0)
    first = run_trial(tmp_path, 0, made.prepare)
    assert first.status == "abandoned"
    (tmp_path / "trial000.json").unlink()
    np.testing.assert_equal(asdict(run_trial(tmp_path, 0, made.prepare)), asdict(first))


def test_a_worker_whose_trial_was_taken_over_writes_no_more(tmp_path: Path) -> None:
    made = search(tmp_path)
    good = preparation()

    def prepare(config: Any, rng: Any) -> Any:
        (tmp_path / "trial000.claim-2").write_text("somebody who thought we were dead")
        return good(config, rng)

    with pytest.raises(ClaimError, match="took over trial 0"):
        run_trial(tmp_path, 0, prepare)
    assert made.study.checkpoints() == []
    assert made.study.ended() == {}


def test_the_border_is_pointed_out(tmp_path: Path) -> None:
    made = search(tmp_path)
    best = made.trials()[0]
    best.config = {"learning_rate": 0.9, "units": 16}
    (sentence,) = border_warnings(best, made.study.space)
    assert "learning_rate = 0.9" in sentence
    assert "high end" in sentence


def test_the_board_escapes_and_survives_missing_scores(tmp_path: Path) -> None:
    trials = search(tmp_path).trials()
    trials[0].status, trials[0].curve = "<b>", [math.nan, 50.0, 60.0]
    made = table(trials, 'http://x/"onload=', "<i>")
    assert "<b>" not in made
    assert "<i>" not in made
    assert 'alt="validation accuracy from 50 to 60 per cent"' in made
    assert '"onload' not in made
    assert sparkline([50.0]) == ""
