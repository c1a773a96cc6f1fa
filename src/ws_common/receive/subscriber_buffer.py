"""A bounded buffer between what arrives and one reader.

Writing never waits: what happens above the limit is the buffer's overflow. Reading
waits, and cancelling a read loses nothing: an item leaves the buffer only in the
very call that returns it.

What arrives in a batch is kept in a segment, together with its size and, where one
follows, the end of its connection. So the work per message is one `append` in C on
the way in and one `popleft` on the way out. A reader that is not behind takes from
`items`, the messages of the current segment, without asking for the size of each:
the size of a segment is subtracted as a whole when the reader has finished it.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ws_common.receive.end_marker import End, Ended
from ws_common.receive.limits import Limits
from ws_common.receive.segments import (
    EMPTY_SEGMENT,
    SEGMENT_SIZE,
    Segment,
    SegmentedQueue,
)
from ws_common.vocabulary.errors import WSStreamOverflowError
from ws_common.vocabulary.messages import payload_size

T = TypeVar("T")


def ignore(*_what: Any) -> None:
    """What is called where nobody has asked to be told."""


class Buffer(SegmentedQueue[T]):
    """Items and ends, in order, for one reader (or several that share it).

    Args:
        limits: How much it holds.
        on_watermark: Called when `full` has changed.
        on_drop: Called with how many items it did not keep.

    Attributes:
        items: The messages of the current segment: what is read next. May be taken
            from directly while `full` is False.
        bytes: Payload bytes held, at most.
        dropped: How many items overflow has dropped.
        full: Whether it is above its limit and reading was asked to pause.
        end: The final end, once it was marked.
        connection: The only connection whose messages it takes; None: any.
        made_at: The line of the application that made its subscriber.
        reads: How many items were read while it was full: tells a stuck reader from
            a slow one.
    """

    # Declared again because this class assigns them too, which a type checker would
    # take for an override without a type.
    items: deque[T]
    bytes: int

    __slots__ = (
        "_capacity",
        "_max_bytes",
        "_on_drop",
        "_on_watermark",
        "_policy",
        "_waiters",
        "connection",
        "dropped",
        "end",
        "full",
        "made_at",
        "reads",
    )

    def __init__(
        self,
        limits: Limits,
        on_watermark: Callable[[], None] = ignore,
        on_drop: Callable[[int], None] = ignore,
    ) -> None:
        super().__init__()
        self.connection: int | None = None
        self.dropped: int = 0
        self.reads: int = 0
        self.full: bool = False
        self.end: End | None = None
        self.made_at: str = ""
        self._on_drop = on_drop
        self._on_watermark = on_watermark
        self._waiters: list[asyncio.Future[End | None]] = []
        self.set_limits(limits)

    def set_limits(self, limits: Limits) -> None:
        """Change how much it holds; the new limits hold for what is here, too."""
        capacity, max_bytes, overflow, can_pause = limits
        if overflow == "pause" and not can_pause:
            capacity, overflow = None, "error"
        if overflow != "pause" and capacity is not None:
            max_bytes = None
        self._capacity = float("inf") if capacity is None else capacity
        self._max_bytes = float("inf") if max_bytes is None else max_bytes
        self._policy = overflow
        self._apply_overflow()
        if overflow != "pause" or self._is_below_low_watermark():
            self.resume()

    # Writing

    def extend(self, batch: Sequence[T], size: int, connection: int = 0) -> None:
        """Append a batch, or do what overflow says.

        Args:
            batch: One item or more.
            size: Payload bytes of all of them.
            connection: The number of the connection that brought them.
        """
        if self.end is not None:
            self._on_drop(len(batch))
            return
        tail = self._tail
        if (
            tail.connection == connection
            and tail.end is None
            and tail.size + size <= SEGMENT_SIZE
        ):
            tail.messages.extend(batch)
            tail.size += size
            tail.count += len(batch)
            if self._later:
                self._later_count += len(batch)
        else:
            self._add_segment(Segment(deque(batch), size, connection))
        self.bytes += size
        if self._waiters:
            self._wake_readers(len(batch))
        if (
            len(self.items) + self._later_count > self._capacity
            or self.bytes > self._max_bytes
        ):
            self._apply_overflow()

    def append_end(self, end: End) -> None:
        """Append an end, which no overflow can drop; whoever waits meets it."""
        if self.end is not None:
            return
        if end.final:
            self.end = end
        if self._tail is EMPTY_SEGMENT or self._tail.end is not None:
            # No message is ever put into it: it needs no deque.
            self._add_segment(Segment(EMPTY_SEGMENT.messages, 0, -1))
        self._tail.end = end
        self._wake_readers(len(self._waiters), end)

    def _apply_overflow(self) -> None:
        """Do what overflow says, if it holds too much."""
        self._recount_current()
        if not self._is_above_high_watermark():
            return
        if self._policy != "pause":
            self._drop(oldest=self._policy == "drop_oldest")
            if self._policy == "error":
                self.append_end(End(error=self._overflow_error(), final=True))
        elif not self.full:
            self.full = True
            self._on_watermark()

    def _is_above_high_watermark(self) -> bool:
        """Whether it holds too much; a single message is never too large."""
        count = self.waiting
        return count > self._capacity or (self.bytes > self._max_bytes and count > 1)

    def _drop(self, *, oldest: bool) -> None:
        before = self.dropped
        self.dropped += self._remove_while(self._is_above_high_watermark, oldest=oldest)
        self._on_drop(self.dropped - before)

    def _overflow_error(self) -> WSStreamOverflowError:
        held = f"{self.waiting} messages"
        if self._max_bytes != float("inf"):
            held += f" of {self.bytes:,} bytes"
        return WSStreamOverflowError(
            f"a subscriber did not keep up: its buffer was full with {held}; read "
            "faster, or choose stream_overflow or stream_capacity"
        )

    # Reading

    async def get(self) -> T:
        """Return the next item, waiting for one. Cancelling it loses nothing.

        Raises:
            Ended: An end was reached.
        """
        await self.wait_until_ready()
        return self.take()

    async def wait_until_ready(self) -> None:
        """Wait until `items` holds the next item. Cancelling it loses nothing.

        Raises:
            Ended: An end was reached.
        """
        while not self.items:
            current = self._current
            self.bytes -= current.size
            current.size = current.count = 0
            if self.full and self._is_below_low_watermark():
                self.resume()
            if current.end is not None:
                end, current.end = current.end, None
                raise Ended(end)
            if self._later:
                self._current = self._later.pop(0)
                self.items = self._current.messages
                self._later_count -= len(self.items)
            elif self.end is not None:
                raise Ended(self.end)
            else:
                reached = await self._wait_for_item()
                if reached is not None and not self.has_next:
                    raise Ended(reached)  # another reader has taken the mark

    def take(self) -> T:
        """Return the next item of `items`, and count it; there must be one."""
        item = self.items.popleft()
        size = payload_size(item)
        self._current.size -= size
        self._current.count -= 1
        self.bytes -= size
        if self.full:
            self.reads += 1
            if self._is_below_low_watermark():
                self.resume()
        return item

    def _is_below_low_watermark(self) -> bool:
        return self.waiting * 4 <= self._capacity and self.bytes * 4 <= self._max_bytes

    def resume(self) -> None:
        """Stop asking for a pause."""
        if self.full:
            self.full = False
            self._on_watermark()

    def keep_only(self, connection: int) -> None:
        """Drop what others brought than this connection, and take nothing of theirs.

        Only where nobody has read from it yet.
        """
        self.connection = connection
        before = self.waiting
        self._remove_others(connection)
        last = self._tail.end
        self.end = last if last is not None and last.final else None
        if before > self.waiting:
            self._on_drop(before - self.waiting)

    @property
    def has_waiters(self) -> bool:
        """Whether somebody is waiting for an item."""
        return bool(self._waiters)

    async def _wait_for_item(self) -> End | None:
        waiter: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except (asyncio.CancelledError, GeneratorExit) as error:
            if waiter in self._waiters:  # cancelled or collected while it waited
                self._waiters.remove(waiter)
            elif isinstance(error, asyncio.CancelledError) and self.has_next:
                self._wake_readers(1)  # it was our turn: hand it on
            raise

    def _wake_readers(self, count: int, end: End | None = None) -> None:
        woken = self._waiters[:count]
        del self._waiters[:count]
        for waiter in woken:
            if not waiter.done():
                waiter.set_result(end)
