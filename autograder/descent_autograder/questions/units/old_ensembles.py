"""Unit 10 for the grader: fresh cases, accepted variants, and the mistakes students make."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.judging import Mistake
from descent_solutions import ensembles as reference

from descent_autograder.questions.legacy import Entry, Switches, add

Array = npt.NDArray[Any]
Rng = np.random.Generator
Case = dict[str, Any]


def _softmax(logits: Array, axis: int = 1) -> Array:
    exps = np.exp(logits - logits.max(axis=axis, keepdims=True))
    return np.asarray(exps / exps.sum(axis=axis, keepdims=True))


# ---- averaging -----------------------------------------------------------------------------------


def average_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": f"{m} members, N = {n}, C = {c}",
            "probabilities": [_softmax(2 * rng.normal(size=(n, c))) for _ in range(m)],
        }
        for m, n, c in ((3, 5, 4), (4, 2, 3), (2, 4, 6))
    ]


def average_family(on: Switches) -> Callable[..., Any]:
    def average_probabilities(probabilities: Any) -> Any:
        members = np.array(probabilities)
        if "votes" in on:
            members = np.eye(members.shape[2])[members.argmax(axis=2)]
        if "softmax-again" in on:
            members = _softmax(members, axis=2)
        if "over-examples" in on:
            return members.mean(axis=1)
        if "over-classes" in on:
            return members.mean(axis=2)
        if "logits" in on:
            return _softmax(np.log(np.maximum(members, 1e-300)).mean(axis=0))
        if "softmax-of-mean" in on:
            return _softmax(members.mean(axis=0))
        if "summed" in on:
            return members.sum(axis=0)
        if "running" in on:
            average = members[0]
            for member in members[1:]:
                average = (average + member) / 2
            return average
        if "largest" in on:
            return members.max(axis=0)
        return members.mean(axis=0)

    return average_probabilities


def average_by_hand(probabilities: Any) -> Any:
    """A running sum, divided at the end."""
    total = 0 * probabilities[0]
    for member in probabilities:
        total += member
    return total / len(probabilities)


add(
    Entry(
        question="average_probabilities",
        reference=reference.average_probabilities,
        cases=average_cases,
        family=average_family,
        mistakes=(
            Mistake(
                "votes",
                "It looks as if the members' labels are averaged.",
                "A vote throws away how sure each member is: average the probabilities.",
            ),
            Mistake(
                "logits",
                "It looks as if logarithms are averaged, and normalised again.",
                "Average the probabilities themselves.",
            ),
            Mistake(
                "softmax-again",
                "It looks as if a softmax is taken of the probabilities.",
                "They are probabilities already.",
            ),
            Mistake(
                "softmax-of-mean",
                "It looks as if a softmax is taken of the average.",
                "A mean of probabilities is one already: each row sums to 1.",
            ),
            Mistake(
                "summed",
                "It looks as if the sum isn't divided by the number of members.",
                "Each row of the average must sum to one.",
            ),
            Mistake(
                "running",
                "It looks as if each new member is averaged with the average so far.",
                "So the last one counts half: add them all up, then divide once.",
            ),
            Mistake(
                "largest",
                "It looks as if the largest probability among the members is taken.",
                "Take the mean over the members.",
            ),
            Mistake(
                "over-examples",
                "It looks as if the mean is over the examples.",
                "Members stand along the first axis of the stack: axis 0.",
            ),
            Mistake(
                "over-classes",
                "It looks as if the mean is over the classes.",
                "Members stand along the first axis of the stack: axis 0.",
            ),
        ),
        variants={"a running sum": average_by_hand},
    )
)


def log_losses_cases(rng: Rng) -> list[Case]:
    return [
        {**case, "y": rng.integers(0, case["probabilities"][0].shape[1], n)}
        for case in average_cases(rng)
        for n in [len(case["probabilities"][0])]
    ]


def log_losses_family(on: Switches) -> Callable[..., Any]:
    def log_losses(probabilities: Any, y: Any) -> Any:
        rows = np.arange(len(y))

        def loss(probs: Any) -> Any:
            chosen = np.maximum(probs[rows, y], 1e-300)
            if "largest" in on:
                chosen = probs.max(axis=1)
            if "no-log" in on:
                return -chosen.mean()
            logs = np.log10(chosen) if "log10" in on else np.log(chosen)
            if "summed" in on:
                return -logs.sum()
            return logs.mean() if "sign" in on else -logs.mean()

        losses = [loss(p) for p in probabilities]
        average = loss(average_family(on & {"votes", "logits"})(probabilities))
        mean = min(losses) if "best-member" in on else float(np.mean(losses))
        if "swapped" in on:
            average, mean = mean, average
        return average, mean

    return log_losses


add(
    Entry(
        question="log_losses",
        reference=reference.log_losses,
        cases=log_losses_cases,
        family=log_losses_family,
        mistakes=(
            Mistake(
                "best-member",
                "It looks as if the best member's loss stands in for the mean.",
                "Jensen speaks of the mean of the members' losses, not of the best one.",
            ),
            Mistake(
                "swapped",
                "It looks as if the two numbers have changed places.",
                "The loss of the average comes first.",
            ),
            Mistake(
                "logits",
                "It looks as if logarithms are averaged to make the ensemble.",
                "Average the probabilities.",
            ),
            Mistake(
                "largest",
                "It looks as if the largest probability is taken, not the true class's.",
                "Pick the probability of y, row by row.",
            ),
            Mistake(
                "no-log",
                "It looks as if the logarithm is missing.",
                "The loss of an example is −log of its true class's probability.",
            ),
            Mistake(
                "log10",
                "It looks as if the logarithm has base 10.",
                "Use np.log.",
            ),
            Mistake(
                "summed",
                "It looks as if the losses are summed over the examples.",
                "Take means over the examples.",
            ),
            Mistake(
                "sign",
                "It looks as if the minus sign is missing.",
                "A loss falls when the probability rises: −log p.",
            ),
        ),
    )
)

# ---- the running average -------------------------------------------------------------------------


def ema_cases(rng: Rng) -> list[Case]:
    return [
        {
            "about": f"decay {decay:g}, parameters of shape {shape}",
            "decay": decay,
            "values": [rng.normal(size=shape) for _ in range(4)],
        }
        for decay, shape in ((0.9, (2, 3)), (0.99, (4,)), (0.6, (3, 1)))
    ]


def ema_family(on: Switches) -> Callable[..., Any]:
    def ema(average: Any, value: Any, *, decay: float, step: int) -> Any:
        keep = 1 - decay if "decay-swapped" in on else decay
        gain = 1.0 if "sum" in on else 1 - keep
        average = keep * average + gain * value
        power = step - 1 if "step-from-0" in on else step + 1 if "step-from-2" in on else step
        correction = 1 - decay**power
        if "correction-per-step" in on:
            correction = 1 - decay
        with np.errstate(all="ignore"):
            corrected = average if "not-corrected" in on else average / np.float64(correction)
        if "multiplied" in on:
            corrected = average * correction
        if "corrected-kept" in on:
            average = corrected
        return (corrected, average) if "swapped" in on else (average, corrected)

    return ema


def ema_in_place(average: Any, value: Any, *, decay: float, step: int) -> Any:
    """Moves the average a little towards the value, in place."""
    average += (1 - decay) * (value - average)
    return average, average / (1 - decay**step)


add(
    Entry(
        question="ema",
        reference=reference.ema,
        cases=ema_cases,
        family=ema_family,
        mistakes=(
            Mistake(
                "decay-swapped",
                "It looks as if decay weighs the new value.",
                "A decay of 0.99 keeps 99 % of the average and takes 1 % of the new value.",
            ),
            Mistake(
                "not-corrected",
                "It looks as if the start at zero isn't made up for.",
                "Divide by 1 − decay^step; at the first step that gives the value itself.",
            ),
            Mistake(
                "sum",
                "It looks as if the factor 1 − decay is missing.",
                "Without it this is a decaying sum, as some notes say, and not an average.",
            ),
            Mistake(
                "step-from-0",
                "It looks as if the correction counts steps from 0.",
                "The first step is step 1: 1 − decay^step as it is handed in.",
            ),
            Mistake(
                "step-from-2",
                "It looks as if the correction is one step ahead.",
                "Use the step that is handed in; it starts at 1.",
            ),
            Mistake(
                "correction-per-step",
                "It looks as if you divide by 1 − decay at every step.",
                "The start weighs less and less: divide by 1 − decay^step.",
            ),
            Mistake(
                "multiplied",
                "It looks as if you multiply by 1 − decay^step.",
                "The average is too small at first: divide.",
            ),
            Mistake(
                "corrected-kept",
                "It looks as if the corrected average is kept for the next step.",
                "Keep the plain one; correct a copy for use.",
            ),
            Mistake(
                "swapped",
                "It looks as if the two results have changed places.",
                "Return the average first, then the corrected one.",
            ),
        ),
        variants={"in place": ema_in_place},
    )
)

# ---- diversity -----------------------------------------------------------------------------------


def disagreement_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for members, n in ((2, 17), (3, 29), (5, 53)):
        truth = rng.integers(0, 4, n)
        # The further down the list, the wilder: no pair stands for all the others.
        labels = [
            np.where(rng.random(n) < 0.05 + 0.2 * k, rng.integers(0, 4, n), truth)
            for k in range(members)
        ]
        for k, label in enumerate(labels):
            label[: 2 * k] = (labels[0][: 2 * k] + k) % 4
        cases.append({"about": f"{members} members, {n} examples", "labels": labels})
    return cases


def disagreement_family(on: Switches) -> Callable[..., Any]:
    def disagreement(labels: Any) -> Any:
        stack = np.array(labels)
        if "first-only" in on:
            pairs = [(stack[0], other) for other in stack[1:]]
        elif "neighbours" in on:
            pairs = list(itertools.pairwise(stack))
        elif "with-itself" in on:
            pairs = [(a, b) for a in stack for b in stack]
        else:
            pairs = list(itertools.combinations(stack, 2))
        if "any-differs" in on:
            shares = [np.mean((stack != stack[0]).any(axis=0))]
        elif "distance" in on:
            shares = [np.mean(np.abs(a - b)) for a, b in pairs]
        else:
            shares = [np.mean(a == b) if "agreement" in on else np.mean(a != b) for a, b in pairs]
        if "count" in on:
            shares = [share * stack.shape[1] for share in shares]
        return float(np.sum(shares) if "pairs-summed" in on else np.mean(shares))

    return disagreement


def disagreement_matrix(labels: Any) -> Any:
    """All pairs at once, by broadcasting."""
    stack = np.stack(labels)
    m = len(stack)
    differ = (stack[:, None, :] != stack[None, :, :]).mean(axis=2)
    return differ.sum() / (m * (m - 1))


add(
    Entry(
        question="disagreement",
        reference=reference.disagreement,
        cases=disagreement_cases,
        family=disagreement_family,
        mistakes=(
            Mistake(
                "first-only",
                "It looks as if every member is compared with the first only.",
                "Average over all pairs of members.",
            ),
            Mistake(
                "neighbours",
                "It looks as if each member is compared with the next only.",
                "Average over all pairs of members.",
            ),
            Mistake(
                "with-itself",
                "It looks as if members are also compared with themselves.",
                "A member never differs from itself: those pairs only dilute the mean.",
            ),
            Mistake(
                "any-differs",
                "It looks as if an example counts when any member differs.",
                "Take each pair by itself, then the mean over the pairs.",
            ),
            Mistake(
                "agreement",
                "It looks as if the share of equal labels comes back.",
                "Count where they differ: !=.",
            ),
            Mistake(
                "distance",
                "It looks as if the labels are subtracted.",
                "Labels are names: 9 is no further from 1 than 2 is.",
            ),
            Mistake(
                "count",
                "It looks as if examples are counted.",
                "Return a share: take the mean over the examples.",
            ),
            Mistake(
                "pairs-summed",
                "It looks as if the pairs are summed.",
                "Take the mean over the pairs, or a larger ensemble always looks more diverse.",
            ),
        ),
        variants={"broadcasting": disagreement_matrix},
    )
)

# ---- distillation --------------------------------------------------------------------------------


def distillation_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for (n, c), temperature, alpha, offset in (
        ((4, 3), 2.0, 0.7, 0.0),
        ((5, 6), 4.0, 0.3, 0.0),
        ((3, 4), 3.0, 0.5, 1000.0),
        ((6, 5), 1.5, 0.9, -1000.0),
        # The soft part alone, the hard part alone; a batch of one; and soft logits beyond exp.
        ((1, 4), 1.0, 1.0, 1000.0),
        ((3, 4), 1.25, 0.0, -1000.0),
    ):
        offsets = offset * np.where(np.arange(n) % 2, 1.0, -1.0)[:, None]
        about = f"N = {n}, C = {c}, T = {temperature:g}, alpha = {alpha:g}"
        cases.append(
            {
                "about": about + (", scores shifted by ±1000" if offset else ""),
                "student": 2 * rng.normal(size=(n, c)) + offsets,
                "teacher": 3 * rng.normal(size=(n, c)) - offsets,
                "y": rng.integers(0, c, n),
                "temperature": temperature,
                "alpha": alpha,
            }
        )
    return cases


def distillation_family(on: Switches) -> Callable[..., Any]:
    def log_softmax(logits: Any, soft: bool = True) -> Any:
        if "shift-of-all" in on:
            logits = logits - logits.max()
        elif "no-shift" not in on and not (soft and "soft-not-shifted" in on):
            logits = logits - logits.max(axis=1, keepdims=True)
        return logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def distillation_loss(
        student_logits: Any, teacher_logits: Any, y: Any, *, temperature: float, alpha: float
    ) -> Any:
        n, rows, t = len(y), np.arange(len(y)), temperature
        if "alpha-swapped" in on:
            alpha = 1 - alpha
        teacher = log_softmax(teacher_logits / (1.0 if "teacher-not-softened" in on else t))
        soft = log_softmax(student_logits / (1.0 if "student-not-softened" in on else t))
        hard = log_softmax(student_logits / (t if "hard-softened" in on else 1.0), soft=False)
        divergence = np.sum(np.exp(teacher) * (teacher - soft)) / n
        if "entropy-missing" in on:
            divergence = -np.sum(np.exp(teacher) * soft) / n
        if "reversed" in on:
            divergence = np.sum(np.exp(soft) * (soft - teacher)) / n
        loss_scale = 1.0 if on & {"no-square", "no-square-in-loss"} else t**2
        loss = alpha * loss_scale * divergence - (1 - alpha) * hard[rows, y].mean()
        dhard = np.exp(hard)
        dhard[rows, y] -= 1
        grad_scale = t
        if on & {"no-square", "no-square-in-gradient"}:
            grad_scale = 1 / t
        if "square-not-reduced" in on:
            grad_scale = t**2
        dsoft = grad_scale * (np.exp(soft) - np.exp(teacher))
        dlogits = alpha * dsoft + (1 - alpha) * dhard
        return loss, dlogits if "grad-summed" in on else dlogits / n

    return distillation_loss


add(
    Entry(
        question="distillation_loss",
        reference=reference.distillation_loss,
        cases=distillation_cases,
        family=distillation_family,
        mistakes=(
            Mistake(
                "no-square",
                "It looks as if the factor T² is missing.",
                "Softening shrinks the soft gradients by 1/T²: multiply the soft term by T².",
            ),
            Mistake(
                "no-square-in-loss",
                "It looks as if the factor T² is in the gradient and not in the loss.",
                "Loss and gradient belong to the same function: multiply both.",
            ),
            Mistake(
                "no-square-in-gradient",
                "It looks as if the factor T² is in the loss and not in the gradient.",
                "The gradient of T² · KL is T · (student − teacher).",
            ),
            Mistake(
                "square-not-reduced",
                "It looks as if the soft gradient is multiplied by T², and the 1/T forgotten.",
                "The logits are divided by T inside the softmax: one T is left.",
            ),
            Mistake(
                "teacher-not-softened",
                "It looks as if the teacher's logits aren't divided by T.",
                "Soften both: the dark knowledge is in the teacher's small probabilities.",
            ),
            Mistake(
                "student-not-softened",
                "It looks as if the student's logits aren't divided by T in the soft term.",
                "Soften both by the same T.",
            ),
            Mistake(
                "hard-softened",
                "It looks as if the cross-entropy with the labels is softened as well.",
                "T belongs to the soft term alone.",
            ),
            Mistake(
                "reversed",
                "It looks as if the divergence is taken the other way round.",
                "KL(teacher‖student) weighs with the teacher's probabilities.",
            ),
            Mistake(
                "entropy-missing",
                "It looks as if the soft term is a cross-entropy, without the teacher's entropy.",
                "KL is Σ p (log p − log q): it is 0 when the student agrees with the teacher.",
            ),
            Mistake(
                "alpha-swapped",
                "It looks as if alpha weighs the hard term.",
                "alpha belongs to the soft term, 1 − alpha to the labels.",
            ),
            Mistake(
                "grad-summed",
                "It looks as if the gradient isn't divided by N.",
                "Both terms are means over the batch.",
            ),
            Mistake(
                "no-shift",
                "It looks as if the logits aren't shifted, so that exp overflows.",
                "Subtract each row's largest logit first.",
            ),
            Mistake(
                "soft-not-shifted",
                "It looks as if the softened logits aren't shifted, so that exp overflows.",
                "1000 / T is too much as well: shift in every softmax.",
            ),
            Mistake(
                "shift-of-all",
                "It looks as if all rows are shifted by one maximum.",
                "Rows may lie 2000 apart: take the maximum with axis=1, keepdims=True.",
            ),
        ),
    )
)

# ---- calibration ---------------------------------------------------------------------------------


def calibration_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # Under-confident, over-confident, about right, and right when sure but wrong when not.
    shares = ((40, 3, None, 1.0), (60, 5, 4, 0.2), (80, 3, 8, 0.6), (50, 4, 7, None))
    for n, c, num_bins, share in shares:
        probabilities = _softmax(1.5 * rng.normal(size=(n, c)))
        best = probabilities.argmax(axis=1)
        sure = probabilities.max(axis=1) > np.median(probabilities.max(axis=1))
        right = sure if share is None else rng.random(n) < share
        y = np.where(right, best, (best + rng.integers(1, c, n)) % c)
        bins = "num_bins left out" if num_bins is None else f"{num_bins} bins"
        about = f"N = {n}, C = {c}, {bins}"
        cases.append({"about": about, "probabilities": probabilities, "y": y, "num_bins": num_bins})
    return [*cases, _on_edges(rng)]


def _on_edges(rng: Rng) -> Case:
    """Confidences exactly on the edges of bins, in numbers that are exact."""
    probabilities = [
        [0.75, 0.25, 0.0],
        [0.5, 0.25, 0.25],
        [1.0, 0.0, 0.0],
        [0.625, 0.375, 0.0],
        [0.25, 0.7, 0.05],
        [0.1, 0.1, 0.8],
    ]
    order = rng.permutation(6)
    return {
        "about": "confidences on the edges of 4 bins",
        "probabilities": np.array(probabilities)[order],
        "y": np.array([1, 1, 0, 0, 1, 0])[order],
        "num_bins": 4,
    }


def calibration_family(on: Switches) -> Callable[..., Any]:
    def calibration_error(probabilities: Any, y: Any, *, num_bins: int = 10) -> Any:
        rows = np.arange(len(y))
        confidence = probabilities[rows, y] if "true-class" in on else probabilities.max(axis=1)
        right = probabilities.argmax(axis=1) == y
        if "bins-ignored" in on:
            num_bins = 15
        if "one-bin" in on:
            num_bins = 1
        upwards = np.floor if "edges" in on else np.ceil
        bins = upwards(confidence * num_bins).astype(int)
        gaps, sizes = [], []
        for k in np.unique(bins):
            inside = bins == k
            gap = right[inside].mean() - confidence[inside].mean()
            gaps.append(gap if "signed" in on else abs(gap))
            sizes.append(inside.mean())
        if "squared" in on:
            gaps = [gap**2 for gap in gaps]
        if "largest-gap" in on:
            return max(gaps)
        if "not-weighted" in on:
            return float(np.mean(gaps))
        return float(np.dot(gaps, sizes))

    return calibration_error


add(
    Entry(
        question="calibration_error",
        reference=reference.calibration_error,
        cases=calibration_cases,
        family=calibration_family,
        mistakes=(
            Mistake(
                "true-class",
                "It looks as if the true class's probability is taken for the confidence.",
                "Confidence is the largest probability: what the model claims, right or wrong.",
            ),
            Mistake(
                "not-weighted",
                "It looks as if every bin counts the same.",
                "Weigh each bin by its share of the examples.",
            ),
            Mistake(
                "signed",
                "It looks as if gaps of different sign cancel.",
                "Take the absolute value in each bin.",
            ),
            Mistake(
                "squared",
                "It looks as if the gaps are squared.",
                "Take their absolute values.",
            ),
            Mistake(
                "largest-gap",
                "It looks as if the largest gap comes back.",
                "That is the maximum calibration error; take the weighted mean.",
            ),
            Mistake(
                "one-bin",
                "It looks as if all examples share one bin.",
                "Over- and under-confidence cancel so: use `num_bins` bins.",
            ),
            Mistake(
                "edges",
                "It looks as if a confidence on an edge falls into the bin above.",
                "Bin k ends with (k + 1) / num_bins, included: round up, not down.",
            ),
            Mistake(
                "bins-ignored",
                "It looks as if the number of bins is fixed at 15.",
                "Use `num_bins`.",
            ),
        ),
    )
)
