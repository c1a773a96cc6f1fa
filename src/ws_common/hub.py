"""Fans items out to every subscriber's buffer, and pauses the source for them.

The first buffer exists before any subscriber does: it keeps what arrives early, and
the first subscriber adopts it.
"""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar, get_args

from ws_common.buffer import Buffer, End, Limits
from ws_common.platform import Overflow

T = TypeVar("T")


class Hub(Generic[T]):
    """One source, many buffers.

    Args:
        limits: Of each buffer, unless a subscriber says otherwise.
        keep: Whether what comes before the first subscriber is kept for it.

    Attributes:
        publish: Hand one item to every buffer. An attribute, not a method: with a
            single buffer it is that buffer's `put`, which saves a call a message.
        ended: The end that a reader with an empty buffer meets; None: it waits.
        listeners: The tasks that call listeners back.
        unheard: Items that came while nobody was subscribed any more.
    """

    def __init__(self, limits: Limits, *, keep: bool) -> None:
        self.limits = limits
        self.ended: End | None = None
        self.publish: Callable[[T], None] = self._unheard
        self.unheard: int = 0
        self.on_pressure: Callable[[bool], None] = lambda _full: None
        self.on_drop: Callable[[Buffer[T], int], None] = lambda _buffer, _count: None
        self.listeners: set[asyncio.Task[None]] = set()
        self._buffers: tuple[Buffer[T], ...] = ()
        self._full: set[Buffer[T]] = set()
        self._kept: Buffer[T] | None = None
        self._older = self._lost = 0
        self._over: End | None = None
        if keep:
            self._kept = self._make(limits)
        self._rewire()

    def begin(self) -> None:
        """A connection opens: what has been kept so far came before it."""
        if self._kept is not None:
            self._older, self._lost = len(self._kept.messages), self._kept.dropped
            self._over = self._kept.end

    def attach_now(self) -> Buffer[T]:
        """Make a buffer like `attach`, but without what came before `begin()`.

        Nobody else would get that either, so it is dropped, and told to `on_drop`.
        """
        kept, self._kept = self._kept, None
        buffer = self.attach()
        if kept is None:
            return buffer
        older = self._older
        if kept.limits.overflow == "drop_oldest":
            older -= kept.dropped - self._lost  # they have gone already
        messages = kept.messages
        end = kept.end if self._over is None else None
        self.detach(kept)
        for message in messages[max(0, older) :]:
            buffer.put(message)
        if end is not None:
            buffer.mark(end)
        if older > 0:
            self._dropped(kept, older)
        return buffer

    def attach(
        self, capacity: int | None = None, overflow: Overflow | None = None
    ) -> Buffer[T]:
        """Make a subscriber's buffer; the first one holds what was kept.

        Raises:
            ValueError: A capacity or overflow that does not exist.
        """
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
        buffer, self._kept = self._kept, None
        if buffer is None:
            buffer = self._make(limits)
        else:
            buffer.limit(limits)
        if self.ended is not None and self.ended.final:
            buffer.mark(self.ended)
        self._rewire()
        return buffer

    def detach(self, buffer: Buffer[T]) -> None:
        """End a subscriber's buffer: it holds nobody up any more."""
        self._buffers = tuple(one for one in self._buffers if one is not buffer)
        buffer.mark(End(final=True))
        buffer.clear()
        self._rewire()

    def seal(self, buffer: Buffer[T], end: End) -> None:
        """Nothing more comes into a buffer; what it holds can still be read."""
        buffer.mark(end)
        buffer.relieve()
        self._buffers = tuple(one for one in self._buffers if one is not buffer)
        self._rewire()

    def mark(self, end: End) -> None:
        """Put an end behind what is buffered, for everybody."""
        self.ended = end
        for buffer in self._buffers:
            # Whoever subscribes later was not there: `ended` is enough for him.
            if end.final or buffer is not self._kept:
                buffer.mark(end)

    def fail(self, end: End) -> None:
        """End everybody who is there now: something was lost for all of them."""
        for buffer in self._buffers:
            buffer.mark(end)

    def revive(self) -> None:
        """More may come: readers of an empty buffer wait again."""
        self.ended = None

    @property
    def full(self) -> frozenset[Buffer[T]]:
        """The buffers that ask for a pause."""
        return frozenset(self._full)

    @property
    def kept(self) -> Buffer[T] | None:
        """What is kept for the first subscriber, until there is one."""
        return self._kept

    @property
    def subscribers(self) -> int:
        """How many there are."""
        return len(self._buffers) - (self._kept is not None)

    def _make(self, limits: Limits) -> Buffer[T]:
        buffer: Buffer[T] = Buffer(limits)
        buffer.on_pressure = self._press
        buffer.on_drop = self._dropped
        self._buffers = (*self._buffers, buffer)
        return buffer

    def _rewire(self) -> None:
        match self._buffers:
            case ():
                self.publish = self._unheard
            case (only,):
                self.publish = only.put
            case _:
                self.publish = self._to_all

    def _to_all(self, item: T) -> None:
        for buffer in self._buffers:
            buffer.put(item)

    def _unheard(self, _item: T) -> None:
        self.unheard += 1

    def _press(self, buffer: Buffer[T], full: bool) -> None:  # noqa: FBT001
        before = bool(self._full)
        (self._full.add if full else self._full.discard)(buffer)
        if bool(self._full) is not before:
            self.on_pressure(bool(self._full))

    def _dropped(self, buffer: Buffer[T], count: int) -> None:
        self.on_drop(buffer, count)
