"""Losses with a penalty, their gradients, and what they are before any training."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import sanity_checks as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import accepted, sentences, written

# ---- what both losses share ----------------------------------------------------------------------

OF_LOSSES = sentences("""
    loss-summed:
        It looks as if the loss is summed over the batch.
        Try: Take the mean, so that the learning rate needn't know the batch size.
    grad-summed:
        It looks as if the gradient isn't divided by N.
        Try: The loss is a mean over the batch; so is its gradient.
    loss-penalty-missing:
        It looks as if the loss leaves the penalty out. Try: Add 0.5 · reg · ΣW² to the loss.
    grad-penalty-missing:
        It looks as if the gradient leaves the penalty out. Try: Add reg · W to the gradient of W.
    no-half:
        It looks as if the ½ of the penalty is missing from the loss.
        Try: With 0.5 · reg · ΣW² in the loss, the gradient is reg · W.
    double-in-grad:
        It looks as if the gradient of the penalty is 2 · reg · W.
        Try: The ½ in the loss cancels that 2: reg · W.
    half-in-grad:
        It looks as if the gradient of the penalty keeps the ½.
        Try: The 2 from the square cancels it: reg · W.
    penalty-over-n:
        It looks as if the penalty is divided by N as well.
        Try: Only the data loss is a mean over the batch; the penalty is added once.
""")

# ---- hinge loss ----------------------------------------------------------------------------------


def hinge_loss_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for (n, d, c), reg, ahead in (
        ((5, 4, 3), 0.0, 0.0),
        ((4, 3, 6), 1.0, 0.0),
        ((6, 5, 4), 2.0, 8.0),
        ((4, 6, 5), 0.0, 12.0),
    ):
        W, X, y = rng.normal(size=(d, c)), rng.normal(size=(n, d)), rng.integers(0, c, n)
        about = f"N = {n}, D = {d}, C = {c}, reg = {reg:g}"
        if ahead:
            happy = n if reg == 0 else n // 2
            scores = rng.normal(size=(n, c))
            scores[np.arange(happy), y[:happy]] += ahead
            X = scores @ np.linalg.pinv(W)
            about += f", {happy} examples without a violated margin"
        cases.append({"about": about, "W": W, "X": X, "y": y, "reg": reg})
    return [*cases, _hinge_on_the_kink(rng)]


def _hinge_on_the_kink(rng: Rng) -> Case:
    """Integers all the way, so that one margin an example is met exactly."""
    n, d, c = 3, 4, 5
    X = np.eye(n, d)
    X[:, -1] = rng.integers(-2, 3, n)
    W, y = rng.integers(-3, 4, (d, c)).astype(float), rng.integers(0, c, n)
    for i, label in enumerate(y):
        scores = X[i] @ W
        other = (label + 1) % c
        W[i, other] += scores[label] - 1 - scores[other]
    about = f"N = {n}, D = {d}, C = {c}, reg = 1, some margins met exactly"
    return {"about": about, "W": W, "X": X, "y": y, "reg": 1.0}


def hinge_loss_loops(W: Any, X: Any, y: Any, reg: float) -> Any:
    """Example by example and class by class."""
    loss, grad = 0.0, np.zeros(W.shape)
    for x, label in zip(X, y, strict=True):
        scores = x.dot(W)
        for c in range(W.shape[1]):
            margin = scores[c] - scores[label] + 1
            if c != label and margin > 0:
                loss += margin
                grad[:, c] += x
                grad[:, label] -= x
    return loss / len(y) + 0.5 * reg * (W * W).sum(), grad / len(y) + reg * W


HINGE_LOSS = Entry(
    "hinge_loss",
    reference.hinge_loss,
    hinge_loss_cases,
    variants={"loops": hinge_loss_loops},
    accepted=accepted("""
        kink-counted: maximum(0, scores  →  maximum(0, gaps := scores
            (margins > 0).astype(float)  →  np.heaviside(gaps, 1.0)
            dscores[rows, y] = -dscores  →  dscores[rows, y] = 0⏎dscores[rows, y] = -dscores
        kink-half: maximum(0, scores  →  maximum(0, gaps := scores
            (margins > 0).astype(float)  →  np.heaviside(gaps, 0.5)
            dscores[rows, y] = -dscores  →  dscores[rows, y] = 0⏎dscores[rows, y] = -dscores
    """),
    mistakes=written(
        """
        true-class-counted: margins[rows, y] = 0⏎loss =  →  loss =
            dscores = (  →  margins[rows, y] = 0⏎dscores = (
            It looks as if the true class is counted among the wrong ones.
            Try: Its margin is always 1: set it to 0, or the loss is too high by exactly 1.
        true-gradient-missing: -dscores.sum(axis=1)  →  0
            It looks as if the true class's column gets no gradient.
            Try: Every violated margin also pulls the true class's score up.
        true-gradient-once: -dscores.sum(axis=1)  →  -1
            It looks as if each example is subtracted from its true class's column once.
            Try: Subtract it once for every margin that is violated, which may be none.
        true-gradient-always: -dscores.sum(axis=1)  →  1 - W.shape[1]
            It looks as if each example is subtracted C − 1 times whatever its margins.
            Try: Only violated margins count: their number differs from example to example.
        true-class-subtracted: -dscores.sum(axis=1)  →  -1 - dscores.sum(axis=1)
            It looks as if the true class counts among those whose number you subtract.
            Try: Set its margin to 0 before you count the violated ones.
        zero-margins-counted: margins > 0  →  margins >= 0
            dscores[rows, y] = -dscores  →  dscores[rows, y] = 0⏎dscores[rows, y] = -dscores
            It looks as if every wrong class gets a gradient, violated or not.
            Try: After `np.maximum(0, …)` no margin is below 0: ask for > 0, not for >= 0.
        margins-as-slopes: (margins > 0).astype(float)  →  margins.copy()
            It looks as if each example counts in the gradient by the size of its margins.
            Try: A violated margin has a slope of 1, however large it is.
        margin-forgotten: None] + 1  →  None] + 0
            It looks as if the margin of 1 is missing.
            Try: A wrong class costs as soon as it comes within 1 of the true one.
        sign: X @ W  →  -(X @ W)
            X.T  →  -X.T
            It looks as if the two scores of the margin have changed places.
            Try: The wrong class's score comes first: a high one costs.
        worst-class-only: loss =
            →  margins *= np.arange(W.shape[1]) == margins.argmax(axis=1)[:, None]⏎loss =
            It looks as if only the worst wrong class of each example counts. Try: That is another
            hinge loss (Crammer & Singer); here, sum over all wrong classes.
        squared: margins.sum()  →  (margins**2).sum()
            (margins > 0).astype(float)  →  2 * margins
            It looks as if the margins are squared.
            Try: Here a violated margin costs its size, not its square.
        classes-averaged: loss = margins.sum()  →  loss = margins.sum() / W.shape[1]
            @ dscores  →  @ dscores / W.shape[1]
            It looks as if you average over the classes as well.
            Try: Sum over the wrong classes, then take the mean over the examples.
        loss-summed: sum() / num_examples  →  sum()
        grad-summed: dscores / num_examples  →  dscores
        loss-penalty-missing: 0.5 * reg  →  0.0 * reg
        grad-penalty-missing: + reg * W  →  + 0 * W
        no-half: 0.5 * reg  →  1.0 * reg
        double-in-grad: + reg * W  →  + 2 * reg * W
        half-in-grad: + reg * W  →  + 0.5 * reg * W
        penalty-over-n: 0.5 * reg *  →  0.5 * reg / num_examples *
            + reg * W  →  + reg / num_examples * W
        """,
        said=OF_LOSSES,
    ),
)

# ---- the loss before training --------------------------------------------------------------------


def expected_initial_loss_cases(rng: Rng) -> list[Case]:
    counts = [2, 10, int(rng.integers(3, 8)), int(rng.integers(50, 2000))]
    return [{"about": f"{count} classes", "num_classes": count} for count in counts]


def _always_ten(loss: Any) -> Any:
    return lambda kind, num_classes: loss(kind, 10)


def _other_kind(loss: Any) -> Any:
    return lambda kind, num_classes: loss("hinge" if kind == "softmax" else "softmax", num_classes)


EXPECTED_INITIAL_LOSS = Entry(
    "expected_initial_loss",
    reference.expected_initial_loss,
    expected_initial_loss_cases,
    mistakes=written(
        """
        all-classes: num_classes - 1  →  num_classes
            It looks as if the true class is counted in the hinge loss.
            Try: Each of the C − 1 wrong classes costs its margin of 1; the true one costs none.
        hinge-averaged: num_classes - 1  →  1
            It looks as if the hinge loss is averaged over the wrong classes.
            Try: Its costs are summed over the wrong classes: 1 for each of them.
        no-margin: num_classes - 1  →  0
            It looks as if equal scores cost the hinge loss nothing.
            Try: Equal scores miss the margin by 1, for every wrong class.
        log10: np.log(  →  np.log10(
            It looks as if the logarithm has base 10.
            Try: The loss is a natural logarithm: ln 10 is about 2.303.
        log2: np.log(  →  np.log2(
            It looks as if the logarithm has base 2.
            Try: The loss is a natural logarithm: ln 10 is about 2.303.
        no-minus: np.log(num_classes)  →  np.log(1 / num_classes)
            It looks as if the softmax loss comes out negative.
            Try: It is −ln(1/C), which is ln C: never below 0.
        no-log: np.log(num_classes)  →  (1 / num_classes)
            It looks as if this is the probability 1/C itself.
            Try: The loss is minus the logarithm of the true class's probability.
        always-ten:
            It looks as if there are always ten classes.
            Try: Let the number of classes that is handed in decide.
        swapped:
            It looks as if softmax and hinge have changed places.
            Try: ln C belongs to the softmax, C − 1 to the hinge.
        """,
        wrap={"always-ten": _always_ten, "swapped": _other_kind},
    ),
)
