"""The download loaders against a server of our own: right files, and everything that can fail."""

import gzip
import hashlib
import io
import re
import socket
import subprocess
import sys
import tarfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import metadata
from typing import ClassVar

import numpy as np
import pytest
from descent.data.online import (
    CIFAR10_MD5,
    CIFAR10_URL,
    MNIST_MD5,
    MNIST_URL,
    DownloadError,
    cifar10,
    mnist,
)

RECORDS = 6


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder, counts requests, and breaks off halfway below `/cut/`."""

    asked: ClassVar[list[str]] = []

    def do_GET(self):
        self.asked.append(self.path)
        if not self.path.startswith("/cut/"):
            return super().do_GET()
        self.path = self.path.removeprefix("/cut")
        with open(self.translate_path(self.path), "rb") as file:
            content = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2])
        return None

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    write_cifar10(folder / "cifar-10-binary.tar.gz")
    write_mnist(folder)
    return folder


@pytest.fixture(scope="module")
def server(folder):
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder)) as httpd:
        thread = threading.Thread(target=httpd.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture(autouse=True)
def _forget_requests():
    Handler.asked.clear()


def pictures(label):
    """Six records whose first pixel tells batch and row, whose colours differ."""
    rng = np.random.default_rng(label)
    records = rng.integers(0, 256, (RECORDS, 3073), dtype=np.uint8)
    records[:, 0] = np.arange(RECORDS)
    records[:, 1] = label
    return records


def write_cifar10(path, spoil=lambda content: content):
    with tarfile.open(path, "w:gz") as archive:
        for label, name in enumerate([*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]):
            content = spoil(pictures(label).tobytes())
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}.bin")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        note = tarfile.TarInfo("cifar-10-batches-bin/readme.html")
        archive.addfile(note)


def write_mnist(folder, spoil=lambda content: content):
    rng = np.random.default_rng(0)
    for name in MNIST_MD5:
        count = 20 if name.startswith("train") else 8
        if "images" in name:
            content = np.array([0x803, count, 28, 28], ">u4").tobytes()
            content += rng.integers(0, 256, (count, 784), dtype=np.uint8).tobytes()
        else:
            content = np.array([0x801, count], ">u4").tobytes()
            content += (np.arange(count) % 10).astype(np.uint8).tobytes()
        (folder / name).write_bytes(gzip.compress(spoil(content)))


def sums(folder, names):
    return {name: hashlib.md5((folder / name).read_bytes()).hexdigest() for name in names}


def get_cifar10(folder, server, cache, **settings):
    return cifar10(
        base_url=server, checksums=sums(folder, CIFAR10_MD5), cache=cache, num_validation=4,
        **settings,
    )  # fmt: skip


def get_mnist(folder, server, cache, **settings):
    return mnist(
        base_url=server, checksums=sums(folder, MNIST_MD5), cache=cache, num_validation=5,
        **settings,
    )  # fmt: skip


def test_cifar10_is_read_picture_by_picture(folder, server, tmp_path):
    data = get_cifar10(folder, server, tmp_path)
    assert [len(data.y_train), len(data.y_val), len(data.y_test)] == [26, 4, 6]
    assert (data.image_shape, data.X_train.dtype) == ((32, 32, 3), np.float32)
    assert data.y_train[:8].tolist() == [0, 1, 2, 3, 4, 5, 0, 1]
    picture = data.X_train[7].reshape(32, 32, 3)
    planes = pictures(1)[1, 1:].reshape(3, 32, 32) / 255
    for color in range(3):
        np.testing.assert_allclose(picture[:, :, color], planes[color], rtol=1e-6)
    np.testing.assert_allclose(data.X_test[0, 0], 5 / 255, rtol=1e-6)


def test_mnist_is_read_picture_by_picture(folder, server, tmp_path):
    data = get_mnist(folder, server, tmp_path, dtype=np.float64)
    assert [len(data.y_train), len(data.y_val), len(data.y_test)] == [15, 5, 8]
    assert (data.image_shape, data.num_features, data.X_train.dtype) == ((28, 28), 784, float)
    raw = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())[16:]
    np.testing.assert_allclose(data.X_train[1] * 255, np.frombuffer(raw, np.uint8)[784:1568])
    assert data.y_val.tolist() == [5, 6, 7, 8, 9]


def test_a_file_is_downloaded_once(folder, server, tmp_path):
    get_mnist(folder, server, tmp_path)
    assert len(Handler.asked) == 4
    get_mnist(folder, server, tmp_path)
    assert len(Handler.asked) == 4


def test_a_damaged_file_in_the_cache_is_fetched_again(folder, server, tmp_path):
    get_cifar10(folder, server, tmp_path)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(b"half")
    assert len(get_cifar10(folder, server, tmp_path).y_train) == 26
    assert len(Handler.asked) == 2


def test_a_transfer_that_breaks_off_is_named_and_leaves_nothing(folder, server, tmp_path):
    with pytest.raises(DownloadError, match=r"cifar-10-binary\.tar\.gz broke off; try again"):
        get_cifar10(folder, f"{server}/cut/", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_checksum_is_named_and_leaves_nothing(server, tmp_path):
    with pytest.raises(DownloadError, match="damaged or another file: its checksum isn't c32a1d4"):
        cifar10(base_url=server, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_file_on_the_server_is_caught_by_its_checksum(folder, server, tmp_path):
    expected = sums(folder, CIFAR10_MD5)
    short = folder / "short"
    short.mkdir(exist_ok=True)
    name = "cifar-10-binary.tar.gz"
    (short / name).write_bytes((folder / name).read_bytes()[:-100])
    with pytest.raises(DownloadError, match="damaged"):
        cifar10(base_url=f"{server}/short", checksums=expected, cache=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_server_is_named(tmp_path):
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(DownloadError, match=f"can't reach {url}/train-images.*are you online"):
            mnist(base_url=url, cache=tmp_path)


def test_an_unwritable_cache_is_not_blamed_on_the_network(folder, server, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OSError, match="file") as caught:
        get_cifar10(folder, server, tmp_path / "file")
    assert not isinstance(caught.value, DownloadError)


def test_a_missing_file_is_named(server, tmp_path):
    with pytest.raises(DownloadError, match=f"answered 404 for {server}/nowhere/cifar"):
        cifar10(base_url=f"{server}/nowhere", cache=tmp_path)


def test_files_with_the_right_sum_and_the_wrong_content_are_refused(server, folder, tmp_path):
    other = folder / "other"
    other.mkdir(exist_ok=True)
    write_cifar10(other / "cifar-10-binary.tar.gz", spoil=lambda content: content[:-1])
    with pytest.raises(DownloadError, match=r"data_batch_1\.bin is not a whole number"):
        get_cifar10(other, f"{server}/other", tmp_path / "a")
    for spoil in (lambda content: content[:-1], lambda content: b"\0\0\0\0" + content[4:]):
        write_mnist(other, spoil)
        with pytest.raises(DownloadError, match="is not a whole MNIST file"):
            get_mnist(other, f"{server}/other", tmp_path / str(len(Handler.asked)))


def test_a_validation_set_larger_than_the_data_is_refused(server, folder, tmp_path):
    with pytest.raises(ValueError, match="num_validation must be between 1 and 29"):
        cifar10(base_url=server, checksums=sums(folder, CIFAR10_MD5), cache=tmp_path)


def test_the_published_checksums_and_addresses_are_the_default():
    assert CIFAR10_MD5 == {"cifar-10-binary.tar.gz": "c32a1d4ab5d03f1284b67883e8d87530"}
    assert [re.sub("-.*", "", name) for name in MNIST_MD5] == ["train", "train", "t10k", "t10k"]
    assert all(re.fullmatch("[0-9a-f]{32}", md5) for md5 in MNIST_MD5.values())
    assert CIFAR10_URL.startswith("https://")
    assert MNIST_URL.startswith("https://")


def test_without_pooch_the_message_names_the_extra():
    code = (
        "import sys; sys.modules['pooch'] = None\n"
        "from descent.data.online import mnist\n"
        "try:\n    mnist()\nexcept ModuleNotFoundError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    (extra,) = re.findall(r"descent\[(\w+)\]", done.stdout)
    assert extra in metadata("descent").get_all("Provides-Extra")


def test_downloading_is_quiet_outside_notebooks_and_terminals(folder, server, tmp_path, capfd):
    get_cifar10(folder, server, tmp_path)
    assert capfd.readouterr() == ("", "")
