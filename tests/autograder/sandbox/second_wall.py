"""What holds of the second wall alone: its scratch folder lies on disk, its processes aren't apart.

Run by ``test_elsewhere.py``, where that wall stands.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from descent_autograder.questions import EXAMS
from descent_autograder.sandbox import Limits, Sandbox, Wall
from descent_autograder.sandbox.inside import seccomp

from .notebooks import execute
from .test_confinement import DEFINE, STILL_HERE, ask

LIMITS = Limits(cell_seconds=8, file_bytes=4 << 20)


@pytest.fixture(scope="module")
def own() -> Iterator[Sandbox]:
    """A worker for these tests alone, which leaves nothing on disk."""
    with Sandbox(Wall.LANDLOCK, LIMITS, exams=EXAMS) as made:
        reapers = {made.student_zygote_pid}
        yield made
        reapers.add(made.student_zygote_pid)  # another one, if the first one was killed
        assert folders(made.student_zygote_pid)
    assert [folders(reaper) for reaper in reapers if folders(reaper)] == []


def folders(reaper: int) -> list[Path]:
    """The scratch folders of the student's side that this process looks after."""
    return list(Path(tempfile.gettempdir()).glob(f"descent-{reaper}-*"))


def named(mark: str) -> list[psutil.Process]:
    return [p for p in psutil.process_iter(["name"]) if p.info["name"] == mark]


def lingering(mark: str) -> str:
    """A process that belongs to nobody any more, by the name of ``mark``."""
    return f"""
import ctypes, os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        ctypes.CDLL(None).prctl(15, b"{mark}", 0, 0, 0)
        time.sleep(600)
    os._exit(0)
"""


FILLING = {
    "nested folders": "for _ in range(1500):\n    os.mkdir('d'); os.chdir('d')",
    "many folders": "for i in range(3000):\n    os.mkdir(str(i))",
    "nameless files": """
held = []
for _ in range(8):
    held.append(os.open('f', os.O_CREAT | os.O_RDWR, 0o600))
    os.unlink('f')
    os.write(held[-1], bytes(3 << 20))
""",
    "files that never had a name": """
held = [os.open('.', os.O_TMPFILE | os.O_RDWR) for _ in range(8)]
for file in held:
    os.write(file, bytes(3 << 20))
""",
    "files that are only mapped": """
import mmap
held = []
for _ in range(8):
    file = os.open('.', os.O_TMPFILE | os.O_RDWR)
    os.write(file, bytes(3 << 20))
    held.append(ctypes.CDLL(None).mmap(None, 4096, 1, 2, file, 0))
    os.close(file)
""",
    "folders that can't be read": """
os.umask(0)
os.mkdir('closed', 0o300)
for number in range(8):
    open(f'closed/{number}', 'wb').write(bytes(3 << 20))
""",
    "beside its home": """
for number in range(8):
    try:
        open(f'../{number}', 'wb').write(bytes(3 << 20))
    except PermissionError:  # it is another user's
        open(f'{number}', 'wb').write(bytes(3 << 20))
""",
}


@pytest.mark.parametrize("how", FILLING)
def test_filling_the_disk_is_noticed_however_it_is_done(own: Sandbox, how: str) -> None:
    mark = f"left{os.getpid()}"
    fills = lingering(mark) + FILLING[how] + "\ntime.sleep(6)"
    ran = execute(own, DEFINE, fills, STILL_HERE)
    assert "filled its scratch folder" in ran.error(1)[1], ran.outputs(1)
    assert ran.score(2) == 2
    assert named(mark) == []
    assert ask(own, "import os\nshow(left=os.listdir('.'))") == {"left": []}


def test_a_dead_zygote_leaves_nothing(own: Sandbox) -> None:
    """Killed from outside while a submission runs: its processes and its folder go all the same."""
    mark = f"orphan{os.getpid()}"[:15]
    reaper = psutil.Process(own.student_zygote_pid)
    with own.student_process() as (channel, _):
        (zygote,) = reaper.children()
        assert zygote.children()
        from descent_autograder.sandbox.grader_peer import open_peer

        peer = open_peer(channel)
        peer.limit(5)
        peer.ask("run", lingering(mark), 1)
        for _ in range(50):
            if named(mark):
                break
            time.sleep(0.1)
        assert named(mark)
        os.kill(zygote.pid, signal.SIGKILL)
        reaper.wait(10)
        assert named(mark) == []
    assert execute(own, DEFINE, STILL_HERE).score(1) == 2


def test_nothing_stays_beside_the_home(own: Sandbox) -> None:
    execute(own, "for place in ('left', '../left'):\n    open(place, 'w').write('x')")
    again = execute(own, "import glob\nprint(glob.glob('../left') + glob.glob('left'))")
    assert again.text(0) == "[]\n"


def test_no_news_of_folders_and_no_leases(own: Sandbox) -> None:
    facts = ask(
        own,
        """
import ctypes, fcntl, os, socket
libc = ctypes.CDLL(None, use_errno=True)
here = os.open(".", os.O_RDONLY)
file = os.open("f", os.O_CREAT | os.O_RDWR)
ours, theirs = socket.socketpair()
show(
    inotify=libc.inotify_init1(0),
    notify=attempt(lambda: fcntl.fcntl(here, 1026, 1)),
    lease=attempt(lambda: fcntl.fcntl(file, 1024, 1)),
    descriptors=attempt(lambda: socket.send_fds(ours, [b"x"], [file])),
    hiding=libc.prctl(4, 0, 0, 0, 0),
    shown=libc.prctl(3, 0, 0, 0, 0),
    memory=libc.shmctl(0, 0, 0), semaphores=libc.semctl(0, 0, 0), queue=libc.msgctl(0, 0, 0),
    unlink=libc.mq_unlink(b"/x"),
)
""",
    )
    assert facts.pop("shown") == 1
    assert set(facts.values()) == {-1, "PermissionError"}


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_filter_is_one_that_the_kernel_takes(machine: str) -> None:
    for namespaces in (True, False):
        for pid in (None, 77):
            filter_ = seccomp.program(machine, own_namespaces=namespaces, signals_to=pid)
            assert len(filter_) // 8 < 4096
    install = "from descent_autograder.sandbox.inside import seccomp, system\n"
    install += "system.prctl(system.PR_SET_NO_NEW_PRIVS, 1)\nseccomp.install("
    install += f"seccomp.program({machine!r}, own_namespaces=False, signals_to=1))"
    if machine == os.uname().machine:
        subprocess.run([sys.executable, "-c", install], check=True)
