# mypy: ignore-errors
"""The checks check something else than they should."""

import numpy as np


def precision_errors(loss_and_grads, params, check):
    errors = {}
    for dtype in ("float32", "float64"):
        cast = {name: value.astype(dtype) for name, value in params.items()}
        errors[dtype] = float(np.mean(list(check(loss_and_grads, cast).values())))
    return errors


def seeded_check(loss_and_grads, params, check, *, seed):
    rng = np.random.default_rng(seed)
    return check(lambda p: loss_and_grads(p, rng), params)


def burn_in_check(loss_and_grads, params, check, *, learning_rate, num_steps):
    before = check(loss_and_grads, params)
    moved = dict(params)
    _, grads = loss_and_grads(moved)
    for _ in range(num_steps):
        moved = {name: moved[name] - learning_rate * grads[name] for name in moved}
    return before, check(loss_and_grads, moved)


def sample_coordinates(params, per_parameter, rng):
    chosen = {}
    for name, value in params.items():
        count = min(per_parameter, value.size)
        flat = rng.choice(value.size, size=count)
        chosen[name] = [tuple(int(i) for i in np.unravel_index(k, value.shape)) for k in flat]
    return chosen
