"""Reference solutions of unit 1: checking a gradient against finite differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Params = Mapping[str, Array]
LossAndGrads = Callable[[Any], tuple[float, Params]]
Checker = Callable[[LossAndGrads, Params], Mapping[str, float]]


def forward_difference(f: Callable[[Array], float], x: Any, h: float = 1e-5) -> Array:
    """Gradient of `f` at `x` from (f(x + h) − f(x)) / h, one coordinate at a time.

    `x` may have any shape (also 0-d) and any real dtype; the result is float64 of that shape.
    The error is O(h) (Taylor).
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    f_x = f(x.copy())
    for index in np.ndindex(x.shape):
        moved = x.copy()
        moved[index] += h
        gradient[index] = (f(moved) - f_x) / h
    return gradient


def central_difference(f: Callable[[Array], float], x: Any, h: float = 1e-5) -> Array:
    """Gradient of `f` at `x` from (f(x + h) − f(x − h)) / 2h, one coordinate at a time.

    `x` may have any shape (also 0-d) and any real dtype; the result is float64 of that shape.
    The error is O(h²) (Taylor).
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        plus, minus = x.copy(), x.copy()
        plus[index] += h
        minus[index] -= h
        gradient[index] = (f(plus) - f(minus)) / (2 * h)
    return gradient


def complex_step(f: Callable[[Array], complex], x: Any, h: float = 1e-20) -> Array:
    """Gradient of an analytic `f` at `x` from Im f(x + ih) / h: no subtraction, no cancellation.

    Squire & Trapp (1998). Wrong for functions that aren't analytic, such as `abs` and `max`.
    """
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        moved = x.astype(np.complex128)
        moved[index] += 1j * h
        gradient[index] = np.imag(f(moved)) / h
    return gradient


def relative_error(a: Any, b: Any) -> Array:
    """|a − b| / max(|a|, |b|) elementwise; 0 where both are 0; NaN stays NaN. At least 1-d."""
    a, b = np.atleast_1d(np.asarray(a, float)), np.atleast_1d(np.asarray(b, float))
    larger = np.maximum(np.abs(a), np.abs(b))
    both_zero = larger == 0
    return np.asarray(np.abs(a - b) / np.where(both_zero, 1.0, larger))


def verdict(error: float, *, has_kinks: bool = False) -> str:
    """Read a relative error: "wrong", "uncomfortable", "okay" (with kinks only) or "happy"."""
    if not error <= 1e-2:
        return "wrong"
    if error > 1e-4:
        return "uncomfortable"
    if error > 1e-7:
        return "okay" if has_kinks else "uncomfortable"
    return "happy"


def best_step(
    f: Callable[[Any], float], df: Callable[[Any], Any], x: Any, steps: Sequence[float]
) -> float:
    """The h of `steps` at which the centred difference of `f` is nearest to `df(x)`."""
    errors = [np.max(np.abs(central_difference(f, x, h) - df(x))) for h in steps]
    return steps[int(np.argmin(errors))]


def crossed_kinks(pre_plus: Array, pre_minus: Array) -> Array:
    """Which pre-activations of a ReLU stand on different sides of the kink, as a bool array."""
    return np.asarray((pre_plus > 0) != (pre_minus > 0))


def winner_changed(scores_plus: Array, scores_minus: Array) -> Array:
    """Rows of (N, C) scores in which the arg max differs: the max (or hinge) crossed its kink."""
    return np.asarray(scores_plus.argmax(axis=1) != scores_minus.argmax(axis=1))


def count_crossed(W: Array, X: Array, index: tuple[int, int], h: float = 1e-5) -> int:
    """How many of the (N, C) pre-activations X·W change side when W[index] goes from −h to +h."""
    plus, minus = W.copy(), W.copy()
    plus[index] += h
    minus[index] -= h
    return int(np.sum((X @ plus > 0) != (X @ minus > 0)))


def sample_coordinates(
    params: Params, per_parameter: int, rng: np.random.Generator
) -> dict[str, list[tuple[int, ...]]]:
    """`per_parameter` different index tuples of every parameter; all where there are fewer."""
    chosen = {}
    for name, value in params.items():
        count = min(per_parameter, value.size)
        flat = rng.choice(value.size, size=count, replace=False)
        chosen[name] = [tuple(int(i) for i in np.unravel_index(k, value.shape)) for k in flat]
    return chosen


def scaled_check(
    f: Callable[[Array], float],
    df: Callable[[Array], Array],
    x: Any,
    *,
    scale: float,
    h: float = 1e-5,
) -> float:
    """Largest relative error of the gradient of `scale * f`, against the centred difference."""
    numerical = central_difference(lambda z: scale * f(z), x, h)
    return float(relative_error(scale * np.asarray(df(x)), numerical).max())


def softmax_loss(W: Array, X: Array, y: Array, reg: float) -> tuple[float, Array]:
    """Mean cross-entropy of the softmax of X·W, plus 0.5·reg·ΣW², and its gradient (D, C).

    `X` (N, D), `y` (N,) integers, `W` (D, C). Scores are shifted row by row: exp never overflows.
    """
    num_examples = len(y)
    scores = X @ W
    scores -= scores.max(axis=1, keepdims=True)
    log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    loss = -log_probs[np.arange(num_examples), y].mean() + 0.5 * reg * np.sum(W**2)
    dscores = np.exp(log_probs)
    dscores[np.arange(num_examples), y] -= 1
    return float(loss), X.T @ dscores / num_examples + reg * W


def check_gradients(
    loss_and_grads: LossAndGrads,
    params: Params,
    *,
    per_parameter: int,
    rng: np.random.Generator,
    h: float = 1e-5,
) -> dict[str, float]:
    """Largest relative error per parameter, over `per_parameter` random coordinates of each.

    NaN where any of them is NaN.
    """
    _, grads = loss_and_grads(params)
    errors = {}
    for name, chosen in sample_coordinates(params, per_parameter, rng).items():
        found = []
        for index in chosen:
            plus, minus = params[name].copy(), params[name].copy()
            plus[index] += h
            minus[index] -= h
            rise = loss_and_grads({**params, name: plus})[0]
            rise -= loss_and_grads({**params, name: minus})[0]
            found.append(relative_error(grads[name][index], rise / (2 * h)))
        errors[name] = float(np.max(found))
    return errors


def penalty_check(
    loss_and_grads: Callable[[Params, float], tuple[float, Params]],
    params: Params,
    checker: Checker,
    *,
    reg: float,
) -> dict[str, float]:
    """Worst error of the data loss alone and of the penalty alone: neither can hide the other.

    `loss_and_grads(params, reg)`; the data part is taken at reg 0, the penalty is the rest.
    """

    def data(p: Params) -> tuple[float, Params]:
        return loss_and_grads(p, 0.0)

    def penalty(p: Params) -> tuple[float, Params]:
        (total, total_grads), (loss, grads) = loss_and_grads(p, reg), loss_and_grads(p, 0.0)
        return total - loss, {name: total_grads[name] - grads[name] for name in grads}

    return {
        "data": max(checker(data, params).values()),
        "penalty": max(checker(penalty, params).values()),
    }


def burn_in_check(
    loss_and_grads: LossAndGrads,
    params: Params,
    checker: Checker,
    *,
    learning_rate: float,
    num_steps: int,
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Errors at initialisation and after `num_steps` of plain gradient descent: (before, after)."""
    before = checker(loss_and_grads, params)
    moved = dict(params)
    for _ in range(num_steps):
        _, grads = loss_and_grads(moved)
        moved = {name: moved[name] - learning_rate * grads[name] for name in moved}
    return before, checker(loss_and_grads, moved)


def seeded_check(
    loss_and_grads: Callable[[Params, np.random.Generator], tuple[float, Params]],
    params: Params,
    checker: Checker,
    *,
    seed: int,
) -> Mapping[str, float]:
    """Check a random loss with its randomness frozen: every call draws from the same seed."""
    return checker(lambda p: loss_and_grads(p, np.random.default_rng(seed)), params)


def precision_errors(
    loss_and_grads: LossAndGrads, params: Params, checker: Checker
) -> dict[str, float]:
    """Worst error of one network checked in float32 and in float64."""
    worst = {}
    for dtype in ("float32", "float64"):
        cast = {name: value.astype(dtype) for name, value in params.items()}
        worst[dtype] = max(checker(loss_and_grads, cast).values())
    return worst


def find_bugs(
    layers: Mapping[str, tuple[LossAndGrads, Params]], rng: np.random.Generator
) -> set[str]:
    """Names of the layers whose gradient is wrong, or NaN, in any parameter."""
    suspects = set()
    for name, (loss_and_grads, params) in layers.items():
        errors = check_gradients(loss_and_grads, params, per_parameter=5, rng=rng)
        if not all(error <= 1e-4 for error in errors.values()):
            suspects.add(name)
    return suspects
