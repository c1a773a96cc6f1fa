"""Pings that wait for their Pong (RFC 6455 section 5.5.2).

These are functions over a dictionary and not a class, so that a connection that has
sent no Ping holds no object of its own: all of these share `NO_PINGS`.
"""

import asyncio
import os
from typing import Final

Pings = dict[bytes, tuple[asyncio.Future[float], float]]
"""The payload of each Ping, with its future and the loop time at which it was sent.

The oldest Ping comes first, since a dictionary keeps the order of insertion.
"""

NO_PINGS: Final[Pings] = {}
"""The Pings of a connection that has sent none; it is never changed."""


def new_ping(
    loop: asyncio.AbstractEventLoop, waiting: Pings
) -> tuple[bytes, asyncio.Future[float]]:
    """Create a Ping.

    Args:
        loop: The loop of the connection.
        waiting: The Pings that wait for their Pong. The new one is added.

    Returns:
        The payload to send, and a future of the round trip in seconds.
    """
    # The payload is random. If a peer could guess it, it could send a Pong without
    # having read the Ping, and with it the messages before.
    payload = os.urandom(4)
    while payload in waiting:
        payload = os.urandom(4)
    future: asyncio.Future[float] = loop.create_future()
    waiting[payload] = future, loop.time()
    return payload, future


def resolve_pings(
    loop: asyncio.AbstractEventLoop, waiting: Pings, payload: bytes
) -> None:
    """Resolve the Ping that a Pong answers, and all Pings that were sent before it.

    Args:
        loop: The loop of the connection.
        waiting: The Pings that wait for their Pong. The resolved ones are removed.
        payload: The payload of the Pong.
    """
    # An unsolicited Pong is allowed, and resolves nothing (RFC 6455 section 5.5.3).
    if payload not in waiting:
        return
    now = loop.time()
    # A peer that is behind may answer the latest Ping alone (also section 5.5.3).
    for sent, (future, at) in list(waiting.items()):
        del waiting[sent]
        if not future.done():  # the caller may have cancelled it
            future.set_result(now - at)
        if sent == payload:
            return


def cancel_pings(waiting: Pings) -> None:
    """Cancel all Pings, because the connection has ended and no Pong will arrive."""
    for future, _ in waiting.values():
        future.cancel()
    waiting.clear()
