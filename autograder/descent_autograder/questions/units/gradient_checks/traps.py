"""Where a gradient check goes wrong: penalties, the start, dropout, and single precision."""

from __future__ import annotations

import numpy as np
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.gradient_checks.networks import directions, network_case
from descent_autograder.questions.written import sentences, written

OF_THE_WORST = sentences("""
    first-only: It looks as if only the first parameter's error is returned.
        Try: Take the largest error over all parameters.
    mean: It looks as if the mean of the errors is taken.
        Try: One wrong parameter drowns in a mean: take the largest.
    smallest: It looks as if the smallest error is returned.
        Try: A check is as good as its worst coordinate: take the largest.
""")

# ---- penalty_check -------------------------------------------------------------------------------


def _with_directions(rng: Rng) -> Case:
    case = network_case(rng)
    return case | {"directions": directions(rng, case)}


def _penalty_has_a_slope(case: Case) -> bool:
    """Whether the penalty's slope, too, is nowhere nearly 0."""
    slopes = [np.sum(case["directions"][name] * p) for name, p in case["params"].items()]
    return bool(np.min(np.abs(slopes)) >= 0.1)


def penalty_check_cases(rng: Rng) -> list[Case]:
    cases = []
    # The worst parameter is never the first one, nor the last one by rule.
    for bugs, factors, reg, about in (
        ({"b": 1.4, "V": 1.1}, (1.0, 1.0, 1.0), 5.0, "bugs in the data loss"),
        ({}, (1.0, 0.5, 0.7), 0.5, "bugs in the penalty"),
        ({"W": 1.2, "V": 0.7}, (1.2, 2.0, 1.0), 2.0, "bugs in both"),
    ):
        case = drawn(_with_directions, _penalty_has_a_slope, rng)
        factor = dict(zip("WbV", factors, strict=True))
        cases.append(case | {"bugs": bugs, "penalty_factor": factor, "reg": reg, "about": about})
    return cases


PENALTY_CHECK = Entry(
    "penalty_check",
    reference.penalty_check,
    penalty_check_cases,
    mistakes=written(
        """
        data-with-penalty: return loss_and_grads(p, 0.0)  →  return loss_and_grads(p, reg)
            It looks as if the data loss is checked with the penalty on.
            Try: Take it at reg = 0: a large penalty hides what is wrong in the data gradient.
        not-subtracted: total - loss  →  total
            {name: total_grads[name] - grads[name] for name in grads}  →  total_grads
            It looks as if the penalty is checked together with the data loss. Try: What reg
            adds is the difference from reg = 0, in the loss and in the gradients.
        grads-not-subtracted: total_grads[name] - grads[name]  →  total_grads[name]
            It looks as if the penalty's gradients still hold the data gradients.
            Try: Subtract the gradients at reg = 0, as you do with the loss.
        loss-not-subtracted: total - loss  →  total
            It looks as if the penalty's loss still holds the data loss. Try: Subtract the loss
            at reg = 0, at the same parameters, as with the gradients.
        first-only: max(  ⇒  next(iter(
            .values()  ⇒  .values())
        mean: max(  ⇒  np.mean([*
            .values()  ⇒  .values()]
        smallest: max(  ⇒  min(
        swapped: "data":  →  "penalty":
            "penalty":  →  "data":
            It looks as if the two answers have changed places.
            Try: "data" is the loss at reg = 0, "penalty" is what reg adds.
        """,
        said=OF_THE_WORST,
    ),
)

# ---- burn_in_check -------------------------------------------------------------------------------


def burn_in_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for scale, num_steps, rate in ((1e-3, 4, 0.1), (0.1, 3, 0.03)):
        case = network_case(rng, scale=scale)
        # Tiny weights leave the saddle at zero slowly: the output layer starts larger.
        case["params"]["V"] = rng.normal(size=case["params"]["V"].shape)
        case |= {"bugs": {"tanh": 0.5}, "directions": directions(rng, case)}
        about = f"{num_steps} steps at a learning rate of {rate:g}"
        cases.append(case | {"num_steps": num_steps, "learning_rate": rate, "about": about})
    return cases


BURN_IN_CHECK = Entry(
    "burn_in_check",
    reference.burn_in_check,
    burn_in_check_cases,
    mistakes=written(
        """
        no-burn-in: checker(loss_and_grads, moved)  →  checker(loss_and_grads, params)
            It looks as if the parameters don't move before the second check.
            Try: Keep the result of every step and check at the end of the burn-in.
        uphill: moved[name] - learning_rate  →  moved[name] + learning_rate
            It looks as if the steps go uphill. Try: Subtract learning_rate · gradient.
        stale-gradient: dict(params)  →  dict(params)⏎_, grads = loss_and_grads(moved)
            _, grads = loss_and_grads(moved)  →
            It looks as if every step uses the first gradient.
            Try: Ask for the gradient anew at the parameters of each step.
        one-less: num_steps):  →  num_steps - 1):
            It looks as if one step is missing.
            Try: Take exactly `num_steps` steps between the two checks.
        one-more: num_steps):  →  num_steps + 1):
            It looks as if there is one step too many.
            Try: Take exactly `num_steps` steps between the two checks.
        first-only: moved = {name:  →  moved = moved | {name:
            for name in moved}  →  for name in list(moved)[:1]}
            It looks as if only the first parameter moves. Try: Update every parameter in each step.
        one-by-one: moved = {name: moved[name]  →  for name in moved:⏎    moved[name] = moved[name]
            grads[name] for name in moved}  →  loss_and_grads(moved)[1][name]
            It looks as if the gradient is taken anew after each parameter has moved.
            Try: Compute all gradients first, then move all parameters.
        no-rate: learning_rate * grads  →  grads
            It looks as if the steps leave out the learning rate.
            Try: Subtract learning_rate · gradient.
        both-after: return before,  →  return checker(loss_and_grads, moved),
            It looks as if both checks see the parameters after the burn-in.
            Try: Check first, or move copies: the start must still be there.
        swapped: before, checker(loss_and_grads, moved)  →  checker(loss_and_grads, moved), before
            It looks as if the two results have changed places.
            Try: Return the errors before the burn-in first.
        """
    ),
)

# ---- seeded_check --------------------------------------------------------------------------------


def seeded_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    plans = {"a bug that shows in some masks more": {"tanh": 0.4}, "a right network": {}}
    for about, bugs in plans.items():
        case = network_case(rng)
        case |= {"bugs": bugs, "seed": int(rng.integers(2**30)), "about": about}
        cases.append(case | {"directions": directions(rng, case)})
    return cases


SEEDED_CHECK = Entry(
    "seeded_check",
    reference.seeded_check,
    seeded_check_cases,
    mistakes=written(
        """
        shared: return checker  →  rng = np.random.default_rng(seed)⏎return checker
            np.random.default_rng(seed)  →  rng
            It looks as if one generator runs on from call to call.
            Try: Make a new generator from `seed` in every call.
        seed-per-call: return checker  →  import itertools⏎calls = itertools.count(1)⏎return checker
            default_rng(seed)  →  default_rng(seed + next(calls))
            It looks as if every call has a seed of its own.
            Try: f(x + h), f(x − h) and the analytic pass must meet the same mask.
        own-seed: default_rng(seed)  →  default_rng(0)
            It looks as if `seed` isn't used.
            Try: Make the generator from the seed that is handed in.
        seed-moved: default_rng(seed)  →  default_rng(1 + seed)
            It looks as if the generator is made from seed + 1. Try: Make it from `seed` itself.
        gradient-apart: return  →  rng = np.random.default_rng(seed)⏎return
            return  →  apart = [loss_and_grads(params, rng)[i] for i in (0, 1)]⏎return
            lambda p:  →  lambda p: (apart.pop(0), apart.pop()) if apart else
            It looks as if the analytic gradient comes from another mask than the losses.
            Try: Take loss and gradients from one call, with a generator made for it.
        one-number: return checker  →  return max(checker
            , params)  →  , params).values())
            It looks as if one number comes back.
            Try: Return what `check` returns: one error a parameter.
        """
    ),
)

# ---- precision_errors ----------------------------------------------------------------------------


def precision_errors_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    sizes = {"float16": 1e-1, "float32": 1e-3, "float64": 1e-9, "mixed": 1e-2}
    # Each parameter is the worst one once, the best one once and in between once.
    for order in ("WbV", "bVW", "VWb"):
        case = network_case(rng) | {"about": "a network of three parameters", "errors": {}}
        for dtype, low in sizes.items():
            errors = low * rng.uniform([3, 1, 6], [5, 2, 9])
            case["errors"][dtype] = {name: float(errors[order.index(name)]) for name in "WbV"}
        cases.append(case)
    return cases


PRECISION_ERRORS = Entry(
    "precision_errors",
    reference.precision_errors,
    precision_errors_cases,
    mistakes=written(
        """
        not-cast: value.astype(dtype)  →  value
            It looks as if the parameters stay in float64.
            Try: Cast every parameter with astype before the check.
        one-cast: value.astype(dtype)  →  value if name != "W" else value.astype(dtype)
            It looks as if only one parameter is cast.
            Try: One float64 array turns the whole sum back into float64: cast them all.
        half: value.astype(dtype)  →  value.astype(dtype.replace("32", "16"))
            It looks as if float16 is used. Try: Single precision is float32.
        mean: max(  ⇒  np.mean([*
            .values()  ⇒  .values()]
        first-only: max(  ⇒  next(iter(
            .values()  ⇒  .values())
        smallest: max(  ⇒  min(
        last-only: max(  →  [*
            .values())  →  .values()][-1]
            It looks as if only the last parameter's error is returned.
            Try: Take the largest error over all parameters.
        swapped: return worst
            →  return {"float32": worst["float64"], "float64": worst["float32"]}
            It looks as if the two answers have changed places.
            Try: Each key names the precision its error was found in.
        """,
        said=OF_THE_WORST,
    ),
)
