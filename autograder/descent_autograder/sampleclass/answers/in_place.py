# mypy: ignore-errors
"""Everything right, changing arrays in place and putting them back."""

import numpy as np


def central_difference(f, x, h=1e-5):
    x = np.array(x, dtype=np.float64)
    gradient = np.empty(x.shape)
    for index in np.ndindex(x.shape):
        kept = x[index].item()
        x[index] = kept + h
        gradient[index] = f(x)
        x[index] = kept - h
        gradient[index] -= f(x)
        x[index] = kept
    gradient /= 2 * h
    return gradient


def softmax_loss(W, X, y, reg):
    rows = np.arange(len(y))
    scores = X @ W
    scores -= scores.max(axis=1, keepdims=True)
    loss = -scores[rows, y].mean()
    np.exp(scores, out=scores)
    sums = scores.sum(axis=1, keepdims=True)
    loss += np.log(sums).mean() + 0.5 * reg * (W * W).sum()
    scores /= sums
    scores[rows, y] -= 1
    scores /= len(y)
    dW = X.T @ scores
    dW += reg * W
    return loss, dW


def check_gradients(loss_and_grads, params, *, per_parameter, rng, h=1e-5):
    _, grads = loss_and_grads(params)
    params = {name: value.copy() for name, value in params.items()}
    errors = dict.fromkeys(params, 0.0)
    for name, coordinates in sample_coordinates(params, per_parameter, rng).items():  # noqa: F821
        value = params[name]
        for index in coordinates:
            kept = value[index].item()
            value[index] = kept + h
            difference = loss_and_grads(params)[0]
            value[index] = kept - h
            difference -= loss_and_grads(params)[0]
            value[index] = kept
            error = relative_error(grads[name][index], difference / (2 * h))  # noqa: F821
            errors[name] = float(np.maximum(errors[name], error[0]))
    return errors
