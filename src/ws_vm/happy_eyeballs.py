"""Connects TCP: a staggered race between the addresses of a host (RFC 8305).

asyncio has such a race too (`happy_eyeballs_delay`). But if it is cancelled at the
wrong moment, it forgets a socket that it has just connected (seen on CPython 3.11), and
uvloop does not have it. Here every socket has an owner at all times.
"""

import asyncio
import contextlib
import itertools
import socket
from collections import deque
from collections.abc import Sequence
from typing import Any

CONNECTION_ATTEMPT_DELAY = 0.25
"""Seconds between the beginnings of two attempts; recommended by RFC 8305 section 5."""

_Address = tuple[int, int, int, str, Any]
"""An item of `getaddrinfo()`: family, type, protocol, canonical name, address."""


async def connect_tcp(
    host: str, port: int, local_addr: tuple[str, int] | None
) -> socket.socket:
    """Connect to a host, and return the non-blocking socket.

    Cancelling it closes all sockets that it has made.

    Args:
        host: A name or an address.
        port: A TCP port.
        local_addr: The (host, port) to connect from; None for any.

    Raises:
        OSError: No address of the host could be connected to.
    """
    addresses = await _resolve(host, port)
    local_addresses = await _resolve(*local_addr) if local_addr is not None else []
    # Most hosts have one address: that needs no race, and no task for it.
    if len(addresses) == 1:
        return await _connect(addresses[0], local_addresses)
    return await _race(_interleave(addresses), local_addresses)


async def connect_unix(path: str) -> socket.socket:
    """Connect to a Unix socket, and return the non-blocking socket.

    Cancelling it closes the socket.

    Args:
        path: The path of the socket in the file system.

    Raises:
        OSError: No server listens at this path.
    """
    return await _connect((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", path), [])


async def _race(
    addresses: Sequence[_Address], local_addresses: Sequence[_Address]
) -> socket.socket:
    """Connect to several addresses, each a little later; the first to succeed wins.

    All other attempts are cancelled. A socket that one of them has connected in the
    meantime is closed.

    Raises:
        OSError: All attempts have failed.
    """
    loop, untried = asyncio.get_running_loop(), deque(addresses)
    running: set[asyncio.Task[socket.socket]] = set()
    errors: list[OSError] = []
    try:
        while untried or running:
            if untried:
                address = untried.popleft()
                running.add(loop.create_task(_connect(address, local_addresses)))
            done, _ = await asyncio.wait(
                running,
                timeout=CONNECTION_ATTEMPT_DELAY if untried else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            for task in done:
                running.discard(task)
                error = task.exception()
                if error is None:
                    return task.result()
                if not isinstance(error, OSError):
                    raise error
                errors.append(error)
            # After a failure the next address is tried at once, without the delay.
    finally:
        for task in running:
            # A task that has its result already cannot be cancelled any more.
            task.add_done_callback(_close_socket)
            task.cancel()
    raise _combine_errors(errors)


async def _connect(
    address: _Address, local_addresses: Sequence[_Address]
) -> socket.socket:
    family, kind, protocol, _, target = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(0)  # non-blocking
        if local_addresses:
            _bind(sock, local_addresses)
        await asyncio.get_running_loop().sock_connect(sock, target)
    # CancelledError too: nobody else knows this socket.
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(sock: socket.socket, local_addresses: Sequence[_Address]) -> None:
    # A socket can only be bound to an address of its own family.
    matching = [origin for origin in local_addresses if origin[0] == sock.family]
    if not matching:
        raise OSError(f"local_addr has no address of the family {sock.family.name}")
    sock.bind(matching[0][4])


def _close_socket(task: "asyncio.Task[socket.socket]") -> None:
    """Close the socket of an attempt that has succeeded too late."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()


async def _resolve(host: str, port: int) -> list[_Address]:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            # asyncio resolves names in a thread. An address needs no resolver.
            socket.inet_pton(family, host)
            return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))]
    loop = asyncio.get_running_loop()
    return list(await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))


def _interleave(addresses: Sequence[_Address]) -> list[_Address]:
    """Alternate between IPv6 and IPv4, beginning with the family of the first address.

    So a family that does not work costs one delay only (RFC 8305 section 4).
    """
    families = dict.fromkeys(address[0] for address in addresses)
    groups = [[one for one in addresses if one[0] == family] for family in families]
    return [one for rank in itertools.zip_longest(*groups) for one in rank if one]


def _combine_errors(errors: Sequence[OSError]) -> OSError:
    """Return the first error, with the messages of the others added to it."""
    if not errors:
        return OSError("the host name resolves to no address")
    words = list(dict.fromkeys(error.strerror or str(error) for error in errors))
    first = errors[0]
    if len(words) == 1 or first.errno is None:
        return first
    return type(first)(first.errno, "; ".join(words))
