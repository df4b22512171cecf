"""Learning rates and momentum that change from epoch to epoch, and the test that finds a rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from descent_solutions import optimizers as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.optimizers.rules import signs
from descent_autograder.questions.written import accepted, sentences, written

# ---- what they share -----------------------------------------------------------------------------


def _rate0(rng: Rng) -> float:
    return float(10 ** rng.uniform(-3, -1))


def _with_defaults(function: Any) -> Any:
    """The function with its optional arguments left out, whatever is given."""
    return lambda *given, **_: function(*given)


def _smooth_decay_cases(rng: Rng) -> list[Case]:
    decays = (float(rng.uniform(0.03, 0.1)), float(rng.uniform(0.3, 0.6)))
    return [
        {"about": f"decay = {decay:.3g}", "rate0": _rate0(rng), "epochs": [0, 1, 7, 40]}
        | {"settings": {"decay": decay}}
        for decay in decays
    ]


OF_DECAYS = sentences("""
    from-one:
        It looks as if epochs are counted from 1. Try: Epoch 0 has exactly rate0.
""")

# ---- momentum ------------------------------------------------------------------------------------


def momentum_schedule_cases(rng: Rng) -> list[Case]:
    given = {"start": float(rng.uniform(0.2, 0.4)), "end": float(rng.uniform(0.9, 0.95))}
    return [
        {"about": "10 epochs, start and end left out", "num_epochs": 10}
        | {"epochs": [0, 1, 4, 9], "settings": {}},
        {"about": "start and end given", "num_epochs": 25}
        | {"epochs": [0, 7, 24], "settings": given},
    ]


MOMENTUM_SCHEDULE = Entry(
    "momentum_schedule",
    reference.momentum_schedule,
    momentum_schedule_cases,
    accepted=accepted("end-in-last-epoch: / num_epochs  →  / (num_epochs - 1)"),
    mistakes=written(
        """
        downwards: return  →  start, end = end, start⏎return
            It looks as if the momentum falls.
            Try: It starts low, while gradients are large and turn quickly, and grows.
        end-is-gain: (end - start)  →  end
            It looks as if `end` is added to `start`. Try: The way to go is end − start.
        from-one: return  →  epoch, num_epochs = epoch - 1, num_epochs - 1⏎return
            It looks as if epochs are counted from 1. Try: Epoch 0 has exactly `start`.
        geometric: start + (end - start) * epoch / num_epochs
            →  start * (end / start) ** (epoch / num_epochs)
            It looks as if the momentum grows by a constant factor.
            Try: Grow linearly: the same amount each epoch.
        friction: start + (end - start) * epoch / num_epochs
            →  1 - (1 - start) * ((1 - end) / (1 - start)) ** (epoch / num_epochs)
            It looks as if 1 − momentum shrinks by a constant factor.
            Try: Grow linearly: the same amount each epoch.
        halves: start + (end - start) * epoch / num_epochs
            →  start if epoch / num_epochs < 0.5 else end
            It looks as if the momentum jumps from start to end.
            Try: Grow linearly: the same amount each epoch.
        cosine: epoch / num_epochs  →  0.5 * (1 - np.cos(np.pi * epoch / num_epochs))
            It looks as if the momentum follows a cosine.
            Try: Grow linearly: the same amount each epoch.
        fixed:
            It looks as if start and end are always 0.5 and 0.99.
            Try: Use the arguments; those numbers are only what they are when left out.
        """,
        wrap={"fixed": _with_defaults},
    ),
)

# ---- decays --------------------------------------------------------------------------------------


def step_decay_cases(rng: Rng) -> list[Case]:
    return [
        {"about": "factor and every left out", "rate0": _rate0(rng)}
        | {"epochs": [0, 4, 5, 9, 12, 25], "settings": {}},
        {"about": "0.1 every 20 epochs", "rate0": _rate0(rng)}
        | {"epochs": [0, 19, 20, 21, 59, 60], "settings": {"factor": 0.1, "every": 20}},
    ]


STEP_DECAY = Entry(
    "step_decay",
    reference.step_decay,
    step_decay_cases,
    mistakes=written(
        """
        smooth: //  →  /
            It looks as if the rate falls a little in every epoch.
            Try: It falls in steps: use whole division, epoch // every.
        multiplied: factor ** (epoch // every)  →  (factor * (epoch // every) or 1)
            It looks as if the factor is multiplied by the number of steps.
            Try: Each step multiplies once more: a power, factor ** count.
        subtracted: * factor ** (  →  - factor * (
            It looks as if the factor is subtracted.
            Try: Each step multiplies the rate by the factor.
        once: (epoch // every)  →  min(epoch // every, 1)
            It looks as if the rate falls only once.
            Try: It falls every `every` epochs: a power, factor ** count.
        only-then: factor ** (epoch // every)
            →  (factor if epoch and epoch % every == 0 else 1)
            It looks as if the rate is lower in those epochs alone, and then back again.
            Try: Count all steps so far: epoch // every of them.
        from-one: epoch //  →  (epoch + 1) //
            It looks as if the rate falls one epoch early.
            Try: Epochs count from 0: with every = 5, epoch 4 still has the first rate.
        late: epoch //  →  max(epoch - 1, 0) //
            It looks as if the rate falls one epoch late.
            Try: With every = 5, epoch 5 is the first with the lower rate.
        complement: factor **  →  (1 - factor) **
            It looks as if the rate is multiplied by 1 − factor.
            Try: factor is what is left: 0.1 means a tenth.
        fixed:
            It looks as if factor and every are always 0.5 and 5.
            Try: Use the arguments; those numbers are only what they are when left out.
        """,
        wrap={"fixed": _with_defaults},
    ),
)

EXPONENTIAL_DECAY = Entry(
    "exponential_decay",
    reference.exponential_decay,
    _smooth_decay_cases,
    mistakes=written(
        """
        grows: (-decay  →  (decay
            It looks as if the rate grows. Try: The exponent is negative.
        from-one: * epoch  →  * (epoch + 1)
        power-of-decay: np.exp(-decay * epoch)  →  decay ** epoch
            It looks as if this is decay ** epoch. Try: The base is e: exp(−decay · epoch).
        compound: np.exp(-decay * epoch)  →  (1 - decay) ** epoch
            It looks as if this is (1 − decay) ** epoch.
            Try: Nearly the same for a small decay, but the base is e: exp(−decay · epoch).
        base-two: np.exp(  →  np.exp2(
            It looks as if the base is 2. Try: The base is e: exp(−decay · epoch).
        inverse-time: * np.exp(-decay * epoch)  →  / (1 + decay * epoch)
            It looks as if this is the 1/t decay.
            Try: That one comes next; here it is exp(−decay · epoch).
        divided: -decay * epoch  →  -1 / decay * epoch
            It looks as if the epoch is divided by decay.
            Try: decay is a rate, not a time: multiply.
        """,
        said=OF_DECAYS,
    ),
)

INVERSE_TIME_DECAY = Entry(
    "inverse_time_decay",
    reference.inverse_time_decay,
    _smooth_decay_cases,
    mistakes=written(
        """
        from-one: * epoch  →  * (epoch + 1)
        precedence: (1 + decay * epoch)  →  1 + decay * epoch
            It looks as if only the 1 is in the denominator.
            Try: `a / 1 + b` means (a / 1) + b; put brackets around the denominator.
        no-one: 1 + decay * epoch  →  decay * epoch or 1
            It looks as if the 1 is missing in the denominator.
            Try: Without it the rate starts at infinity: 1 + decay · epoch.
        linear: / (1 + decay  →  * (1 - decay
            It looks as if the rate falls along a straight line.
            Try: Divide by 1 + decay · epoch; a straight line ends below zero.
        exponential: / (1 + decay * epoch)  →  * np.exp(-decay * epoch)
            It looks as if this is the exponential decay.
            Try: Here rate0 is divided by 1 + decay · epoch.
        root: (1  →  np.sqrt(1
            It looks as if the root of the denominator is taken.
            Try: Divide by 1 + decay · epoch itself.
        decay-outside: 1 + decay * epoch  →  decay * (1 + epoch)
            It looks as if decay multiplies the whole denominator.
            Try: Only the epoch is multiplied: 1 + decay · epoch.
        """,
        said=OF_DECAYS,
    ),
)

# ---- plateaus ------------------------------------------------------------------------------------


def _plateau_case(rng: Rng, settings: Mapping[str, Any]) -> Case:
    patience = settings.get("patience", 3)
    falling = np.cumsum(rng.uniform(0.01, 0.05, 6))[::-1] + 0.1
    best = float(falling[-1])

    def worse(count: int) -> list[float]:
        return [best + float(more) for more in rng.uniform(0.001, 0.004, count)]

    start = falling.tolist()
    dip = worse(patience)
    dip[0] += 0.02
    spell = [best + 0.05 + error - best for error in worse(patience)]
    said = ", ".join(f"{k} = {v:g}" for k, v in settings.items()) or "as usual"
    return {
        "about": said,
        "rate": _rate0(rng),
        "settings": dict(settings),
        "histories": {
            "errors still fall": start,
            "one epoch without progress": start + worse(1),
            "one epoch short of the patience": start + worse(patience - 1),
            "the patience is over": start + worse(patience),
            "worse than the best, though falling again": start + sorted(dip, reverse=True),
            "a bad spell, then nearly as good as the best": start + spell + worse(patience),
            "equal errors are no progress": [*start, *[best] * patience],
            "a new best after a pause": [*start, *worse(patience - 1), best - 0.01],
            "too few epochs to tell": [best + 0.001 * k for k in range(patience)],
            "one epoch": [best],
            "the first epoch is the best": [best, *worse(patience)],
            "one epoch more than the patience": start + worse(patience + 1),
            "a tiny bit better": [*start, *worse(patience - 1), best - 1e-6],
        },
    }


def reduce_on_plateau_cases(rng: Rng) -> list[Case]:
    return [_plateau_case(rng, {}), _plateau_case(rng, {"factor": 0.2, "patience": 5})]


def plateau_since_best(
    rate: float, val_errors: Any, *, factor: float = 0.5, patience: int = 3
) -> Any:
    """Counts the epochs since the first best one."""
    waited = len(val_errors) - 1 - int(np.argmin(val_errors))
    return rate * factor if waited >= patience else rate


REDUCE_ON_PLATEAU = Entry(
    "reduce_on_plateau",
    reference.reduce_on_plateau,
    reduce_on_plateau_cases,
    variants={"counted since the best": plateau_since_best},
    mistakes=written(
        """
        one-more: before, latest  →  patience = patience + 1⏎before, latest
            It looks as if you wait one epoch too long.
            Try: `patience` epochs without progress are enough.
        one-less: before, latest  →  patience = patience - 1⏎before, latest
            It looks as if you lose patience one epoch early.
            Try: Wait for `patience` whole epochs without progress.
        any-rise: len(before) == 0 or min(latest) < min(before)
            →  len(val_errors) == 1 or val_errors[-1] < val_errors[-2]
            It looks as if a single rise of the error is enough.
            Try: Errors wiggle: only `patience` epochs without a new best count.
        only-last: len(before) == 0 or min(latest) < min(before)
            →  len(val_errors) == 1 or val_errors[-1] < min(val_errors[:-1])
            It looks as if only the last error is looked at.
            Try: Compare the best of the last `patience` errors with the best before them.
        last-against-then: min(latest) < min(before)  →  latest[-1] < before[-1]
            It looks as if the last error is compared with the one `patience` epochs ago.
            Try: Compare the best of the last `patience` errors with the best before them.
        rising-run: min(latest) < min(before)
            →  any(b < a for a, b in zip(val_errors[-patience - 1 : -1], latest))
            It looks as if the error has to rise in every one of the last epochs.
            Try: It is a plateau as soon as nothing gets better than the best before.
        means: min(latest) < min(before)  →  np.mean(latest) < np.mean(before)
            It looks as if means are compared. Try: Compare the smallest of the last `patience`
            errors with the smallest before them.
        exactly: len(before) == 0 or min(latest) < min(before)
            →  (since := len(val_errors) - 1 - np.argmin(val_errors)) == 0 or since % patience
            It looks as if the rate falls only when exactly `patience` epochs have passed since the
            best.
            Try: After that it falls on, until there is a new best: at least `patience` epochs.
        threshold: < min(before)  →  < min(before) - 1e-4
            It looks as if a tiny improvement doesn't count.
            Try: Any smaller error is progress here, however little.
        ties-are-progress: <  →  <=
            It looks as if an equal error counts as progress. Try: Only a smaller error is progress.
        short-history: len(before) == 0 or min(latest)  →  min(latest)
            < min(before)  →  < min(before, default=val_errors[0])
            It looks as if the rate falls before there are epochs to compare with.
            Try: With no more than `patience` epochs there is no "before": keep the rate.
        accuracies: before, latest  →  val_errors = [-e for e in val_errors]⏎before, latest
            It looks as if larger errors are taken for better ones.
            Try: These are errors: smaller is better.
        complement: * factor  →  * (1 - factor)
            It looks as if the rate is multiplied by 1 − factor.
            Try: factor is what is left: 0.2 means a fifth.
        fixed:
            It looks as if factor and patience are always 0.5 and 3.
            Try: Use the arguments; those numbers are only what they are when left out.
        """,
        wrap={"fixed": _with_defaults},
    ),
)

# ---- warm-up and cosine --------------------------------------------------------------------------


def warmup_cosine_cases(rng: Rng) -> list[Case]:
    return [
        {"about": f"{num_steps} steps, {warmup} of them to warm up", "rate0": _rate0(rng)}
        | {"num_steps": num_steps, "warmup_steps": warmup, "steps": steps}
        for num_steps, warmup, steps in (
            (100, 10, [0, 4, 9, 10, 30, 55, 99]),
            (64, 0, [0, 1, 32, 63]),
            (50, 20, [0, 19, 20, 35, 49]),
        )
    ]


WARMUP_COSINE = Entry(
    "warmup_cosine",
    reference.warmup_cosine,
    warmup_cosine_cases,
    mistakes=written("""
        no-warmup: if step  →  warmup_steps = 0⏎if step
            It looks as if there is no warm-up.
            Try: At first the rate rises, step by step: rate0 · (step + 1) / warmup_steps.
        starts-at-zero: step + 1  →  step + 0
            It looks as if the rate of step 0 is 0.
            Try: A step at rate 0 is wasted: use (step + 1) / warmup_steps.
        cosine-from-start: done =  →  warmup_steps = 0⏎done =
            It looks as if the cosine begins at step 0, under the warm-up.
            Try: It begins where the warm-up ends, at rate0.
        too-long: if step  →  num_steps += warmup_steps⏎if step
            It looks as if the cosine takes num_steps steps after the warm-up.
            Try: num_steps counts the warm-up too: num_steps − warmup_steps are left.
        linear: 0.5 * (1 + np.cos(np.pi * done))  →  (1 - done)
            It looks as if the rate falls along a straight line.
            Try: Use half a cosine: 0.5 · (1 + cos(π · share)).
        quarter: 0.5 * (1 + np.cos(np.pi * done))  →  np.cos(0.5 * np.pi * done)
            It looks as if a quarter of a wave is used.
            Try: Half a wave: 0.5 · (1 + cos(π · share)).
        whole-wave: np.pi * done  →  2 * np.pi * done
            It looks as if a whole wave is used, so that the rate comes back.
            Try: Half a wave: the angle ends at π.
        not-shifted: 0.5 * (1 + np.cos(np.pi * done))  →  np.cos(np.pi * done)
            It looks as if the cosine itself is used, which turns negative.
            Try: Shift it up and halve it: 0.5 · (1 + cos(π · share)).
        not-halved: 0.5 *  →  1.0 *
            It looks as if the cosine part is twice as high.
            Try: It has to start at rate0: 0.5 · (1 + cos(π · share)).
        rises: 1 + np  →  1 - np
            It looks as if the rate rises to the end. Try: The cosine has a plus before it: 1 + cos.
    """),
)

# ---- the range test ------------------------------------------------------------------------------


def range_test_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for about, lowest, nan_above, num_steps, low, high in (
        ("a bowl", 0.0, None, 25, 1e-3, 10.0),
        # From the start to four times the smallest loss there is no room before a NaN: nothing
        # but a test for NaN stops there.
        ("a bowl, in which losses above 40 are NaN", 12.0, 40.0, 30, 3e-4, 100.0),
        ("a bowl, and rates that stay small", 0.1, None, 12, 2e-3, 0.05),
    ):
        curvature = rng.uniform([1.0, 4.0, 0.2], [2.0, 8.0, 0.4])
        w = rng.uniform(1.0, 2.0, 3) * signs(rng, (3,))
        case: Case = {"about": about, "curvature": curvature, "w": w, "lowest": lowest}
        case |= {"nan_above": nan_above, "low": low, "high": high, "num_steps": num_steps}
        cases.append(case)
    nan = float("nan")
    return [
        *cases,
        # The smallest is half the first: 2 is exactly four times that, and 2.01 is more.
        _given_losses(
            rng,
            "a loss of just four times the smallest, then one of more",
            [1.0, 0.5, 1.2, 1.9, 1.99, 2.0, 2.01, 2.2, 4.5, 0.8],
        ),
        _given_losses(rng, "a first loss of NaN", [nan, 1.0, 0.5]),
    ]


def _given_losses(rng: Rng, about: str, losses: list[float]) -> Case:
    """A walk down a slope on which these losses are met, times a power of two."""
    return {
        "about": about,
        "losses": np.array(losses) * 2.0 ** int(rng.integers(-2, 3)),
        "w": rng.normal(size=2),
        "gradient": rng.uniform(0.5, 2.0, 2) * signs(rng, (2,)),
        "low": float(rng.uniform(0.01, 0.02)),
        "high": float(rng.uniform(1.0, 2.0)),
        "num_steps": len(losses),
    }


RANGE_TEST = Entry(
    "range_test",
    reference.range_test,
    range_test_cases,
    mistakes=written("""
        linear: geomspace  →  linspace
            It looks as if the rates are evenly spaced.
            Try: Rates work by factors: space them geometrically, with np.geomspace.
        no-stop: if not  →  if False and not
            It looks as if the test goes on after the loss has exploded.
            Try: Stop at a loss above 4 times the smallest so far, or at NaN.
        nan: not loss <=  →  loss >
            It looks as if a NaN doesn't stop the test.
            Try: `loss > limit` is False for NaN. Ask `not loss <= limit`, or np.isnan.
        last-kept: break  →  rates.append(rate)⏎losses.append(loss)⏎break
            It looks as if the loss that ended the test is still recorded.
            Try: Stop before you record it.
        first: min(losses, default=loss)  →  (losses or [loss])[0]
            It looks as if the loss is compared with the first one.
            Try: Compare it with the smallest so far: the rate may be too high long before.
        previous: min(losses, default=loss)  →  (losses or [loss])[-1]
            It looks as if the loss is compared with the one before it.
            Try: Compare it with the smallest so far: a loss may explode little by little.
        ties-stop: <= 4  →  < 4
            It looks as if a loss of just 4 times the smallest ends the test.
            Try: Stop when it is *more* than that.
        first-nan: if not  →  if losses and not
            It looks as if the very first loss is recorded also when it is NaN.
            Try: NaN ends the test wherever it comes: two empty arrays then.
        after: losses.append(loss)⏎w = w - rate * grad
            →  w = w - rate * grad⏎losses.append(loss_and_grad(w)[0])
            It looks as if each rate is paired with the loss after its step.
            Try: Record the loss that you were given, then move.
        not-moved: rates: list  →  start = w⏎rates: list
            = loss_and_grad(w)  →  = loss_and_grad(start)
            It looks as if the loss is always measured at the start.
            Try: Take the step, and measure at the new w.
        restarts: rates: list  →  start = w⏎rates: list
            w = w -  →  w = start -
            It looks as if every step starts from the first w.
            Try: One walk with growing rates: go on from where you are.
        end-missing: high, num_steps)  →  high, num_steps + 1)[:-1]
            It looks as if `high` isn't among the rates.
            Try: Both ends belong to the num_steps rates.
    """),
)
