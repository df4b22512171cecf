"""Two ways to search: at random, and by successive halving."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from descent_solutions import hyperparameter_search as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

# ---- random search -------------------------------------------------------------------------------


def random_search_cases(rng: Rng) -> list[Case]:
    space = {"learning_rate": (1e-6, 1e-1, "log"), "keep_prob": (0.2, 0.9, "linear")}
    return [
        {
            "about": about,
            "space": space,
            "num_trials": num_trials,
            "raises": raises,
            "nans": nans,
            "seed": int(rng.integers(2**31)),
            "spread": num_trials > 15,
        }
        for about, num_trials, raises, nans in (
            ("15 trials, five of which fail", 15, [2, 6, 11], [1, 9]),
            ("3 trials, all of which fail", 3, [1, 3], [2]),
            ("800 trials, two of which fail", 800, [], [1, 9]),
        )
    ]


RANDOM_SEARCH = Entry(
    "random_search",
    reference.random_search,
    random_search_cases,
    mistakes=written(
        """
        all-linear: if scale == "log"  →  if False
            It looks as if every hyper-parameter is drawn on the linear scale.
            Try: Draw the exponent uniformly where the scale is "log".
        all-log: if scale == "log"  →  if True
            It looks as if every hyper-parameter is drawn on the log scale.
            Try: Where the scale is "linear", draw the number itself.
        grid: config = {}  →  config, side = {}, math.ceil(num_trials**0.5)
            if scale  →  share = (len(trials) // side ** len(config) % side + 0.5) / side⏎if scale
            10 ** rng.uniform(np.log10(low), np.log10(high))  →  low * (high / low) ** share
            rng.uniform(low, high)  →  low + (high - low) * share
            It looks as if the configurations form a grid.
            Try: Draw each at random: nine trials then try nine learning rates, not three.
        tied: config = {}  →  config, share = {}, rng.random()
            10 ** rng.uniform(np.log10(low), np.log10(high))  →  low * (high / low) ** share
            rng.uniform(low, high)  →  low + (high - low) * share
            It looks as if one random number sets all hyper-parameters.
            Try: Draw anew for each name, or only a diagonal is searched.
        one-config: try:  →  config = trials[0]["config"] if trials else config⏎try:
            It looks as if the same configuration is tried over and over. Try: Draw inside the loop.
        worst-first: reverse=True  →  reverse=False
            It looks as if the lowest score comes first. Try: Scores are maximised: best first.
        not-sorted: sorted(finished, key=lambda trial: trial["score"], reverse=True)  →  finished
            It looks as if the trials stay in the order they were tried.
            Try: Sort them by score, best first.
        failed-dropped: + failed  →
            It looks as if failed trials are left out.
            Try: Keep them, at the end: a failed trial says something about the range.
        failed-first: return sorted  →  return failed + sorted
            + failed  →
            It looks as if failed trials come first.
            Try: NaN sorts unpredictably: put them at the end yourself.
        exception-escapes: score = float("nan")  →  raise
            It looks as if an exception in the objective ends the search.
            Try: Catch it, record the trial as failed, and go on.
        value-errors-only: except Exception  →  except ValueError
            It looks as if only a ValueError is caught.
            Try: Any `Exception` is a failed trial: the objective may as well divide by 0.
        failed-minus-infinity: "score": score  →  "score": -math.inf if math.isnan(score) else score
            It looks as if a failed trial gets the score minus infinity.
            Try: Its score is NaN: math.nan, at the end of the list.
        none-finished: return sorted  →  max(trial["score"] for trial in finished)⏎return sorted
            It looks as if a search fails where no trial has finished.
            Try: All of them may fail: return them all the same.
        ties-lost: return sorted
                →  finished = list({t["score"]: t for t in finished}.values())⏎return sorted
            It looks as if one of several equally good trials gets lost.
            Try: In a dictionary with scores for keys, equal ones replace each other: sort a list.
        one-dictionary: for _ in range(num_trials):⏎config = {}
                →  config = {}⏎for _ in range(num_trials):
            It looks as if all trials share one dictionary.
            Try: Make a new dictionary for each trial, or each shows the last configuration.
        one-more: range(num_trials)  →  range(num_trials + 1)
            It looks as if there is one trial too many.
            Try: Try exactly `num_trials` configurations.
        own-generator: trials: list  →  rng = np.random.default_rng(12345)⏎trials: list
            It looks as if a generator of your own is used.
            Try: Draw from the `rng` that is handed in.
        """
    ),
)

# ---- successive halving --------------------------------------------------------------------------


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
        ends = zip(starts.tolist(), gains.tolist(), strict=True)
        cases.append(
            {
                "about": about,
                "names": names,
                "curves": {f"c{i}": curve for i, curve in enumerate(ends)},
                "min_epochs": min_epochs,
                "factor": factor,
            }
        )
    return cases


def halving_by_epochs(train: Any, configs: Any, **named: Any) -> Any:
    """One call of train for each epoch."""

    def one_by_one(config: Any, state: Any, epochs: int) -> Any:
        score = math.nan
        for _ in range(epochs):
            state, score = train(config, state, 1)
        return state, score

    return reference.successive_halving(one_by_one, configs, **named)


SUCCESSIVE_HALVING = Entry(
    "successive_halving",
    reference.successive_halving,
    successive_halving_cases,
    variants={"epoch by epoch": halving_by_epochs},
    mistakes=written(
        """
        totals: total - running[i]["epochs"]  →  total
            It looks as if train is asked for the total of epochs each time.
            Try: Its third argument is how many *more*: the total minus what is done already.
        restarted: for i in order:  →  for i in order:⏎    states[i], running[i]["epochs"] = None, 0
            It looks as if each round starts from nothing.
            Try: Hand train the state that it returned for this configuration.
        state-shared: states[i], score  →  states[0], score
            states[i], total  →  states[0], total
            It looks as if the configurations share one state.
            Try: Keep a state for each: train continues what it is given.
        same-budget: total * factor  →  total + min_epochs
            It looks as if every round trains for min_epochs only.
            Try: The total grows by `factor` from round to round.
        budget-added: total * factor  →  total * factor + min_epochs
            It looks as if each round trains for min_epochs · factor^k more epochs.
            Try: That is the total: train for what is missing of it.
        linear-budget: while True  →  for k in range(1, 99)
            total * factor  →  k * min_epochs * factor
            It looks as if the budget grows by addition.
            Try: Round k brings its configurations to min_epochs · factor^k epochs.
        worst-kept: reverse=True  →  reverse=False
            It looks as if the worst configurations go on. Try: Scores are maximised.
        sign-dropped: lambda i: running[i]["score"]  →  lambda i: abs(running[i]["score"])
            It looks as if the sign of the scores is dropped.
            Try: Scores may be below 0: −0.1 is better than −2.
        rounded-up: len(order) // factor  →  -(-len(order) // factor)
            It looks as if n / factor is rounded up. Try: Keep max(1, n // factor).
        rounded: len(order) // factor  →  round(len(order) / factor)
            It looks as if n / factor is rounded to the nearest number.
            Try: Keep max(1, n // factor): 8 // 3 is 2.
        none-left: max(1, len(order) // factor)  →  len(order) // factor
            It looks as if the rounds end where n // factor is 0.
            Try: One always goes on: max(1, n // factor).
        fixed-count: len(order) // factor  →  len(order) - factor
            It looks as if `factor` configurations are dropped each round.
            Try: Keep one in `factor`: max(1, n // factor).
        last-round-missing: ranked = order
                →  survivors = survivors if len(survivors) > 1 else []⏎ranked = order
            It looks as if the last survivor isn't trained any further.
            Try: The round with one configuration is the last round, and it is trained too.
        single-untrained: while True:
                →  while True:⏎    if len(order) < 2: return [running[i] for i in order + ranked]
            It looks as if the loop ends, untrained, as soon as one is left.
            Try: Train first, then ask whether this was the last, even with one from the start.
        losers-dropped: for i in ranked  →  for i in ranked[:1]
            It looks as if only the winner comes back.
            Try: Return every trial: those that got further first, then by score.
        by-score-alone: for i in ranked
                →  for i in sorted(ranked, key=lambda i: -running[i]["score"])
            It looks as if the trials are ranked by score alone.
            Try: A score after few epochs doesn't compare: those that got further come first.
        factor-fixed: running: list  →  factor = 2⏎running: list
            It looks as if the number is halved whatever the factor. Try: Use `factor`.
        """
    ),
)
