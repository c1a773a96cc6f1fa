"""Pings that wait for their Pong."""

import asyncio
import os


class Pings:
    """The Pings of one connection, oldest first.

    The library keeps such a table too, but only for its own `ping()`, which waits
    for the write buffer and is a coroutine.
    """

    __slots__ = ("_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[bytes, tuple[asyncio.Future[float], float]] = {}

    def new(self) -> tuple[bytes, asyncio.Future[float]]:
        """Return the payload of a Ping, and the future of its round trip, in seconds.

        The payload cannot be guessed, so that a peer answers only what it has read.
        """
        payload = os.urandom(4)
        while payload in self._waiting:
            payload = os.urandom(4)
        future: asyncio.Future[float] = self._loop.create_future()
        self._waiting[payload] = future, self._loop.time()
        return payload, future

    def answered(self, payload: bytes) -> None:
        """Settle this Ping and all before it; an unsolicited Pong is ignored.

        A peer may answer the most recent Ping alone (RFC 6455 section 5.5.3).
        """
        if payload not in self._waiting:
            return
        now = self._loop.time()
        for sent, (future, at) in list(self._waiting.items()):
            del self._waiting[sent]
            if not future.done():
                future.set_result(now - at)
            if sent == payload:
                return

    def cancel(self) -> None:
        """Cancel all: no Pong will come any more."""
        for future, _ in self._waiting.values():
            future.cancel()
        self._waiting.clear()
