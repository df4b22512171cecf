"""Which coordinates are checked, and what a scale does to a check."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from descent.questions.gradient_checks import wave_gradient
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import sentences, written

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


def sample_by_shuffling(params: Mapping[str, Any], per_parameter: int, rng: Rng) -> Any:
    """Lists every index and shuffles the list."""
    chosen = {}
    for name, value in params.items():
        every = list(np.ndindex(value.shape))
        order = rng.permutation(len(every))[:per_parameter]
        chosen[name] = [every[int(k)] for k in order]
    return chosen


def _from_one_vector(params: Any, count: int, rng: Rng) -> dict[str, Any]:
    """Flat positions by parameter, `count` in all, drawn from all parameters together."""
    ends = np.cumsum([value.size for value in params.values()])
    picks = rng.choice(ends[-1], size=min(count, int(ends[-1])), replace=False)
    parts = zip(params.items(), ends, strict=True)
    return {
        name: [int(k - end + v.size) for k in picks if end - v.size <= k < end]
        for (name, v), end in parts
    }


def _axes_apart(shape: tuple[int, ...], count: int, rng: Rng) -> Any:
    """Flat positions in a matrix of which no two share a row or a column."""
    if len(shape) != 2 or min(shape) < count:
        return rng.choice(int(np.prod(shape)), size=count, replace=False)
    return np.ravel_multi_index([rng.choice(n, count, False) for n in shape], shape)


# What is longer than an edit should be, under the names by which edits call it.
HELPERS = {"from_one_vector": _from_one_vector, "axes_apart": _axes_apart}


def _own_seed(sample: Any) -> Any:
    return lambda params, count, rng: sample(params, count, np.random.default_rng(0))


SAMPLE_COORDINATES = Entry(
    "sample_coordinates",
    reference.sample_coordinates,
    sample_coordinates_cases,
    variants={"every index, shuffled": sample_by_shuffling},
    bound=HELPERS,
    mistakes=written(
        """
        one-long-vector: chosen = {}
            →  chosen, flats = {}, from_one_vector(params, per_parameter * len(params), rng)
            rng.choice(value.size, size=count, replace=False)  →  flats[name]
            It looks as if the coordinates come from one long vector of all parameters. Try: The
            biases all but vanish beside the weights: draw from each parameter by itself.
        with-replacement: rng.choice(value.size, size=count, replace=False)
            →  rng.integers(0, value.size, count)
            It looks as if a coordinate may come up twice.
            Try: Draw without replacement: rng.choice(..., replace=False).
        own-seed:
            It looks as if a generator of your own is used, with a fixed seed.
            Try: Draw from the `rng` that is handed in.
        first-ones: rng.choice(value.size, size=count, replace=False)  →  np.arange(count)
            It looks as if the first coordinates are taken.
            Try: Bugs don't live in the first rows only: draw at random.
        flat: tuple(int(i) for i in np.unravel_index(k, value.shape))  →  int(k)
            It looks as if flat positions come back.
            Try: Return index tuples, one number an axis: np.unravel_index.
        arrays: tuple(int(i) for i in np.unravel_index(k, value.shape))
            →  np.array(np.unravel_index(k, value.shape))
            It looks as if each position is an array.
            Try: An array as an index picks whole rows: make it a tuple.
        run: rng.choice(value.size, size=count, replace=False)
            →  (rng.integers(value.size) + np.arange(count)) % value.size
            It looks as if the positions follow one another, from a random start.
            Try: Neighbours share their bugs: draw every position by itself.
        axes-apart: rng.choice(value.size, size=count, replace=False)
            →  axes_apart(value.shape, count, rng)
            It looks as if rows and columns are drawn apart, none of them twice.
            Try: Two positions may share a row. Draw flat positions, and unravel them.
        never-last: count =  →  size = max(1, value.size - 1)⏎count =
            per_parameter, value.size  →  per_parameter, size
            choice(value.size  →  choice(size
            It looks as if the last coordinate is never drawn.
            Try: The upper end of a range is left out already; don't subtract one.
        """,
        wrap={"own-seed": _own_seed},
    ),
)

# ---- scaling -------------------------------------------------------------------------------------

H_IGNORED = sentences("""
    h-ignored:
        It looks as if the step is 1e-5 whatever `h` is. Try: Hand `h` on to the difference.
""")


def usual_step(check: Any) -> Any:
    """A check that takes its step for granted."""
    return lambda *given, h=None, **named: check(*given, **named)


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


SCALED_CHECK = Entry(
    "scaled_check",
    reference.scaled_check,
    scaled_check_cases,
    through=(reference.relative_error,),
    mistakes=written(
        """
        forgotten: scale * f(z)  →  1.0 * f(z)
            scale * np.asarray  →  1.0 * np.asarray
            It looks as if `scale` isn't used before the difference is taken.
            Try: Take the difference of `scale * f`; the factor of a finished one cancels.
        numerical-only: scale * np.asarray  →  1.0 * np.asarray
            It looks as if only f is scaled.
            Try: The gradient of scale · f is scale · df: scale both.
        analytic-only: scale * f(z)  →  1.0 * f(z)
            It looks as if only df is scaled.
            Try: Scale f as well, before the difference is taken.
        absolute: np.where(both_zero, 1.0, larger)  →  1.0
            It looks as if the absolute error comes back.
            Try: Divide by the larger of the two gradients, elementwise.
        mean: numerical).max()  →  numerical).mean()
            It looks as if the mean of the errors comes back.
            Try: One wrong coordinate drowns in a mean: return the largest.
        forward: central_difference  →  forward_difference
            It looks as if the forward difference is used.
            Try: Use the centred difference; its own error is far smaller.
        signed: np.abs(a - b)  →  (b - a)
            It looks as if the errors keep their sign. Try: Take absolute values before the maximum.
        analytic-size: np.where(both_zero, 1.0, larger)  →  np.abs(a)
            It looks as if you divide by the size of the analytic gradient alone.
            Try: Neither is known to be right: divide by the larger of the two sizes.
        epsilon: np.where(both_zero, 1.0, larger)
            →  (np.where(both_zero, 1.0, larger) + 1e-8)
            It looks as if a small number is added to the denominator.
            Try: It hides the errors of small gradients, and this check is about scale.
        h-ignored:
        """,
        said=H_IGNORED,
        wrap={"h-ignored": usual_step},
    ),
)
