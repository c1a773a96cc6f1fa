"""Streams: many independent subscribers to what one client receives.

A derived stream (`where`, `map`, `decode`, …) has no buffer and no task of its own:
its steps run in the subscriber that iterates it, so that what a step raises is
raised to the one who iterates, and nobody else pays for it.
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
    """Many independent subscribers, each with its own bounded buffer.

    `async for` makes one. Messages that arrive before the first subscriber are kept
    for it. After what is buffered has been delivered, iteration ends quietly with
    `close()`, `disconnect()` or a peer's 1000, 1001 or 1005 that is not followed by
    a retry; anything else that ended in `Closed` raises `Closed.error`.

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
        self._broadcast = broadcast
        self._report = report
        self._steps = steps
        self._owner = owner  # the client: whoever holds a stream holds it

    def __aiter__(self) -> "Subscriber[T]":
        """Subscribe and iterate."""
        return self.subscribe()

    def subscribe(
        self, capacity: int | None = None, overflow: Overflow | None = None
    ) -> "Subscriber[T]":
        """Subscribe now, iterate later: nothing that arrives in between is missed.

        Args:
            capacity: Messages in the buffer; None: as the options say.
            overflow: What happens above that; None: as the options say.
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
        """Call back for each item, in order, until cancelled or the client is closed.

        Args:
            callback: A function or coroutine function. What it raises is logged and
                reported to `on_event`; the next item comes all the same.
            capacity: Items that may wait for it; None: as the options say.
            overflow: What happens above that; None: as the options say.
        """
        subscriber = self.subscribe(capacity, overflow)
        return Subscription(subscriber, callback, self._report)

    def map(self, fn: Callable[[T], U]) -> "Stream[U]":
        """What `fn` makes of each item. What it raises is raised to who iterates."""
        return self._add_step(fn)

    def where(self, fn: Callable[[T], bool]) -> "Stream[T]":
        """The items for which `fn` is true."""
        return self._add_step(lambda item: item if fn(item) else SKIP)

    def where_type(self, kind: type[U]) -> "Stream[U]":
        """The items of one type."""
        return self._add_step(lambda item: item if isinstance(item, kind) else SKIP)

    async def first(self, where: Callable[[T], bool] | None = None) -> T:
        """Wait for the first item (for which `where` is true).

        Raises:
            WSConnectionClosedError: The stream ended before.
            WSNotConnectedError: The client was never asked to connect.
        """
        with (self.where(where) if where else self).subscribe() as subscriber:
            return await subscriber.next()

    def _add_step(self, step: Step) -> "Stream[Any]":
        """What one more step makes of this stream."""
        steps = (*self._steps, step)
        return Stream(self._broadcast, self._report, steps, owner=self._owner)
