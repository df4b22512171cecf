"""What the questions about update rules share: cases, and mistakes that every rule can have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from descent_autograder.questions.entry import Case, Mistake, Rng
from descent_autograder.questions.written import sentences, written

Array = npt.NDArray[Any]
Rule = Callable[..., Any]

# ---- cases ---------------------------------------------------------------------------------------


def uneven(rng: Rng) -> Case:
    """Gradients of all sizes, an element that never has one, a constant column, rates changed."""
    scale = np.array([[1e-3, 1.0], [300.0, 0.0], [1e-6, 2.0]])
    gradients = [scale * rng.uniform(0.5, 2.0, (3, 2)) * signs(rng, (3, 2)) for _ in range(6)]
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


def signs(rng: Rng, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.choice([-1.0, 1.0], shape))


def bowl(rng: Rng, settings: Mapping[str, float]) -> Case:
    """A small quadratic bowl: the gradient depends on where the rule has gone."""
    said = ", ".join(f"{name} = {value:g}" for name, value in settings.items())
    return {
        "about": "a bowl of four parameters" + (f", {said}" if said else ""),
        "kind": "given",
        "w": rng.uniform(0.5, 1.5, 4) * signs(rng, (4,)),
        "curvature": rng.uniform([0.2, 0.5, 1.0, 2.0], [0.4, 1.0, 2.0, 4.0]),
        "centre": rng.normal(size=4),
        "rates": [0.15] * 4 + [0.05] * 4,
        "settings": dict(settings),
        "look": [2, 8],
        "again": False,
    }


def constant(rng: Rng, settings: Mapping[str, float], num_steps: int, look: list[int]) -> Case:
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


def in_turn(rng: Rng) -> Case:
    """Two parameters of one shape, and a memory for each: not one for both."""
    shape, num_steps = (2, 2), 3
    return {
        "about": "two parameters of one shape, a step of each in turn",
        "kind": "in turn",
        "w": [rng.normal(size=shape) for _ in range(2)],
        "gradients": [
            [rng.uniform(0.5, 2.0, shape) * signs(rng, shape) for _ in range(num_steps)]
            for _ in range(2)
        ],
        # Where gradients don't depend on the place, looking ahead would make no difference.
        "curvature": rng.uniform(0.5, 2.0, shape),
        "rates": [0.1, 0.1, 0.05],
        "settings": {},
    }


def stability(rng: Rng, mu: float | None) -> Case:
    curvature = float(rng.uniform(2.0, 6.0))
    return {
        "about": f"a bowl of curvature {curvature:.3g}, just below and above the limit",
        "kind": "stability",
        "curvature": curvature,
        "limit": 2 * (1 + (mu or 0.0)) / curvature,
        "settings": {} if mu is None else {"mu": mu},
        "num_steps": 60,
    }


# ---- mistakes of every rule ----------------------------------------------------------------------

OF_EVERY_RULE = sentences("""
    uphill:
        It looks as if the step goes uphill.
        Try: The gradient points up: subtract learning_rate times it.
    rate-forgotten:
        It looks as if the learning rate isn't used.
        Try: The step is learning_rate times what the rule makes of the gradient.
    rate-twice:
        It looks as if the learning rate enters twice.
        Try: Multiply by learning_rate in one place only.
    step-returned:
        It looks as if the step comes back, not the parameter after it.
        Try: Return w plus the step as the first value.
""")

_LEFT_OUT: Any = object()


def _remembers_everything(rule: Rule) -> Rule:
    """The rule with its memory in a global."""
    memory: Any = None

    def remembering(w: Any, dw: Any, state: Any = None, **named: Any) -> Any:
        nonlocal memory
        moved, memory = rule(w, dw, state if state is None else memory, **named)
        return moved, memory

    return remembering


def _remembers_by_default(rule: Rule) -> Rule:
    """The rule with its memory in the default of `state`."""
    memory: Any = None

    def remembering(w: Any, dw: Any, state: Any = _LEFT_OUT, **named: Any) -> Any:
        nonlocal memory
        if state is not _LEFT_OUT:
            return rule(w, dw, state, **named)
        moved, memory = rule(w, dw, memory, **named)
        return moved, memory

    return remembering


MEMORY = written(
    """
    state-lost: if state is None else  →  if True else
        It looks as if every step starts with an empty memory.
        Try: Read the old values from `state`, and return the new ones as the second value.
    shared-memory:
        It looks as if the memory lives outside `state`. Try: A rule serves many parameters in turn.
        Keep each one's memory in the state that you return for it, and nowhere else.
    shared-default:
        It looks as if the default of `state` is changed in place: it lives as long as the function.
        Try: Leave it `state=None`, and make a fresh memory where it is None.
    """,
    wrap={"shared-memory": _remembers_everything, "shared-default": _remembers_by_default},
)


def step_mistakes(direction: str) -> tuple[Mistake, ...]:
    """What goes wrong where w moves by −learning_rate · `direction`."""
    return written(
        f"""
        uphill: w - learning_rate * {direction}  →  w + learning_rate * {direction}
        rate-forgotten: learning_rate * {direction}  →  1.0 * {direction}
        rate-twice: learning_rate * {direction}  →  learning_rate**2 * {direction}
        """,
        said=OF_EVERY_RULE,
    )
