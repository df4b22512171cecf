"""numpy's random generators made anew from their states, each looked at whole before it is used.

numpy takes a state as it is given and reads the generator's own words at the position that the
state names, also where that lies outside them. A state that arrives from the other side would
otherwise show it this side's memory, drawn as random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any

import numpy as np

Check = Callable[[Any], bool]
Checks = Mapping[str, "Check | Checks"]


PACKED_SIZE = 37
"""How many bytes :func:`packed` gives."""
_WORD = 16
_HALVES = Struct("<BI")


class _Unseeded(np.random.bit_generator.ISpawnableSeedSequence):
    """Stands for the seed of a generator whose state is set at once: to hash one would be slow.

    The generator's children, if it is asked for any, are seeded by that state.
    """

    def __init__(self, state: int) -> None:
        self._state = state
        self._sequence: np.random.SeedSequence | None = None

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> Any:
        return np.zeros(n_words, dtype)

    def spawn(self, n_children: int) -> Any:
        self._sequence = self._sequence or np.random.SeedSequence(self._state)
        return self._sequence.spawn(n_children)


def packed(bits: np.random.PCG64) -> bytes:
    """Return the state of numpy's customary bit generator, in `PACKED_SIZE` bytes."""
    state: Any = bits.state
    inner = state["state"]
    return b"".join(
        (
            inner["state"].to_bytes(_WORD, "little"),
            inner["inc"].to_bytes(_WORD, "little"),
            _HALVES.pack(state["has_uint32"], state["uinteger"]),
        )
    )


def unpacked(data: bytes) -> np.random.Generator:
    """Return a generator in a packed state; raises ValueError when it is none."""
    if len(data) != PACKED_SIZE:
        raise ValueError("a random generator's state that is cut short")
    state = int.from_bytes(data[:_WORD], "little")
    inc = int.from_bytes(data[_WORD : 2 * _WORD], "little")
    has, half = _HALVES.unpack_from(data, 2 * _WORD)
    if not inc % 2 or has > 1:
        raise ValueError("a random generator's state that is none")
    unseeded: Any = _Unseeded(state)
    bits = np.random.PCG64(unseeded)
    bits.state = {
        "bit_generator": "PCG64",
        "state": {"state": state, "inc": inc},
        "has_uint32": has,
        "uinteger": half,
    }
    return np.random.Generator(bits)


def generator(state: Any) -> np.random.Generator:
    """Return a generator in this state; raises ValueError when it is none."""
    return np.random.Generator(_bit_generator(state, {}))


def random_state(state: Any) -> np.random.RandomState:
    """Return a legacy generator in this state; raises ValueError when it is none."""
    legacy = np.random.RandomState(_bit_generator(state, _OF_GAUSS))
    legacy.set_state(state)
    return legacy


def can_travel(state: Any, legacy: bool = False) -> bool:
    """Return whether the other side will take this state."""
    return _checked(state, _checks_of(state, _OF_GAUSS if legacy else {}))


def _bit_generator(state: Any, more: Checks) -> Any:
    checks = _checks_of(state, more)
    if not _checked(state, checks):
        raise ValueError("a random generator's state that is none")
    bits: Any = getattr(np.random, state["bit_generator"])(0)
    bits.state = {name: state[name] for name in checks if name not in more}
    return bits


def _checks_of(state: Any, more: Checks) -> Checks:
    name = state.get("bit_generator") if type(state) is dict else None
    # RandomState takes no state but the Mersenne twister's.
    known = type(name) is str and name in (_LEGACY if more else _CHECKS)
    return {"bit_generator": _any, **_CHECKS[str(name)], **more} if known else {}


def _checked(state: Any, checks: Checks) -> bool:
    """Return whether a dictionary holds exactly what is to be checked, each of its kind."""
    if type(state) is not dict or not checks or state.keys() != checks.keys():
        return False
    return all(
        check(state[name]) if callable(check) else _checked(state[name], check)
        for name, check in checks.items()
    )


def _any(value: Any) -> bool:
    return True


def _below(end: int) -> Check:
    """Accept an integer from 0 up to but not including ``end``."""
    return lambda value: type(value) is int and 0 <= value < end


def _words(count: int, dtype: type[np.generic]) -> Check:
    """Accept an array of so many words."""
    return lambda value: (
        type(value) is np.ndarray and value.dtype == np.dtype(dtype) and value.shape == (count,)
    )


def _odd(value: Any) -> bool:
    return _below(1 << 128)(value) and bool(value % 2)


_HALF: Checks = {"has_uint32": _below(2), "uinteger": _below(1 << 32)}
_PCG: Checks = {"state": {"state": _below(1 << 128), "inc": _odd}, **_HALF}
_CHECKS: Mapping[str, Checks] = {
    "PCG64": _PCG,
    "PCG64DXSM": _PCG,
    "MT19937": {"state": {"key": _words(624, np.uint32), "pos": _below(624 + 1)}},
    "Philox": {
        "state": {"counter": _words(4, np.uint64), "key": _words(2, np.uint64)},
        "buffer": _words(4, np.uint64),
        "buffer_pos": _below(4 + 1),
        **_HALF,
    },
    "SFC64": {"state": {"state": _words(4, np.uint64)}, **_HALF},
}
_LEGACY = ("MT19937",)
_OF_GAUSS: Checks = {"has_gauss": _below(2), "gauss": lambda value: type(value) is float}
