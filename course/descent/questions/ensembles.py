"""How the functions of unit 10 are exercised."""

from __future__ import annotations

import numpy as np

from descent.judging.observing import Case, Observer, question


@question()
def average_probabilities(see: Observer, case: Case) -> None:
    (function,) = see.functions
    see("average", function(case["probabilities"]))


@question()
def log_losses(see: Observer, case: Case) -> None:
    (function,) = see.functions
    losses = function(case["probabilities"], case["y"])
    average, mean = see.unpack(losses, "loss_of_average, mean_of_losses", numbers=True)
    see("log loss of the average", average, part="average")
    see("mean of the log losses", mean, part="mean")


@question()
def ema(see: Observer, case: Case) -> None:
    (function,) = see.functions
    average = np.zeros(case["values"][0].shape)
    for step, value in enumerate(case["values"], start=1):
        average, corrected = see.unpack(
            function(average, value, decay=case["decay"], step=step), "average, corrected"
        )
        see(f"average after step {step}", average)
        see(f"corrected after step {step}", corrected)


@question()
def disagreement(see: Observer, case: Case) -> None:
    (function,) = see.functions
    see("disagreement", function(case["labels"]))


@question()
def distillation_loss(see: Observer, case: Case) -> None:
    (function,) = see.functions
    loss, dlogits = see.unpack(
        function(
            case["student"],
            case["teacher"],
            case["y"],
            temperature=case["temperature"],
            alpha=case["alpha"],
        ),
        "loss, dlogits",
    )
    # Shifts of ±1000 cost three digits of every score.
    see("loss", loss, part="loss", floor=1e-10)
    see("dlogits", dlogits, part="gradient", floor=1e-11)


@question()
def calibration_error(see: Observer, case: Case) -> None:
    (function,) = see.functions
    given = {} if case["num_bins"] is None else {"num_bins": case["num_bins"]}
    see("calibration error", function(case["probabilities"], case["y"], **given))
