"""What makes our own processes start sooner."""

from __future__ import annotations

import sys


def skip_unused_checks() -> None:
    """Keep jsonschema from loading its IRI grammar, which takes a second and is never asked for.

    Only for processes that are ours alone: the check is one of optional formats, and jsonschema
    does without it where the package isn't installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
