"""What lies in the folder beside the notebook: links, devices, odd names, modules that shadow."""

from __future__ import annotations

import contextlib
import os
import pickle
import socket
from collections.abc import Callable, Mapping
from pathlib import Path

from ..attack import Attack

_FAMILY = "files handed in"
Known = Mapping[str, str]

_PRINT_ALL = """
import os
for folder, _, names in os.walk("."):
    for name in names:
        try:
            print(open(os.path.join(folder, name), "rb").read(5000))
        except OSError:
            pass
"""


def _attack(
    name: str, tries: str, tree: Callable[[Path, Known], None], cell: str = "", **more: object
) -> Attack:
    return Attack(name, _FAMILY, tries, cell, tree=tree, **more)  # type: ignore[arg-type]


def _links_out(folder: Path, known: Known) -> None:
    course = Path(known["COURSE"])
    targets = {
        "secret.txt": course / ".descent-secret",
        "book.db": course / "gradebook.db",
        "course": course,
        "root": Path("/"),
        "home": Path.home(),
        "neighbour.ipynb": _neighbour(known),
        "loop": Path("loop"),
        "dangling": Path("nowhere/at/all"),
        "process": Path("/proc/self/environ"),
    }
    for name, target in targets.items():
        (folder / name).symlink_to(target)


def _neighbour(known: Known) -> Path:
    course = Path(known["COURSE"])
    return course / "submitted" / known["NEIGHBOUR"] / known["UNIT"] / f"{known['NAME']}.ipynb"


def _hard_links(folder: Path, known: Known) -> None:
    with contextlib.suppress(OSError):
        os.link(Path(known["COURSE"]) / ".descent-secret", folder / "secret.txt")
        os.link(Path(known["COURSE"]) / "gradebook.db", folder / "book.db")


def _notebook_is_link(folder: Path, known: Known) -> None:
    path = folder / f"{known['NAME']}.ipynb"
    path.unlink()
    path.symlink_to(_neighbour(known))


def _notebook_is_hard_link(folder: Path, known: Known) -> None:
    path = folder / f"{known['NAME']}.ipynb"
    twin = folder.parent / "twin.ipynb"
    path.rename(twin)
    os.link(twin, path)


def _notebook_is_fifo(folder: Path, known: Known) -> None:
    path = folder / f"{known['NAME']}.ipynb"
    path.unlink()
    os.mkfifo(path)


def _notebook_is_folder(folder: Path, known: Known) -> None:
    path = folder / f"{known['NAME']}.ipynb"
    path.unlink()
    path.mkdir()
    (path / "x").write_text("x")


def _notebook_is_huge(folder: Path, known: Known) -> None:
    os.truncate(folder / f"{known['NAME']}.ipynb", 3 << 30)


def _folder_is_link(folder: Path, known: Known) -> None:
    real = folder.with_name("elsewhere")
    folder.rename(real)
    folder.symlink_to(_neighbour(known).parent)


def _special_files(folder: Path, known: Known) -> None:
    os.mkfifo(folder / "data.txt")
    here = os.getcwd()
    os.chdir(folder)  # the names of sockets must be short
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("data.sock")
    finally:
        os.chdir(here)
    for name, kind, number in (("zero", 0o20666, (1, 5)), ("disk", 0o60666, (8, 0))):
        with contextlib.suppress(OSError):
            os.mknod(folder / name, kind, os.makedev(*number))


def _odd_names(folder: Path, known: Known) -> None:
    token = known["TOKEN"]
    names = [
        "..\\..\\up.txt",
        "-rf",
        "--force",
        f"$(touch {token})",
        f"`touch {token}`",
        f"; touch {token};",
        "new\nline.txt",
        "tab\there.txt",
        "right\u202eto-left.txt",
        "\udcff\udcfe.txt",
        "<img src=x onerror=window.hostile=1>.txt",
        "CON",
        "a" * 200,
        ".hidden",
        "%2e%2e%2fup.txt",
        "{{ 7 * 7 }}.txt",
    ]
    for name in names:
        with contextlib.suppress(OSError):
            (folder / name).write_text("x")


def _too_much(folder: Path, known: Known) -> None:
    for number in range(700):
        (folder / f"f{number}.txt").write_text("x")
    deep = folder
    for _ in range(30):
        deep = deep / "d"
        deep.mkdir()
    (deep / "bottom.txt").write_text("x")
    (folder / "sparse.bin").touch()
    os.truncate(folder / "sparse.bin", 5 << 30)


def _shadows(folder: Path, known: Known) -> None:
    grab = f"print('CAP' + 'TURED: a shadow'); points = {known['MAX']}\n"
    grab += "def __getattr__(name):\n    return lambda *a, **k: True\n"
    names = ["numpy", "descent", "json", "os", "IPython", "matplotlib", "random", "codecs"]
    names += ["sitecustomize", "usercustomize", "conftest", "warnings", "nbgrader", "encodings"]
    for name in names:
        (folder / f"{name}.py").write_text(grab)
    (folder / "scipy").mkdir()
    (folder / "scipy" / "__init__.py").write_text(grab)


def _configuration(folder: Path, known: Known) -> None:
    grab = f"open('/tmp/{known['TOKEN']}-configuration', 'w').close()\n"
    for name in (
        "nbgrader_config.py",
        "jupyter_config.py",
        "ipython_config.py",
        ".ipython/profile_default/startup/00-first.py",
        ".ipython/profile_default/ipython_config.py",
        ".jupyter/jupyter_nbconvert_config.py",
        "gradebook.db",
        ".descent-secret",
        "setup.py",
        "pyproject.toml",
        "feedback.html",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(grab)
    (folder / "matplotlibrc").write_text("backend: module://numpy\n")


class _RunsCommand:
    def __init__(self, command: str) -> None:
        self.command = command

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (self.command,)


def _pickles(folder: Path, known: Known) -> None:
    bad = pickle.dumps(_RunsCommand(f"touch /tmp/{known['TOKEN']}-pickle"))
    for name in ("data.pkl", "data.npy", "weights.npz", "cache.pickle", "data.joblib"):
        (folder / name).write_bytes(bad)


def _timestamp(folder: Path, known: Known) -> None:
    (folder / "timestamp.txt").write_text("<script>window.hostile=1</script>\n" * 100)


def _says(text: str) -> Callable[[Path, Known], None]:
    def tree(folder: Path, known: Known) -> None:
        (folder / "timestamp.txt").write_text(text)

    return tree


def _zone_is_own_file(folder: Path, known: Known) -> None:
    header = b"TZif" + bytes(16) + (0x7FFFFFFF).to_bytes(4, "big") * 6
    (folder / "zone").write_bytes(header)
    (folder / "timestamp.txt").write_text(f"2024-01-01 10:00:00 {folder / 'zone'}")


def _many_links(folder: Path, known: Known) -> None:
    for number in range(30_000):
        (folder / f"a{number}").symlink_to("nowhere")


def _early_timestamp(folder: Path, known: Known) -> None:
    (folder / "timestamp.txt").write_text("9999-12-31 23:59:59.999999 +2359")


def _others_notebooks(folder: Path, known: Known) -> None:
    for name in ("other", "../extra" if False else "extra", known["NAME"] + " (1)"):
        (folder / f"{name}.ipynb").write_bytes((folder / f"{known['NAME']}.ipynb").read_bytes())


ATTACKS = [
    _attack(
        "links-out",
        "symbolic links to the secret, the gradebook, the course and /",
        _links_out,
        _PRINT_ALL,
    ),
    _attack("hard-links", "hard links to the secret and the gradebook", _hard_links, _PRINT_ALL),
    _attack(
        "notebook-is-link",
        "the notebook is a link to a neighbour's",
        _notebook_is_link,
        refused=True,
    ),
    _attack(
        "notebook-is-hard-link",
        "the notebook is a second name of another file",
        _notebook_is_hard_link,
        refused=True,
    ),
    _attack(
        "notebook-is-fifo",
        "the notebook is a pipe that nobody writes to",
        _notebook_is_fifo,
        refused=True,
    ),
    _attack("notebook-is-folder", "the notebook is a folder", _notebook_is_folder, refused=True),
    _attack(
        "notebook-is-huge",
        "the notebook is a file of three gigabytes",
        _notebook_is_huge,
        refused=True,
        not_stock="stock nbgrader would read three gigabytes into memory",
    ),
    _attack(
        "special-files",
        "pipes, sockets and devices beside the notebook",
        _special_files,
        _PRINT_ALL,
        not_stock="stock nbgrader waits for ever to copy a pipe",
    ),
    _attack(
        "odd-names",
        "file names that mean something to shells, paths or pages",
        _odd_names,
        _PRINT_ALL,
    ),
    _attack(
        "too-much",
        "700 files, folders 30 deep, a file of five gigabytes",
        _too_much,
        _PRINT_ALL,
        not_stock="stock nbgrader would copy five gigabytes",
    ),
    _attack(
        "shadow-modules",
        "numpy.py, descent.py and other modules of well-known names",
        _shadows,
        "import codecs, json, random, scipy, warnings",
    ),
    _attack(
        "configuration",
        "configuration that tools read from where they stand",
        _configuration,
        _PRINT_ALL,
    ),
    _attack("pickles", "data files that run a command when a grader loads them", _pickles),
    _attack("script-timestamp", "a timestamp that is none", _timestamp),
    _attack("late-timestamp", "a timestamp at the end of time", _early_timestamp),
    _attack(
        "timestamp-long-zone",
        "a time zone whose name is too long for a file's",
        _says("2024-01-01 10:00:00 " + "a" * 300),
    ),
    _attack(
        "timestamp-folder", "a time zone that is a folder's name", _says("2024-01-01 10:00 ..")
    ),
    _attack("timestamp-own-zone", "a time zone in a file of its own", _zone_is_own_file),
    _attack(
        "timestamp-digits",
        "a timestamp of a million digits",
        _says("1" * 10**6),
        not_stock="stock nbgrader takes a minute to read it",
    ),
    _attack(
        "many-links",
        "30,000 links, each of which deserves a remark",
        _many_links,
        not_stock="stock nbgrader would copy 30,000 links",
    ),
    _attack("several-notebooks", "more notebooks of similar names", _others_notebooks),
]

FOLDERS = [
    ("folder-is-link", "its whole folder is a link to a neighbour's", _folder_is_link),
]
"""Attacks whose whole folder is refused."""

NAMES = [
    "<script>window.hostile=1<",
    '"><img src=x onerror=window.hostile=1>',
    "' OR '1'='1",
    "$(touch hostile)",
    "-rf",
    "up\\..\\up",
    "a\nb",
    "x\u202ey",
]
"""Students' ids that are refused."""
