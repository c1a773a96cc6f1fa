"""Hands what arrives to every subscriber's buffer, and pauses the source for them.

What comes before the first subscriber is kept in a buffer that nobody reads yet, and
the first subscriber takes that buffer over.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar, get_args

from ws_common.buffer import Buffer, End, Limits
from ws_common.client_loop import ClientLoop
from ws_common.messages import payload_size
from ws_common.platform import Overflow
from ws_common.tasks import report

T = TypeVar("T")

_NONE: frozenset["asyncio.Task[None]"] = frozenset()


class Broadcast(Generic[T]):
    """One source, many buffers.

    Args:
        limits: Of each buffer, unless a subscriber says otherwise.
        keep: Whether what comes before the first subscriber is kept for it.
        home: The loop of those who read.

    Attributes:
        ended: The end that a reader with an empty buffer meets; None: it waits.
        kept: What is kept for the first subscriber; None: nothing is.
        listeners: The tasks that call listeners back.
        on_pressure: Told of a buffer that asks for a pause, or no longer does.
        on_drop: Told of a buffer whose overflow has dropped so many items.
        on_unheard: Told how many items came, or were left, with no subscriber.
        check_asked: Raises where nothing was ever asked to come.
    """

    __slots__ = (
        "__weakref__",
        "_buffers",
        "_keeps",
        "check_asked",
        "ended",
        "home",
        "kept",
        "limits",
        "listeners",
        "on_drop",
        "on_pressure",
        "on_unheard",
    )

    def __init__(
        self, limits: Limits, *, keep: bool, home: ClientLoop | None = None
    ) -> None:
        self.limits: Limits = limits
        self.home: ClientLoop = home or ClientLoop()
        self.ended: End | None = None
        self.kept: Buffer[T] | None = None
        self.on_pressure: Callable[[Buffer[T], bool], None] = _ignore
        self.on_drop: Callable[[Buffer[T], int], None] = _ignore
        self.on_unheard: Callable[[int], None] = _ignore
        self.check_asked: Callable[[], None] = _ignore
        self._keeps = keep
        self._buffers: tuple[Buffer[T], ...] = ()
        self.listeners: frozenset[asyncio.Task[None]] = _NONE

    def publish(self, batch: Sequence[T], size: int, connection: int = 0) -> None:
        """Hand a batch to every buffer.

        Args:
            batch: One item or more.
            size: Payload bytes of all of them.
            connection: The number of the connection that brought them.
        """
        buffers = self._buffers or self._when_nobody_listens(batch)
        heard = not buffers  # else that was told
        for buffer in buffers:
            if buffer.end is not None:
                self._buffers = tuple(one for one in self._buffers if one.end is None)
            elif buffer.connection is None or buffer.connection == connection:
                buffer.extend(batch, size, connection)
                heard = True
        if not heard:  # all have ended, or are of other connections
            self.on_unheard(len(batch))

    def publish_one(self, item: T, connection: int = 0) -> None:
        """Hand one item to every buffer."""
        self.publish((item,), payload_size(item), connection)

    def attach(
        self, capacity: int | None = None, overflow: Overflow | None = None
    ) -> Buffer[T]:
        """Make a subscriber's buffer; the first one holds what was kept.

        Raises:
            ValueError: A capacity or overflow that does not exist.
        """
        limits = self._limits_of(capacity, overflow)
        buffer, self.kept = self.kept, None
        if buffer is None:
            buffer = self._make(Buffer(limits))
        else:
            buffer.limit(limits)
        if self.ended is not None and self.ended.final:
            buffer.mark(self.ended)
        return buffer

    def attach_to(self, connection: int) -> Buffer[T]:
        """Make a buffer for what one connection brings, and has brought.

        What was kept of earlier connections is dropped and counted, since nobody
        else would get it either.
        """
        buffer, self.kept = self.kept, None
        if buffer is None:
            buffer = self._make(Buffer(self.limits))
        buffer.connection = connection
        older = buffer.keep_only(connection)
        buffer.limit(self.limits)
        if older:
            self._dropped(buffer, older)
        if self.ended is not None and self.ended.final:
            buffer.mark(self.ended)
        return buffer

    def detach(self, buffer: Buffer[T]) -> None:
        """End a subscriber's buffer: it holds nobody up any more.

        What the last subscriber leaves is heard by nobody.
        """
        self._buffers = tuple(one for one in self._buffers if one is not buffer)
        left = buffer.waiting
        buffer.mark(End(final=True))
        buffer.clear()
        if left and not self._buffers:
            self.on_unheard(left)

    def finish(self, connection: int, end: End) -> None:
        """Let nothing more into the buffers of one connection; they can be read on."""
        for buffer in self._buffers:
            if buffer.connection == connection:
                buffer.mark(end)
                buffer.release()
        self._buffers = tuple(
            one for one in self._buffers if one.connection != connection
        )

    def mark(self, end: End) -> None:
        """Put an end behind what is buffered, for everybody."""
        self.ended = end
        for buffer in self._buffers:
            # A later subscriber was not there: `ended` is enough for that one.
            if end.final or buffer is not self.kept:
                buffer.mark(end)

    def fail(self, end: End) -> None:
        """End everybody who is there now: something was lost for all of them."""
        for buffer in self._buffers:
            buffer.mark(end)

    def reopen(self) -> None:
        """More may come: readers of an empty buffer wait again."""
        self.ended = None

    def hold(self, task: "asyncio.Task[None]") -> None:
        """Keep a listener's task: whoever holds the source holds its listeners."""
        self.listeners |= {task}
        task.add_done_callback(self._let_go)

    @property
    def full(self) -> list[Buffer[T]]:
        """The buffers that ask for a pause."""
        return [buffer for buffer in self._buffers if buffer.full]

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return len(self._buffers) - (self.kept is not None)

    def _limits_of(self, capacity: int | None, overflow: Overflow | None) -> Limits:
        limits = self.limits
        if capacity is not None:
            if type(capacity) is not int or capacity < 0:
                msg = f"capacity must be 0 or more, not {capacity!r}"
                raise ValueError(msg)
            limits = limits._replace(capacity=capacity)
        if overflow is not None:
            if overflow not in get_args(Overflow):
                msg = f"overflow must be one of {get_args(Overflow)}, not {overflow!r}"
                raise ValueError(msg)
            limits = limits._replace(overflow=overflow)
        return limits

    def _make(self, buffer: Buffer[T]) -> Buffer[T]:
        buffer.on_pressure = self._pressed
        buffer.on_drop = self._dropped
        self._buffers = (*self._buffers, buffer)
        self._keeps = False
        return buffer

    def _when_nobody_listens(self, batch: Sequence[T]) -> tuple[Buffer[T], ...]:
        if not self._keeps:
            self.on_unheard(len(batch))
            return ()
        self.kept = self._make(Buffer(self.limits))
        return self._buffers

    def _let_go(self, task: "asyncio.Task[None]") -> None:
        self.listeners -= {task}
        report(task)

    def _pressed(self, buffer: Buffer[T], full: bool) -> None:  # noqa: FBT001
        self.on_pressure(buffer, full)

    def _dropped(self, buffer: Buffer[T], count: int) -> None:
        self.on_drop(buffer, count)


def _ignore(*_what: Any) -> None:
    """What happens where nobody has asked to be told."""
