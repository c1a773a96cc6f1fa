"""Opens the TCP connection: the addresses of a host in a staggered race (RFC 8305).

asyncio has such a race too, behind `happy_eyeballs_delay`. Cancelled at the wrong
moment it forgets a socket that it has just connected (seen on CPython 3.11), and
uvloop has none at all. Here every socket has an owner at all times.
"""

import asyncio
import itertools
import socket
from collections.abc import Iterable, Sequence
from typing import Any

DELAY = 0.25
"""Seconds until the next address is tried beside the first (RFC 8305 section 5)."""

_Address = tuple[int, int, int, str, Any]
"""As `getaddrinfo()` has it: family, type, protocol, name, address."""


async def dial(
    host: str, port: int, local_addr: tuple[str, int] | None
) -> socket.socket:
    """Return a connected, non-blocking socket. Cancelling it leaves none behind.

    Args:
        host: A name or an address.
        port: A TCP port.
        local_addr: The (host, port) to connect from.

    Raises:
        OSError: No address of the host took the connection.
    """
    addresses = await _resolve(host, port)
    origins = await _resolve(*local_addr) if local_addr is not None else []
    if len(addresses) == 1:  # no race, and no task for it
        return await _connect(addresses[0], origins)
    return await _Race(origins).run(_interleave(addresses))


async def dial_unix(path: str) -> socket.socket:
    """Return a socket that is connected to a Unix socket, likewise.

    Raises:
        OSError: Nobody listens there.
    """
    return await _connect((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", path), [])


class _Race:
    """Connects to several addresses, a little after one another; the first one wins.

    What loses is cancelled, or closed where it is too late for that.
    """

    def __init__(self, origins: Sequence[_Address]) -> None:
        self._origins = origins
        self._errors: list[OSError] = []
        self._running: set[asyncio.Task[socket.socket]] = set()

    async def run(self, addresses: Iterable[_Address]) -> socket.socket:
        """Return the winner's socket, or raise what went wrong."""
        loop, waiting = asyncio.get_running_loop(), iter(addresses)
        more = True
        try:
            while more or self._running:
                address = next(waiting, None)
                more = address is not None
                if address is not None:
                    task = loop.create_task(_connect(address, self._origins))
                    self._running.add(task)
                if self._running and (winner := await self._wait(more)) is not None:
                    return winner
        finally:
            for task in self._running:
                task.add_done_callback(_close)
                task.cancel()
        raise _one_of(self._errors)

    async def _wait(self, more: bool) -> socket.socket | None:  # noqa: FBT001
        """Wait for one of them to connect or fail, or (with more) for its turn."""
        done, _ = await asyncio.wait(
            self._running,
            timeout=DELAY if more else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for task in done:
            error = task.exception()
            if error is None:
                self._running.discard(task)
                return task.result()
            self._running.discard(task)
            if not isinstance(error, OSError):
                raise error
            self._errors.append(error)
        return None


async def _connect(address: _Address, origins: Sequence[_Address]) -> socket.socket:
    family, kind, protocol, _, target = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(0)  # non-blocking
        if origins:
            _bind(sock, origins)
        await asyncio.get_running_loop().sock_connect(sock, target)
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(sock: socket.socket, origins: Sequence[_Address]) -> None:
    fitting = [origin for origin in origins if origin[0] == sock.family]
    if not fitting:
        raise OSError(f"local_addr has no address of the family {sock.family.name}")
    sock.bind(fitting[0][4])


def _close(task: "asyncio.Task[socket.socket]") -> None:
    """Free what a loser has connected after all."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _resolve(host: str, port: int) -> list[_Address]:
    family = _literal(host)
    if family is not None:  # as it is, and without a thread
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
    loop = asyncio.get_running_loop()
    return list(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _literal(host: str) -> socket.AddressFamily | None:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host)
        except OSError:
            continue
        return family
    return None


def _interleave(addresses: Sequence[_Address]) -> list[_Address]:
    """Families by turns, so that a dead one costs one delay (RFC 8305 section 4)."""
    families = dict.fromkeys(address[0] for address in addresses)
    groups = [[one for one in addresses if one[0] == family] for family in families]
    return [one for rank in itertools.zip_longest(*groups) for one in rank if one]


def _one_of(errors: Sequence[OSError]) -> OSError:
    """The error that stands for all: the first, with what the others say as well."""
    if not errors:
        return OSError("the host name resolves to no address")
    words = list(dict.fromkeys(error.strerror or str(error) for error in errors))
    first = errors[0]
    if len(words) == 1 or first.errno is None:
        return first
    return type(first)(first.errno, "; ".join(words))
