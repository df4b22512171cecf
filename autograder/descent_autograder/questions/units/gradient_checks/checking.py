"""The gradient check of a whole network."""

from __future__ import annotations

from descent_solutions import gradient_checks as reference

from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.units.gradient_checks.networks import clear_case, wide
from descent_autograder.questions.units.gradient_checks.sampling import FROM_ONE_VECTOR, H_IGNORED
from descent_autograder.questions.written import written


def check_gradients_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    # W, b and V are of 6, 2 and 2 numbers.
    for bugs, per_parameter, h, about in (
        ({"W": 1.5, "b": 0.4}, 2, 1e-4, "gradients off by a factor, and a right one"),
        ({"tanh": 0.4}, 50, None, "a bug of another size in each coordinate"),
        ({"tanh": 0.1, "V": -1.0}, 50, 0.1, "a large step, every coordinate"),
    ):
        case = clear_case(rng, (3, 2, 1))
        case |= {"bugs": bugs, "per_parameter": per_parameter, "h": h, "about": about}
        cases.append(case | {"seed": int(rng.integers(2**31)), "other": None})
    case = wide(rng, 600) | {"bugs": {"b": 2.0, "V": 1.02}, "per_parameter": 4, "h": 1e-5}
    seed, other = (int(k) for k in rng.integers(2**31, size=2))
    about = "a bug in a bias of 1 beside a weight of 600"
    return [*cases, case | {"seed": seed, "other": other, "about": about}]


CHECK_GRADIENTS = Entry(
    "check_gradients",
    reference.check_gradients,
    check_gradients_cases,
    through=(reference.sample_coordinates, reference.relative_error),
    mistakes=written(
        f"""
        one-long-vector: for name, value  →  size = min(total, per_parameter)⏎for name, value
            {FROM_ONE_VECTOR}
            found =  →  errors[name] = 0.0⏎if not chosen:⏎    continue⏎found =
            It looks as if the coordinates are drawn from all parameters together. Try: Draw
            `per_parameter` from every parameter, or small biases are never looked at.
        not-halved: rise / (2 * h)  →  rise / h
            It looks as if the difference is divided by h. Try: From −h to +h the distance is 2h.
        forward: loss_and_grads({{**params, name: minus}})[0]  →  loss_and_grads(params)[0]
            rise / (2 * h)  →  rise / h
            It looks as if the forward difference is used. Try: Its own error, near 1e-5, hides what
            you look for: use the centred one.
        absolute: / np.where(both_zero, 1.0, larger)  →
            It looks as if absolute errors come back.
            Try: Divide by the larger of the two gradients.
        sum: np.maximum(np.abs(a), np.abs(b))  →  np.abs(a) + np.abs(b)
            It looks as if you divide by the sum of the two gradients' sizes.
            Try: Divide by the larger one.
        left-moved: .copy(), params[name].copy()  →  .copy(), params[name]
            It looks as if a parameter is not what it was after its step.
            Try: Step on a copy, or put the number back before the next coordinate.
        every-coordinate: min(per_parameter, value.size)  →  value.size
            It looks as if every coordinate is checked.
            Try: Only `per_parameter` of each: a real network has millions.
        one-number: return errors  →  return float(np.max(list(errors.values())))
            It looks as if one number comes back for all parameters.
            Try: Return a dictionary, one error a parameter: it tells where to look.
        mean: np.max(found)  →  np.mean(found)
            It looks as if the mean of the errors is taken.
            Try: One wrong coordinate drowns in a mean: take the largest.
        smallest: np.max(found)  →  np.min(found)
            It looks as if the smallest error of each parameter is returned.
            Try: A check is as good as its worst coordinate: take the largest.
        norms: relative_error(grads[name][index], rise / (2 * h))
            →  (grads[name][index], rise / (2 * h))
            np.max(found)  →  np.linalg.norm(np.diff(found)) / np.linalg.norm(found, axis=0).max()
            It looks as if whole gradients are compared by their length. Try: A wrong coordinate
            drowns among many: compare one by one, and take the largest.
        first-only: for k in flat  →  for k in range(1)
            It looks as if only the first coordinate of each parameter is checked.
            Try: Check `per_parameter` coordinates of each, drawn at random.
        first-ones: for k in flat  →  for k in range(count)
            It looks as if the first coordinates of each parameter are checked.
            Try: Bugs don't live in the first rows only: draw at random.
        own-generator: _, grads =  →  rng = np.random.default_rng(0)⏎_, grads =
            It looks as if a generator of your own is used, with a fixed seed.
            Try: Draw from the `rng` that is handed in.
        h-ignored: _, grads =  →  h = 1e-5⏎_, grads =
        """,
        said=H_IGNORED,
    ),
)
