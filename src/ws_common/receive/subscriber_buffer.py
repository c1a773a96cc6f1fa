"""A bounded buffer between what arrives and one reader.

Writing never waits: `overflow` decides what happens above the limits. Reading waits,
and cancelling a read loses nothing, because a message leaves the buffer only in the
call that returns it.

A reader that is not behind pops messages from `items`, the current segment, and leaves
their sizes uncounted until the segment is finished; `segments.py` explains the storage.
While the buffer is above its limits, each message is taken and counted by `take()`, so
that reading is resumed as soon as the buffer is below its low watermark.
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
    """Do nothing. This is the default of optional callbacks."""


class Buffer(SegmentedQueue[T]):
    """Messages and ends, in order, for one reader or for several that share it.

    Args:
        limits: How much it holds, and what happens above that.
        on_watermark: Called when `full` has changed.
        on_drop: Called with the number of messages that it did not keep.

    Attributes:
        items: The messages of the current segment, which are read next. A reader may
            pop from it directly while `full` is False.
        bytes: The payload bytes that are held, at most.
        dropped: The number of messages that overflow has dropped.
        full: Whether the buffer went above its limits, asked for a pause, and is not
            below its low watermark yet.
        end: The final end, once there is one.
        connection: The only connection whose messages it accepts; None: any.
        made_at: The line of the application that made its subscriber.
        reads: The number of messages that were read while it was full, which
            distinguishes a slow reader from one that does not read.
    """

    # These are declared again because this class assigns them too. Without it, a type
    # checker would see an override whose type is ambiguous.
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
        """Change the limits, and apply the new ones to what is held already."""
        capacity, max_bytes, overflow, can_pause = limits
        if overflow == "pause" and not can_pause:
            # Without a way to pause, a burst may be of any number of messages: a bare
            # loop of `recv()` had 3,300 waiting of a burst of 5,000 in Chromium. The
            # limit in bytes alone keeps memory bounded.
            capacity, overflow = None, "error"
        if overflow != "pause" and capacity is not None:
            max_bytes = None
        self._capacity = float("inf") if capacity is None else capacity
        self._max_bytes = float("inf") if max_bytes is None else max_bytes
        self._policy = overflow
        self._apply_overflow()
        # A buffer that was full may not be by its new limits.
        if overflow != "pause" or self._is_below_low_watermark():
            self.resume()

    def extend(self, batch: Sequence[T], size: int, connection: int = 0) -> None:
        """Append a batch, and apply the overflow policy if it is too much.

        Args:
            batch: One message or more.
            size: The payload bytes of all of them.
            connection: The number of the connection that brought them.
        """
        # This is called for every batch and every subscriber. Its body is therefore
        # written out, without calls to methods of the storage.
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
        """Append an end, which no overflow can drop, and wake all readers that wait."""
        if self.end is not None:
            return
        if end.final:
            self.end = end
        if self._tail is EMPTY_SEGMENT or self._tail.end is not None:
            # The new segment never holds a message, so that it needs no deque.
            self._add_segment(Segment(EMPTY_SEGMENT.messages, 0, -1))
        self._tail.end = end
        self._wake_readers(len(self._waiters), end)

    def _apply_overflow(self) -> None:
        """Apply the overflow policy, if the buffer is above its high watermark."""
        self._recount_current()
        if not self._is_above_high_watermark():
            return
        if self._policy != "pause":
            removed = self._remove_while(
                self._is_above_high_watermark, oldest=self._policy == "drop_oldest"
            )
            self.dropped += removed
            self._on_drop(removed)
            if self._policy == "error":
                self.append_end(End(error=self._overflow_error(), final=True))
        elif not self.full:
            self.full = True
            self._on_watermark()

    def _is_above_high_watermark(self) -> bool:
        """Whether the buffer holds too much."""
        # A single message is never too much: `max_size` has already allowed it, and a
        # buffer that refused it could never deliver it.
        count = self.waiting
        return count > self._capacity or (self.bytes > self._max_bytes and count > 1)

    def _overflow_error(self) -> WSStreamOverflowError:
        held = f"{self.waiting} messages"
        if self._max_bytes != float("inf"):
            held += f" of {self.bytes:,} bytes"
        return WSStreamOverflowError(
            f"a subscriber did not keep up: its buffer was full with {held}; read "
            "faster, or choose stream_overflow or stream_capacity"
        )

    async def get(self) -> T:
        """Return the next message, and wait for one if necessary.

        Cancelling it loses nothing.

        Raises:
            Ended: An end was reached.
        """
        await self.wait_until_ready()
        return self.take()

    async def wait_until_ready(self) -> None:
        """Wait until `items` holds the next message. Cancelling it loses nothing.

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
                    # Several readers wait, and another one has consumed the marker.
                    # The end is delivered to this one through its future.
                    raise Ended(reached)

    def take(self) -> T:
        """Return the next message of `items`, and count it. There must be one."""
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
        # The low watermark is a quarter of the high one. Without a distance between
        # them, a reader at the limit would pause and resume the socket at each message.
        return self.waiting * 4 <= self._capacity and self.bytes * 4 <= self._max_bytes

    def resume(self) -> None:
        """Stop asking for a pause. Idempotent."""
        if self.full:
            self.full = False
            self._on_watermark()

    def keep_only(self, connection: int) -> None:
        """Accept messages of this connection only, and drop those of all others.

        This may be called only before anybody has read from the buffer.
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
        """Whether a reader waits for a message."""
        return bool(self._waiters)

    async def _wait_for_item(self) -> End | None:
        waiter: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except (asyncio.CancelledError, GeneratorExit) as error:
            # GeneratorExit: the garbage collector closes the coroutine of a listener
            # whose client was forgotten. Its waiter has to leave, or closing the
            # subscription would wake the task that is being collected.
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif isinstance(error, asyncio.CancelledError) and self.has_next:
                # This reader was woken for a message and cancelled before it ran.
                # Another reader has to be woken for that message, or nobody would be.
                self._wake_readers(1)
            raise

    def _wake_readers(self, count: int, end: End | None = None) -> None:
        woken = self._waiters[:count]
        del self._waiters[:count]
        for waiter in woken:
            if not waiter.done():
                waiter.set_result(end)
