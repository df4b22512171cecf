# mypy: ignore-errors
"""Sums for means, halves and penalties go wrong."""

import numpy as np


def softmax_loss(W, X, y, reg):
    rows = np.arange(len(y))
    scores = X @ W
    scores -= scores.max(axis=1, keepdims=True)
    log_probs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    loss = -log_probs[rows, y].mean() + reg * np.sum(W**2)
    dscores = np.exp(log_probs)
    dscores[rows, y] -= 1
    return loss, X.T @ dscores + reg * W


def scaled_check(f, df, x, *, scale, h=1e-5):
    numerical = central_difference(lambda z: scale * f(z), x, h)  # noqa: F821
    return float(np.mean(relative_error(scale * df(x), numerical)))  # noqa: F821


def penalty_check(loss_and_grads, params, check, *, reg):
    data = check(lambda p: loss_and_grads(p, 0.0), params)
    penalty = check(lambda p: loss_and_grads(p, reg), params)
    return {"data": max(data.values()), "penalty": max(penalty.values())}
