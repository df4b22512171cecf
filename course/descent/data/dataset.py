"""One container for labelled data that has been divided into its three roles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, repr=False, eq=False)
class Dataset:
    """Training, validation and test examples of one classification problem.

    `X_*` are `(N, D)` floating point arrays with one example per row, `y_*` are `(N,)` integer
    labels in `0 … num_classes - 1`. `image_shape` says how a row is laid out when it is a
    picture, for instance `(8, 8)` or `(32, 32, 3)`, and is `None` when it isn't one.

    Train on the training set, choose by the validation set, and look at the test set once.
    """

    X_train: Array
    y_train: Array
    X_val: Array
    y_val: Array
    X_test: Array
    y_test: Array
    num_classes: int
    image_shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for part in ("train", "val", "test"):
            X, y = getattr(self, f"X_{part}"), getattr(self, f"y_{part}")
            if X.ndim != 2 or y.shape != (len(X),):
                raise ValueError(
                    f"X_{part} must be (N, D) and y_{part} (N,), not {X.shape} and {y.shape}"
                )

    @property
    def num_features(self) -> int:
        """Number of columns D of every `X_*`."""
        return int(self.X_train.shape[1])

    def subset(self, num_examples: int) -> Dataset:
        """The same problem with only the first `num_examples` training examples.

        Raises ValueError when there aren't that many.
        """
        if not 0 < num_examples <= len(self.X_train):
            raise ValueError(
                f"num_examples must be between 1 and {len(self.X_train)}, not {num_examples}"
            )
        return replace(
            self, X_train=self.X_train[:num_examples], y_train=self.y_train[:num_examples]
        )

    def __repr__(self) -> str:
        sizes = f"train={len(self.X_train)}, val={len(self.X_val)}, test={len(self.X_test)}"
        return f"Dataset({sizes}, features={self.num_features}, classes={self.num_classes})"


def split(
    X: Array,
    y: Array,
    rng: np.random.Generator,
    *,
    validation: float = 0.2,
    test: float = 0.2,
    image_shape: tuple[int, ...] | None = None,
) -> Dataset:
    """Shuffle `X (N, D)`, `y (N,)` and divide them into training, validation and test sets.

    `validation` and `test` are shares of N, rounded to whole examples. Raises ValueError when
    one of the three sets would be empty.
    """
    num_val, num_test = round(validation * len(X)), round(test * len(X))
    if min(num_val, num_test, len(X) - num_val - num_test) < 1:
        raise ValueError(
            f"shares of {validation} and {test} of {len(X)} examples leave a set empty"
        )
    order = rng.permutation(len(X))
    val, held_out, train = np.split(order, [num_val, num_val + num_test])
    return Dataset(
        X[train],
        y[train],
        X[val],
        y[val],
        X[held_out],
        y[held_out],
        num_classes=int(y.max()) + 1,
        image_shape=image_shape,
    )
