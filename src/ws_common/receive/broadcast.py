"""Hands what arrives to every subscriber's buffer, and pauses the source for them.

What comes before the first subscriber is kept in a buffer that nobody reads yet, and
the first subscriber takes that buffer over.
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
from ws_common.vocabulary.tasks import report

T = TypeVar("T")


class Broadcast(Generic[T]):
    """One source, many buffers.

    Args:
        limits: Of each buffer, unless a subscriber says otherwise.
        keep: Whether what comes before the first subscriber is kept for it.
        client_loop: The loop of those who read.
        on_watermark: Called when a buffer asks for a pause, or no longer does.
        on_drop: Called with how many items a buffer did not keep.

    Attributes:
        ended: The end that a reader with an empty buffer meets; None: it waits.
        kept: What is kept for the first subscriber; None: nothing is.
        listeners: The tasks that call listeners back.
        on_discarded: Told how many items came, or were left, with no subscriber.
        check_connect_called: Raises where nothing was ever asked to come.
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
        self._buffers: tuple[Buffer[T], ...] = ()
        self.listeners: tuple[asyncio.Task[None], ...] = ()

    def publish(self, batch: Sequence[T], size: int, connection: int = 0) -> None:
        """Hand a batch to every buffer.

        Args:
            batch: One item or more.
            size: Payload bytes of all of them.
            connection: The number of the connection that brought them.
        """
        if self._keeps:
            self.kept = self._make_buffer()
        was_taken = False
        for buffer in self._buffers:
            if buffer.end is not None:
                self._buffers = tuple(one for one in self._buffers if one.end is None)
            elif buffer.connection is None or buffer.connection == connection:
                buffer.extend(batch, size, connection)
                was_taken = True
        if not was_taken:  # nobody is there, or only buffers that do not take it
            self.on_discarded(len(batch))

    def publish_one(self, item: T, connection: int = 0) -> None:
        """Hand one item to every buffer."""
        self.publish((item,), payload_size(item), connection)

    def attach(
        self,
        capacity: int | None = None,
        overflow: Overflow | None = None,
        *,
        connection: int | None = None,
    ) -> Buffer[T]:
        """Make a subscriber's buffer; the first one holds what was kept.

        Args:
            capacity: Items in the buffer; None: as the limits say.
            overflow: What happens above that; None: as the limits say.
            connection: The only connection whose items it takes; None: any. What was
                kept of earlier ones is dropped, since nobody else would get it either.

        Raises:
            ValueError: A capacity or overflow that does not exist.
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
        """End a subscriber's buffer: it holds nobody up any more.

        What the last subscriber leaves is heard by nobody.
        """
        self._buffers = tuple(one for one in self._buffers if one is not buffer)
        buffer.append_end(End(final=True))
        remaining = buffer.drain()
        buffer.resume()
        if remaining and not self._buffers:
            self.on_discarded(len(remaining))

    def end_connection(self, connection: int, end: End) -> None:
        """Let nothing more into the buffers of one connection; they can be read on."""
        for buffer in self._buffers:
            if buffer.connection == connection:
                buffer.append_end(end)
                buffer.resume()
        self._buffers = tuple(
            one for one in self._buffers if one.connection != connection
        )

    def end_all(self, end: End) -> None:
        """Put an end behind what is buffered, for everybody and whoever comes later."""
        self.ended = end
        self.end_current(end)

    def end_current(self, end: End) -> None:
        """End everybody who is there now: something was lost for all of them."""
        for buffer in self._buffers:
            # A later subscriber was not there: `ended` is enough for that one.
            if end.final or buffer is not self.kept:
                buffer.append_end(end)

    def reopen(self) -> None:
        """More may come: readers of an empty buffer wait again."""
        self.ended = None

    def add_listener(self, task: "asyncio.Task[None]") -> None:
        """Keep a listener's task: whoever holds the source holds its listeners."""
        self.listeners = (*self.listeners, task)
        task.add_done_callback(self._remove_listener)

    @property
    def full_buffers(self) -> list[Buffer[T]]:
        """The buffers that ask for a pause."""
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
        report(task)
