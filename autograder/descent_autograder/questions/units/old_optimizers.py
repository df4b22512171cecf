"""Unit 6 for the grader: fresh cases, accepted variants, and the mistakes students make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.judging import Mistake
from descent_solutions import optimizers as reference

from descent_autograder.questions.legacy import Entry, Switches, add

Array = npt.NDArray[Any]
Rng = np.random.Generator
Case = dict[str, Any]
Family = Callable[[Switches], Callable[..., Any]]

# ---- cases of the update rules -------------------------------------------------------------------


def _uneven(rng: Rng) -> Case:
    """Gradients of all sizes, an element that never has one, a constant column, rates changed."""
    scale = np.array([[1e-3, 1.0], [300.0, 0.0], [1e-6, 2.0]])
    gradients = [scale * rng.uniform(0.5, 2.0, (3, 2)) * _signs(rng, (3, 2)) for _ in range(6)]
    for i, dw in enumerate(gradients):
        dw[2, 1] = -2.5
        if i == 3:
            dw[0, 0] = 0.0
    return {
        "about": "w of shape (3, 2), gradients of all sizes, the rate changed after step 3",
        "kind": "given",
        "w": rng.normal(size=(3, 2)),
        "gradients": gradients,
        "rates": [0.1, 0.1, 0.1, 0.03, 0.03, 0.07],
        "settings": {},
        "look": [1, 2, 6],
        "again": True,
    }


def _signs(rng: Rng, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.choice([-1.0, 1.0], shape))


def _bowl(rng: Rng, settings: Mapping[str, float]) -> Case:
    """A small quadratic bowl: the gradient depends on where the rule has gone."""
    said = ", ".join(f"{name} = {value:g}" for name, value in settings.items())
    return {
        "about": "a bowl of four parameters" + (f", {said}" if said else ""),
        "kind": "given",
        "w": rng.uniform(0.5, 1.5, 4) * _signs(rng, (4,)),
        "curvature": rng.uniform([0.2, 0.5, 1.0, 2.0], [0.4, 1.0, 2.0, 4.0]),
        "centre": rng.normal(size=4),
        "rates": [0.15] * 4 + [0.05] * 4,
        "settings": dict(settings),
        "look": [2, 8],
        "again": False,
    }


def _constant(rng: Rng, settings: Mapping[str, float], num_steps: int, look: list[int]) -> Case:
    """One gradient for ever: what a rule's steps grow or shrink to."""
    return {
        "about": "the same gradient in every step",
        "kind": "constant",
        "w": rng.normal(size=3),
        "gradient": np.array([1.0, -0.02, 40.0]) * rng.uniform(0.5, 2.0, 3),
        "rate": 0.02,
        "num_steps": num_steps,
        "settings": dict(settings),
        "look": look,
    }


def _in_turn(rng: Rng) -> Case:
    """Two parameters of one shape, and a memory for each: not one for both."""
    shape, num_steps = (2, 2), 3
    return {
        "about": "two parameters of one shape, a step of each in turn",
        "kind": "in turn",
        "w": [rng.normal(size=shape) for _ in range(2)],
        "gradients": [
            [rng.uniform(0.5, 2.0, shape) * _signs(rng, shape) for _ in range(num_steps)]
            for _ in range(2)
        ],
        # Where gradients don't depend on the place, looking ahead would make no difference.
        "curvature": rng.uniform(0.5, 2.0, shape),
        "rates": [0.1, 0.1, 0.05],
        "settings": {},
    }


def _stability(rng: Rng, mu: float | None) -> Case:
    curvature = float(rng.uniform(2.0, 6.0))
    return {
        "about": f"a bowl of curvature {curvature:.3g}, just below and above the limit",
        "kind": "stability",
        "curvature": curvature,
        "limit": 2 * (1 + (mu or 0.0)) / curvature,
        "settings": {} if mu is None else {"mu": mu},
        "num_steps": 60,
    }


def sgd_cases(rng: Rng) -> list[Case]:
    return [
        _uneven(rng),
        _bowl(rng, {}),
        _constant(rng, {}, 3, [1, 3]),
        _stability(rng, None),
    ]


def momentum_cases(rng: Rng) -> list[Case]:
    # After 40 steps 0.5^t has gone: the step is η·g / (1 − μ).
    return [
        _uneven(rng),
        _bowl(rng, {"mu": 0.6}),
        _constant(rng, {"mu": 0.5}, 40, [2, 40]),
        _stability(rng, 0.8),
        _in_turn(rng),
    ]


def nesterov_cases(rng: Rng) -> list[Case]:
    return [
        _uneven(rng),
        _bowl(rng, {"mu": 0.6}),
        _constant(rng, {"mu": 0.5}, 40, [2, 40]),
        _in_turn(rng),
    ]


def lookahead_cases(rng: Rng) -> list[Case]:
    uneven = _uneven(rng)
    # The gradient has to depend on where it is taken, or looking ahead changes nothing.
    uneven["curvature"] = rng.uniform(0.5, 2.0, (3, 2))
    return [
        uneven,
        _bowl(rng, {"mu": 0.6}),
        _constant(rng, {"mu": 0.5}, 40, [2, 40]),
        _in_turn(rng),
    ]


def adagrad_cases(rng: Rng) -> list[Case]:
    # Under a constant gradient Adagrad's step t is η/√t.
    return [
        _uneven(rng),
        _bowl(rng, {"eps": 1e-3}),
        _constant(rng, {}, 16, [4, 16]),
        _in_turn(rng),
    ]


def rmsprop_cases(rng: Rng) -> list[Case]:
    return [
        _uneven(rng),
        _bowl(rng, {"decay_rate": 0.7, "eps": 1e-3}),
        _constant(rng, {"decay_rate": 0.8}, 60, [1, 60]),
        _in_turn(rng),
    ]


def adam_cases(rng: Rng) -> list[Case]:
    return [
        _uneven(rng),
        _bowl(rng, {"beta1": 0.7, "beta2": 0.95, "eps": 1e-3}),
        _constant(rng, {}, 12, [1, 12]),
        _in_turn(rng),
    ]


def adamw_cases(rng: Rng) -> list[Case]:
    cases = adam_cases(rng)
    cases[1]["settings"] |= {"weight_decay": 0.3}
    # Without a decay it is Adam.
    cases[2]["settings"] |= {"weight_decay": 0.0}
    return cases


# ---- faulty versions of the update rules ---------------------------------------------------------


def _step(on: Switches, learning_rate: float) -> float:
    """The signed factor of a step: −η, unless that is where the fault lies."""
    rate = learning_rate
    if "rate-forgotten" in on:
        rate = 1.0
    if "rate-twice" in on:
        rate = learning_rate**2
    return rate if "uphill" in on else -rate


def _remembered(on: Switches, state: Any, *names: str) -> list[Any]:
    if state is None or "state-lost" in on:
        return [0.0] * len(names)
    return [state[name] for name in names]


_LEFT_OUT: Any = object()


def _keeping(on: Switches, rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule that keeps its memory in a global, or in the default of `state`, if that is on.

    With `shared-count` it is the number of steps alone.
    """
    if not on & {"shared-memory", "shared-default", "shared-count"}:
        return rule
    memory: Any = None

    def remembering(w: Any, dw: Any, state: Any = _LEFT_OUT, **named: Any) -> Any:
        nonlocal memory
        left_out = state is _LEFT_OUT
        state = None if left_out else state
        if ("shared-memory" in on and state is not None) or ("shared-default" in on and left_out):
            state = memory
        elif "shared-count" in on and state is not None:
            state = {**state, "t": memory["t"]}
        moved, after = rule(w, dw, state, **named)
        if on & {"shared-memory", "shared-count"} or left_out:
            memory = after
        return moved, after

    return remembering


_SHARED = (
    Mistake(
        "shared-memory",
        "It looks as if the memory lives outside `state`.",
        "A rule serves many parameters in turn. Keep each one's memory in the state that you "
        "return for it, and nowhere else.",
    ),
    Mistake(
        "shared-default",
        "It looks as if the default of `state` is changed in place: it lives as long as the "
        "function.",
        "Leave it `state=None`, and make a fresh memory where it is None.",
    ),
)
_UPHILL = Mistake(
    "uphill",
    "It looks as if the step goes uphill.",
    "The gradient points up: subtract learning_rate times it.",
)
_RATE_FORGOTTEN = Mistake(
    "rate-forgotten",
    "It looks as if the learning rate isn't used.",
    "The step is learning_rate times what the rule makes of the gradient.",
)
_RATE_TWICE = Mistake(
    "rate-twice",
    "It looks as if the learning rate enters twice.",
    "Multiply by learning_rate in one place only.",
)
_STEP_RETURNED = Mistake(
    "step-returned",
    "It looks as if the step comes back, not the parameter after it.",
    "Return w plus the step as the first value.",
)
_STATE_LOST = Mistake(
    "state-lost",
    "It looks as if every step starts with an empty memory.",
    "Read the old values from `state`, and return the new ones as the second value.",
)
_COMMON = (_UPHILL, _RATE_FORGOTTEN, _RATE_TWICE)


def sgd_family(on: Switches) -> Callable[..., Any]:
    def sgd(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
        if "summed" in on:
            dw = dw if state is None else state + dw
            state = dw
        if "normalized" in on:
            dw = dw / np.linalg.norm(dw)
        if "divided-again" in on:
            dw = dw / len(dw)
        if "relative" in on:
            dw = dw * w
        step = _step(on, learning_rate) * dw
        return (step if "step-returned" in on else w + step), state

    return sgd


def sgd_in_place(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
    """Changes w, and returns more than it need."""
    w -= learning_rate * dw
    return w, {}, "done"


def sgd_loop(w: Any, dw: Any, state: Any = None, *, learning_rate: float) -> Any:
    """Element by element, in Python floats."""
    moved = np.empty(w.shape)
    for index in np.ndindex(w.shape):
        moved[index] = float(w[index]) - float(dw[index]) * learning_rate
    return moved, state


add(
    Entry(
        question="sgd",
        reference=reference.sgd,
        cases=sgd_cases,
        family=sgd_family,
        mistakes=(
            *_COMMON,
            _STEP_RETURNED,
            Mistake(
                "summed",
                "It looks as if the gradients of all steps so far are added up.",
                "Plain SGD has no memory: use this step's gradient alone.",
            ),
            Mistake(
                "normalized",
                "It looks as if the gradient is divided by its length.",
                "Use it as it is: where the slope is small, the step is small.",
            ),
            Mistake(
                "divided-again",
                "It looks as if the gradient is divided by the number of rows of w.",
                "`dw` is a mean over the batch already; nothing is left to divide by.",
            ),
            Mistake(
                "relative",
                "It looks as if the step is proportional to w.",
                "The step is learning_rate · dw, however large w is.",
            ),
        ),
        variants={"in place": sgd_in_place, "loops": sgd_loop},
    )
)

# ---- momentum ------------------------------------------------------------------------------------

_MOMENTUM_COMMON = (
    _UPHILL,
    _RATE_FORGOTTEN,
    Mistake(
        "rate-twice",
        "It looks as if the learning rate enters twice: in the velocity and again in the step.",
        "The rate is inside v; then w moves by v as it is.",
    ),
    _STATE_LOST,
    *_SHARED,
    Mistake(
        "first-rate",
        "It looks as if the first learning rate is used in every step.",
        "The rate may differ from step to step: take the one that you are given, and keep only v.",
    ),
    Mistake(
        "mu-on-all",
        "It looks as if the push is multiplied by mu as well: μ(v − ηg).",
        "Only the old velocity is: μ·v − η·g.",
    ),
    Mistake(
        "ema-rate-inside",
        "It looks as if the push is multiplied by 1 − mu.",
        "Here the push −ηg comes in whole; that is why steps grow up to 1/(1 − μ) times.",
    ),
    Mistake(
        "mu-fixed",
        "It looks as if mu is always 0.9.",
        "Use the argument `mu`; 0.9 is only what it is when left out.",
    ),
    Mistake(
        "mu-added",
        "It looks as if mu is added to the velocity.",
        "The old velocity is multiplied by mu: μ·v.",
    ),
    Mistake(
        "friction",
        "It looks as if the velocity is multiplied by 1 − mu.",
        "mu is the share of the velocity that is kept: μ·v.",
    ),
    Mistake(
        "no-friction",
        "It looks as if the velocity is never slowed down: the gradients just add up.",
        "Multiply the old velocity by mu before the new push comes in.",
    ),
    Mistake(
        "pytorch",
        "It looks as if the rate is outside the velocity (v ← μv + g, w ← w − ηv), as in PyTorch.",
        "The two agree only while the rate stays the same. Here the rate belongs into v.",
    ),
    Mistake(
        "ema",
        "It looks as if the velocity is an average: the gradient is multiplied by 1 − mu.",
        "Here the push −ηg comes in whole; that is why steps grow up to 1/(1 − μ) times.",
    ),
)


def _velocity(on: Switches, v: Any, g: Any, learning_rate: float, mu: float) -> Any:
    """The next velocity; with `pytorch` or `ema` it has the rate outside, as +g."""
    if "mu-on-all" in on:
        return mu * (v + _step(on - {"rate-twice"}, learning_rate) * g)
    if "ema-rate-inside" in on:
        g = (1 - mu) * g
    kept = mu * v
    if "mu-added" in on:
        kept = mu + v
    if "friction" in on:
        kept = (1 - mu) * v
    if "no-friction" in on:
        kept = v
    if "ema" in on:
        return kept + (1 - mu) * g
    if "pytorch" in on:
        return kept + g
    return kept + _step(on - {"rate-twice"}, learning_rate) * g


def _moves(on: Switches, v: Any, learning_rate: float) -> Any:
    """The step that a velocity makes."""
    if "pytorch" in on or "ema" in on:
        return _step(on, learning_rate) * v
    return learning_rate * v if "rate-twice" in on else v


def _rate(on: Switches, state: Any, learning_rate: float) -> float:
    """The rate of this step, or of the first one, if that is on."""
    return state["rate"] if "first-rate" in on and state is not None else learning_rate


def momentum_family(on: Switches) -> Callable[..., Any]:
    def momentum(
        w: Any, dw: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
    ) -> Any:
        mu = 0.9 if "mu-fixed" in on else mu
        learning_rate = _rate(on, state, learning_rate)
        (old,) = _remembered(on, state, "v")
        v = _velocity(on, old, dw, learning_rate, mu)
        step = _moves(on, v, learning_rate)
        if "old-velocity" in on:
            step = _moves(on, old, learning_rate)
        if "nesterov" in on:
            step = (1 + mu) * step - mu * _moves(on, old, learning_rate)
        if "gradient-again" in on:
            step = step - learning_rate * dw
        memory = {"v": v, "rate": learning_rate}
        return (step if "step-returned" in on else w + step), memory

    return _keeping(on, momentum)


class Ball:
    """A state of one's own making."""

    def __init__(self, velocity: Any) -> None:
        self.velocity = velocity


def momentum_object(
    w: Any, dw: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
) -> Any:
    """An object as state, changed in place."""
    ball = state if state is not None else Ball(np.zeros_like(w))
    ball.velocity *= mu
    ball.velocity -= learning_rate * dw
    w += ball.velocity
    return w, ball


def momentum_list(
    w: Any, dw: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
) -> Any:
    """Flat lists and loops; the state is a list of floats."""
    old = state or [0.0] * w.size
    new = [mu * v - learning_rate * g for v, g in zip(old, dw.ravel().tolist(), strict=True)]
    return w + np.reshape(new, w.shape), new, "and more"


add(
    Entry(
        question="momentum",
        reference=reference.momentum,
        cases=momentum_cases,
        family=momentum_family,
        mistakes=(
            *_MOMENTUM_COMMON,
            Mistake(
                "old-velocity",
                "It looks as if w moves by the old velocity, before the gradient has changed it.",
                "First update v, then move by the new v.",
            ),
            Mistake(
                "nesterov",
                "It looks as if this is Nesterov's rule.",
                "That one comes next; here w moves by the new velocity and nothing else.",
            ),
            Mistake(
                "gradient-again",
                "It looks as if w moves by the velocity and by the gradient as well.",
                "The gradient only pushes the velocity; the velocity alone moves w.",
            ),
            _STEP_RETURNED,
        ),
        variants={"an object as state, in place": momentum_object, "lists": momentum_list},
    )
)


def nesterov_family(on: Switches) -> Callable[..., Any]:
    def nesterov(
        w: Any, dw: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
    ) -> Any:
        mu = 0.9 if "mu-fixed" in on else mu
        learning_rate = _rate(on, state, learning_rate)
        (old,) = _remembered(on, state, "v")
        v = _velocity(on, old, dw, learning_rate, mu)
        if "pytorch" in on:
            moved = w + _step(on, learning_rate) * (dw + mu * v)
            return moved, {"v": v, "rate": learning_rate}
        before, after = (_moves(on, one, learning_rate) for one in (old, v))
        if "exchanged" in on:
            before, after = after, before
        if "overwritten" in on:
            before = after
        back = mu * before
        if "sign" in on:
            back = -back
        if "mu-forgotten" in on:
            back = before
        ahead = mu * after if "one-missing" in on else (1 + mu) * after
        return w - back + ahead, {"v": v, "rate": learning_rate}

    return _keeping(on, nesterov)


def nesterov_twice(
    w: Any, dw: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
) -> Any:
    """Goes back to the ball itself, moves it, and looks ahead again; a tuple as state."""
    (v,) = state if state is not None else (np.zeros(w.shape),)
    ball = w - mu * v
    v = mu * v - learning_rate * dw
    ball = ball + v
    return ball + mu * v, (v,)


add(
    Entry(
        question="nesterov",
        reference=reference.nesterov,
        cases=nesterov_cases,
        family=nesterov_family,
        mistakes=(
            *_MOMENTUM_COMMON[:-2],
            Mistake(
                "pytorch",
                "It looks as if the rate is outside the velocity (v ← μv + g), as in PyTorch.",
                "The two agree only while the rate stays the same. Here the rate belongs into v.",
            ),
            Mistake(
                "overwritten",
                "It looks as if w moves by the new velocity alone, which is plain momentum.",
                "The step needs both velocities, −μ·old + (1 + μ)·new: keep the old one.",
            ),
            Mistake(
                "exchanged",
                "It looks as if the old and the new velocity have changed places.",
                "Take −μ times the old velocity and (1 + μ) times the new one.",
            ),
            Mistake(
                "sign",
                "It looks as if μ times the old velocity is added.",
                "It is taken back: w − μ·old + (1 + μ)·new.",
            ),
            Mistake(
                "one-missing",
                "It looks as if the new velocity is multiplied by μ.",
                "By 1 + μ: the ball moves by v, and looks ahead by another μ·v.",
            ),
            Mistake(
                "mu-forgotten",
                "It looks as if the whole old velocity is taken back.",
                "Only μ times the old velocity had been added, so take back that much.",
            ),
        ),
        variants={"by way of the ball itself": nesterov_twice},
    )
)


def lookahead_family(on: Switches) -> Callable[..., Any]:
    def nesterov_lookahead(
        w: Any, gradient: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
    ) -> Any:
        mu = 0.9 if "mu-fixed" in on else mu
        learning_rate = _rate(on, state, learning_rate)
        (old,) = _remembered(on, state, "v")
        ahead = w + mu * _moves(on, old, learning_rate)
        if "not-ahead" in on:
            ahead = w + 0.0 * old
        if "too-far" in on:
            ahead = w + _moves(on, old, learning_rate)
        if "behind" in on:
            ahead = w - mu * _moves(on, old, learning_rate)
        if "called-twice" in on:
            gradient(w)
        v = _velocity(on, old, gradient(ahead), learning_rate, mu)
        start = ahead if "from-ahead" in on else w
        moved = start + _moves(on, v, learning_rate)
        if "stays-ahead" in on:
            moved = moved + mu * _moves(on, v, learning_rate)
        return moved, {"v": v, "rate": learning_rate}

    return _keeping(on, nesterov_lookahead)


def lookahead_in_place(
    w: Any, gradient: Any, state: Any = None, *, learning_rate: float, mu: float = 0.9
) -> Any:
    """Walks ahead in place, and lets the gradient do the rest."""
    v = np.zeros_like(w) if state is None else state
    v *= mu
    w += v
    push = -learning_rate * gradient(w)
    w += push
    return w, v + push


add(
    Entry(
        question="nesterov_lookahead",
        reference=reference.nesterov_lookahead,
        cases=lookahead_cases,
        family=lookahead_family,
        mistakes=(
            *_MOMENTUM_COMMON,
            Mistake(
                "not-ahead",
                "It looks as if the gradient is taken at w itself, which is plain momentum.",
                "Call gradient at w + μ·v, with the old v.",
            ),
            Mistake(
                "too-far",
                "It looks as if you look ahead by the whole velocity.",
                "The velocity alone will carry w by μ·v: look there.",
            ),
            Mistake(
                "behind",
                "It looks as if you look back, at w − μ·v.",
                "Look where the velocity leads: w + μ·v.",
            ),
            Mistake(
                "from-ahead",
                "It looks as if the step starts from the look-ahead point.",
                "Only the gradient is taken there; v already holds the way to it. Move w by v.",
            ),
            Mistake(
                "stays-ahead",
                "It looks as if the next look-ahead point comes back.",
                "Return w + v, the place itself; the next call looks ahead anew.",
            ),
            Mistake(
                "called-twice",
                "It looks as if `gradient` is called twice a step.",
                "Call it once, at w + μ·v: on a network every call is a pass through all layers.",
            ),
        ),
        variants={"in place": lookahead_in_place},
    )
)

# ---- rules with a rate for each parameter --------------------------------------------------------


def _root(on: Switches, average: Any, eps: float, *, rooted: bool = True) -> Any:
    """The denominator of an adaptive step."""
    if "no-eps" in on or "brackets" in on:
        eps = 0.0
    if "eps-fixed" in on:
        eps = 1e-8
    if rooted == ("no-root" in on):
        return average + eps
    return np.sqrt(average + eps) if "eps-inside" in on else np.sqrt(average) + eps


def _astray(on: Switches, eps: float) -> float:
    """What w gains where the brackets around the denominator are missing: eps itself."""
    return eps if "brackets" in on else 0.0


_EPS_INSIDE = ("eps-inside",)
_BRACKETS = Mistake(
    "brackets",
    "It looks as if brackets are missing around the denominator, so that eps is added to w.",
    "`a / b + eps` means (a / b) + eps: put brackets around the denominator.",
)
_EPS_FIXED = Mistake(
    "eps-fixed",
    "It looks as if eps is always 1e-8.",
    "Use the argument; 1e-8 is only what it is when left out.",
)
_ADAPTIVE_COMMON = (
    *_COMMON,
    _STATE_LOST,
    *_SHARED,
    _BRACKETS,
    _EPS_FIXED,
    Mistake(
        "no-eps",
        "It looks as if nothing keeps a gradient of exactly 0 from becoming 0/0.",
        "Add eps to the denominator.",
    ),
    Mistake(
        "no-square",
        "It looks as if the gradient isn't squared.",
        "Collect dw**2: its sign must not matter here.",
    ),
    Mistake(
        "one-for-all",
        "It looks as if all elements of w share one denominator.",
        "Keep an array of the shape of w: the point is a rate for each parameter.",
    ),
)
_NO_ROOT = Mistake(
    "no-root",
    "It looks as if the square root is missing.",
    "Divide by np.sqrt of what is collected; without the root the units don't even match.",
)
_OLD_CACHE = Mistake(
    "old-cache",
    "It looks as if you divide by the cache as it was before this gradient came in.",
    "Update the cache first, then divide by it.",
)


def _square(on: Switches, dw: Any) -> Any:
    if "no-square" in on:
        return dw
    return np.full(dw.shape, np.sum(dw**2)) if "one-for-all" in on else dw**2


def _adagrad_family(rooted: bool) -> Family:
    def family(on: Switches) -> Callable[..., Any]:
        def adagrad(
            w: Any, dw: Any, state: Any = None, *, learning_rate: float, eps: float = 1e-8
        ) -> Any:
            (old,) = _remembered(on, state, "cache")
            cache = old + _square(on, dw)
            if "twice" in on:
                cache = cache + _square(on, dw)
            if "leaky" in on:
                cache = 0.99 * old + 0.01 * _square(on, dw)
            if "leaky-more" in on:
                cache = 0.9 * old + 0.1 * _square(on, dw)
            if "averaged" in on:
                steps = 1 if state is None else state["steps"] + 1
                cache = old + (_square(on, dw) - old) / steps
            used = old + 0.0 * dw if "old-cache" in on else cache
            step = _step(on, learning_rate) * dw / _root(on, used, eps, rooted=rooted)
            steps = 1 if state is None else state["steps"] + 1
            return w + step + _astray(on, eps), {"cache": cache, "steps": steps}

        return _keeping(on, adagrad)

    return family


def adagrad_tuple(
    w: Any, dw: Any, state: Any = None, *, learning_rate: float, eps: float = 1e-8
) -> Any:
    """Loops; the state is a tuple."""
    cache = np.zeros(w.shape) if state is None else state[0].copy()
    moved = w.copy()
    for i in np.ndindex(w.shape):
        cache[i] += dw[i] * dw[i]
        moved[i] -= learning_rate * dw[i] / (cache[i] ** 0.5 + eps)
    return moved, (cache,)


_ADAGRAD_OWN = (
    _OLD_CACHE,
    Mistake(
        "twice",
        "It looks as if each squared gradient is added twice.",
        "Add dw**2 to the cache once a step.",
    ),
    Mistake(
        "leaky",
        "It looks as if the cache leaks, as in RMSprop.",
        "Adagrad's cache only grows: add dw**2 to all of it.",
    ),
    Mistake(
        "leaky-more",
        "It looks as if the cache leaks a tenth a step, as in RMSprop with 0.9.",
        "Adagrad's cache only grows: add dw**2 to all of it.",
    ),
    Mistake(
        "averaged",
        "It looks as if the cache is the mean of the squared gradients.",
        "It is their sum; that is what makes the steps shrink.",
    ),
)

add(
    Entry(
        question="adagrad",
        reference=reference.adagrad,
        cases=adagrad_cases,
        family=_adagrad_family(rooted=True),
        mistakes=(_NO_ROOT, *_ADAGRAD_OWN, *_ADAPTIVE_COMMON),
        freedoms_=_EPS_INSIDE,
        variants={"loops, a tuple as state": adagrad_tuple},
    )
)

add(
    Entry(
        question="adagrad_without_root",
        reference=reference.adagrad_without_root,
        cases=adagrad_cases,
        family=_adagrad_family(rooted=False),
        mistakes=(
            Mistake(
                "no-root",
                "It looks as if the square root is still there.",
                "Leave it out for once: divide by the cache itself.",
            ),
            *_ADAGRAD_OWN,
            *_ADAPTIVE_COMMON,
        ),
    )
)


def _leaky(on: Switches, name: str, old: Any, new: Any, keep: float) -> Any:
    """A leaky average, with the faults that one of that name can have."""
    if f"{name}-one-minus-missing" in on:
        return keep * old + new
    if f"{name}-wrong-way" in on:
        return (1 - keep) * old + keep * new
    if f"{name}-added" in on:
        return keep + old + (1 - keep) * new
    return keep * old + (1 - keep) * new


def rmsprop_family(on: Switches) -> Callable[..., Any]:
    def rmsprop(
        w: Any,
        dw: Any,
        state: Any = None,
        *,
        learning_rate: float,
        decay_rate: float = 0.99,
        eps: float = 1e-8,
    ) -> Any:
        keep = 0.99 if "decay-fixed" in on else decay_rate
        (old,) = _remembered(on, state, "cache")
        cache = _leaky(on, "cache", old, _square(on, dw), keep)
        if "summed" in on:
            cache = old + _square(on, dw)
        used = old + 0.0 * dw if "old-cache" in on else cache
        steps = 1 if state is None else state["steps"] + 1
        if "corrected" in on:
            used = used / (1 - keep**steps)
        step = _step(on, learning_rate) * dw / _root(on, used, eps)
        return w + step + _astray(on, eps), {"cache": cache, "steps": steps}

    return _keeping(on, rmsprop)


def rmsprop_in_place(
    w: Any,
    dw: Any,
    state: Any = None,
    *,
    learning_rate: float,
    decay_rate: float = 0.99,
    eps: float = 1e-8,
) -> Any:
    """Moves the cache towards the squared gradient, in place; ε inside the root."""
    cache = np.zeros_like(w) if state is None else state
    cache += (1 - decay_rate) * (dw * dw - cache)
    w -= learning_rate * dw * (cache + eps) ** -0.5
    return w, cache


add(
    Entry(
        question="rmsprop",
        reference=reference.rmsprop,
        cases=rmsprop_cases,
        family=rmsprop_family,
        mistakes=(
            _NO_ROOT,
            _OLD_CACHE,
            Mistake(
                "cache-wrong-way",
                "It looks as if the decay is the wrong way round: the new square weighs most.",
                "decay_rate belongs to the old cache, 1 − decay_rate to the new square.",
            ),
            Mistake(
                "cache-one-minus-missing",
                "It looks as if the factor 1 − decay_rate is missing.",
                "The new square comes in with the weight 1 − decay_rate.",
            ),
            Mistake(
                "cache-added",
                "It looks as if decay_rate is added to the cache.",
                "The old cache is multiplied by decay_rate.",
            ),
            Mistake(
                "summed",
                "It looks as if the cache never leaks, as in Adagrad.",
                "Multiply the old cache by decay_rate, the new square by 1 − decay_rate.",
            ),
            Mistake(
                "corrected",
                "It looks as if the average is corrected for its start at zero, as in Adam.",
                "RMSprop leaves the cache as it is: the first steps are long ones.",
            ),
            Mistake(
                "decay-fixed",
                "It looks as if decay_rate is always 0.99.",
                "Use the argument; 0.99 is only what it is when left out.",
            ),
            *_ADAPTIVE_COMMON,
        ),
        freedoms_=_EPS_INSIDE,
        variants={"in place, ε inside the root": rmsprop_in_place},
    )
)

# ---- Adam ----------------------------------------------------------------------------------------

_MOMENTS = (
    _NO_ROOT,
    Mistake(
        "m-one-minus-missing",
        "It looks as if the factor 1 − β₁ is missing in the first moment.",
        "m ← β₁·m + (1 − β₁)·dw, an average, not a sum.",
    ),
    Mistake(
        "v-one-minus-missing",
        "It looks as if the factor 1 − β₂ is missing in the second moment.",
        "v ← β₂·v + (1 − β₂)·dw², an average, not a sum.",
    ),
    Mistake(
        "betas-wrong-way",
        "It looks as if the decay is the wrong way round: the new gradient weighs most.",
        "β belongs to the old average, 1 − β to what is new.",
    ),
    Mistake(
        "betas-added",
        "It looks as if the betas are added to the old averages.",
        "The old averages are multiplied by β₁ and β₂.",
    ),
    Mistake(
        "betas-exchanged",
        "It looks as if β₁ and β₂ have changed places.",
        "β₁ belongs to the average of the gradient, β₂ to that of its square.",
    ),
    Mistake(
        "m-and-v-mixed-up",
        "It looks as if m and v have changed places in the step.",
        "The average of the gradient, m, is divided by the root of v, the average of its square.",
    ),
    Mistake(
        "raw-gradient",
        "It looks as if the step uses the gradient itself, as in RMSprop.",
        "Put the average m where RMSprop has the gradient.",
    ),
    Mistake(
        "v-beta1",
        "It looks as if β₁ is used for the second moment too.",
        "v has a decay of its own: β₂·v + (1 − β₂)·dw².",
    ),
    Mistake(
        "v-factor",
        "It looks as if the new square comes into v with the weight 1 − β₁.",
        "Its weight is 1 − β₂.",
    ),
    Mistake(
        "one-array",
        "It looks as if m and v are one and the same array.",
        "`m = v = np.zeros_like(w)` makes one array with two names: make two arrays.",
    ),
    Mistake(
        "m-squared",
        "It looks as if v averages the square of m.",
        "It averages the square of the gradient itself: dw².",
    ),
)

_CORRECTION = (
    Mistake(
        "uncorrected",
        "It looks as if the bias correction is missing.",
        "Divide m by 1 − β₁ᵗ and v by 1 − β₂ᵗ before the step.",
    ),
    Mistake(
        "v-not-corrected",
        "It looks as if the second moment isn't divided by 1 − β₂ᵗ.",
        "Both averages start at zero, so both are corrected.",
    ),
    Mistake(
        "m-not-corrected",
        "It looks as if the first moment isn't divided by 1 − β₁ᵗ.",
        "Both averages start at zero, so both are corrected.",
    ),
    Mistake(
        "t-from-zero",
        "It looks as if t is 0 in the first step, so that 1 − βᵗ is 0.",
        "Increase t before you use it: the first step has t = 1.",
    ),
    Mistake(
        "t-from-two",
        "It looks as if t is 2 in the first step.",
        "Start the counter at 0 and increase it once a step: the first step has t = 1.",
    ),
    Mistake(
        "t-stays",
        "It looks as if t stays at 1, or isn't an exponent: you always divide by 1 − β.",
        "Count the steps in the state and use beta1**t and beta2**t.",
    ),
    Mistake(
        "corrected-kept",
        "It looks as if the corrected averages are kept for the next step.",
        "The correction is for this step only: return m and v as they were before it.",
    ),
    Mistake(
        "shared-count",
        "It looks as if the steps are counted outside `state`.",
        "A rule serves many parameters in turn, and each has its own t: keep it in the state.",
    ),
    Mistake(
        "v-corrected-by-beta1",
        "It looks as if the second moment is divided by 1 − β₁ᵗ.",
        "Each average is corrected with its own β: v by 1 − β₂ᵗ.",
    ),
    Mistake(
        "after-root",
        "It looks as if the root of v is taken first, and divided by 1 − β₂ᵗ after that.",
        "Correct v, then take the root: √(v / (1 − β₂ᵗ)).",
    ),
)


def _adam_step(
    on: Switches,
    dw: Any,
    state: Any,
    betas: tuple[float, float],
    eps: float,
) -> tuple[Any, dict[str, Any]]:
    """What the learning rate is multiplied by, and the new state."""
    beta1, beta2 = betas[::-1] if "betas-exchanged" in on else betas
    names = [f"{n}{f}" for f in ("-wrong-way", "-added") if f"betas{f}" in on for n in "mv"]
    faults = on | frozenset(names)
    m, v = _remembered(on, state, "m", "v")
    t = 1 if state is None or "state-lost" in on else state["t"] + 1
    m = _leaky(faults, "m", m, dw, beta1)
    if "one-array" in on:
        m = v = beta2 * m + (1 - beta2) * dw**2
    elif "m-squared" in on:
        v = _leaky(faults, "v", v, m**2, beta2)
    elif "v-factor" in on:
        v = beta2 * v + (1 - beta1) * _square(on, dw)
    else:
        v = _leaky(faults, "v", v, _square(on, dw), beta1 if "v-beta1" in on else beta2)
    count = t + ("t-from-two" in on) - ("t-from-zero" in on)
    if "t-stays" in on:
        count = 1
    fix1, fix2 = 1 - beta1**count, 1 - beta2**count
    if "v-beta1" in on or "v-corrected-by-beta1" in on:
        fix2 = fix1
    if "after-root" in on:
        fix2 = fix2**2
    if "uncorrected" in on:
        fix1 = fix2 = 1.0
    fix1 = 1.0 if "m-not-corrected" in on else fix1
    fix2 = 1.0 if "v-not-corrected" in on else fix2
    m_hat, v_hat = np.divide(m, fix1), np.divide(v, fix2)
    above, below = (v_hat, m_hat) if "m-and-v-mixed-up" in on else (m_hat, v_hat)
    if "raw-gradient" in on:
        above = dw
    if "eps-before" in on:
        # The paper's faster form: ε joins the root before that is corrected.
        step = above * np.sqrt(fix2) / _root(on, below * fix2, eps)
    else:
        step = above / _root(on, below, eps)
    kept = (m_hat, v_hat) if "corrected-kept" in on else (m, v)
    return step, {"m": kept[0], "v": kept[1], "t": t}


def _adam_family(always: Switches = frozenset()) -> Family:
    def family(on: Switches) -> Callable[..., Any]:
        def adam(
            w: Any,
            dw: Any,
            state: Any = None,
            *,
            learning_rate: float,
            beta1: float = 0.9,
            beta2: float = 0.999,
            eps: float = 1e-8,
        ) -> Any:
            faults = on ^ always
            if "betas-fixed" in on:
                beta1, beta2 = 0.9, 0.999
            step, state = _adam_step(faults, dw, state, (beta1, beta2), eps)
            return w + _step(on, learning_rate) * step + _astray(on, eps), state

        return _keeping(on, adam)

    return family


class Moments:
    """Adam's memory as an object."""

    def __init__(self) -> None:
        self.first: Any = 0.0
        self.second: Any = 0.0
        self.steps = 0


def adam_object(
    w: Any,
    dw: Any,
    state: Any = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """An object as state, differences instead of weights, in place."""
    state = state or Moments()
    state.steps += 1
    state.first = state.first + (1 - beta1) * (dw - state.first)
    state.second = state.second + (1 - beta2) * (np.square(dw) - state.second)
    root = np.sqrt(state.second / (1 - beta2**state.steps))
    w -= learning_rate / (1 - beta1**state.steps) * state.first / (root + eps)
    return w, state


def adam_loop(
    w: Any,
    dw: Any,
    state: Any = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Any:
    """Element by element; a tuple as state; the powers kept, not t."""
    if state is None:
        state = (np.zeros(w.shape), np.zeros(w.shape), 1.0, 1.0)
    m, v, power1, power2 = state
    power1, power2 = power1 * beta1, power2 * beta2
    moved = np.zeros(w.shape)
    for i in np.ndindex(w.shape):
        m[i] = beta1 * m[i] + (1 - beta1) * dw[i]
        v[i] = beta2 * v[i] + (1 - beta2) * dw[i] ** 2
        step = (m[i] / (1 - power1)) / ((v[i] / (1 - power2)) ** 0.5 + eps)
        moved[i] = w[i] - learning_rate * step
    return moved, (m, v, power1, power2), {"extra": True}


_BETAS_FIXED = Mistake(
    "betas-fixed",
    "It looks as if the betas are always 0.9 and 0.999.",
    "Use the arguments; those numbers are only what they are when left out.",
)
_NOT_FOR_ADAM = "one-for-all"
_ALONE = (
    "t-from-two",
    "corrected-kept",
    "betas-added",
    "v-beta1",
    "v-factor",
    "shared-count",
    "v-corrected-by-beta1",
    "after-root",
    "one-array",
    "m-squared",
    "brackets",
    "eps-fixed",
    "betas-fixed",
    "shared-memory",
    "shared-default",
)
"""Mistakes enough by themselves, in rules that have many."""
_ADAM_COMMON = tuple(m for m in _ADAPTIVE_COMMON if m.id != _NOT_FOR_ADAM)

add(
    Entry(
        question="adam",
        reference=reference.adam,
        cases=adam_cases,
        family=_adam_family(),
        mistakes=(*_CORRECTION, *_MOMENTS, _BETAS_FIXED, *_ADAM_COMMON),
        freedoms_=("eps-inside", "eps-before"),
        variants={"an object as state, in place": adam_object, "loops": adam_loop},
        unpaired=_ALONE,
    )
)

add(
    Entry(
        question="adam_uncorrected",
        reference=reference.adam_uncorrected,
        cases=adam_cases,
        family=_adam_family(frozenset({"uncorrected"})),
        mistakes=(
            Mistake(
                "uncorrected",
                "It looks as if the averages are corrected: this is Adam itself.",
                "Leave the bias correction out for once, so that you see what it is good for.",
            ),
            *_MOMENTS,
            _BETAS_FIXED,
            *_ADAM_COMMON,
        ),
        freedoms_=_EPS_INSIDE,
        unpaired=_ALONE,
    )
)


def adamw_family(on: Switches) -> Callable[..., Any]:
    def adamw(
        w: Any,
        dw: Any,
        state: Any = None,
        *,
        learning_rate: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> Any:
        decay = 0.01 if "decay-fixed" in on else weight_decay
        if "betas-fixed" in on:
            beta1, beta2 = 0.9, 0.999
        if "l2" in on:
            dw = dw + decay * w
        step, state = _adam_step(on, dw, state, (beta1, beta2), eps)
        moved = w + _step(on, learning_rate) * step
        if "l2" in on or "no-decay" in on:
            return moved, state
        strength = decay if "decay-without-rate" in on else learning_rate * decay
        if "decay-halved" in on:
            strength = strength / 2
        if "grows" in on:
            strength = -strength
        return moved - strength * (moved if "decays-the-moved" in on else w), state

    return _keeping(on, adamw)


def adamw_first(
    w: Any,
    dw: Any,
    state: Any = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> Any:
    """Shrinks w first, in place, as PyTorch does."""
    w *= 1 - learning_rate * weight_decay
    moved, state, _ = adam_loop(
        w, dw, state, learning_rate=learning_rate, beta1=beta1, beta2=beta2, eps=eps
    )
    return moved, state


add(
    Entry(
        question="adamw",
        reference=reference.adamw,
        cases=adamw_cases,
        family=adamw_family,
        mistakes=(
            Mistake(
                "l2",
                "It looks as if the decay is added to the gradient: this is Adam with L2.",
                "Keep weight_decay · w out of m and v: subtract it from w beside the Adam step.",
            ),
            Mistake(
                "no-decay",
                "It looks as if the weights don't decay.",
                "Subtract learning_rate · weight_decay · w besides the Adam step.",
            ),
            Mistake(
                "decay-without-rate",
                "It looks as if the decay isn't multiplied by the learning rate.",
                "Both parts of the step have the rate: learning_rate · weight_decay · w.",
            ),
            Mistake(
                "decay-halved",
                "It looks as if the decay is halved.",
                "There is no ½ in a decay: learning_rate · weight_decay · w.",
            ),
            Mistake(
                "grows",
                "It looks as if the weights grow instead of decaying.",
                "Subtract the decay.",
            ),
            Mistake(
                "decays-the-moved",
                "It looks as if the decay is taken from w after the Adam step.",
                "Both parts are taken from the same w, the one you were given.",
            ),
            Mistake(
                "decay-fixed",
                "It looks as if weight_decay is always 0.01.",
                "Use the argument; 0.01 is only what it is when left out.",
            ),
            Mistake(
                "betas-fixed",
                "It looks as if the betas aren't handed on to Adam: they are always 0.9 and 0.999.",
                "Call it with beta1=beta1, beta2=beta2.",
            ),
            Mistake(
                "eps-fixed",
                "It looks as if eps isn't handed on to Adam: it is always 1e-8.",
                "Call it with eps=eps.",
            ),
            *_CORRECTION[:3],
            *_COMMON,
            _STATE_LOST,
            *_SHARED,
        ),
        freedoms_=("eps-inside", "eps-before"),
        variants={"shrinks first, in place": adamw_first},
        unpaired=("shared-memory", "shared-default"),
    )
)
