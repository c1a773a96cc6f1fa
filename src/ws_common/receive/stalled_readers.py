"""Names the subscriber that holds the socket and is not read.

One forgotten variable must not be a mystery: a subscriber that nobody reads fills
its buffer, and then nothing more is read from the socket, for anybody.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from ws_common.receive.broadcast import Broadcast
from ws_common.receive.subscriber_buffer import Buffer

REPORT_AFTER = 5.0
"""Seconds of holding the socket without a read before a subscriber is named."""


class StalledReaders:
    """Looks at full buffers every `REPORT_AFTER` seconds, while there are any.

    Args:
        messages: Whose buffers.
        report: Reports an event.
    """

    __slots__ = ("_messages", "_reads", "_report", "_reported", "_timer")

    def __init__(self, messages: Broadcast[Any], report: Callable[..., None]) -> None:
        self._messages = messages
        self._report = report
        self._timer: asyncio.TimerHandle | None = None
        self._reads: dict[Buffer[Any], int] = {}
        self._reported: Sequence[Buffer[Any]] = ()

    def watch(self) -> None:
        """Watch while a buffer is full; called when that may have changed."""
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
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._reported = ()

    @property
    def descriptions(self) -> list[str]:
        """Who holds the socket without being read, in words."""
        return [self._describe(buffer) for buffer in self._reported]

    def _check(self) -> None:
        before = self._reported
        self._reported = [
            buffer
            for buffer in self._messages.full_buffers
            if self._reads.get(buffer) == buffer.reads and not buffer.has_waiters
        ]
        for buffer in self._reported:
            if buffer not in before:
                who = self._describe(buffer)
                self._report("subscriber_stuck", who=who, waiting=buffer.waiting)
        self._timer = None
        self.watch()

    def _describe(self, buffer: Buffer[Any]) -> str:
        """Name a subscriber so that its line can be found."""
        if buffer is self._messages.kept:
            return (
                "nobody has subscribed: read from client.stream, or call client.recv()"
            )
        made_at = buffer.made_at
        return f"the subscriber made at {made_at} is not read: read it or close it"
