"""Unit 5 for the grader: fresh cases, accepted variants, and the mistakes students make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.judging import Mistake
from descent.questions.babysitting import CURVES, FAULTS, HEALTHY
from descent_solutions import babysitting as reference

from descent_autograder.questions.legacy import Entry, Switches, add
from descent_autograder.questions.trainings import LEARNING_RATES, trainings

Array = npt.NDArray[Any]
Rng = np.random.Generator
Case = dict[str, Any]

# ---- small measurements --------------------------------------------------------------------------


def epochs_axis_cases(rng: Rng) -> list[Case]:
    cases = []
    for num_iterations, num_examples, batch_size in (
        (7, 100, 40),
        (5, 6, 6),
        (1, 50, 7),
        (int(rng.integers(10, 30)), int(rng.integers(200, 900)), int(rng.integers(11, 90))),
        _with_one_too_many(rng),
    ):
        cases.append(
            {
                "about": f"{num_iterations} batches of {batch_size}, N = {num_examples}",
                "num_iterations": num_iterations,
                "num_examples": num_examples,
                "batch_size": batch_size,
            }
        )
    return cases


def _with_one_too_many(rng: Rng) -> tuple[int, int, int]:
    """A training in which np.arange with a step of one batch yields one number too many."""
    while True:
        num, examples, size = (int(rng.integers(*r)) for r in ((5, 30), (200, 900), (11, 90)))
        if len(_float_steps(num, examples, size)) != num:
            return num, examples, size


def _float_steps(num_iterations: int, num_examples: int, batch_size: int) -> Array:
    step = batch_size / num_examples
    return np.arange(0, num_iterations * batch_size / num_examples, step)


def epochs_axis_family(on: Switches) -> Callable[..., Any]:
    def epochs_axis(num_iterations: int, num_examples: int, batch_size: int) -> Any:
        iterations = np.arange(num_iterations) + ("from-one" in on)
        if "iterations" in on:
            return iterations * 1.0
        if "batch-forgotten" in on:
            return iterations / num_examples
        if "upside-down" in on:
            return iterations * num_examples / batch_size
        if "examples" in on:
            return iterations * float(batch_size)
        if "stretched" in on:
            return np.linspace(0, num_iterations * batch_size / num_examples, num_iterations)
        if "float-steps" in on:
            return _float_steps(num_iterations, num_examples, batch_size)
        epochs = iterations * batch_size / num_examples
        whole, left = np.divmod(iterations, -(-num_examples // batch_size))
        if "whole-batches" in on:
            epochs = iterations / -(-num_examples // batch_size)
        elif "short-batches" in on:
            epochs = whole + left * batch_size / num_examples
        return np.floor(epochs) if "whole-epochs" in on else epochs

    return epochs_axis


def epochs_axis_loop(num_iterations: int, num_examples: int, batch_size: int) -> Any:
    """Counts examples."""
    used, epochs = 0, []
    for _ in range(num_iterations):
        epochs.append(used / num_examples)
        used += batch_size
    return epochs


add(
    Entry(
        question="epochs_axis",
        reference=reference.epochs_axis,
        cases=epochs_axis_cases,
        family=epochs_axis_family,
        # The last, short batch of an epoch may be counted as a whole one, as one of as many
        # batches, or as what it is.
        freedoms_=("whole-batches", "short-batches"),
        mistakes=(
            Mistake(
                "from-one",
                "It looks as if the axis begins after the first batch.",
                "The first loss is measured before its update, when no example has been used: "
                "begin at 0.",
            ),
            Mistake(
                "whole-epochs",
                "It looks as if epochs are rounded down to whole ones.",
                "Keep the fractions: several losses of one epoch mustn't share a place.",
            ),
            Mistake(
                "iterations",
                "It looks as if the axis counts iterations.",
                "An epoch is num_examples / batch_size of them.",
            ),
            Mistake(
                "batch-forgotten",
                "It looks as if every iteration uses one example.",
                "Each iteration uses batch_size of them.",
            ),
            Mistake(
                "upside-down",
                "It looks as if the fraction is upside down.",
                "One iteration is batch_size / num_examples of an epoch: a small part.",
            ),
            Mistake(
                "examples",
                "It looks as if the axis counts examples.",
                "Divide by num_examples: an epoch is once through all of them.",
            ),
            Mistake(
                "stretched",
                "It looks as if the last iteration stands at the end of the training.",
                "Iteration i stands where i batches have been used; np.linspace includes its end.",
            ),
            Mistake(
                "float-steps",
                "It looks as if np.arange takes steps that aren't whole: rounding can add one.",
                "Count in whole numbers, np.arange(num_iterations), and multiply after that.",
            ),
        ),
        variants={"a loop that counts": epochs_axis_loop},
    )
)


def update_ratio_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for shape, size in (((4, 3), 1e-3), ((5,), 0.1), ((2, 3, 2), 1e-5), ((3, 2), 1e-3)):
        w = rng.normal(size=shape)
        w.flat[0] = -3.0
        update = size * rng.normal(size=shape)
        cases.append({"about": f"w of shape {shape}", "w": w, "update": update})
    cases[-1]["about"], cases[-1]["w"] = "a w of zeros", np.zeros((3, 2))
    cases.append({"about": "an update of zeros", "w": rng.normal(size=4), "update": np.zeros(4)})
    some, other = rng.uniform(0.5, 2.0, 2)
    for about, weights in (
        ("a w with zeros among its elements", [[0.0, some], [other, 0.0]]),
        ("a w whose elements add up to 0", [[some, -some], [other, -other]]),
    ):
        update = 1e-3 * rng.normal(size=(2, 2))
        cases.append({"about": about, "w": np.array(weights), "update": update})
    return cases


def _norm(x: Array, on: Switches) -> float:
    if "spectral" in on and x.ndim == 2:
        return float(np.linalg.norm(x, 2))
    if "absolute-sum" in on:
        return float(np.abs(x).sum())
    if "largest" in on:
        return float(np.abs(x).max())
    square = float(np.sum(x**2))
    return square if "squared" in on else float(np.sqrt(square))


def update_ratio_family(on: Switches) -> Callable[..., Any]:
    def update_ratio(w: Any, update: Any) -> Any:
        if ("any-zero" in on and not np.all(w)) or ("sum-zero" in on and np.sum(w) == 0):
            return np.nan
        if not np.any(w):
            return 0.0 if "zero-for-nan" in on else np.inf if "inf-for-nan" in on else np.nan
        if "elementwise" in on:
            return np.mean(np.abs(update / w))
        if "after-update" in on:
            w = w + update
        top, bottom = _norm(update, on), _norm(w, on)
        with np.errstate(divide="ignore"):
            return np.float64(bottom) / top if "upside-down" in on else top / bottom

    return update_ratio


def update_ratio_loop(w: Any, update: Any) -> Any:
    """Sums squares one by one."""
    top = sum(float(u) ** 2 for u in np.ravel(update)) ** 0.5
    bottom = sum(float(v) ** 2 for v in np.ravel(w)) ** 0.5
    return top / bottom if bottom else float("nan")


add(
    Entry(
        question="update_ratio",
        reference=reference.update_ratio,
        cases=update_ratio_cases,
        family=update_ratio_family,
        mistakes=(
            Mistake(
                "upside-down",
                "It looks as if the weights are divided by the update.",
                "It is update : weight. Some notes write it the other way round.",
            ),
            Mistake(
                "squared",
                "It looks as if the square root of the norms is missing.",
                "The L2 norm is the root of the sum of squares, for both.",
            ),
            Mistake(
                "elementwise",
                "It looks as if the ratio is taken element by element and then averaged.",
                "Take the two norms first: one weight near 0 would spoil the mean.",
            ),
            Mistake(
                "absolute-sum",
                "It looks as if absolute values are summed.",
                "Use L2 norms: the root of the sum of squares.",
            ),
            Mistake(
                "largest",
                "It looks as if only the largest elements are compared.",
                "Use L2 norms over all elements.",
            ),
            Mistake(
                "spectral",
                "It looks as if the spectral norm of a matrix is taken.",
                "np.linalg.norm(w, 2) does that; without the 2 it is the L2 norm of all elements.",
            ),
            Mistake(
                "after-update",
                "It looks as if the update is held against the weights after it.",
                "Divide by the norm of the w that you are given.",
            ),
            Mistake(
                "zero-for-nan",
                "It looks as if a w of zeros gives 0.",
                "There is no ratio to zero: return NaN, so that nobody takes it for a small one.",
            ),
            Mistake(
                "inf-for-nan",
                "It looks as if a w of zeros gives infinity.",
                "There is no ratio to zero: return NaN, so that nobody takes it for a large one.",
            ),
            Mistake(
                "any-zero",
                "It looks as if one zero in w is enough for NaN.",
                "Only a w that is zero all through has no ratio: ask whether its norm is 0.",
            ),
            Mistake(
                "sum-zero",
                "It looks as if NaN comes back where the elements of w add up to 0.",
                "Weights of both signs cancel in a sum: ask whether the norm of w is 0.",
            ),
        ),
        variants={"loops": update_ratio_loop},
    )
)


def layer_statistics_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for sizes, spread in (((5, 4, 3), 1.5), ((6, 2), 3.0)):
        n = sizes[0] + 3
        layers = [np.tanh(spread * rng.normal(size=(n, width)) - 0.3) for width in sizes]
        # One surely saturated at either end, and one between 0.9 and 0.99.
        layers[0][0, :3] = 0.999, -0.999, 0.95
        layers[-1][1, :2] = -0.995, -0.95
        about = f"{len(sizes)} layers of {', '.join(map(str, sizes))} units, {n} examples"
        cases.append({"about": about, "activations": layers})
    return cases


def layer_statistics_family(on: Switches) -> Callable[..., Any]:
    bar = 0.9 if "lower-bar" in on else 0.99

    def layer_statistics(activations: Any) -> Any:
        whole = np.concatenate([np.ravel(a) for a in activations])
        found = []
        for layer in activations:
            a = whole if "all-layers-together" in on else layer
            beyond = a > bar if "one-side" in on else np.abs(a) > bar
            std = a.std(ddof=1 if "one-less" in on else 0)
            found.append(
                {
                    "mean": np.abs(a).mean() if "sign-dropped" in on else a.mean(),
                    "std": std**2 if "variance" in on else std,
                    "saturated": beyond.sum() if "counted" in on else beyond.mean(),
                }
            )
            if "per-unit" in on:
                found[-1] = {
                    "mean": a.mean(axis=0),
                    "std": a.std(axis=0),
                    "saturated": beyond.mean(axis=0),
                }
        return found

    return layer_statistics


add(
    Entry(
        question="layer_statistics",
        reference=reference.layer_statistics,
        cases=layer_statistics_cases,
        family=layer_statistics_family,
        mistakes=(
            Mistake(
                "one-side",
                "It looks as if only values near +1 count as saturated.",
                "A tanh saturates at both ends: look at the absolute value.",
            ),
            Mistake(
                "lower-bar",
                "It looks as if values beyond 0.9 count as saturated.",
                "The bar is 0.99.",
            ),
            Mistake(
                "counted",
                "It looks as if saturated values are counted.",
                "Return their share, between 0 and 1: layers have different sizes.",
            ),
            Mistake(
                "variance",
                "It looks as if the variance is returned.",
                "The standard deviation is its square root.",
            ),
            Mistake(
                "one-less",
                "It looks as if the standard deviation divides by n − 1.",
                "Divide by the number of values n, as np.std does.",
            ),
            Mistake(
                "sign-dropped",
                "It looks as if the mean is taken of absolute values.",
                "Keep the sign: a mean far from 0 is what you want to see.",
            ),
            Mistake(
                "per-unit",
                "It looks as if every unit gets numbers of its own.",
                "One number a layer: take mean, std and share over all examples and units.",
            ),
            Mistake(
                "all-layers-together",
                "It looks as if all layers are measured together.",
                "Each layer gets a dictionary of its own: the depth is the point.",
            ),
        ),
    )
)


def wiggle_cases(rng: Rng) -> list[Case]:
    cases = []
    for length, noise, fall in ((40, 0.05, 2.0), (25, 0.3, 0.0), (60, 0.0, 1.0), (2, 0.5, 1.0)):
        losses = 3 - fall * np.linspace(0, 1, length) + noise * rng.normal(size=length)
        about = f"{length} losses that fall by {fall:g} with noise of {noise:g}"
        cases.append({"about": about, "losses": losses})
    return cases


def wiggle_family(on: Switches) -> Callable[..., Any]:
    def wiggle(losses: Any) -> Any:
        if "trend-counted" in on:
            return np.std(losses)
        steps = np.diff(losses)
        if "mean-step" in on:
            return np.mean(np.abs(steps)) / np.sqrt(2)
        if "range" in on:
            return np.ptp(steps) / np.sqrt(2)
        size = np.sqrt(np.mean(steps**2)) if "not-centred" in on else np.std(steps)
        if "one-less" in on:
            size = np.sqrt(np.sum((steps - steps.mean()) ** 2) / np.float64(len(steps) - 1))
        if "root-missing" in on:
            return size
        size = size / (2 if "halved" in on else np.sqrt(2))
        if "relative" in on:
            size = size / np.mean(losses)
        return size**2 if "variance" in on else size

    return wiggle


add(
    Entry(
        question="wiggle",
        reference=reference.wiggle,
        cases=wiggle_cases,
        family=wiggle_family,
        mistakes=(
            Mistake(
                "trend-counted",
                "It looks as if the falling trend is counted as wiggle.",
                "Take differences between neighbours first: a slow trend hardly changes them.",
            ),
            Mistake(
                "root-missing",
                "It looks as if the √2 is missing.",
                "Each difference holds the noise of two losses: divide by √2.",
            ),
            Mistake(
                "halved",
                "It looks as if you divide by 2.",
                "Variances add, so the standard deviation of a difference is √2 times as large.",
            ),
            Mistake(
                "not-centred",
                "It looks as if the mean difference isn't taken away.",
                "That mean is the trend. np.std takes it away.",
            ),
            Mistake(
                "mean-step",
                "It looks as if the mean size of the differences is taken.",
                "Take their standard deviation.",
            ),
            Mistake(
                "range",
                "It looks as if the range of the differences is taken.",
                "Take their standard deviation: two outliers mustn't decide alone.",
            ),
            Mistake(
                "variance",
                "It looks as if the variance is returned.",
                "The standard deviation is its square root.",
            ),
            Mistake(
                "one-less",
                "It looks as if the standard deviation divides by one less than there are "
                "differences.",
                "Divide by their number, as np.std does.",
            ),
            Mistake(
                "relative",
                "It looks as if the wiggle is divided by the mean loss.",
                "Return it in the units of the loss.",
            ),
        ),
    )
)


def rate_in_band_cases(rng: Rng) -> list[Case]:
    def case(about: str, ratios: list[float], band: list[float] | None = None) -> Case:
        order = rng.permutation(len(ratios))
        rates = 10 ** (np.arange(len(ratios)) - 4 + rng.uniform(0, 0.9))
        return {
            "about": about,
            "rates": [float(rates[i]) for i in order],
            "ratios": [ratios[i] for i in order],
            "band": band,
        }

    u = float(rng.uniform(1, 1.2))
    return [
        case("five rates, two of them in the band", [2e-5 * u, 4e-4, 1.9e-3 * u, 9e-3, 0.2]),
        case("a band of its own", [1e-4, 1e-3, 1.5e-2 * u, 4e-2 * u, 0.4], [1e-2, 1e-1]),
        case("no rate in the band", [1e-5, 1e-4 * u, 5e-3 * u, 0.2]),
        case("a ratio that is NaN", [1e-4, 6e-4, 1.1e-3 * u, float("nan")]),
        case("a ratio near 1e-3 and a larger one in the band", [3.1e-4, 1e-3, 2.8e-3, 6e-2]),
        case("ratios on both ends of the band", [3e-4, 3e-3, 2e-2]),
        case("a large rate with a tiny ratio", [4e-4, 2e-3 * u, 8e-3, 1e-5]),
        case("a ratio above the band between two in it", [4e-4, 8e-3 * u, 9e-4, 2e-2]),
        case("ratios that fall while rates grow", [2.9e-3, 5e-4 * u, 1e-5]),
        case("a ratio on the lower end of the band", [3e-4, 2e-2]),
    ]


def rate_in_band_family(on: Switches) -> Callable[..., Any]:
    def rate_in_band(ratio_at: Any, rates: Any, *, low: float = 3e-4, high: float = 3e-3) -> Any:
        if "band-ignored" in on:
            low, high = 3e-4, 3e-3
        measured = [(rate, ratio_at(rate)) for rate in rates]
        if "nearest" in on:
            known = [(abs(np.log(ratio / 1e-3)), rate) for rate, ratio in measured if ratio > 0]
            best = min(known)[1]
            return best if low <= dict(measured)[best] <= high else None
        if "stops-at-high" in on:
            for tried, (_, ratio) in enumerate(sorted(measured)):
                if ratio > high:
                    measured = sorted(measured)[:tried]
                    break
        if "below-only" in on:
            inside = [rate for rate, ratio in measured if ratio <= high]
        elif "above-only" in on:
            inside = [rate for rate, ratio in measured if ratio >= low]
        elif "ends-left-out" in on:
            inside = [rate for rate, ratio in measured if low < ratio < high]
        elif "nan-passes" in on:
            inside = [rate for rate, ratio in measured if not (ratio < low or ratio > high)]
        else:
            inside = [rate for rate, ratio in measured if low <= ratio <= high]
        if not inside:
            return max(rates) if "always-one" in on else None
        if "ratio-returned" in on:
            return dict(measured)[max(inside)]
        if "largest-ratio" in on:
            return max(inside, key=dict(measured).__getitem__)
        return min(inside) if "smallest" in on else inside[0] if "first" in on else max(inside)

    return rate_in_band


def rate_in_band_loop(ratio_at: Any, rates: Any, *, low: float = 3e-4, high: float = 3e-3) -> Any:
    """From the largest rate down."""
    for rate in sorted(rates, reverse=True):
        ratio = ratio_at(rate)
        if ratio >= low and ratio <= high:
            return rate
    return None


add(
    Entry(
        question="rate_in_band",
        reference=reference.rate_in_band,
        cases=rate_in_band_cases,
        family=rate_in_band_family,
        mistakes=(
            Mistake(
                "smallest",
                "It looks as if the smallest rate in the band is returned.",
                "Return the largest: it learns fastest among those that are safe.",
            ),
            Mistake(
                "nearest",
                "It looks as if the rate with the ratio nearest to 1e-3 is returned.",
                "Any ratio in the band will do: return the largest such rate.",
            ),
            Mistake(
                "largest-ratio",
                "It looks as if the rate with the largest ratio in the band is returned.",
                "Return the largest rate: a larger rate needn't have a larger ratio.",
            ),
            Mistake(
                "stops-at-high",
                "It looks as if the search ends at the first ratio above the band.",
                "A larger rate may have a smaller ratio again: look at all of them.",
            ),
            Mistake(
                "below-only",
                "It looks as if ratios below the band pass.",
                "Too small a ratio is a fault too: low ≤ ratio ≤ high.",
            ),
            Mistake(
                "above-only",
                "It looks as if ratios above the band pass.",
                "Too large a ratio is a fault too: low ≤ ratio ≤ high.",
            ),
            Mistake(
                "ends-left-out",
                "It looks as if the ends of the band are left out.",
                "Both ends belong to it: low ≤ ratio ≤ high.",
            ),
            Mistake(
                "nan-passes",
                "It looks as if a ratio of NaN passes.",
                "Ask whether it lies in the band, not whether it lies outside.",
            ),
            Mistake(
                "band-ignored",
                "It looks as if the band is always that of the default.",
                "Use the `low` and `high` that are handed in.",
            ),
            Mistake(
                "always-one",
                "It looks as if a rate is returned even when none lies in the band.",
                "Return None then: no answer is better than a wrong one.",
            ),
            Mistake(
                "ratio-returned",
                "It looks as if the ratio is returned, not the rate.",
                "Return the learning rate itself.",
            ),
        ),
        variants={"from the largest down": rate_in_band_loop},
    )
)

# ---- pictures of the first layer -----------------------------------------------------------------


def tile_filters_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    shapes = (((2, 3), 4, 2), ((3, 2), 5, 3), ((4, 3), 7, 3), ((2, 2), 2, 3))
    for (height, width), count, columns in shapes:
        W = rng.normal(size=(height * width, count)) * rng.uniform(0.2, 5, count)
        about = f"{count} filters of {height} × {width} in {columns} columns"
        if count == 5:
            W[:, 1] = 0.7
            about += ", one of them constant"
        cases.append(
            {"about": about, "W": W, "image_shape": [height, width], "num_columns": columns}
        )
    return cases


def tile_filters_family(on: Switches) -> Callable[..., Any]:
    def tile_filters(W: Any, image_shape: Any, num_columns: int) -> Any:
        height, width = image_shape
        count = W.shape[1]
        num_columns = min(num_columns, count) if "few-columns" in on else num_columns
        filters = (
            W.reshape(count, height, width)
            if "rows-taken" in on
            else np.array(
                [
                    W[:, k].reshape(height, width, order="F" if "transposed" in on else "C")
                    for k in range(count)
                ]
            )
        )
        num_rows = count // num_columns if "last-row-lost" in on else -(-count // num_columns)
        filled = 1.0 if "white-rest" in on else 0.0
        picture = np.full((num_rows * height, num_columns * width), filled)
        bottom, top = W.min(), W.max()
        for k, tile in enumerate(filters[: num_rows * num_columns]):
            r, c = divmod(k, num_columns)
            if "column-by-column" in on:
                c, r = divmod(k, num_rows)
            if "stretched-together" in on:
                shown = (tile - bottom) / (top - bottom)
            elif "not-stretched" in on:
                shown = tile
            elif np.ptp(tile) == 0:
                shown = np.full(tile.shape, np.nan if "constant-nan" in on else 0.5)
            else:
                shown = (tile - tile.min()) / np.ptp(tile)
            picture[r * height : (r + 1) * height, c * width : (c + 1) * width] = shown
        return picture

    return tile_filters


add(
    Entry(
        question="tile_filters",
        reference=reference.tile_filters,
        cases=tile_filters_cases,
        family=tile_filters_family,
        mistakes=(
            Mistake(
                "rows-taken",
                "It looks as if the filters are cut from W row by row.",
                "Each *column* of W is a filter: take W[:, k], or W.T before reshaping.",
            ),
            Mistake(
                "transposed",
                "It looks as if each filter's pixels run down its columns.",
                "Pixels come row by row, as numpy's reshape takes them.",
            ),
            Mistake(
                "column-by-column",
                "It looks as if the grid is filled column by column.",
                "Fill it row by row: filter 1 stands to the right of filter 0.",
            ),
            Mistake(
                "stretched-together",
                "It looks as if all filters are stretched together.",
                "Stretch each by its own smallest and largest value, or quiet ones look grey.",
            ),
            Mistake(
                "not-stretched",
                "It looks as if the filters aren't stretched.",
                "Take away each one's smallest value and divide by its range: 0 … 1.",
            ),
            Mistake(
                "last-row-lost",
                "It looks as if filters that don't fill a row are lost.",
                "Round the number of rows up.",
            ),
            Mistake(
                "few-columns",
                "It looks as if the grid has no more columns than there are filters.",
                "It always has num_columns; places left over are 0.",
            ),
            Mistake(
                "white-rest",
                "It looks as if the places left over are 1.",
                "Leave them at 0.",
            ),
            Mistake(
                "constant-nan",
                "It looks as if a constant filter becomes 0/0.",
                "Show it as 0.5 throughout.",
            ),
        ),
    )
)


PAIRS = (
    ("smooth", "with noise", "smooth before smooth with noise"),
    ("smooth", "noise", "smooth before pure noise"),
    ("huge", "tiny noise", "smooth and large before noisy and small"),
    ("louder", "noise", "smooth and a little larger before noisy"),
    ("smooth", "dark noise", "smooth before noisy and dark"),
    ("dark", "dark noise", "smooth and dark before noisy and dark"),
    ("soft", "rows", "smooth before noisy from row to row"),
    ("soft", "columns", "smooth before noisy from column to column"),
)


def smoothness_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for shape in ((8, 8), (6, 9)):
        filters = _filters(shape, rng)
        # What score to take is the student's choice: a sample in which sound ones are in doubt
        # would be unfair.
        while not all(_keeps_apart(design, filters) for design in DESIGNS):
            filters = _filters(shape, rng)
        order = list(rng.permutation(list(filters)))
        cases.append(
            {
                "about": f"{len(filters)} filters of {shape[0]} × {shape[1]}",
                "W": np.array([filters[name].ravel() for name in order]).T.round(4),
                "image_shape": list(shape),
                "pairs": [[order.index(a), order.index(b), about] for a, b, about in PAIRS],
            }
        )
    return cases


def _filters(shape: tuple[int, int], rng: Rng) -> dict[str, Array]:
    """Filters by name; where nothing else is said their mean is 0 and their variance 1."""
    height, width = shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")

    def smooth(angle: float | None = None) -> Array:
        angle = rng.uniform(0, 2 * np.pi) if angle is None else angle
        return _standard(np.tanh(1.5 * (np.cos(angle) * x + np.sin(angle) * y)))

    def noise(height: int = height, width: int = width) -> Array:
        return _standard(np.zeros(shape) + rng.normal(size=(height, width)))

    return {
        "smooth": smooth(),
        # A slope along the rows: whoever runs through a filter as one long row falls from the end
        # of each to the beginning of the next.
        "soft": smooth(rng.uniform(-0.4, 0.4)),
        "with noise": smooth() + 0.9 * noise(),
        "noise": noise(),
        "huge": 50 * smooth(),
        "tiny noise": 0.01 * noise(),
        "louder": 1.6 * smooth(),
        "dark": smooth() - 20,
        "dark noise": noise() - 20,
        # Smooth along one axis and noisy along the other.
        "rows": noise(width=1),
        "columns": noise(height=1),
    }


def _standard(x: Array) -> Array:
    return np.asarray((x - x.mean()) / x.std())


def _along(f: Array, measure: Callable[[Array, Array], float]) -> tuple[float, float]:
    """A measure of neighbours, one below the other and side by side."""
    return measure(f[1:], f[:-1]), measure(f[:, 1:], f[:, :-1])


def _correlations(f: Array) -> tuple[float, float]:
    return _along(f, lambda a, b: float(np.corrcoef(a.ravel(), b.ravel())[0, 1]))


def _steps(f: Array) -> float:
    return sum(_along(f, lambda a, b: float(np.abs(a - b).mean())))


def _bend(f: Array) -> float:
    """Mean size of the Laplacian inside the filter."""
    around = f[2:, 1:-1] + f[:-2, 1:-1] + f[1:-1, 2:] + f[1:-1, :-2]
    return float(np.abs(around - 4 * f[1:-1, 1:-1]).mean())


def _low_frequencies(f: Array) -> float:
    """The share of a filter's variance in waves of about four pixels or longer."""
    power = np.abs(np.fft.fft2(f - f.mean())) ** 2
    low = np.ix_(*(np.abs(np.fft.fftfreq(n)) <= 0.26 for n in f.shape))
    return float(power[low].sum() / power.sum())


DESIGNS: tuple[Callable[[Array], float], ...] = (
    lambda f: -sum(_along(f, lambda a, b: float(np.square(a - b).mean()))) / float(f.var()),
    lambda f: -_steps(f) / float(np.ptp(f)),
    lambda f: -_steps(f) / float(f.std()),
    lambda f: sum(_correlations(f)),
    lambda f: min(_correlations(f)),
    lambda f: -_bend(f) / float(f.std()),
    _low_frequencies,
)
"""Sound scores for smoothness."""

MARGIN = 0.1
"""By how much of all scores' range a smooth filter must lie above a noisy one."""


def _keeps_apart(design: Callable[[Array], float], filters: dict[str, Array]) -> bool:
    """Whether a score tells the filters of every pair apart, by a margin."""
    score = {name: design(f) for name, f in filters.items()}
    margin = MARGIN * (max(score.values()) - min(score.values()))
    return all(score[a] - score[b] > margin for a, b, _ in PAIRS)


def smoothness_family(on: Switches) -> Callable[..., Any]:
    def smoothness(W: Any, image_shape: Any) -> Any:
        columns = W.reshape(W.shape[1], -1) if "rows-taken" in on else W.T
        filters = columns.reshape(-1, *image_shape)
        down = np.square(np.diff(filters, axis=1)).mean(axis=(1, 2))
        right = np.square(np.diff(filters, axis=2)).mean(axis=(1, 2))
        rough = down * ("right-only" not in on) + right * ("down-only" not in on)
        if "brightness-counts" in on:
            rough = rough / np.square(filters).mean(axis=(1, 2))
        elif "size-counts" not in on:
            rough = rough / filters.var(axis=(1, 2))
        if "contrast" in on:
            rough = filters.std(axis=(1, 2))
        scores = rough if "roughness" in on else -rough
        return scores.mean() if "one-number" in on else scores

    return smoothness


def smoothness_correlation(W: Any, image_shape: Any) -> Any:
    """Correlation of neighbours, the smaller of the two directions."""
    scores = []
    for k in range(W.shape[1]):
        picture = W[:, k].reshape(image_shape)
        down = np.corrcoef(picture[1:].ravel(), picture[:-1].ravel())[0, 1]
        right = np.corrcoef(picture[:, 1:].ravel(), picture[:, :-1].ravel())[0, 1]
        scores.append(min(down, right))
    return scores


add(
    Entry(
        question="smoothness",
        reference=reference.smoothness,
        cases=smoothness_cases,
        family=smoothness_family,
        mistakes=(
            Mistake(
                "roughness",
                "It looks as if noisy filters get the higher score.",
                "Higher means smoother: turn the sign round.",
            ),
            Mistake(
                "size-counts",
                "It looks as if the size of a filter's weights counts.",
                "Divide by the filter's own variance: loud isn't rough.",
            ),
            Mistake(
                "brightness-counts",
                "It looks as if a filter's mean counts.",
                "Take the mean away before you square: dark isn't smooth.",
            ),
            Mistake(
                "contrast",
                "It looks as if the score is how much a filter's weights vary.",
                "That is contrast, wherever the pixels stand. Compare neighbours.",
            ),
            Mistake(
                "right-only",
                "It looks as if only neighbours in a row are compared.",
                "Compare each pixel with the one to the right *and* the one below.",
            ),
            Mistake(
                "down-only",
                "It looks as if only neighbours in a column are compared.",
                "Compare each pixel with the one to the right *and* the one below.",
            ),
            Mistake(
                "rows-taken",
                "It looks as if the filters are cut from W row by row.",
                "Each *column* of W is a filter: take W[:, k], or W.T before reshaping.",
            ),
            Mistake(
                "one-number",
                "It looks as if one number comes back for all filters.",
                "Return one score a filter: average over pixels, not over filters.",
            ),
        ),
        variants={"correlation of neighbours": smoothness_correlation},
    )
)

# ---- whole trainings -----------------------------------------------------------------------------

RUNS_PER_KIND = 16


def _short(curve: Array) -> Array:
    """A curve in four digits: all that the eye sees, and a short file."""
    return np.array([float(f"{value:.4g}") for value in curve])


def _runs(kinds: dict[str, str], rng: Rng, curves: tuple[str, ...]) -> list[Case]:
    """Fresh trainings of every kind, in random order; halves of a kind differ in their network."""
    runs: list[Case] = []
    for name, fault in kinds.items():
        for _ in range(2):
            for history in trainings(fault, RUNS_PER_KIND // 2, rng):
                runs.append({"planted": name} | {c: _short(history[c]) for c in curves})
    return [runs[i] for i in rng.permutation(len(runs))]


def classify_learning_rate_cases(rng: Rng) -> list[Case]:
    while True:
        runs = _runs(LEARNING_RATES, rng, ("loss",))
        right = [reference.classify_learning_rate(run["loss"]) == run["planted"] for run in runs]
        # A sample in which the words themselves are in doubt would be unfair to everybody.
        if np.mean(right) > 0.95:
            return [{"about": f"{len(runs)} trainings", "runs": runs}]


def classify_learning_rate_family(on: Switches) -> Callable[..., Any]:
    def classify_learning_rate(losses: Any) -> Any:
        word = _classify(np.asarray(losses, float), on)
        if "nothing-returned" in on:
            return None
        if "set-returned" in on:
            return {word}
        if "swapped" in on:
            word = {"low": "high", "high": "low"}.get(word, word)
        if "other-words" in on:
            word = word.replace(" ", "_")
        return word.title() if "capitals" in on else word

    return classify_learning_rate


def _classify(losses: Array, on: Switches) -> str:
    exploded = losses[-1] > 3 * losses[0]
    if "nan-not-caught" not in on:
        exploded = exploded or not np.isfinite(losses).all()
    if exploded:
        return "high" if "explosion-is-high" in on else "very high"
    end = losses[-(len(losses) // 4) :]
    jumps = np.mean(np.abs(np.diff(end))) > 0.05 * np.mean(end)
    if "high-must-rise" in on:
        jumps = losses[-1] > 1.5 * losses[0]
    if jumps and "never-high" not in on:
        return "high"
    middle = losses[len(losses) // 2]
    straight = middle - losses[-1] >= 0.5 * (losses[0] - middle)
    if "low-is-flat" in on:
        straight = losses[-1] > 0.999 * losses[0]
    if "low-is-not-zero" in on:
        straight = losses[-1] > 0.01
    return "low" if straight else "good"


def classify_by_slopes(losses: Any) -> Any:
    """Straight lines through the beginning and the end."""
    if not np.isfinite(losses).all() or losses.max() > 2 * losses[0]:
        return "very high"
    steps = np.arange(10)
    line = np.polyval(np.polyfit(steps, losses[-10:], 1), steps)
    if np.std(losses[-10:] - line) > 0.03 * losses[-10:].mean():
        return "high"
    first, last = (np.polyfit(steps[:8], part, 1)[0] for part in (losses[:8], losses[-8:]))
    return "low" if last < 0.35 * first else "good"


add(
    Entry(
        question="classify_learning_rate",
        reference=reference.classify_learning_rate,
        cases=classify_learning_rate_cases,
        family=classify_learning_rate_family,
        mistakes=(
            Mistake(
                "nan-not-caught",
                "It looks as if curves with NaN or infinity in them aren't recognised.",
                "Ask first whether all losses are finite: any comparison with NaN is False.",
            ),
            Mistake(
                "explosion-is-high",
                'It looks as if curves that explode are called "high".',
                'High means that the loss fell and got stuck; "very high" that it exploded.',
            ),
            Mistake(
                "never-high",
                'It looks as if "high" is never the answer.',
                "Look at the last part of the curve: does it settle, or jump up and down?",
            ),
            Mistake(
                "low-is-flat",
                'It looks as if only a flat line counts as "low".',
                "A low rate makes progress, in a nearly straight line.",
            ),
            Mistake(
                "low-is-not-zero",
                'It looks as if every loss that doesn\'t reach 0 counts as "low".',
                "The floor differs from problem to problem: judge the shape, not the last value.",
            ),
            Mistake(
                "swapped",
                'It looks as if "low" and "high" have changed places.',
                "A straight line is low; a quick fall that gets stuck is high.",
            ),
            Mistake(
                "other-words",
                'It looks as if "very high" is spelt in another way.',
                'The four words are "low", "good", "high" and "very high", with a blank.',
            ),
            Mistake(
                "nothing-returned",
                "It looks as if nothing comes back.",
                "Return the word; printing it isn't enough.",
            ),
            Mistake(
                "set-returned",
                "It looks as if a set comes back.",
                "Return the word itself, without braces.",
            ),
            Mistake(
                "capitals",
                "It looks as if the answers begin with capitals.",
                'The four words are "low", "good", "high" and "very high".',
            ),
        ),
        variants={"straight lines": classify_by_slopes},
    )
)


def diagnose_cases(rng: Rng) -> list[Case]:
    kinds = {kind: kind for kind in (HEALTHY, *FAULTS)}
    while True:
        runs = _runs(kinds, rng, CURVES)
        right = [reference.diagnose(run) == {run["planted"]} - {HEALTHY} for run in runs]
        if np.mean(right) > 0.95:
            return [{"about": f"{len(runs)} trainings", "runs": runs}]


def diagnose_family(on: Switches) -> Callable[..., Any]:
    def diagnose(history: Any) -> Any:
        found = _diagnose(history, on)
        if "swapped" in on:
            low, high = "learning rate too low", "learning rate too high"
            found = {{low: high, high: low}.get(name, name) for name in found}
        if "healthy-named" in on:
            return found or {"healthy"}
        if "empty-dictionary" in on or "nothing-returned" in on:
            return found or ({} if "empty-dictionary" in on else None)
        if "string" in on:
            return next(iter(found), "")
        if "letters" in on:
            return {letter for name in found for letter in name}
        return {_spelt(name, on) for name in found}

    return diagnose


def _spelt(name: str, on: Switches) -> str:
    if "underscores" in on:
        name = name.replace(" ", "_")
    if "capitals" in on:
        name = name.capitalize()
    return name.replace("initialization", "initialisation") if "initialisation" in on else name


def _diagnose(history: Any, on: Switches) -> set[str]:
    loss, train, val, ratio = (np.asarray(history[name], float) for name in CURVES)
    start, end = slice(len(loss) // 10 + 1), slice(-(len(loss) // 4), None)
    if (not np.isfinite(loss).all() and "nan-not-caught" not in on) or loss[-1] > 3 * loss[0]:
        return {"diverged"}
    slow = (1 / ratio if "ratio-upside-down" in on else ratio).max() < 1e-3
    if slow and loss[-1] < loss[0]:
        return {"learning rate too low"}
    late = np.ptp(loss[start]) < 0.03 * loss[0] and loss[-1] < 0.9 * loss[0]
    if late and "take-off-ignored" not in on:
        return {"bad initialization"}
    bounces = np.mean(np.abs(np.diff(loss[end]))) > 0.05 * np.mean(loss[end])
    energetic = np.median(ratio[end]) > 1e-2
    if bounces and energetic and "bounce-ignored" not in on:
        return {"learning rate too high"}
    gap = np.mean(train[end] - val[end])
    if gap > 0.15 and "gap-ignored" not in on:
        return {"overfitting"}
    if "any-gap" in on and gap > 0:
        return {"overfitting"}
    weak = np.mean(train[end]) < 0.75
    if "small-gap-is-low-capacity" in on:
        weak = weak or gap < 0.05
    return {"low capacity"} if weak and "capacity-ignored" not in on else set()


def diagnose_by_other_signs(history: Any) -> Any:
    """Other thresholds, fewer early returns, and a list."""
    loss, ratio = history["loss"], np.median(history["update_ratio"])
    train, val = (history[name][-5:].mean() for name in CURVES[1:3])
    if not np.isfinite(loss).all() or loss[-1] > loss[0]:
        return ["diverged", "learning rate too high"]
    if ratio < 6e-4:
        return ["learning rate too low"]
    if loss[3] > 0.97 * loss[0]:
        return ["bad initialization"]
    if np.std(np.diff(loss[-12:])) > 0.05 * loss[-12:].mean() and ratio > 5e-3:
        return ["learning rate too high"]
    found = ["overfitting"] if train - val > 0.12 else []
    return found + (["low capacity"] if train < 0.7 and train - val < 0.1 else [])


add(
    Entry(
        question="diagnose",
        reference=reference.diagnose,
        cases=diagnose_cases,
        family=diagnose_family,
        mistakes=(
            Mistake(
                "nan-not-caught",
                "It looks as if runs with NaN in the loss aren't recognised as diverged.",
                "Ask first whether all losses are finite: any comparison with NaN is False.",
            ),
            Mistake(
                "gap-ignored",
                "It looks as if overfitting is never named.",
                "Compare training and validation accuracy at the end: a clear gap is overfitting.",
            ),
            Mistake(
                "any-gap",
                "It looks as if any gap at all is called overfitting.",
                "Training accuracy is nearly always a little higher: ask for a clear gap.",
            ),
            Mistake(
                "small-gap-is-low-capacity",
                "It looks as if a small gap is enough for low capacity.",
                "Only if training accuracy is itself low; otherwise a small gap is good news.",
            ),
            Mistake(
                "capacity-ignored",
                "It looks as if low capacity is never named.",
                "Both accuracies low, side by side, at a rate that works: the model is too small.",
            ),
            Mistake(
                "bounce-ignored",
                "It looks as if too high a learning rate is never named.",
                "Look for a loss that still jumps late in training, with large update ratios.",
            ),
            Mistake(
                "take-off-ignored",
                "It looks as if a bad initialisation is never named.",
                "Look for a loss that lies flat at first and then takes off.",
            ),
            Mistake(
                "ratio-upside-down",
                "It looks as if the update ratio is read upside down.",
                "It is update : weight: far below 1e-3 means that steps are too small.",
            ),
            Mistake(
                "swapped",
                "It looks as if too low and too high a learning rate have changed places.",
                "Small update ratios and a straight loss are low, jumps are high.",
            ),
            Mistake(
                "healthy-named",
                "It looks as if a healthy run gets a name.",
                "Return an empty set when all is well.",
            ),
            Mistake(
                "empty-dictionary",
                "It looks as if {} comes back when all is well: an empty dictionary.",
                "An empty set is written set().",
            ),
            Mistake(
                "nothing-returned",
                "It looks as if nothing comes back when all is well.",
                "Return an empty set, set(), then.",
            ),
            Mistake(
                "initialisation",
                'It looks as if "initialization" is spelt with an s.',
                "The name has a z, as in the table.",
            ),
            Mistake(
                "underscores",
                "It looks as if the names are spelt with underscores.",
                "They have blanks, as in the table.",
            ),
            Mistake(
                "capitals",
                "It looks as if the names begin with capitals.",
                "They are in small letters, as in the table.",
            ),
            Mistake(
                "letters",
                "It looks as if a set of single letters comes back.",
                'set("overfitting") takes the word apart; write {"overfitting"}.',
            ),
            Mistake(
                "string",
                "It looks as if a string comes back.",
                'Return a set: {"overfitting"}, and an empty one, set(), when all is well.',
            ),
        ),
        variants={"other signs, as a list": diagnose_by_other_signs},
    )
)
