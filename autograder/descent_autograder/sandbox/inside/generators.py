"""numpy's random generators made anew from their states, each looked at whole before it is used.

numpy takes a state as it is given and reads the generator's own words at the position that the
state names, also where that lies outside them. A state that arrives from the other side would
otherwise show it this side's memory, drawn as random numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Check = Callable[[Any], bool]
Checks = Mapping[str, "Check | Checks"]


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
