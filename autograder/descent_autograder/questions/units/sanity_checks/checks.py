"""The single checks: more regularisation means more loss, and a tiny set is learnt by heart."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import sanity_checks as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

# ---- regularisation ------------------------------------------------------------------------------


def regularization_raises_loss_cases(rng: Rng) -> list[Case]:
    base = float(rng.uniform(0.5, 3))
    regs = [0.0, *np.sort(10 ** rng.uniform([-4, -2.5, -1], [-3, -1.5, 0])).tolist()]

    def case(about: str, losses: list[float], order: list[int] | None = None) -> Case:
        order = order or [0, 1, 2, 3]
        return {
            "about": about,
            "regs": [regs[i] for i in order],
            "losses": [base + losses[i] for i in order],
        }

    up = np.cumsum(rng.uniform(0.1, 1.0, 4)).tolist()
    # Exact in floating point: 45 times the gap between neighbouring numbers, about 1e-14 of them.
    small = 45 * float(np.spacing(base))
    nan = float("nan")
    return [
        case("a loss that rises", up),
        case("a loss that rises, with regs in another order", up, [2, 0, 3, 1]),
        case("a penalty that isn't there", [0.0] * 4),
        case("a loss that falls", up[::-1]),
        case("a loss that falls, with regs in falling order", up[::-1], [3, 2, 1, 0]),
        case("a loss that stays the same between two regs", [up[0], up[1], up[1], up[3]]),
        case("a loss that dips below the first and ends higher", [up[1], up[0], up[2], up[3]]),
        case("a loss that rises and falls back a little", [up[0], up[1], up[3], up[2]]),
        case("a loss that hardly rises", [0.0, small, 2 * small, 3 * small]),
        case("a loss that is NaN at the largest reg", [*up[:3], nan]),
        case("a loss that is NaN at the smallest reg", [nan, *up[1:]]),
        case("a loss that is NaN in the middle", [up[0], up[1], nan, up[3]]),
    ]


REGULARIZATION_RAISES_LOSS = Entry(
    "regularization_raises_loss",
    reference.regularization_raises_loss,
    regularization_raises_loss_cases,
    mistakes=written("""
        ends-only: losses[1:] > losses[:-1]  →  losses[-1:] > losses[:1]
            It looks as if only the smallest and the largest reg are compared.
            Try: Compare every reg with the next larger one.
        first-pair-only: losses[1:] > losses[:-1]  →  losses[1:2] > losses[:1]
            It looks as if only the first two regs decide.
            Try: Return True after the loop: inside it, the first pair ends the function.
        against-first: losses[:-1]  →  losses[0]
            It looks as if every loss is compared with the first one alone.
            Try: Compare every reg with the next larger one: the loss mustn't fall back.
        order-as-given: sorted(regs)  →  regs
            It looks as if the regs are taken in the order they come in.
            Try: Sort them first: a larger reg must give a larger loss.
        not-strict: > losses  →  >= losses
            It looks as if equal losses count as a rise.
            Try: A penalty that is never added leaves the loss where it was: use >, not >=.
        any-rise: np.all  →  np.any
            It looks as if one rise is enough. Try: All of them have to rise: all(), not any().
        inverted: return  →  losses = -losses⏎return
            It looks as if a falling loss passes.
            Try: More regularisation, more loss: the later one must be higher.
        tolerance: losses[:-1]  →  losses[:-1] + 1e-3
            It looks as if a small rise isn't seen.
            Try: Tiny weights have a tiny penalty: any rise counts, however small.
        nan-passes: all(losses[1:] > losses[:-1])
            →  all((losses[1:] > losses[:-1]) | np.isnan(losses[1:] + losses[:-1]))
            It looks as if NaN passes.
            Try: NaN is not above anything: a loss that isn't a number fails the check.
    """),
)

# ---- a tiny set ----------------------------------------------------------------------------------


def overfit_tiny_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    n, d, h, c = 6, 4, 3, 2
    for num_steps, learning_rate in ((1, 0.05), (2, 0.03), (9, 0.02)):
        plural = "s" if num_steps > 1 else ""
        cases.append(
            {
                "about": f"{num_steps} step{plural} at a learning rate of {learning_rate:g}",
                "X": rng.normal(size=(n, d)),
                "target": rng.normal(size=(n, c)),
                "params": {
                    "W": rng.normal(size=(d, h)),
                    "b": rng.normal(size=h),
                    "V": rng.normal(size=(h, c)),
                },
                "learning_rate": learning_rate,
                "num_steps": num_steps,
            }
        )
    return cases


def overfit_tiny_in_place(
    loss_and_grads: Any, params: Any, *, learning_rate: float, num_steps: int
) -> Any:
    """Moves the arrays that it was given, and returns a list of losses."""
    losses = [loss_and_grads(params)[0]]
    while len(losses) <= num_steps:
        for name, grad in loss_and_grads(params)[1].items():
            params[name] -= learning_rate * grad
        losses.append(loss_and_grads(params)[0])
    return {"params": params, "loss": losses, "steps": num_steps}


OVERFIT_TINY = Entry(
    "overfit_tiny",
    reference.overfit_tiny,
    overfit_tiny_cases,
    variants={"in place": overfit_tiny_in_place},
    mistakes=written("""
        uphill: - learning_rate  →  + learning_rate
            It looks as if the steps go uphill. Try: Subtract learning_rate · gradient.
        biases-frozen: * grads[name]  →  * grads[name] * (name != "b")
            It looks as if the bias never moves.
            Try: Update every parameter in the dictionary, whatever its name.
        last-loss-missing: np.array(losses)  →  np.array(losses[:-1])
            It looks as if the loss after the last step is missing.
            Try: Return num_steps + 1 losses: one before each step, and the final one.
        first-loss-missing: np.array(losses)  →  np.array(losses[1:])
            It looks as if the loss before the first step is missing.
            Try: Return num_steps + 1 losses: begin with the one at the start.
        params-before-last-step: losses = []  →  losses = []⏎previous = moved
            moved = {  →  previous = moved⏎moved = {
            "params": moved  →  "params": previous
            It looks as if the parameters are those before the last step.
            Try: Return the parameters that the last loss belongs to.
        start-returned: "params": moved  →  "params": params
            It looks as if the parameters that come back are those you were given.
            Try: Keep the result of every step and return the last one.
        not-stored: moved = {  →  _ = {
            It looks as if the parameters never move: the loss stays what it was.
            Try: `value = value - …` gives a new array a name; store it: `params[name] = …`.
        stale-gradient: losses = []  →  losses = []⏎stale = loss_and_grads(moved)[1]
            grads[name]  →  stale[name]
            It looks as if every step uses the first gradient.
            Try: Ask for the gradient anew at the parameters of each step.
        from-the-start: moved[name]  →  params[name]
            It looks as if every step starts from the first parameters.
            Try: Step on from where the last step ended.
        one-by-one: moved = {name
            →  for name in params:⏎    grads = loss_and_grads(moved)[1]⏎    moved = {**moved, name
            for name in moved}  →  }
            It looks as if a parameter's gradient is taken after others have moved.
            Try: Ask for all gradients once, then update all parameters with them.
        rate-forgotten: learning_rate * grads  →  1.0 * grads
            It looks as if the gradient isn't multiplied by the learning rate.
            Try: Subtract learning_rate · gradient.
        rate-decays: for _ in  →  for step in
            learning_rate * grads  →  learning_rate / (step + 1) * grads
            It looks as if the learning rate shrinks from step to step.
            Try: Plain descent keeps the rate that it is given.
        one-less: num_steps)  →  num_steps - 1)
            It looks as if one step is missing. Try: Take exactly `num_steps` steps.
        one-more: num_steps)  →  num_steps + 1)
            It looks as if there is one step too many. Try: Take exactly `num_steps` steps.
    """),
)
