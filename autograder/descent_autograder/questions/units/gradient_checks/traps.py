"""What spoils a check: a penalty, a start at chance, masks, precision. A checker is handed in."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.gradient_checks.checking import directions, network_case
from descent_autograder.questions.written import sentences, written

Array = npt.NDArray[Any]

OF_THE_WORST = sentences("""
    mean:
        It looks as if the mean of the errors is taken.
        Try: One wrong parameter drowns in a mean: take the largest.
    smallest:
        It looks as if the smallest error is returned.
        Try: A check is as good as its worst coordinate: take the largest.
    first-only:
        It looks as if only the first parameter's error is returned.
        Try: Take the largest error over all parameters.
    last-only:
        It looks as if only the last parameter's error is returned.
        Try: Take the largest error over all parameters.
""")


def _answers_exchanged(check: Any) -> Any:
    """The two answers under each other's name."""

    def exchanged(*given: Any, **named: Any) -> Any:
        said = check(*given, **named)
        return dict(zip(said, reversed(said.values()), strict=True))

    return exchanged


# ---- the penalty ---------------------------------------------------------------------------------


def penalty_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # The worst parameter is never the first one, nor the last one by rule.
    for bugs, factors, reg, about in (
        ({"b": 1.4, "V": 1.1}, (1.0, 1.0, 1.0), 5.0, "bugs in the data loss"),
        ({}, (1.0, 0.5, 0.7), 0.5, "bugs in the penalty"),
        ({"W": 1.2, "V": 0.7}, (1.2, 2.0, 1.0), 2.0, "bugs in both"),
    ):
        case = drawn(_directed_case, _has_slopes, rng)
        case |= {"bugs": bugs, "penalty_factor": dict(zip("WbV", factors, strict=True))}
        cases.append(case | {"reg": reg, "about": about})
    return cases


def _directed_case(rng: Rng) -> Case:
    case = network_case(rng)
    return case | {"directions": directions(rng, case)}


def _has_slopes(case: Case) -> bool:
    """Whether the penalty's slope isn't nearly 0 either."""
    params, ways = case["params"], case["directions"]
    return all(abs(np.sum(ways[name] * value)) >= 0.1 for name, value in params.items())


PENALTY_CHECK = Entry(
    "penalty_check",
    reference.penalty_check,
    penalty_check_cases,
    mistakes=written(
        """
        data-with-penalty: return loss_and_grads(p, 0.0)  →  return loss_and_grads(p, reg)
            It looks as if the data loss is checked with the penalty on.
            Try: Take it at reg = 0: a large penalty hides what is wrong in the data gradient.
        not-subtracted: return total  →  return total, total_grads⏎return total
            It looks as if the penalty is checked together with the data loss.
            Try: What reg adds is the difference from reg = 0, in the loss and in the gradients.
        grads-not-subtracted: total_grads[name] - grads[name]  →  total_grads[name]
            It looks as if the penalty's gradients still hold the data gradients.
            Try: Subtract the gradients at reg = 0, as you do with the loss.
        loss-not-subtracted: total - loss  →  total
            It looks as if the penalty's loss still holds the data loss.
            Try: Subtract the loss at reg = 0, at the same parameters, as with the gradients.
        first-only: max(  ⇒  (lambda errors: [*errors][0])(
        mean: max(  ⇒  (lambda errors: sum(errors) / len(errors))(
        smallest: max(  ⇒  min(
        swapped:
            It looks as if the two answers have changed places.
            Try: "data" is the loss at reg = 0, "penalty" is what reg adds.
        """,
        said=OF_THE_WORST,
        wrap={"swapped": _answers_exchanged},
    ),
)

# ---- the burn-in ---------------------------------------------------------------------------------


def burn_in_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for scale, num_steps, learning_rate in ((1e-3, 4, 0.1), (0.1, 3, 0.03)):
        case = network_case(rng, scale=scale)
        # Tiny weights leave the saddle at zero slowly: the output layer starts larger.
        case["params"]["V"] = rng.normal(size=case["params"]["V"].shape)
        case |= {"bugs": {"tanh": 0.5}, "directions": directions(rng, case)}
        case |= {"num_steps": num_steps, "learning_rate": learning_rate}
        cases.append(case | {"about": f"{num_steps} steps at a learning rate of {learning_rate:g}"})
    return cases


def _results_exchanged(check: Any) -> Any:
    return lambda *given, **named: check(*given, **named)[::-1]


BURN_IN_CHECK = Entry(
    "burn_in_check",
    reference.burn_in_check,
    burn_in_check_cases,
    mistakes=written(
        """
        no-burn-in: range(num_steps  →  range(0 * num_steps
            It looks as if the parameters don't move before the second check.
            Try: Keep the result of every step and check at the end of the burn-in.
        uphill: - learning_rate  →  + learning_rate
            It looks as if the steps go uphill. Try: Subtract learning_rate · gradient.
        stale-gradient: moved = dict  →  stale = loss_and_grads(params)[1]⏎moved = dict
            * grads[name]  →  * stale[name]
            It looks as if every step uses the first gradient.
            Try: Ask for the gradient anew at the parameters of each step.
        one-less: num_steps)  →  num_steps - 1)
            It looks as if one step is missing.
            Try: Take exactly `num_steps` steps between the two checks.
        one-more: num_steps)  →  num_steps + 1)
            It looks as if there is one step too many.
            Try: Take exactly `num_steps` steps between the two checks.
        first-only: * grads[name]  →  * grads[name] * (name == next(iter(params)))
            It looks as if only the first parameter moves. Try: Update every parameter in each step.
        one-by-one: moved = {name
            →  for name in params:⏎    _, grads = loss_and_grads(moved)⏎    moved = {**moved, name
            for name in moved}  →  }
            It looks as if the gradient is taken anew after each parameter has moved.
            Try: Compute all gradients first, then move all parameters.
        no-rate: learning_rate * grads  →  1 * grads
            It looks as if the steps leave out the learning rate.
            Try: Subtract learning_rate · gradient.
        both-after: return before, checker(loss_and_grads, moved)
            →  after = checker(loss_and_grads, moved)⏎return after, after
            It looks as if both checks see the parameters after the burn-in.
            Try: Check first, or move copies: the start must still be there.
        swapped:
            It looks as if the two results have changed places.
            Try: Return the errors before the burn-in first.
        """,
        wrap={"swapped": _results_exchanged},
    ),
)

# ---- masks ---------------------------------------------------------------------------------------


def seeded_check_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for bugs, about in (
        ({"tanh": 0.4}, "a bug that shows in some masks more"),
        ({}, "a right network"),
    ):
        case = network_case(rng)
        case |= {"bugs": bugs, "seed": int(rng.integers(2**30)), "about": about}
        cases.append(case | {"directions": directions(rng, case)})
    return cases


def _one_number(check: Any) -> Any:
    return lambda *given, **named: max(check(*given, **named).values())


def _apart_at_first(loss_and_grads: Any, seed: int) -> Any:
    """In its first call, the loss and the gradients each with the next numbers of one generator."""
    shared, first = np.random.default_rng(seed), iter([True])

    def apart(params: Any, rng: Rng) -> Any:
        if next(first, False):
            return loss_and_grads(params, shared)[0], loss_and_grads(params, shared)[1]
        return loss_and_grads(params, rng)

    return apart


SEEDED_CHECK = Entry(
    "seeded_check",
    reference.seeded_check,
    seeded_check_cases,
    bound={"apart_at_first": _apart_at_first},
    mistakes=written(
        """
        shared: return checker  →  shared = np.random.default_rng(seed)⏎return checker
            (p, np.random.default_rng(seed))  →  (p, shared)
            It looks as if one generator runs on from call to call.
            Try: Make a new generator from `seed` in every call.
        seed-per-call: return checker  →  seeds = iter(range(seed + 1, seed + 10**6))⏎return checker
            (seed)  →  (next(seeds))
            It looks as if every call has a seed of its own.
            Try: f(x + h), f(x − h) and the analytic pass must meet the same mask.
        own-seed: (seed)  →  (0)
            It looks as if `seed` isn't used.
            Try: Make the generator from the seed that is handed in.
        seed-moved: (seed)  →  (seed + 1)
            It looks as if the generator is made from seed + 1. Try: Make it from `seed` itself.
        gradient-apart: return checker
            →  loss_and_grads = apart_at_first(loss_and_grads, seed)⏎return checker
            It looks as if the analytic gradient comes from another mask than the losses.
            Try: Take loss and gradients from one call, with a generator made for it.
        one-number:
            It looks as if one number comes back.
            Try: Return what `check` returns: one error a parameter.
        """,
        wrap={"one-number": _one_number},
    ),
)

# ---- precision -----------------------------------------------------------------------------------


def precision_errors_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    lowest = {"float16": 1e-1, "float32": 1e-3, "float64": 1e-9, "mixed": 1e-2}
    # Each parameter is the worst one once, the best one once and in between once.
    for order in ("WbV", "bVW", "VWb"):
        case = network_case(rng) | {"about": "a network of three parameters"}
        case["errors"] = {
            dtype: _in_order(order, low * rng.uniform([3, 1, 6], [5, 2, 9]))
            for dtype, low in lowest.items()
        }
        cases.append(case)
    return cases


def _in_order(names: str, errors: Array) -> dict[str, float]:
    """The errors of W, b and V, in that order whatever that of `names` is."""
    by_name = dict(zip(names, errors.tolist(), strict=True))
    return {name: by_name[name] for name in "WbV"}


PRECISION_ERRORS = Entry(
    "precision_errors",
    reference.precision_errors,
    precision_errors_cases,
    mistakes=written(
        """
        not-cast: value.astype(dtype)  →  value
            It looks as if the parameters stay in float64.
            Try: Cast every parameter with astype before the check.
        one-cast: value.astype(dtype)  →  value.astype(dtype) if name == "W" else value
            It looks as if only one parameter is cast.
            Try: One float64 array turns the whole sum back into float64: cast them all.
        half: astype(dtype)  →  astype(dtype.replace("32", "16"))
            It looks as if float16 is used. Try: Single precision is float32.
        mean: max(  →  (lambda errors: sum(errors) / len(errors))(
        first-only: max(  →  (lambda errors: [*errors][0])(
        smallest: max(  →  min(
        last-only: max(  →  (lambda errors: [*errors][-1])(
        swapped:
            It looks as if the two answers have changed places.
            Try: Each key names the precision its error was found in.
        """,
        said=OF_THE_WORST,
        wrap={"swapped": _answers_exchanged},
    ),
)
