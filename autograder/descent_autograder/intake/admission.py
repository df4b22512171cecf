"""A submitted notebook on its way in: mended, and made a node that tells what was done to it."""

from __future__ import annotations

from typing import Any

from descent_autograder.core.assignment import ReleasedNotebook
from descent_autograder.core.nodes import add_notice, to_node
from descent_autograder.intake.mending import Mended, mend, refused


def admit(
    raw: bytes | None, release: ReleasedNotebook, refusal: str | None = None
) -> tuple[Any, Mended]:
    """Mend a submitted notebook, or put the released one in the place of one that can't be read.

    Args:
        raw: the submitted file; None when `refusal` says why there is none.
        release: what was released.
        refusal: the reason that the folder gave.

    Returns:
        The notebook, ready for the sanitising preprocessors, and what was done to it.
    """
    if raw is None:
        mended = refused(release, refusal or f"{release.notebook}.ipynb is missing")
    else:
        mended = mend(raw, release)
    node = to_node(mended.notebook)
    add_notice(node, mended.remarks, mended.refusal)
    return node, mended
