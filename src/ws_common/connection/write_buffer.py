"""How full the send buffer of a connection is, and who waits for room in it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.transport import Transport

_MAX_OVERHEAD: Final = 64
"""Bytes that a message needs besides its payload, at most: those of RFC 6455 section
5.2 and of a TLS record, which some platforms count.
"""

_POLL_INTERVAL: Final = 0.005
"""Seconds between two looks at what has not left yet: no event tells that all has."""


class WriteBuffer:
    """Watches what was handed to a transport.

    The transport is asked only where its buffer may be above the limit, as in a
    browser that costs as much as sending a small message.

    Args:
        limit: Bytes above which senders wait.
    """

    __slots__ = ("_limit", "_upper_bound", "_waiters")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._upper_bound = float("inf")  # bytes in it, until the transport is asked
        self._waiters: list[asyncio.Future[None]] = []

    def add(self, size: int) -> None:
        """Count a message that was handed over; `size` is its payload in bytes."""
        self._upper_bound += size + _MAX_OVERHEAD

    def is_above(self, transport: Transport) -> bool:
        """Whether it is above the limit."""
        if self._upper_bound <= self._limit:
            return False
        self._upper_bound = transport.buffered_amount
        return self._upper_bound > self._limit

    def wait_below(self, transport: Transport) -> Awaitable[None]:
        """Wait until it is below the limit; `fail()` makes this raise."""
        waiter = asyncio.get_running_loop().create_future()
        if self.is_above(transport):
            self._waiters = [one for one in self._waiters if not one.done()]
            self._waiters.append(waiter)
        else:
            waiter.set_result(None)
        return waiter

    async def wait_flushed(
        self, transport: Transport, clock: Clock, within: float
    ) -> None:
        """Wait until the transport has nothing left, or so many seconds."""
        deadline = clock.monotonic() + within
        # ruff: noqa: ASYNC110 - there is no event to wait for
        while transport.buffered_amount and clock.monotonic() < deadline:
            await asyncio.sleep(_POLL_INTERVAL)

    def on_drained(self) -> None:
        """The transport says that there is room again."""
        for waiter in self._take_waiters():
            waiter.set_result(None)

    def fail(self, make_error: Callable[[], Exception]) -> None:
        """There will be no room any more."""
        for waiter in self._take_waiters():
            waiter.set_exception(make_error())

    def _take_waiters(self) -> list[asyncio.Future[None]]:
        waiters, self._waiters = self._waiters, []
        return [waiter for waiter in waiters if not waiter.done()]
