"""Trainings on disk: written whole or not at all, and never mistaken for something else.

A checkpoint is a numpy `.npz` archive without pickles: the arrays, and one text in JSON that
says where in the tree of plain data each of them hangs. Reading one runs no foreign code.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from descent.atomic import write_whole

_FORMAT = "descent checkpoint 1"
_TREE = "tree"


class CheckpointError(ValueError):
    """The file is no checkpoint, or only a part of one; or the data can't be stored in one."""


@dataclass
class Checkpoint:
    """A training after `epoch` epochs, complete enough to go on as if nothing had happened.

    `params` and `running` are the network's, `states` maps each parameter to what its optimizer
    rule keeps, `history` is `History.as_plain()`, `generator` the state of the random generator
    at the epoch's end. `notes` is free for your own plain data, such as a trial's settings.
    """

    params: dict[str, Any]
    running: dict[str, Any] = field(default_factory=dict)
    epoch: int = 0
    states: dict[str, Any] = field(default_factory=dict)
    history: dict[str, Any] = field(default_factory=dict)
    learning_rate: float = 0.0
    generator: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> Path:
    """Write `checkpoint` to `path` so that no reader ever sees a half-written file.

    It is written under another name in the same folder, forced to disk, and renamed; when that
    fails an earlier file of that name is still there, whole. Raises CheckpointError for data
    that can't be stored (anything but None, bool, int, float, str, numpy arrays and numbers,
    and lists, tuples and dicts of these), and OSError when the disk refuses.
    """
    path = Path(path)
    arrays: dict[str, Any] = {}
    tree = _fold({item.name: getattr(checkpoint, item.name) for item in fields(Checkpoint)}, arrays)
    text = json.dumps({"format": _FORMAT, "tree": tree})
    arrays[_TREE] = np.frombuffer(text.encode(), np.uint8)
    write_whole(path, lambda file: np.savez(file, **arrays))
    return path


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read what `save_checkpoint` wrote.

    Raises CheckpointError when the file is anything else: cut short, damaged, or foreign.
    A missing file raises FileNotFoundError.
    """
    path = Path(path)
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        content = json.loads(arrays[_TREE].tobytes())
        if content["format"] != _FORMAT:
            raise ValueError(f"its format is {content['format']!r}")
        return Checkpoint(**_unfold(content["tree"], arrays))
    except (
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        IndexError,
        EOFError,
        MemoryError,
        NotImplementedError,
        RecursionError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise CheckpointError(f"{path.name} is not a whole checkpoint: {error}") from error


def _fold(value: Any, arrays: dict[str, Any]) -> Any:
    """`value` as JSON; arrays go to `arrays`, and a one-key object stands where they were."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.ndarray | np.generic) and not np.asarray(value).dtype.hasobject:
        name = f"array{len(arrays)}"
        arrays[name] = np.asarray(value)
        return {"array": name}
    if isinstance(value, list):
        return [_fold(item, arrays) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_fold(item, arrays) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[_fold(key, arrays), _fold(item, arrays)] for key, item in value.items()]}
    raise CheckpointError(f"a {type(value).__name__} can't be stored in a checkpoint")


def _unfold(folded: Any, arrays: dict[str, Any]) -> Any:
    if isinstance(folded, list):
        return [_unfold(item, arrays) for item in folded]
    if not isinstance(folded, dict):
        return folded
    ((kind, content),) = folded.items()
    if kind == "array":
        array = arrays[content]
        return array if array.ndim else array[()]
    if kind == "tuple":
        return tuple(_unfold(item, arrays) for item in content)
    return {_unfold(key, arrays): _unfold(item, arrays) for key, item in content}
