"""The storage of a buffer: messages in segments, with ends between them.

A batch is kept as a segment, or joins the last one. Putting a message in is therefore
one `deque.extend` per batch, and taking one out is one `popleft`. The size of a
segment is subtracted as a whole when its last message has been read.
"""

from collections import deque
from collections.abc import Callable
from itertools import chain
from typing import Any, Final, Generic, TypeVar

from ws_common.receive.end_marker import End
from ws_common.vocabulary.messages import payload_size

T = TypeVar("T")

SEGMENT_SIZE: Final = 64 * 1024
"""Batches are joined in one segment up to this many bytes.

A segment counts as held until its last message is read. So this is also the maximum by
which the count of bytes is too high while a reader takes messages from `items`.
"""


class Segment:
    """Messages that one connection brought, and the end that follows them.

    Attributes:
        messages: The messages that have not been read.
        size: The payload bytes of all messages that were put in, less those that were
            removed one by one.
        count: The number of messages that `size` stands for.
        connection: The number of the connection; -1: no message is ever put in.
        end: The end behind the messages, if there is one.
    """

    # `count` is compared with `len(messages)` to find out whether a reader has taken
    # messages without counting them. See `SegmentedQueue._recount_current`.
    __slots__ = ("connection", "count", "end", "messages", "size")

    def __init__(self, messages: "deque[Any]", size: int, connection: int) -> None:
        self.messages = messages
        self.size = size
        self.count = len(messages)
        self.connection = connection
        self.end: End | None = None


EMPTY_SEGMENT: Final = Segment(deque(), 0, -1)
"""The first segment of every buffer, which all buffers share and which stays empty."""
# An empty deque takes 760 bytes, and most clients that are open never buffer anything.


class SegmentedQueue(Generic[T]):
    """Messages and ends, in order. It has no limits and nobody waits for it.

    Attributes:
        items: The messages of the current segment, which are read next.
        bytes: The payload bytes that are held, at most.
    """

    # A base class of the buffer and not an object that it owns: otherwise each message
    # would pay for one more look-up of an attribute, and each buffer for one object.
    __slots__ = ("_current", "_later", "_later_count", "_tail", "bytes", "items")

    def __init__(self) -> None:
        self.items: deque[T] = EMPTY_SEGMENT.messages
        self.bytes: int = 0
        self._current = self._tail = EMPTY_SEGMENT
        self._later: list[Segment] = []
        self._later_count = 0  # The number of messages in `_later`.

    @property
    def has_next(self) -> bool:
        """Whether a reader need not wait, because an item or an end comes next."""
        return bool(self.items or self._later or self._current.end is not None)

    @property
    def waiting(self) -> int:
        """The number of messages that wait to be read."""
        return len(self.items) + self._later_count

    def drain(self) -> list[T]:
        """Remove all messages and ends, and return the messages.

        A pause that was asked for lasts until `resume()`.
        """
        segments = (self._current, *self._later)
        items = [item for segment in segments for item in segment.messages]
        self._later.clear()
        self._later_count = self.bytes = 0
        # The deque is cleared and not replaced: a listener that is called back for a
        # batch holds a reference to it, and must not go on with what was removed.
        self.items.clear()
        self._current.size = self._current.count = 0
        self._current.end = None
        self._tail = self._current
        return items

    def _add_segment(self, segment: Segment) -> None:
        self._later.append(segment)
        self._later_count += len(segment.messages)
        self._tail = segment

    def _recount_current(self) -> None:
        """Compute the size of the current segment again, if it is out of date."""
        current = self._current
        # Readers that are not behind pop from `items` without subtracting the size of
        # each message. Only a buffer that seems too full pays for counting again.
        if current.count != len(current.messages):
            self.bytes -= current.size
            current.size = sum(map(payload_size, current.messages))
            current.count = len(current.messages)
            self.bytes += current.size

    def _remove_while(self, is_above: Callable[[], bool], *, oldest: bool) -> int:
        """Remove messages while there are too many. Ends stay.

        Args:
            is_above: Whether there are too many.
            oldest: Whether the oldest messages are removed, or else the newest.

        Returns:
            The number of messages that were removed.
        """
        removed = 0
        emptied = False
        segments = chain((self._current,), self._later)
        if not oldest:
            segments = chain(reversed(self._later), (self._current,))
        for segment in segments:
            messages = segment.messages
            while messages and is_above():
                size = payload_size(messages.popleft() if oldest else messages.pop())
                segment.size -= size
                segment.count -= 1
                self.bytes -= size
                self._later_count -= segment is not self._current
                removed += 1
            if segment.messages:
                break
            emptied = True
        if emptied:
            # Without this, a subscriber that nobody reads kept an empty deque for
            # every 64 KiB, and each message walked over all of them: 20,000 messages
            # of 70 KB took 11 s instead of 0.4 s.
            self._later = [
                one for one in self._later if one.messages or one.end is not None
            ]
            self._tail = self._later[-1] if self._later else self._current
        return removed

    def _remove_others(self, connection: int) -> None:
        """Remove the segments of all connections but this one."""
        self._later = [one for one in self._later if one.connection == connection]
        self._later_count = sum(len(one.messages) for one in self._later)
        self.bytes = sum(one.size for one in self._later)
        self._tail = self._later[-1] if self._later else self._current
