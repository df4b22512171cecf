"""Unit 6 for the grader: fresh cases, accepted variants, and the mistakes students make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.judging import Mistake
from descent_solutions import optimizers as reference

from descent_autograder.questions.legacy import Entry, Switches, add, entry

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

# ---- stability and saddles -----------------------------------------------------------------------


def largest_stable_rate_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for about, curvature, mu in (
        ("a bowl", [1.0, 9.0, 3.0], None),
        ("a bowl", [1.0, 9.0], 0.9),
        ("a bowl", [1.0, 9.0, 3.0, 0.2], 0.5),
        # What matters is the largest eigenvalue, not the one of the largest size.
        ("a saddle", [1.0, -9.0, 3.0], 0.3),
        # Eigenvalues in no order: neither the first nor the last one is the largest.
        ("a bowl along the axes", [1.0, 9.0, 3.0], None),
    ):
        values = rng.uniform(0.8, 1.2, len(curvature)) * curvature
        turn, _ = np.linalg.qr(rng.normal(size=(len(values), len(values))))
        hessian = np.diag(values) if "axes" in about else turn @ np.diag(values) @ turn.T
        said = "mu left out" if mu is None else f"mu = {mu:g}"
        cases.append(
            {
                "about": f"{about} of {len(values)} parameters, {said}",
                "hessian": (hessian + hessian.T) / 2,
                "mu": mu,
            }
        )
    return cases


def largest_stable_rate_family(on: Switches) -> Callable[..., Any]:
    def largest_stable_rate(hessian: Any, *, mu: float = 0.0) -> Any:
        curvature = np.linalg.eigvalsh(hessian)
        worst = curvature.min() if "flattest" in on else curvature.max()
        if "by-size" in on:
            worst = np.abs(curvature).max()
        if "trace" in on:
            worst = np.trace(hessian)
        if "diagonal" in on:
            worst = np.diag(hessian).max()
        top = 1.0 if "one" in on else 2.0
        if "minus-mu" in on:
            return top * (1 - mu) / worst
        return top / worst if "no-mu" in on else top * (1 + mu) / worst

    return largest_stable_rate


add(
    Entry(
        question="largest_stable_rate",
        reference=reference.largest_stable_rate,
        cases=largest_stable_rate_cases,
        family=largest_stable_rate_family,
        mistakes=(
            Mistake(
                "flattest",
                "It looks as if the smallest eigenvalue is taken.",
                "The steepest direction gives way first: take the largest eigenvalue.",
            ),
            Mistake(
                "one",
                "It looks as if the 2 is missing.",
                "At 1/λ one step lands in the minimum; only beyond 2/λ it gets further away.",
            ),
            Mistake(
                "no-mu",
                "It looks as if mu makes no difference.",
                "With momentum the limit is 2(1 + μ)/λ.",
            ),
            Mistake(
                "minus-mu",
                "It looks as if the factor is 1 − mu.",
                "Momentum damps the zigzag and *widens* the range: 1 + μ.",
            ),
            Mistake(
                "trace",
                "It looks as if the eigenvalues are added up.",
                "Only the largest one counts: np.linalg.eigvalsh(hessian).max().",
            ),
            Mistake(
                "diagonal",
                "It looks as if the largest diagonal element is taken.",
                "The steepest direction need not be an axis: use the eigenvalues.",
            ),
            Mistake(
                "by-size",
                "It looks as if the sign of an eigenvalue makes no difference.",
                "Take the largest one: norms and singular values lose the sign of curvature.",
            ),
        ),
    )
)


def escape_steps_cases(rng: Rng) -> list[Case]:
    while True:
        cases = _escapes(rng)
        names = ["", *(m.id for m in entry("escape_steps").mistakes)]
        answers = {tuple(_steps(escape_steps_family(frozenset({n})), cases)) for n in names}
        # Counts are whole numbers: a sample in which two of them agree would hide a mistake.
        if len(answers) == len(names):
            return cases


def _steps(function: Callable[..., Any], cases: list[Case]) -> list[Any]:
    """What a function answers, case by case and level by level."""
    return [
        function(
            lambda w, case=case: case["curvature"] * w,
            case["w"],
            level * case["noise"],
            learning_rate=case["learning_rate"],
            radius=case["radius"],
        )
        for case in cases
        for level in case["levels"]
    ]


def _escapes(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for about, radius, start, learning_rate, levels in (
        ("a start near balance, a small circle", 0.4, (0.3, 1e-3), 0.1, [0.0, 1e-2, 0.3]),
        ("a start in balance, a large circle", 2.5, (0.5, 0.0), 0.05, [0.0, 1e-3, 0.1]),
        # Inside, but not by the sum of the absolute values; and no element alone gets far.
        ("a start just inside the circle", 2.5, (0.9, 0.3), 0.1, [0.0, 0.5]),
        ("a start just inside a small circle", 0.4, (0.9, 0.3), 0.1, [0.0, 0.05]),
        ("a start outside the circle", 0.4, (0.9, -0.8), 0.1, [0.0, 0.05]),
        # 2.5 is a number that computers hold exactly, so that its length is exact as well.
        ("a start on the circle", 2.5, (1.0, 0.0), 0.1, [0.0]),
    ):
        cases.append(
            {
                "about": about,
                "curvature": np.array([0.2, -float(rng.uniform(0.8, 1.2))]),
                "w": radius * np.array(start) * _near_one(rng, start),
                "noise": rng.standard_normal((160, 2)),
                "levels": levels,
                "learning_rate": learning_rate,
                "radius": radius,
            }
        )
    return cases


def _near_one(rng: Rng, start: tuple[float, float]) -> float:
    """A factor that moves a start a little, unless it stands on the circle."""
    return 1.0 if start == (1.0, 0.0) else float(rng.uniform(0.97, 1.03))


def escape_steps_family(on: Switches) -> Callable[..., Any]:
    def escape_steps(
        gradient: Any, w: Any, noise: Any, *, learning_rate: float, radius: float
    ) -> Any:
        steps = 0
        moved = w.copy()
        radius = 1.0 if "radius-one" in on else 2 * radius if "diameter" in on else radius
        for disturbance in noise:
            distance = _distance(on, moved - w if "from-start" in on else moved)
            if distance > radius or ("on-circle" in on and distance == radius):
                break
            steps += 1
            push = np.full_like(w, disturbance[0]) if "shared-noise" in on else disturbance
            push = 0.0 * push if "no-noise" in on else push
            change = -gradient(moved) if "uphill" in on else gradient(moved)
            if "noise-outside" in on:
                moved = moved - learning_rate * change - push
            else:
                moved = moved - learning_rate * (change + push)
        never = steps == len(noise)
        if "one-less" in on and not never:
            return max(steps - 1, 0)
        return None if "never-is-none" in on and never else steps + ("one-more" in on)

    return escape_steps


def _distance(on: Switches, w: Any) -> float:
    """How far from the origin w is."""
    if "absolute-sum" in on:
        return float(np.abs(w).sum())
    if "largest" in on:
        return float(np.abs(w).max())
    distance = float(np.linalg.norm(w))
    return distance**2 if "squared" in on else distance


add(
    Entry(
        question="escape_steps",
        reference=reference.escape_steps,
        cases=escape_steps_cases,
        family=escape_steps_family,
        mistakes=(
            Mistake(
                "no-noise",
                "It looks as if the noise isn't used.",
                "Add row i of the noise to the gradient in step i.",
            ),
            Mistake(
                "noise-outside",
                "It looks as if the noise isn't multiplied by the learning rate.",
                "It belongs to the gradient: learning_rate · (gradient + noise).",
            ),
            Mistake(
                "shared-noise",
                "It looks as if one number of noise is used for all parameters.",
                "Each row holds one number a parameter: add the whole row.",
            ),
            Mistake(
                "one-more",
                "It looks as if one step too many is counted.",
                "Look at the distance before each step; a start outside needs 0 steps.",
            ),
            Mistake(
                "from-start",
                "It looks as if the distance is measured from the start.",
                "The saddle is at the origin: measure the length of w itself.",
            ),
            Mistake(
                "diameter",
                "It looks as if w has to get two radii away.",
                "It is out as soon as its length exceeds radius.",
            ),
            Mistake(
                "squared",
                "It looks as if the square of the length is compared with radius.",
                "Take the root: np.linalg.norm(w).",
            ),
            Mistake(
                "absolute-sum",
                "It looks as if absolute values are added up.",
                "The length is the root of the sum of squares: np.linalg.norm(w).",
            ),
            Mistake(
                "largest",
                "It looks as if only the largest element of w counts.",
                "The length is the root of the sum of squares: np.linalg.norm(w).",
            ),
            Mistake(
                "radius-one",
                "It looks as if the radius is always 1.",
                "Use the argument `radius`.",
            ),
            Mistake(
                "on-circle",
                "It looks as if a w on the circle counts as out.",
                "It is out when its length *exceeds* radius: > rather than >=.",
            ),
            Mistake(
                "one-less",
                "It looks as if one step too few is counted.",
                "The step that brings w out counts too.",
            ),
            Mistake(
                "uphill",
                "It looks as if the steps go uphill.",
                "Subtract learning_rate · (gradient + noise).",
            ),
            Mistake(
                "never-is-none",
                "It looks as if nothing comes back when w never gets out.",
                "Return the number of rows of the noise then.",
            ),
        ),
    )
)

# ---- schedules -----------------------------------------------------------------------------------


def momentum_schedule_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": "10 epochs, start and end left out",
            "num_epochs": 10,
            "epochs": [0, 1, 4, 9],
            "settings": {},
        },
        {
            "about": "start and end given",
            "num_epochs": 25,
            "epochs": [0, 7, 24],
            "settings": {
                "start": float(rng.uniform(0.2, 0.4)),
                "end": float(rng.uniform(0.9, 0.95)),
            },
        },
    ]


def momentum_schedule_family(on: Switches) -> Callable[..., Any]:
    def momentum_schedule(
        epoch: int, num_epochs: int, *, start: float = 0.5, end: float = 0.99
    ) -> Any:
        if "fixed" in on:
            start, end = 0.5, 0.99
        if "downwards" in on:
            start, end = end, start
        first = 1 if "from-one" in on else 0
        last = num_epochs - 1 if "end-in-last-epoch" in on else num_epochs
        done = (epoch - first) / (last - first)
        if "geometric" in on:
            return start * (end / start) ** done
        if "friction" in on:
            return 1 - (1 - start) * ((1 - end) / (1 - start)) ** done
        if "halves" in on:
            return start if done < 0.5 else end
        if "cosine" in on:
            done = 0.5 * (1 - np.cos(np.pi * done))
        return start + (end if "end-is-gain" in on else end - start) * done

    return momentum_schedule


add(
    Entry(
        question="momentum_schedule",
        reference=reference.momentum_schedule,
        cases=momentum_schedule_cases,
        family=momentum_schedule_family,
        mistakes=(
            Mistake(
                "downwards",
                "It looks as if the momentum falls.",
                "It starts low, while gradients are large and turn quickly, and grows.",
            ),
            Mistake(
                "end-is-gain",
                "It looks as if `end` is added to `start`.",
                "The way to go is end − start.",
            ),
            Mistake(
                "from-one",
                "It looks as if epochs are counted from 1.",
                "Epoch 0 has exactly `start`.",
            ),
            Mistake(
                "geometric",
                "It looks as if the momentum grows by a constant factor.",
                "Grow linearly: the same amount each epoch.",
            ),
            Mistake(
                "friction",
                "It looks as if 1 − momentum shrinks by a constant factor.",
                "Grow linearly: the same amount each epoch.",
            ),
            Mistake(
                "halves",
                "It looks as if the momentum jumps from start to end.",
                "Grow linearly: the same amount each epoch.",
            ),
            Mistake(
                "cosine",
                "It looks as if the momentum follows a cosine.",
                "Grow linearly: the same amount each epoch.",
            ),
            Mistake(
                "fixed",
                "It looks as if start and end are always 0.5 and 0.99.",
                "Use the arguments; those numbers are only what they are when left out.",
            ),
        ),
        freedoms_=("end-in-last-epoch",),
    )
)


def _rate0(rng: Rng) -> float:
    return float(10 ** rng.uniform(-3, -1))


def step_decay_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": "factor and every left out",
            "rate0": _rate0(rng),
            "epochs": [0, 4, 5, 9, 12, 25],
            "settings": {},
        },
        {
            "about": "0.1 every 20 epochs",
            "rate0": _rate0(rng),
            "epochs": [0, 19, 20, 21, 59, 60],
            "settings": {"factor": 0.1, "every": 20},
        },
    ]


def step_decay_family(on: Switches) -> Callable[..., Any]:
    def step_decay(rate0: float, epoch: int, *, factor: float = 0.5, every: int = 5) -> Any:
        if "fixed" in on:
            factor, every = 0.5, 5
        count: float = (epoch + 1) // every if "from-one" in on else epoch // every
        if "smooth" in on:
            count = epoch / every
        if "late" in on:
            count = max(epoch - 1, 0) // every
        if "once" in on:
            count = min(count, 1)
        if "subtracted" in on:
            return rate0 - factor * count
        if "multiplied" in on:
            return rate0 * (factor * count if count else 1)
        if "complement" in on:
            return rate0 * (1 - factor) ** count
        if "only-then" in on:
            return rate0 * factor if epoch and epoch % every == 0 else rate0
        return rate0 * factor**count

    return step_decay


add(
    Entry(
        question="step_decay",
        reference=reference.step_decay,
        cases=step_decay_cases,
        family=step_decay_family,
        mistakes=(
            Mistake(
                "smooth",
                "It looks as if the rate falls a little in every epoch.",
                "It falls in steps: use whole division, epoch // every.",
            ),
            Mistake(
                "multiplied",
                "It looks as if the factor is multiplied by the number of steps.",
                "Each step multiplies once more: a power, factor ** count.",
            ),
            Mistake(
                "subtracted",
                "It looks as if the factor is subtracted.",
                "Each step multiplies the rate by the factor.",
            ),
            Mistake(
                "once",
                "It looks as if the rate falls only once.",
                "It falls every `every` epochs: a power, factor ** count.",
            ),
            Mistake(
                "only-then",
                "It looks as if the rate is lower in those epochs alone, and then back again.",
                "Count all steps so far: epoch // every of them.",
            ),
            Mistake(
                "from-one",
                "It looks as if the rate falls one epoch early.",
                "Epochs count from 0: with every = 5, epoch 4 still has the first rate.",
            ),
            Mistake(
                "late",
                "It looks as if the rate falls one epoch late.",
                "With every = 5, epoch 5 is the first with the lower rate.",
            ),
            Mistake(
                "complement",
                "It looks as if the rate is multiplied by 1 − factor.",
                "factor is what is left: 0.1 means a tenth.",
            ),
            Mistake(
                "fixed",
                "It looks as if factor and every are always 0.5 and 5.",
                "Use the arguments; those numbers are only what they are when left out.",
            ),
        ),
    )
)


def _smooth_decay_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": f"decay = {decay:.3g}",
            "rate0": _rate0(rng),
            "epochs": [0, 1, 7, 40],
            "settings": {"decay": decay},
        }
        for decay in (float(rng.uniform(0.03, 0.1)), float(rng.uniform(0.3, 0.6)))
    ]


def exponential_decay_family(on: Switches) -> Callable[..., Any]:
    def exponential_decay(rate0: float, epoch: int, *, decay: float) -> Any:
        if "from-one" in on:
            epoch = epoch + 1
        if "grows" in on:
            return rate0 * np.exp(decay * epoch)
        if "power-of-decay" in on:
            return rate0 * decay**epoch
        if "compound" in on:
            return rate0 * (1 - decay) ** epoch
        if "base-two" in on:
            return rate0 * 2.0 ** (-decay * epoch)
        if "inverse-time" in on:
            return rate0 / (1 + decay * epoch)
        if "divided" in on:
            return rate0 * np.exp(-epoch / decay)
        return rate0 * np.exp(-decay * epoch)

    return exponential_decay


_GROWS = Mistake(
    "grows",
    "It looks as if the rate grows.",
    "The exponent is negative.",
)
_FROM_ONE = Mistake(
    "from-one",
    "It looks as if epochs are counted from 1.",
    "Epoch 0 has exactly rate0.",
)

add(
    Entry(
        question="exponential_decay",
        reference=reference.exponential_decay,
        cases=_smooth_decay_cases,
        family=exponential_decay_family,
        mistakes=(
            _GROWS,
            _FROM_ONE,
            Mistake(
                "power-of-decay",
                "It looks as if this is decay ** epoch.",
                "The base is e: exp(−decay · epoch).",
            ),
            Mistake(
                "compound",
                "It looks as if this is (1 − decay) ** epoch.",
                "Nearly the same for a small decay, but the base is e: exp(−decay · epoch).",
            ),
            Mistake(
                "base-two",
                "It looks as if the base is 2.",
                "The base is e: exp(−decay · epoch).",
            ),
            Mistake(
                "inverse-time",
                "It looks as if this is the 1/t decay.",
                "That one comes next; here it is exp(−decay · epoch).",
            ),
            Mistake(
                "divided",
                "It looks as if the epoch is divided by decay.",
                "decay is a rate, not a time: multiply.",
            ),
        ),
    )
)


def inverse_time_decay_family(on: Switches) -> Callable[..., Any]:
    def inverse_time_decay(rate0: float, epoch: int, *, decay: float) -> Any:
        if "from-one" in on:
            epoch = epoch + 1
        if "precedence" in on:
            return rate0 / 1 + decay * epoch
        if "no-one" in on:
            return rate0 / (decay * epoch) if epoch else rate0
        if "linear" in on:
            return rate0 * (1 - decay * epoch)
        if "exponential" in on:
            return rate0 * np.exp(-decay * epoch)
        if "root" in on:
            return rate0 / np.sqrt(1 + decay * epoch)
        if "decay-outside" in on:
            return rate0 / (decay * (1 + epoch))
        return rate0 / (1 + decay * epoch)

    return inverse_time_decay


add(
    Entry(
        question="inverse_time_decay",
        reference=reference.inverse_time_decay,
        cases=_smooth_decay_cases,
        family=inverse_time_decay_family,
        mistakes=(
            _FROM_ONE,
            Mistake(
                "precedence",
                "It looks as if only the 1 is in the denominator.",
                "`a / 1 + b` means (a / 1) + b; put brackets around the denominator.",
            ),
            Mistake(
                "no-one",
                "It looks as if the 1 is missing in the denominator.",
                "Without it the rate starts at infinity: 1 + decay · epoch.",
            ),
            Mistake(
                "linear",
                "It looks as if the rate falls along a straight line.",
                "Divide by 1 + decay · epoch; a straight line ends below zero.",
            ),
            Mistake(
                "exponential",
                "It looks as if this is the exponential decay.",
                "Here rate0 is divided by 1 + decay · epoch.",
            ),
            Mistake(
                "root",
                "It looks as if the root of the denominator is taken.",
                "Divide by 1 + decay · epoch itself.",
            ),
            Mistake(
                "decay-outside",
                "It looks as if decay multiplies the whole denominator.",
                "Only the epoch is multiplied: 1 + decay · epoch.",
            ),
        ),
    )
)


def _plateau_case(rng: Rng, settings: Mapping[str, Any]) -> Case:
    patience = settings.get("patience", 3)
    falling = np.cumsum(rng.uniform(0.01, 0.05, 6))[::-1] + 0.1
    best = float(falling[-1])

    def worse(count: int) -> list[float]:
        return [best + float(more) for more in rng.uniform(0.001, 0.004, count)]

    start = falling.tolist()
    dip = worse(patience)
    dip[0] += 0.02
    spell = [best + 0.05 + error - best for error in worse(patience)]
    return {
        "about": ", ".join(f"{k} = {v:g}" for k, v in settings.items()) or "as usual",
        "rate": _rate0(rng),
        "settings": dict(settings),
        "histories": {
            "errors still fall": start,
            "one epoch without progress": start + worse(1),
            "one epoch short of the patience": start + worse(patience - 1),
            "the patience is over": start + worse(patience),
            "worse than the best, though falling again": start + sorted(dip, reverse=True),
            "a bad spell, then nearly as good as the best": start + spell + worse(patience),
            "equal errors are no progress": [*start, *[best] * patience],
            "a new best after a pause": [*start, *worse(patience - 1), best - 0.01],
            "too few epochs to tell": [best + 0.001 * k for k in range(patience)],
            "one epoch": [best],
            "the first epoch is the best": [best, *worse(patience)],
            "one epoch more than the patience": start + worse(patience + 1),
            "a tiny bit better": [*start, *worse(patience - 1), best - 1e-6],
        },
    }


def reduce_on_plateau_cases(rng: Rng) -> list[Case]:
    return [
        _plateau_case(rng, {}),
        _plateau_case(rng, {"factor": 0.2, "patience": 5}),
    ]


def reduce_on_plateau_family(on: Switches) -> Callable[..., Any]:
    def reduce_on_plateau(
        rate: float, val_errors: Any, *, factor: float = 0.5, patience: int = 3
    ) -> Any:
        if "fixed" in on:
            factor, patience = 0.5, 3
        errors = [-e for e in val_errors] if "accuracies" in on else list(val_errors)
        if "one-more" in on:
            patience = patience + 1
        if "one-less" in on:
            patience = patience - 1
        before, latest = errors[:-patience], errors[-patience:]
        if "any-rise" in on:
            waited = len(errors) > 1 and errors[-1] >= errors[-2]
        elif "last-against-then" in on:
            waited = len(before) > 0 and latest[-1] >= before[-1]
        elif "only-last" in on:
            waited = len(errors) > 1 and errors[-1] >= min(errors[:-1])
        elif "means" in on:
            waited = len(before) > 0 and np.mean(latest) >= np.mean(before)
        elif "exactly" in on:
            since = len(errors) - 1 - int(np.argmin(errors))
            waited = since > 0 and since % patience == 0
        elif "short-history" in on and not before:
            waited = min(latest) >= errors[0]
        elif "rising-run" in on:
            steps = zip(errors[-patience - 1 : -1], latest, strict=False)
            waited = len(before) > 0 and all(b >= a for a, b in steps)
        else:
            enough = min(before, default=np.inf) - (1e-4 if "threshold" in on else 0.0)
            waited = len(before) > 0 and (
                min(latest) > enough if "ties-are-progress" in on else min(latest) >= enough
            )
        if not waited:
            return rate
        if "complement" in on:
            return rate * (1 - factor)
        return rate - factor * rate / 10 if "subtracted" in on else rate * factor

    return reduce_on_plateau


def plateau_since_best(
    rate: float, val_errors: Any, *, factor: float = 0.5, patience: int = 3
) -> Any:
    """Counts the epochs since the first best one."""
    waited = len(val_errors) - 1 - int(np.argmin(val_errors))
    return rate * factor if waited >= patience else rate


add(
    Entry(
        question="reduce_on_plateau",
        reference=reference.reduce_on_plateau,
        cases=reduce_on_plateau_cases,
        family=reduce_on_plateau_family,
        mistakes=(
            Mistake(
                "one-more",
                "It looks as if you wait one epoch too long.",
                "`patience` epochs without progress are enough.",
            ),
            Mistake(
                "one-less",
                "It looks as if you lose patience one epoch early.",
                "Wait for `patience` whole epochs without progress.",
            ),
            Mistake(
                "any-rise",
                "It looks as if a single rise of the error is enough.",
                "Errors wiggle: only `patience` epochs without a new best count.",
            ),
            Mistake(
                "only-last",
                "It looks as if only the last error is looked at.",
                "Compare the best of the last `patience` errors with the best before them.",
            ),
            Mistake(
                "last-against-then",
                "It looks as if the last error is compared with the one `patience` epochs ago.",
                "Compare the best of the last `patience` errors with the best before them.",
            ),
            Mistake(
                "rising-run",
                "It looks as if the error has to rise in every one of the last epochs.",
                "It is a plateau as soon as nothing gets better than the best before.",
            ),
            Mistake(
                "means",
                "It looks as if means are compared.",
                "Compare the smallest of the last `patience` errors with the smallest before them.",
            ),
            Mistake(
                "exactly",
                "It looks as if the rate falls only when exactly `patience` epochs have passed "
                "since the best.",
                "After that it falls on, until there is a new best: at least `patience` epochs.",
            ),
            Mistake(
                "threshold",
                "It looks as if a tiny improvement doesn't count.",
                "Any smaller error is progress here, however little.",
            ),
            Mistake(
                "ties-are-progress",
                "It looks as if an equal error counts as progress.",
                "Only a smaller error is progress.",
            ),
            Mistake(
                "short-history",
                "It looks as if the rate falls before there are epochs to compare with.",
                'With no more than `patience` epochs there is no "before": keep the rate.',
            ),
            Mistake(
                "accuracies",
                "It looks as if larger errors are taken for better ones.",
                "These are errors: smaller is better.",
            ),
            Mistake(
                "complement",
                "It looks as if the rate is multiplied by 1 − factor.",
                "factor is what is left: 0.2 means a fifth.",
            ),
            Mistake(
                "fixed",
                "It looks as if factor and patience are always 0.5 and 3.",
                "Use the arguments; those numbers are only what they are when left out.",
            ),
        ),
        variants={"counted since the best": plateau_since_best},
    )
)


def warmup_cosine_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": f"{num_steps} steps, {warmup_steps} of them to warm up",
            "rate0": _rate0(rng),
            "num_steps": num_steps,
            "warmup_steps": warmup_steps,
            "steps": steps,
        }
        for num_steps, warmup_steps, steps in (
            (100, 10, [0, 4, 9, 10, 30, 55, 99]),
            (64, 0, [0, 1, 32, 63]),
            (50, 20, [0, 19, 20, 35, 49]),
        )
    ]


def warmup_cosine_family(on: Switches) -> Callable[..., Any]:
    def warmup_cosine(rate0: float, step: int, num_steps: int, *, warmup_steps: int) -> Any:
        warm = 0 if "no-warmup" in on else warmup_steps
        if step < warm:
            return rate0 * (step if "starts-at-zero" in on else step + 1) / warm
        first = 0 if "cosine-from-start" in on else warm
        last = num_steps + warm if "too-long" in on else num_steps
        done = (step - first) / (last - first)
        if "linear" in on:
            return rate0 * (1 - done)
        if "quarter" in on:
            return rate0 * np.cos(np.pi / 2 * done)
        if "whole-wave" in on:
            return rate0 * 0.5 * (1 + np.cos(2 * np.pi * done))
        if "not-shifted" in on:
            return rate0 * np.cos(np.pi * done)
        if "not-halved" in on:
            return rate0 * (1 + np.cos(np.pi * done))
        if "rises" in on:
            return rate0 * 0.5 * (1 - np.cos(np.pi * done))
        return rate0 * 0.5 * (1 + np.cos(np.pi * done))

    return warmup_cosine


add(
    Entry(
        question="warmup_cosine",
        reference=reference.warmup_cosine,
        cases=warmup_cosine_cases,
        family=warmup_cosine_family,
        mistakes=(
            Mistake(
                "no-warmup",
                "It looks as if there is no warm-up.",
                "At first the rate rises, step by step: rate0 · (step + 1) / warmup_steps.",
            ),
            Mistake(
                "starts-at-zero",
                "It looks as if the rate of step 0 is 0.",
                "A step at rate 0 is wasted: use (step + 1) / warmup_steps.",
            ),
            Mistake(
                "cosine-from-start",
                "It looks as if the cosine begins at step 0, under the warm-up.",
                "It begins where the warm-up ends, at rate0.",
            ),
            Mistake(
                "too-long",
                "It looks as if the cosine takes num_steps steps after the warm-up.",
                "num_steps counts the warm-up too: num_steps − warmup_steps are left.",
            ),
            Mistake(
                "linear",
                "It looks as if the rate falls along a straight line.",
                "Use half a cosine: 0.5 · (1 + cos(π · share)).",
            ),
            Mistake(
                "quarter",
                "It looks as if a quarter of a wave is used.",
                "Half a wave: 0.5 · (1 + cos(π · share)).",
            ),
            Mistake(
                "whole-wave",
                "It looks as if a whole wave is used, so that the rate comes back.",
                "Half a wave: the angle ends at π.",
            ),
            Mistake(
                "not-shifted",
                "It looks as if the cosine itself is used, which turns negative.",
                "Shift it up and halve it: 0.5 · (1 + cos(π · share)).",
            ),
            Mistake(
                "not-halved",
                "It looks as if the cosine part is twice as high.",
                "It has to start at rate0: 0.5 · (1 + cos(π · share)).",
            ),
            Mistake(
                "rises",
                "It looks as if the rate rises to the end.",
                "The cosine has a plus before it: 1 + cos.",
            ),
        ),
    )
)


def range_test_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for about, lowest, nan_above, num_steps, low, high in (
        ("a bowl", 0.0, None, 25, 1e-3, 10.0),
        # From the start to four times the smallest loss there is no room before a NaN: nothing
        # but a test for NaN stops there.
        ("a bowl, in which losses above 40 are NaN", 12.0, 40.0, 30, 3e-4, 100.0),
        ("a bowl, and rates that stay small", 0.1, None, 12, 2e-3, 0.05),
    ):
        cases.append(
            {
                "about": about,
                "curvature": rng.uniform([1.0, 4.0, 0.2], [2.0, 8.0, 0.4]),
                "w": rng.uniform(1.0, 2.0, 3) * _signs(rng, (3,)),
                "lowest": lowest,
                "nan_above": nan_above,
                "low": low,
                "high": high,
                "num_steps": num_steps,
            }
        )
    nan = float("nan")
    return [
        *cases,
        # The smallest is half the first: 2 is exactly four times that, and 2.01 is more.
        _given_losses(
            rng,
            "a loss of just four times the smallest, then one of more",
            [1.0, 0.5, 1.2, 1.9, 1.99, 2.0, 2.01, 2.2, 4.5, 0.8],
        ),
        _given_losses(rng, "a first loss of NaN", [nan, 1.0, 0.5]),
    ]


def _given_losses(rng: Rng, about: str, losses: list[float]) -> Case:
    """A walk down a slope on which these losses are met, times a power of two."""
    return {
        "about": about,
        "losses": np.array(losses) * 2.0 ** int(rng.integers(-2, 3)),
        "w": rng.normal(size=2),
        "gradient": rng.uniform(0.5, 2.0, 2) * _signs(rng, (2,)),
        "low": float(rng.uniform(0.01, 0.02)),
        "high": float(rng.uniform(1.0, 2.0)),
        "num_steps": len(losses),
    }


def range_test_family(on: Switches) -> Callable[..., Any]:
    def range_test(loss_and_grad: Any, w: Any, *, low: float, high: float, num_steps: int) -> Any:
        space = np.linspace if "linear" in on else np.geomspace
        grid = space(low, high, num_steps)
        if "end-missing" in on:
            grid = space(low, high, num_steps + 1)[:-1]
        rates: list[float] = []
        losses: list[Any] = []
        start = w.copy()
        for rate in grid:
            loss, grad = loss_and_grad(start if "not-moved" in on else w)
            if losses:
                best = min(losses)
                best = losses[0] if "first" in on else losses[-1] if "previous" in on else best
                too_high = loss >= 4 * best if "ties-stop" in on else loss > 4 * best
            else:
                too_high = False
            is_nan = loss != loss and "nan" not in on and (losses or "first-nan" not in on)
            if "no-stop" not in on and (too_high or is_nan):
                if "last-kept" in on:
                    rates.append(rate)
                    losses.append(loss)
                break
            w = (start if "restarts" in on else w) - rate * grad
            if "after" in on:
                loss = loss_and_grad(w)[0]
            rates.append(rate)
            losses.append(loss)
        return np.array(rates), np.array(losses)

    return range_test


add(
    Entry(
        question="range_test",
        reference=reference.range_test,
        cases=range_test_cases,
        family=range_test_family,
        mistakes=(
            Mistake(
                "linear",
                "It looks as if the rates are evenly spaced.",
                "Rates work by factors: space them geometrically, with np.geomspace.",
            ),
            Mistake(
                "no-stop",
                "It looks as if the test goes on after the loss has exploded.",
                "Stop at a loss above 4 times the smallest so far, or at NaN.",
            ),
            Mistake(
                "nan",
                "It looks as if a NaN doesn't stop the test.",
                "`loss > limit` is False for NaN. Ask `not loss <= limit`, or np.isnan.",
            ),
            Mistake(
                "last-kept",
                "It looks as if the loss that ended the test is still recorded.",
                "Stop before you record it.",
            ),
            Mistake(
                "first",
                "It looks as if the loss is compared with the first one.",
                "Compare it with the smallest so far: the rate may be too high long before.",
            ),
            Mistake(
                "previous",
                "It looks as if the loss is compared with the one before it.",
                "Compare it with the smallest so far: a loss may explode little by little.",
            ),
            Mistake(
                "ties-stop",
                "It looks as if a loss of just 4 times the smallest ends the test.",
                "Stop when it is *more* than that.",
            ),
            Mistake(
                "first-nan",
                "It looks as if the very first loss is recorded also when it is NaN.",
                "NaN ends the test wherever it comes: two empty arrays then.",
            ),
            Mistake(
                "after",
                "It looks as if each rate is paired with the loss after its step.",
                "Record the loss that you were given, then move.",
            ),
            Mistake(
                "not-moved",
                "It looks as if the loss is always measured at the start.",
                "Take the step, and measure at the new w.",
            ),
            Mistake(
                "restarts",
                "It looks as if every step starts from the first w.",
                "One walk with growing rates: go on from where you are.",
            ),
            Mistake(
                "end-missing",
                "It looks as if `high` isn't among the rates.",
                "Both ends belong to the num_steps rates.",
            ),
        ),
    )
)

# ---- second order, and clipping ------------------------------------------------------------------


def newton_step_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for about, curvature in (
        ("a bowl of three parameters", rng.uniform([0.5, 3.0, 20.0], [1.0, 6.0, 40.0])),
        ("a saddle of two parameters", np.array([1.0, -1.0]) * rng.uniform(0.5, 2.0, 2)),
        ("a ravine of four parameters", rng.uniform([0.01, 1, 2, 50], [0.02, 2, 4, 90])),
    ):
        size = len(curvature)
        turn, _ = np.linalg.qr(rng.normal(size=(size, size)))
        hessian = turn @ np.diag(curvature) @ turn.T
        x = rng.normal(size=size)
        cases.append(
            {
                "about": about,
                "x": x,
                "gradient": hessian @ (x - rng.normal(size=size)),
                "hessian": (hessian + hessian.T) / 2,
            }
        )
    return cases


def newton_step_family(on: Switches) -> Callable[..., Any]:
    def newton_step(x: Any, gradient: Any, hessian: Any) -> Any:
        if "absolute" in on:
            values, vectors = np.linalg.eigh(hessian)
            hessian = vectors @ np.diag(np.abs(values)) @ vectors.T
        if "diagonal" in on:
            step = gradient / np.diag(hessian)
        elif "not-inverted" in on:
            step = hessian @ gradient
        elif "elementwise" in on:
            step = (gradient / hessian).sum(axis=1)
        elif "gradient-only" in on:
            step = gradient
        else:
            step = np.linalg.solve(hessian, gradient)
        if "halved" in on:
            step = step / 2
        if "step-returned" in on:
            return -step
        return x + step if "uphill" in on else x - step

    return newton_step


def newton_inverse(x: Any, gradient: Any, hessian: Any) -> Any:
    """By the inverse: right, if slower and less exact."""
    return x - np.linalg.inv(hessian).dot(gradient)


add(
    Entry(
        question="newton_step",
        reference=reference.newton_step,
        cases=newton_step_cases,
        family=newton_step_family,
        mistakes=(
            Mistake(
                "not-inverted",
                "It looks as if the gradient is multiplied by the Hessian.",
                "By its inverse: np.linalg.solve(hessian, gradient).",
            ),
            Mistake(
                "diagonal",
                "It looks as if only the diagonal of the Hessian is used.",
                "The parameters are coupled: solve the whole linear system.",
            ),
            Mistake(
                "elementwise",
                "It looks as if the division is element by element.",
                "H⁻¹g solves a linear system: np.linalg.solve(hessian, gradient).",
            ),
            Mistake(
                "gradient-only",
                "It looks as if the Hessian isn't used.",
                "That is a gradient step with a rate of 1. Solve with the Hessian first.",
            ),
            Mistake(
                "uphill",
                "It looks as if the step is added.",
                "Subtract it: x − H⁻¹g.",
            ),
            Mistake(
                "halved",
                "It looks as if the step is halved.",
                "The ½ of Taylor's formula has gone with the derivative: the whole step.",
            ),
            Mistake(
                "absolute",
                "It looks as if negative curvature is turned round.",
                "A good idea against saddles, but not Newton's step: use the Hessian as it is.",
            ),
            Mistake(
                "step-returned",
                "It looks as if the step comes back, not x after it.",
                "Return x − H⁻¹g.",
            ),
        ),
        variants={"with the inverse": newton_inverse},
    )
)


def clip_by_global_norm_cases(rng: Rng) -> list[Case]:
    def grads(size: float) -> dict[str, Array]:
        made = {
            "W1": rng.normal(size=(3, 2)),
            "b1": rng.normal(size=2),
            "W2": rng.normal(size=(2, 4)),
        }
        made["b1"][0] = 0.0
        norm = float(np.sqrt(sum(np.sum(g**2) for g in made.values())))
        return {name: g * size / norm for name, g in made.items()}

    def case(about: str, grads: dict[str, Array], max_norm: float) -> Case:
        return {"about": about, "grads": grads, "max_norm": max_norm}

    zeros = {name: np.zeros_like(g) for name, g in grads(1.0).items()}
    return [
        case("a norm of 20 above a limit of 2", grads(20.0), 2.0),
        case("a norm of 6 below a limit of 7", grads(6.0), 7.0),
        case("gradients that are all zero", zeros, 2.0),
        # Every array alone is below the limit; together they are above it.
        case("a norm just above a limit of 7", grads(7.28), 7.0),
        case("a norm of 3 above a limit of 0.3", grads(3.0), 0.3),
    ]


def clip_family(on: Switches) -> Callable[..., Any]:
    def clip_by_global_norm(grads: Any, max_norm: float) -> Any:
        if "elementwise" in on:
            return {name: np.clip(g, -max_norm, max_norm) for name, g in grads.items()}
        max_norm = 5.0 if "fixed" in on else max_norm
        norms = {name: float(np.sqrt(np.sum(g**2))) for name, g in grads.items()}
        whole = float(np.sqrt(sum(n**2 for n in norms.values())))
        if "squared" in on:
            whole = whole**2
        if "norms-added" in on:
            whole = sum(norms.values())
        if "largest" in on:
            whole = max(norms.values())
        if "l1" in on:
            whole = float(sum(np.abs(g).sum() for g in grads.values()))
        if "mean" in on:
            whole = whole / np.sqrt(sum(g.size for g in grads.values()))

        def factor(norm: float) -> Any:
            ratio = np.divide(max_norm, norm)
            if "always" in on:
                return ratio
            if "to-one" in on:
                ratio = np.divide(1.0, norm)
            return ratio if norm > max_norm else 1.0

        return {
            name: g * factor(norms[name] if "each-alone" in on else whole)
            for name, g in grads.items()
        }

    return clip_by_global_norm


def clip_in_place(grads: Any, max_norm: float) -> Any:
    """In place, with a tiny number against 0/0."""
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads.values()]))
    for g in grads.values():
        g *= min(1.0, max_norm / (norm + 1e-6))
    return grads


add(
    Entry(
        question="clip_by_global_norm",
        reference=reference.clip_by_global_norm,
        cases=clip_by_global_norm_cases,
        family=clip_family,
        mistakes=(
            Mistake(
                "each-alone",
                "It looks as if each array is clipped by its own norm.",
                "One norm over all arrays, one factor for all: the direction stays.",
            ),
            Mistake(
                "elementwise",
                "It looks as if each element is cut off at the limit.",
                "That bends the direction. Multiply everything by one factor.",
            ),
            Mistake(
                "always",
                "It looks as if small gradients are scaled up to the limit.",
                "Only shrink: leave gradients within the limit alone.",
            ),
            Mistake(
                "squared",
                "It looks as if the root of the sum of squares is missing.",
                "The norm is the root of the sum of all squares.",
            ),
            Mistake(
                "norms-added",
                "It looks as if the norms of the arrays are added up.",
                "Add their squares, then take one root.",
            ),
            Mistake(
                "largest",
                "It looks as if the largest of the arrays' norms is taken.",
                "Add the squares of all arrays, then take one root.",
            ),
            Mistake(
                "l1",
                "It looks as if absolute values are added up.",
                "Use the L2 norm: the root of the sum of squares.",
            ),
            Mistake(
                "mean",
                "It looks as if the norm is divided by the number of elements.",
                "Use the root of the *sum* of squares, not of their mean.",
            ),
            Mistake(
                "to-one",
                "It looks as if large gradients are scaled to a norm of 1.",
                "Scale them to max_norm: multiply by max_norm / norm.",
            ),
            Mistake(
                "fixed",
                "It looks as if the limit is always 5.",
                "Use the argument `max_norm`.",
            ),
        ),
        variants={"in place": clip_in_place},
    )
)

# ---- testing a rule ------------------------------------------------------------------------------


def unit_test_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for factors in ([1.0], [1.0] * 4 + [3.0], [1.0] * 6 + [0.0]):
        curvature = rng.uniform([0.5, 2.0], [0.9, 3.0])
        # A first loss well above 1, so that a last loss judged by itself is seen.
        w = rng.uniform(4.0, 8.0, 2) * np.array([1.0, 0.3]) * _signs(rng, (2,))
        close = [_rate_that_leaves(share, curvature, w, 12) for share in (0.49, 0.0098)]
        rates = [0.004, 0.08, *close, 1.02 * 2 / float(curvature[1]), 1.5, 2.5, 1e200]
        cases.append(
            {
                "about": "a bowl of two parameters, eight rates",
                "curvature": curvature,
                "w": w,
                "rates": rates,
                "num_steps": 12,
                "factors": factors,
                "outcome": "outcome at a rate of",
                "counted": False,
            }
        )
    # At half of 1 / curvature a step halves w, one of factor −2 doubles it, one of 0 does nothing.
    return [
        *cases,
        _course_of(rng, "that solves the bowl and then leaves", [1.0] * 6 + [-2.0] * 4),
        _course_of(rng, "that rises first and then solves the bowl", [-2.0] * 3 + [1.0] * 10),
        _course_of(rng, "that stands still", [0.0] * 8),
    ]


def _course_of(rng: Rng, what: str, factors: list[float]) -> Case:
    """A round bowl, and one run of a rule with these factors."""
    curvature = float(rng.uniform(0.5, 2.0))
    return {
        "about": f"a rule {what}",
        "curvature": np.full(2, curvature),
        "w": rng.uniform(4.0, 8.0, 2) * _signs(rng, (2,)),
        "rates": [0.5 / curvature],
        "num_steps": len(factors),
        # A step too many would bring w back to the minimum.
        "factors": [*factors, 2.0],
        "outcome": f"outcome of a rule {what}, at a rate of",
        "counted": True,
    }


def _rate_that_leaves(share: float, curvature: Array, w: Array, num_steps: int) -> float:
    """The rate at which plain gradient descent leaves that share of a bowl's loss."""
    low, high = 0.0, 1 / float(curvature.max())
    for _ in range(60):
        rate = (low + high) / 2
        losses = curvature * w**2
        left = float(np.sum(losses * (1 - rate * curvature) ** (2 * num_steps)) / np.sum(losses))
        low, high = (rate, high) if left > share else (low, rate)
    return high


def unit_test_family(on: Switches) -> Callable[..., Any]:
    def unit_test(
        rule: Any, loss: Any, gradient: Any, w: Any, *, learning_rate: float, num_steps: int
    ) -> Any:
        first, best, state = loss(w), loss(w), None
        start, stale = w, gradient(w)
        for _ in range(num_steps - ("one-less" in on) + ("one-more" in on)):
            dw = stale if "stale-gradient" in on else gradient(w)
            if "rule-ignored" in on:
                w = w - learning_rate * dw
            else:
                w, state = rule(w, dw, state, learning_rate=learning_rate)
            state = None if "state-lost" in on else state
            best = np.fmin(best, loss(w))
            if "on-the-way" in on and not loss(w) <= first:
                return "diverged"
            if "stops-when-solved" in on and loss(w) <= 0.01 * first:
                return "solved"
        last = best if "best-not-last" in on else loss(w)
        left = last if "absolute" in on else last / first
        if "distance" in on:
            left = np.sum(w**2) / np.sum(start**2)
        if "nan-passes" in on:
            if left > 1:
                return "diverged"
        elif not (left < 1 if "still-is-diverged" in on else left <= 1):
            return "diverged"
        middle, low = (0.1, 1e-4) if "other-limits" in on else (0.5, 0.01)
        if left > middle:
            return "stalled"
        return "slow" if left > low else "solved"

    return unit_test


add(
    Entry(
        question="unit_test",
        reference=reference.unit_test,
        cases=unit_test_cases,
        family=unit_test_family,
        mistakes=(
            Mistake(
                "state-lost",
                "It looks as if the rule gets an empty state in every step.",
                "Hand the state that the rule returned to the next call.",
            ),
            Mistake(
                "stale-gradient",
                "It looks as if every step uses the first gradient.",
                "Ask for the gradient anew at each w.",
            ),
            Mistake(
                "nan-passes",
                "It looks as if a loss that is NaN counts as solved.",
                "Every comparison with NaN is False. Ask `not left <= 1` for divergence.",
            ),
            Mistake(
                "best-not-last",
                "It looks as if the best loss on the way is judged.",
                "Judge the last one: a rule that finds the valley and leaves it hasn't solved it.",
            ),
            Mistake(
                "absolute",
                "It looks as if the last loss is judged by itself.",
                "Divide it by the first one: how much is left?",
            ),
            Mistake(
                "other-limits",
                "It looks as if the limits are other ones.",
                "More than half left is stalled, more than a hundredth is slow.",
            ),
            Mistake(
                "one-less",
                "It looks as if one step is missing.",
                "Take exactly num_steps steps.",
            ),
            Mistake(
                "one-more",
                "It looks as if there is one step too many.",
                "Take exactly num_steps steps.",
            ),
            Mistake(
                "rule-ignored",
                "It looks as if the rule that is handed in isn't called.",
                "Let it take the steps: w, state = rule(w, gradient(w), state, learning_rate=…).",
            ),
            Mistake(
                "on-the-way",
                "It looks as if a rule has diverged as soon as one loss on the way is above the "
                "first.",
                "Judge the last loss: a rule may climb before it finds its way down.",
            ),
            Mistake(
                "stops-when-solved",
                "It looks as if the test ends as soon as a hundredth is left.",
                "Take all steps: a rule may find the valley and leave it again.",
            ),
            Mistake(
                "still-is-diverged",
                "It looks as if a last loss that equals the first counts as diverged.",
                "Diverged is *more* than all of it: a rule that stands still has stalled.",
            ),
            Mistake(
                "distance",
                "It looks as if the length of w is judged, not the loss.",
                "Divide the last loss by the first.",
            ),
        ),
    )
)


def choose_rule_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": "300 steps on each landscape, without noise and with a little",
            "levels": [0.0, 0.01],
            "noise": rng.standard_normal((300, 2)),
        }
    ]


def choose_rule_family(on: Switches) -> Callable[..., Any]:
    def choose_rule(landscape: str) -> Any:
        rule, rate = reference.choose_rule(landscape)
        if "sgd-everywhere" in on:
            rule, rate = reference.sgd, 0.01
        if "rate-of-one" in on:
            rate = 1.0
        if "tiny-rate" in on:
            rate = 1e-6
        if "sgd-at-a-tenth" in on:
            rule, rate = reference.sgd, 0.1
        if "no-root-everywhere" in on:
            rule, rate = reference.adagrad_without_root, 0.1
        if "uphill" in on:
            rate = -rate
        if "name-returned" in on:
            return rule.__name__, rate
        if "called" in on:
            return rule(np.ones(2), np.ones(2), learning_rate=rate), rate
        return (rate, rule) if "exchanged" in on else (rule, rate)

    return choose_rule


def choose_other(landscape: str) -> Any:
    """Adagrad with one rate for all."""
    return reference.adagrad, 0.25, "one for all"


add(
    Entry(
        question="choose_rule",
        reference=reference.choose_rule,
        cases=choose_rule_cases,
        family=choose_rule_family,
        mistakes=(
            Mistake(
                "sgd-everywhere",
                "It looks as if one rule at one small rate runs everywhere, its steps as small as "
                "the gradient.",
                "On the plateau gradients are tiny: take a rule that rescales, or a larger rate.",
            ),
            Mistake(
                "rate-of-one",
                "It looks as if the rate is about 1 everywhere.",
                "Steep landscapes throw such steps out: try 0.1, 0.03, 0.01.",
            ),
            Mistake(
                "tiny-rate",
                "It looks as if the rate is so small that nothing moves.",
                "300 steps have to be enough: try 0.1, 0.03, 0.01.",
            ),
            Mistake(
                "no-root-everywhere",
                "It looks as if Adagrad without its root runs everywhere.",
                "Without the root small gradients make huge steps and large ones tiny steps.",
            ),
            Mistake(
                "uphill",
                "It looks as if the rule goes uphill.",
                "The learning rate is positive; check the rule's own sign.",
            ),
            Mistake(
                "exchanged",
                "It looks as if rule and rate have changed places.",
                "Return the rule first, then its learning rate.",
            ),
            Mistake(
                "name-returned",
                "It looks as if the rule's name comes back, in quotes.",
                'Return the function itself: sgd, not "sgd".',
            ),
            Mistake(
                "called",
                "It looks as if the rule is called, and what it returned comes back.",
                "Return the function itself, without brackets: sgd, not sgd(…).",
            ),
            Mistake(
                "sgd-at-a-tenth",
                "It looks as if plain SGD runs everywhere, at a rate of about 0.1.",
                "Steep landscapes throw such steps out, and on a plateau they lead nowhere: choose "
                "landscape by landscape.",
            ),
        ),
        variants={"one rule for all": choose_other},
    )
)
