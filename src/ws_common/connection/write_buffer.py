"""The write limit of a connection, and the senders that wait for room."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.transport import Transport

_MAX_OVERHEAD: Final = 64
"""Bytes that a message needs at most besides its payload.

A frame header has up to 14 bytes (RFC 6455, section 5.2), and some platforms count the
TLS record around it too.
"""

_POLL_INTERVAL: Final = 0.005
"""Seconds between two looks at the send buffer while waiting until it is empty."""


class WriteBuffer:
    """Tell when the send buffer of a transport is above the write limit.

    Args:
        limit: Bytes above which senders wait.
    """

    __slots__ = ("_limit", "_upper_bound", "_waiters")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        # Bytes that the buffer holds at most. The transport is asked only where this
        # is above the limit: in a browser, reading `bufferedAmount` costs as much as
        # sending a small message. Infinite before the transport was asked once.
        self._upper_bound = float("inf")
        self._waiters: list[asyncio.Future[None]] = []

    def add(self, size: int) -> None:
        """Count a message that was handed over.

        Args:
            size: Its payload in bytes.
        """
        self._upper_bound += size + _MAX_OVERHEAD

    def is_above(self, transport: Transport) -> bool:
        """Whether the buffer is above the limit."""
        if self._upper_bound <= self._limit:
            return False
        self._upper_bound = transport.buffered_amount
        return self._upper_bound > self._limit

    def wait_below(self, transport: Transport) -> Awaitable[None]:
        """Wait until the buffer is below the limit; `fail()` makes this raise."""
        waiter = asyncio.get_running_loop().create_future()
        if self.is_above(transport):
            # Cancelled waiters go here, not in a callback of each: a caller that
            # retries with timeouts would otherwise make this list grow.
            self._waiters = [one for one in self._waiters if not one.done()]
            self._waiters.append(waiter)
        else:
            waiter.set_result(None)
        return waiter

    async def wait_flushed(
        self, transport: Transport, clock: Clock, within: float
    ) -> None:
        """Wait until the buffer is empty. Cancelling is harmless.

        Args:
            transport: The transport whose buffer it is.
            clock: The clock that bounds the wait.
            within: Seconds after which to return although it is not empty.
        """
        deadline = clock.monotonic() + within
        # Neither asyncio nor a browser has an event for an empty buffer: asyncio calls
        # `resume_writing()` at its low watermark, and `bufferedAmount` has no event.
        # ruff: noqa: ASYNC110 - there is no event to wait for
        while transport.buffered_amount and clock.monotonic() < deadline:
            await asyncio.sleep(_POLL_INTERVAL)

    def on_drained(self) -> None:
        """Wake those who wait: the buffer is below the limit again."""
        for waiter in self._take_waiters():
            waiter.set_result(None)

    def fail(self, make_error: Callable[[], Exception]) -> None:
        """Raise in those who wait: the connection has ended.

        Args:
            make_error: Makes an error for each of them, as an exception that several
                tasks raise would collect the tracebacks of all.
        """
        for waiter in self._take_waiters():
            waiter.set_exception(make_error())

    def _take_waiters(self) -> list[asyncio.Future[None]]:
        waiters, self._waiters = self._waiters, []
        return [waiter for waiter in waiters if not waiter.done()]
