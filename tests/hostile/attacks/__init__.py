"""All attacks, by family."""

from ..attack import Attack
from . import (
    bombs,
    browser,
    channel,
    equal,
    files,
    judging,
    lingering,
    network,
    notebooks,
    reading,
    shell,
)

ATTACKS: list[Attack] = [
    attack
    for family in (
        judging,
        equal,
        shell,
        notebooks,
        reading,
        files,
        network,
        lingering,
        bombs,
        channel,
        browser,
    )
    for attack in family.ATTACKS
]
