"""A subscriber: an iterator over one buffer, which applies the steps of its stream."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

from ws_common.options.platform import Overflow
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.end_marker import Ended
from ws_common.receive.subscriber_buffer import Buffer
from ws_common.vocabulary.callsite import find_callsite
from ws_common.vocabulary.errors import WSConnectionClosedError, WSStreamOverflowError
from ws_common.vocabulary.tasks import normalize_user_error

T = TypeVar("T")

Step = Callable[[Any], Any]
ReportError = Callable[[str, Exception], None]

SKIP: Any = object()
"""Returned by a step for an item that its stream leaves out."""


class Subscriber(AsyncIterator[T], AbstractContextManager["Subscriber[T]"]):
    """An iterator with a buffer of its own, and a context manager that ends it.

    It also ends when the last reference to it is dropped.

    Attributes:
        dropped: The number of items that its overflow has dropped.

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

    # `__del__` also runs after `__init__` has raised, and has to find this then.
    _is_open = False

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
        self._buffer.made_at = find_callsite()
        self._owner = owner

    @property
    def dropped(self) -> int:
        """The number of items that the overflow of this subscriber has dropped."""
        return self._buffer.dropped

    def close(self) -> None:
        """End the subscription, and discard the items in the buffer. Idempotent."""
        if self._is_open:
            self._is_open = False
            self._broadcast.detach(self._buffer)

    def reader_for(self, owner: object) -> "Subscriber[T]":
        """Return another reader of the same buffer.

        Args:
            owner: The client, which the reader keeps a reference to.
        """
        reader: Subscriber[T] = Subscriber(
            self._broadcast, self._steps, buffer=self._buffer, owner=owner
        )
        reader._is_open = False  # Only the subscriber itself closes its buffer.
        return reader

    def __del__(self) -> None:
        """End the subscription when nobody references it any more."""
        # The garbage collector may run in any thread, but closing a buffer can resume
        # the socket, which only the thread of the loop may touch.
        if self._is_open:
            self._broadcast.client_loop.call_threadsafe(
                self._broadcast.detach, self._buffer
            )

    @property
    def has_overflowed(self) -> bool:
        """Whether an overflow has ended it, and its error has been raised."""
        end = None if self._buffer.has_next else self._buffer.end
        return end is not None and isinstance(end.error, WSStreamOverflowError)

    async def next(self) -> T:
        """Return the next item, and wait for it if necessary.

        Cancelling it loses nothing.

        Raises:
            WSConnectionClosedError: An end was reached, even a quiet one.
            WSNotConnectedError: The client was never asked to connect.
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
            # The same error may be raised to many readers, each time with a traceback
            # that would otherwise be appended to the one before.
            raise error.with_traceback(None) from error.__cause__

    async def __anext__(self) -> T:
        """Return the next item, end the iteration, or raise what ended the stream."""
        # A class with this coroutine and not an async generator: a generator is
        # finished by a cancelled `anext()`, and this costs only 266 ns a message.
        buffer = self._buffer
        if buffer.items and not (buffer.full or self._steps):
            # Nearly all messages take this branch. While the buffer is full, each one
            # has to be counted instead, so that reading is resumed in time.
            return cast("T", buffer.items.popleft())
        try:
            return await self._next()
        except Ended as ended:
            error = ended.end.error or StopAsyncIteration()
            raise error.with_traceback(None) from error.__cause__

    async def _next(self) -> T:
        """Return the next item.

        Raises:
            Ended: An end was reached, or the buffer is empty and nothing will come.
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
        """Call back for each item until the final end."""
        # An eager task begins inside `listen()`. The callback must not be called before
        # the program has the subscription that it may want to cancel.
        await asyncio.sleep(0)
        ended = False
        while not ended:
            try:
                await self._call_for_batch(callback)
            except Ended as reached:
                ended = reached.end.final
                if ended and reached.end.error is not None:
                    report("listener_overflowed", reached.end.error)
            except (asyncio.CancelledError, Exception) as error:  # noqa: BLE001 - user code
                report("listener_raised", normalize_user_error(error, "a listener"))

    async def _call_for_batch(
        self, callback: Callable[[T], Awaitable[None] | None]
    ) -> None:
        """Wait for items, and call back for all items of one segment of the buffer.

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
            # The test for None comes first, because most callbacks are plain functions
            # and isinstance() with an abstract class is slow.
            if result is not None and isinstance(result, Awaitable):
                await result
        if buffer.has_next:
            # Without this, a flood would keep the loop from running anything else.
            await asyncio.sleep(0)

    def __exit__(self, *exc: object) -> None:
        """End the subscription."""
        self.close()
