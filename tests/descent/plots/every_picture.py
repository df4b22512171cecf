"""What holds of every picture of the course, written once for all units."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

import pytest
from descent.plots import style
from matplotlib.text import Text

Drawer = Callable[..., style.Picture]


@cache
def drawn(drawer: Drawer) -> style.Picture:
    """A picture with what it says by itself, drawn once."""
    return drawer()


class EveryPicture:
    """The tests of a unit's pictures: a test class says which they are.

    Attributes:
        pictures: what draws them, by name.
        own_words: a pattern of texts that come from the caller or are symbols.
    """

    pictures: Mapping[str, Drawer]
    own_words = "§"

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        metafunc.parametrize("name", self.pictures)

    def test_it_describes_itself(self, name: str) -> None:
        picture = drawn(self.pictures[name])
        assert len(picture.alt) > 40
        assert picture.alt.endswith(".")
        assert not re.search(r"[{}]|\bnan\b|\binf\b", picture.alt + picture.caption)
        assert len(picture.png()) > 5000

    def test_all_its_words_come_from_outside(
        self, name: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(style, "words", lambda english, own: dict.fromkeys(english, "§"))
        figure = self.pictures[name]().figure
        figure.draw_without_rendering()
        said = {text.get_text() for text in figure.findobj(Text) if text.get_visible()}
        allowed = re.compile(rf"[−\d.,e-]*|\$\\mathdefault\{{.*\}}\$|§( §)?|{self.own_words}")
        assert {text for text in said if not allowed.fullmatch(text)} == set()

    def test_unknown_words_are_refused(self, name: str) -> None:
        with pytest.raises(KeyError):
            self.pictures[name](text={"no such word": ""})
