"""How the functions of unit 6 are exercised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.judging.observing import Case, Observer, question
from descent.prototypes import PROTOTYPES

Array = npt.NDArray[Any]
Gradient = Callable[[Array], Array]
Call = Callable[[Array, Gradient, dict[str, Any]], Any]
"""A call of a rule: `w`, the gradient as a function, and all keywords (the state among them)."""

# ---- update rules --------------------------------------------------------------------------------


def _with_array(rule: Callable[..., Any]) -> Call:
    """Call a rule that takes the gradient at `w`."""
    return lambda w, gradient, named: rule(w, gradient(w), **named)


def _with_function(rule: Callable[..., Any]) -> Call:
    """Call a rule that asks for the gradient itself."""
    return lambda w, gradient, named: rule(w, gradient, **named)


def _next(see: Observer, call: Call, w: Array, gradient: Gradient, named: Any) -> tuple[Any, Any]:
    """The next `w` and the state that came with it; None as state isn't passed on the first call.

    A NaN agrees with nothing, so the mistake behind it couldn't be named: it is observed as such,
    and the run goes on with a 0 in its place.
    """
    w_next, state = see.unpack(call(w, gradient, named), "w_next, state")
    moved = see.array(w_next, "w_next")
    if np.isnan(moved).any():
        see("every element of w is a number", False)
        moved = np.nan_to_num(moved, nan=0.0)
    return moved, state


def _rule(see: Observer, call: Call, case: Case) -> None:
    kind = case["kind"]
    if kind == "stability":
        _stability(see, call, case)
    elif kind == "constant":
        _constant(see, call, case)
    else:
        _follow(see, call, case)


def _follow(see: Observer, call: Call, case: Case) -> None:
    """Follow given gradients, or those of a bowl, with the rates given for each step."""
    w, state, settings = case["w"], None, case["settings"]
    for step, rate in enumerate(case["rates"]):
        named = {"state": state, "learning_rate": rate, **settings}
        w, state = _next(see, call, w, _gradient(case, step), named)
        if step + 1 in case["look"]:
            see(_after(step + 1), w, floor=1e-14)
    if case["again"]:
        # A memory that lives outside the state would show up here.
        named = {"learning_rate": case["rates"][0], **settings}
        again, _ = _next(see, call, case["w"], _gradient(case, 0), named)
        see("w after the first step of another run", again, floor=1e-14)


def _gradient(case: Case, step: int) -> Gradient:
    """The gradient in one step: curvature · (w − centre) plus, where given, the step's own part."""
    own = case["gradients"][step] if "gradients" in case else 0.0
    curvature, centre = case.get("curvature", 0.0), case.get("centre", 0.0)
    return lambda w: np.asarray(curvature * (w - centre) + own)


def _after(step: int) -> str:
    return "w after 1 step" if step == 1 else f"w after {step} steps"


def _constant(see: Observer, call: Call, case: Case) -> None:
    """How long the steps get when the gradient is always the same, in learning rates."""
    w, state, rate = case["w"], None, case["rate"]
    for step in range(1, case["num_steps"] + 1):
        named = {"state": state, "learning_rate": rate, **case["settings"]}
        before = w
        w, state = _next(see, call, w, lambda _: case["gradient"], named)
        if step in case["look"]:
            length = (w - before) / rate if np.shape(w) == np.shape(before) else w
            see(f"constant gradient: step {step}, in learning rates", length, floor=1e-11)


def _stability(see: Observer, call: Call, case: Case) -> None:
    """On a bowl of one curvature: just below and just above the largest stable rate."""
    for name, factor in (("below", 0.97), ("above", 1.03)):
        w, state = np.ones(2), None
        for _ in range(case["num_steps"]):
            rate = factor * case["limit"]
            named = {"state": state, "learning_rate": rate, **case["settings"]}
            w, state = _next(see, call, w, lambda x: case["curvature"] * x, named)
            if np.abs(w).max(initial=0.0) > 1e6:
                break
        see(
            f"just {name} the largest stable rate: the run comes closer",
            bool(np.abs(w).max(initial=0.0) < 1),
        )


@question()
def sgd(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


@question()
def momentum(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


@question()
def nesterov_lookahead(see: Observer, case: Case) -> None:
    _rule(see, _with_function(see.functions[0]), case)


@question()
def nesterov(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


@question()
def adagrad(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


@question()
def adagrad_without_root(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


@question()
def rmsprop(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


@question()
def adam_uncorrected(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


@question()
def adam(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


@question()
def adamw(see: Observer, case: Case) -> None:
    _rule(see, _with_array(see.functions[0]), case)


# ---- stability and saddles -----------------------------------------------------------------------


@question()
def largest_stable_rate(see: Observer, case: Case) -> None:
    (function,) = see.functions
    given = {} if case["mu"] is None else {"mu": case["mu"]}
    rate = see.array(function(case["hessian"], **given), "rate")
    see("largest stable rate", rate)
    if rate.size == 1:
        mu, curvature = case["mu"] or 0.0, np.linalg.eigvalsh(case["hessian"])
        see("a run just below it comes closer", _comes_closer(0.98 * float(rate), mu, curvature))
        see("a run just above it does too", _comes_closer(1.02 * float(rate), mu, curvature))


def _comes_closer(rate: float, mu: float, curvature: Array) -> bool:
    """Whether all modes of gradient descent with momentum shrink on a quadratic bowl."""
    modes = [np.roots([1.0, -(1 + mu - rate * c), mu]) for c in curvature]
    return bool(max(np.abs(m).max() for m in modes) < 1)


@question()
def escape_steps(see: Observer, case: Case) -> None:
    (function,) = see.functions
    curvature = case["curvature"]

    def gradient(w: Array) -> Array:
        return np.asarray(curvature * w)

    for level in case["levels"]:
        noise = level * case["noise"]
        steps = function(
            gradient,
            case["w"],
            noise,
            learning_rate=case["learning_rate"],
            radius=case["radius"],
        )
        see(f"steps with noise of {level:g}", steps)


# ---- schedules -----------------------------------------------------------------------------------


@question()
def momentum_schedule(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for epoch in case["epochs"]:
        see(f"momentum at epoch {epoch}", function(epoch, case["num_epochs"], **case["settings"]))


def _decay(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for epoch in case["epochs"]:
        see(f"rate at epoch {epoch}", function(case["rate0"], epoch, **case["settings"]))


@question()
def step_decay(see: Observer, case: Case) -> None:
    _decay(see, case)


@question()
def exponential_decay(see: Observer, case: Case) -> None:
    _decay(see, case)


@question()
def inverse_time_decay(see: Observer, case: Case) -> None:
    _decay(see, case)


@question()
def reduce_on_plateau(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for about, errors in case["histories"].items():
        see(f"rate: {about}", function(case["rate"], errors, **case["settings"]))


@question()
def warmup_cosine(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for step in case["steps"]:
        rate = function(case["rate0"], step, case["num_steps"], warmup_steps=case["warmup_steps"])
        see(f"rate in step {step}", rate, floor=1e-12 * case["rate0"])


@question()
def range_test(see: Observer, case: Case) -> None:
    (function,) = see.functions
    curvature = case["curvature"]

    def loss_and_grad(w: Array) -> tuple[float, Array]:
        loss = float(np.sum(0.5 * curvature * w**2)) + case["lowest"]
        if case["nan_above"] is not None and loss > case["nan_above"]:
            loss = float("nan")
        return loss, np.asarray(curvature * w)

    rates, losses = see.unpack(
        function(
            loss_and_grad,
            case["w"],
            low=case["low"],
            high=case["high"],
            num_steps=case["num_steps"],
        ),
        "rates, losses",
    )
    losses = see.array(losses, "losses")
    see("no loss is NaN", not np.isnan(losses).any())
    see("how many losses", int(losses.size))
    see("losses", np.nan_to_num(losses, nan=-1.0))
    see("rates", rates)


# ---- second order, and clipping ------------------------------------------------------------------


@question()
def newton_step(see: Observer, case: Case) -> None:
    (function,) = see.functions
    see("x after the step", function(case["x"], case["gradient"], case["hessian"]), floor=1e-12)


@question(rtol=1e-6)
def clip_by_global_norm(see: Observer, case: Case) -> None:
    # Looser than elsewhere: adding a tiny number to the norm, against 0/0, is fine.
    (function,) = see.functions
    clipped = function(case["grads"], case["max_norm"])
    arrays = {name: see.array(see.entry(clipped, name), name) for name in case["grads"]}
    see("no element is NaN", not any(np.isnan(a).any() for a in arrays.values()))
    see("gradients", {name: np.nan_to_num(a, nan=-1.0) for name, a in arrays.items()})


# ---- testing a rule ------------------------------------------------------------------------------

Rule = Callable[..., tuple[Array, Any]]


def _given_rule(case: Case) -> Rule:
    """A rule to hand to the student: it counts its steps in its state, and can't do without."""

    def rule(w: Array, dw: Array, state: Any = None, *, learning_rate: float) -> tuple[Array, Any]:
        steps = 0 if state is None else state
        rate = learning_rate * (case["quick"] if steps >= case["patience"] else 1.0)
        with np.errstate(all="ignore"):
            return w - rate * dw, steps + 1

    return rule


@question()
def unit_test(see: Observer, case: Case) -> None:
    (function,) = see.functions
    curvature = case["curvature"]

    def loss(w: Array) -> float:
        with np.errstate(all="ignore"):
            return float(np.sum(0.5 * curvature * w**2))

    def gradient(w: Array) -> Array:
        with np.errstate(all="ignore"):
            return np.asarray(curvature * w)

    for learning_rate in case["rates"]:
        outcome = function(
            _given_rule(case),
            loss,
            gradient,
            case["w"],
            learning_rate=learning_rate,
            num_steps=case["num_steps"],
        )
        see(f"outcome at a rate of {learning_rate:g}", outcome)


@question()
def choose_rule(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for name, landscape in PROTOTYPES.items():
        rule, rate = see.unpack(function(name), "rule, learning_rate")
        see(f"{name}: the first of the two can be called", callable(rule))
        if not callable(rule):
            continue
        start = np.array(landscape.start)
        for level in case["levels"]:
            w, state, losses = start, None, []
            with np.errstate(all="ignore"):
                for disturbance in level * case["noise"]:
                    dw = landscape.gradient(w) + disturbance
                    w, state = rule(w.copy(), dw, state, learning_rate=rate)
                    w = see.array(w, "w")
                    losses.append(landscape.loss(w))
                # Noise makes the last loss alone a matter of luck.
                left = float(np.mean(losses[-50:])) / landscape.loss(start)
            see(f"{name}, noise {level:g}: outcome", _outcome(left))


def _outcome(left: float) -> str:
    """How a run went, from the share of the loss that is left."""
    words = ((0.01, "solved"), (0.5, "slow"), (1.0, "stalled"))
    return next((word for most, word in words if left <= most), "diverged")
