"""Pings that wait for their Pong (RFC 6455 section 5.5.2).

Plain functions over a dictionary, oldest Ping first, so that a connection that has
sent none carries nothing: it has `NO_PINGS`, which all share.
"""

import asyncio
import os
from typing import Final

Pings = dict[bytes, tuple[asyncio.Future[float], float]]
"""By payload: the future of the round trip, and the loop time of the Ping."""

NO_PINGS: Final[Pings] = {}
"""Nothing is ever added to it."""


def new_ping(
    loop: asyncio.AbstractEventLoop, waiting: Pings
) -> tuple[bytes, asyncio.Future[float]]:
    """Return the payload of a Ping, and the future of its round trip, in seconds.

    The payload cannot be guessed, so that a peer answers only what it has read.
    """
    payload = os.urandom(4)
    while payload in waiting:
        payload = os.urandom(4)
    future: asyncio.Future[float] = loop.create_future()
    waiting[payload] = future, loop.time()
    return payload, future


def resolve_pings(
    loop: asyncio.AbstractEventLoop, waiting: Pings, payload: bytes
) -> None:
    """Resolve this Ping and all before it; an unsolicited Pong is ignored.

    A peer may answer the most recent Ping alone (RFC 6455 section 5.5.3).
    """
    if payload not in waiting:
        return
    now = loop.time()
    for sent, (future, at) in list(waiting.items()):
        del waiting[sent]
        if not future.done():
            future.set_result(now - at)
        if sent == payload:
            return


def cancel_pings(waiting: Pings) -> None:
    """Cancel all: no Pong will come any more."""
    for future, _ in waiting.values():
        future.cancel()
    waiting.clear()
