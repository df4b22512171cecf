"""Kinks that lie between x − h and x + h: of a ReLU, and of a maximum."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from descent_solutions import gradient_checks as reference

from descent_autograder.questions.entry import Case, Entry, Mistake, Rng
from descent_autograder.questions.written import sentences, written

Array = npt.NDArray[Any]

# ---- what they share -----------------------------------------------------------------------------


def of_the_sides(plus: str, minus: str) -> tuple[Mistake, ...]:
    """What goes wrong where one asks on which side of a ReLU's kink two numbers stand."""
    return written(f"""
        product: ({plus} > 0) != ({minus} > 0)  →  ({plus}) * ({minus}) < 0
            It looks as if only products below zero count. Try: A ReLU at exactly 0 is off: 0
            against 1 crosses too, though the product is 0.
        sign: ({plus} > 0) != ({minus} > 0)  →  np.sign({plus}) != np.sign({minus})
            It looks as if 0 and a negative number count as different sides.
            Try: At 0 a ReLU is as flat as below it: compare (pre > 0), not the signs.
        not-negative: {plus} > 0  →  {plus} >= 0
            {minus} > 0  →  {minus} >= 0
            It looks as if 0 counts as the side where the ReLU is on. Try: Use > 0 on both sides.
    """)


SAID = sentences("""
    one-way:
        It looks as if only crossings in one direction count.
        Try: On at −h and off at +h is a crossing as well.
    inverted:
        It looks as if the mask is turned round: True where nothing happened.
        Try: True marks the places to be careful about.
    any:
        It looks as if one answer comes back for everything.
        Try: Return a mask: one True or False for each.
""")

# ---- crossed kinks -------------------------------------------------------------------------------


def crossed_kinks_cases(rng: Rng) -> list[Case]:
    plus = rng.normal(size=(4, 3))
    minus = np.where(rng.random((4, 3)) < 0.5, -plus, plus + 0.1 * np.sign(plus))
    plus[0], minus[0] = [0.4, -0.4, 0.3], [-0.2, 0.1, 0.5]
    edge_plus = np.array([0.0, 0.0, 0.0, 0.5, -0.5, 0.7])
    edge_minus = np.array([1.0, -1.0, 0.0, 0.0, 0.0, 0.2]) * rng.uniform(0.5, 2)
    near_plus, near_minus = 1e-6 * plus, 1e-6 * minus
    near_plus[0, 0], near_minus[0, 0] = 1e-12, -1e-12
    return [
        {"about": "pre-activations of shape (4, 3)", "pre_plus": plus, "pre_minus": minus},
        {"about": "numbers near 1e-6", "pre_plus": near_plus, "pre_minus": near_minus},
        {"about": "some exactly 0", "pre_plus": edge_plus, "pre_minus": edge_minus},
    ]


CROSSED_KINKS = Entry(
    "crossed_kinks",
    reference.crossed_kinks,
    crossed_kinks_cases,
    mistakes=(
        *of_the_sides("pre_plus", "pre_minus"),
        *written(
            """
            either: !=  →  |
                It looks as if every unit counts that is on at either side.
                Try: Only a change counts: on at one side and off at the other.
            one-way: !=  →  & ~
            inverted: np.asarray((pre_plus > 0) != (pre_minus > 0))
                →  np.asarray(~((pre_plus > 0) != (pre_minus > 0)))
            any: return np.asarray  →  return np.any
            indices: return np.asarray  →  return np.argwhere
                It looks as if the positions come back.
                Try: Return the mask itself, of the shape of the pre-activations.
            """,
            said=SAID,
        ),
    ),
)

# ---- winner changed ------------------------------------------------------------------------------


def winner_changed_cases(rng: Rng) -> list[Case]:
    return [*(_scores(rng, *shape) for shape in ((6, 4), (4, 5), (7, 3))), _tied_scores(rng)]


def _scores(rng: Rng, rows: int, columns: int) -> Case:
    plus = rng.normal(size=(rows, columns))
    minus = plus.copy()
    for row in range(0, rows, 2):
        # The runner-up overtakes.
        first, second = plus[row].argsort()[[-1, -2]]
        minus[row, first], minus[row, second] = plus[row, second], plus[row, first] + 0.3
    for row in range(1, rows, 4):
        # The same winner with the same score; the two at the bottom change places.
        low, lower = plus[row].argsort()[[1, 0]]
        minus[row, low], minus[row, lower] = plus[row, lower], plus[row, low]
    # The same order; every score a little higher.
    minus[3::4] = plus[3::4] + 0.01
    about = f"scores of shape {(rows, columns)}"
    return {"about": about, "scores_plus": plus, "scores_minus": minus}


def _tied_scores(rng: Rng) -> Case:
    """Scores of which several are the largest, on one side or on both."""
    winners = [  # of columns 0, 1 and 2: those that win at x + h, and at x − h
        ((0, 2), (0,)),
        ((0, 2), (2,)),
        ((0, 2), (0, 1)),
        ((2,), (0, 2)),
        ((0, 1), (0, 1)),
        ((1, 2), (0, 2)),
        ((0, 1), (1, 2)),
    ]
    rows, columns = len(winners), 5
    plus, minus = rng.integers(-3, 3, (2, rows, columns)).astype(float)
    for row, (ahead, behind) in enumerate(winners):
        place = np.sort(rng.choice(columns, 3, replace=False))
        plus[row, place[list(ahead)]] = 4.0
        minus[row, place[list(behind)]] = 4.0
    return {"about": "some scores equal", "scores_plus": plus, "scores_minus": minus}


# Columns are turned into rows, so that what another mistake does with axis 1 goes with them.
WINNER_CHANGED = Entry(
    "winner_changed",
    reference.winner_changed,
    winner_changed_cases,
    mistakes=written(
        """
        columns: return  →  scores_plus, scores_minus = scores_plus.T, scores_minus.T⏎return
            It looks as if the winner is sought down the columns.
            Try: Each row is an example: arg max along axis 1.
        values: argmax  ⇒  max
            It looks as if the largest values are compared.
            Try: They nearly always differ a little. Compare who wins: the arg max.
        losers: argmax  ⇒  argmin
            It looks as if the smallest score is followed.
            Try: The max depends on its winner: use argmax.
        order: scores_plus.argmax(axis=1) != scores_minus.argmax(axis=1)
            →  (scores_plus.argsort(1, "stable") != scores_minus.argsort(1, "stable")).any(axis=1)
            It looks as if any change of order counts.
            Try: Only the winner matters; the rest may swap places.
        last-of-equals: argmax(axis=1)  ⇒  argsort(1, "stable")[:, -1]
            It looks as if the last of equal scores wins. Try: The first one wins, as with argmax.
        all-of-equals: return  →  def best(s): return s == s.max(axis=1, keepdims=True)⏎return
            scores_plus.argmax(axis=1) != scores_minus.argmax(axis=1)
            →  (best(scores_plus) != best(scores_minus)).any(axis=1)
            It looks as if equal scores win together.
            Try: The first of them wins: compare the arg max of the two sides.
        overtaken: scores_plus.argmax(axis=1) != scores_minus.argmax
            →  scores_minus[range(len(scores_plus)), scores_plus.argmax(axis=1)] < scores_minus.max
            It looks as if you ask whether the old winner has been overtaken.
            Try: Of equal scores the first wins: compare the arg max of the two sides.
        inverted: return np.asarray  →  return ~np.asarray
        any: return np.asarray  →  return np.any
        """,
        said=SAID,
    ),
)

# ---- count crossed -------------------------------------------------------------------------------


def count_crossed_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for num_examples, h in ((2, 0.8), (200, 0.4), (200, None), (30, 0.3)):
        W, X = rng.normal(size=(4, 3)), rng.normal(size=(num_examples, 4))
        index = (int(rng.integers(4)), int(rng.integers(3)))
        if h is None:
            # At the default h a kink is crossed only where one lies almost on the boundary: a third
            # of the kinks lie within 1e-5 of W[index], a third a little further away.
            _put_kinks(W, X, index, slice(0, None, 3), rng.uniform(2e-6, 8e-6, 67))
            _put_kinks(W, X, index, slice(1, None, 3), -rng.uniform(3e-5, 3e-4, 67))
        about = f"{num_examples} examples, " + ("h left out" if h is None else f"h = {h:g}")
        cases.append({"about": about, "W": W, "X": X, "index": index, "h": h})
    return [*cases, _exact_zeros(rng)]


def _put_kinks(
    W: Array, X: Array, index: tuple[int, int], rows: slice, where: npt.ArrayLike
) -> None:
    """Change the inputs of some rows so that their kinks lie `where` away from W[index]."""
    d, c = index
    other = (d + 1) % len(W)
    gap = X[rows] @ W[:, c] + X[rows, d] * np.asarray(where)
    X[rows, other] -= gap / W[other, c]


def _exact_zeros(rng: Rng) -> Case:
    """Small numbers, exact in binary: the pre-activations are 0 at one end of the step."""
    W = rng.integers(-3, 4, (4, 3)) / 2
    index = (int(rng.integers(4)), int(rng.integers(3)))
    W[(index[0] + 1) % 4, index[1]] = 1.0
    X = rng.integers(1, 4, (9, 4)).astype(float)
    # Five kinks that count and four that don't, at the lower and at the upper end.
    X[[1, 3, 4, 6], index[0]] *= -1
    _put_kinks(W, X, index, slice(0, 4), 0.5)
    _put_kinks(W, X, index, slice(4, 9), -0.5)
    return {"about": "pre-activations of exactly 0", "W": W, "X": X, "index": index, "h": 0.5}


COUNT_CROSSED = Entry(
    "count_crossed",
    reference.count_crossed,
    count_crossed_cases,
    mistakes=(
        *written("""
            one-sided: -= h  →  -= 0
                It looks as if W − h isn't looked at.
                Try: The centred difference goes from −h to +h: compare those two ends.
            all-at-once: plus[index]  →  plus
                minus[index]  →  minus
                It looks as if every weight is moved.
                Try: Move the one at `index`, and leave the others.
            half-step: += h  →  += h / 2
                -= h  →  -= h / 2
                It looks as if the weight moves by h/2 to either side.
                Try: It moves by h to either side.
            inverted: np.sum((X @ plus > 0) != (X @ minus > 0))
                →  np.sum(~((X @ plus > 0) != (X @ minus > 0)))
                It looks as if the pre-activations are counted that stay on their side.
                Try: Count where (plus > 0) differs from (minus > 0).
            share: int(np.sum  →  float(np.mean
                It looks as if the share of crossings comes back.
                Try: Return how many there are, not their mean.
            yes-or-no: np.sum  →  np.any
                It looks as if the answer is whether any kink is crossed.
                Try: Sum the mask to count them.
            unmoved-again: plus, minus =  →  on = X @ W > 0⏎plus, minus =
                np.sum((X @ plus > 0) != (X @ minus > 0))
                →  np.sum(on & ((X @ plus > 0) != (X @ minus > 0)))
                It looks as if only units that are on at W itself count.
                Try: A unit that is off at W may be on at W + h or W − h.
        """),
        *of_the_sides("X @ plus", "X @ minus"),
        *written(
            """
            one-way: !=  →  & ~
            W-left-changed: return  →  W[index] -= h⏎return
                It looks as if W is not what it was after the call.
                Try: Move the weight in copies of W, or put it back.
            """,
            said=SAID,
        ),
    ),
)
