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
from itertools import chain
from typing import Any, Final, Generic, NamedTuple, TypeVar

from ws_common.options.platform import Overflow
from ws_common.vocabulary.errors import WSError, WSStreamOverflowError
from ws_common.vocabulary.messages import payload_size

T = TypeVar("T")

SEGMENT_SIZE: Final = 64 * 1024
"""Bytes up to which batches are joined in one segment.

A segment counts as held until its last message is read, so this is also by how much
the count of bytes may be too high while a reader takes from `items`.
"""


class Limits(NamedTuple):
    """How much a buffer holds.

    Attributes:
        capacity: Items; None: no count.
        max_bytes: Payload bytes; None: not counted. Where overflow would lose
            messages, `capacity` alone counts if there is one.
        overflow: What happens above.
        can_pause: Whether the platform can; elsewhere "pause" is "error", above
            `max_bytes`.
    """

    capacity: int | None
    max_bytes: int | None
    overflow: Overflow
    can_pause: bool = True


class End(NamedTuple):
    """A mark between items: here a connection, or the client, came to an end.

    Attributes:
        error: Raised to the reader; None: iteration ends quietly.
        close_code: For `recv()`, which cannot end quietly.
        close_reason: Likewise.
        final: Nothing comes after it, ever.
    """

    error: WSError | None = None
    close_code: int | None = None
    close_reason: str = ""
    final: bool = False


class Ended(Exception):  # noqa: N818 - never leaves the package
    """Raised to the reader's shell where an `End` was reached."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end


class Segment:
    """Messages that one connection brought, and the end that follows them.

    Attributes:
        messages: What waits to be read.
        size: Payload bytes of what was put in, less what was taken out one by one.
        count: How many messages `size` stands for.
        connection: The number of the connection; -1: no message is ever put into it.
        end: What a reader meets behind the messages.
    """

    __slots__ = ("connection", "count", "end", "messages", "size")

    def __init__(self, messages: "deque[Any]", size: int, connection: int) -> None:
        self.messages = messages
        self.size = size
        self.count = len(messages)
        self.connection = connection
        self.end: End | None = None


_NO_SEGMENT: Final = Segment(deque(), 0, -1)
"""The first segment of every buffer, which stays empty: a deque is 760 bytes."""


def ignore(*_what: Any) -> None:
    """What is called where nobody has asked to be told."""


class Buffer(Generic[T]):
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

    __slots__ = (
        "_capacity",
        "_current",
        "_later",
        "_later_count",
        "_max_bytes",
        "_on_drop",
        "_on_watermark",
        "_policy",
        "_tail",
        "_waiters",
        "bytes",
        "connection",
        "dropped",
        "end",
        "full",
        "items",
        "made_at",
        "reads",
    )

    def __init__(
        self,
        limits: Limits,
        on_watermark: Callable[[], None] = ignore,
        on_drop: Callable[[int], None] = ignore,
    ) -> None:
        self.items: deque[T] = _NO_SEGMENT.messages
        self.connection: int | None = None
        self.bytes: int = 0
        self.dropped: int = 0
        self.reads: int = 0
        self.full: bool = False
        self.end: End | None = None
        self.made_at: str = ""
        self._on_drop = on_drop
        self._on_watermark = on_watermark
        self._current = self._tail = _NO_SEGMENT
        self._later: list[Segment] = []
        self._later_count = 0  # messages in them
        self._waiters: list[asyncio.Future[End | None]] = []
        self.limit(limits)

    def limit(self, limits: Limits) -> None:
        """Change how much it holds; the new limits hold for what is here, too."""
        capacity, max_bytes, overflow, can_pause = limits
        if overflow == "pause" and not can_pause:
            capacity, overflow = None, "error"
        if overflow != "pause" and capacity is not None:
            max_bytes = None
        self._capacity = float("inf") if capacity is None else capacity
        self._max_bytes = float("inf") if max_bytes is None else max_bytes
        self._policy = overflow
        self._overflow()
        if overflow != "pause" or self._is_low():
            self.release()

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
            self._wake(len(batch))
        if (
            len(self.items) + self._later_count > self._capacity
            or self.bytes > self._max_bytes
        ):
            self._overflow()

    def mark(self, end: End) -> None:
        """Append an end, which no overflow can drop; whoever waits meets it."""
        if self.end is not None:
            return
        if end.final:
            self.end = end
        if self._tail is _NO_SEGMENT or self._tail.end is not None:
            # No message is ever put into it: it needs no deque.
            self._add_segment(Segment(_NO_SEGMENT.messages, 0, -1))
        self._tail.end = end
        self._wake(len(self._waiters), end)

    def _add_segment(self, segment: Segment) -> None:
        self._later.append(segment)
        self._later_count += len(segment.messages)
        self._tail = segment

    def _overflow(self) -> None:
        """Do what overflow says, if it holds too much."""
        current = self._current
        if current.count != len(current.messages):  # some were taken from `items`
            self.bytes -= current.size
            current.size = sum(map(payload_size, current.messages))
            current.count = len(current.messages)
            self.bytes += current.size
        if not self._is_above():
            return
        if self._policy != "pause":
            self._drop(oldest=self._policy == "drop_oldest")
            if self._policy == "error":
                self.mark(End(error=self._overflow_error(), final=True))
        elif not self.full:
            self.full = True
            self._on_watermark()

    def _is_above(self) -> bool:
        """Whether it holds too much; a single message is never too large."""
        count = self.waiting
        return count > self._capacity or (self.bytes > self._max_bytes and count > 1)

    def _drop(self, *, oldest: bool) -> None:
        before = self.dropped
        emptied = False
        segments = chain((self._current,), self._later)
        if not oldest:
            segments = chain(reversed(self._later), (self._current,))
        for segment in segments:
            messages = segment.messages
            while messages and self._is_above():
                size = payload_size(messages.popleft() if oldest else messages.pop())
                segment.size -= size
                segment.count -= 1
                self.bytes -= size
                self._later_count -= segment is not self._current
                self.dropped += 1
            if segment.messages:
                break
            emptied = True
        if emptied:
            self._later = [
                one for one in self._later if one.messages or one.end is not None
            ]
            self._tail = self._later[-1] if self._later else self._current
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
        await self.ready()
        return self.take()

    async def ready(self) -> None:
        """Wait until `items` holds the next item. Cancelling it loses nothing.

        Raises:
            Ended: An end was reached.
        """
        while not self.items:
            current = self._current
            self.bytes -= current.size
            current.size = current.count = 0
            if self.full and self._is_low():
                self.release()
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
                met = await self._wait()
                if met is not None and not self.has_next:
                    raise Ended(met)  # another reader has taken the mark

    def take(self) -> T:
        """Return the next item of `items`, and count it; there must be one."""
        item = self.items.popleft()
        size = payload_size(item)
        self._current.size -= size
        self._current.count -= 1
        self.bytes -= size
        if self.full:
            self.reads += 1
            if self._is_low():
                self.release()
        return item

    def _is_low(self) -> bool:
        return self.waiting * 4 <= self._capacity and self.bytes * 4 <= self._max_bytes

    def release(self) -> None:
        """Stop asking for a pause."""
        if self.full:
            self.full = False
            self._on_watermark()

    @property
    def has_next(self) -> bool:
        """Whether a reader need not wait: an item or an end comes next."""
        return bool(self.items or self._later or self._current.end is not None)

    @property
    def waiting(self) -> int:
        """How many messages wait to be read."""
        return len(self.items) + self._later_count

    def drain(self) -> list[T]:
        """Take everything but the ends; a pause lasts until `release()`."""
        segments = (self._current, *self._later)
        items = [item for segment in segments for item in segment.messages]
        self._later.clear()
        self._later_count = self.bytes = 0
        self.items.clear()  # in place: a listener may be taking from it
        self._current.size = self._current.count = 0
        self._current.end = None
        self._tail = self._current
        return items

    def keep_only(self, connection: int) -> None:
        """Drop what others brought than this connection, and take nothing of theirs.

        Only where nobody has read from it yet.
        """
        self.connection = connection
        before = self.waiting
        self._later = [one for one in self._later if one.connection == connection]
        self._later_count = sum(len(one.messages) for one in self._later)
        self.bytes = sum(one.size for one in self._later)
        self._tail = self._later[-1] if self._later else self._current
        last = self._tail.end
        self.end = last if last is not None and last.final else None
        if before > self.waiting:
            self._on_drop(before - self.waiting)

    @property
    def awaited(self) -> bool:
        """Whether somebody is waiting for an item."""
        return bool(self._waiters)

    async def _wait(self) -> End | None:
        waiter: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except (asyncio.CancelledError, GeneratorExit) as error:
            if waiter in self._waiters:  # cancelled or collected while it waited
                self._waiters.remove(waiter)
            elif isinstance(error, asyncio.CancelledError) and self.has_next:
                self._wake(1)  # it was our turn: hand it on
            raise

    def _wake(self, count: int, end: End | None = None) -> None:
        woken = self._waiters[:count]
        del self._waiters[:count]
        for waiter in woken:
            if not waiter.done():
                waiter.set_result(end)
