"""The shell's shortcuts: they change nothing but the time."""

from __future__ import annotations

from tokenize import TokenInfo

import pytest
from descent_autograder.sandbox.inside.shell import _Transformers
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.inputtransformer2 import TokenTransformBase, TransformerManager

PIECES = ["%", "!", "?", ",", ";", "/", "=", "!=", "x", " ", "    ", "\n", "(", ")", '"', "#", "1"]
CELLS = [
    "x = 1",
    "%matplotlib inline\nx = 1",
    "files = !ls",
    "print?",
    "x = (1\n/ 2)",
    "/print 1 2",
    "if x != 1:\n    y = 7 % 2",
    ",print a b",
    "    ;print a b",
    "def f(x):\n    return x\n",
]


@pytest.mark.parametrize("cell", CELLS)
def test_magics_are_found_where_ipython_finds_them(cell: str) -> None:
    assert _Transformers().transform_cell(cell) == TransformerManager().transform_cell(cell)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_cells_of_any_characters_become_the_same(cell: str) -> None:
    try:
        expected = TransformerManager().transform_cell(cell)
    except SyntaxError:
        with pytest.raises(SyntaxError):
            _Transformers().transform_cell(cell)
    else:
        assert _Transformers().transform_cell(cell) == expected


def test_a_transformer_of_one_s_own_is_asked() -> None:
    class Shouting(TokenTransformBase):  # type: ignore[misc,unused-ignore]
        @classmethod
        def find(cls, tokens_by_line: list[list[TokenInfo]]) -> Shouting | None:
            name = tokens_by_line[0][0]
            return None if name.string.isupper() else cls(name.start)

        def transform(self, lines: list[str]) -> list[str]:
            return [line.upper() for line in lines]

    manager = _Transformers()
    manager.token_transformers = [*manager.token_transformers, Shouting]
    assert manager.transform_cell("x") == "X\n"
