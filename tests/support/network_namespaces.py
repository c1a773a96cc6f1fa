"""Two network namespaces with a cable between them, for faults that are real.

    with Network() as network:
        network.run("server", "ip", "link", "set", "cable", "down")

A thread that has entered a namespace opens its sockets there, and so do the threads
that it starts: `inside()` gives one. Nothing outside of the two is touched.
Needs root, iproute2 and iptables.
"""

import ctypes
import itertools
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tools.apt import find_program

Side = Literal["client", "server"]

ADDRESSES: dict[Side, str] = {"client": "10.203.0.1", "server": "10.203.0.2"}
CABLE = "cable"
"""What the interface is called in both."""

_NAMESPACES = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_SECONDS = 10.0

_numbers = itertools.count()


class NoNamespacesError(Exception):
    """Namespaces cannot be created on this machine; the message says why."""


class Network:
    """Two namespaces and a cable, which exist until the `with` block is left."""

    def __init__(self) -> None:
        number = f"{os.getpid()}-{next(_numbers)}"
        self._names: dict[Side, str] = {
            "client": f"ws-client-{number}",
            "server": f"ws-server-{number}",
        }
        self._made = ExitStack()

    def __enter__(self) -> Self:
        for program in ("ip", "iptables"):
            if find_program(program) is None:
                raise NoNamespacesError(f"{program} is not installed")
        try:
            self._make()
        except OSError as error:
            self._made.close()
            raise NoNamespacesError(f"namespaces cannot be made: {error}") from error
        return self

    def _make(self) -> None:
        for name in self._names.values():
            _run("ip", "netns", "add", name)
            self._made.callback(_run, "ip", "netns", "del", name)
        client, server = self._names["client"], self._names["server"]
        ends = ["name", CABLE, "netns"]
        _run(
            *("ip", "link", "add", *ends, client),
            *("type", "veth", "peer", *ends, server),
        )
        for side, address in ADDRESSES.items():
            self.run(side, "ip", "address", "add", f"{address}/30", "dev", CABLE)
            self.run(side, "ip", "link", "set", "lo", "up")
            self.run(side, "ip", "link", "set", CABLE, "up")
            self.run(side, "iptables", "--list-rules")  # is it allowed?

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._made.close()

    def run(self, side: Side, *command: str) -> None:
        """Run a command inside the namespace.

        Raises:
            OSError: It failed.
        """
        _run("ip", "netns", "exec", self._names[side], *command)

    def cable(self, how: Literal["up", "down"]) -> None:
        """Plug or unplug the cable, at the server's end."""
        self.run("server", "ip", "link", "set", CABLE, how)

    def rule(self, side: Side, chain: Literal["INPUT", "OUTPUT"], *rule: str) -> None:
        """Add a rule of a firewall for TCP."""
        self.run(side, "iptables", "-A", chain, "-p", "tcp", *rule)

    def heal(self) -> None:
        """Remove all rules, and plug the cable in."""
        for side in ADDRESSES:
            self.run(side, "iptables", "-F")
        self.cable("up")

    @contextmanager
    def inside(self, side: Side) -> Iterator[ThreadPoolExecutor]:
        """A thread that runs in a namespace."""
        path = _NAMESPACES / self._names[side]
        with ThreadPoolExecutor(1, initializer=_enter, initargs=(path,)) as pool:
            yield pool


def _enter(namespace: Path) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    descriptor = os.open(namespace, os.O_RDONLY)
    try:
        if libc.setns(descriptor, _CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"could not enter {namespace}")
    finally:
        os.close(descriptor)


def _run(*command: str) -> None:
    program = find_program(command[0]) or command[0]
    done = subprocess.run(  # noqa: S603 - written by the test
        [program, *command[1:]],
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
