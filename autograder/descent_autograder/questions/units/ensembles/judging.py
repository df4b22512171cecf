"""What is said of an ensemble's members: how much they differ, and how sure they may be."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import ensembles as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.ensembles.averaging import softmax
from descent_autograder.questions.written import written

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


def disagreement_matrix(labels: Any) -> Any:
    """All pairs at once, by broadcasting."""
    stack = np.stack(labels)
    m = len(stack)
    differ = (stack[:, None, :] != stack[None, :, :]).mean(axis=2)
    return differ.sum() / (m * (m - 1))


DISAGREEMENT = Entry(
    "disagreement",
    reference.disagreement,
    disagreement_cases,
    variants={"broadcasting": disagreement_matrix},
    mistakes=written("""
        first-only: itertools.combinations(labels, 2)
            →  [(labels[0], other) for other in labels[1:]]
            It looks as if every member is compared with the first only.
            Try: Average over all pairs of members.
        neighbours: combinations(labels, 2)  →  pairwise(labels)
            It looks as if each member is compared with the next only.
            Try: Average over all pairs of members.
        with-itself: combinations(labels, 2)  →  product(labels, repeat=2)
            It looks as if members are also compared with themselves.
            Try: A member never differs from itself: those pairs only dilute the mean.
        any-differs: [np.mean(one != other) for one, other in pairs]
            →  [np.mean(np.any([one != labels[0] for one in labels], axis=0))]
            It looks as if an example counts when any member differs.
            Try: Take each pair by itself, then the mean over the pairs.
        agreement: !=  →  ==
            It looks as if the share of equal labels comes back. Try: Count where they differ: !=.
        distance: one != other  →  np.abs(one - other)
            It looks as if the labels are subtracted.
            Try: Labels are names: 9 is no further from 1 than 2 is.
        count: np.mean(one  →  np.sum(one
            It looks as if examples are counted.
            Try: Return a share: take the mean over the examples.
        pairs-summed: np.mean([  →  np.sum([
            It looks as if the pairs are summed.
            Try: Take the mean over the pairs, or a larger ensemble always looks more diverse.
    """),
)

# ---- calibration ---------------------------------------------------------------------------------


def calibration_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # Under-confident, over-confident, about right, and right when sure but wrong when not.
    shares = ((40, 3, None, 1.0), (60, 5, 4, 0.2), (80, 3, 8, 0.6), (50, 4, 7, None))
    for n, c, num_bins, share in shares:
        probabilities = softmax(1.5 * rng.normal(size=(n, c)))
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
        *([0.75, 0.25, 0.0], [0.5, 0.25, 0.25], [1.0, 0.0, 0.0]),
        *([0.625, 0.375, 0.0], [0.25, 0.7, 0.05], [0.1, 0.1, 0.8]),
    ]
    order = rng.permutation(6)
    return {
        "about": "confidences on the edges of 4 bins",
        "probabilities": np.array(probabilities)[order],
        "y": np.array([1, 1, 0, 0, 1, 0])[order],
        "num_bins": 4,
    }


CALIBRATION_ERROR = Entry(
    "calibration_error",
    reference.calibration_error,
    calibration_cases,
    mistakes=written("""
        true-class: probabilities.max(axis=1)  →  probabilities[np.arange(len(y)), y]
            It looks as if the true class's probability is taken for the confidence.
            Try: Confidence is the largest probability: what the model claims, right or wrong.
        not-weighted: inside.mean() *  →  1 / len(np.unique(bins)) *
            It looks as if every bin counts the same.
            Try: Weigh each bin by its share of the examples.
        signed: abs(right  →  (right
            It looks as if gaps of different sign cancel. Try: Take the absolute value in each bin.
        squared: confidence[inside].mean())  →  confidence[inside].mean()) ** 2
            It looks as if the gaps are squared. Try: Take their absolute values.
        largest-gap: error = 0.0  →  gaps = []
            error += inside.mean() * abs  →  gaps.append(abs
            confidence[inside].mean())  →  confidence[inside].mean()))
            float(error)  →  float(max(gaps))
            It looks as if the largest gap comes back.
            Try: That is the maximum calibration error; take the weighted mean.
        one-bin: * num_bins  →  * 1
            It looks as if all examples share one bin.
            Try: Over- and under-confidence cancel so: use `num_bins` bins.
        edges: ceil  →  floor
            It looks as if a confidence on an edge falls into the bin above.
            Try: Bin k ends with (k + 1) / num_bins, included: round up, not down.
        bins-ignored: * num_bins  →  * 15
            It looks as if the number of bins is fixed at 15. Try: Use `num_bins`.
    """),
)
