"""Messages in segments, with the ends of connections between them."""

from collections import deque
from collections.abc import Callable
from itertools import chain
from typing import Any, Final, Generic, TypeVar

from ws_common.receive.end_marker import End
from ws_common.vocabulary.messages import payload_size

T = TypeVar("T")

SEGMENT_SIZE: Final = 64 * 1024
"""Bytes up to which batches are joined in one segment.

A segment counts as held until its last message is read, so this is also by how much
the count of bytes may be too high while a reader takes from `items`.
"""


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


EMPTY_SEGMENT: Final = Segment(deque(), 0, -1)
"""The first segment of every buffer, which stays empty: a deque is 760 bytes."""


class SegmentedQueue(Generic[T]):
    """Messages and ends, in order.

    Attributes:
        items: The messages of the current segment: what is read next.
        bytes: Payload bytes held, at most.
    """

    __slots__ = ("_current", "_later", "_later_count", "_tail", "bytes", "items")

    def __init__(self) -> None:
        self.items: deque[T] = EMPTY_SEGMENT.messages
        self.bytes: int = 0
        self._current = self._tail = EMPTY_SEGMENT
        self._later: list[Segment] = []
        self._later_count = 0  # messages in them

    @property
    def has_next(self) -> bool:
        """Whether a reader need not wait: an item or an end comes next."""
        return bool(self.items or self._later or self._current.end is not None)

    @property
    def waiting(self) -> int:
        """How many messages wait to be read."""
        return len(self.items) + self._later_count

    def drain(self) -> list[T]:
        """Take everything but the ends; a pause lasts until `resume()`."""
        segments = (self._current, *self._later)
        items = [item for segment in segments for item in segment.messages]
        self._later.clear()
        self._later_count = self.bytes = 0
        self.items.clear()  # in place: a listener may be taking from it
        self._current.size = self._current.count = 0
        self._current.end = None
        self._tail = self._current
        return items

    def _add_segment(self, segment: Segment) -> None:
        self._later.append(segment)
        self._later_count += len(segment.messages)
        self._tail = segment

    def _recount_current(self) -> None:
        """Count the bytes of the current segment again."""
        current = self._current
        if current.count != len(current.messages):  # some were taken from `items`
            self.bytes -= current.size
            current.size = sum(map(payload_size, current.messages))
            current.count = len(current.messages)
            self.bytes += current.size

    def _remove_while(self, is_above: Callable[[], bool], *, oldest: bool) -> int:
        """Remove messages, but no ends; return how many."""
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
            self._later = [
                one for one in self._later if one.messages or one.end is not None
            ]
            self._tail = self._later[-1] if self._later else self._current
        return removed

    def _remove_others(self, connection: int) -> None:
        """Remove the segments of other connections than this one."""
        self._later = [one for one in self._later if one.connection == connection]
        self._later_count = sum(len(one.messages) for one in self._later)
        self.bytes = sum(one.size for one in self._later)
        self._tail = self._later[-1] if self._later else self._current
