"""Pictures of the first layer: its filters in a grid, and how smooth they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from descent_solutions import babysitting as reference

from descent_autograder.questions.drawing import drawn
from descent_autograder.questions.entry import Case, Entry, Rng
from descent_autograder.questions.written import written

Array = npt.NDArray[Any]

# ---- the grid ------------------------------------------------------------------------------------


def tile_filters_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    shapes = (((2, 3), 4, 2), ((3, 2), 5, 3), ((4, 3), 7, 3), ((2, 2), 2, 3))
    for (height, width), count, columns in shapes:
        W = rng.normal(size=(height * width, count)) * rng.uniform(0.2, 5, count)
        about = f"{count} filters of {height} × {width} in {columns} columns"
        if count == 5:
            W[:, 1] = 0.7
            about += ", one of them constant"
        cases.append(
            {"about": about, "W": W, "image_shape": [height, width], "num_columns": columns}
        )
    return cases


TILE_FILTERS = Entry(
    "tile_filters",
    reference.tile_filters,
    tile_filters_cases,
    mistakes=written("""
        rows-taken: height, width =  →  W = W.reshape(W.shape[1], -1).T⏎height, width =
            It looks as if the filters are cut from W row by row.
            Try: Each *column* of W is a filter: take W[:, k], or W.T before reshaping.
        transposed: T.reshape(num_filters, height, width)
            →  T.reshape(num_filters, width, height).transpose(0, 2, 1)
            It looks as if each filter's pixels run down its columns.
            Try: Pixels come row by row, as numpy's reshape takes them.
        column-by-column: tiles.reshape(num_rows, num_columns, height, width)
            →  tiles.reshape(num_columns, num_rows, height, width).swapaxes(0, 1)
            It looks as if the grid is filled column by column.
            Try: Fill it row by row: filter 1 stands to the right of filter 0.
        stretched-together: W.min(axis=0), np.ptp(W, axis=0)  →  W.min(), np.ptp(W)
            It looks as if all filters are stretched together.
            Try: Stretch each by its own smallest and largest value, or quiet ones look grey.
        not-stretched: tiles = np  →  stretched = W⏎tiles = np
            It looks as if the filters aren't stretched.
            Try: Take away each one's smallest value and divide by its range: 0 … 1.
        last-row-lost: -(-num_filters // num_columns)  →  num_filters // num_columns
            tiles[:num_filters] = stretched.T  →  tiles[:] = stretched.T[: len(tiles)]
            .reshape(num_filters, height  →  .reshape(-1, height
            It looks as if filters that don't fill a row are lost. Try: Round the number of rows up.
        few-columns: num_filters = W  →  num_columns = min(num_columns, W.shape[1])⏎num_filters = W
            It looks as if the grid has no more columns than there are filters.
            Try: It always has num_columns; places left over are 0.
        white-rest: zeros  →  ones
            It looks as if the places left over are 1. Try: Leave them at 0.
        constant-nan: np.where(flat, 0.5  →  np.where(flat, np.nan
            It looks as if a constant filter becomes 0/0. Try: Show it as 0.5 throughout.
    """),
)

# ---- smoothness ----------------------------------------------------------------------------------

PAIRS = (
    ("smooth", "with noise", "smooth before smooth with noise"),
    ("smooth", "noise", "smooth before pure noise"),
    ("huge", "tiny noise", "smooth and large before noisy and small"),
    ("louder", "noise", "smooth and a little larger before noisy"),
    ("smooth", "dark noise", "smooth before noisy and dark"),
    ("dark", "dark noise", "smooth and dark before noisy and dark"),
    ("soft", "rows", "smooth before noisy from row to row"),
    ("soft", "columns", "smooth before noisy from column to column"),
)


def smoothness_cases(rng: Rng) -> list[Case]:
    cases: list[Case] = []
    for shape in ((8, 8), (6, 9)):
        filters = drawn(partial(_filters, shape), _fair, rng)
        order = list(rng.permutation(list(filters)))
        about = f"{len(filters)} filters of {shape[0]} × {shape[1]}"
        W = np.array([filters[name].ravel() for name in order]).T.round(4)
        pairs = [[order.index(a), order.index(b), said] for a, b, said in PAIRS]
        cases.append({"about": about, "W": W, "image_shape": list(shape), "pairs": pairs})
    return cases


def _fair(filters: dict[str, Array]) -> bool:
    # What score to take is the student's choice: a sample in which sound ones are in doubt
    # would be unfair.
    return all(_keeps_apart(design, filters) for design in DESIGNS)


def _filters(shape: tuple[int, int], rng: Rng) -> dict[str, Array]:
    """Filters by name; where nothing else is said their mean is 0 and their variance 1."""
    height, width = shape
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")

    def smooth(angle: float | None = None) -> Array:
        angle = rng.uniform(0, 2 * np.pi) if angle is None else angle
        return _standard(np.tanh(1.5 * (np.cos(angle) * x + np.sin(angle) * y)))

    def noise(height: int = height, width: int = width) -> Array:
        return _standard(np.zeros(shape) + rng.normal(size=(height, width)))

    return {
        "smooth": smooth(),
        # A slope along the rows: whoever runs through a filter as one long row falls from the end
        # of each to the beginning of the next.
        "soft": smooth(rng.uniform(-0.4, 0.4)),
        "with noise": smooth() + 0.9 * noise(),
        "noise": noise(),
        "huge": 50 * smooth(),
        "tiny noise": 0.01 * noise(),
        "louder": 1.6 * smooth(),
        "dark": smooth() - 20,
        "dark noise": noise() - 20,
        # Smooth along one axis and noisy along the other.
        "rows": noise(width=1),
        "columns": noise(height=1),
    }


def _standard(x: Array) -> Array:
    return np.asarray((x - x.mean()) / x.std())


def _along(f: Array, measure: Callable[[Array, Array], float]) -> tuple[float, float]:
    """A measure of neighbours, one below the other and side by side."""
    return measure(f[1:], f[:-1]), measure(f[:, 1:], f[:, :-1])


def _correlations(f: Array) -> tuple[float, float]:
    return _along(f, lambda a, b: float(np.corrcoef(a.ravel(), b.ravel())[0, 1]))


def _steps(f: Array) -> float:
    return sum(_along(f, lambda a, b: float(np.abs(a - b).mean())))


def _bend(f: Array) -> float:
    """Mean size of the Laplacian inside the filter."""
    around = f[2:, 1:-1] + f[:-2, 1:-1] + f[1:-1, 2:] + f[1:-1, :-2]
    return float(np.abs(around - 4 * f[1:-1, 1:-1]).mean())


def _low_frequencies(f: Array) -> float:
    """The share of a filter's variance in waves of about four pixels or longer."""
    power = np.abs(np.fft.fft2(f - f.mean())) ** 2
    low = np.ix_(*(np.abs(np.fft.fftfreq(n)) <= 0.26 for n in f.shape))
    return float(power[low].sum() / power.sum())


DESIGNS: tuple[Callable[[Array], float], ...] = (
    lambda f: -sum(_along(f, lambda a, b: float(np.square(a - b).mean()))) / float(f.var()),
    lambda f: -_steps(f) / float(np.ptp(f)),
    lambda f: -_steps(f) / float(f.std()),
    lambda f: sum(_correlations(f)),
    lambda f: min(_correlations(f)),
    lambda f: -_bend(f) / float(f.std()),
    _low_frequencies,
)
"""Sound scores for smoothness."""

MARGIN = 0.1
"""By how much of all scores' range a smooth filter must lie above a noisy one."""


def _keeps_apart(design: Callable[[Array], float], filters: dict[str, Array]) -> bool:
    """Whether a score tells the filters of every pair apart, by a margin."""
    score = {name: design(f) for name, f in filters.items()}
    margin = MARGIN * (max(score.values()) - min(score.values()))
    return all(score[a] - score[b] > margin for a, b, _ in PAIRS)


def smoothness_correlation(W: Any, image_shape: Any) -> Any:
    """Correlation of neighbours, the smaller of the two directions."""
    scores = []
    for k in range(W.shape[1]):
        picture = W[:, k].reshape(image_shape)
        down = np.corrcoef(picture[1:].ravel(), picture[:-1].ravel())[0, 1]
        right = np.corrcoef(picture[:, 1:].ravel(), picture[:, :-1].ravel())[0, 1]
        scores.append(min(down, right))
    return scores


def _averaged(function: Any) -> Any:
    return lambda *given: np.mean(function(*given))


SMOOTHNESS = Entry(
    "smoothness",
    reference.smoothness,
    smoothness_cases,
    variants={"correlation of neighbours": smoothness_correlation},
    mistakes=written(
        """
        roughness: 1 - sum  →  1 + sum
            It looks as if noisy filters get the higher score.
            Try: Higher means smoother: turn the sign round.
        size-counts: 4 * filters.var(axis=(1, 2))  →  4
            It looks as if the size of a filter's weights counts.
            Try: Divide by the filter's own variance: loud isn't rough.
        brightness-counts: filters.var(  →  np.square(filters).mean(
            It looks as if a filter's mean counts.
            Try: Take the mean away before you square: dark isn't smooth.
        contrast: sum(steps) / (4 * filters.var(axis=(1, 2)))  →  filters.std(axis=(1, 2))
            It looks as if the score is how much a filter's weights vary.
            Try: That is contrast, wherever the pixels stand. Compare neighbours.
        right-only: in (1, 2)  →  in (2,)
            It looks as if only neighbours in a row are compared.
            Try: Compare each pixel with the one to the right *and* the one below.
        down-only: in (1, 2)  →  in (1,)
            It looks as if only neighbours in a column are compared.
            Try: Compare each pixel with the one to the right *and* the one below.
        rows-taken: W.T  →  W
            It looks as if the filters are cut from W row by row.
            Try: Each *column* of W is a filter: take W[:, k], or W.T before reshaping.
        one-number:
            It looks as if one number comes back for all filters.
            Try: Return one score a filter: average over pixels, not over filters.
        """,
        wrap={"one-number": _averaged},
    ),
)
