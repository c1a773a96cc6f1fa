"""Hands what arrives to the buffer of every subscriber.

Messages that come before the first subscriber are kept in a buffer that nobody reads
yet. The first subscriber takes that buffer over, so that a greeting which the server
sends at once is not lost.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, get_args

from ws_common.options.platform import Overflow
from ws_common.receive.end_marker import End
from ws_common.receive.limits import Limits
from ws_common.receive.subscriber_buffer import Buffer, ignore
from ws_common.vocabulary.client_loop import ClientLoop
from ws_common.vocabulary.messages import payload_size
from ws_common.vocabulary.tasks import report_crash

T = TypeVar("T")


class Broadcast(Generic[T]):
    """One source of items, and the buffers of its subscribers.

    Args:
        limits: The limits of every buffer whose subscriber sets none of its own.
        keep: Whether to keep items that come before the first subscriber.
        client_loop: The event loop that subscribers belong to.
        on_watermark: Called when a buffer asks for a pause, or no longer does.
        on_drop: Called with the number of items that a buffer did not keep.

    Attributes:
        ended: The end that a reader with an empty buffer meets; None: it waits.
        kept: The buffer for the first subscriber; None: nothing is kept.
        listeners: The tasks that call listeners back.
        on_discarded: Called with the number of items that had no subscriber, or that
            the last subscriber left behind.
        check_connect_called: Raises if the client was never asked to connect.
    """

    __slots__ = (
        "__weakref__",
        "_buffers",
        "_keeps",
        "check_connect_called",
        "client_loop",
        "ended",
        "kept",
        "limits",
        "listeners",
        "on_discarded",
        "on_drop",
        "on_watermark",
    )

    def __init__(
        self,
        limits: Limits,
        *,
        keep: bool,
        client_loop: ClientLoop | None = None,
        on_watermark: Callable[[], None] = ignore,
        on_drop: Callable[[int], None] = ignore,
    ) -> None:
        self.limits: Limits = limits
        self.client_loop: ClientLoop = client_loop or ClientLoop()
        self.ended: End | None = None
        self.kept: Buffer[T] | None = None
        self.on_watermark: Callable[[], None] = on_watermark
        self.on_drop: Callable[[int], None] = on_drop
        self.on_discarded: Callable[[int], None] = ignore
        self.check_connect_called: Callable[[], None] = ignore
        self._keeps = keep
        # A tuple that is replaced, since a subscriber may come or go while one loops
        # over it. It also takes less memory than a set, and most clients have one.
        self._buffers: tuple[Buffer[T], ...] = ()
        self.listeners: tuple[asyncio.Task[None], ...] = ()

    def publish(self, batch: Sequence[T], size: int, connection: int = 0) -> None:
        """Append a batch to every buffer.

        Args:
            batch: One item or more.
            size: The payload bytes of all of them.
            connection: The number of the connection that brought them.
        """
        if self._keeps:
            self.kept = self._make_buffer()
        was_taken = False
        for buffer in self._buffers:
            # A buffer that has ended, by an overflow for example, is removed by the
            # next batch: it may still be read, but nothing goes into it any more.
            if buffer.end is not None:
                self._buffers = tuple(one for one in self._buffers if one.end is None)
            elif buffer.connection is None or buffer.connection == connection:
                buffer.extend(batch, size, connection)
                was_taken = True
        # There may also be only buffers of sessions of other connections.
        if not was_taken:
            self.on_discarded(len(batch))

    def publish_one(self, item: T, connection: int = 0) -> None:
        """Append one item to every buffer."""
        self.publish((item,), payload_size(item), connection)

    def attach(
        self,
        capacity: int | None = None,
        overflow: Overflow | None = None,
        *,
        connection: int | None = None,
    ) -> Buffer[T]:
        """Make the buffer of a subscriber. The first one gets the items that were kept.

        Args:
            capacity: The number of items in the buffer; None: that of the limits.
            overflow: What happens above that; None: that of the limits.
            connection: The only connection whose items it accepts; None: any. Items
                that were kept of other connections are dropped, since nobody else
                would get them either.

        Raises:
            ValueError: The capacity is negative, or the overflow has no such value.
        """
        limits = self._limits_of(capacity, overflow)
        buffer = self.kept or self._make_buffer()
        self.kept = None
        if connection is not None:
            buffer.keep_only(connection)
        buffer.set_limits(limits)
        if self.ended is not None and self.ended.final:
            buffer.append_end(self.ended)
        return buffer

    def detach(self, buffer: Buffer[T]) -> None:
        """End the buffer of a subscriber, which no longer pauses the socket.

        Items that the last subscriber leaves behind are counted as discarded.
        """
        self._buffers = tuple(one for one in self._buffers if one is not buffer)
        buffer.append_end(End(final=True))
        remaining = buffer.drain()
        buffer.resume()
        if remaining and not self._buffers:
            self.on_discarded(len(remaining))

    def end_connection(self, connection: int, end: End) -> None:
        """Close the buffers of one connection for writing. They can still be read."""
        for buffer in self._buffers:
            if buffer.connection == connection:
                buffer.append_end(end)
                buffer.resume()
        self._buffers = tuple(
            one for one in self._buffers if one.connection != connection
        )

    def end_all(self, end: End) -> None:
        """Append an end for all readers, and for those who subscribe later."""
        self.ended = end
        self.end_current(end)

    def end_current(self, end: End) -> None:
        """Append an end to all buffers that exist now."""
        for buffer in self._buffers:
            # Whoever takes the kept buffer over later was not there when the
            # connection ended. Such a reader asks `ended` when the buffer is empty.
            if end.final or buffer is not self.kept:
                buffer.append_end(end)

    def reopen(self) -> None:
        """Let readers of an empty buffer wait again, because items may come."""
        self.ended = None

    def add_listener(self, task: "asyncio.Task[None]") -> None:
        """Keep the task of a listener for as long as this source is referenced."""
        # A loop refers to its tasks weakly (asyncio.create_task). Nobody has to keep
        # what `listen()` returns, so that the reference has to be here.
        self.listeners = (*self.listeners, task)
        task.add_done_callback(self._remove_listener)

    @property
    def full_buffers(self) -> list[Buffer[T]]:
        """The buffers that are asking for a pause."""
        return [buffer for buffer in self._buffers if buffer.full]

    def _limits_of(self, capacity: int | None, overflow: Overflow | None) -> Limits:
        if capacity is None:
            capacity = self.limits.capacity
        elif type(capacity) is not int or capacity < 0:
            raise ValueError(f"capacity must be 0 or more, not {capacity!r}")
        if overflow is None:
            overflow = self.limits.overflow
        elif overflow not in get_args(Overflow):
            raise ValueError(
                f"overflow must be one of {get_args(Overflow)}, not {overflow!r}"
            )
        return self.limits._replace(capacity=capacity, overflow=overflow)

    def _make_buffer(self) -> Buffer[T]:
        buffer: Buffer[T] = Buffer(self.limits, self.on_watermark, self.on_drop)
        self._buffers = (*self._buffers, buffer)
        self._keeps = False
        return buffer

    def _remove_listener(self, task: "asyncio.Task[None]") -> None:
        self.listeners = tuple(one for one in self.listeners if one is not task)
        report_crash(task)
