"""Reference solutions of unit 2: what a network must pass before it is worth training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Params = Mapping[str, Array]
LossAndGrads = Callable[[Any], tuple[float, Params]]


def hinge_loss(W: Array, X: Array, y: Array, reg: float) -> tuple[float, Array]:
    """Mean multiclass hinge loss of X·W plus 0.5·reg·ΣW², and its gradient (D, C).

    Each wrong class costs max(0, its score − the true class's score + 1), and an example costs
    the sum over its wrong classes (Weston & Watkins 1999). `X` (N, D), `y` (N,) integers, `W`
    (D, C).
    """
    num_examples = len(y)
    rows = np.arange(num_examples)
    scores = X @ W
    margins = np.maximum(0, scores - scores[rows, y][:, None] + 1)
    margins[rows, y] = 0
    loss = margins.sum() / num_examples + 0.5 * reg * np.sum(W**2)
    dscores = (margins > 0).astype(float)
    dscores[rows, y] = -dscores.sum(axis=1)
    return float(loss), X.T @ dscores / num_examples + reg * W


def expected_initial_loss(kind: str, num_classes: int) -> float:
    """Data loss of a classifier whose scores are all equal: kind "softmax" or "hinge".

    Raises ValueError for another kind.
    """
    if kind == "softmax":
        return float(np.log(num_classes))
    if kind == "hinge":
        return float(num_classes - 1)
    raise ValueError(f"kind must be 'softmax' or 'hinge', not {kind!r}")


def two_layer_loss(
    params: Params, X: Array, y: Array, reg: float
) -> tuple[float, dict[str, Array]]:
    """Loss and gradients of affine → ReLU → affine → softmax, with the weights penalised.

    `params` has `W1` (D, H), `b1` (H,), `W2` (H, C) and `b2` (C,); `X` (N, D), `y` (N,) integers.
    The loss is the mean cross-entropy plus 0.5·reg·(ΣW1² + ΣW2²); biases are left out.
    """
    W1, b1, W2, b2 = (params[name] for name in ("W1", "b1", "W2", "b2"))
    num_examples = len(y)
    rows = np.arange(num_examples)
    hidden = np.maximum(0, X @ W1 + b1)
    scores = hidden @ W2 + b2
    scores -= scores.max(axis=1, keepdims=True)
    log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    loss = -log_probs[rows, y].mean() + 0.5 * reg * (np.sum(W1**2) + np.sum(W2**2))
    dscores = np.exp(log_probs)
    dscores[rows, y] -= 1
    dscores /= num_examples
    dhidden = dscores @ W2.T * (hidden > 0)
    grads = {
        "W1": X.T @ dhidden + reg * W1,
        "b1": dhidden.sum(axis=0),
        "W2": hidden.T @ dscores + reg * W2,
        "b2": dscores.sum(axis=0),
    }
    return float(loss), grads


def regularization_raises_loss(loss_at: Callable[[float], float], regs: Sequence[float]) -> bool:
    """Whether `loss_at(reg)` is higher at every larger one of `regs`, which come in any order.

    Equal losses are no rise, and NaN is none either.
    """
    losses = np.array([loss_at(reg) for reg in sorted(regs)])
    return bool(np.all(losses[1:] > losses[:-1]))


def overfit_tiny(
    loss_and_grads: LossAndGrads, params: Params, *, learning_rate: float, num_steps: int
) -> dict[str, Any]:
    """Plain gradient descent on the whole of a tiny set: {"loss": (num_steps + 1,), "params"}.

    `"loss"` holds the loss before every step and, last, the one after all of them, which belongs
    to the `"params"` returned. The arrays of `params` are left as they are.
    """
    moved = dict(params)
    losses = []
    for _ in range(num_steps):
        loss, grads = loss_and_grads(moved)
        losses.append(loss)
        moved = {name: moved[name] - learning_rate * grads[name] for name in moved}
    losses.append(loss_and_grads(moved)[0])
    return {"loss": np.array(losses), "params": moved}


def sanity_report(
    model: Mapping[str, Any], data: Mapping[str, Array], rng: np.random.Generator
) -> dict[str, bool]:
    """Which of the four sanity checks a softmax classifier and its data pass, by name.

    `model` holds `"params"`, the parameters at initialisation; `"loss_and_grads"`, a function
    `(params, X, y, reg) -> (loss, grads)`; `"predict"`, a function `(params, X) -> labels`; and
    `"learning_rate"` and `"num_steps"`, which are enough for a sound model. `data` holds
    `X_train`, `y_train`, `X_val` and `y_val`.
    """
    X, y = data["X_train"], data["y_train"]

    def loss_at(reg: float) -> float:
        return float(model["loss_and_grads"](model["params"], X, y, reg)[0])

    def trained(X: Array, y: Array) -> tuple[float, Params]:
        run = overfit_tiny(
            lambda params: model["loss_and_grads"](params, X, y, 0.0),
            model["params"],
            learning_rate=model["learning_rate"],
            num_steps=model["num_steps"],
        )
        return run["loss"][-1], run["params"]

    def accuracy(params: Params, X: Array, y: Array) -> float:
        return float(np.mean(model["predict"](params, X) == y))

    expected = expected_initial_loss("softmax", int(y.max()) + 1)
    tiny_loss, tiny_params = trained(X[:20], y[:20])
    honest = accuracy(trained(X, y)[1], data["X_val"], data["y_val"])
    scrambled = accuracy(trained(rng.permuted(X, axis=0), y)[1], data["X_val"], data["y_val"])
    return {
        "loss at chance": bool(abs(loss_at(0.0) - expected) < 0.1 * expected),
        "regularization raises the loss": regularization_raises_loss(loss_at, [0.0, 0.1, 1.0]),
        "overfits a tiny set": bool(
            tiny_loss < 0.1 and accuracy(tiny_params, X[:20], y[:20]) == 1.0
        ),
        "beats scrambled features": bool(honest > scrambled + 0.2),
    }
