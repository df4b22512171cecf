"""The softmax loss with its gradient, ready to be checked."""

from __future__ import annotations

from typing import Any

import numpy as np
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

FAINT = 250.0
"""From how large a mean of 1/p on, relative to the loss, 1e-11 inside the logarithm shows."""


def softmax_loss_cases(rng: Rng) -> list[Case]:
    plans = (
        ((5, 4, 3), 0.0, "none"),
        ((4, 3, 6), 1.0, "none"),
        ((6, 5, 4), 2.0, "±1000"),
        ((7, 2, 5), 0.0, "+1000"),
        # Within the range of exp row by row, and twice that from one row to another.
        ((4, 3, 4), 0.5, "±680"),
    )
    return [*(_softmax_case(rng, *plan) for plan in plans), _faint_case(rng)]


def _softmax_case(rng: Rng, shape: tuple[int, int, int], reg: float, offsets: str) -> Case:
    """A case in which a tiny number inside the logarithm, up to 1e-12, doesn't show."""
    n, d, c = shape

    def draw(rng: Rng) -> Case:
        W, X = rng.normal(size=(d, c)), rng.normal(size=(n, d))
        y = rng.integers(0, c, n)
        y[0] = c - 1
        about = f"N = {n}, D = {d}, C = {c}, reg = {reg:g}"
        if offsets != "none":
            # A column of ±1000s against a row of ones: each example's scores have their own offset.
            size = float(offsets[1:])
            X[:, 0] = size if offsets[0] == "+" else size * np.resize([1.0, -1.0], n)
            W[0] = 1.0
            about += f", scores shifted by {offsets}"
        return {"about": about, "W": W, "X": X, "y": y, "reg": reg}

    return drawn(draw, lambda case: _faintness(case) <= FAINT, rng)


def _faintness(case: Case) -> float:
    """The mean of 1/p of the true classes, relative to the loss."""
    scores = case["X"] @ case["W"]
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    p = exps[np.arange(len(exps)), case["y"]] / exps.sum(axis=1)
    loss = -np.log(p).mean() + 0.5 * case["reg"] * np.sum(case["W"] ** 2)
    return float((1 / p).mean() / loss)


def _faint_case(rng: Rng) -> Case:
    """One true class is so improbable that from 1e-11 on a number inside the logarithm shows."""
    case = _softmax_case(rng, (4, 3, 5), 0.0, "none")
    case["y"][0] = int(np.argmin(case["X"][0] @ case["W"]))
    while _faintness(case) < FAINT:
        case["X"][0] *= 1.01
    return {**case, "about": "an example whose true class is improbable"}


def softmax_loss_loops(W: Any, X: Any, y: Any, reg: float) -> Any:
    """Example by example."""
    loss, grad = 0.0, np.zeros(W.shape)
    for x, label in zip(X, y, strict=True):
        scores = x.dot(W)
        top = max(scores)
        exps = [np.exp(s - top) for s in scores]
        total = sum(exps)
        loss += np.log(total) - (scores[label] - top)
        for c in range(W.shape[1]):
            grad[:, c] += (exps[c] / total - (c == label)) * x
    return loss / len(y) + 0.5 * reg * (W * W).sum(), grad / len(y) + reg * W


# What isn't shifted well ends in 0/0: students divide before they take the logarithm.
BY_PROBABILITIES = (
    "scores - np.log(np.exp(scores).sum  →  np.log(np.exp(scores) / np.exp(scores).sum"
)


def inside_the_logarithm(size: str) -> str:
    return f"""
        epsilon-{size}: -log_probs  →  -np.log(np.exp(log_probs) + {size})
            It looks as if {float(size):g} is added inside the logarithm.
            Try: It hides how wrong an improbable class is. Work with the log-probabilities: score −
            log of the sum of exp."""


EPSILONS = "".join(map(inside_the_logarithm, ("1e-5", "1e-6", "1e-8", "1e-10"))).strip()

SOFTMAX_LOSS = Entry(
    "softmax_loss",
    reference.softmax_loss,
    softmax_loss_cases,
    variants={"loops": softmax_loss_loops},
    mistakes=written(
        f"""
        no-shift: scores -= scores.max(axis=1, keepdims=True)  →
            {BY_PROBABILITIES}
            It looks as if the scores aren't shifted, so that exp overflows.
            Try: Subtract each row's largest score first; the loss stays what it is.
        shift-whole: scores.max(axis=1, keepdims=True)  →  scores.max()
            {BY_PROBABILITIES}
            It looks as if the largest score of the whole batch is subtracted.
            Try: Rows far below it underflow to 0. Subtract the maximum row by row.
        shift-columns: max(axis=1,  →  max(axis=0,
            {BY_PROBABILITIES}
            It looks as if the maximum is taken down the columns.
            Try: Each row is an example: max(axis=1, keepdims=True).
        over-examples: sum(axis=1,  →  sum(axis=0,
            It looks as if the probabilities are normalised over the examples.
            Try: They sum to one over the classes, axis 1.
        no-log: -log_probs  →  -np.exp(log_probs)
            It looks as if the logarithm is missing.
            Try: The loss of an example is −log of its true class's probability.
        log10: -log_probs  →  -np.log10(np.exp(log_probs))
            It looks as if the logarithm has base 10.
            Try: Use the natural one, np.log: the gradient p − 1 belongs to it.
        {EPSILONS}
        loss-summed: .mean()  →  .sum()
            It looks as if the loss is summed over the batch.
            Try: Take the mean, so that the learning rate needn't know the batch size.
        grad-summed: dscores / num_examples  →  dscores
            It looks as if the gradient isn't divided by N.
            Try: The loss is a mean over the batch; so is its gradient.
        no-minus-one: dscores[np.arange(num_examples), y] -= 1  →
            It looks as if the −1 at the true class is missing from the gradient.
            Try: The gradient of the scores is p, with 1 subtracted at the true class.
        loss-penalty-missing: 0.5 * reg * np.sum(W**2)  →  0
            It looks as if the loss leaves the penalty out. Try: Add 0.5 · reg · ΣW² to the loss.
        grad-penalty-missing: reg * W  →  0
            It looks as if the gradient leaves the penalty out. Try: Add reg · W to the gradient.
        penalty-over-n: np.sum(W**2)  →  np.sum(W**2) / num_examples
            reg * W  →  reg * W / num_examples
            It looks as if the penalty is divided by N as well.
            Try: Only the data loss is a mean over the batch; the penalty is added once.
        without-reg: scores = X  →  reg = 1.0 if reg else 0.0⏎scores = X
            It looks as if the penalty isn't multiplied by reg.
            Try: Both 0.5 · ΣW² and W are multiplied by reg.
        no-half: 0.5 * reg  →  reg
            It looks as if the ½ of the penalty is missing from the loss.
            Try: With 0.5 · reg · ΣW² in the loss, the gradient is reg · W.
        half-in-grad: reg * W  →  0.5 * reg * W
            It looks as if the gradient of the penalty keeps the ½.
            Try: The 2 from the square cancels it: reg · W.
        double-in-grad: reg * W  →  2 * reg * W
            It looks as if the gradient of the penalty is 2 · reg · W.
            Try: The ½ in the loss cancels that 2: reg · W.
        """
    ),
)
