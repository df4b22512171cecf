"""Unit 9 for the grader: fresh cases, accepted variants, and the mistakes students make."""

from __future__ import annotations

import itertools
import math
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from descent.judging import Mistake
from descent_solutions import hyperparameter_search as reference

from descent_autograder.questions.legacy import Entry, Switches, add

Rng = np.random.Generator
Case = dict[str, Any]

# ---- drawing -------------------------------------------------------------------------------------


def _seed(rng: Rng) -> int:
    return int(rng.integers(2**31))


def log_uniform_cases(rng: Rng) -> list[Case]:
    return [
        {"about": f"from {low:g} to {high:g}", "low": low, "high": high, "seed": _seed(rng)}
        for low, high in ((1e-6, 1e-1), (0.02, 50.0))
    ]


def log_uniform_family(on: Switches) -> Callable[..., Any]:
    def log_uniform(low: float, high: float, rng: Any, size: Any = None) -> Any:
        if "own-generator" in on:
            rng = random.Random(1)
            count = 1 if size is None else int(np.prod(size))
            exponents = np.array(
                [rng.uniform(math.log10(low), math.log10(high)) for _ in range(count)]
            )
            draws = exponents[0] if size is None else exponents.reshape(size)
            return 10**draws
        if "uniform" in on:
            return rng.uniform(low, high, size)
        if "size-ignored" in on:
            size = None
        a, b = np.log10(low), np.log10(high)
        if "one-decade-short" in on:
            b = b - 1
        if "log-of-uniform" in on:
            return np.log10(rng.uniform(low, high, size))
        if "from-a-list" in on:
            return rng.choice(np.geomspace(low, high, 100), size)
        if "one-number" in on:
            return np.full(() if size is None else size, 10 ** rng.uniform(a, b))
        if "whole-decades" in on:
            span = np.round(rng.uniform(0, 1, size) * 3) / 3
            exponent = a + span * (b - a)
        else:
            exponent = rng.uniform(a, b, size)
        if "ten-times" in on:
            return 10 * exponent
        if "exponents" in on:
            return exponent
        if "wrong-base" in on:
            return np.exp(exponent)
        if "logs-forgotten" in on:
            return 10 ** rng.uniform(low, high, size)
        return 10**exponent

    return log_uniform


def log_uniform_natural(low: float, high: float, rng: Any, size: Any = None) -> Any:
    """With natural logarithms, from the unit interval."""
    return low * np.exp(rng.random(size) * np.log(high / low))


add(
    Entry(
        question="log_uniform",
        reference=reference.log_uniform,
        cases=log_uniform_cases,
        family=log_uniform_family,
        mistakes=(
            Mistake(
                "uniform",
                "It looks as if the numbers are uniform, not their logarithms.",
                "Nearly all of them then lie in the top decade: draw the exponent uniformly.",
            ),
            Mistake(
                "ten-times",
                "It looks as if the exponent is multiplied by 10.",
                "`10 * x` is not `10 ** x`.",
            ),
            Mistake(
                "exponents",
                "It looks as if the exponents come back.",
                "Raise 10 to them.",
            ),
            Mistake(
                "wrong-base",
                "It looks as if log10 goes in and exp comes out.",
                "Undo log10 with 10 **, or np.log with np.exp.",
            ),
            Mistake(
                "logs-forgotten",
                "It looks as if low and high are taken for exponents.",
                "Draw the exponent between log10(low) and log10(high).",
            ),
            Mistake(
                "whole-decades",
                "It looks as if only a few exponents are ever drawn.",
                "Any exponent in between is as good: draw a real number.",
            ),
            Mistake(
                "one-decade-short",
                "It looks as if the top of the range is never reached.",
                "The exponents go up to log10(high).",
            ),
            Mistake(
                "size-ignored",
                "It looks as if `size` isn't used.",
                "Hand it on to rng.uniform.",
            ),
            Mistake(
                "from-a-list",
                "It looks as if the numbers are chosen from a fixed list.",
                "Any number in between is as good: draw a real exponent.",
            ),
            Mistake(
                "log-of-uniform",
                "It looks as if the logarithm is taken of a uniform number.",
                "Take the logarithm of low and high, draw between them, then undo it.",
            ),
            Mistake(
                "one-number",
                "It looks as if one number fills the whole array.",
                "Hand `size` on to rng.uniform, so that each is drawn anew.",
            ),
            Mistake(
                "own-generator",
                "It looks as if a generator of your own is used.",
                "Draw from the `rng` that is handed in, or nothing can be repeated.",
            ),
        ),
        variants={"natural logarithms": log_uniform_natural},
    )
)

# ---- borders and ranges --------------------------------------------------------------------------


def on_border_cases(rng: Rng) -> list[Case]:
    def values(low: float, high: float, log: bool, margin: float) -> list[float]:
        # Well within the margin; within it, yet further than half of it; then a little too far.
        near = np.array([0.3, 0.7, 1.4]) * margin
        shares = np.array([*near, 0.5, *(1 - near[::-1])]) + rng.uniform(-0.1, 0.1, 7) * margin
        inside = low * (high / low) ** shares if log else low + shares * (high - low)
        # Without a logarithm these quarters are exact: the limit itself, from both ends.
        exact = [4.0, 4.5, 7.5, 8.0] if (low, high, margin) == (2.0, 10.0, 0.25) else []
        return [low, *inside.tolist(), *exact, high]

    cases: list[Case] = []
    for low, high, options in (
        (1e-6, 1e-1, {}),
        (1e-5, 1.0, {"log": True, "margin": 0.2}),
        (0.2, 0.9, {"log": False}),
        (2.0, 10.0, {"log": False, "margin": 0.25}),
    ):
        log, margin = bool(options.get("log", True)), float(options.get("margin", 0.1))
        about = f"the range {low:g} to {high:g}, " + ("log" if log else "linear")
        cases.append(
            {
                "about": f"{about}, margin {margin:g}",
                "values": values(low, high, log, margin),
                "low": low,
                "high": high,
                "options": options,
            }
        )
    return cases


def on_border_family(on: Switches) -> Callable[..., Any]:
    def on_border(
        value: float, low: float, high: float, *, log: bool = True, margin: float = 0.1
    ) -> bool:
        if "always-linear" in on:
            log = False
        if "always-log" in on:
            log = True
        if "margin-fixed" in on:
            margin = 0.1
        if log:
            value, low, high = math.log(value), math.log(low), math.log(high)
        width = 1.0 if "margin-absolute" in on else high - low
        reach = margin * width / (2 if "margin-halved" in on else 1)
        below, above = value - low, high - value
        if "ends-excluded" in on:
            near = [0 < below <= reach, 0 < above <= reach]
        elif "limit-excluded" in on:
            near = [below < reach, above < reach]
        elif "ends-only" in on:
            near = [below == 0, above == 0]
        else:
            near = [below <= reach, above <= reach]
        if "never" in on:
            return all(near)
        if "low-only" in on:
            near[1] = False
        if "high-only" in on:
            near[0] = False
        return not any(near) if "inverted" in on else any(near)

    return on_border


add(
    Entry(
        question="on_border",
        reference=reference.on_border,
        cases=on_border_cases,
        family=on_border_family,
        mistakes=(
            Mistake(
                "always-linear",
                "It looks as if the position is always measured on the linear scale.",
                "On a log range nearly everything is near the low end then: use logarithms.",
            ),
            Mistake(
                "always-log",
                "It looks as if the position is always measured on the log scale.",
                "With log=False use the numbers as they are.",
            ),
            Mistake(
                "margin-absolute",
                "It looks as if the margin isn't multiplied by the range's width.",
                "margin = 0.1 means a tenth of the way from low to high.",
            ),
            Mistake(
                "margin-fixed",
                "It looks as if the margin is always 0.1.",
                "Use the `margin` that is handed in.",
            ),
            Mistake(
                "margin-halved",
                "It looks as if each side gets half of the margin.",
                "The margin counts from either end.",
            ),
            Mistake(
                "ends-excluded",
                "It looks as if a value exactly on an end doesn't count.",
                "The very end of the range is the clearest sign that it was wrong.",
            ),
            Mistake(
                "limit-excluded",
                "It looks as if a value exactly at the limit doesn't count.",
                "The limit itself is included: <=, not <.",
            ),
            Mistake(
                "ends-only",
                "It looks as if only the very ends count.",
                "Near means within `margin` of the width, from either end.",
            ),
            Mistake(
                "never",
                "It looks as if both ends have to be near at once.",
                "No value is near both: use `or` between the two.",
            ),
            Mistake(
                "low-only",
                "It looks as if only the low end is looked at.",
                "The best value may sit at either end.",
            ),
            Mistake(
                "high-only",
                "It looks as if only the high end is looked at.",
                "The best value may sit at either end.",
            ),
            Mistake(
                "inverted",
                "It looks as if the answer is turned round.",
                "True means: near the border, search further out.",
            ),
        ),
    )
)


def narrow_range_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for count, failed, options in ((16, 2, {}), (12, 1, {"keep": 3}), (4, 0, {"keep": 6})):
        # Five good ones, five bad ones, the rest in between.
        lows = np.select([np.arange(count) < 5, np.arange(count) < 10], [0.6, 0.0], 0.4)
        trials: list[Case] = [
            {
                "config": {
                    "learning_rate": float(10 ** rng.uniform(-6, -1)),
                    "reg": float(10 ** rng.uniform(-5, 0)),
                },
                "score": float(rng.uniform(low, low + 0.1)),
            }
            for low in lows
        ]
        if count > 10:
            # Extremes among the bad trials, in the middle and as fifth best: narrowing must show.
            fifth = min(range(5), key=lambda i: trials[i]["score"])
            for i, rate in ((9, 1e-7), (10, 1.0), (fifth, 2e-7)):
                trials[i]["config"] = {"learning_rate": rate, "reg": rate}
        for i in range(failed):
            trials[count - 1 - i]["score"] = float("nan")
        # The smallest value comes last: those who take the first few don't meet it.
        trials = [trials[i] for i in rng.permutation(count) if i != 9] + trials[9:10]
        about = f"{count} trials, {failed} failed, " + (
            f"keep = {options['keep']}" if options else "keep left out"
        )
        for name in ("learning_rate", "reg"):
            cases.append({"about": about, "trials": trials, "name": name, "options": options})
    return cases + _narrow_by_losses(rng)


def _narrow_by_losses(rng: Rng) -> list[Case]:
    """Scores below 0, as of a loss: fewer trials that count than are kept; equally good ones."""
    rates = 10 ** rng.uniform(-4, -1, 6)
    few = {rates[0]: -2, 1.0: math.nan, rates[1]: -1, 1e-7: math.nan, rates[2]: -1}
    equals = {1e-6: -10, rates[3]: -0.5, 1.0: -30, rates[4]: -0.5, rates[5] / 1e4: -9}
    return [
        {
            "about": about,
            "trials": [
                {"config": {"learning_rate": float(rate)}, "score": float(score)}
                for rate, score in trials.items()
            ],
            "name": "learning_rate",
            "options": options,
        }
        for about, trials, options in (
            ("5 trials with scores below 0, two failed, keep left out", few, {}),
            ("5 trials with scores below 0, two equally good, keep = 2", equals, {"keep": 2}),
        )
    ]


def narrow_range_family(on: Switches) -> Callable[..., Any]:
    def narrow_range(trials: Any, name: str, *, keep: int = 5) -> Any:
        if "keep-fixed" in on:
            keep = 5
        name = "learning_rate" if "name-fixed" in on else name
        done = [t for t in trials if not math.isnan(t["score"])]
        if "failed-kept" in on:
            # NaN in front: what a sort by a key of -score, NaN first, comes to.
            done = [t for t in trials if math.isnan(t["score"])] + done
            order = sorted(done, key=lambda t: math.inf if math.isnan(t["score"]) else t["score"])
            best = order[::-1][:keep]
        elif "not-sorted" in on:
            best = done[:keep]
        else:
            best = sorted(done, key=lambda t: t["score"], reverse="worst" not in on)[:keep]
        if "failed-fill" in on:
            best = (best + [t for t in trials if math.isnan(t["score"])])[:keep]
        if "ties-lost" in on:
            best = list({t["score"]: t for t in sorted(done, key=lambda t: t["score"])}.values())
            best = best[::-1][:keep]
        if "all-trials" in on:
            best = done
        values = [t["config"][name] for t in best]
        if "best-and-last" in on:
            return values[0], values[-1]
        low, high = min(values), max(values)
        return (high, low) if "swapped" in on else (low, high)

    return narrow_range


def narrow_range_array(trials: Any, name: str, *, keep: int = 5) -> Any:
    """The two ends as an array."""
    return np.array(reference.narrow_range(trials, name, keep=keep))


add(
    Entry(
        question="narrow_range",
        reference=reference.narrow_range,
        cases=narrow_range_cases,
        family=narrow_range_family,
        mistakes=(
            Mistake(
                "worst",
                "It looks as if the worst trials are kept.",
                "Scores are maximised: sort with reverse=True.",
            ),
            Mistake(
                "not-sorted",
                "It looks as if the first trials are kept, in the order they came.",
                "Sort by score first.",
            ),
            Mistake(
                "all-trials",
                "It looks as if all trials are kept.",
                "Keep the `keep` best, or the range never gets narrower.",
            ),
            Mistake(
                "failed-kept",
                "It looks as if failed trials (score NaN) count among the best.",
                "Leave them out before sorting: NaN compares with nothing.",
            ),
            Mistake(
                "failed-fill",
                "It looks as if failed trials fill up where fewer than `keep` count.",
                "Take them out first; fewer than `keep` are enough.",
            ),
            Mistake(
                "ties-lost",
                "It looks as if one of several equally good trials gets lost.",
                "In a dictionary with scores for keys, equal ones replace each other: sort a list.",
            ),
            Mistake(
                "keep-fixed",
                "It looks as if always five trials are kept.",
                "Use `keep`.",
            ),
            Mistake(
                "name-fixed",
                "It looks as if the learning rate is looked at whatever is asked.",
                "Use `name`.",
            ),
            Mistake(
                "best-and-last",
                "It looks as if the values of the best and the last kept trial come back.",
                "Return the smallest and the largest value among those kept.",
            ),
            Mistake(
                "swapped",
                "It looks as if the two ends have changed places.",
                "Return (low, high).",
            ),
        ),
        variants={"an array": narrow_range_array},
    )
)


def should_abandon_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for options in ({}, {"factor": 1.5}, {"factor": 6.0}):
        factor, first = float(options.get("factor", 3.0)), float(rng.uniform(0.5, 3.0))
        low, high = 0.9 * factor * first, 1.1 * factor * first
        runs = {
            "falls all the time": [first, 0.8 * first, 0.5 * first, 0.4 * first],
            "rises just above the limit and comes back": [first, high, 0.5 * first, 0.4 * first],
            "stays just under the limit": [first, low, low, low],
            "exactly at the limit": [1.0, factor, 0.5],
            "a hair above the limit": [1.0, 1.0005 * factor, 0.5],
            "turns into NaN": [first, 0.9 * first, float("nan"), 0.8 * first],
            "ends in infinity": [first, 0.9 * first, float("inf")],
            "one loss only": [first],
            "falls, then rises far above its lowest": [first, 0.05 * first, 0.9 * low, 0.9 * low],
            "creeps over the limit at the end": [first, 0.7 * high, 0.9 * high, high],
        }
        if options:
            runs["minus infinity"] = [first, -math.inf]
        about = f"factor = {factor:g}" if options else "factor left out"
        cases.append({"about": about, "runs": runs, "options": options})
    return cases


def should_abandon_family(on: Switches) -> Callable[..., Any]:
    def should_abandon(losses: Any, factor: float = 3.0) -> bool:
        if "factor-fixed" in on:
            factor = 3.0
        later = losses[-1:] if "last-only" in on else losses[1:]
        first = min(losses) if "lowest" in on else losses[0]
        limit = factor + first if "added" in on else factor * first
        if "previous" in on:
            pairs = itertools.pairwise(losses)
            above = any(b > factor * a for a, b in pairs)
        elif "at-the-limit" in on:
            above = any(loss >= limit for loss in later)
        else:
            above = any(loss > limit for loss in later)
        if "nan-ignored" in on:
            bad = any(math.isinf(loss) for loss in losses)
        elif "infinity-ignored" in on:
            bad = any(math.isnan(loss) for loss in losses)
            above = any(limit < loss < math.inf for loss in later)
        else:
            bad = any(not math.isfinite(loss) for loss in losses)
        return above or bad

    return should_abandon


add(
    Entry(
        question="should_abandon",
        reference=reference.should_abandon,
        cases=should_abandon_cases,
        family=should_abandon_family,
        mistakes=(
            Mistake(
                "nan-ignored",
                "It looks as if NaN passes.",
                "No comparison with NaN is true: ask np.isfinite as well.",
            ),
            Mistake(
                "infinity-ignored",
                "It looks as if infinity passes.",
                "np.isfinite finds NaN and both infinities.",
            ),
            Mistake(
                "previous",
                "It looks as if each loss is compared with the one before.",
                "Compare with the first one: a slow climb counts too.",
            ),
            Mistake(
                "lowest",
                "It looks as if the losses are compared with the lowest one.",
                "Compare with the first one.",
            ),
            Mistake(
                "last-only",
                "It looks as if only the last loss is looked at.",
                "Any later loss counts.",
            ),
            Mistake(
                "at-the-limit",
                "It looks as if a loss exactly at the limit counts.",
                "Give up above it: >, not >=.",
            ),
            Mistake(
                "added",
                "It looks as if factor is added to the first loss.",
                "Multiply: factor times the first loss.",
            ),
            Mistake(
                "factor-fixed",
                "It looks as if the factor is always 3.",
                "Use `factor`.",
            ),
        ),
    )
)

# ---- searching -----------------------------------------------------------------------------------


def random_search_cases(rng: Rng) -> list[Case]:
    space = {"learning_rate": (1e-6, 1e-1, "log"), "keep_prob": (0.2, 0.9, "linear")}
    return [
        {
            "about": about,
            "space": space,
            "num_trials": num_trials,
            "raises": raises,
            "nans": nans,
            "seed": _seed(rng),
            "spread": spread,
        }
        for about, num_trials, raises, nans, spread in (
            ("15 trials, five of which fail", 15, [2, 6, 11], [1, 9], False),
            ("3 trials, all of which fail", 3, [1, 3], [2], False),
            ("800 trials, two of which fail", 800, [], [1, 9], True),
        )
    ]


def random_search_family(on: Switches) -> Callable[..., Any]:
    def draw(space: Any, rng: Any) -> Any:
        config = {}
        share = rng.random()
        for name, (low, high, scale) in space.items():
            share = share if "tied" in on else rng.random()
            if "all-log" in on or (scale == "log" and "all-linear" not in on):
                config[name] = float(low * (high / low) ** share)
            else:
                config[name] = float(low + (high - low) * share)
        return config

    def grid(space: Any, num_trials: int) -> Any:
        side = math.ceil(math.sqrt(num_trials))
        configs = []
        for k in range(num_trials):
            config = {}
            for j, (name, (low, high, scale)) in enumerate(space.items()):
                share = ((k // side**j) % side + 0.5) / side
                if scale == "log":
                    config[name] = low * (high / low) ** share
                else:
                    config[name] = low + (high - low) * share
            configs.append(config)
        return configs

    def random_search(objective: Any, space: Any, num_trials: int, rng: Any) -> Any:
        if "own-generator" in on:
            rng = np.random.default_rng(12345)
        count = num_trials + 1 if "one-more" in on else num_trials
        configs = grid(space, count) if "grid" in on else [draw(space, rng) for _ in range(count)]
        if "one-config" in on:
            configs = [configs[0]] * count
        trials = []
        for config in configs:
            try:
                score = float(objective(config))
            except Exception as error:
                one_kind = "value-errors-only" in on and not isinstance(error, ValueError)
                if "exception-escapes" in on or one_kind:
                    raise
                score = float("nan")
            if "failed-minus-infinity" in on and math.isnan(score):
                score = -math.inf
            trials.append({"config": config, "score": score})
        if "one-dictionary" in on:
            trials = [{**t, "config": configs[-1]} for t in trials]
        failed = [t for t in trials if math.isnan(t["score"])]
        done = [t for t in trials if not math.isnan(t["score"])]
        if "ties-lost" in on:
            done = list({t["score"]: t for t in done}.values())
        if "none-finished" in on and not done:
            raise ValueError("max() arg is an empty sequence")
        if "not-sorted" not in on:
            done.sort(key=lambda t: t["score"], reverse="worst-first" not in on)
        if "failed-dropped" in on:
            return done
        return failed + done if "failed-first" in on else done + failed

    return random_search


add(
    Entry(
        question="random_search",
        reference=reference.random_search,
        cases=random_search_cases,
        family=random_search_family,
        mistakes=(
            Mistake(
                "all-linear",
                "It looks as if every hyper-parameter is drawn on the linear scale.",
                'Draw the exponent uniformly where the scale is "log".',
            ),
            Mistake(
                "all-log",
                "It looks as if every hyper-parameter is drawn on the log scale.",
                'Where the scale is "linear", draw the number itself.',
            ),
            Mistake(
                "grid",
                "It looks as if the configurations form a grid.",
                "Draw each at random: nine trials then try nine learning rates, not three.",
            ),
            Mistake(
                "tied",
                "It looks as if one random number sets all hyper-parameters.",
                "Draw anew for each name, or only a diagonal is searched.",
            ),
            Mistake(
                "one-config",
                "It looks as if the same configuration is tried over and over.",
                "Draw inside the loop.",
            ),
            Mistake(
                "worst-first",
                "It looks as if the lowest score comes first.",
                "Scores are maximised: best first.",
            ),
            Mistake(
                "not-sorted",
                "It looks as if the trials stay in the order they were tried.",
                "Sort them by score, best first.",
            ),
            Mistake(
                "failed-dropped",
                "It looks as if failed trials are left out.",
                "Keep them, at the end: a failed trial says something about the range.",
            ),
            Mistake(
                "failed-first",
                "It looks as if failed trials come first.",
                "NaN sorts unpredictably: put them at the end yourself.",
            ),
            Mistake(
                "exception-escapes",
                "It looks as if an exception in the objective ends the search.",
                "Catch it, record the trial as failed, and go on.",
            ),
            Mistake(
                "value-errors-only",
                "It looks as if only a ValueError is caught.",
                "Any `Exception` is a failed trial: the objective may as well divide by 0.",
            ),
            Mistake(
                "failed-minus-infinity",
                "It looks as if a failed trial gets the score minus infinity.",
                "Its score is NaN: math.nan, at the end of the list.",
            ),
            Mistake(
                "none-finished",
                "It looks as if a search fails where no trial has finished.",
                "All of them may fail: return them all the same.",
            ),
            Mistake(
                "ties-lost",
                "It looks as if one of several equally good trials gets lost.",
                "In a dictionary with scores for keys, equal ones replace each other: sort a list.",
            ),
            Mistake(
                "one-dictionary",
                "It looks as if all trials share one dictionary.",
                "Make a new dictionary for each trial, or each shows the last configuration.",
            ),
            Mistake(
                "one-more",
                "It looks as if there is one trial too many.",
                "Try exactly `num_trials` configurations.",
            ),
            Mistake(
                "own-generator",
                "It looks as if a generator of your own is used.",
                "Draw from the `rng` that is handed in.",
            ),
        ),
    )
)


def successive_halving_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for count, min_epochs, factor in ((9, 1, 3), (8, 2, 2), (7, 1, 3), (1, 3, 2), (8, 1, 3)):
        # Slow starters with a high end, quick ones with a low end: the budget decides who wins.
        starts = rng.permutation(np.linspace(0.1, 0.6, count))
        gains = 1.2 - starts + rng.uniform(0, 0.3, count)
        # The best after the first round gets worse from then on, and ends below early losers.
        leader = starts.argmax()
        starts[leader], gains[leader] = 2.0, -2.5
        about = f"{count} configurations, min_epochs = {min_epochs}, factor = {factor}"
        names = [f"c{i}" for i in range(count)]
        if (count, factor) == (8, 3):
            about += ", scores below 0, some of them equal"
            starts -= 3
            order = np.argsort(starts + gains * (1 - 0.5 ** (min_epochs / 4)))
            # The two worst are equally good; the two best are one configuration, listed twice.
            starts[order[1]], gains[order[1]] = starts[order[0]], gains[order[0]]
            names[order[-2]] = names[order[-1]]
        curves = {
            f"c{i}": (float(s), float(g))
            for i, (s, g) in enumerate(zip(starts, gains, strict=True))
        }
        cases.append(
            {
                "about": about,
                "names": names,
                "curves": curves,
                "min_epochs": min_epochs,
                "factor": factor,
            }
        )
    return cases


def _worth(score: float, on: Switches) -> float:
    return abs(score) if "sign-dropped" in on else score


def successive_halving_family(on: Switches) -> Callable[..., Any]:
    def successive_halving(train: Any, configs: Any, *, min_epochs: int, factor: int) -> Any:
        trials = [{"config": c, "score": -math.inf, "epochs": 0} for c in configs]
        states: list[Any] = [None] * len(configs)
        order, total, round_number = list(range(len(configs))), min_epochs, 0
        ranked: list[int] = []
        if "factor-fixed" in on:
            factor = 2
        if "single-untrained" in on and len(configs) == 1:
            return trials
        while True:
            for i in order:
                before = trials[i]["epochs"]
                state = None if "restarted" in on else states[i]
                if "state-shared" in on:
                    state = states[0]
                more = total if on & {"totals", "restarted", "budget-added"} else total - before
                if "same-budget" in on:
                    more = min_epochs
                state, score = train(configs[i], state, more)
                states[0 if "state-shared" in on else i] = state
                reached = before + more if on & {"same-budget", "budget-added"} else total
                trials[i] |= {"score": score, "epochs": reached}
            order.sort(key=lambda i: _worth(trials[i]["score"], on), reverse="worst-kept" not in on)
            n = len(order)
            keep = max(1, -(-n // factor) if "rounded-up" in on else n // factor)
            if "rounded" in on:
                keep = max(1, round(n / factor))
            if "none-left" in on:
                keep = n // factor
            if "fixed-count" in on:
                keep = max(1, n - factor)
            alive = order[:keep] if n > 1 and keep < n else []
            if on & {"last-round-missing", "single-untrained"} and len(alive) == 1:
                ranked = order + ranked
                break
            ranked = order[len(alive) :] + ranked
            if not alive:
                break
            order, round_number = alive, round_number + 1
            total = min_epochs * (
                factor * round_number if "linear-budget" in on else factor**round_number
            )
        if "losers-dropped" in on:
            ranked = ranked[:1]
        if "by-score-alone" in on:
            ranked = sorted(ranked, key=lambda i: trials[i]["score"], reverse=True)
        return [trials[i] for i in ranked]

    return successive_halving


def halving_by_epochs(train: Any, configs: Any, *, min_epochs: int, factor: int) -> Any:
    """One call of train for each epoch."""

    def one_by_one(config: Any, state: Any, epochs: int) -> Any:
        score = math.nan
        for _ in range(epochs):
            state, score = train(config, state, 1)
        return state, score

    return reference.successive_halving(one_by_one, configs, min_epochs=min_epochs, factor=factor)


add(
    Entry(
        question="successive_halving",
        reference=reference.successive_halving,
        cases=successive_halving_cases,
        family=successive_halving_family,
        mistakes=(
            Mistake(
                "totals",
                "It looks as if train is asked for the total of epochs each time.",
                "Its third argument is how many *more*: the total minus what is done already.",
            ),
            Mistake(
                "restarted",
                "It looks as if each round starts from nothing.",
                "Hand train the state that it returned for this configuration.",
            ),
            Mistake(
                "state-shared",
                "It looks as if the configurations share one state.",
                "Keep a state for each: train continues what it is given.",
            ),
            Mistake(
                "same-budget",
                "It looks as if every round trains for min_epochs only.",
                "The total grows by `factor` from round to round.",
            ),
            Mistake(
                "budget-added",
                "It looks as if each round trains for min_epochs · factor^k more epochs.",
                "That is the total: train for what is missing of it.",
            ),
            Mistake(
                "linear-budget",
                "It looks as if the budget grows by addition.",
                "Round k brings its configurations to min_epochs · factor^k epochs.",
            ),
            Mistake(
                "worst-kept",
                "It looks as if the worst configurations go on.",
                "Scores are maximised.",
            ),
            Mistake(
                "sign-dropped",
                "It looks as if the sign of the scores is dropped.",
                "Scores may be below 0: −0.1 is better than −2.",
            ),
            Mistake(
                "rounded-up",
                "It looks as if n / factor is rounded up.",
                "Keep max(1, n // factor).",
            ),
            Mistake(
                "rounded",
                "It looks as if n / factor is rounded to the nearest number.",
                "Keep max(1, n // factor): 8 // 3 is 2.",
            ),
            Mistake(
                "none-left",
                "It looks as if the rounds end where n // factor is 0.",
                "One always goes on: max(1, n // factor).",
            ),
            Mistake(
                "fixed-count",
                "It looks as if `factor` configurations are dropped each round.",
                "Keep one in `factor`: max(1, n // factor).",
            ),
            Mistake(
                "last-round-missing",
                "It looks as if the last survivor isn't trained any further.",
                "The round with one configuration is the last round, and it is trained too.",
            ),
            Mistake(
                "single-untrained",
                "It looks as if the loop ends, untrained, as soon as one is left.",
                "Train first, then ask whether this was the last, even with one from the start.",
            ),
            Mistake(
                "losers-dropped",
                "It looks as if only the winner comes back.",
                "Return every trial: those that got further first, then by score.",
            ),
            Mistake(
                "by-score-alone",
                "It looks as if the trials are ranked by score alone.",
                "A score after few epochs doesn't compare: those that got further come first.",
            ),
            Mistake(
                "factor-fixed",
                "It looks as if the number is halved whatever the factor.",
                "Use `factor`.",
            ),
        ),
        variants={"epoch by epoch": halving_by_epochs},
    )
)

# ---- what chooses, and what reports --------------------------------------------------------------


def choose_model_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    keys = ("train", "validation", "test")
    for count in (6, 8):
        scores = [{key: float(rng.uniform(0.3, 0.7)) for key in keys} for _ in range(count)]
        order = rng.permutation(count).tolist()
        for key, i in zip(keys, order, strict=False):
            scores[i][key] = float(rng.uniform(0.86, 0.95))
        scores[order[1]]["train"] = float(rng.uniform(0.6, 0.7))
        # Two scores together prefer another one, whichever they are: each pair a model of its own.
        scores[order[3]] = {"train": 0.4, "validation": 0.845, "test": 0.845}
        scores[order[4]] = {"train": 0.845, "validation": 0.845, "test": 0.4}
        scores[order[5]]["validation"] = 0.2
        cases.append({"about": f"{count} models", "scores": scores})
    equals = (-0.1, -0.5, -0.45), (-0.6, -0.5, -0.2), (-0.7, -0.5, -0.3)
    by = float(rng.uniform(0.5, 1.5))
    losses = [
        dict(zip(keys, (by * v for v in three), strict=True))
        for three in ((-0.9, -0.7, -0.8), *equals)
    ]
    cases.append({"about": "scores below 0, three models equally good", "scores": losses})
    return cases


def choose_model_family(on: Switches) -> Callable[..., Any]:
    def choose_model(scores: Any) -> Any:
        def worth(s: Any) -> float:
            if "by-test" in on:
                return float(s["test"])
            if "by-train" in on:
                return float(s["train"])
            if "by-mean" in on:
                return float(s["validation"] + s["test"])
            if "by-train-too" in on:
                return float(s["validation"] + s["train"])
            if "by-gap" in on:
                return float(s["validation"] - s["train"])
            return float(-s["validation"] if "worst" in on else s["validation"])

        best = max(range(len(scores)), key=lambda i: worth(scores[i]))
        if "last-of-equals" in on:
            best = max(range(len(scores)), key=lambda i: (worth(scores[i]), i))
        if "ties-by-test" in on:
            best = max(range(len(scores)), key=lambda i: (worth(scores[i]), scores[i]["test"]))
        if "starts-at-zero" in on and worth(scores[best]) <= 0:
            best = 0
        reported = scores[best]["test"]
        if "validation-reported" in on:
            reported = scores[best]["validation"]
        if "best-test-reported" in on:
            reported = max(s["test"] for s in scores)
        if "mean-reported" in on:
            reported = (scores[best]["test"] + scores[best]["validation"]) / 2
        if "lower-reported" in on:
            reported = min(scores[best]["test"], scores[best]["validation"])
        return best, reported

    return choose_model


add(
    Entry(
        question="choose_model",
        reference=reference.choose_model,
        cases=choose_model_cases,
        family=choose_model_family,
        mistakes=(
            Mistake(
                "by-test",
                "It looks as if the test score chooses.",
                "Then nothing is left that has not been used for choosing: choose on validation.",
            ),
            Mistake(
                "by-train",
                "It looks as if the training score chooses.",
                "It rewards memorising: choose on validation.",
            ),
            Mistake(
                "by-mean",
                "It looks as if validation and test choose together.",
                "The test set must have no say in the choice.",
            ),
            Mistake(
                "by-train-too",
                "It looks as if training and validation choose together.",
                "The training score rewards memorising: choose on validation alone.",
            ),
            Mistake(
                "by-gap",
                "It looks as if the smallest gap between training and validation chooses.",
                "A model that has learnt nothing has none: choose on validation.",
            ),
            Mistake(
                "last-of-equals",
                "It looks as if the last of several equally good models is taken.",
                "Take the first: >, not >=.",
            ),
            Mistake(
                "ties-by-test",
                "It looks as if the test score decides between equally good models.",
                "Take the first: the test set must have no say in the choice.",
            ),
            Mistake(
                "starts-at-zero",
                "It looks as if a score has to be above 0 to win.",
                "Scores may be below 0: start from the first model's, or from minus infinity.",
            ),
            Mistake(
                "worst",
                "It looks as if the lowest validation score is taken.",
                "Scores are maximised.",
            ),
            Mistake(
                "validation-reported",
                "It looks as if the validation score is reported.",
                "It was maximised, so it flatters: report the chosen model's test score.",
            ),
            Mistake(
                "best-test-reported",
                "It looks as if the best test score of all is reported.",
                "Report the test score of the model that was chosen.",
            ),
            Mistake(
                "mean-reported",
                "It looks as if the mean of validation and test is reported.",
                "Report the test score alone.",
            ),
            Mistake(
                "lower-reported",
                "It looks as if the lower of validation and test is reported.",
                "Report the test score alone, also where it is the higher one.",
            ),
        ),
    )
)


def k_folds_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": f"{n} examples in {k} folds",
            "num_examples": n,
            "num_folds": k,
            "seed": _seed(rng),
        }
        for n, k in ((23, 5), (20, 4), (31, 3))
    ]


def k_folds_family(on: Switches) -> Callable[..., Any]:
    def k_folds(num_examples: int, num_folds: int, rng: Any) -> Any:
        if "own-generator" in on:
            rng = np.random.default_rng(0)
        order = rng.permutation(num_examples)
        if on & {"not-shuffled", "shuffled-within"}:
            order = np.arange(num_examples)
        size = num_examples // num_folds
        if "rest-dropped" in on:
            folds = [order[i * size : (i + 1) * size] for i in range(num_folds)]
        elif "rest-in-last" in on:
            folds = [order[i * size : (i + 1) * size] for i in range(num_folds - 1)]
            folds.append(order[(num_folds - 1) * size :])
        else:
            folds = np.array_split(order, num_folds)
        if "shuffled-within" in on:
            folds = [rng.permutation(fold) for fold in folds]
        if "drawn-anew" in on:
            folds = [rng.permutation(num_examples)[: len(fold)] for fold in folds]
        pairs = []
        for fold in folds:
            rest = order if "overlap" in on else np.setdiff1d(order, fold)
            if "rest-resampled" in on:
                rest = rng.choice(rest, len(rest))
            if "one-based" in on:
                rest, fold = rest + 1, fold + 1
            if "masks" in on:
                inside = np.isin(np.arange(num_examples), fold)
                rest, fold = ~inside, inside
            pairs.append((fold, rest) if "swapped" in on else (rest, fold))
        return pairs[:1] if "one-fold" in on else pairs

    return k_folds


add(
    Entry(
        question="k_folds",
        reference=reference.k_folds,
        cases=k_folds_cases,
        family=k_folds_family,
        mistakes=(
            Mistake(
                "overlap",
                "It looks as if the training indices hold the validation examples too.",
                "Leave the fold out of its training set: that is the whole idea.",
            ),
            Mistake(
                "not-shuffled",
                "It looks as if the examples aren't shuffled.",
                "Data often come sorted by class: permute first.",
            ),
            Mistake(
                "shuffled-within",
                "It looks as if each fold holds the same examples each time, in another order.",
                "Permute all the indices first, then cut.",
            ),
            Mistake(
                "rest-dropped",
                "It looks as if examples are left out when the folds don't divide evenly.",
                "np.array_split makes some folds one larger.",
            ),
            Mistake(
                "rest-in-last",
                "It looks as if the last fold takes all that is left over.",
                "Sizes may differ by one only: np.array_split does that.",
            ),
            Mistake(
                "drawn-anew",
                "It looks as if each fold is drawn by itself.",
                "Permute once and cut: every example is validated exactly once.",
            ),
            Mistake(
                "rest-resampled",
                "It looks as if training indices are drawn, so that some come twice.",
                "All the others train, each once.",
            ),
            Mistake(
                "one-based",
                "It looks as if the indices start at 1.",
                "They are 0 … num_examples − 1.",
            ),
            Mistake(
                "masks",
                "It looks as if masks come back, not indices.",
                "np.flatnonzero turns a mask into indices.",
            ),
            Mistake(
                "swapped",
                "It looks as if training and validation have changed places.",
                "Return (training, validation) for each fold.",
            ),
            Mistake(
                "one-fold",
                "It looks as if one fold comes back.",
                "Return `num_folds` pairs.",
            ),
            Mistake(
                "own-generator",
                "It looks as if a generator of your own is used.",
                "Permute with the `rng` that is handed in.",
            ),
        ),
    )
)

# ---- checkpoints ---------------------------------------------------------------------------------


def best_checkpoint_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for count in (6, 9):
        scores = rng.uniform(10.5, 80, count)
        # As text, 9.5 comes after 87; the best one stands neither first nor last by name, and
        # the per cents before the point don't tell it from others.
        best = rng.uniform(81.5, 81.95) + rng.integers(0, 8)
        scores[:5] = rng.uniform(1, 8), 9.5, best, math.floor(best) + 0.2, math.floor(best) + 0.1
        scores[-1] = 9.25
        epochs = rng.integers(4, 20, count)
        epochs[2:4] = 3, 25
        files = {
            f"trial{i:03d}-epoch{epoch:03d}-val{score:.2f}.npz": "checkpoint"
            for i, (epoch, score) in enumerate(zip(epochs, scores, strict=True))
        }
        files |= {
            "trial002-epoch031-val99.00.npz.tmp": "half written",
            "trial004-epoch002-valnan.npz": "diverged",
            "notes-val99.50.txt": "somebody's notes",
            "README": "about this folder",
        }
        names = rng.permutation(list(files)).tolist()
        about = f"{count} checkpoints among other files"
        cases.append({"about": about, "files": {n: files[n] for n in names}, "empty": False})
    for about, names in _FOLDERS.items():
        empty = not any(re.fullmatch(_pattern(frozenset()), name) for name in names)
        files = dict.fromkeys(names, "a file")
        cases.append({"about": about, "files": files, "empty": empty})
    return cases


_FOLDERS = {
    "names that are nearly those of checkpoints": (
        "trial000-epoch001-valnan.npz",
        "trial12-epoch7-val9.75.npz",
        "trial3-epoch10-val88.4.npz",
        "trial004-epoch011-val88.25.npz",
        "trial5-epoch1-val88.1.npz",
        "trial9-epoch99-valnan.npz",
        "old-trial1-epoch2-val99.10.npz",
        "trial5-epoch2-val99_20.npz",
        "trial6-epoch2-val99.npz",
        "trial7-val99.30.npz",
        "trial8-epoch1-val99.40-npz",
        "trial8-epoch1-val99.45.npz.tmp",
    ),
    "a folder of other files, without a checkpoint": ("README", "trial1-epoch1-val50.00.npz.tmp"),
    "one score that is nan, and no other checkpoint": ("trial001-epoch001-valnan.npz",),
}


def _pattern(on: Switches) -> str:
    """What a family of mistakes takes for the name of a checkpoint."""
    head, score, tail = r"trial\d+-epoch\d+-val", r"(\d+\.\d+)", r"\.npz"
    if "fixed-digits" in on:
        head, score = r"trial\d{3}-epoch\d{3}-val", r"(\d{2}\.\d{2})"
    if "any-beginning" in on:
        head = ".*" + head
    if "score-only" in on:
        head = ".*val"
    if "points-unescaped" in on:
        score, tail = r"(\d+.\d+)", ".npz"
    if "whole-numbers" in on:
        score = r"([\d.]+)"
    if on & {"nan-wins", "nan-kept", "nan-by-order"}:
        score = score[:-1] + "|nan)"
    if "half-written" in on:
        tail += ".*"
    return r".*-val(.+)\.(npz|txt)" if "any-file" in on else head + score + tail


def best_checkpoint_family(on: Switches) -> Callable[..., Any]:
    def best_checkpoint(folder: Any) -> Any:
        texts = {}
        for path in sorted(Path(folder).iterdir()):
            match = re.fullmatch(_pattern(on), path.name)
            if match:
                texts[path] = match[1]
            elif "crashes-on-junk" in on:
                raise AttributeError("'NoneType' object has no attribute 'group'")
        if not texts:
            if "nothing-raised" in on:
                return None
            raise ValueError if "other-error" in on else FileNotFoundError

        def worth(path: Path) -> Any:
            if "by-name" in on:
                return path.name
            if "by-epoch" in on:
                match = re.search(r"epoch(\d+)", path.name)
                return int(match[1]) if match else -1
            if "by-text" in on:
                return texts[path].replace("nan", "")
            value = float(texts[path])
            if math.isnan(value) and "nan-by-order" not in on:
                value = math.inf if "nan-wins" in on else -math.inf
            if "cut-to-whole" in on and math.isfinite(value):
                return int(value), path
            return -value if "lowest" in on and math.isfinite(value) else value

        best = max(texts, key=worth)
        if "score-returned" in on:
            return float(texts[best])
        return best.name if "bare-name" in on else best

    return best_checkpoint


add(
    Entry(
        question="best_checkpoint",
        reference=reference.best_checkpoint,
        cases=best_checkpoint_cases,
        family=best_checkpoint_family,
        mistakes=(
            Mistake(
                "by-text",
                "It looks as if the scores are compared as text.",
                'As text, "9.50" comes after "87.25": turn them into numbers.',
            ),
            Mistake(
                "by-name",
                "It looks as if the last name wins.",
                "Compare the scores in the names.",
            ),
            Mistake(
                "by-epoch",
                "It looks as if the latest epoch wins.",
                "More epochs aren't better: compare the validation scores.",
            ),
            Mistake(
                "lowest",
                "It looks as if the lowest score wins.",
                "The score is an accuracy: the highest wins.",
            ),
            Mistake(
                "nan-wins",
                "It looks as if a NaN score wins.",
                "A run that diverged is never the best: leave NaN out.",
            ),
            Mistake(
                "nan-by-order",
                "It looks as if a score that is NaN wins where it comes first.",
                "No comparison with NaN is true, so max keeps it: such a file is no checkpoint.",
            ),
            Mistake(
                "nan-kept",
                "It looks as if a file with the score nan counts as a checkpoint.",
                "Where there is no other, raise FileNotFoundError.",
            ),
            Mistake(
                "nothing-raised",
                "It looks as if nothing is raised where there is no checkpoint.",
                "Raise FileNotFoundError: the caller can't use None.",
            ),
            Mistake(
                "other-error",
                "It looks as if a ValueError is raised where there is no checkpoint, as max does.",
                "Ask first whether there is any, and raise FileNotFoundError.",
            ),
            Mistake(
                "half-written",
                "It looks as if a file that is still being written is taken.",
                "A name that ends in .tmp isn't a checkpoint yet.",
            ),
            Mistake(
                "any-file",
                "It looks as if any file with a score in its name counts.",
                "Only names like trial007-epoch003-val87.25.npz are checkpoints.",
            ),
            Mistake(
                "any-beginning",
                "It looks as if something may stand before the word trial.",
                "re.search looks anywhere in the name: re.fullmatch wants the whole of it.",
            ),
            Mistake(
                "score-only",
                "It looks as if only the score in the name is looked at.",
                "Ask for trial and epoch with their digits as well.",
            ),
            Mistake(
                "points-unescaped",
                "It looks as if a point in the pattern stands for any character.",
                "Write `\\.` for a point.",
            ),
            Mistake(
                "whole-numbers",
                "It looks as if a score without a decimal point counts.",
                "A score is digits, a point, digits.",
            ),
            Mistake(
                "fixed-digits",
                "It looks as if the numbers must have just as many digits as in the example.",
                "Digits, however many: `\\d+`.",
            ),
            Mistake(
                "cut-to-whole",
                "It looks as if the scores are cut to whole numbers.",
                "88.4 is more than 88.25: use float.",
            ),
            Mistake(
                "crashes-on-junk",
                "It looks as if other files in the folder stop the function.",
                "A shared folder holds all sorts of things: skip what isn't a checkpoint.",
            ),
            Mistake(
                "bare-name",
                "It looks as if the name comes back without its folder.",
                "Return the path: the caller may stand elsewhere.",
            ),
            Mistake(
                "score-returned",
                "It looks as if the score comes back.",
                "Return the path of the checkpoint.",
            ),
        ),
    )
)
