"""Who cleans up behind the second wall's zygote, however that ends.

The first wall's processes end with their namespace. Without one, the processes of a submission
would outlive a zygote that is killed, and its scratch folder with them: so a process that does
nothing else waits for the zygote's end. Orphans then fall to it, and are killed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from typing import Any

from . import built_walls, scratch, system


def stand_by(settings: dict[str, Any]) -> None:
    """Return in a child, which is to become the zygote; this process waits and cleans up.

    Args:
        settings: the zygote's; the scratch folder, made here, is added to it.
    """
    folder = settings["scratch"] = tempfile.mkdtemp(prefix=f"descent-{os.getpid()}-")
    system.prctl(system.PR_SET_CHILD_SUBREAPER, 1)
    system.prctl(system.PR_SET_DUMPABLE, 0)
    child = os.fork()
    if child == 0:
        system.prctl(system.PR_SET_PDEATHSIG, signal.SIGKILL)
        return
    try:
        os.close(int(settings["control"]))  # only the zygote's own end is to keep it open
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)
        built_walls.kill_descendants()
        scratch.remove(folder)
    finally:
        os._exit(0)
