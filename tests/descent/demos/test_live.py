"""The student's own training under a slider: real widgets, real matplotlib."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any

import numpy as np
import pytest
from descent.demos import live, train_live


def quadratic(params: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """A bowl of two tensors, of curvature 1 and 10."""
    loss = 0.5 * (params["a"] ** 2).sum() + 5 * (params["b"] ** 2).sum()
    return float(loss), {"a": params["a"], "b": 10 * params["b"]}


def sgd(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
    w -= learning_rate * dw
    return w, state


def start() -> dict[str, Any]:
    return {"a": np.ones((2, 3)), "b": np.ones(4)}


def test_trains_and_draws_what_it_trained() -> None:
    params = start()
    shown = train_live(quadratic, params, sgd, learning_rate=0.05, num_steps=30)
    ((rate, curve),) = shown.curves
    steps = np.arange(30)
    expected = 3 * 0.95 ** (2 * steps) + 20 * 0.5 ** (2 * steps)
    assert rate == pytest.approx(0.05)
    np.testing.assert_allclose(curve, expected)
    np.testing.assert_array_equal(params["a"], np.ones((2, 3)))
    assert "After 30 steps" in shown.status
    picture = re.fullmatch(r'<img alt="([^"]+)" src="data:image/png;base64,(.+)">', shown.picture)
    assert picture
    assert len(picture[1]) > 50
    assert base64.b64decode(picture[2]).startswith(b"\x89PNG")


def test_moving_the_slider_trains_again_and_keeps_the_old_curve() -> None:
    shown = train_live(quadratic, start(), sgd, learning_rate=0.01, num_steps=20)
    before = shown.picture
    shown.rate.value = 0.1
    assert [rate for rate, _ in shown.curves] == pytest.approx([0.01, 0.1])
    assert shown.curves[1][1][-1] < shown.curves[0][1][-1]
    assert shown.picture != before
    for value in (0.2, 0.02, 0.03, 0.04, 0.05):
        shown.rate.value = value
    assert len(shown.curves) == live.KEPT + 1


def test_says_when_the_loss_runs_away() -> None:
    shown = train_live(quadratic, start(), sgd, learning_rate=10.0, num_steps=500)
    assert "is no number" in shown.status
    assert len(shown.curves[0][1]) < 500


def test_says_what_the_student_s_code_raised() -> None:
    def broken(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
        raise NotImplementedError("<write me>")

    shown = train_live(quadratic, start(), broken)
    assert "NotImplementedError: &lt;write me&gt;" in shown.status


def test_the_notebook_stays_awake_while_it_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """In an event loop training goes in slices, and a new rate replaces the old one."""
    monkeypatch.setattr(live, "SLICE", 0.0)

    async def use() -> tuple[Any, int]:
        shown = train_live(quadratic, start(), sgd, num_steps=6)
        assert shown.curves == []
        awake = 0
        for _ in range(3):
            await asyncio.sleep(0)
            awake += 1
        assert 0 < len(shown.curves[0][1]) < 6
        shown.rate.value = 0.01
        while "After" not in shown.status:
            await asyncio.sleep(0)
        return shown, awake

    shown, awake = asyncio.run(use())
    assert awake == 3
    assert len(shown.curves[0][1]) < 6
    assert len(shown.curves[-1][1]) == 6


def test_shows_itself_as_a_widget() -> None:
    shown = train_live(quadratic, start(), sgd, num_steps=3)
    bundle = shown._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize("wrong", [{"learning_rate": 0.0}, {"num_steps": 0}])
def test_impossible_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        train_live(quadratic, start(), sgd, **wrong)
