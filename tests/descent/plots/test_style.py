"""The house style: pictures describe themselves, and all their words can be replaced."""

from __future__ import annotations

import subprocess
import sys

import pytest
from descent.plots import style


def small(alt: str = "A dot.", caption: str = "") -> style.Picture:
    with style.canvas(width=2, height=1) as (figure, ax):
        ax.plot([1], [1], marker="o")
    return style.Picture(lambda: figure, alt, caption)


def test_html_carries_the_description_and_escapes_it() -> None:
    html = small('Is 1 < 2? "Yes" & more', "<b>").html()
    assert 'alt="Is 1 &lt; 2? &quot;Yes&quot; &amp; more"' in html
    assert "<figcaption>&lt;b&gt;</figcaption>" in html


def test_notebooks_get_html_and_text() -> None:
    shown = small("A dot.", "It is blue.")._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/plain"] == "A dot.\nIt is blue."
    assert shown["text/html"].count("<img ") == 1


def test_a_graded_notebook_gets_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    shown = small("A dot.", "It is blue.")._repr_mimebundle_()
    assert shown == {"text/plain": "A dot.\nIt is blue."}


def test_png_is_a_png_twice_as_fine_as_shown() -> None:
    png = small().png()
    assert png.startswith(b"\x89PNG")
    width = int.from_bytes(png[16:20], "big")
    assert width == 320
    assert 'width="200"' in small().html()


def test_lines_differ_without_colour() -> None:
    assert len({str(look["linestyle"]) for look in style.LINES}) == len(style.LINES)
    assert len({look["marker"] for look in style.LINES}) == len(style.LINES)
    assert len({look["color"] for look in style.LINES}) == len(style.LINES)


def test_words_are_replaced_key_by_key() -> None:
    assert style.words({"x": "step", "y": "error"}, {"y": "Fehler"}) == {"x": "step", "y": "Fehler"}
    assert style.words({"x": "step"}, None) == {"x": "step"}
    with pytest.raises(KeyError, match="no words for"):
        style.words({"x": "step"}, {"z": "?"})


def test_numbers_are_written_as_the_course_writes_them() -> None:
    text = {"alt": "From {a:.0e} to {b:.1e} and {c:.0e}.", "caption": "{a:.2f}"}
    with style.canvas() as (figure, _):
        pass
    picture = style.picture(figure, text, {"a": 1e-5, "b": 2.5e-12, "c": 1e5})
    assert picture.alt == "From 1e-5 to 2.5e-12 and 1e5."
    assert picture.caption == "0.00"
    assert picture.numbers == {"a": 1e-5, "b": 2.5e-12, "c": 1e5}


def test_shares_and_negative_numbers_are_written_as_in_prose() -> None:
    text = "{share:.0 %} of 1e-5 … {many:.1 %}, slope {slope:.2f}, x = {x:.0e}, unit-1"
    said = style.filled(text, {"share": 0.99, "many": 0.0123, "slope": -0.52, "x": -1e-6})
    assert said == "99 % of 1e-5 … 1.2 %, slope −0.52, x = −1e-6, unit-1"


def zones(*, has_kinks: bool) -> dict[str, tuple[float, float]]:
    """Where each named band lies, on an axis from 1e-9 to 1."""
    text = {name: name for name in ("wrong", "uncomfortable", "okay", "happy")}
    with style.canvas() as (figure, ax):
        ax.set(yscale="log", ylim=(1e-9, 1.0))
        style.threshold_bands(ax, text, has_kinks=has_kinks)
        figure.draw_without_rendering()
    boxes = [band.get_extents().transformed(ax.transData.inverted()) for band in ax.patches]
    heights = {label.get_text(): label.get_position()[1] for label in ax.texts}
    return {
        name: next((box.y0, box.y1) for box in boxes if box.y0 < height < box.y1)
        for name, height in heights.items()
    }


def test_bands_say_what_the_verdict_says() -> None:
    """Every relative error lies in a named band, and the name is the verdict's."""
    smooth, kinked = zones(has_kinks=False), zones(has_kinks=True)
    assert smooth["uncomfortable"] == pytest.approx((1e-7, 1e-2))
    assert kinked["uncomfortable"] == pytest.approx((1e-4, 1e-2))
    assert kinked["okay"] == pytest.approx((1e-7, 1e-4))
    assert smooth["happy"] == kinked["happy"] == pytest.approx((1e-9, 1e-7))
    assert "okay" not in smooth


def test_slope_of_a_power_law() -> None:
    assert style.slope_of([1e-3, 1e-2, 1e-1], [3e-6, 3e-4, 3e-2]) == pytest.approx(2)


def test_pyplot_stays_out() -> None:
    """Figures of pyplot would be shown twice, and kept until somebody closes them."""
    code = "import sys, descent.plots.gradient_checks; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
