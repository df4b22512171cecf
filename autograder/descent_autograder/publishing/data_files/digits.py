"""Makes `descent/data/digits.npz` from scikit-learn's copy of the UCI digits.

    python -m descent_autograder.publishing.data_files.digits

The division follows from the pictures themselves (each class in the order of its pictures'
SHA-256), so that making the file again, with any version of numpy, gives the same one.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from descent.data.bundled import TEST, TRAIN, VALIDATION
from numpy.typing import NDArray

TEST_PER_CLASS, VALIDATION_PER_CLASS = 40, 30


def digits_arrays() -> dict[str, NDArray[np.uint8]]:
    """`pixels (1797, 64)`, `labels (1797,)` and `part (1797,)`, all unsigned bytes."""
    from sklearn.datasets import load_digits

    source = load_digits()
    pixels, labels = source.data.astype(np.uint8), source.target.astype(np.uint8)
    return {"pixels": pixels, "labels": labels, "part": division(pixels, labels)}


def division(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The role of every picture, `(N,)`: 40 of each class for testing, 30 for validation."""
    part = np.full(len(labels), TRAIN, np.uint8)
    for label in np.unique(labels):
        order = sorted(np.flatnonzero(labels == label), key=lambda row: _digest(pixels[row]))
        part[order[:TEST_PER_CLASS]] = TEST
        part[order[TEST_PER_CLASS : TEST_PER_CLASS + VALIDATION_PER_CLASS]] = VALIDATION
    return part


def _digest(picture: NDArray[Any]) -> bytes:
    return hashlib.sha256(picture.tobytes()).digest()


def main() -> None:
    """Write the digits where the course reads them."""
    target = Path(str(files("descent.data") / "digits.npz"))
    np.savez_compressed(target, **digits_arrays())  # type: ignore[arg-type]
    print(f"{target.name}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
