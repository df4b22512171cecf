"""Unit 2 for the grader: fresh cases, accepted variants, and the mistakes students make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from descent.data import blobs
from descent.judging import Mistake
from descent.questions.sanity_checks import CHECKS, faulty_model
from descent_solutions import sanity_checks as reference

from descent_autograder.questions.legacy import Entry, Switches, add

Array = npt.NDArray[Any]
Rng = np.random.Generator
Case = dict[str, Any]

# ---- losses --------------------------------------------------------------------------------------

PENALTY_MISTAKES = (
    Mistake(
        "loss-penalty-missing",
        "It looks as if the loss leaves the penalty out.",
        "Add 0.5 · reg · ΣW² to the loss.",
    ),
    Mistake(
        "grad-penalty-missing",
        "It looks as if the gradient leaves the penalty out.",
        "Add reg · W to the gradient of W.",
    ),
    Mistake(
        "no-half",
        "It looks as if the ½ of the penalty is missing from the loss.",
        "With 0.5 · reg · ΣW² in the loss, the gradient is reg · W.",
    ),
    Mistake(
        "double-in-grad",
        "It looks as if the gradient of the penalty is 2 · reg · W.",
        "The ½ in the loss cancels that 2: reg · W.",
    ),
    Mistake(
        "half-in-grad",
        "It looks as if the gradient of the penalty keeps the ½.",
        "The 2 from the square cancels it: reg · W.",
    ),
    Mistake(
        "penalty-over-n",
        "It looks as if the penalty is divided by N as well.",
        "Only the data loss is a mean over the batch; the penalty is added once.",
    ),
)


def _penalty(on: Switches, weights: Array, reg: float, num_examples: int) -> tuple[float, Array]:
    """A weight's share of the loss and its gradient, with the faults of `PENALTY_MISTAKES`."""
    loss, grad = 0.5 * reg * float(np.sum(weights**2)), reg * weights
    if "no-half" in on:
        loss *= 2
    if "double-in-grad" in on:
        grad = 2 * grad
    if "half-in-grad" in on:
        grad = grad / 2
    if "penalty-over-n" in on:
        loss, grad = loss / num_examples, grad / num_examples
    if "loss-penalty-missing" in on:
        loss = 0.0
    if "grad-penalty-missing" in on:
        grad = 0 * weights
    return loss, grad


_LOSS_SUMMED = Mistake(
    "loss-summed",
    "It looks as if the loss is summed over the batch.",
    "Take the mean, so that the learning rate needn't know the batch size.",
)
_GRAD_SUMMED = Mistake(
    "grad-summed",
    "It looks as if the gradient isn't divided by N.",
    "The loss is a mean over the batch; so is its gradient.",
)


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


def hinge_loss_family(on: Switches) -> Callable[..., Any]:
    margin = 0.0 if "margin-forgotten" in on else 1.0

    def hinge_loss(W: Any, X: Any, y: Any, reg: float) -> Any:
        n, c = len(y), W.shape[1]
        rows = np.arange(n)
        scores = X @ W
        gaps = scores - scores[rows, y][:, None]
        gaps = margin - gaps if "sign" in on else gaps + margin
        active = gaps >= 0 if "kink-counted" in on else gaps > 0
        # A margin met exactly may be missed or violated by a hair of rounding only in `gaps`.
        active[rows, y] = False
        if "worst-class-only" in on:
            worst = np.where(active, gaps, -np.inf).argmax(axis=1)
            active &= np.arange(c) == worst[:, None]
        costs = np.where(active, gaps, 0.0)
        slopes = active.astype(float)
        if "kink-half" in on:
            slopes = np.where(gaps == 0, 0.5 * (np.arange(c) != y[:, None]), slopes)
        if "squared" in on:
            costs, slopes = costs**2, 2 * costs
        if "sign" in on:
            slopes = -slopes
        if "true-class-counted" in on:
            costs[rows, y] += margin
        losses = costs.mean(axis=1) if "classes-averaged" in on else costs.sum(axis=1)
        if "classes-averaged" in on:
            slopes = slopes / c
        loss = losses.sum() if "loss-summed" in on else losses.mean()
        if "zero-margins-counted" in on:
            slopes = np.ones_like(slopes)
        elif "margins-as-slopes" in on:
            slopes = costs.copy()
        slopes[rows, y] = 0
        if "true-gradient-once" in on:
            slopes[rows, y] = -1
        elif "true-class-subtracted" in on:
            slopes[rows, y] = -1 - slopes.sum(axis=1)
        elif "true-gradient-always" in on:
            slopes[rows, y] = -(c - 1)
        elif "true-gradient-missing" not in on:
            slopes[rows, y] = -slopes.sum(axis=1)
        grad = X.T @ slopes
        if "grad-summed" not in on:
            grad = grad / n
        penalty, slope = _penalty(on, W, reg, n)
        return loss + penalty, grad + slope

    return hinge_loss


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


add(
    Entry(
        question="hinge_loss",
        reference=reference.hinge_loss,
        cases=hinge_loss_cases,
        family=hinge_loss_family,
        freedoms_=("kink-counted", "kink-half"),
        mistakes=(
            Mistake(
                "true-class-counted",
                "It looks as if the true class is counted among the wrong ones.",
                "Its margin is always 1: set it to 0, or the loss is too high by exactly 1.",
            ),
            Mistake(
                "true-gradient-missing",
                "It looks as if the true class's column gets no gradient.",
                "Every violated margin also pulls the true class's score up.",
            ),
            Mistake(
                "true-gradient-once",
                "It looks as if each example is subtracted from its true class's column once.",
                "Subtract it once for every margin that is violated, which may be none.",
            ),
            Mistake(
                "true-gradient-always",
                "It looks as if each example is subtracted C − 1 times whatever its margins.",
                "Only violated margins count: their number differs from example to example.",
            ),
            Mistake(
                "true-class-subtracted",
                "It looks as if the true class counts among those whose number you subtract.",
                "Set its margin to 0 before you count the violated ones.",
            ),
            Mistake(
                "zero-margins-counted",
                "It looks as if every wrong class gets a gradient, violated or not.",
                "After `np.maximum(0, …)` no margin is below 0: ask for > 0, not for >= 0.",
            ),
            Mistake(
                "margins-as-slopes",
                "It looks as if each example counts in the gradient by the size of its margins.",
                "A violated margin has a slope of 1, however large it is.",
            ),
            Mistake(
                "margin-forgotten",
                "It looks as if the margin of 1 is missing.",
                "A wrong class costs as soon as it comes within 1 of the true one.",
            ),
            Mistake(
                "sign",
                "It looks as if the two scores of the margin have changed places.",
                "The wrong class's score comes first: a high one costs.",
            ),
            Mistake(
                "worst-class-only",
                "It looks as if only the worst wrong class of each example counts.",
                "That is another hinge loss (Crammer & Singer); here, sum over all wrong classes.",
            ),
            Mistake(
                "squared",
                "It looks as if the margins are squared.",
                "Here a violated margin costs its size, not its square.",
            ),
            Mistake(
                "classes-averaged",
                "It looks as if you average over the classes as well.",
                "Sum over the wrong classes, then take the mean over the examples.",
            ),
            _LOSS_SUMMED,
            _GRAD_SUMMED,
            *PENALTY_MISTAKES,
        ),
        variants={"loops": hinge_loss_loops},
    )
)


def expected_initial_loss_cases(rng: Rng) -> list[Case]:
    counts = [2, 10, int(rng.integers(3, 8)), int(rng.integers(50, 2000))]
    return [{"about": f"{count} classes", "num_classes": count} for count in counts]


def expected_initial_loss_family(on: Switches) -> Callable[..., Any]:
    def expected_initial_loss(kind: str, num_classes: int) -> Any:
        count = 10 if "always-ten" in on else num_classes
        if (kind == "softmax") == ("swapped" not in on):
            if "no-log" in on:
                return 1 / count
            log = np.log10 if "log10" in on else np.log2 if "log2" in on else np.log
            return log(1 / count) if "no-minus" in on else log(count)
        if "all-classes" in on:
            return count
        return 1.0 if "hinge-averaged" in on else 0.0 if "no-margin" in on else count - 1.0

    return expected_initial_loss


add(
    Entry(
        question="expected_initial_loss",
        reference=reference.expected_initial_loss,
        cases=expected_initial_loss_cases,
        family=expected_initial_loss_family,
        mistakes=(
            Mistake(
                "all-classes",
                "It looks as if the true class is counted in the hinge loss.",
                "Each of the C − 1 wrong classes costs its margin of 1; the true one costs none.",
            ),
            Mistake(
                "hinge-averaged",
                "It looks as if the hinge loss is averaged over the wrong classes.",
                "Its costs are summed over the wrong classes: 1 for each of them.",
            ),
            Mistake(
                "no-margin",
                "It looks as if equal scores cost the hinge loss nothing.",
                "Equal scores miss the margin by 1, for every wrong class.",
            ),
            Mistake(
                "log10",
                "It looks as if the logarithm has base 10.",
                "The loss is a natural logarithm: ln 10 is about 2.303.",
            ),
            Mistake(
                "log2",
                "It looks as if the logarithm has base 2.",
                "The loss is a natural logarithm: ln 10 is about 2.303.",
            ),
            Mistake(
                "no-minus",
                "It looks as if the softmax loss comes out negative.",
                "It is −ln(1/C), which is ln C: never below 0.",
            ),
            Mistake(
                "no-log",
                "It looks as if this is the probability 1/C itself.",
                "The loss is minus the logarithm of the true class's probability.",
            ),
            Mistake(
                "always-ten",
                "It looks as if there are always ten classes.",
                "Let the number of classes that is handed in decide.",
            ),
            Mistake(
                "swapped",
                "It looks as if softmax and hinge have changed places.",
                "ln C belongs to the softmax, C − 1 to the hinge.",
            ),
        ),
    )
)


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


EPSILONS = {"epsilon-1e-8": 1e-8, "epsilon-1e-10": 1e-10}


def two_layer_loss_family(on: Switches) -> Callable[..., Any]:
    def two_layer_loss(params: Any, X: Any, y: Any, reg: float) -> Any:
        W1, b1, W2, b2 = (params[name] for name in ("W1", "b1", "W2", "b2"))
        n = len(y)
        rows = np.arange(n)
        before = X @ W1 + (0 if "first-bias-forgotten" in on else b1)
        hidden = before if "relu-missing" in on else np.maximum(0, before)
        scores = hidden @ W2 + (0 if "second-bias-forgotten" in on else b2)
        if "shift-whole" in on:
            scores = scores - scores.max()
        elif "no-shift" not in on:
            scores = scores - scores.max(axis=1, keepdims=True)
        probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        added = max((EPSILONS[name] for name in on & EPSILONS.keys()), default=0.0)
        logs = np.log10(probs + added) if "log10" in on else np.log(probs + added)
        losses = -logs[rows, y]
        loss = losses.sum() if "loss-summed" in on else losses.mean()
        dscores = probs.copy()
        if "no-minus-one" not in on:
            dscores[rows, y] -= 1
        if "grad-summed" not in on:
            dscores = dscores / n
        dhidden = dscores @ W2.T
        if "mask-of-the-gradient" in on:
            dhidden = dhidden * (dhidden > 0)
        elif not {"mask-missing", "relu-missing"} & on:
            dhidden = dhidden * (before >= 0 if "kink-passes" in on else before > 0)
        grads = {
            "W1": X.T @ dhidden,
            "b1": dhidden.sum(axis=0),
            "W2": (before if "before-the-relu" in on else hidden).T @ dscores,
            "b2": dscores.sum(axis=0),
        }
        if "biases-averaged" in on:
            grads["b1"], grads["b2"] = dhidden.mean(axis=0), dscores.mean(axis=0)
        weights = ["W1", "W2", "b1", "b2"] if "biases-penalised" in on else ["W1", "W2"]
        for name in weights:
            penalty, slope = _penalty(on, params[name], reg, n)
            if name == "W1" and "first-weight-unpenalised" in on:
                continue
            if not (name == "W1" and "first-penalty-missing" in on):
                loss, grads[name] = loss + penalty, grads[name] + slope
            elif "first-penalty-missing" in on:
                loss = loss + penalty
        return loss, grads

    return two_layer_loss


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


add(
    Entry(
        question="two_layer_loss",
        reference=reference.two_layer_loss,
        cases=two_layer_loss_cases,
        family=two_layer_loss_family,
        freedoms_=("kink-passes",),
        mistakes=(
            Mistake(
                "relu-missing",
                "It looks as if there is no ReLU between the two layers.",
                "Without it two layers are no more than one: hidden = max(0, X·W1 + b1).",
            ),
            Mistake(
                "mask-missing",
                "It looks as if the gradient passes the ReLU everywhere.",
                "Where a hidden unit was 0 it lets no gradient through.",
            ),
            Mistake(
                "mask-of-the-gradient",
                "It looks as if the ReLU's mask is taken from the gradient's sign.",
                "Take it from the forward pass: where the hidden unit was above 0.",
            ),
            Mistake(
                "first-penalty-missing",
                "It looks as if the gradient of W1 leaves the penalty out.",
                "Both weights are penalised: add reg · W1 as well.",
            ),
            Mistake(
                "first-weight-unpenalised",
                "It looks as if only W2 is penalised.",
                "Both weights are: W1 has its share in the loss and in its gradient.",
            ),
            Mistake(
                "biases-penalised",
                "It looks as if the biases are penalised too.",
                "The penalty takes W1 and W2 only.",
            ),
            Mistake(
                "biases-averaged",
                "It looks as if the biases' gradients are divided by N twice.",
                "When dscores is divided by N already, sum it over the examples.",
            ),
            Mistake(
                "first-bias-forgotten",
                "It looks as if b1 isn't added.",
                "Each layer adds its own bias: X·W1 + b1.",
            ),
            Mistake(
                "second-bias-forgotten",
                "It looks as if b2 isn't added.",
                "Each layer adds its own bias: hidden·W2 + b2.",
            ),
            Mistake(
                "before-the-relu",
                "It looks as if the gradient of W2 takes the hidden units before their ReLU.",
                "The second layer's input is max(0, X·W1 + b1): that stands in its gradient.",
            ),
            *(
                Mistake(
                    name,
                    f"It looks as if {size:g} is added inside the logarithm.",
                    "It hides how wrong an improbable class is. Work with the log-probabilities: "
                    "score − log of the sum of exp.",
                )
                for name, size in EPSILONS.items()
            ),
            Mistake(
                "no-shift",
                "It looks as if the scores aren't shifted, so that exp overflows.",
                "Subtract each row's largest score first; the loss stays what it is.",
            ),
            Mistake(
                "shift-whole",
                "It looks as if the largest score of the whole batch is subtracted.",
                "Rows far below it underflow to 0. Subtract the maximum row by row.",
            ),
            Mistake(
                "log10",
                "It looks as if the logarithm has base 10.",
                "Use the natural one, np.log: the gradient p − 1 belongs to it.",
            ),
            Mistake(
                "no-minus-one",
                "It looks as if the −1 at the true class is missing from the gradient.",
                "The gradient of the scores is p, with 1 subtracted at the true class.",
            ),
            _LOSS_SUMMED,
            _GRAD_SUMMED,
            *PENALTY_MISTAKES,
        ),
        variants={"example by example, biases as rows": two_layer_loss_rows},
    )
)

# ---- checks --------------------------------------------------------------------------------------


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


def regularization_raises_loss_family(on: Switches) -> Callable[..., Any]:
    def regularization_raises_loss(loss_at: Any, regs: Any) -> Any:
        ordered = list(regs) if "order-as-given" in on else sorted(regs)
        losses = np.array([loss_at(reg) for reg in ordered])
        later, earlier = losses[1:], losses[:-1]
        if "ends-only" in on:
            later, earlier = losses[-1:], losses[:1]
        elif "first-pair-only" in on:
            later, earlier = losses[1:2], losses[:1]
        elif "against-first" in on:
            earlier = np.full_like(later, losses[0])
        if "inverted" in on:
            later, earlier = earlier, later
        if "tolerance" in on:
            earlier = earlier + 1e-3
        if "nan-passes" in on:
            rises = ~(later < earlier if "not-strict" in on else later <= earlier)
        else:
            rises = later >= earlier if "not-strict" in on else later > earlier
        return bool(rises.any()) if "any-rise" in on else bool(rises.all())

    return regularization_raises_loss


add(
    Entry(
        question="regularization_raises_loss",
        reference=reference.regularization_raises_loss,
        cases=regularization_raises_loss_cases,
        family=regularization_raises_loss_family,
        mistakes=(
            Mistake(
                "ends-only",
                "It looks as if only the smallest and the largest reg are compared.",
                "Compare every reg with the next larger one.",
            ),
            Mistake(
                "first-pair-only",
                "It looks as if only the first two regs decide.",
                "Return True after the loop: inside it, the first pair ends the function.",
            ),
            Mistake(
                "against-first",
                "It looks as if every loss is compared with the first one alone.",
                "Compare every reg with the next larger one: the loss mustn't fall back.",
            ),
            Mistake(
                "order-as-given",
                "It looks as if the regs are taken in the order they come in.",
                "Sort them first: a larger reg must give a larger loss.",
            ),
            Mistake(
                "not-strict",
                "It looks as if equal losses count as a rise.",
                "A penalty that is never added leaves the loss where it was: use >, not >=.",
            ),
            Mistake(
                "any-rise",
                "It looks as if one rise is enough.",
                "All of them have to rise: all(), not any().",
            ),
            Mistake(
                "inverted",
                "It looks as if a falling loss passes.",
                "More regularisation, more loss: the later one must be higher.",
            ),
            Mistake(
                "tolerance",
                "It looks as if a small rise isn't seen.",
                "Tiny weights have a tiny penalty: any rise counts, however small.",
            ),
            Mistake(
                "nan-passes",
                "It looks as if NaN passes.",
                "NaN is not above anything: a loss that isn't a number fails the check.",
            ),
        ),
    )
)


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


def overfit_tiny_family(on: Switches) -> Callable[..., Any]:
    def overfit_tiny(
        loss_and_grads: Any, params: Any, *, learning_rate: float, num_steps: int
    ) -> Any:
        moved, previous, losses = dict(params), dict(params), []
        rate = 1.0 if "rate-forgotten" in on else learning_rate
        rate = -rate if "uphill" in on else rate
        steps = num_steps + ("one-more" in on) - ("one-less" in on)
        stale = loss_and_grads(moved)[1]
        for step in range(steps):
            previous = dict(moved)
            loss, grads = loss_and_grads(moved)
            losses.append(loss)
            grads = stale if "stale-gradient" in on else grads
            factor = rate / (step + 1) if "rate-decays" in on else rate
            for name in params:
                if "biases-frozen" in on and name == "b":
                    continue
                if "one-by-one" in on:
                    grads = loss_and_grads(moved)[1]
                if "not-stored" in on:
                    continue
                start = params[name] if "from-the-start" in on else moved[name]
                moved[name] = start - factor * grads[name]
        losses.append(loss_and_grads(moved)[0])
        if "last-loss-missing" in on:
            losses = losses[:-1]
        if "first-loss-missing" in on:
            losses = losses[1:]
        if "start-returned" in on:
            moved = dict(params)
        elif "params-before-last-step" in on:
            moved = previous
        return {"loss": np.array(losses), "params": moved}

    return overfit_tiny


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


add(
    Entry(
        question="overfit_tiny",
        reference=reference.overfit_tiny,
        cases=overfit_tiny_cases,
        family=overfit_tiny_family,
        mistakes=(
            Mistake(
                "uphill",
                "It looks as if the steps go uphill.",
                "Subtract learning_rate · gradient.",
            ),
            Mistake(
                "biases-frozen",
                "It looks as if the bias never moves.",
                "Update every parameter in the dictionary, whatever its name.",
            ),
            Mistake(
                "last-loss-missing",
                "It looks as if the loss after the last step is missing.",
                "Return num_steps + 1 losses: one before each step, and the final one.",
            ),
            Mistake(
                "first-loss-missing",
                "It looks as if the loss before the first step is missing.",
                "Return num_steps + 1 losses: begin with the one at the start.",
            ),
            Mistake(
                "params-before-last-step",
                "It looks as if the parameters are those before the last step.",
                "Return the parameters that the last loss belongs to.",
            ),
            Mistake(
                "start-returned",
                "It looks as if the parameters that come back are those you were given.",
                "Keep the result of every step and return the last one.",
            ),
            Mistake(
                "not-stored",
                "It looks as if the parameters never move: the loss stays what it was.",
                "`value = value - …` gives a new array a name; store it: `params[name] = …`.",
            ),
            Mistake(
                "stale-gradient",
                "It looks as if every step uses the first gradient.",
                "Ask for the gradient anew at the parameters of each step.",
            ),
            Mistake(
                "from-the-start",
                "It looks as if every step starts from the first parameters.",
                "Step on from where the last step ended.",
            ),
            Mistake(
                "one-by-one",
                "It looks as if a parameter's gradient is taken after others have moved.",
                "Ask for all gradients once, then update all parameters with them.",
            ),
            Mistake(
                "rate-forgotten",
                "It looks as if the gradient isn't multiplied by the learning rate.",
                "Subtract learning_rate · gradient.",
            ),
            Mistake(
                "rate-decays",
                "It looks as if the learning rate shrinks from step to step.",
                "Plain descent keeps the rate that it is given.",
            ),
            Mistake(
                "one-less",
                "It looks as if one step is missing.",
                "Take exactly `num_steps` steps.",
            ),
            Mistake(
                "one-more",
                "It looks as if there is one step too many.",
                "Take exactly `num_steps` steps.",
            ),
        ),
        variants={"in place": overfit_tiny_in_place},
    )
)

# ---- the report ----------------------------------------------------------------------------------

FAULTS = (
    ("", "a sound model and ten classes", 10, 8.0, 1.0),
    ("", "a sound model and overlapping classes", 5, 3.9, 1.0),
    ("", "a model whose first scores are far apart", 6, 7.0, 500.0),
    ("", "features that don't belong to their labels", 5, 7.0, 1.0),
    ("", "features that all carry the same signal", 5, 7.0, 1.0),
    ("", "a model that was trained before", 5, 8.0, 1.0),
    ("", "equal examples with different labels among the first 20", 4, 7.0, 1.0),
    ("penalty missing", "a model without its penalty", 4, 6.0, 1.0),
    ("penalty subtracted", "a model that subtracts its penalty", 6, 7.0, 1.0),
    ("penalty always on", "a model with a penalty that can't be turned off", 5, 7.0, 1.0),
    ("penalty only above 0.5", "a penalty that isn't there below a reg of 0.5", 4, 7.0, 1.0),
    ("labels shifted", "a model that predicts the neighbouring label", 4, 6.0, 1.0),
    ("gradients of the wrong sign", "a model that climbs", 6, 7.0, 1.0),
    (
        "gradients are zero",
        "a model that guesses right from the start and never learns",
        5,
        8.0,
        1.0,
    ),
    ("logarithm to base 10", "a loss with the wrong logarithm", 8, 5.0, 1.0),
    ("loss is NaN", "a loss that is NaN", 4, 6.0, 1.0),
)
"""Fault planted, what the report calls it, classes, distance of the classes, size of W2."""

NUM_TRAIN, NUM_VAL, NUM_TINY = 100, 60, 20


def sanity_report_cases(rng: Rng) -> list[Case]:
    return [_clear_case(rng, *spec) for spec in FAULTS]


def _clear_case(rng: Rng, *spec: Any) -> Case:
    """A case that any sensible way of checking decides alike: drawn again until it is clear."""
    while True:
        case = _report_case(rng, *spec)
        if _is_clear(case):
            return case


def _report_case(
    rng: Rng, fault: str, about: str, num_classes: int, distance: float, size: float
) -> Case:
    features, hidden = num_classes + 5, 16
    X, y = blobs(
        rng,
        num_per_class=(NUM_TRAIN + NUM_VAL) // num_classes + 1,
        num_classes=num_classes,
        num_features=features,
        distance=distance,
    )
    if about.startswith("features that all"):
        X = (y - (num_classes - 1) / 2)[:, None] + 0.5 * rng.normal(size=X.shape)
    order = rng.permutation(len(y))[: NUM_TRAIN + NUM_VAL]
    # Two digits after the point are plenty, and keep the stored cases short.
    X, y = X[order].round(2), y[order]
    if about.startswith("equal examples"):
        X[10:20], y[10:20] = X[:10], (y[:10] + 1) % num_classes
    data = {
        "X_train": X[:NUM_TRAIN],
        "y_train": y[:NUM_TRAIN],
        "X_val": X[NUM_TRAIN:],
        "y_val": y[NUM_TRAIN:],
    }
    if about.startswith("features that don't"):
        data["X_train"] = rng.permuted(data["X_train"], axis=0)
    params = {
        "W1": (np.sqrt(2 / features) * rng.normal(size=(features, hidden))).round(4),
        "b1": np.zeros(hidden),
        "W2": (0.002 * size * rng.normal(size=(hidden, num_classes))).round(5),
        "b2": np.zeros(num_classes),
    }
    case = {
        "about": f"{about}, C = {num_classes}",
        "fault": fault,
        "params": params,
        "data": data,
        "learning_rate": 0.5,
        "num_steps": 100 if about.startswith("features that all") else 50,
        "seed": int(rng.integers(2**31)),
    }
    if about.startswith("a model that was trained"):
        _train_on_large_features(case)
    elif about.startswith("a model that guesses"):
        # The largest score says what it said, but all of them are nearly equal.
        trained = _learnt(case)
        small = {name: trained[name] / 500 for name in ("W2", "b2")}
        case["params"] = {n: v.round(5) for n, v in {**trained, **small}.items()}
    return case


def _learnt(case: Case) -> dict[str, Array]:
    """What a sound model learns from the training set of a case."""
    model, data = faulty_model({**case, "fault": ""}), case["data"]
    look = _Look(model, data, np.random.default_rng(0))
    return dict(look.descent(data["X_train"], data["y_train"])[1])


def _train_on_large_features(case: Case) -> None:
    """Start from trained parameters, with features in the hundreds.

    Shuffled features of that size make the model forget. Zeros, or noise around 1, hardly move it.
    """
    params, data = _learnt(case), case["data"]
    params |= {"W1": params["W1"] / 10, "b1": params["b1"] * 10, "W2": params["W2"] / 10}
    case["params"] = {name: value.round(4) for name, value in params.items()}
    case["data"] = data | {name: (100 * data[name]).round() for name in ("X_train", "X_val")}
    case["learning_rate"] = 0.005


def _is_clear(case: Case) -> bool:
    """Whether no number of the report lies near its threshold, on the training set neither."""
    about, data, num_classes = case["about"], case["data"], len(case["params"]["b2"])
    X, y = data["X_train"], data["y_train"]
    if np.ptp(y[:NUM_TINY]) != y.max() or y.max() != num_classes - 1:
        return False
    with np.errstate(all="ignore"):
        look = _Look(faulty_model(case), data, np.random.default_rng(case["seed"]))
        tiny_loss, tiny_accuracy, _ = look.trained(X[:NUM_TINY], y[:NUM_TINY])
        whole_loss, learnt, honest = look.trained(X, y)
        start = look.loss_at(0.0) / np.log(num_classes)
        # Features or labels may be shuffled: they part either way.
        scrambled = [look.trained(look.scrambled(), y)[2]]
        if about.startswith(("features", "a model that was trained", "a sound")):
            scrambled.append(look.trained(look.scrambled(), y)[2])
            scrambled.append(look.trained(X, look.rng.permutation(y))[2])
        kept = []
        if about.startswith("features that all"):
            kept = [look.mixed(), look.reordered(), look.reordered()]
        elif about.startswith("a model that was trained"):
            kept = [0 * X, look.rng.normal(size=X.shape)]
        kept_accuracies = [look.trained(Z, y)[2] for Z in kept]
    if about.startswith("a sound model and overlapping") and not whole_loss > 0.15:
        return False
    if about.startswith("features that don't") and not learnt > max(scrambled) + 0.3:
        return False
    if min(kept_accuracies, default=1.0) < honest - 0.1:
        return False
    if about.startswith("a model that guesses") and not honest > 0.9:
        return False
    return bool(
        not 0.03 < abs(start - 1) < 0.3
        and not 0.06 < tiny_loss < 0.2
        and (tiny_accuracy == 1 or tiny_accuracy < 0.9)
        and (honest > max([*scrambled, 0.3]) + 0.3 or honest < min(scrambled) + 0.1)
    )


_TRAININGS: dict[str, tuple[float, Any]] = {}


def _training(loss_and_grads: Any, model: Any) -> tuple[float, Any]:
    """Last loss and parameters of a descent, remembered: pairs of mistakes repeat the same ones.

    The first loss and gradients tell one training from every other.
    """
    first, grads = loss_and_grads(model["params"])
    key = f"{first!r} {[np.sum(g).hex() for g in grads.values()]}"
    if key not in _TRAININGS:
        if len(_TRAININGS) > 1000:
            _TRAININGS.clear()
        run = reference.overfit_tiny(
            loss_and_grads,
            model["params"],
            learning_rate=model["learning_rate"],
            num_steps=model["num_steps"],
        )
        _TRAININGS[key] = float(run["loss"][-1]), run["params"]
    return _TRAININGS[key]


class _Look:
    """What a report can learn about a model, in numbers."""

    def __init__(self, model: Any, data: Any, rng: Rng, *, moves_start: bool = False) -> None:
        self.model, self.data, self.rng = model, data, rng
        self.moves_start = moves_start

    def loss_at(self, reg: float) -> float:
        """The loss of the first parameters on the whole training set."""
        params, data = self.model["params"], self.data
        loss, _ = self.model["loss_and_grads"](params, data["X_train"], data["y_train"], reg)
        return float(loss)

    def descent(self, X: Array, y: Array, reg: float = 0.0) -> tuple[float, Any]:
        """Last loss and parameters after training."""

        def loss_and_grads(params: Any) -> Any:
            return self.model["loss_and_grads"](params, X, y, reg)

        loss, params = _training(loss_and_grads, self.model)
        if self.moves_start:
            self.model = {**self.model, "params": params}
        return loss, params

    def trained(self, X: Array, y: Array, reg: float = 0.0) -> tuple[float, float, float]:
        """Last loss, accuracy on what was learnt, and accuracy on the validation set."""
        loss, params = self.descent(X, y, reg)
        seen, new = (
            float(np.mean(self.model["predict"](params, inputs) == labels))
            for inputs, labels in ((X, y), (self.data["X_val"], self.data["y_val"]))
        )
        return loss, seen, new

    def scrambled(self) -> Array:
        """The training features, every column shuffled by itself."""
        return np.asarray(self.rng.permuted(self.data["X_train"], axis=0))

    def mixed(self) -> Array:
        """The training features, every row shuffled by itself."""
        return np.asarray(self.rng.permuted(self.data["X_train"], axis=1))

    def reordered(self) -> Array:
        """The training features, whole columns in another order."""
        return np.asarray(self.rng.permutation(self.data["X_train"], axis=1))


def sanity_report_family(on: Switches) -> Callable[..., Any]:
    def sanity_report(model: Any, data: Any, rng: Rng) -> Any:
        look = _Look(model, data, rng, moves_start="start-moved" in on)
        tiny, compared = _overfits(look, on), _generalises(look, on)
        if "start-moved" in on:
            # What the tiny set taught is looked at last, when other trainings have moved it on.
            tiny = _knows_tiny_set(look)
        # The losses come last: a start that the trainings have moved is no start any more.
        report = dict(
            zip(CHECKS, (_at_chance(look, on), _rises(look, on), tiny, compared), strict=True)
        )
        if "stops-early" in on:
            sound = True
            for name in CHECKS:
                sound = report[name] = sound and report[name]
        return report

    return sanity_report


def _at_chance(look: _Look, on: Switches) -> bool:
    num_classes = 10 if "always-ten" in on else int(look.data["y_train"].max()) + 1
    kind = "hinge" if "hinge-expected" in on else "softmax"
    expected = reference.expected_initial_loss(kind, num_classes)
    reg = 1.0 if "penalty-on" in on else 0.0
    if "after-training" in on:
        loss = look.descent(look.data["X_train"], look.data["y_train"], reg)[0]
    else:
        loss = look.loss_at(reg)
    gap = abs(loss - expected)
    return not gap >= 0.1 * expected if "nan-passes" in on else gap < 0.1 * expected


def _rises(look: _Look, on: Switches) -> bool:
    losses = np.array([look.loss_at(reg) for reg in (0.0, 0.1, 1.0)])
    if "reg-skipped" in on:
        losses = losses[1:]
    if "nan-passes" in on:
        return not np.any(losses[1:] <= losses[:-1])
    if "not-strict" in on:
        return bool(np.all(losses[1:] >= losses[:-1]))
    return bool(np.all(losses[1:] > losses[:-1]))


def _overfits(look: _Look, on: Switches) -> bool:
    rows = slice(NUM_TINY // 2 if "fewer-than-twenty" in on else NUM_TINY)
    rows = slice(None) if "whole-set" in on else rows
    X, y = look.data["X_train"][rows], look.data["y_train"][rows]
    loss, accuracy, _ = look.trained(X, y, 0.1 if "penalty-while-overfitting" in on else 0.0)
    low = not loss >= 0.1 if "nan-passes" in on else loss < 0.1
    if "loss-only" in on:
        return low
    return accuracy == 1 if "accuracy-only" in on else low and accuracy == 1


def _knows_tiny_set(look: _Look) -> bool:
    """Whether the parameters as they stand pass the check of the tiny set."""
    X, y = (look.data[name][:NUM_TINY] for name in ("X_train", "y_train"))
    right = look.model["predict"](look.model["params"], X) == y
    loss, _ = look.model["loss_and_grads"](look.model["params"], X, y, 0.0)
    return bool(loss < 0.1 and np.all(right))


def _generalises(look: _Look, on: Switches) -> bool:
    X, y = look.data["X_train"], look.data["y_train"]
    _, learnt, honest = look.trained(X, y)
    if "scrambled-not-trained" in on:
        params = look.descent(X, y)[1]
        Z, labels = look.rng.permuted(look.data["X_val"], axis=0), look.data["y_val"]
        scrambled = float(np.mean(look.model["predict"](params, Z) == labels))
    elif "pairs-kept" in on:
        order = look.rng.permutation(len(y))
        scrambled = look.trained(X[order], y[order])[2]
    elif "columns-mixed" in on:
        scrambled = look.trained(look.mixed(), y)[2]
    else:
        Z = 0 * X if "features-replaced" in on else look.scrambled()
        scrambled = look.trained(Z, y)[2]
    return (learnt if "training-accuracy" in on else honest) > scrambled + 0.2


def sanity_report_by_labels(model: Any, data: Any, rng: Rng) -> Any:
    """Shuffles the labels, which parts them from their features as well."""
    look = _Look(model, data, rng)
    X, y = data["X_train"], data["y_train"]
    num_classes = len(np.unique(y))
    loss, accuracy, _ = look.trained(X[:NUM_TINY], y[:NUM_TINY])
    honest, scrambled = (look.trained(X, labels)[2] for labels in (y, rng.permutation(y)))
    losses = [look.loss_at(reg) for reg in (0, 0.1, 1)]
    return {
        "overfits a tiny set": bool(loss < 0.1 and accuracy > 0.99),
        "beats scrambled features": int(honest > scrambled + 0.2),
        "loss at chance": bool(np.isclose(losses[0], np.log(num_classes), rtol=0.1)),
        "regularization raises the loss": bool(losses[0] < losses[1] < losses[2]),
    }


add(
    Entry(
        question="sanity_report",
        reference=reference.sanity_report,
        cases=sanity_report_cases,
        family=sanity_report_family,
        mistakes=(
            Mistake(
                "penalty-on",
                "It looks as if the initial loss is taken with the penalty on.",
                "Set reg to 0 first: ln C is what the data loss should be.",
            ),
            Mistake(
                "always-ten",
                "It looks as if every problem is expected to have ten classes.",
                "Count the classes in the labels.",
            ),
            Mistake(
                "hinge-expected",
                "It looks as if the initial loss is compared with the hinge's C − 1.",
                "These models have a softmax loss: expect ln C.",
            ),
            Mistake(
                "after-training",
                "It looks as if the first loss is taken after training.",
                'Take it with `model["params"]` before any step; training must not move these.',
            ),
            Mistake(
                "start-moved",
                "It looks as if all trainings move one and the same set of arrays.",
                'Copy `model["params"]`, every array in it too, before each training.',
            ),
            Mistake(
                "reg-skipped",
                "It looks as if not every reg of 0, 0.1 and 1 is compared with the next.",
                "A penalty may be missing between any two of them: ask for a rise at each.",
            ),
            Mistake(
                "not-strict",
                "It looks as if a loss that doesn't move with reg passes.",
                "A penalty that is never added leaves the loss where it was: ask for a rise.",
            ),
            Mistake(
                "loss-only",
                "It looks as if only the loss on the tiny set counts.",
                "Ask for 100 % accuracy too: predictions have code, and bugs, of their own.",
            ),
            Mistake(
                "accuracy-only",
                "It looks as if only the accuracy on the tiny set counts.",
                "Ask for a loss near 0 too: 100 % comes long before it.",
            ),
            Mistake(
                "penalty-while-overfitting",
                "It looks as if the tiny set is learnt with the penalty on.",
                "The penalty keeps the loss away from 0: set reg to 0 here.",
            ),
            Mistake(
                "fewer-than-twenty",
                "It looks as if fewer than 20 examples are learnt by heart.",
                "Take all of the first 20: what can't be learnt may be among the last of them.",
            ),
            Mistake(
                "whole-set",
                "It looks as if the whole training set has to be learnt by heart.",
                "Take about 20 examples: a sound model may well fail on all of them.",
            ),
            Mistake(
                "training-accuracy",
                "It looks as if the training accuracy is held against the scrambled model.",
                "What was learnt by heart says nothing: compare accuracies on the validation set.",
            ),
            Mistake(
                "pairs-kept",
                "It looks as if the examples are shuffled together with their labels.",
                "Shuffle each column of X by itself, so that features lose their labels.",
            ),
            Mistake(
                "columns-mixed",
                "It looks as if values change from one column to another.",
                "Shuffle each column by itself: `rng.permuted(X, axis=0)`. Columns "
                "that change places, or rows shuffled inside, may keep what they tell.",
            ),
            Mistake(
                "features-replaced",
                "It looks as if other numbers take the place of the features.",
                "Keep the values of each column and change their order only.",
            ),
            Mistake(
                "scrambled-not-trained",
                "It looks as if no model is trained on scrambled features.",
                "Train a second time, from the same start, on scrambled `X_train`; compare both on "
                "the validation set as it is.",
            ),
            Mistake(
                "nan-passes",
                "It looks as if a loss that is NaN passes.",
                "Every comparison with NaN is False: ask whether the check holds, "
                "not whether it fails.",
            ),
            Mistake(
                "stops-early",
                "It looks as if a check counts as failed once an earlier one has failed.",
                "Report each check by itself: the pattern names the fault.",
            ),
        ),
        variants={"labels shuffled instead of features": sanity_report_by_labels},
    )
)
