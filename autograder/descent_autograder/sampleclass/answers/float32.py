# mypy: ignore-errors
"""Everything right, with float32 constants among the float64 numbers."""

import numpy as np


def central_difference(f, x, h=1e-5):
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    two = np.float32(2)
    for index in np.ndindex(x.shape):
        plus, minus = x.copy(), x.copy()
        plus[index] += h
        minus[index] -= h
        gradient[index] = (f(plus) - f(minus)) / (two * np.float64(h))
    return gradient


def softmax_loss(W, X, y, reg):
    count = np.float32(len(y))
    scores = X @ W
    scores = scores - scores.max(axis=1, keepdims=True)
    exps = np.exp(scores)
    probs = exps / exps.sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    log_probs = scores[rows, y] - np.log(exps.sum(axis=1))
    loss = -log_probs.sum() / count + np.float32(0.5) * np.sum(W**2) * reg
    probs[rows, y] -= np.float32(1)
    return loss, X.T @ probs / count + reg * W
