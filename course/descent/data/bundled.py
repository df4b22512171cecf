"""The data set that comes with the course: small handwritten digits, no network needed."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import DTypeLike

from .dataset import Dataset

TRAIN, VALIDATION, TEST = 0, 1, 2


def digits(*, center: bool = False, dtype: DTypeLike = np.float64) -> Dataset:
    """1,797 handwritten digits of 8 × 8 pixels: 1,097 to train, 300 to validate, 400 to test.

    The stored pixels are integers 0 … 16; `X_*` holds them divided by 16, so that they lie in
    [0, 1]. With `center=True` the mean image *of the training set* is subtracted from all three
    sets. The validation set has 30 and the test set 40 examples of each of the ten digits; the
    division is stored in the file, so it is the same everywhere and for ever.

    A few border pixels are 0 in every picture: a weight attached to them never learns.

    Source: scikit-learn's copy of the test set of "Optical Recognition of Handwritten Digits"
    (E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998), CC BY 4.0; see
    `digits-licence.md` beside this module.
    """
    with (files(__package__) / "digits.npz").open("rb") as file, np.load(file) as stored:
        pixels, labels, part = stored["pixels"], stored["labels"], stored["part"]
    X = pixels.astype(dtype) / np.asarray(16, dtype)
    y = labels.astype(np.int64)
    if center:
        X -= X[part == TRAIN].mean(axis=0)
    train, val, test = (part == role for role in (TRAIN, VALIDATION, TEST))
    return Dataset(
        X[train], y[train], X[val], y[val], X[test], y[test], num_classes=10, image_shape=(8, 8)
    )
