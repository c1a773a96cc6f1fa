"""A bounded buffer between what arrives and one reader.

Writing never waits: what happens above the limit is the buffer's overflow. Reading
waits, and cancelling a read loses nothing: an item leaves the buffer only in the
very step that returns it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Final, Generic, NamedTuple, TypeVar

from ws_common.errors import WSError, WSStreamOverflowError
from ws_common.platform import Overflow

T = TypeVar("T")

_SIZED: Final = (str, bytes)
"""What has bytes to count. Made once, as it is asked of every message."""


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


class Buffer(Generic[T]):
    """Items and ends, in order, for one reader (or several that share it).

    Attributes:
        items: What waits to be read.
        dropped: How many items overflow has dropped.
        full: Whether it is above its limit and reading was asked to pause.
        made_at: The line of the application that made its subscriber.
        reads: How many items have been read: tells a stuck reader from a slow one.
    """

    __slots__ = (
        "_capacity",
        "_ends",
        "_low",
        "_low_bytes",
        "_max_bytes",
        "_waiters",
        "bytes",
        "dropped",
        "end",
        "full",
        "items",
        "limits",
        "made_at",
        "on_drop",
        "on_pressure",
        "reads",
    )

    def __init__(self, limits: Limits) -> None:
        self.items: deque[T | End] = deque()
        self.limits: Limits = limits
        self.bytes: int = 0
        self._ends = 0
        self.dropped: int = 0
        self.reads: int = 0
        self.full: bool = False
        self.end: End | None = None
        self.made_at: str = ""
        self.on_drop: Callable[[Buffer[T], int], None] = _ignore
        self.on_pressure: Callable[[Buffer[T], bool], None] = _ignore
        self._waiters: list[asyncio.Future[End | None]] = []
        self.limit(limits)

    def limit(self, limits: Limits) -> None:
        """Change how much it holds."""
        if limits.overflow == "pause" and not limits.can_pause:
            limits = limits._replace(capacity=None, overflow="error")
        self.limits = limits
        self._capacity = float("inf") if limits.capacity is None else limits.capacity
        counted = limits.overflow == "pause" or limits.capacity is None
        given = limits.max_bytes if counted else None
        self._max_bytes = float("inf") if given is None else given
        self._low, self._low_bytes = self._capacity / 4, self._max_bytes / 4

    # Writing

    def put(self, item: T) -> None:
        """Append an item, or do what overflow says."""
        if self.end is not None:
            return
        items = self.items
        items.append(item)
        if isinstance(item, _SIZED):
            self.bytes += len(item)
        if self._waiters:
            self._wake()
        if len(items) > self._capacity or self.bytes > self._max_bytes:
            self._overflow()

    def mark(self, end: End) -> None:
        """Append an end, which no overflow can drop; whoever waits meets it."""
        if self.end is not None:
            return
        if end.final:
            self.end = end
        self.items.append(end)
        self._ends += 1
        while self._waiters:
            self._wake(end)

    def _overflow(self) -> None:
        if not self._is_above():
            return  # ends do not count
        match self.limits.overflow:
            case "pause":
                if not self.full:
                    self.full = True
                    self.on_pressure(self, True)  # noqa: FBT003
            case "drop_oldest":
                self._drop(range(len(self.items)))
            case "drop_newest":
                self._drop(range(-1, -len(self.items) - 1, -1))
            case "error":
                self._drop(range(-1, -len(self.items) - 1, -1))
                self.mark(End(error=self._overflow_error(), final=True))

    def _is_above(self) -> bool:
        messages = len(self.items) - self._ends
        return messages > self._capacity or self.bytes > self._max_bytes

    def _drop(self, places: range) -> None:
        while self._is_above():
            index = next(i for i in places if not isinstance(self.items[i], End))
            item = self.items[index]
            del self.items[index]
            if isinstance(item, _SIZED):
                self.bytes -= len(item)
            self.dropped += 1
            self.on_drop(self, 1)

    def _overflow_error(self) -> WSStreamOverflowError:
        held = f"{len(self.items)} messages"
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
        while not self.items:
            if self.end is not None:
                raise Ended(self.end)
            end = await self._wait()
            if end is not None and not self.items:
                raise Ended(end)  # another reader has taken the mark
        return self.take()

    def take(self) -> T:
        """Return the next item; there must be one.

        Raises:
            Ended: It is an end.
        """
        item = self.items.popleft()
        self.reads += 1
        if isinstance(item, _SIZED):
            self.bytes -= len(item)
        elif isinstance(item, End):
            self._ends -= 1
        if self.full and self._is_low():
            self.relieve()
        if isinstance(item, End):
            raise Ended(item)
        return item

    def _is_low(self) -> bool:
        messages = len(self.items) - self._ends
        return messages <= self._low and self.bytes <= self._low_bytes

    def relieve(self) -> None:
        """Stop asking for a pause."""
        if self.full:
            self.full = False
            self.on_pressure(self, False)  # noqa: FBT003

    @property
    def messages(self) -> list[T]:
        """What waits to be read, without the ends."""
        return [item for item in self.items if not isinstance(item, End)]

    def drain(self) -> list[T]:
        """Take everything but the ends; a pause lasts until `relieve()`."""
        items = self.messages
        self._forget()
        return items

    def clear(self) -> None:
        """Forget what is buffered."""
        self._forget()
        self.relieve()

    def _forget(self) -> None:
        self.items.clear()
        self.bytes = self._ends = 0

    @property
    def awaited(self) -> bool:
        """Whether somebody is waiting for an item."""
        return bool(self._waiters)

    async def _wait(self) -> End | None:
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[End | None] = loop.create_future()
        self._waiters.append(waiter)
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
            elif self.items and self._waiters:
                self._wake()  # it was our turn: hand it on
            raise

    def _wake(self, end: End | None = None) -> None:
        waiter = self._waiters.pop(0)
        if not waiter.done():
            waiter.set_result(end)


def _ignore(_buffer: Any, _what: Any) -> None:
    """What happens where nobody has asked to be told."""
