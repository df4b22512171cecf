"""What nbgrader's preprocessors are spared must change nothing that they say."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from descent_autograder.core.nodes import to_node
from descent_autograder.gradebook.preprocessors import run
from nbgrader.nbgraderformat import ValidationError
from nbgrader.preprocessors import CheckCellMetadata


def test_metadata_that_was_sound_once_is_no_pass_for_other_metadata(released: Any) -> None:
    node = to_node(json.loads(released.file))
    check = [CheckCellMetadata()]
    run(check, node, {})
    known = next(cell for cell in node.cells if cell.metadata["nbgrader"]["grade"])
    for bad in ({"points": "2"}, {"grade": 1}, {"points": True}):
        with pytest.raises(ValidationError):
            run(check, _with(node, known, bad), {})
        with pytest.raises(ValidationError):
            run(check, _with(node, known, bad), {})
        run(check, node, {})


def _with(node: Any, cell: Any, metadata: dict[str, Any]) -> Any:
    changed = copy.deepcopy(node)
    changed.cells[node.cells.index(cell)].metadata["nbgrader"].update(metadata)
    return changed
