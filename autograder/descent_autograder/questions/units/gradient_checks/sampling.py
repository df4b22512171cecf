"""Which coordinates a check looks at, and the check of a loss that was multiplied first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from descent.questions.gradient_checks import wave_gradient
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import sentences, written

# ---- sample_coordinates --------------------------------------------------------------------------


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
    return {
        name: [tuple(i) for i in rng.permutation(list(np.ndindex(value.shape)))[:per_parameter]]
        for name, value in params.items()
    }


# Behind the line that says how many are drawn of the `total`, as `size`.
FROM_ONE_VECTOR = """for name, value
            →  picks = rng.choice(total, size=size, replace=False)⏎for name, value
            chosen = {}  →  total = sum(v.size for v in params.values())⏎chosen, start = {}, 0
            rng.choice(value.size, size=count, replace=False)
            →  [k - start for k in picks if start <= k < start + value.size]
            chosen[name] =  →  start += value.size⏎chosen[name] ="""

SAMPLE_COORDINATES = Entry(
    "sample_coordinates",
    reference.sample_coordinates,
    sample_coordinates_cases,
    variants={"every index, shuffled": sample_by_shuffling},
    mistakes=written(
        f"""
        one-long-vector:
            for name, value  →  size = min(total, per_parameter * len(params))⏎for name, value
            {FROM_ONE_VECTOR}
            It looks as if the coordinates come from one long vector of all parameters.
            Try: The biases all but vanish beside the weights: draw from each parameter by itself.
        with-replacement: replace=False  →  replace=True
            It looks as if a coordinate may come up twice.
            Try: Draw without replacement: rng.choice(..., replace=False).
        own-seed: chosen =  →  rng = np.random.default_rng(0)⏎chosen =
            It looks as if a generator of your own is used, with a fixed seed.
            Try: Draw from the `rng` that is handed in.
        first-ones: for k in flat  →  for k in range(count)
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
            →  np.roll(np.arange(value.size), -rng.integers(value.size))[:count]
            It looks as if the positions follow one another, from a random start.
            Try: Neighbours share their bugs: draw every position by itself.
        axes-apart: chosen[name] =
            →  axes = [rng.permutation(n)[:count] for n in value.shape if n >= count]⏎chosen[name] =
            chosen[
            →  flat = np.ravel_multi_index(axes, value.shape) if len(axes) == 2 else flat⏎chosen[
            It looks as if rows and columns are drawn apart, none of them twice.
            Try: Two positions may share a row. Draw flat positions, and unravel them.
        never-last: value.size  ⇒  max(1, value.size - 1)
            It looks as if the last coordinate is never drawn.
            Try: The upper end of a range is left out already; don't subtract one.
        """
    ),
)

# ---- scaled_check --------------------------------------------------------------------------------

H_IGNORED = sentences("""h-ignored:
    It looks as if the step is 1e-5 whatever `h` is. Try: Hand `h` on to the difference.""")


def scaled_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for shape, scale, h in (((2, 2), 1e4, 1e-4), ((), 50.0, None), ((3,), 1e-7, 0.3)):
        x = np.asarray(rng.uniform(-1, 1, shape))
        w = np.asarray(rng.uniform(0.5, 2.0, shape))
        # Too large in every coordinate, so that a signed error is negative throughout; once too
        # small, by more than the difference itself is off at its large h.
        planted = 1 + rng.uniform(0.01, 0.05, shape) * np.sign(wave_gradient(w)(x))
        if scale < 1:
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
    through=(reference.central_difference, reference.relative_error),
    mistakes=written(
        """
        forgotten: scale * f(z)  →  f(z)
            scale * np.asarray  →  np.asarray
            It looks as if `scale` isn't used before the difference is taken.
            Try: Take the difference of `scale * f`; the factor of a finished one cancels.
        numerical-only: scale * np.asarray  →  np.asarray
            It looks as if only f is scaled.
            Try: The gradient of scale · f is scale · df: scale both.
        analytic-only: scale * f(z)  →  f(z)
            It looks as if only df is scaled. Try: Scale f as well, before the difference is taken.
        absolute: / np.where(both_zero, 1.0, larger)  →
            It looks as if the absolute error comes back.
            Try: Divide by the larger of the two gradients, elementwise.
        mean: numerical).max()  →  numerical).mean()
            It looks as if the mean of the errors comes back.
            Try: One wrong coordinate drowns in a mean: return the largest.
        forward: f(minus)) / (2 * h)  →  f(x)) / h
            It looks as if the forward difference is used.
            Try: Use the centred difference; its own error is far smaller.
        signed: np.abs(a - b)  →  (b - a)
            It looks as if the errors keep their sign. Try: Take absolute values before the maximum.
        analytic-size: np.maximum(np.abs(a), np.abs(b))  →  np.abs(a)
            It looks as if you divide by the size of the analytic gradient alone.
            Try: Neither is known to be right: divide by the larger of the two sizes.
        epsilon: 1.0, larger)  →  1.0, larger + 1e-8)
            It looks as if a small number is added to the denominator.
            Try: It hides the errors of small gradients, and this check is about scale.
        h-ignored: , x, h)  →  , x)
        """,
        said=H_IGNORED,
    ),
)
