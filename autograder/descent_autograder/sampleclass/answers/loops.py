# mypy: ignore-errors
"""Everything right, in plain loops."""

import numpy as np


def forward_difference(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.size)
    before = f(x)
    for i in range(x.size):
        moved = x.copy().reshape(-1)
        moved[i] = moved[i] + h
        grad[i] = (f(moved.reshape(x.shape)) - before) / h
    return grad.reshape(x.shape)


def central_difference(f, x, h=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.size)
    for i in range(x.size):
        up = x.copy().reshape(-1)
        down = x.copy().reshape(-1)
        up[i] = up[i] + h
        down[i] = down[i] - h
        grad[i] = (f(up.reshape(x.shape)) - f(down.reshape(x.shape))) / (2 * h)
    return grad.reshape(x.shape)


def relative_error(a, b):
    a, b = np.atleast_1d(a), np.atleast_1d(b)
    errors = []
    for one, other in zip(a.ravel(), b.ravel(), strict=True):
        if one == 0 and other == 0:
            errors.append(0.0)
        else:
            errors.append(abs(one - other) / max(abs(one), abs(other)))
    return np.array(errors).reshape(a.shape)


def crossed_kinks(pre_plus, pre_minus):
    crossed = np.zeros(pre_plus.shape, dtype=bool)
    for index in np.ndindex(pre_plus.shape):
        crossed[index] = (pre_plus[index] > 0) != (pre_minus[index] > 0)
    return crossed


def winner_changed(scores_plus, scores_minus):
    changed = []
    for plus, minus in zip(scores_plus, scores_minus, strict=True):
        changed.append(int(np.argmax(plus)) != int(np.argmax(minus)))
    return np.array(changed)


def softmax_loss(W, X, y, reg):
    num_examples, num_classes = len(y), W.shape[1]
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(num_examples):
        scores = X[i] @ W
        scores = scores - scores.max()
        total = sum(np.exp(s) for s in scores)
        loss += -(scores[y[i]] - np.log(total)) / num_examples
        for c in range(num_classes):
            p = np.exp(scores[c]) / total
            dW[:, c] += (p - (c == y[i])) * X[i] / num_examples
    for w in W.ravel():
        loss += 0.5 * reg * w * w
    return loss, dW + reg * W
