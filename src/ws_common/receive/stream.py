"""Streams: any number of independent subscribers to what one client receives.

A derived stream (`where`, `map`, `decode` and so on) has no buffer and no task of its
own. Its steps run in the subscriber that iterates over it. An exception of a step is
therefore raised to the code that iterates, and other subscribers do not notice.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from ws_common.options.platform import Overflow
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.subscriber import SKIP, ReportError, Step, Subscriber
from ws_common.receive.subscription import Subscription

T = TypeVar("T")
U = TypeVar("U")


class Stream(Generic[T]):
    """A source for any number of subscribers, each of which has a bounded buffer.

    `async for` makes a subscriber. Messages that arrive before the first subscriber
    are kept for it. Once the buffer is empty, iteration ends quietly after `close()`
    and `disconnect()`, and after a close of the peer with 1000, 1001 or 1005 that is
    not followed by a retry. Whatever else led to `Closed` raises `Closed.error`.

    Example:
        >>> async def longest(stream: Stream[str]) -> None:
        ...     async for length in stream.map(len).where(lambda n: n > 80):
        ...         print(length)
    """

    def __init__(
        self,
        broadcast: Broadcast[Any],
        report: ReportError,
        steps: tuple[Step, ...] = (),
        *,
        owner: object = None,
    ) -> None:
        # A derived stream shares the broadcast, and adds to the steps.
        self._broadcast = broadcast
        self._report = report
        self._steps = steps
        # The client. A program that keeps only a stream would otherwise let the
        # garbage collector close the client that feeds it.
        self._owner = owner

    def __aiter__(self) -> "Subscriber[T]":
        """Subscribe, and iterate over the subscriber."""
        return self.subscribe()

    def subscribe(
        self, capacity: int | None = None, overflow: Overflow | None = None
    ) -> "Subscriber[T]":
        """Subscribe now, to iterate later without missing what arrives in between.

        Args:
            capacity: The number of messages in the buffer; None: `stream_capacity`.
            overflow: What happens above that; None: `stream_overflow`.

        Raises:
            ValueError: The capacity is negative, or the overflow has no such value.
        """
        return Subscriber(
            self._broadcast, self._steps, capacity, overflow, owner=self._owner
        )

    def listen(
        self,
        callback: Callable[[T], Awaitable[None] | None],
        *,
        capacity: int | None = None,
        overflow: Overflow | None = None,
    ) -> "Subscription":
        """Call back for each item in order, until cancelled or the client is closed.

        Args:
            callback: A function or a coroutine function. An exception that it raises
                is logged and reported to `on_event`, and the next item is delivered.
            capacity: The number of items that may wait; None: `stream_capacity`.
            overflow: What happens above that; None: `stream_overflow`.

        Raises:
            ValueError: The capacity is negative, or the overflow has no such value.
        """
        subscriber = self.subscribe(capacity, overflow)
        return Subscription(subscriber, callback, self._report)

    def map(self, fn: Callable[[T], U]) -> "Stream[U]":
        """Apply `fn` to each item. Its exceptions are raised to whoever iterates."""
        return self._add_step(fn)

    def where(self, fn: Callable[[T], bool]) -> "Stream[T]":
        """Leave out the items for which `fn` returns false."""
        return self._add_step(lambda item: item if fn(item) else SKIP)

    def where_type(self, kind: type[U]) -> "Stream[U]":
        """Leave out the items that are not instances of `kind`."""
        return self._add_step(lambda item: item if isinstance(item, kind) else SKIP)

    async def first(self, where: Callable[[T], bool] | None = None) -> T:
        """Wait for the first item, or for the first for which `where` returns true.

        Cancelling it ends its subscription.

        Raises:
            WSConnectionClosedError: The stream ended before such an item.
            WSNotConnectedError: The client was never asked to connect.
        """
        # A subscriber of its own, and not the one that iterates elsewhere: nothing is
        # taken away from anybody.
        with (self.where(where) if where else self).subscribe() as subscriber:
            return await subscriber.next()

    def _add_step(self, step: Step) -> "Stream[Any]":
        """Return a stream with one more step."""
        steps = (*self._steps, step)
        return Stream(self._broadcast, self._report, steps, owner=self._owner)
