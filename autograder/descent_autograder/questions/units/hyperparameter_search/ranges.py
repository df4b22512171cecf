"""The range that is searched, what the best trials say about it, and when to give a run up."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from descent_solutions import hyperparameter_search as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

# ---- log-uniform numbers -------------------------------------------------------------------------


def log_uniform_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": f"from {low:g} to {high:g}",
            "low": low,
            "high": high,
            "seed": int(rng.integers(2**31)),
        }
        for low, high in ((1e-6, 1e-1), (0.02, 50.0))
    ]


def log_uniform_natural(low: float, high: float, rng: Any, size: Any = None) -> Any:
    """With natural logarithms, from the unit interval."""
    return low * np.exp(rng.random(size) * np.log(high / low))


LOG_UNIFORM = Entry(
    "log_uniform",
    reference.log_uniform,
    log_uniform_cases,
    variants={"natural logarithms": log_uniform_natural},
    mistakes=written(
        """
        uniform: 10 ** rng.uniform(np.log10(low), np.log10(high), size)
                →  rng.uniform(low, high, size)
            It looks as if the numbers are uniform, not their logarithms.
            Try: Nearly all of them then lie in the top decade: draw the exponent uniformly.
        ten-times: 10 **  →  10 *
            It looks as if the exponent is multiplied by 10. Try: `10 * x` is not `10 ** x`.
        exponents: 10 ** rng  →  rng
            It looks as if the exponents come back. Try: Raise 10 to them.
        wrong-base: 10 **  →  np.e **
            It looks as if log10 goes in and exp comes out.
            Try: Undo log10 with 10 **, or np.log with np.exp.
        logs-forgotten: np.log10(low), np.log10(high)  →  low, high
            It looks as if low and high are taken for exponents.
            Try: Draw the exponent between log10(low) and log10(high).
        whole-decades: rng.uniform(np.log10(low), np.log10(high), size)
                →  np.floor(rng.uniform(int(np.log10(low)), int(np.log10(high)) + 1, size))
            It looks as if only a few exponents are ever drawn.
            Try: Any exponent in between is as good: draw a real number.
        one-decade-short: np.log10(high)  →  np.log10(high) - 1
            It looks as if the top of the range is never reached.
            Try: The exponents go up to log10(high).
        size-ignored: , size)  →  )
            It looks as if `size` isn't used. Try: Hand it on to rng.uniform.
        from-a-list: 10 ** rng.uniform(np.log10(low), np.log10(high), size)
                →  rng.choice(np.geomspace(low, high, 100), size)
            It looks as if the numbers are chosen from a fixed list.
            Try: Any number in between is as good: draw a real exponent.
        log-of-uniform: 10 ** rng.uniform(np.log10(low), np.log10(high), size)
                →  np.log10(rng.uniform(low, high, size))
            It looks as if the logarithm is taken of a uniform number.
            Try: Take the logarithm of low and high, draw between them, then undo it.
        one-number: return  →  return np.ones(() if size is None else size) *
            , size)  →  )
            It looks as if one number fills the whole array.
            Try: Hand `size` on to rng.uniform, so that each is drawn anew.
        own-generator: return  →  rng = np.random.default_rng(1)⏎return
            It looks as if a generator of your own is used.
            Try: Draw from the `rng` that is handed in, or nothing can be repeated.
        """
    ),
)

# ---- on the border -------------------------------------------------------------------------------


def on_border_cases(rng: Rng) -> list[Case]:
    def values(low: float, high: float, log: bool, margin: float) -> list[float]:
        # Well within the margin; within it, yet further than half of it; then a little too far.
        near = np.array([0.3, 0.7, 1.4]) * margin
        shares = np.array([*near, 0.5, *(1 - near[::-1])]) + rng.uniform(-0.1, 0.1, 7) * margin
        inside = low * (high / low) ** shares if log else low + shares * (high - low)
        # Without a logarithm these quarters are exact: the limit itself, from both ends.
        exact = [4.0, 4.5, 7.5, 8.0] if (low, high, margin) == (2.0, 10.0, 0.25) else []
        return [low, *inside.tolist(), *exact, high]

    return [
        {
            "about": f"the range {low:g} to {high:g}, {scale}, margin {margin:g}",
            "values": values(low, high, scale == "log", margin),
            "low": low,
            "high": high,
            "options": options,
        }
        for low, high, scale, margin, options in (
            (1e-6, 1e-1, "log", 0.1, {}),
            (1e-5, 1.0, "log", 0.2, {"log": True, "margin": 0.2}),
            (0.2, 0.9, "linear", 0.1, {"log": False}),
            (2.0, 10.0, "linear", 0.25, {"log": False, "margin": 0.25}),
        )
    ]


ON_BORDER = Entry(
    "on_border",
    reference.on_border,
    on_border_cases,
    mistakes=written(
        """
        always-linear: if log  →  if False
            It looks as if the position is always measured on the linear scale.
            Try: On a log range nearly everything is near the low end then: use logarithms.
        always-log: if log  →  if True
            It looks as if the position is always measured on the log scale.
            Try: With log=False use the numbers as they are.
        margin-absolute: / (high - low)  →
            1 - margin  →  high - low - margin
            It looks as if the margin isn't multiplied by the range's width.
            Try: margin = 0.1 means a tenth of the way from low to high.
        margin-fixed: if log  →  margin = 0.1⏎if log
            It looks as if the margin is always 0.1. Try: Use the `margin` that is handed in.
        margin-halved: if log  →  margin /= 2⏎if log
            It looks as if each side gets half of the margin.
            Try: The margin counts from either end.
        ends-excluded: (share  →  (low < value < high and (share
            1 - margin)  →  1 - margin))
            It looks as if a value exactly on an end doesn't count.
            Try: The very end of the range is the clearest sign that it was wrong.
        limit-excluded: <= margin  →  < margin
            >= 1  →  > 1
            It looks as if a value exactly at the limit doesn't count.
            Try: The limit itself is included: <=, not <.
        ends-only: if log  →  margin = 0⏎if log
            It looks as if only the very ends count.
            Try: Near means within `margin` of the width, from either end.
        never: margin or  →  margin and
            It looks as if both ends have to be near at once.
            Try: No value is near both: use `or` between the two.
        low-only: or share  →  or False and share
            It looks as if only the low end is looked at. Try: The best value may sit at either end.
        high-only: share <=  →  False and share <=
            It looks as if only the high end is looked at.
            Try: The best value may sit at either end.
        inverted: bool(  →  not (
            It looks as if the answer is turned round.
            Try: True means: near the border, search further out.
        """
    ),
)

# ---- a narrower range ----------------------------------------------------------------------------


def narrow_range_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for count, failed, options in ((16, 2, {}), (12, 1, {"keep": 3}), (4, 0, {"keep": 6})):
        # Five good ones, five bad ones, the rest in between.
        lows = np.select([np.arange(count) < 5, np.arange(count) < 10], [0.6, 0.0], 0.4)
        trials = [
            _trial(
                {"learning_rate": 10 ** rng.uniform(-6, -1), "reg": 10 ** rng.uniform(-5, 0)},
                rng.uniform(low, low + 0.1),
            )
            for low in lows
        ]
        if count > 10:
            # Extremes among the bad trials, in the middle and as fifth best: narrowing must show.
            fifth = min(range(5), key=lambda i: trials[i]["score"])
            for i, rate in ((9, 1e-7), (10, 1.0), (fifth, 2e-7)):
                trials[i]["config"] = {"learning_rate": rate, "reg": rate}
        for i in range(failed):
            trials[count - 1 - i]["score"] = math.nan
        # The smallest value comes last: those who take the first few don't meet it.
        trials = [trials[i] for i in rng.permutation(count) if i != 9] + trials[9:10]
        keep = f"keep = {options['keep']}" if options else "keep left out"
        about = f"{count} trials, {failed} failed, {keep}"
        for name in ("learning_rate", "reg"):
            cases.append({"about": about, "trials": trials, "name": name, "options": options})
    return cases + _narrow_by_losses(rng)


def _trial(config: Mapping[str, float], score: float) -> Case:
    return {"config": {k: float(v) for k, v in config.items()}, "score": float(score)}


def _narrow_by_losses(rng: Rng) -> list[Case]:
    """Scores below 0, as of a loss: fewer trials that count than are kept; equally good ones."""
    rates = 10 ** rng.uniform(-4, -1, 6)
    few = {rates[0]: -2, 1.0: math.nan, rates[1]: -1, 1e-7: math.nan, rates[2]: -1}
    equals = {1e-6: -10, rates[3]: -0.5, 1.0: -30, rates[4]: -0.5, rates[5] / 1e4: -9}

    def case(about: str, scores: Mapping[Any, float], options: Case) -> Case:
        trials = [_trial({"learning_rate": rate}, score) for rate, score in scores.items()]
        about = f"5 trials with scores below 0, two {about}"
        return {"about": about, "trials": trials, "name": "learning_rate", "options": options}

    return [
        case("failed, keep left out", few, {}),
        case("equally good, keep = 2", equals, {"keep": 2}),
    ]


def narrow_range_array(*given: Any, **named: Any) -> Any:
    """The two ends as an array."""
    return np.array(reference.narrow_range(*given, **named))


NARROW_RANGE = Entry(
    "narrow_range",
    reference.narrow_range,
    narrow_range_cases,
    variants={"an array": narrow_range_array},
    mistakes=written(
        """
        worst: reverse=True  →  reverse=False
            It looks as if the worst trials are kept.
            Try: Scores are maximised: sort with reverse=True.
        not-sorted: sorted(finished, key=lambda trial: trial["score"], reverse=True)  →  finished
            It looks as if the first trials are kept, in the order they came.
            Try: Sort by score first.
        all-trials: reverse=True)[:keep]  →  reverse=True)
            It looks as if all trials are kept.
            Try: Keep the `keep` best, or the range never gets narrower.
        failed-kept: if not math.isnan(trial["score"])  →
            lambda trial: trial["score"]  →  lambda trial: np.nan_to_num(trial["score"], nan=np.inf)
            It looks as if failed trials (score NaN) count among the best.
            Try: Leave them out before sorting: NaN compares with nothing.
        failed-fill: values =
                →  best = (best + [t for t in trials if math.isnan(t["score"])])[:keep]⏎values =
            It looks as if failed trials fill up where fewer than `keep` count.
            Try: Take them out first; fewer than `keep` are enough.
        ties-lost: best =  →  finished = list({t["score"]: t for t in finished}.values())⏎best =
            It looks as if one of several equally good trials gets lost.
            Try: In a dictionary with scores for keys, equal ones replace each other: sort a list.
        keep-fixed: finished =  →  keep = 5⏎finished =
            It looks as if always five trials are kept. Try: Use `keep`.
        name-fixed: [name]  →  ["learning_rate"]
            It looks as if the learning rate is looked at whatever is asked. Try: Use `name`.
        best-and-last: min(values), max(values)  →  values[0], values[-1]
            It looks as if the values of the best and the last kept trial come back.
            Try: Return the smallest and the largest value among those kept.
        swapped: min(values), max(values)  →  max(values), min(values)
            It looks as if the two ends have changed places. Try: Return (low, high).
        """
    ),
)

# ---- giving up -----------------------------------------------------------------------------------


def should_abandon_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for options in ({}, {"factor": 1.5}, {"factor": 6.0}):
        factor, first = options.get("factor", 3.0), float(rng.uniform(0.5, 3.0))
        low, high = 0.9 * factor * first, 1.1 * factor * first
        runs = {
            "falls all the time": [first, 0.8 * first, 0.5 * first, 0.4 * first],
            "rises just above the limit and comes back": [first, high, 0.5 * first, 0.4 * first],
            "stays just under the limit": [first, low, low, low],
            "exactly at the limit": [1.0, factor, 0.5],
            "a hair above the limit": [1.0, 1.0005 * factor, 0.5],
            "turns into NaN": [first, 0.9 * first, math.nan, 0.8 * first],
            "ends in infinity": [first, 0.9 * first, math.inf],
            "one loss only": [first],
            "falls, then rises far above its lowest": [first, 0.05 * first, 0.9 * low, 0.9 * low],
            "creeps over the limit at the end": [first, 0.7 * high, 0.9 * high, high],
        }
        if options:
            runs["minus infinity"] = [first, -math.inf]
        about = f"factor = {factor:g}" if options else "factor left out"
        cases.append({"about": about, "runs": runs, "options": options})
    return cases


SHOULD_ABANDON = Entry(
    "should_abandon",
    reference.should_abandon,
    should_abandon_cases,
    mistakes=written(
        """
        nan-ignored: not np.isfinite(values).all()  →  np.isinf(values).any()
            It looks as if NaN passes. Try: No comparison with NaN is true: ask np.isfinite as well.
        infinity-ignored: return  →  values = values[~np.isinf(values)]⏎return
            It looks as if infinity passes. Try: np.isfinite finds NaN and both infinities.
        previous: values[0]  →  values[:-1]
            It looks as if each loss is compared with the one before.
            Try: Compare with the first one: a slow climb counts too.
        lowest: values[0]  →  min(losses)
            It looks as if the losses are compared with the lowest one.
            Try: Compare with the first one.
        last-only: [1:]  →  [-1:]
            It looks as if only the last loss is looked at. Try: Any later loss counts.
        at-the-limit: > factor  →  >= factor
            It looks as if a loss exactly at the limit counts. Try: Give up above it: >, not >=.
        added: factor *  →  factor +
            It looks as if factor is added to the first loss.
            Try: Multiply: factor times the first loss.
        factor-fixed: factor * values  →  3.0 * values
            It looks as if the factor is always 3. Try: Use `factor`.
        """
    ),
)
