"""The house style: pictures describe themselves, and all their words can be replaced."""

from __future__ import annotations

import subprocess
import sys

import pytest
from descent.plots import style


def small(alt: str = "A dot.", caption: str = "") -> style.Picture:
    with style.canvas(width=2, height=1) as (figure, ax):
        ax.plot([1], [1], marker="o")
    return style.Picture(figure, alt, caption)


def test_html_carries_the_description_and_escapes_it() -> None:
    html = small('Is 1 < 2? "Yes" & more', "<b>").html()
    assert 'alt="Is 1 &lt; 2? &quot;Yes&quot; &amp; more"' in html
    assert "<figcaption>&lt;b&gt;</figcaption>" in html


def test_notebooks_get_html_and_text() -> None:
    shown = small("A dot.", "It is blue.")._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"}
    assert shown["text/plain"] == "A dot.\nIt is blue."
    assert shown["text/html"].count("<img ") == 1


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


def test_slope_of_a_power_law() -> None:
    assert style.slope_of([1e-3, 1e-2, 1e-1], [3e-6, 3e-4, 3e-2]) == pytest.approx(2)


def test_pyplot_stays_out() -> None:
    """Figures of pyplot would be shown twice, and kept until somebody closes them."""
    code = "import sys, descent.plots.gradient_checks; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
