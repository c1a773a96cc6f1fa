"""One subscriber: an iterator with a buffer of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

from ws_common.options.platform import Overflow
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.end_marker import Ended
from ws_common.receive.subscriber_buffer import Buffer
from ws_common.vocabulary.callsite import callsite
from ws_common.vocabulary.errors import WSConnectionClosedError, WSStreamOverflowError
from ws_common.vocabulary.tasks import not_ours

T = TypeVar("T")

Step = Callable[[Any], Any]
ReportError = Callable[[str, Exception], None]

SKIP: Any = object()
"""What a step returns for an item that is not for this stream."""


class Subscriber(AsyncIterator[T], AbstractContextManager["Subscriber[T]"]):
    """An iterator with a buffer of its own, and a context manager.

    Dropping the last reference ends it.

    Attributes:
        dropped: How many items its overflow has dropped.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake(answer=str.upper)
        ...     async with WebSocketClient.from_client(fake) as client:
        ...         await client.connect("ws://anywhere/")
        ...         with client.stream.text.subscribe() as answers:
        ...             await client.add("hello")
        ...             print(await anext(answers))
        >>> asyncio.run(main())
        HELLO
    """

    _is_open = False  # of one whose making has failed

    def __init__(
        self,
        broadcast: Broadcast[Any],
        steps: tuple[Step, ...],
        capacity: int | None = None,
        overflow: Overflow | None = None,
        *,
        buffer: Buffer[Any] | None = None,
        owner: object = None,
    ) -> None:
        self._broadcast = broadcast
        self._steps = steps
        self._buffer: Buffer[Any] = buffer or broadcast.attach(capacity, overflow)
        self._is_open = True
        self._buffer.made_at = callsite()
        self._owner = owner

    @property
    def dropped(self) -> int:
        """How many items the overflow of this subscriber has dropped."""
        return self._buffer.dropped

    def close(self) -> None:
        """End the subscription; what is buffered is forgotten."""
        if self._is_open:
            self._is_open = False
            self._broadcast.detach(self._buffer)

    def reader_for(self, owner: object) -> "Subscriber[T]":
        """Return another reader of the same buffer, which holds a client."""
        reader: Subscriber[T] = Subscriber(
            self._broadcast, self._steps, buffer=self._buffer, owner=owner
        )
        reader._is_open = False  # the buffer is not its own to close
        return reader

    def __del__(self) -> None:
        """End it where nobody holds it any more: the collector runs in any thread."""
        if self._is_open:
            self._broadcast.client_loop.hop(self._broadcast.detach, self._buffer)

    @property
    def has_overflowed(self) -> bool:
        """Whether it ended because it overflowed, and that was raised."""
        end = None if self._buffer.has_next else self._buffer.end
        return end is not None and isinstance(end.error, WSStreamOverflowError)

    async def next(self) -> T:
        """Return the next item. Cancelling it loses nothing.

        Raises:
            WSConnectionClosedError: The end was reached, a quiet one too.
        """
        try:
            if not self._buffer.has_next:
                self._broadcast.check_connect_called()
            return await self._next()
        except Ended as ended:
            end = ended.end
            error = end.error or WSConnectionClosedError(
                close_code=end.close_code,
                close_reason=end.close_reason,
                was_clean=end.close_code not in (None, 1006),
            )
            raise error.with_traceback(None) from error.__cause__

    async def __anext__(self) -> T:
        """Return the next item, or end, or raise what ended the stream."""
        buffer = self._buffer
        if buffer.items and not (buffer.full or self._steps):
            return cast("T", buffer.items.popleft())  # the way of nearly all messages
        try:
            return await self._next()
        except Ended as ended:
            error = ended.end.error or StopAsyncIteration()
            raise error.with_traceback(None) from error.__cause__

    async def _next(self) -> T:
        """Return the next item.

        Raises:
            Ended: An end was reached, or nothing waits and nothing comes any more.
        """
        buffer = self._buffer
        while True:
            if not buffer.has_next and buffer.end is None:
                self._broadcast.client_loop.check()
                ended = self._broadcast.ended
                if ended is not None:
                    raise Ended(ended)
            await buffer.wait_until_ready()
            item = self._apply_steps(buffer.take())
            if item is not SKIP:
                return cast("T", item)

    def _apply_steps(self, item: Any) -> Any:
        for step in self._steps:
            item = step(item)
            if item is SKIP:
                break
        return item

    async def _listen(
        self, callback: Callable[[T], Awaitable[None] | None], report: ReportError
    ) -> None:
        """Call back for what comes, until nothing comes any more, ever."""
        await asyncio.sleep(0)  # even of an eager task: nothing is called in listen()
        ended = False
        while not ended:
            try:
                await self._call_for_batch(callback)
            except Ended as reached:
                ended = reached.end.final
                if ended and reached.end.error is not None:
                    report("listener_overflowed", reached.end.error)
            except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 - user code
                report("listener_raised", not_ours(error, "a listener"))

    async def _call_for_batch(
        self, callback: Callable[[T], Awaitable[None] | None]
    ) -> None:
        """Wait for items, and call back for all that one batch has brought.

        Raises:
            Ended: An end was reached.
        """
        buffer = self._buffer
        await buffer.wait_until_ready()
        items = buffer.items
        while items:
            item = buffer.take() if buffer.full else items.popleft()
            if self._steps:
                item = self._apply_steps(item)
                if item is SKIP:
                    continue
            result = callback(item)
            # Asked in this order, since most callbacks are plain functions.
            if result is not None and isinstance(result, Awaitable):
                await result
        if buffer.has_next:
            await asyncio.sleep(0)  # others have their turn between two batches

    def __exit__(self, *exc: object) -> None:
        """End the subscription."""
        self.close()
