"""Programs that tests talk to: started on a free port, stopped at the end."""

import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tools.apt import find_program

PATIENCE = 30.0
"""Seconds until a program has to be ready, or gone."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def installed(program: str) -> str:
    """The path of a program; skips the test where it is missing."""
    path = find_program(program)
    if path is None:
        pytest.skip(
            f"{program} is not installed; where there are apt-get and root, "
            "`python -m tools.daemons` does that"
        )
    return path


class Running:
    """A program that listens on a port of 127.0.0.1.

    Args:
        command: The program and its arguments.
        port: Where it will listen.
        log: What it prints goes there, and into the message if it fails.
    """

    def __init__(self, command: Sequence[str], port: int, log: Path) -> None:
        self.port = port
        self._command = list(command)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - written by the test
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + PATIENCE
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > deadline:
                said = self._log.read_text(errors="replace")[-2000:]
                raise AssertionError(f"{self._command[0]} does not listen: {said}")
            time.sleep(0.02)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, *, kill: bool = False) -> None:
        """Stop it, and kill it if it does not react."""
        process, self._process = self._process, None
        if process is None:
            return
        if kill:
            process.kill()
        else:
            process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop(kill=True)
