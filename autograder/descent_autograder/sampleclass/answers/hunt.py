# mypy: ignore-errors
"""The gradient checker and the hunt go wrong."""

import numpy as np


def check_gradients(loss_and_grads, params, *, per_parameter, rng, h=1e-5):
    _, grads = loss_and_grads(params)
    errors = {}
    for name, chosen in sample_coordinates(params, per_parameter, rng).items():  # noqa: F821
        gaps = []
        for index in chosen:
            plus, minus = params[name].copy(), params[name].copy()
            plus[index] += h
            minus[index] -= h
            rise = loss_and_grads({**params, name: plus})[0]
            rise -= loss_and_grads({**params, name: minus})[0]
            gaps.append(np.abs(grads[name][index] - rise / (2 * h)))
        errors[name] = float(np.max(gaps))
    return errors


def find_bugs(layers, rng):
    suspects = set()
    for name, (loss_and_grads, params) in layers.items():
        errors = check_gradients(loss_and_grads, params, per_parameter=1, rng=rng)
        if max(errors.values()) > 0:
            suspects.add(name)
    return suspects
