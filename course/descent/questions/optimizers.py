"""How the functions of unit 6 are exercised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from descent.judging.observing import Case, Observer, Unfinished, question
from descent.prototypes import PROTOTYPES

Array = npt.NDArray[Any]
Gradient = Callable[[Array], Array]
Call = Callable[[Array, Gradient, dict[str, Any]], Any]
"""A call of a rule: `w`, the gradient as a function, and all keywords (the state among them)."""

# ---- update rules --------------------------------------------------------------------------------


def _with_array(rule: Callable[..., Any]) -> Call:
    """Call a rule that takes the gradient at `w`."""
    return lambda w, gradient, named: rule(w, gradient(w), **named)


def _next(
    see: Observer, call: Call, w: Array, gradient: Gradient, named: Any, after: str
) -> tuple[Any, Any]:
    """The next `w` and the state that came with it; None as state isn't passed on the first call.

    `after` says in words where in the run this is. A NaN agrees with nothing, so the mistake
    behind it couldn't be named: it is observed as such, and the run goes on with a 0 in its place.
    A `w` of another shape ends the case: all that follows would be about nothing else.
    """
    w_next, state = see.unpack(call(w, gradient, named), "w_next, state")
    moved = see.array(w_next, "w_next")
    if moved.shape != w.shape:
        see.end(f"The shape of {after} should still be {w.shape}; it is {moved.shape}.")
    if np.isnan(moved).any():
        see(f"elements that are NaN in {after}", int(np.isnan(moved).sum()))
        moved = np.nan_to_num(moved, nan=0.0)
    return moved, state


def _rule(see: Observer, call: Call, case: Case) -> None:
    kind = case["kind"]
    if kind == "stability":
        _stability(see, call, case)
    elif kind == "constant":
        _constant(see, call, case)
    elif kind == "in turn":
        _in_turn(see, call, case)
    else:
        _follow(see, call, case)


def _follow(see: Observer, call: Call, case: Case) -> None:
    """Follow given gradients, or those of a bowl, with the rates given for each step."""
    w, state, settings = case["w"], None, case["settings"]
    for step, rate in enumerate(case["rates"]):
        named = {"state": state, "learning_rate": rate, **settings}
        w, state = _next(see, call, w, _gradient(case, step), named, _after(step + 1))
        if step + 1 in case["look"]:
            see(_after(step + 1), w, floor=1e-14)
    if case["again"]:
        # A memory that lives outside the state would show up here; one that lives in the default
        # of `state` only the second time, and in Adam only if the first gradient was another.
        named = {"learning_rate": case["rates"][0], **settings}
        after = "w after the first step of another run"
        for step in (1, 0):
            again, _ = _next(see, call, case["w"], _gradient(case, step), named, after)
        see(after, again, floor=1e-14)


def _in_turn(see: Observer, call: Call, case: Case) -> None:
    """Two parameters of one shape, a step of each in turn: the state is all that tells them apart.

    As in a network, where one rule serves every weight matrix.
    """
    ws, states = list(case["w"]), [None, None]
    for step, rate in enumerate(case["rates"]):
        for which, gradients in enumerate(case["gradients"]):
            named = {"state": states[which], "learning_rate": rate, **case["settings"]}
            after = f"w of the {('first', 'second')[which]} parameter, after {step + 1} of each"
            gradient = _gradient({**case, "gradients": gradients}, step)
            ws[which], states[which] = _next(see, call, ws[which], gradient, named, after)
    see("w of the first parameter, in turn", ws[0], floor=1e-14)
    see("w of the second parameter, in turn", ws[1], floor=1e-14)


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
        w, state = _next(see, call, w, lambda _: case["gradient"], named, _after(step))
        if step in case["look"]:
            length = (w - before) / rate
            see(f"constant gradient: step {step}, in learning rates", length, floor=1e-11)


def _stability(see: Observer, call: Call, case: Case) -> None:
    """On a bowl of one curvature: just below and just above the largest stable rate."""
    for name, factor in (("below", 0.97), ("above", 1.03)):
        w, state = np.ones(2), None
        for step in range(1, case["num_steps"] + 1):
            rate = factor * case["limit"]
            named = {"state": state, "learning_rate": rate, **case["settings"]}
            w, state = _next(see, call, w, lambda x: case["curvature"] * x, named, _after(step))
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
    (rule,) = see.functions
    asked = 0

    def call(w: Array, gradient: Gradient, named: dict[str, Any]) -> Any:
        def counted(at: Array) -> Array:
            nonlocal asked
            asked += 1
            return gradient(at)

        return rule(w, counted, **named)

    _rule(see, call, case)
    # On a real network each call is a pass through all layers.
    see("how often gradient was called in all", asked)


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
    mu, curvature = case["mu"] or 0.0, np.linalg.eigvalsh(case["hessian"])
    # Down from a saddle no run comes closer, at any rate.
    if rate.size == 1 and curvature.min() > 0:
        below, above = (_comes_closer(f * rate.item(), mu, curvature) for f in (0.98, 1.02))
        see("a run just below it comes closer", below)
        see("a run just above it does too", above)


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
    rates, losses = see.unpack(
        function(
            _slope(case) if "losses" in case else _round_bowl(case),
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


def _round_bowl(case: Case) -> Callable[[Array], tuple[float, Array]]:
    """A bowl in which losses above a limit may be NaN."""

    def loss_and_grad(w: Array) -> tuple[float, Array]:
        loss = float(np.sum(0.5 * case["curvature"] * w**2)) + case["lowest"]
        if case["nan_above"] is not None and loss > case["nan_above"]:
            loss = float("nan")
        return loss, np.asarray(case["curvature"] * w)

    return loss_and_grad


def _slope(case: Case) -> Callable[[Array], tuple[float, Array]]:
    """A slope in one direction, on which a right walk meets given losses one after the other.

    The loss depends on the place alone, so that it may be asked for twice.
    """
    direction = case["gradient"]
    rates = np.geomspace(case["low"], case["high"], case["num_steps"])
    places = np.cumsum([0.0, *rates[:-1]])

    def loss_and_grad(w: Array) -> tuple[float, Array]:
        gone = np.sum((case["w"] - w) * direction) / np.sum(direction**2)
        return float(case["losses"][np.argmin(np.abs(places - gone))]), direction.copy()

    return loss_and_grad


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


def _given_rule(case: Case, calls: list[int]) -> Rule:
    """A rule to hand to the student: it counts its steps in its state, and can't do without.

    Step i has the learning rate times factor i (the last one from then on). Each call is noted.
    """
    factors = case["factors"]

    def rule(w: Array, dw: Array, state: Any = None, *, learning_rate: float) -> tuple[Array, Any]:
        steps = 0 if state is None else state
        calls.append(steps)
        rate = learning_rate * factors[min(steps, len(factors) - 1)]
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
        calls: list[int] = []
        outcome = function(
            _given_rule(case, calls),
            loss,
            gradient,
            case["w"],
            learning_rate=learning_rate,
            num_steps=case["num_steps"],
        )
        see(f"{case['outcome']} {learning_rate:g}", outcome)
        # To stop once the loss has overflown is fine, so the bowls that throw w out don't count.
        if case["counted"]:
            see("how often rule was called", len(calls))


@question()
def choose_rule(see: Observer, case: Case) -> None:
    (function,) = see.functions
    for name in PROTOTYPES:
        rule, rate = see.unpack(function(name), "rule, learning_rate")
        see(f"{name}: the first of the two", _kind(rule))
        if not callable(rule):
            continue
        rate = see.number(rate, "learning rate")
        # Wrapped, so that an error in the rule is told as the student's own: as a whole, because
        # a run has hundreds of steps.
        run = see.wrap(_share_left, "choose_rule")
        for level in case["levels"]:
            left = run(see, rule, rate, level * case["noise"], name)
            see(f"{name}, noise {level:g}: outcome", _outcome(left))


def _kind(value: Any) -> str:
    """What was returned in the place of a rule."""
    if callable(value):
        return "a function"
    if isinstance(value, str):
        return "a string"
    return "a number" if isinstance(value, int | float | np.number) else "something else"


def _share_left(see: Observer, rule: Any, rate: float, noise: Array, name: str) -> float:
    """The share of a landscape's loss that is left after a run of one step for each row of noise.

    Noise makes the last loss alone a matter of luck, so it is the mean of the last 50.
    """
    landscape = PROTOTYPES[name]
    start = np.array(landscape.start)
    w, state, losses = start, None, []
    with np.errstate(all="ignore"):
        for disturbance in noise:
            dw = landscape.gradient(w) + disturbance
            try:
                moved = rule(w.copy(), dw, state, learning_rate=rate)
            except (NotImplementedError, Unfinished):
                see.end(f"The rule that you return for {name!r} isn't written yet.")
            if not isinstance(moved, tuple | list) or len(moved) < 2:
                see.end(f"The rule for {name!r} should return two values, (w_next, state).")
            w, state = see.array(moved[0], "w_next"), moved[1]
            if w.shape != start.shape:
                see.end(
                    f"The rule for {name!r} should return w of shape {start.shape}, not {w.shape}."
                )
            losses.append(landscape.loss(w))
        return float(np.mean(losses[-50:])) / landscape.loss(start)


def _outcome(left: float) -> str:
    """How a run went, from the share of the loss that is left."""
    words = ((0.01, "solved"), (0.5, "slow"), (1.0, "stalled"))
    return next((word for most, word in words if left <= most), "diverged")
