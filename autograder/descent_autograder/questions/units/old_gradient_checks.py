"""Unit 1 for the grader: fresh cases, accepted variants, and the mistakes students make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.judging import Mistake
from descent.questions.gradient_checks import network, wave_gradient
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.legacy import Entry, Switches, add

Array = npt.NDArray[Any]
Rng = np.random.Generator
Case = dict[str, Any]

# ---- sampling ------------------------------------------------------------------------------------


def sample_coordinates_cases(rng: Rng) -> list[Case]:
    shapes = {"W1": (20, 24), "b1": (3,), "scale": (), "W2": (2, 5), "V": (13, 12)}
    # Three of a kind, of which nearly everything is drawn: every draw says much about them.
    twelves = {f"b{i}": (12,) for i in (2, 3, 4)} | {f"W{i}": (3, 4) for i in (2, 3, 4)}
    return [
        {
            "about": f"{k} coordinates a parameter",
            "shapes": shapes | twelves if followed else shapes,
            "per_parameter": k,
            "seed": int(rng.integers(2**31)),
            "followed": followed,
        }
        for k, followed in ((11, True), (7, False))
    ]


def sample_coordinates_family(on: Switches) -> Callable[..., Any]:
    def sample_coordinates(params: Mapping[str, Any], per_parameter: int, rng: Rng) -> Any:
        if "own-seed" in on:
            rng = np.random.default_rng(0)
        if "one-long-vector" in on:
            return _from_one_vector(params, per_parameter, rng, flat="flat" in on)
        chosen: dict[str, Any] = {}
        for name, value in params.items():
            count = min(per_parameter, value.size)
            size = max(1, value.size - 1) if "never-last" in on else value.size
            count = min(count, size)
            if "with-replacement" in on:
                flat = rng.integers(0, size, count)
            elif "first-ones" in on:
                flat = np.arange(count)
            elif "run" in on:
                flat = (rng.integers(size) + np.arange(count)) % size
            elif "axes-apart" in on and value.ndim == 2 and min(value.shape) >= count:
                axes = [rng.choice(n, size=count, replace=False) for n in value.shape]
                flat = np.ravel_multi_index(axes, value.shape)
            else:
                flat = rng.choice(size, size=count, replace=False)
            if "flat" in on:
                chosen[name] = [int(k) for k in flat]
            elif "arrays" in on:
                chosen[name] = [np.array(np.unravel_index(k, value.shape)) for k in flat]
            else:
                chosen[name] = [
                    tuple(int(i) for i in np.unravel_index(k, value.shape)) for k in flat
                ]
        return chosen

    return sample_coordinates


def _from_one_vector(
    params: Mapping[str, Any], per_parameter: int, rng: Rng, *, flat: bool
) -> dict[str, Any]:
    total = sum(v.size for v in params.values())
    picks = rng.choice(total, size=min(total, per_parameter * len(params)), replace=False)
    chosen: dict[str, Any] = {}
    start = 0
    for name, value in params.items():
        mine: list[Any] = [int(k - start) for k in picks if start <= k < start + value.size]
        shape = value.shape
        chosen[name] = (
            mine if flat else [tuple(int(i) for i in np.unravel_index(k, shape)) for k in mine]
        )
        start += value.size
    return chosen


def sample_by_shuffling(params: Mapping[str, Any], per_parameter: int, rng: Rng) -> Any:
    """Lists every index and shuffles the list."""
    chosen = {}
    for name, value in params.items():
        every = list(np.ndindex(value.shape))
        order = rng.permutation(len(every))[:per_parameter]
        chosen[name] = [every[int(k)] for k in order]
    return chosen


add(
    Entry(
        question="sample_coordinates",
        reference=reference.sample_coordinates,
        cases=sample_coordinates_cases,
        family=sample_coordinates_family,
        mistakes=(
            Mistake(
                "one-long-vector",
                "It looks as if the coordinates come from one long vector of all parameters.",
                "The biases all but vanish beside the weights: draw from each parameter by itself.",
            ),
            Mistake(
                "with-replacement",
                "It looks as if a coordinate may come up twice.",
                "Draw without replacement: rng.choice(..., replace=False).",
            ),
            Mistake(
                "own-seed",
                "It looks as if a generator of your own is used, with a fixed seed.",
                "Draw from the `rng` that is handed in.",
            ),
            Mistake(
                "first-ones",
                "It looks as if the first coordinates are taken.",
                "Bugs don't live in the first rows only: draw at random.",
            ),
            Mistake(
                "flat",
                "It looks as if flat positions come back.",
                "Return index tuples, one number an axis: np.unravel_index.",
            ),
            Mistake(
                "arrays",
                "It looks as if each position is an array.",
                "An array as an index picks whole rows: make it a tuple.",
            ),
            Mistake(
                "run",
                "It looks as if the positions follow one another, from a random start.",
                "Neighbours share their bugs: draw every position by itself.",
            ),
            Mistake(
                "axes-apart",
                "It looks as if rows and columns are drawn apart, none of them twice.",
                "Two positions may share a row. Draw flat positions, and unravel them.",
            ),
            Mistake(
                "never-last",
                "It looks as if the last coordinate is never drawn.",
                "The upper end of a range is left out already; don't subtract one.",
            ),
        ),
        variants={"every index, shuffled": sample_by_shuffling},
    )
)


_H_IGNORED = Mistake(
    "h-ignored",
    "It looks as if the step is 1e-5 whatever `h` is.",
    "Hand `h` on to the difference.",
)


# ---- scaling -------------------------------------------------------------------------------------


def scaled_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for shape, scale, h, side in (
        ((2, 2), 1e4, 1e-4, 1),
        ((), 50.0, None, 1),
        ((3,), 1e-7, 0.3, -1),
    ):
        x = np.asarray(rng.uniform(-1, 1, shape))
        w = np.asarray(rng.uniform(0.5, 2.0, shape))
        # Too large in every coordinate, so that a signed error is negative throughout; once too
        # small, by more than the difference itself is off at its large h.
        planted = 1 + rng.uniform(0.01, 0.05, shape) * np.sign(wave_gradient(w)(x))
        if side < 0:
            planted = np.asarray(rng.uniform(0.5, 0.7, shape))
        about = f"x of shape {shape}, scale = {scale:g}"
        cases.append({"about": about, "x": x, "w": w, "planted": planted, "scale": scale, "h": h})
    few = {name: cases[0][name][0] for name in ("x", "w")}
    tiny = {**cases[0], **few, "planted": np.ones(2), "scale": 1e-320}
    return [*cases, {**tiny, "about": "a scale so small that digits are lost"}]


def scaled_check_family(on: Switches) -> Callable[..., Any]:
    def scaled_check(f: Any, df: Any, x: Any, *, scale: float, h: float = 1e-5) -> Any:
        x = np.array(x, dtype=float)
        h = 1e-5 if "h-ignored" in on else h
        left = 1.0 if "analytic-only" in on or "forgotten" in on else scale
        right = 1.0 if "numerical-only" in on or "forgotten" in on else scale
        analytic = right * np.asarray(df(x))
        numerical = np.zeros(x.shape)
        for index in np.ndindex(x.shape):
            plus, minus = x.copy(), x.copy()
            plus[index] += h
            minus[index] -= h
            if "forward" in on:
                numerical[index] = (left * f(plus) - left * f(x)) / h
            else:
                numerical[index] = (left * f(plus) - left * f(minus)) / (2 * h)
        error = np.abs(numerical - analytic)
        if "signed" in on:
            error = numerical - analytic
        size = np.maximum(np.abs(numerical), np.abs(analytic))
        if "analytic-size" in on:
            size = np.abs(analytic)
        if "epsilon" in on:
            size = size + 1e-8
        if "absolute" not in on:
            error = error / size
        return float(error.mean() if "mean" in on else error.max())

    return scaled_check


add(
    Entry(
        question="scaled_check",
        reference=reference.scaled_check,
        cases=scaled_check_cases,
        family=scaled_check_family,
        mistakes=(
            Mistake(
                "forgotten",
                "It looks as if `scale` isn't used before the difference is taken.",
                "Take the difference of `scale * f`; the factor of a finished one cancels.",
            ),
            Mistake(
                "numerical-only",
                "It looks as if only f is scaled.",
                "The gradient of scale · f is scale · df: scale both.",
            ),
            Mistake(
                "analytic-only",
                "It looks as if only df is scaled.",
                "Scale f as well, before the difference is taken.",
            ),
            Mistake(
                "absolute",
                "It looks as if the absolute error comes back.",
                "Divide by the larger of the two gradients, elementwise.",
            ),
            Mistake(
                "mean",
                "It looks as if the mean of the errors comes back.",
                "One wrong coordinate drowns in a mean: return the largest.",
            ),
            Mistake(
                "forward",
                "It looks as if the forward difference is used.",
                "Use the centred difference; its own error is far smaller.",
            ),
            Mistake(
                "signed",
                "It looks as if the errors keep their sign.",
                "Take absolute values before the maximum.",
            ),
            Mistake(
                "analytic-size",
                "It looks as if you divide by the size of the analytic gradient alone.",
                "Neither is known to be right: divide by the larger of the two sizes.",
            ),
            Mistake(
                "epsilon",
                "It looks as if a small number is added to the denominator.",
                "It hides the errors of small gradients, and this check is about scale.",
            ),
            _H_IGNORED,
        ),
    )
)

# ---- the softmax loss ----------------------------------------------------------------------------


FAINT = 250.0
"""From how large a mean of 1/p on, relative to the loss, 1e-11 inside the logarithm shows."""


def softmax_loss_cases(rng: Rng) -> list[Case]:
    return [
        _softmax_case(rng, shape, reg, offsets)
        for shape, reg, offsets in (
            ((5, 4, 3), 0.0, "none"),
            ((4, 3, 6), 1.0, "none"),
            ((6, 5, 4), 2.0, "±1000"),
            ((7, 2, 5), 0.0, "+1000"),
            # Within the range of exp row by row, and twice that from one row to another.
            ((4, 3, 4), 0.5, "±680"),
        )
    ] + [_faint_case(rng)]


def _softmax_case(rng: Rng, shape: tuple[int, int, int], reg: float, offsets: str) -> Case:
    """A case in which a tiny number inside the logarithm, up to 1e-12, doesn't show."""
    case = _scores_case(rng, shape, reg, offsets)
    while _faintness(case) > FAINT:
        case = _scores_case(rng, shape, reg, offsets)
    return case


def _scores_case(rng: Rng, shape: tuple[int, int, int], reg: float, offsets: str) -> Case:
    n, d, c = shape
    W, X = rng.normal(size=(d, c)), rng.normal(size=(n, d))
    y = rng.integers(0, c, n)
    y[0] = c - 1
    if offsets != "none":
        # A column of ±1000s against a row of ones: each example's scores have their own offset.
        size = float(offsets[1:])
        X[:, 0] = size if offsets[0] == "+" else size * np.resize([1.0, -1.0], n)
        W[0] = 1.0
    about = f"N = {n}, D = {d}, C = {c}, reg = {reg:g}" + (
        f", scores shifted by {offsets}" if offsets != "none" else ""
    )
    return {"about": about, "W": W, "X": X, "y": y, "reg": reg}


def _faintness(case: Case) -> float:
    """The mean of 1/p of the true classes, relative to the loss."""
    scores = case["X"] @ case["W"]
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = exps[np.arange(len(exps)), case["y"]] / exps.sum(axis=1)
    loss = -np.log(p).mean() + 0.5 * case["reg"] * np.sum(case["W"] ** 2)
    return float((1 / p).mean() / loss)


def _faint_case(rng: Rng) -> Case:
    """One true class is so improbable that from 1e-11 on a number inside the logarithm shows."""
    case = _softmax_case(rng, (4, 3, 5), 0.0, "none")
    case["y"][0] = int(np.argmin(case["X"][0] @ case["W"]))
    # In large steps to the last one before, then in small ones.
    while _faintness(case) < FAINT:
        case["X"][0] *= 1.2
    case["X"][0] /= 1.2
    while _faintness(case) < FAINT:
        case["X"][0] *= 1.01
    return {**case, "about": "an example whose true class is improbable"}


EPSILONS = {f"epsilon-{text}": float(text) for text in ("1e-5", "1e-6", "1e-8", "1e-10")}


def softmax_loss_family(on: Switches) -> Callable[..., Any]:
    def softmax_loss(W: Any, X: Any, y: Any, reg: float) -> Any:
        n = len(y)
        rows = np.arange(n)
        scores = X @ W
        if "shift-whole" in on:
            scores = scores - scores.max()
        elif "shift-columns" in on:
            scores = scores - scores.max(axis=0)
        elif "no-shift" not in on:
            scores = scores - scores.max(axis=1, keepdims=True)
        exps = np.exp(scores)
        probs = exps / exps.sum(axis=0 if "over-examples" in on else 1, keepdims=True)
        chosen = probs[rows, y]
        if "no-log" in on:
            losses = -chosen
        elif "log10" in on:
            losses = -np.log10(chosen)
        elif on & EPSILONS.keys():
            losses = -np.log(chosen + max(EPSILONS[i] for i in on & EPSILONS.keys()))
        else:
            losses = -np.log(chosen)
        loss = losses.sum() if "loss-summed" in on else losses.mean()
        dscores = probs.copy()
        if "no-minus-one" not in on:
            dscores[rows, y] -= 1
        grad = X.T @ dscores
        if "grad-summed" not in on:
            grad = grad / n
        penalty, slope = 0.5 * reg * np.sum(W**2), reg * W
        if "no-half" in on:
            penalty = 2 * penalty
        if "half-in-grad" in on:
            slope = slope / 2
        if "double-in-grad" in on:
            slope = 2 * slope
        if "penalty-over-n" in on:
            penalty, slope = penalty / n, slope / n
        if "without-reg" in on:
            penalty, slope = (0.5 * np.sum(W**2), W) if reg else (penalty, slope)
        if "loss-penalty-missing" not in on:
            loss = loss + penalty
        if "grad-penalty-missing" not in on:
            grad = grad + slope
        return loss, grad

    return softmax_loss


def softmax_loss_loops(W: Any, X: Any, y: Any, reg: float) -> Any:
    """Example by example."""
    loss, grad = 0.0, np.zeros(W.shape)
    for x, label in zip(X, y, strict=True):
        scores = x.dot(W)
        top = max(scores)
        exps = [np.exp(s - top) for s in scores]
        total = sum(exps)
        loss += np.log(total) - (scores[label] - top)
        for c in range(W.shape[1]):
            grad[:, c] += (exps[c] / total - (c == label)) * x
    loss /= len(y)
    grad /= len(y)
    return loss + 0.5 * reg * (W * W).sum(), grad + reg * W


add(
    Entry(
        question="softmax_loss",
        reference=reference.softmax_loss,
        cases=softmax_loss_cases,
        family=softmax_loss_family,
        mistakes=(
            Mistake(
                "no-shift",
                "It looks as if the scores aren't shifted, so that exp overflows.",
                "Subtract each row's largest score first; the loss stays what it is.",
            ),
            Mistake(
                "shift-whole",
                "It looks as if the largest score of the whole batch is subtracted.",
                "Rows far below it underflow to 0. Subtract the maximum row by row.",
            ),
            Mistake(
                "shift-columns",
                "It looks as if the maximum is taken down the columns.",
                "Each row is an example: max(axis=1, keepdims=True).",
            ),
            Mistake(
                "over-examples",
                "It looks as if the probabilities are normalised over the examples.",
                "They sum to one over the classes, axis 1.",
            ),
            Mistake(
                "no-log",
                "It looks as if the logarithm is missing.",
                "The loss of an example is −log of its true class's probability.",
            ),
            Mistake(
                "log10",
                "It looks as if the logarithm has base 10.",
                "Use the natural one, np.log: the gradient p − 1 belongs to it.",
            ),
            *(
                Mistake(
                    name,
                    f"It looks as if {size:g} is added inside the logarithm.",
                    "It hides how wrong an improbable class is. Work with the log-probabilities: "
                    "score − log of the sum of exp.",
                )
                for name, size in EPSILONS.items()
            ),
            Mistake(
                "loss-summed",
                "It looks as if the loss is summed over the batch.",
                "Take the mean, so that the learning rate needn't know the batch size.",
            ),
            Mistake(
                "grad-summed",
                "It looks as if the gradient isn't divided by N.",
                "The loss is a mean over the batch; so is its gradient.",
            ),
            Mistake(
                "no-minus-one",
                "It looks as if the −1 at the true class is missing from the gradient.",
                "The gradient of the scores is p, with 1 subtracted at the true class.",
            ),
            Mistake(
                "loss-penalty-missing",
                "It looks as if the loss leaves the penalty out.",
                "Add 0.5 · reg · ΣW² to the loss.",
            ),
            Mistake(
                "grad-penalty-missing",
                "It looks as if the gradient leaves the penalty out.",
                "Add reg · W to the gradient.",
            ),
            Mistake(
                "penalty-over-n",
                "It looks as if the penalty is divided by N as well.",
                "Only the data loss is a mean over the batch; the penalty is added once.",
            ),
            Mistake(
                "without-reg",
                "It looks as if the penalty isn't multiplied by reg.",
                "Both 0.5 · ΣW² and W are multiplied by reg.",
            ),
            Mistake(
                "no-half",
                "It looks as if the ½ of the penalty is missing from the loss.",
                "With 0.5 · reg · ΣW² in the loss, the gradient is reg · W.",
            ),
            Mistake(
                "half-in-grad",
                "It looks as if the gradient of the penalty keeps the ½.",
                "The 2 from the square cancels it: reg · W.",
            ),
            Mistake(
                "double-in-grad",
                "It looks as if the gradient of the penalty is 2 · reg · W.",
                "The ½ in the loss cancels that 2: reg · W.",
            ),
        ),
        variants={"loops": softmax_loss_loops},
    )
)

# ---- checking a network --------------------------------------------------------------------------


def _network_case(rng: Rng, sizes: tuple[int, int, int] = (4, 3, 2), *, scale: float = 0.7) -> Case:
    """A network without bugs; `sizes` are its inputs, hidden units and outputs."""
    n, (d, h, c) = 6, sizes
    return {
        "X": rng.normal(size=(n, d)),
        "target": rng.normal(size=(n, c)),
        "params": {
            "W": scale * rng.normal(size=(d, h)),
            "b": scale * rng.normal(size=h),
            "V": scale * rng.normal(size=(h, c)),
        },
        "bugs": {},
    }


def _directions(rng: Rng, case: Case) -> dict[str, Array]:
    """A direction a parameter for `along`, uphill in every coordinate: no slope is nearly 0."""
    _, grads = network(case, {})(case["params"])
    return {name: np.copysign(rng.normal(size=g.shape), g) for name, g in grads.items()}


def _every_error(case: Case, h: float) -> float:
    """The largest relative error over every coordinate of a network without its bugs.

    All coordinates are moved at once, each in a network of its own: this is asked often.
    """
    params = case["params"]
    _, grads = network({**case, "bugs": {}})(params)
    here = np.concatenate([value.ravel() for value in params.values()])
    there = np.concatenate([grads[name].ravel() for name in params])
    moves = h * np.eye(here.size)
    W, b, V = (
        part.reshape(-1, *value.shape)
        for part, value in zip(
            np.split(
                np.concatenate([here + moves, here - moves]),
                np.cumsum([value.size for value in params.values()])[:-1],
                axis=1,
            ),
            params.values(),
            strict=True,
        )
    )
    gap = np.tanh(case["X"] @ W + b[:, None, :]) @ V - case["target"]
    up, down = np.split(0.5 * np.sum(gap**2, axis=(1, 2)), 2)
    return float(np.max(reference.relative_error((up - down) / (2 * h), there)))


def _clear_case(rng: Rng, sizes: tuple[int, int, int], size: float = 1.0) -> Case:
    """A network in which rounding and truncation are nowhere taken for a bug.

    `size` is that of its outputs.
    """
    while True:
        case = _network_case(rng, sizes)
        case["params"]["V"] *= size
        case["target"] *= size
        if all(_every_error(case, h) <= limit for h, limit in CLEAR.items()):
            return case


CLEAR = {1e-4: 3e-7, 1e-5: 5e-8, 1e-6: 1e-6}
"""The largest error of a right network at each step: which coordinates are drawn doesn't show."""


def check_gradients_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # W, b and V are of 6, 2 and 2 numbers.
    for bugs, per_parameter, h, about in (
        ({"W": 1.5, "b": 0.4}, 2, 1e-4, "gradients off by a factor, and a right one"),
        ({"tanh": 0.4}, 50, None, "a bug of another size in each coordinate"),
        ({"tanh": 0.1, "V": -1.0}, 50, 0.1, "a large step, every coordinate"),
    ):
        case = _clear_case(rng, (3, 2, 1))
        case |= {"bugs": bugs, "per_parameter": per_parameter, "h": h, "about": about}
        case |= {"seed": int(rng.integers(2**31)), "other": None}
        cases.append(case)
    wide = _wide(rng, 600) | {"bugs": {"b": 2.0, "V": 1.02}, "per_parameter": 4, "h": 1e-5}
    seed, other = (int(k) for k in rng.integers(2**31, size=2))
    wide |= {"seed": seed, "other": other}
    return [*cases, {**wide, "about": "a bug in a bias of 1 beside a weight of 600"}]


def _wide(rng: Rng, size: int) -> Case:
    """A network of one hidden unit with a weight of `size` numbers, all of which weigh the same.

    Few different numbers, so that the public case stays a small file.
    """
    while True:
        case = _network_case(rng, (1, 1, 1))
        case["X"] = rng.choice([-1.0, 1.0], (1, size))
        case["target"] = case["target"][:1]
        case["params"]["W"] = np.round(0.01 * rng.integers(-4, 5, (size, 1)), 2)
        _, grads = network(case)(case["params"])
        if all(np.abs(g).min() > 0.1 for g in grads.values()):
            return case


def check_gradients_family(on: Switches) -> Callable[..., Any]:
    def check_gradients(
        loss_and_grads: Any, params: Any, *, per_parameter: int, rng: Rng, h: float = 1e-5
    ) -> Any:
        _, grads = loss_and_grads(params)
        h = 1e-5 if "h-ignored" in on else h
        rng = np.random.default_rng(0) if "own-generator" in on else rng
        if "one-long-vector" in on:
            total = sum(v.size for v in params.values())
            picks = rng.choice(total, size=min(per_parameter, total), replace=False)
        errors: dict[str, float] = {}
        start = 0
        for name, value in params.items():
            if "one-long-vector" in on:
                flat = [int(k) - start for k in picks if start <= k < start + value.size]
                start += value.size
            else:
                count = value.size if "every-coordinate" in on else min(per_parameter, value.size)
                count = 1 if "first-only" in on else count
                flat = list(rng.choice(value.size, size=count, replace=False))
                if on & {"first-ones", "first-only"}:
                    flat = list(range(count))
            pairs = [
                _slopes(on, loss_and_grads, params, name, int(k), grads[name], h) for k in flat
            ]
            errors[name] = _together(on, pairs)
        if "one-number" in on:
            return float(np.max(list(errors.values())))
        return errors

    return check_gradients


def _slopes(
    on: Switches, loss_and_grads: Any, params: Any, name: str, k: int, grad: Any, h: float
) -> tuple[float, float]:
    """The numerical and the analytic slope at one coordinate."""
    index = np.unravel_index(k, params[name].shape)

    def loss(by: float) -> float:
        moved = params[name] if "left-moved" in on and by < 0 else params[name].copy()
        moved[index] += by
        return float(loss_and_grads({**params, name: moved})[0])

    if "forward" in on:
        numerical = (loss(h) - float(loss_and_grads(params)[0])) / h
    else:
        numerical = (loss(h) - loss(-h)) / (h if "not-halved" in on else 2 * h)
    return numerical, float(grad[index])


def _together(on: Switches, pairs: list[tuple[float, float]]) -> float:
    """One error of all the slopes of a parameter."""
    if not pairs:
        return 0.0
    numerical, analytic = np.array(pairs).T
    if "norms" in on:
        size = max(np.linalg.norm(numerical), np.linalg.norm(analytic))
        return float(np.linalg.norm(numerical - analytic) / size)
    gaps, sizes = np.abs(numerical - analytic), np.maximum(np.abs(numerical), np.abs(analytic))
    if "sum" in on:
        sizes = np.abs(numerical) + np.abs(analytic)
    errors = (
        gaps if "absolute" in on else np.where(sizes == 0, 0.0, gaps / np.where(sizes, sizes, 1))
    )
    if "nan-swallowed" in on:
        errors = np.nan_to_num(errors, nan=0.0)
    if "smallest" in on:
        return float(errors.min())
    return float(errors.mean() if "mean" in on else errors.max())


_WORST_COORDINATE_MEAN = Mistake(
    "mean",
    "It looks as if the mean of the errors is taken.",
    "One wrong coordinate drowns in a mean: take the largest.",
)

add(
    Entry(
        question="check_gradients",
        reference=reference.check_gradients,
        cases=check_gradients_cases,
        family=check_gradients_family,
        mistakes=(
            Mistake(
                "one-long-vector",
                "It looks as if the coordinates are drawn from all parameters together.",
                "Draw `per_parameter` from every parameter, or small biases are never looked at.",
            ),
            Mistake(
                "not-halved",
                "It looks as if the difference is divided by h.",
                "From −h to +h the distance is 2h.",
            ),
            Mistake(
                "forward",
                "It looks as if the forward difference is used.",
                "Its own error, near 1e-5, hides what you look for: use the centred one.",
            ),
            Mistake(
                "absolute",
                "It looks as if absolute errors come back.",
                "Divide by the larger of the two gradients.",
            ),
            Mistake(
                "sum",
                "It looks as if you divide by the sum of the two gradients' sizes.",
                "Divide by the larger one.",
            ),
            Mistake(
                "left-moved",
                "It looks as if a parameter is not what it was after its step.",
                "Step on a copy, or put the number back before the next coordinate.",
            ),
            Mistake(
                "every-coordinate",
                "It looks as if every coordinate is checked.",
                "Only `per_parameter` of each: a real network has millions.",
            ),
            Mistake(
                "one-number",
                "It looks as if one number comes back for all parameters.",
                "Return a dictionary, one error a parameter: it tells where to look.",
            ),
            _WORST_COORDINATE_MEAN,
            Mistake(
                "smallest",
                "It looks as if the smallest error of each parameter is returned.",
                "A check is as good as its worst coordinate: take the largest.",
            ),
            Mistake(
                "norms",
                "It looks as if whole gradients are compared by their length.",
                "A wrong coordinate drowns among many: compare one by one, and take the largest.",
            ),
            Mistake(
                "first-only",
                "It looks as if only the first coordinate of each parameter is checked.",
                "Check `per_parameter` coordinates of each, drawn at random.",
            ),
            Mistake(
                "first-ones",
                "It looks as if the first coordinates of each parameter are checked.",
                "Bugs don't live in the first rows only: draw at random.",
            ),
            Mistake(
                "own-generator",
                "It looks as if a generator of your own is used, with a fixed seed.",
                "Draw from the `rng` that is handed in.",
            ),
            _H_IGNORED,
        ),
    )
)


def penalty_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # The worst parameter is never the first one, nor the last one by rule.
    for bugs, factors, reg, about in (
        ({"b": 1.4, "V": 1.1}, (1.0, 1.0, 1.0), 5.0, "bugs in the data loss"),
        ({}, (1.0, 0.5, 0.7), 0.5, "bugs in the penalty"),
        ({"W": 1.2, "V": 0.7}, (1.2, 2.0, 1.0), 2.0, "bugs in both"),
    ):
        case = _network_case(rng)
        case["directions"] = _directions(rng, case)
        while any(abs(np.sum(case["directions"][n] * p)) < 0.1 for n, p in case["params"].items()):
            # The penalty's slope isn't nearly 0 either.
            case["directions"] = _directions(rng, case)
        factor = dict(zip("WbV", factors, strict=True))
        case |= {"bugs": bugs, "penalty_factor": factor, "reg": reg, "about": about}
        cases.append(case)
    return cases


def penalty_check_family(on: Switches) -> Callable[..., Any]:
    def penalty_check(loss_and_grads: Any, params: Any, check: Any, *, reg: float) -> Any:
        def data(p: Any) -> Any:
            return loss_and_grads(p, reg if "data-with-penalty" in on else 0.0)

        def penalty(p: Any) -> Any:
            (total, total_grads), (loss, grads) = loss_and_grads(p, reg), loss_and_grads(p, 0.0)
            rest = {n: total_grads[n] - grads[n] for n in grads}
            if "grads-not-subtracted" in on:
                rest = total_grads
            if "loss-not-subtracted" in on:
                loss = 0.0
            if "not-subtracted" in on:
                return total, total_grads
            return total - loss, rest

        def worst(errors: Any) -> Any:
            values = list(errors.values())
            if "first-only" in on:
                return values[0]
            if "smallest" in on:
                return min(values)
            return sum(values) / len(values) if "mean" in on else max(values)

        result = {"data": worst(check(data, params)), "penalty": worst(check(penalty, params))}
        if "swapped" in on:
            result = {"data": result["penalty"], "penalty": result["data"]}
        return result

    return penalty_check


_WORST_MEAN = Mistake(
    "mean",
    "It looks as if the mean of the errors is taken.",
    "One wrong parameter drowns in a mean: take the largest.",
)
_SMALLEST = Mistake(
    "smallest",
    "It looks as if the smallest error is returned.",
    "A check is as good as its worst coordinate: take the largest.",
)

add(
    Entry(
        question="penalty_check",
        reference=reference.penalty_check,
        cases=penalty_check_cases,
        family=penalty_check_family,
        mistakes=(
            Mistake(
                "data-with-penalty",
                "It looks as if the data loss is checked with the penalty on.",
                "Take it at reg = 0: a large penalty hides what is wrong in the data gradient.",
            ),
            Mistake(
                "not-subtracted",
                "It looks as if the penalty is checked together with the data loss.",
                "What reg adds is the difference from reg = 0, in the loss and in the gradients.",
            ),
            Mistake(
                "grads-not-subtracted",
                "It looks as if the penalty's gradients still hold the data gradients.",
                "Subtract the gradients at reg = 0, as you do with the loss.",
            ),
            Mistake(
                "loss-not-subtracted",
                "It looks as if the penalty's loss still holds the data loss.",
                "Subtract the loss at reg = 0, at the same parameters, as with the gradients.",
            ),
            Mistake(
                "first-only",
                "It looks as if only the first parameter's error is returned.",
                "Take the largest error over all parameters.",
            ),
            _WORST_MEAN,
            _SMALLEST,
            Mistake(
                "swapped",
                "It looks as if the two answers have changed places.",
                '"data" is the loss at reg = 0, "penalty" is what reg adds.',
            ),
        ),
    )
)


def burn_in_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for scale, num_steps, learning_rate in ((1e-3, 4, 0.1), (0.1, 3, 0.03)):
        case = _network_case(rng, scale=scale)
        # Tiny weights leave the saddle at zero slowly: the output layer starts larger.
        case["params"]["V"] = rng.normal(size=case["params"]["V"].shape)
        case |= {
            "bugs": {"tanh": 0.5},
            "directions": _directions(rng, case),
            "num_steps": num_steps,
            "learning_rate": learning_rate,
            "about": f"{num_steps} steps at a learning rate of {learning_rate:g}",
        }
        cases.append(case)
    return cases


def burn_in_check_family(on: Switches) -> Callable[..., Any]:
    def burn_in_check(
        loss_and_grads: Any, params: Any, check: Any, *, learning_rate: float, num_steps: int
    ) -> Any:
        moved = dict(params)
        steps = num_steps + ("one-more" in on) - ("one-less" in on)
        steps = 0 if "no-burn-in" in on else steps
        _, stale = loss_and_grads(moved)
        for _ in range(steps):
            grads = stale if "stale-gradient" in on else loss_and_grads(moved)[1]
            rate = (1 if "uphill" in on else -1) * (1 if "no-rate" in on else learning_rate)
            start, moved = moved, dict(moved)
            for name in start:
                if "one-by-one" in on:
                    grads = loss_and_grads(moved)[1]
                if "first-only" not in on or name == next(iter(start)):
                    moved[name] = start[name] + rate * grads[name]
        before, after = check(loss_and_grads, params), check(loss_and_grads, moved)
        if "both-after" in on:
            before = after
        return (after, before) if "swapped" in on else (before, after)

    return burn_in_check


add(
    Entry(
        question="burn_in_check",
        reference=reference.burn_in_check,
        cases=burn_in_check_cases,
        family=burn_in_check_family,
        mistakes=(
            Mistake(
                "no-burn-in",
                "It looks as if the parameters don't move before the second check.",
                "Keep the result of every step and check at the end of the burn-in.",
            ),
            Mistake(
                "uphill",
                "It looks as if the steps go uphill.",
                "Subtract learning_rate · gradient.",
            ),
            Mistake(
                "stale-gradient",
                "It looks as if every step uses the first gradient.",
                "Ask for the gradient anew at the parameters of each step.",
            ),
            Mistake(
                "one-less",
                "It looks as if one step is missing.",
                "Take exactly `num_steps` steps between the two checks.",
            ),
            Mistake(
                "one-more",
                "It looks as if there is one step too many.",
                "Take exactly `num_steps` steps between the two checks.",
            ),
            Mistake(
                "first-only",
                "It looks as if only the first parameter moves.",
                "Update every parameter in each step.",
            ),
            Mistake(
                "one-by-one",
                "It looks as if the gradient is taken anew after each parameter has moved.",
                "Compute all gradients first, then move all parameters.",
            ),
            Mistake(
                "no-rate",
                "It looks as if the steps leave out the learning rate.",
                "Subtract learning_rate · gradient.",
            ),
            Mistake(
                "both-after",
                "It looks as if both checks see the parameters after the burn-in.",
                "Check first, or move copies: the start must still be there.",
            ),
            Mistake(
                "swapped",
                "It looks as if the two results have changed places.",
                "Return the errors before the burn-in first.",
            ),
        ),
    )
)


def seeded_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for bugs, about in (
        ({"tanh": 0.4}, "a bug that shows in some masks more"),
        ({}, "a right network"),
    ):
        case = _network_case(rng)
        case |= {"bugs": bugs, "seed": int(rng.integers(2**30)), "about": about}
        case["directions"] = _directions(rng, case)
        cases.append(case)
    return cases


def seeded_check_family(on: Switches) -> Callable[..., Any]:
    def seeded_check(loss_and_grads: Any, params: Any, check: Any, *, seed: int) -> Any:
        shared = np.random.default_rng(seed)
        calls = 0

        def frozen(p: Any) -> Any:
            nonlocal calls
            calls += 1
            if "shared" in on:
                return loss_and_grads(p, shared)
            if "seed-per-call" in on:
                return loss_and_grads(p, np.random.default_rng(seed + calls))
            if "own-seed" in on:
                return loss_and_grads(p, np.random.default_rng(0))
            if "seed-moved" in on:
                return loss_and_grads(p, np.random.default_rng(seed + 1))
            if "gradient-apart" in on and calls == 1:
                return loss_and_grads(p, shared)[0], loss_and_grads(p, shared)[1]
            return loss_and_grads(p, np.random.default_rng(seed))

        errors = check(frozen, params)
        return max(errors.values()) if "one-number" in on else errors

    return seeded_check


add(
    Entry(
        question="seeded_check",
        reference=reference.seeded_check,
        cases=seeded_check_cases,
        family=seeded_check_family,
        mistakes=(
            Mistake(
                "shared",
                "It looks as if one generator runs on from call to call.",
                "Make a new generator from `seed` in every call.",
            ),
            Mistake(
                "seed-per-call",
                "It looks as if every call has a seed of its own.",
                "f(x + h), f(x − h) and the analytic pass must meet the same mask.",
            ),
            Mistake(
                "own-seed",
                "It looks as if `seed` isn't used.",
                "Make the generator from the seed that is handed in.",
            ),
            Mistake(
                "seed-moved",
                "It looks as if the generator is made from seed + 1.",
                "Make it from `seed` itself.",
            ),
            Mistake(
                "gradient-apart",
                "It looks as if the analytic gradient comes from another mask than the losses.",
                "Take loss and gradients from one call, with a generator made for it.",
            ),
            Mistake(
                "one-number",
                "It looks as if one number comes back.",
                "Return what `check` returns: one error a parameter.",
            ),
        ),
    )
)


def precision_errors_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # Each parameter is the worst one once, the best one once and in between once.
    for order in ("WbV", "bVW", "VWb"):
        case = _network_case(rng)
        case["about"] = "a network of three parameters"
        case["errors"] = {
            dtype: _in_order(order, low * rng.uniform([3, 1, 6], [5, 2, 9]))
            for dtype, low in (
                ("float16", 1e-1),
                ("float32", 1e-3),
                ("float64", 1e-9),
                ("mixed", 1e-2),
            )
        }
        cases.append(case)
    return cases


def _in_order(names: str, errors: Array) -> dict[str, float]:
    """The errors of W, b and V, in that order whatever that of `names` is."""
    by_name = dict(zip(names, errors.tolist(), strict=True))
    return {name: by_name[name] for name in "WbV"}


def precision_errors_family(on: Switches) -> Callable[..., Any]:
    def precision_errors(loss_and_grads: Any, params: Any, check: Any) -> Any:
        def worst(dtype: str) -> Any:
            cast = {
                name: value.astype(dtype) if name == "W" or "one-cast" not in on else value
                for name, value in params.items()
            }
            if "not-cast" in on:
                cast = params
            values = list(check(loss_and_grads, cast).values())
            if on & {"first-only", "last-only"}:
                return values[0 if "first-only" in on else -1]
            if "smallest" in on:
                return min(values)
            return sum(values) / len(values) if "mean" in on else max(values)

        low, high = worst("float16" if "half" in on else "float32"), worst("float64")
        if "swapped" in on:
            low, high = high, low
        return {"float32": low, "float64": high}

    return precision_errors


add(
    Entry(
        question="precision_errors",
        reference=reference.precision_errors,
        cases=precision_errors_cases,
        family=precision_errors_family,
        mistakes=(
            Mistake(
                "not-cast",
                "It looks as if the parameters stay in float64.",
                "Cast every parameter with astype before the check.",
            ),
            Mistake(
                "one-cast",
                "It looks as if only one parameter is cast.",
                "One float64 array turns the whole sum back into float64: cast them all.",
            ),
            Mistake(
                "half",
                "It looks as if float16 is used.",
                "Single precision is float32.",
            ),
            _WORST_MEAN,
            Mistake(
                "first-only",
                "It looks as if only the first parameter's error is returned.",
                "Take the largest error over all parameters.",
            ),
            _SMALLEST,
            Mistake(
                "last-only",
                "It looks as if only the last parameter's error is returned.",
                "Take the largest error over all parameters.",
            ),
            Mistake(
                "swapped",
                "It looks as if the two answers have changed places.",
                "Each key names the precision its error was found in.",
            ),
        ),
    )
)


def find_bugs_cases(rng: Rng) -> list[Case]:
    """Layers whose bugs, or whose soundness, only a careful check tells apart."""
    plans: tuple[tuple[Case, Case], ...] = (
        ({}, _clear_case(rng, (2, 1, 1))),
        ({}, _clear_case(rng, (3, 2, 1), size=1e3)),
        ({"W": -1.0}, _clear_case(rng, (2, 1, 1))),
        ({"V": 1.003}, _clear_case(rng, (2, 1, 1))),
        ({"b": 2.0}, _wide(rng, 1000)),
        ({"b": 0.6}, _wide(rng, 1000)),
        (dict.fromkeys("WbV", float("nan")), _clear_case(rng, (2, 1, 1))),
        (dict.fromkeys("WbV", 1.4), _clear_case(rng, (2, 1, 1), size=1e-5)),
    )
    names = [f"layer {i}" for i in rng.permutation(20) + 1]
    layers = [
        {"name": name, **case, "bugs": bugs}
        for name, (bugs, case) in zip(names[: len(plans)], plans, strict=True)
    ]
    return [
        {
            "about": f"{len(layers)} layers",
            "layers": [layers[i] for i in rng.permutation(len(layers))],
            "seed": int(rng.integers(2**31)),
        }
    ]


def find_bugs_family(on: Switches) -> Callable[..., Any]:
    def find_bugs(layers: Any, rng: Rng) -> Any:
        found = set()
        threshold = 1e-2 if "too-lenient" in on else 1e-4
        check = check_gradients_family(on & {"one-long-vector", "absolute", "nan-swallowed"})
        for name, (loss_and_grads, params) in layers.items():
            errors = check(loss_and_grads, params, per_parameter=5, rng=rng)
            worst = errors["W"] if "first-only" in on else np.max(list(errors.values()))
            if (worst <= threshold) == ("inverted" in on):
                found.add(name)
        if on & {"none-named", "all-named"}:
            return set(layers) if "all-named" in on else set()
        return found

    return find_bugs


add(
    Entry(
        question="find_bugs",
        reference=reference.find_bugs,
        cases=find_bugs_cases,
        family=find_bugs_family,
        mistakes=(
            Mistake(
                "too-lenient",
                "It looks as if errors up to 1e-2 pass.",
                "A smooth layer in float64 should come out at 1e-7 or below; 1e-3 is a bug.",
            ),
            Mistake(
                "first-only",
                "It looks as if only the first parameter of each layer is checked.",
                "A layer is wrong when any of its parameters is.",
            ),
            Mistake(
                "one-long-vector",
                "It looks as if the coordinates are drawn from all parameters together.",
                "A bug in a bias of 1 beside a weight of 1,000 is then missed: draw from each.",
            ),
            Mistake(
                "absolute",
                "It looks as if absolute errors are compared with the threshold.",
                "Small gradients hide their bugs so, and large ones are accused.",
            ),
            Mistake(
                "inverted",
                "It looks as if the right layers are named.",
                "Return the layers with a bug.",
            ),
            Mistake(
                "nan-swallowed",
                "It looks as if NaN gets lost on the way.",
                "max(0.0, nan) is 0.0, and nan > 1e-4 is False: "
                "use np.max, and ask `not error <= limit`.",
            ),
            Mistake(
                "none-named",
                "No layer is named.",
                "Some do have a bug: add the name of each whose error is above the threshold.",
            ),
            Mistake(
                "all-named",
                "Every layer is named.",
                "Some are right, but for rounding near 1e-10: put the threshold well above that.",
            ),
        ),
    )
)
