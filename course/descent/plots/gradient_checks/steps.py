"""Pictures of the difference formulas and of the step size h."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from descent.plots import style
from descent.plots.gradient_checks import networks
from descent.plots.style import Picture

Scalar = Callable[..., float]

# The demos draw the two differences in the same way.
_LOOKS = {
    "centred": style.LINES[0],
    "forward": style.LINES[1],
    "complex": style.LINES[2],
    "exact": style.LINES[2],
}

_CHORDS = {
    "function": "f",
    "tangent": "tangent: the true slope {exact:.3f}",
    "forward": "forward: {forward:.3f}",
    "centred": "centred: {centred:.3f}",
    "x": "x",
    "y": "f(x)",
    "alt": (
        "A curve with its tangent and two chords. The forward chord, from x to x + h, has slope "
        "{forward:.3f}; the centred chord, from x − h to "
        "x + h, has slope {centred:.3f}, which is nearer to that of the tangent, {exact:.3f}."
    ),
    "caption": (
        "True slope {exact:.4f}. Forward {forward:.4f}, off by {forward_error:.4f}; "
        "centred {centred:.4f}, off by {centred_error:.4f}."
    ),
}


def chords(
    f: Scalar, df: Scalar, x: float, h: float = 1.0, *, text: Mapping[str, str] | None = None
) -> Picture:
    """The tangent at ``x`` beside the chords of the forward and of the centred difference.

    Args:
        f, df: a function of one number and its derivative; ``f`` also takes arrays.
        x: where.
        h: the step, large enough to be seen.
        text: words that replace the English ones, key by key.
    """
    text = style.words(_CHORDS, text)
    slopes = {
        "exact": float(df(x)),
        "forward": float(f(x + h) - f(x)) / h,
        "centred": float(f(x + h) - f(x - h)) / (2 * h),
    }
    errors = {f"{name}_error": abs(slopes[name] - slopes["exact"]) for name in list(slopes)[1:]}
    ends = {"exact": (x, x), "forward": (x, x + h), "centred": (x - h, x + h)}
    with style.canvas() as (figure, ax):
        grid = np.linspace(x - 1.8 * h, x + 1.8 * h, 200)
        ax.plot(grid, f(grid), color=style.GREY, linewidth=3, alpha=0.6, label=text["function"])
        keys = {"exact": "tangent", "forward": "forward", "centred": "centred"}
        for name, (left, right) in ends.items():
            look = _LOOKS[name]
            line = f(left) + slopes[name] * (grid - left)
            ax.plot(grid, line, **{**look, "marker": ""}, label=text[keys[name]].format(**slopes))
            ax.plot([left, right], [f(left), f(right)], **{**look, "linestyle": ""}, markersize=7)
        ax.set(xlabel=text["x"], ylabel=text["y"])
        ax.legend()
    return style.picture(figure, text, {**slopes, **errors})


_TAYLOR = {
    "plus": "f(x+h) − f(x)",
    "minus": "f(x) − f(x−h)",
    "average": "their average",
    "first": "h f′, what we want",
    "second": "h² f″ / 2",
    "third": "h³ f‴ / 6",
    "x": "size of the term, for f = exp at x = 0 and h = {h:g}",
    "alt": (
        "Three rows of bars, one bar per Taylor term. Looking forward the second term is "
        "+{second:.3f}, looking backward it is −{second:.3f}, in the average it is zero: the two "
        "cancel. The first term {first:.3f} and the third {third:.4f} are the same in all rows."
    ),
    "caption": (
        "The h² term has opposite signs ahead and behind, so it cancels in the average; the "
        "h³ term stays. Divided by h, that leaves an error of order h², not h."
    ),
}


def taylor_terms(h: float = 0.5, *, text: Mapping[str, str] | None = None) -> Picture:
    """The Taylor terms of a step forward, a step backward, and their average, for f = exp at 0."""
    text = style.words(_TAYLOR, text)
    terms = {"first": h, "second": h**2 / 2, "third": h**3 / 6}
    signs = {"plus": (1, 1, 1), "minus": (1, -1, 1), "average": (1, 0, 1)}
    hatches = ("", "//", "..")
    with style.canvas(height=3.0) as (figure, ax):
        for row, (name, sign) in enumerate(signs.items()):
            for column, (term, size) in enumerate(terms.items()):
                color = style.LINES[column]["color"]
                place = row + 0.26 * (column - 1)
                label = text[term] if row == 0 else None
                ax.barh(
                    place,
                    sign[column] * size,
                    0.24,
                    color=color,
                    hatch=hatches[column],
                    edgecolor="white",
                    label=label,
                )
                if sign[column] == 0:
                    ax.plot(0, place, marker="x", color=color, markersize=9, markeredgewidth=2.5)
            ax.text(-0.14, row, text[name], transform=ax.get_yaxis_transform(), ha="center")
        ax.axvline(0, color=style.BLACK, linewidth=0.8)
        ax.set(yticks=[], ylim=(2.5, -0.5), xlabel=text["x"].format(h=h))
        ax.grid(visible=False, axis="y")
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return style.picture(figure, text, terms)


_ERROR = {
    "forward": "forward, slope {forward_slope:.2f}",
    "centred": "centred, slope {centred_slope:.2f}",
    "complex": "complex step",
    "x": "step h",
    "y": "relative error",
    "wrong": "wrong",
    "uncomfortable": "uncom-\nfortable",
    "happy": "happy",
    "alt": (
        "Relative error against the step h, both axes logarithmic. Forward and centred "
        "differences draw a V each: from right to left the forward error falls with slope "
        "{forward_slope:.2f} to {forward_best:.0e} near h = {forward_step:.0e}, the centred "
        "one with slope {centred_slope:.2f} to {centred_best:.0e} near h = {centred_step:.0e}; "
        "then both rise again. The complex step stays flat at rounding error once h is small."
    ),
    "caption": (
        "Best forward error {forward_best:.1e} at h = {forward_step:.0e}; best centred error "
        "{centred_best:.1e} at h = {centred_step:.0e}; at h = 1e-15 the centred error is "
        "{centred_tiny:.1e}. Complex step, for every h up to 1e-8: {complex_worst:.1e} or less."
    ),
}


def error_against_step(
    f: Scalar, df: Scalar, x: float, *, text: Mapping[str, str] | None = None
) -> Picture:
    """Relative error of forward difference, centred difference and complex step, over h.

    Args:
        f, df: a smooth function of one number and its derivative; ``f`` also takes arrays and
            complex numbers.
        x: where; the derivative there is not zero.
        text: words that replace the English ones, key by key.

    The slopes are fitted where h is large enough for truncation to rule.  Errors of exactly zero
    are drawn at 1e-17, below the spacing of float64.
    """
    text = style.words(_ERROR, text)
    steps = np.logspace(-15, -0.5, 59)
    exact = df(x)
    estimates = {
        "forward": (f(x + steps) - f(x)) / steps,
        "centred": (f(x + steps) - f(x - steps)) / (2 * steps),
        "complex": f(x + 1j * steps).imag / steps,
    }
    errors = {
        name: np.maximum(np.abs(slope - exact) / np.maximum(np.abs(slope), abs(exact)), 1e-17)
        for name, slope in estimates.items()
    }
    numbers = {f"{name}_best": float(error.min()) for name, error in errors.items()}
    numbers |= {f"{name}_step": float(steps[error.argmin()]) for name, error in errors.items()}
    ruled = (steps > 10**-3.5) & (steps < 10**-1.5)
    for name in ("forward", "centred"):
        numbers[f"{name}_slope"] = style.slope_of(steps[ruled], errors[name][ruled])
    numbers["centred_tiny"] = float(errors["centred"][0])
    numbers["complex_worst"] = float(errors["complex"][steps < 1.01e-8].max())
    with style.canvas(height=4.0) as (figure, ax):
        for name, error in errors.items():
            label = text[name].format(**numbers)
            ax.loglog(steps, error, **_LOOKS[name], markevery=4, label=label)
        ax.set(xlabel=text["x"], ylabel=text["y"])
        style.threshold_bands(ax, text)
        ax.legend(loc="lower right")
    return style.picture(figure, text, numbers)


_PRECISION = {
    "single": "float32",
    "double": "float64",
    "x": "step h",
    "y": "largest relative error",
    "wrong": "wrong",
    "uncomfortable": "uncom-\nfortable",
    "happy": "happy",
    "alt": (
        "The largest relative error of a correct gradient of one small tanh network against the "
        "step h, in float32 and float64. At h = 1e-5 float32 gives {single_usual:.0e}, which "
        "reads as wrong, and float64 {double_usual:.0e}. Float32 never gets below "
        "{single_best:.0e}; float64 reaches {double_best:.0e}."
    ),
    "caption": (
        "Same network, same correct gradient. At h = 1e-5: float32 {single_usual:.1e}, float64 "
        "{double_usual:.1e}. At the best h of each: {single_best:.1e} and {double_best:.1e}."
    ),
}


def precision(*, text: Mapping[str, str] | None = None) -> Picture:
    """The largest relative error of one correct gradient over h, in float32 and in float64."""
    text = style.words(_PRECISION, text)
    rng = np.random.default_rng(0)
    network = networks.random_network(rng, batch=3)
    point = 0.5 * rng.standard_normal(network.size)
    exact = networks.exact_slopes(network.loss, point)
    steps = np.logspace(-8, -1, 29)
    numbers: dict[str, float] = {}
    with style.canvas() as (figure, ax):
        kinds = (("single", np.float32), ("double", np.float64))
        for (name, dtype), look in zip(kinds, style.LINES, strict=False):
            loss, start = network.astype(dtype).loss, point.astype(dtype)
            errors = [
                networks.disagreement(exact, networks.measured_slopes(loss, start, h)).max()
                for h in steps
            ]
            ax.loglog(steps, errors, **look, markevery=4, label=text[name])
            numbers[f"{name}_usual"] = errors[int(np.argmin(np.abs(np.log10(steps) + 5)))]
            numbers[f"{name}_best"] = min(errors)
        ax.set(xlabel=text["x"], ylabel=text["y"], ylim=(1e-10, 4.0))
        style.threshold_bands(ax, text)
        ax.legend(loc="lower left")
    return style.picture(figure, text, numbers)


_YOURS = {
    "line": "{name}, slope {slope:z.2f}",
    "x": "step h",
    "y": "relative error",
    "wrong": "wrong",
    "uncomfortable": "uncom-\nfortable",
    "happy": "happy",
    "alt": "Relative error of your difference functions for exp at 0.5, against the step h.",
    "measured": "{name} has slope {slope:z.2f}.",
    "missing": "{name} isn't there yet.",
    "failed": "{name} raises {error}.",
}


def your_errors(*differences: Callable[..., Any], text: Mapping[str, str] | None = None) -> Picture:
    """The error of your own difference functions over the step, for exp at 0.5.

    Args:
        differences: functions ``(f, x, h)`` as in the assignment; their names label the lines.
        text: words that replace the English ones, key by key.

    A function that isn't written yet, or that raises, is named in the caption instead of drawn.
    """
    text = style.words(_YOURS, text)
    steps = np.logspace(-12, -1, 45)
    ruled = steps > 10**-3.5
    notes, numbers, lines = [], {}, []
    for difference, look in zip(differences, (style.LINES[1], style.LINES[0]), strict=False):
        name = difference.__name__
        try:
            slopes = np.array([float(difference(np.exp, 0.5, h)) for h in steps])
        except NotImplementedError:
            notes.append(text["missing"].format(name=name))
            continue
        except Exception as error:
            notes.append(text["failed"].format(name=name, error=type(error).__name__))
            continue
        errors = networks.disagreement(np.exp(0.5), slopes)
        numbers[name] = style.slope_of(steps[ruled], errors[ruled])
        words = {"name": name, "slope": numbers[name]}
        lines.append((errors, {**look, "label": text["line"].format(**words)}))
        notes.append(text["measured"].format(**words))

    def draw() -> Figure:
        with style.canvas() as (figure, ax):
            for errors, look in lines:
                ax.loglog(steps, errors, **look, markevery=4)
            ax.set(xlabel=text["x"], ylabel=text["y"], xscale="log", yscale="log")
            ax.set(xlim=(5e-13, 0.2), ylim=(1e-14, 4))
            style.threshold_bands(ax, text)
            if lines:
                ax.legend(loc="lower left")
        return figure

    return Picture(draw, " ".join([text["alt"], *notes]), " ".join(notes), numbers)
