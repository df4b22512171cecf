"""Reference solutions of unit 6: update rules, learning-rate schedules and how to test a rule.

Every rule takes a parameter `w`, its gradient `dw` (both of one shape) and the `state` that it
returned last (None at first), and returns the next `w` and its new state. Nothing is changed in
place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
State = Any
Rule = Callable[..., tuple[Array, State]]
Step = tuple[Array, State]

# ---- rules with one rate for all -----------------------------------------------------------------


def sgd(w: Array, dw: Array, state: State = None, *, learning_rate: float) -> Step:
    """Step against the gradient: w − η·g. Keeps no state."""
    return w - learning_rate * dw, state


def momentum(
    w: Array, dw: Array, state: State = None, *, learning_rate: float, mu: float = 0.9
) -> Step:
    """Momentum with the rate inside the velocity: v ← μv − ηg, w ← w + v (Polyak 1964)."""
    v = 0.0 if state is None else state["v"]
    v = mu * v - learning_rate * dw
    return w + v, {"v": v}


def nesterov_lookahead(
    w: Array,
    gradient: Callable[[Array], Array],
    state: State = None,
    *,
    learning_rate: float,
    mu: float = 0.9,
) -> Step:
    """Momentum with the gradient taken where the velocity is about to lead (Nesterov 1983).

    `gradient` is a function; it is called once, at w + μv.
    """
    v = 0.0 if state is None else state["v"]
    v = mu * v - learning_rate * gradient(w + mu * v)
    return w + v, {"v": v}


def nesterov(
    w: Array, dw: Array, state: State = None, *, learning_rate: float, mu: float = 0.9
) -> Step:
    """Nesterov's rule for a stored look-ahead point `w`, where `dw` was taken.

    v' = μv − ηg, w ← w − μv + (1 + μ)v' (Sutskever et al. 2013; Bengio et al. 2013).
    """
    v = 0.0 if state is None else state["v"]
    v_next = mu * v - learning_rate * dw
    return w - mu * v + (1 + mu) * v_next, {"v": v_next}


def largest_stable_rate(hessian: Array, *, mu: float = 0.0) -> float:
    """Rate above which gradient descent with momentum `mu` diverges on a quadratic bowl.

    2(1 + μ)/λ for the largest eigenvalue λ of the symmetric (D, D) `hessian`.
    """
    return float(2 * (1 + mu) / np.linalg.eigvalsh(hessian).max())


def escape_steps(
    gradient: Callable[[Array], Array],
    w: Array,
    noise: Array,
    *,
    learning_rate: float,
    radius: float,
) -> int:
    """Steps that noisy gradient descent takes to get further than `radius` from the origin.

    Row i of `noise` (num_steps, D) is added to the gradient in step i; when the rows run out
    before `w` (D,) is out, the answer is their number.
    """
    for steps, disturbance in enumerate(noise):
        if np.linalg.norm(w) > radius:
            return steps
        w = w - learning_rate * (gradient(w) + disturbance)
    return len(noise)


# ---- schedules -----------------------------------------------------------------------------------


def momentum_schedule(
    epoch: int, num_epochs: int, *, start: float = 0.5, end: float = 0.99
) -> float:
    """Momentum that grows linearly, from `start` at epoch 0 to `end` at epoch `num_epochs`."""
    return start + (end - start) * epoch / num_epochs


def step_decay(rate0: float, epoch: int, *, factor: float = 0.5, every: int = 5) -> float:
    """`rate0`, multiplied by `factor` once for every `every` full epochs."""
    return rate0 * factor ** (epoch // every)


def exponential_decay(rate0: float, epoch: int, *, decay: float) -> float:
    """rate0 · exp(−decay · epoch)."""
    return float(rate0 * np.exp(-decay * epoch))


def inverse_time_decay(rate0: float, epoch: int, *, decay: float) -> float:
    """rate0 / (1 + decay · epoch)."""
    return rate0 / (1 + decay * epoch)


def reduce_on_plateau(
    rate: float, val_errors: Sequence[float], *, factor: float = 0.5, patience: int = 3
) -> float:
    """`rate`, times `factor` when none of the last `patience` errors beats the best before them.

    `val_errors` are the validation errors of all epochs so far; an equal error is no better.
    """
    before, latest = val_errors[:-patience], val_errors[-patience:]
    if len(before) == 0 or min(latest) < min(before):
        return rate
    return rate * factor


def warmup_cosine(rate0: float, step: int, num_steps: int, *, warmup_steps: int) -> float:
    """Linear rise to `rate0` in `warmup_steps` steps, then half a cosine down to 0 at `num_steps`.

    Steps count from 0; step 0 has the rate rate0 / warmup_steps (Loshchilov & Hutter 2017 for the
    cosine, Goyal et al. 2017 for the rise).
    """
    if step < warmup_steps:
        return rate0 * (step + 1) / warmup_steps
    done = (step - warmup_steps) / (num_steps - warmup_steps)
    return float(rate0 * 0.5 * (1 + np.cos(np.pi * done)))


def range_test(
    loss_and_grad: Callable[[Array], tuple[float, Array]],
    w: Array,
    *,
    low: float,
    high: float,
    num_steps: int,
) -> tuple[Array, Array]:
    """Losses met on the way down while the rate grows geometrically from `low` to `high`.

    Each rate is paired with the loss before its step. Ends early, without recording it, at a loss
    that is NaN or above four times the smallest so far. After Smith (2017).
    """
    rates: list[float] = []
    losses: list[float] = []
    for rate in np.geomspace(low, high, num_steps):
        loss, grad = loss_and_grad(w)
        if not loss <= 4 * min(losses, default=loss):
            break
        rates.append(rate)
        losses.append(loss)
        w = w - rate * grad
    return np.array(rates), np.array(losses)


# ---- second order, and clipping ------------------------------------------------------------------


def newton_step(x: Array, gradient: Array, hessian: Array) -> Array:
    """x − H⁻¹g by solving a linear system: `x` and `gradient` (D,), `hessian` (D, D)."""
    return np.asarray(x - np.linalg.solve(hessian, gradient))


def clip_by_global_norm(grads: Mapping[str, Array], max_norm: float) -> dict[str, Array]:
    """All gradients times one factor, so that their common L2 norm is at most `max_norm`.

    Pascanu, Mikolov & Bengio (2013).
    """
    norm = np.sqrt(sum(np.sum(g**2) for g in grads.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return {name: factor * g for name, g in grads.items()}


# ---- rules with a rate for each parameter --------------------------------------------------------


def adagrad(
    w: Array, dw: Array, state: State = None, *, learning_rate: float, eps: float = 1e-8
) -> Step:
    """Divide by the root of the sum of all squared gradients so far (Duchi et al. 2011)."""
    cache = 0.0 if state is None else state["cache"]
    cache = cache + dw**2
    return w - learning_rate * dw / (np.sqrt(cache) + eps), {"cache": cache}


def adagrad_without_root(
    w: Array, dw: Array, state: State = None, *, learning_rate: float, eps: float = 1e-8
) -> Step:
    """Adagrad that divides by the sum itself: what is lost with the root, to be measured."""
    cache = 0.0 if state is None else state["cache"]
    cache = cache + dw**2
    return w - learning_rate * dw / (cache + eps), {"cache": cache}


def rmsprop(
    w: Array,
    dw: Array,
    state: State = None,
    *,
    learning_rate: float,
    decay_rate: float = 0.99,
    eps: float = 1e-8,
) -> Step:
    """Divide by the root of a leaky average of squared gradients (Tieleman & Hinton 2012)."""
    cache = 0.0 if state is None else state["cache"]
    cache = decay_rate * cache + (1 - decay_rate) * dw**2
    return w - learning_rate * dw / (np.sqrt(cache) + eps), {"cache": cache}


def adam_uncorrected(
    w: Array,
    dw: Array,
    state: State = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Step:
    """Leaky averages of the gradient and of its square, both starting at 0 and left so."""
    m, v = (0.0, 0.0) if state is None else (state["m"], state["v"])
    m = beta1 * m + (1 - beta1) * dw
    v = beta2 * v + (1 - beta2) * dw**2
    return w - learning_rate * m / (np.sqrt(v) + eps), {"m": m, "v": v}


def adam(
    w: Array,
    dw: Array,
    state: State = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
) -> Step:
    """Adam with bias correction, t = 1 in the first step (Kingma & Ba 2015)."""
    m, v, t = (0.0, 0.0, 0) if state is None else (state["m"], state["v"], state["t"])
    t = t + 1
    m = beta1 * m + (1 - beta1) * dw
    v = beta2 * v + (1 - beta2) * dw**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return w - learning_rate * m_hat / (np.sqrt(v_hat) + eps), {"m": m, "v": v, "t": t}


def adamw(
    w: Array,
    dw: Array,
    state: State = None,
    *,
    learning_rate: float,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 0.01,
) -> Step:
    """Adam whose weight decay, η · weight_decay · w, stays out of the moments.

    Loshchilov & Hutter (2019).
    """
    moved, state = adam(
        w, dw, state, learning_rate=learning_rate, beta1=beta1, beta2=beta2, eps=eps
    )
    return moved - learning_rate * weight_decay * w, state


# ---- testing a rule ------------------------------------------------------------------------------


def unit_test(
    rule: Rule,
    loss: Callable[[Array], float],
    gradient: Callable[[Array], Array],
    w: Array,
    *,
    learning_rate: float,
    num_steps: int,
) -> str:
    """What `num_steps` of `rule` make of a loss whose minimum is 0, in one word.

    "diverged" when the last loss is above the first or not finite, else "stalled" above half of
    it, "slow" above a hundredth, and "solved". After Schaul, Antonoglou & Silver (2014).
    """
    first, state = loss(w), None
    for _ in range(num_steps):
        w, state = rule(w, gradient(w), state, learning_rate=learning_rate)
    left = loss(w) / first
    if not left <= 1:
        return "diverged"
    if left > 0.5:
        return "stalled"
    return "slow" if left > 0.01 else "solved"


def choose_rule(landscape: str) -> tuple[Rule, float]:
    """A rule and a learning rate that solve a landscape in 300 steps, also with a little noise.

    `landscape` is "bowl", "ridge", "cliff", "saddle" or "plateau".
    """
    choices: dict[str, tuple[Rule, float]] = {
        "bowl": (sgd, 0.05),
        "ridge": (momentum, 0.01),
        "cliff": (adam, 0.05),
        "saddle": (momentum, 0.01),
        "plateau": (adam, 0.05),
    }
    return choices[landscape]
