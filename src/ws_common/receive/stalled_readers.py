"""Reports the subscriber that pauses the socket and is not read.

A subscriber that nobody reads fills its buffer, and then the socket is not read for
any subscriber. One forgotten variable would make a client stop without an explanation,
so an event names the line that made the subscriber.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ws_common.receive.broadcast import Broadcast
from ws_common.receive.subscriber_buffer import Buffer

REPORT_AFTER = 5.0
"""Seconds without a read after which a subscriber with a full buffer is reported."""


class StalledReaders:
    """Checks full buffers every `REPORT_AFTER` seconds, as long as there are any.

    Args:
        messages: The broadcast whose buffers are checked.
        report: Reports an event.
    """

    # A timer and not a time stamp per read: reading a message must not cost anything
    # for this. While nothing is full, there is no timer either.

    __slots__ = ("_messages", "_reads", "_report", "_reported", "_timer")

    def __init__(self, messages: Broadcast[Any], report: Callable[..., None]) -> None:
        self._messages = messages
        self._report = report
        self._timer: asyncio.TimerHandle | None = None
        self._reads: dict[Buffer[Any], int] = {}
        self._reported: Sequence[Buffer[Any]] = ()

    def watch(self) -> None:
        """Start or stop the timer. Call this when a buffer may have become full."""
        ended = self._messages.ended
        if not self._messages.full_buffers or (ended is not None and ended.final):
            self.stop()
        elif self._timer is None:
            self._reads = {
                buffer: buffer.reads for buffer in self._messages.full_buffers
            }
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(REPORT_AFTER, self._check)

    def stop(self) -> None:
        """Stop checking, and forget which subscribers were reported."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._reported = ()

    @property
    def descriptions(self) -> list[str]:
        """A description of each subscriber that was found not to be read."""
        return [self._describe(buffer) for buffer in self._reported]

    def _check(self) -> None:
        before = self._reported
        self._reported = [
            buffer
            for buffer in self._messages.full_buffers
            # A reader that waits for a message reads the next one as soon as it comes.
            if self._reads.get(buffer) == buffer.reads and not buffer.has_waiters
        ]
        for buffer in self._reported:
            # One event per stall is enough: what is reported stays in `descriptions`.
            if buffer not in before:
                who = self._describe(buffer)
                self._report("subscriber_stuck", who=who, waiting=buffer.waiting)
        self._timer = None
        self.watch()

    def _describe(self, buffer: Buffer[Any]) -> str:
        """Describe a subscriber by the line of the program that made it."""
        if buffer is self._messages.kept:
            return (
                "nobody has subscribed: read from client.stream, or call client.recv()"
            )
        made_at = buffer.made_at
        return f"the subscriber made at {made_at} is not read: read it or close it"
