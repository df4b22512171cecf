"""The shell that runs a notebook's cells as ipykernel would, without a kernel.

It is ipykernel's own shell with its sockets replaced by a list: what a cell prints, displays,
returns and raises is recorded in the order in which a front end would have received it.
"""

from __future__ import annotations

import getpass
import io
import os
import re
import sys
from collections import defaultdict
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from zlib import crc32

from ipykernel.compiler import XCachingCompiler, get_tmp_directory
from ipykernel.zmqshell import ZMQInteractiveShell
from IPython.core.error import StdinNotImplementedError
from IPython.core.inputtransformer2 import (
    EscapedCommand,
    HelpEnd,
    MagicAssign,
    SystemAssign,
    TransformerManager,
)
from jupyter_client.session import Session
from traitlets.config import Config

Message = dict[str, Any]


class Recorder(Session):  # type: ignore[misc,unused-ignore]
    """Takes the place of the session that would send messages to a front end."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(key=b"", **kwargs)
        self.messages: list[Message] = []
        self.limit = sys.maxsize
        self.cut = False
        self._used = 0
        self._texts: dict[str, list[str]] = {"stdout": [], "stderr": []}
        self._watched: dict[str, tuple[int, int]] = {}

    def watch(self, name: str, descriptor: int) -> None:
        """Add what programs and C code write to a descriptor (of a file) to a stream."""
        self._watched[name] = (descriptor, 0)

    def write(self, name: str, text: str) -> None:
        """Record text written to ``stdout`` or ``stderr``."""
        if self._watched:
            self._drain()
        if self._fits(len(text)):
            self._texts[name].append(text)

    def flush(self) -> None:
        """Turn what was written so far into messages, stdout first, as ipykernel does."""
        if self._watched:
            self._drain()
        for name, texts in self._texts.items():
            if texts:
                self._add_stream(name, "".join(texts))
                texts.clear()

    def take(self) -> list[Message]:
        """Return what was recorded since the last time, and begin anew."""
        self.flush()
        messages, self.messages = self.messages, []
        if self.cut:
            sentence = f"(The output of this cell was cut after {self.limit} bytes.)\n"
            messages.append({"output_type": "stream", "name": "stderr", "text": sentence})
        self._used, self.cut = 0, False
        return messages

    def take_text(self) -> tuple[str, str] | None:
        """Return what was written to stdout and stderr since the last time, None if nothing."""
        if self._watched:
            self._drain()
        out, err = self._texts.values()
        if self.messages:  # what was flushed since then is among these
            self._unflush()
        if not out and not err:
            return None
        taken = "".join(out), "".join(err)
        out.clear()
        err.clear()
        return taken

    def _unflush(self) -> None:
        """Turn the messages of the streams back into text that is still to be taken."""
        streams = [m for m in self.messages if m["output_type"] == "stream"]
        self.messages = [m for m in self.messages if m["output_type"] != "stream"]
        for message in reversed(streams):
            self._texts[message["name"]].insert(0, message["text"])

    def msg(self, msg_type: str, content: Any = None, *args: Any, **kwargs: Any) -> Message:
        """Return a message with what the shell fills in of one."""
        return {"msg_type": msg_type, "content": content or {}}

    def send(
        self, stream: Any, msg_or_type: Any, content: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """Record a message instead of sending it."""
        if isinstance(msg_or_type, dict):
            kind, content = msg_or_type["msg_type"], msg_or_type["content"]
        else:
            kind = msg_or_type
        content = dict(content)
        transient = content.pop("transient", None) or {}
        message = {"output_type": kind, **content}
        if "display_id" in transient:
            message["display_id"] = transient["display_id"]
        if self._fits(_size(message)):
            self.messages.append(message)

    def _add_stream(self, name: str, text: str) -> None:
        last = self.messages[-1] if self.messages else {}
        if last.get("output_type") == "stream" and last["name"] == name:
            last["text"] += text
        else:
            self.messages.append({"output_type": "stream", "name": name, "text": text})

    def _fits(self, size: int) -> bool:
        self._used += size
        if self._used > self.limit:
            self.cut = True
        return not self.cut

    def _drain(self) -> None:
        for name, (descriptor, position) in self._watched.items():
            try:
                fresh = os.fstat(descriptor).st_size - position
                if fresh <= 0:
                    continue
                data = os.pread(descriptor, min(fresh, self.limit), position)
            except OSError:
                continue  # the notebook's code closed it
            self._watched[name] = (descriptor, position + fresh)
            if self._fits(len(data)):
                self._texts[name].append(data.decode("utf-8", "replace"))


class Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` as a recorder's stream."""

    encoding = "UTF-8"

    def __init__(self, recorder: Recorder, name: str, descriptor: int) -> None:
        super().__init__()
        self.name = f"<{name}>"
        self._recorder = recorder
        self._stream = name
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        """Record ``text``."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._recorder.write(self._stream, str(text))
        return len(text)

    def flush(self) -> None:
        """Turn what was written into messages."""
        self._recorder.flush()

    def writable(self) -> bool:
        """Return True, as every output stream does."""
        return True

    def isatty(self) -> bool:
        """Return False: nobody types here."""
        return False

    def fileno(self) -> int:
        """Return the descriptor that programs started from here write to."""
        return self._descriptor


class _Compiler(XCachingCompiler):  # type: ignore[misc,unused-ignore]
    """ipykernel's, with quickly made names for cells: its own hashes them in a Python loop."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        """Return what errors and `inspect` call the file of a cell."""
        folder: Any = get_tmp_directory
        return f"{folder()}{os.sep}{crc32(raw_code.encode())}.py"


class _Transformers(TransformerManager):  # type: ignore[misc,unused-ignore]
    """IPython's, which looks for magics in a cell only where there can be one.

    It takes every cell apart into tokens, once more than Python does.
    """

    def do_token_transforms(self, lines: list[str]) -> list[str]:
        """Return the lines with magics, shell commands and help put into Python."""
        if self.token_transformers == _OF_MAGICS and not any(map(_MAGIC.search, lines)):
            return lines
        transformed: list[str] = super().do_token_transforms(lines)
        return transformed


_OF_MAGICS = [MagicAssign, SystemAssign, EscapedCommand, HelpEnd]
_MAGIC = re.compile(r"[%!?]|^\s*[,;/]")


class _Forgotten(defaultdict[int, list[Any]]):
    """Keeps nothing: IPython would hold on to every cell's output, however much it is."""

    def __missing__(self, key: int) -> list[Any]:
        return []


class Shell(ZMQInteractiveShell):
    """ipykernel's shell, recording."""

    @property
    def user_global_ns(self) -> dict[str, Any]:
        """The globals that cells run in."""
        names: dict[str, Any] = self.user_ns
        return names

    @property
    def recorder(self) -> Recorder:
        """Where this shell's output goes."""
        session: Recorder = self.display_pub.session
        return session

    def should_run_async(self, raw_cell: str, **details: Any) -> bool:
        """Return whether a cell awaits something; IPython compiles each cell once more to know."""
        if "await" not in raw_cell and "async" not in raw_cell:
            return False
        return bool(super().should_run_async(raw_cell, **details))

    def enable_gui(self, gui: Any = None) -> None:
        """Do nothing: there is no event loop to join."""

    def ask_exit(self) -> None:
        """Do nothing: ``quit`` ends no submission."""


def make_shell(namespace: dict[str, Any] | None = None) -> Shell:
    """Return the process's one shell; its cells run in ``namespace``, if one is given."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.cache_size = 1000
    shell: Shell = Shell.instance(
        config=config, kernel=_kernel(), user_ns=namespace, compiler_class=_Compiler
    )
    shell.input_transformer_manager = _Transformers()
    shell.history_manager.outputs = _Forgotten(list)
    recorder = Recorder()
    shell.display_pub.session = recorder
    shell.displayhook.session = recorder
    sys.stdout = Stream(recorder, "stdout", 1)
    sys.stderr = Stream(recorder, "stderr", 2)
    sys.displayhook = shell.displayhook
    return shell


def refuse_input() -> None:
    """Let ``input`` and ``getpass`` fail as they do where nobody can answer."""
    import builtins

    def refuse(*args: Any, **kwargs: Any) -> str:
        raise StdinNotImplementedError(
            "raw_input was called, but this frontend does not support input requests."
        )

    builtins.input = refuse
    getpass.getpass = refuse


def run_cell(shell: Shell, source: str, count: int) -> tuple[list[Message], Message]:
    """Run one cell as the ``count``-th; return its messages and how it ended."""
    shell.execution_count = count
    shell.display_trap.hook = shell.displayhook
    run: Any = shell.run_cell
    result = run(source, store_history=True, silent=False)
    shell.payload_manager.clear_payload()
    problem = result.error_before_exec or result.error_in_exec
    ended: Message = {"status": "ok"}
    if problem is not None:
        ended = {
            "status": "error",
            "ename": type(problem).__name__,
            "evalue": _text_of(problem),
            "traceback": shell._last_traceback or [],
        }
    return shell.recorder.take(), ended


def warm_up(shell: Shell) -> None:
    """Run, once, the code that a notebook's first cell, figure and error would otherwise wait for.

    It leaves nothing behind: the namespace, the counter and the history are as they were.
    """
    spaces = (shell.user_ns, shell.user_ns_hidden)
    before = [dict(space) for space in spaces]
    run: Any = shell.run_cell
    for source in ("import matplotlib.pyplot as plt; plt.plot([0, 1]); plt.xlabel('x')", "1 / 0"):
        run(source, store_history=False)
    shell.recorder.take()
    for space, content in zip(spaces, before, strict=True):
        space.clear()
        space.update(content)
    shell.user_ns["_oh"].clear()
    for name in ("_", "__", "___"):  # else the hook takes them for the notebook's own variables
        setattr(shell.displayhook, name, shell.user_ns.get(name, ""))
    shell.execution_count = 1
    sys.last_value = sys.last_traceback = None


def _kernel() -> Any:
    """Return what notebooks look for behind ``get_ipython().kernel``."""
    return SimpleNamespace(
        eventloop=None, shell=None, banner="", _parent_header={}, get_parent=lambda *a: {}
    )


def _text_of(problem: BaseException) -> str:
    try:
        return str(problem)
    except Exception:
        return "<unprintable>"


def _size(message: Mapping[str, Any]) -> int:
    """Return roughly how many bytes a message takes."""
    total = 0
    for value in message.values():
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, Mapping):
            total += _size(value)
        elif isinstance(value, list):
            total += sum(len(str(item)) for item in value)
    return total
