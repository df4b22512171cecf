"""Small measurements of a training: its axis, its updates, its layers, its noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from descent_solutions import babysitting as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import accepted, written

Array = npt.NDArray[Any]

# ---- the axis of epochs --------------------------------------------------------------------------


def epochs_axis_cases(rng: Rng) -> list[Case]:
    trainings = (
        (7, 100, 40),
        (5, 6, 6),
        (1, 50, 7),
        (int(rng.integers(10, 30)), int(rng.integers(200, 900)), int(rng.integers(11, 90))),
        drawn(_training, _has_one_too_many, rng),
    )
    return [
        {"about": f"{num} batches of {size}, N = {examples}", "num_iterations": num}
        | {"num_examples": examples, "batch_size": size}
        for num, examples, size in trainings
    ]


def _training(rng: Rng) -> tuple[int, ...]:
    return tuple(int(rng.integers(*limits)) for limits in ((5, 30), (200, 900), (11, 90)))


def _has_one_too_many(training: tuple[int, ...]) -> bool:
    """Whether np.arange with a step of one batch yields one number too many."""
    num, examples, size = training
    return len(np.arange(0, num * size / examples, size / examples)) != num


def epochs_axis_loop(num_iterations: int, num_examples: int, batch_size: int) -> Any:
    """Counts examples."""
    used, epochs = 0, []
    for _ in range(num_iterations):
        epochs.append(used / num_examples)
        used += batch_size
    return epochs


def _rounded_down(function: Any) -> Any:
    return lambda *given: np.floor(function(*given))


EPOCHS_AXIS = Entry(
    "epochs_axis",
    reference.epochs_axis,
    epochs_axis_cases,
    variants={"a loop that counts": epochs_axis_loop},
    # The last, short batch of an epoch may be counted as a whole one, as one of as many batches,
    # or as what it is.
    accepted=accepted("""
        whole-batches: * batch_size / num_examples  →  / -(-num_examples // batch_size)
        short-batches: return np.arange(num_iterations)
            →  whole, left = np.divmod(np.arange(num_iterations), -(-num_examples // batch_size))
            * batch_size  →  ⏎return whole + left * batch_size
    """),
    mistakes=written(
        """
        from-one: arange(num_iterations)  →  arange(1, num_iterations + 1)
            It looks as if the axis begins after the first batch. Try: The first loss is measured
            before its update, when no example has been used: begin at 0.
        whole-epochs:
            It looks as if epochs are rounded down to whole ones.
            Try: Keep the fractions: several losses of one epoch mustn't share a place.
        iterations: * batch_size / num_examples  →  * 1.0
            It looks as if the axis counts iterations.
            Try: An epoch is num_examples / batch_size of them.
        batch-forgotten: * batch_size / num_examples  →  / num_examples
            It looks as if every iteration uses one example.
            Try: Each iteration uses batch_size of them.
        upside-down: * batch_size / num_examples  →  * num_examples / batch_size
            It looks as if the fraction is upside down.
            Try: One iteration is batch_size / num_examples of an epoch: a small part.
        examples: * batch_size / num_examples  →  * float(batch_size)
            It looks as if the axis counts examples.
            Try: Divide by num_examples: an epoch is once through all of them.
        stretched: np.arange(num_iterations) * batch_size / num_examples
            →  np.linspace(0, num_iterations * batch_size / num_examples, num_iterations)
            It looks as if the last iteration stands at the end of the training. Try: Iteration i
            stands where i batches have been used; np.linspace includes its end.
        float-steps: np.arange(num_iterations) * batch_size / num_examples
            →  np.arange(0, num_iterations * batch_size / num_examples, batch_size / num_examples)
            It looks as if np.arange takes steps that aren't whole: rounding can add one.
            Try: Count in whole numbers, np.arange(num_iterations), and multiply after that.
        """,
        wrap={"whole-epochs": _rounded_down},
    ),
)

# ---- the ratio of updates ------------------------------------------------------------------------


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


def update_ratio_loop(w: Any, update: Any) -> Any:
    """Sums squares one by one."""
    top = sum(float(u) ** 2 for u in np.ravel(update)) ** 0.5
    bottom = sum(float(v) ** 2 for v in np.ravel(w)) ** 0.5
    return top / bottom if bottom else float("nan")


UPDATE_RATIO = Entry(
    "update_ratio",
    reference.update_ratio,
    update_ratio_cases,
    variants={"loops": update_ratio_loop},
    mistakes=written("""
        upside-down: np.linalg.norm(update) / size  →  size / np.linalg.norm(update)
            It looks as if the weights are divided by the update.
            Try: It is update : weight. Some notes write it the other way round.
        squared: norm(w)  →  norm(w) ** 2
            norm(update)  →  norm(update) ** 2
            It looks as if the square root of the norms is missing.
            Try: The L2 norm is the root of the sum of squares, for both.
        elementwise: np.linalg.norm(update) / size  →  np.mean(np.abs(update / w))
            It looks as if the ratio is taken element by element and then averaged.
            Try: Take the two norms first: one weight near 0 would spoil the mean.
        absolute-sum: linalg.norm(w)  →  abs(w).sum()
            linalg.norm(update)  →  abs(update).sum()
            It looks as if absolute values are summed.
            Try: Use L2 norms: the root of the sum of squares.
        largest: linalg.norm(w)  →  abs(w).max()
            linalg.norm(update)  →  abs(update).max()
            It looks as if only the largest elements are compared.
            Try: Use L2 norms over all elements.
        spectral: norm(w  →  norm(w, 2 if w.ndim == 2 else None
            norm(update  →  norm(update, 2 if w.ndim == 2 else None
            It looks as if the spectral norm of a matrix is taken.
            Try: np.linalg.norm(w, 2) does that; without the 2 it is the L2 norm of all elements.
        after-update: size =  →  w = w + update if np.any(w) else w⏎size =
            It looks as if the update is held against the weights after it.
            Try: Divide by the norm of the w that you are given.
        zero-for-nan: float("nan")  →  0.0
            It looks as if a w of zeros gives 0.
            Try: There is no ratio to zero: return NaN, so that nobody takes it for a small one.
        inf-for-nan: float("nan")  →  float("inf")
            It looks as if a w of zeros gives infinity.
            Try: There is no ratio to zero: return NaN, so that nobody takes it for a large one.
        any-zero: size > 0  →  np.all(w)
            It looks as if one zero in w is enough for NaN.
            Try: Only a w that is zero all through has no ratio: ask whether its norm is 0.
        sum-zero: size > 0  →  np.sum(w) != 0
            It looks as if NaN comes back where the elements of w add up to 0.
            Try: Weights of both signs cancel in a sum: ask whether the norm of w is 0.
    """),
)

# ---- layers --------------------------------------------------------------------------------------


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


LAYER_STATISTICS = Entry(
    "layer_statistics",
    reference.layer_statistics,
    layer_statistics_cases,
    mistakes=written("""
        one-side: np.abs(layer) > 0.99  →  layer > 0.99
            It looks as if only values near +1 count as saturated.
            Try: A tanh saturates at both ends: look at the absolute value.
        lower-bar: 0.99  →  0.9
            It looks as if values beyond 0.9 count as saturated. Try: The bar is 0.99.
        counted: np.mean(np.abs  →  np.sum(np.abs
            It looks as if saturated values are counted.
            Try: Return their share, between 0 and 1: layers have different sizes.
        variance: np.std(layer)  →  np.std(layer) ** 2
            It looks as if the variance is returned. Try: The standard deviation is its square root.
        one-less: np.std(layer  →  np.std(layer, ddof=1
            It looks as if the standard deviation divides by n − 1.
            Try: Divide by the number of values n, as np.std does.
        sign-dropped: np.mean(layer)  →  np.mean(np.abs(layer))
            It looks as if the mean is taken of absolute values.
            Try: Keep the sign: a mean far from 0 is what you want to see.
        per-unit: float(np.mean(layer))  →  np.mean(layer, axis=0)
            float(np.std(layer))  →  np.std(layer, axis=0)
            float(np.mean(np.abs(layer) > 0.99))  →  np.mean(np.abs(layer) > 0.99, axis=0)
            It looks as if every unit gets numbers of its own.
            Try: One number a layer: take mean, std and share over all examples and units.
        all-layers-together: in activations
            →  in [np.concatenate([np.ravel(a) for a in activations])] * len(activations)
            It looks as if all layers are measured together.
            Try: Each layer gets a dictionary of its own: the depth is the point.
    """),
)

# ---- noise ---------------------------------------------------------------------------------------


def wiggle_cases(rng: Rng) -> list[Case]:
    cases = []
    for length, noise, fall in ((40, 0.05, 2.0), (25, 0.3, 0.0), (60, 0.0, 1.0), (2, 0.5, 1.0)):
        losses = 3 - fall * np.linspace(0, 1, length) + noise * rng.normal(size=length)
        about = f"{length} losses that fall by {fall:g} with noise of {noise:g}"
        cases.append({"about": about, "losses": losses})
    return cases


def _squared(function: Any) -> Any:
    return lambda losses: function(losses) ** 2


def _relative(function: Any) -> Any:
    return lambda losses: function(losses) / np.mean(losses)


WIGGLE = Entry(
    "wiggle",
    reference.wiggle,
    wiggle_cases,
    mistakes=written(
        """
        trend-counted: np.std(np.diff(losses)) / np.sqrt(2)  →  np.std(losses)
            It looks as if the falling trend is counted as wiggle.
            Try: Take differences between neighbours first: a slow trend hardly changes them.
        root-missing: / np.sqrt(2)  →
            It looks as if the √2 is missing.
            Try: Each difference holds the noise of two losses: divide by √2.
        halved: np.sqrt(2)  →  2
            It looks as if you divide by 2. Try: Variances add, so the standard deviation of a
            difference is √2 times as large.
        not-centred: np.std(np.diff(losses))  →  np.sqrt(np.mean(np.diff(losses) ** 2))
            It looks as if the mean difference isn't taken away.
            Try: That mean is the trend. np.std takes it away.
        mean-step: np.std(np.diff(losses))  →  np.mean(np.abs(np.diff(losses)))
            It looks as if the mean size of the differences is taken.
            Try: Take their standard deviation.
        range: np.std(  →  np.ptp(
            It looks as if the range of the differences is taken.
            Try: Take their standard deviation: two outliers mustn't decide alone.
        variance:
            It looks as if the variance is returned. Try: The standard deviation is its square root.
        one-less: / np.sqrt(2)
            →  / np.sqrt(2) * np.sqrt((len(losses) - 1) / np.float64(len(losses) - 2))
            It looks as if the standard deviation divides by one less than there are differences.
            Try: Divide by their number, as np.std does.
        relative:
            It looks as if the wiggle is divided by the mean loss.
            Try: Return it in the units of the loss.
        """,
        wrap={"variance": _squared, "relative": _relative},
    ),
)

# ---- a rate in the band --------------------------------------------------------------------------


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


def rate_in_band_loop(ratio_at: Any, rates: Any, *, low: float = 3e-4, high: float = 3e-3) -> Any:
    """From the largest rate down."""
    for rate in sorted(rates, reverse=True):
        ratio = ratio_at(rate)
        if ratio >= low and ratio <= high:
            return rate
    return None


def _in_the_usual_band(choose: Any) -> Any:
    return lambda ratio_at, rates, **_: choose(ratio_at, rates)


def _nearest(choose: Any) -> Any:
    """Whether the rate with the ratio nearest to 1e-3 will do; no other is looked at."""

    def chosen(ratio_at: Any, rates: Any, **band: Any) -> Any:
        ratios = {rate: ratio_at(rate) for rate in rates}
        known = [(abs(np.log(ratio / 1e-3)), rate) for rate, ratio in ratios.items() if ratio > 0]
        return choose(ratios.__getitem__, [min(known)[1]], **band)

    return chosen


def _until_too_high(choose: Any) -> Any:
    def chosen(ratio_at: Any, rates: Any, **band: Any) -> Any:
        ratios = {rate: ratio_at(rate) for rate in rates}
        above = [rate for rate in rates if ratios[rate] > band.get("high", 3e-3)]
        below = [rate for rate in rates if rate < min(above, default=np.inf)]
        return choose(ratios.__getitem__, below, **band)

    return chosen


def _its_ratio(choose: Any) -> Any:
    def chosen(ratio_at: Any, rates: Any, **band: Any) -> Any:
        ratios = {rate: ratio_at(rate) for rate in rates}
        rate = choose(ratios.__getitem__, rates, **band)
        return None if rate is None else ratios[rate]

    return chosen


RATE_IN_BAND = Entry(
    "rate_in_band",
    reference.rate_in_band,
    rate_in_band_cases,
    variants={"from the largest down": rate_in_band_loop},
    mistakes=written(
        """
        smallest: max(inside  →  min(inside
            It looks as if the smallest rate in the band is returned.
            Try: Return the largest: it learns fastest among those that are safe.
        nearest:
            It looks as if the rate with the ratio nearest to 1e-3 is returned.
            Try: Any ratio in the band will do: return the largest such rate.
        largest-ratio: inside =  →  ratio_at = {rate: ratio_at(rate) for rate in rates}.get⏎inside =
            max(inside  →  max(inside, key=ratio_at
            It looks as if the rate with the largest ratio in the band is returned.
            Try: Return the largest rate: a larger rate needn't have a larger ratio.
        stops-at-high:
            It looks as if the search ends at the first ratio above the band.
            Try: A larger rate may have a smaller ratio again: look at all of them.
        below-only: low <= ratio_at  →  ratio_at
            It looks as if ratios below the band pass.
            Try: Too small a ratio is a fault too: low ≤ ratio ≤ high.
        above-only: ratio_at(rate) <= high  →  ratio_at(rate)
            It looks as if ratios above the band pass.
            Try: Too large a ratio is a fault too: low ≤ ratio ≤ high.
        ends-left-out: <=  ⇒  <
            It looks as if the ends of the band are left out.
            Try: Both ends belong to it: low ≤ ratio ≤ high.
        nan-passes: low <= ratio_at(rate) <= high
            →  not ((ratio := ratio_at(rate)) < low or ratio > high)
            It looks as if a ratio of NaN passes.
            Try: Ask whether it lies in the band, not whether it lies outside.
        band-ignored:
            It looks as if the band is always that of the default.
            Try: Use the `low` and `high` that are handed in.
        always-one: default=None  →  default=max(rates)
            It looks as if a rate is returned even when none lies in the band.
            Try: Return None then: no answer is better than a wrong one.
        ratio-returned:
            It looks as if the ratio is returned, not the rate.
            Try: Return the learning rate itself.
        """,
        wrap={"nearest": _nearest, "stops-at-high": _until_too_high}
        | {"band-ignored": _in_the_usual_band, "ratio-returned": _its_ratio},
    ),
)
