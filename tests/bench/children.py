"""Processes that take commands and give answers, a line of JSON each.

They end when their standard input does, so none outlives its parent.
"""

import contextlib
import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from tools.common import ROOT, ToolError

DEADLINE = 120.0
"""Seconds for an answer."""

FILES = 8192
"""How many files a process may open, if the system's hard limit is not lower."""


class Child:
    """A Python module that runs in a process of its own, in a `with` block.

    Args:
        name: What it is called in errors.
        module: The module, and its arguments.
        env: All of its environment.

    Attributes:
        pid: The process.
        hello: Its first answer, sent when it was ready.
    """

    def __init__(
        self, name: str, module: Sequence[str], *, env: Mapping[str, str]
    ) -> None:
        self._name = name
        self._process = subprocess.Popen(  # noqa: S603 - a module of ours
            [sys.executable, "-m", *module],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.pid = self._process.pid
        self.hello: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self.hello = self._read("starting")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._process.kill()
        self._close()

    def ask(self, **command: Any) -> dict[str, Any]:
        """Give a command and wait for the answer.

        Raises:
            ToolError: The process ended, or did not answer in time.
        """
        assert self._process.stdin is not None
        what = json.dumps(command)
        try:
            self._process.stdin.write(what + "\n")
            self._process.stdin.flush()
        except BrokenPipeError as error:
            raise self._ended(what) from error
        return self._read(what)

    def _read(self, what: str) -> dict[str, Any]:
        assert self._process.stdout is not None
        began, timer = time.monotonic(), threading.Timer(DEADLINE, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            raise self._ended(what, is_late=time.monotonic() - began >= DEADLINE)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _ended(self, what: str, *, is_late: bool = False) -> ToolError:
        self._close()
        reason = f"ended with {self._process.returncode}; see its output above"
        if is_late:
            reason = f"was killed, as it did not answer within {DEADLINE:.0f} s"
        return ToolError(f"The process of {self._name} {reason}. Its task: {what}")

    def _close(self) -> None:
        """Close its standard input, at which it ends, and wait for that."""
        # A command that it did not take is still in the buffer.
        with contextlib.suppress(BrokenPipeError), self._process:
            pass


def begin(hello: Mapping[str, object]) -> None:
    """Prepare a child process, and send its first answer.

    Ctrl-C is left to the parent, and the limit of open files is raised.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - missing on Windows

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    answer(hello)


def answer(what: Mapping[str, object]) -> None:
    """Send an answer to the parent."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()
