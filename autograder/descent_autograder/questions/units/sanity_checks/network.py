"""The loss and gradients of a network with one hidden layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from descent_solutions import sanity_checks as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.sanity_checks.losses import OF_LOSSES
from descent_autograder.questions.written import accepted, sentences, written

Array = npt.NDArray[Any]


def two_layer_loss_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for (n, d, h, c), reg, special in (
        ((5, 4, 6, 3), 0.0, ""),
        ((4, 3, 5, 6), 1.0, "a dead hidden unit"),
        ((8, 5, 7, 4), 2.0, "scores shifted by ±1000, row by row"),
        ((7, 3, 4, 5), 0.0, "scores shifted by +1000"),
        ((3, 3, 4, 3), 0.0, "scores shifted by -1000"),
        ((3, 5, 6, 4), 0.5, "a hidden unit that stands on its kink"),
    ):
        params = {
            "W1": rng.normal(size=(d, h)),
            "b1": rng.normal(size=h),
            "W2": rng.normal(size=(h, c)),
            "b2": rng.normal(size=c),
        }
        X, y = rng.normal(size=(n, d)), rng.integers(0, c, n)
        y[0] = c - 1
        if special == "a dead hidden unit":
            params["b1"][1] = -50.0
        elif special == "a hidden unit that stands on its kink":
            params["W1"][:, 2], params["b1"][2] = 0.0, 0.0
        elif special:
            signs = rng.choice([-1.0, 1.0], n)
            signs[:2] = 1.0, -1.0
            _shift_scores(params, X, {"+": 1.0, "-": -1.0}.get(special[18], signs))
        about = f"N = {n}, D = {d}, H = {h}, C = {c}, reg = {reg:g}"
        about += f", {special}" if special else ""
        case = {"about": about, "params": params, "X": X, "y": y, "reg": reg}
        _limit_scores(case)
        cases.append(case)
    return [*cases, _improbable_case(rng)]


def _shift_scores(params: dict[str, Array], X: Array, signs: Array | float) -> None:
    """Two hidden units carry ±1000 of each example to all of its scores alike."""
    W1, W2 = params["W1"], params["W2"]
    W1[0], W1[:, :2] = 0.0, 0.0
    W1[0, :2] = 1.0, -1.0
    W2[0], W2[1] = 1.0, -1.0
    X[:, 0] = 1000.0 * signs


def _limit_scores(case: Case) -> None:
    """Scale the scores so that no true class is less probable than about 0.001.

    A number of 1e-12 inside the logarithm, a widespread guard, then doesn't show.
    """
    params = case["params"]
    hidden = np.maximum(0, case["X"] @ params["W1"] + params["b1"])
    spread = float(np.ptp(hidden @ params["W2"] + params["b2"], axis=1).max())
    if spread > 5:
        # What shifts all scores of an example alike stands in rows of equal numbers: they stay.
        uneven = np.ptp(params["W2"], axis=1) > 0
        params["W2"][uneven] *= 5 / spread
        params["b2"] *= 5 / spread


def _improbable_case(rng: Rng) -> Case:
    """True classes so improbable that 1e-10 inside the logarithm shows, and 1e-12 doesn't."""
    n, d, h, c = 3, 4, 5, 5
    params = {"W1": rng.normal(size=(d, h)), "b1": rng.normal(size=h)}
    params |= {"W2": rng.normal(size=(h, c)), "b2": rng.normal(size=c)}
    X = rng.normal(size=(n, d))
    scores = np.maximum(0, X @ params["W1"] + params["b1"]) @ params["W2"] + params["b2"]
    y = scores.argmin(axis=1)
    # The mean of 1/p times 1e-10 must stand out from 1e-9 of a loss of about 5.
    factor = 0.1
    while _mean_inverse(factor * scores, y) < 250:
        factor *= 1.02
    params |= {"W2": factor * params["W2"], "b2": factor * params["b2"]}
    about = f"N = {n}, D = {d}, H = {h}, C = {c}, reg = 0, true classes that are improbable"
    return {"about": about, "params": params, "X": X, "y": y, "reg": 0.0}


def _mean_inverse(scores: Array, y: Array) -> float:
    """The mean of 1/p of the true classes."""
    gaps = scores - scores[np.arange(len(y)), y][:, None]
    return float(np.exp(gaps).sum(axis=1).mean())


def two_layer_loss_rows(params: Any, X: Any, y: Any, reg: float) -> Any:
    """Example by example, with biases kept as rows."""
    grads = {name: np.zeros(np.atleast_2d(value).shape) for name, value in params.items()}
    total = 0.0
    for x, label in zip(X, y, strict=True):
        before = x @ params["W1"] + params["b1"]
        hidden = before.copy()
        hidden[before <= 0] = 0
        scores = hidden @ params["W2"] + params["b2"]
        scores -= scores.max()
        probs = np.exp(scores) / np.exp(scores).sum()
        total -= scores[label] - np.log(np.exp(scores).sum())
        probs[label] -= 1
        back = params["W2"] @ probs
        back[before <= 0] = 0
        grads["W2"] += np.outer(hidden, probs)
        grads["b2"] += probs
        grads["W1"] += np.outer(x, back)
        grads["b1"] += back
    total /= len(y)
    for name, grad in grads.items():
        grad /= len(y)
        if name in ("W1", "W2"):
            grad += reg * params[name]
            total += reg * (params[name] ** 2).sum() / 2
    return total, grads


INSIDE_THE_LOGARITHM = sentences("""
    epsilon-1e-8:
        It looks as if 1e-08 is added inside the logarithm. Try: It hides how wrong an improbable
        class is. Work with the log-probabilities: score − log of the sum of exp.
    epsilon-1e-10:
        It looks as if 1e-10 is added inside the logarithm. Try: It hides how wrong an improbable
        class is. Work with the log-probabilities: score − log of the sum of exp.
""")

TWO_LAYER_LOSS = Entry(
    "two_layer_loss",
    reference.two_layer_loss,
    two_layer_loss_cases,
    variants={"example by example, biases as rows": two_layer_loss_rows},
    accepted=accepted("""
        kink-passes: maximum(0, X  →  maximum(0, before := X
            hidden > 0  →  before >= 0
    """),
    mistakes=written(
        """
        relu-missing: np.maximum(0, X @ W1 + b1)  →  X @ W1 + b1
            W2.T * (hidden > 0)  →  W2.T
            It looks as if there is no ReLU between the two layers.
            Try: Without it two layers are no more than one: hidden = max(0, X·W1 + b1).
        mask-missing: W2.T * (hidden > 0)  →  W2.T
            It looks as if the gradient passes the ReLU everywhere.
            Try: Where a hidden unit was 0 it lets no gradient through.
        mask-of-the-gradient: (hidden > 0)  →  (dscores @ W2.T > 0)
            It looks as if the ReLU's mask is taken from the gradient's sign.
            Try: Take it from the forward pass: where the hidden unit was above 0.
        first-penalty-missing: + reg * W1  →  + 0 * W1
            It looks as if the gradient of W1 leaves the penalty out.
            Try: Both weights are penalised: add reg · W1 as well.
        first-weight-unpenalised: + reg * W1  →  + 0 * W1
            np.sum(W1**2)  →  0 * np.sum(W1**2)
            It looks as if only W2 is penalised.
            Try: Both weights are: W1 has its share in the loss and in its gradient.
        biases-penalised: np.sum(W2**2)  →  np.sum(W2**2) + np.sum(b1**2) + np.sum(b2**2)
            dhidden.sum(axis=0)  →  dhidden.sum(axis=0) + reg * b1
            dscores.sum(axis=0)  →  dscores.sum(axis=0) + reg * b2
            It looks as if the biases are penalised too. Try: The penalty takes W1 and W2 only.
        biases-averaged: dhidden.sum(axis=0)  →  dhidden.mean(axis=0)
            dscores.sum(axis=0)  →  dscores.mean(axis=0)
            It looks as if the biases' gradients are divided by N twice.
            Try: When dscores is divided by N already, sum it over the examples.
        first-bias-forgotten: X @ W1 + b1  →  X @ W1
            It looks as if b1 isn't added. Try: Each layer adds its own bias: X·W1 + b1.
        second-bias-forgotten: hidden @ W2 + b2  →  hidden @ W2
            It looks as if b2 isn't added. Try: Each layer adds its own bias: hidden·W2 + b2.
        before-the-relu: hidden.T @ dscores  →  (X @ W1 + b1).T @ dscores
            It looks as if the gradient of W2 takes the hidden units before their ReLU.
            Try: The second layer's input is max(0, X·W1 + b1): that stands in its gradient.
        epsilon-1e-8: log_probs[rows, y]  →  np.log(np.exp(log_probs[rows, y]) + 1e-8)
        epsilon-1e-10: log_probs[rows, y]  →  np.log(np.exp(log_probs[rows, y]) + 1e-10)
        no-shift: scores.max(axis=1, keepdims=True)  →  0
            = scores - np.log(np.exp(scores)  →  = np.log(np.exp(scores) / np.exp(scores)
            It looks as if the scores aren't shifted, so that exp overflows.
            Try: Subtract each row's largest score first; the loss stays what it is.
        shift-whole: scores.max(axis=1, keepdims=True)  →  scores.max()
            = scores - np.log(np.exp(scores)  →  = np.log(np.exp(scores) / np.exp(scores)
            It looks as if the largest score of the whole batch is subtracted.
            Try: Rows far below it underflow to 0. Subtract the maximum row by row.
        log10: loss = -  →  loss = 1 / np.log(10) * -
            It looks as if the logarithm has base 10.
            Try: Use the natural one, np.log: the gradient p − 1 belongs to it.
        no-minus-one: -= 1  →  -= 0
            It looks as if the −1 at the true class is missing from the gradient.
            Try: The gradient of the scores is p, with 1 subtracted at the true class.
        loss-summed: y].mean()  →  y].sum()
        grad-summed: dscores /= num_examples  →  dscores /= 1
        loss-penalty-missing: 0.5 * reg  →  0.0 * reg
        grad-penalty-missing: + reg * W1  →  + 0 * W1
            + reg * W2  →  + 0 * W2
        no-half: 0.5 * reg  →  1.0 * reg
        double-in-grad: + reg * W1  →  + 2 * reg * W1
            + reg * W2  →  + 2 * reg * W2
        half-in-grad: + reg * W1  →  + 0.5 * reg * W1
            + reg * W2  →  + 0.5 * reg * W2
        penalty-over-n: 0.5 * reg *  →  0.5 * reg / num_examples *
            + reg * W1  →  + reg / num_examples * W1
            + reg * W2  →  + reg / num_examples * W2
        """,
        said=OF_LOSSES | INSIDE_THE_LOGARITHM,
    ),
)
