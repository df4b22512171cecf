"""MNIST and CIFAR-10 for those who are online: downloaded once, checked, kept in a cache.

Needs the library pooch: `pip install "descent[download]"`. No lesson, question or test of the
course needs these data; the bundled `digits()` stand in everywhere.
"""

from __future__ import annotations

import gzip
import logging
import os
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from descent.progress_bar import ProgressBar

from .dataset import Dataset

Bytes = NDArray[np.uint8]

CIFAR10_URL = "https://www.cs.toronto.edu/~kriz/"
CIFAR10_MD5 = {"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"}
MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist/"
MNIST_MD5 = {
    "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
    "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
    "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
}
_CIFAR10_RECORD = 1 + 3 * 32 * 32
_IDX_IMAGES, _IDX_LABELS = 0x803, 0x801


class DownloadError(OSError):
    """A file couldn't be had, or isn't the right one; the message says which and why."""


def cifar10(
    *,
    num_validation: int = 5000,
    dtype: DTypeLike = np.float32,
    cache: str | os.PathLike[str] | None = None,
    base_url: str = CIFAR10_URL,
    checksums: Mapping[str, str] = CIFAR10_MD5,
    progress: bool = True,
) -> Dataset:
    """CIFAR-10: 60,000 colour pictures of 32 × 32 pixels in ten classes; downloads 162 MB once.

    `X_*` are `(N, 3072)` in [0, 1], laid out as `(32, 32, 3)`. The last `num_validation` of the
    50,000 training pictures are the validation set. Files are kept in `cache` (by default a
    folder of your user's) and looked up there first; `base_url` names another server, and
    `checksums` the MD5 sums of its files.

    The binary edition is read: the Python one holds pickles, which can run foreign code.
    Raises DownloadError when a file can't be had whole, ModuleNotFoundError without pooch.

    Source: A. Krizhevsky (2009), "Learning Multiple Layers of Features from Tiny Images".
    """
    (name,) = checksums
    path = _fetch(name, checksums[name], base_url, cache, progress)
    train: list[Bytes] = []
    test: list[Bytes] = []
    with tarfile.open(path, "r:gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            if member.isfile() and member.name.endswith(".bin"):
                part = test if member.name.endswith("test_batch.bin") else train
                part.append(_cifar10_records(archive.extractfile(member), member.name))
    if not train or not test:
        raise DownloadError(f"{name} holds no CIFAR-10 batches")
    return _dataset(*_pictures(train), *_pictures(test), (32, 32, 3), num_validation, dtype)


def mnist(
    *,
    num_validation: int = 5000,
    dtype: DTypeLike = np.float32,
    cache: str | os.PathLike[str] | None = None,
    base_url: str = MNIST_URL,
    checksums: Mapping[str, str] = MNIST_MD5,
    progress: bool = True,
) -> Dataset:
    """MNIST: 70,000 grey handwritten digits of 28 × 28 pixels; downloads 12 MB once.

    `X_*` are `(N, 784)` in [0, 1], laid out as `(28, 28)`. The last `num_validation` of the
    60,000 training pictures are the validation set. The other arguments and the errors are
    those of `cifar10`.

    Source: Y. LeCun, C. Cortes and C. Burges (1998), "The MNIST database".
    """
    X, y, X_test, y_test = (
        _idx(_fetch(name, md5, base_url, cache, progress)) for name, md5 in checksums.items()
    )
    shape = X.shape[1], X.shape[2]
    flat = X.reshape(len(X), -1), y, X_test.reshape(len(X_test), -1), y_test
    return _dataset(*flat, shape, num_validation, dtype)


def _cifar10_records(file: IO[bytes] | None, name: str) -> Bytes:
    content = np.frombuffer(b"" if file is None else file.read(), np.uint8)
    if content.size == 0 or content.size % _CIFAR10_RECORD:
        raise DownloadError(f"{name} is not a whole number of CIFAR-10 pictures")
    return content.reshape(-1, _CIFAR10_RECORD)


def _pictures(batches: list[Bytes]) -> tuple[Bytes, Bytes]:
    records = np.concatenate(batches)
    # Stored colour by colour; pictures are drawn with the colours of a pixel side by side.
    planes = records[:, 1:].reshape(-1, 3, 32 * 32)
    return planes.swapaxes(1, 2).reshape(len(records), -1), records[:, 0]


def _idx(path: Path) -> Bytes:
    """An IDX file's images `(N, height, width)` or labels `(N,)`."""
    with gzip.open(path) as file:
        content = file.read()
    kind = int.from_bytes(content[:4], "big")
    rank = {_IDX_IMAGES: 3, _IDX_LABELS: 1}.get(kind, 0)
    shape = tuple(int(size) for size in np.frombuffer(content[4 : 4 + 4 * rank], ">u4"))
    body = np.frombuffer(content[4 + 4 * rank :], np.uint8)
    if rank == 0 or body.size != np.prod(shape):
        raise DownloadError(f"{path.name} is not a whole MNIST file")
    return body.reshape(shape)


def _dataset(
    X: Bytes,
    y: Bytes,
    X_test: Bytes,
    y_test: Bytes,
    image_shape: tuple[int, ...],
    num_validation: int,
    dtype: DTypeLike,
) -> Dataset:
    if not 0 < num_validation < len(X):
        raise ValueError(f"num_validation must be between 1 and {len(X) - 1}")

    def scaled(pixels: Bytes) -> NDArray[Any]:
        values = pixels.astype(dtype)
        values /= 255
        return values

    kept = len(X) - num_validation
    y, y_test = y.astype(np.int64), y_test.astype(np.int64)
    return Dataset(
        scaled(X[:kept]),
        y[:kept],
        scaled(X[kept:]),
        y[kept:],
        scaled(X_test),
        y_test,
        num_classes=10,
        image_shape=image_shape,
    )


def _fetch(
    name: str, md5: str, base_url: str, cache: str | os.PathLike[str] | None, progress: bool
) -> Path:
    """The file's path in the cache, downloaded and checked unless a right one is there."""
    try:
        import pooch
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            'downloading needs pooch: pip install "descent[download]"', name="pooch"
        ) from error

    url = f"{base_url.rstrip('/')}/{name}"
    folder = pooch.os_cache("descent") if cache is None else Path(cache)
    pooch.get_logger().setLevel(logging.WARNING)
    with _Progress(name, enabled=progress) as bar:
        try:
            path = pooch.retrieve(
                url,
                known_hash=f"md5:{md5}",
                fname=name,
                path=folder,
                downloader=pooch.HTTPDownloader(progressbar=bar, timeout=30),
            )
        except OSError as error:
            if error.errno is not None:  # the disk's trouble; the network's carries no number
                raise
            raise DownloadError(_trouble(error, url, begun=bar.begun)) from error
        except ValueError as error:
            raise DownloadError(
                f"{url} is damaged or another file: its checksum isn't {md5}"
            ) from error
    return Path(path)


def _trouble(error: OSError, url: str, *, begun: bool) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"the server answered {response.status_code} for {url}"
    if begun:
        return f"the download of {url} broke off; try again"
    return f"can't reach {url}: are you online? (digits() needs no network)"


class _Progress:
    """The course's progress bar, spoken to as pooch speaks to one; counts in whole MB."""

    def __init__(self, name: str, *, enabled: bool) -> None:
        self.name, self.enabled = name, enabled
        self.total = 0
        self._done = 0
        self._bar: ProgressBar | None = None

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.__exit__()

    @property
    def begun(self) -> bool:
        """Whether any byte has arrived."""
        return self._bar is not None

    def update(self, num_bytes: int) -> None:
        if self._bar is None:
            self._bar = ProgressBar(
                max(1, self.total // 10**6), f"{self.name} (MB)", enabled=self.enabled
            )
        self._done = min(self._done + num_bytes, self.total)
        self._bar.show(self._done // 10**6)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        """Nothing to do: leaving the context ends the bar."""
