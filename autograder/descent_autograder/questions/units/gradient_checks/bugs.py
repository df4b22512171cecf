"""Finding the layers whose gradient is wrong."""

from __future__ import annotations

from descent_solutions import gradient_checks as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.gradient_checks.networks import clear_case, wide
from descent_autograder.questions.units.gradient_checks.sampling import FROM_ONE_VECTOR
from descent_autograder.questions.written import written


def find_bugs_cases(rng: Rng) -> list[Case]:
    """Layers whose bugs, or whose soundness, only a careful check tells apart."""
    plans: tuple[tuple[Case, Case], ...] = (
        ({}, clear_case(rng, (2, 1, 1))),
        ({}, clear_case(rng, (3, 2, 1), size=1e3)),
        ({"W": -1.0}, clear_case(rng, (2, 1, 1))),
        ({"V": 1.003}, clear_case(rng, (2, 1, 1))),
        ({"b": 2.0}, wide(rng, 1000)),
        ({"b": 0.6}, wide(rng, 1000)),
        (dict.fromkeys("WbV", float("nan")), clear_case(rng, (2, 1, 1))),
        (dict.fromkeys("WbV", 1.4), clear_case(rng, (2, 1, 1), size=1e-5)),
    )
    numbers = (rng.permutation(20) + 1)[: len(plans)]
    layers = [
        {"name": f"layer {i}", **case, "bugs": bugs}
        for i, (bugs, case) in zip(numbers, plans, strict=True)
    ]
    shuffled = [layers[i] for i in rng.permutation(len(layers))]
    seed = int(rng.integers(2**31))
    return [{"about": f"{len(layers)} layers", "layers": shuffled, "seed": seed}]


FIND_BUGS = Entry(
    "find_bugs",
    reference.find_bugs,
    find_bugs_cases,
    through=(reference.sample_coordinates, reference.relative_error, reference.check_gradients),
    mistakes=written(
        f"""
        too-lenient: error <= 1e-4  →  error <= 1e-2
            It looks as if errors up to 1e-2 pass. Try: A smooth layer in float64 should come
            out at 1e-7 or below; 1e-3 is a bug.
        first-only: errors.values()  →  list(errors.values())[:1]
            It looks as if only the first parameter of each layer is checked.
            Try: A layer is wrong when any of its parameters is.
        one-long-vector: for name, value  →  size = min(total, per_parameter)⏎for name, value
            {FROM_ONE_VECTOR}
            found =  →  errors[name] = 0.0⏎if not chosen:⏎    continue⏎found =
            It looks as if the coordinates are drawn from all parameters together.
            Try: A bug in a bias of 1 beside a weight of 1,000 is then missed: draw from each.
        absolute: / np.where(both_zero, 1.0, larger)  →
            It looks as if absolute errors are compared with the threshold.
            Try: Small gradients hide their bugs so, and large ones are accused.
        inverted: if not all  →  if all
            It looks as if the right layers are named. Try: Return the layers with a bug.
        nan-swallowed: np.max(found)  →  max(0.0, *np.ravel(found))
            It looks as if NaN gets lost on the way. Try: max(0.0, nan) is 0.0, and nan > 1e-4
            is False: use np.max, and ask `not error <= limit`.
        none-named: return suspects  →  return set()
            No layer is named. Try: Some do have a bug: add the name of each whose error is
            above the threshold.
        all-named: return suspects  →  return set(layers)
            Every layer is named. Try: Some are right, but for rounding near 1e-10: put the
            threshold well above that.
        """
    ),
)
