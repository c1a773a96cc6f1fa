"""What arrives, on its way from the wire to the subscribers: through the interceptors.

Order is kept whatever an interceptor does. While every handler is synchronous, a
message passes in one call. From the first that is awaited on, what follows waits in
a queue, and a task works it off; it ends when it has caught up.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from ws_common.buffer import Buffer, End
from ws_common.errors import WSNotConnectedError
from ws_common.interceptors import DONE, WSInterceptor, build

OnFault = Callable[[str, Exception], None]


class Target(Protocol):
    """Where messages go: a hub, or what keeps them until there is one."""

    def publish(self, item: Any, /) -> None:
        """Take one."""


class Store(Protocol):
    """What keeps messages until there is a target.

    Attributes:
        buffer: What can be read of it until then.
    """

    buffer: Buffer[Any]

    def drain(self) -> list[Any]:
        """Take everything."""
        ...


class Nowhere:
    """Where messages go that nobody may see any more.

    Args:
        on_lost: Told of each.
    """

    def __init__(self, on_lost: Callable[[int], None]) -> None:
        self._on_lost = on_lost

    def publish(self, _item: Any, /) -> None:
        """Forget it."""
        self._on_lost(1)


class Inbound:
    """The way in.

    Args:
        interceptors: The onion; the last is nearest the wire.
        target: Takes what comes out of it.
        on_fault: Told of what an interceptor raised; that message is not delivered.
        on_backlog: Told as the queue grows above, or falls below, what it may hold.
        capacity: How many messages may wait before `on_backlog`.
    """

    def __init__(
        self,
        interceptors: tuple[WSInterceptor, ...],
        target: Target,
        on_fault: OnFault,
        on_backlog: Callable[[bool], None],
        capacity: int,
    ) -> None:
        self._target = target
        self._on_fault = on_fault
        self._on_backlog = on_backlog
        self._capacity = capacity
        self._queue: deque[tuple[Callable[[Any], Any], Any]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._pending: Awaitable[Any] | None = None
        handlers = [one.on_message for one in reversed(interceptors)]
        self._chain = build(handlers, self._terminal) if handlers else None
        self._crowded = False

    @property
    def entrance(self) -> Target:
        """What takes messages from the wire: with no interceptors, the target."""
        return self if self._chain is not None else self._target

    def publish(self, item: Any, /) -> None:
        """Take a message from the wire."""
        assert self._chain is not None  # noqa: S101 - else this is no entrance
        if self._task is not None:
            self._enqueue(self._chain, item)
        else:
            self._begin(self._chain, item)

    def aim(self, target: Target, *, after: Store | None = None) -> None:
        """Send what comes out elsewhere, behind what was kept so far."""
        self.call(lambda: self._aim(target, after))

    def _aim(self, target: Target, after: Store | None) -> None:
        self._target = target
        if after is not None:
            for item in after.drain():
                target.publish(item)
            over = WSNotConnectedError("after_connect is over: receive on the client")
            after.buffer.mark(End(error=over, final=True))

    def call(self, action: Callable[[], None]) -> None:
        """Do something in order with the messages: now, if none is under way."""
        if self._task is None:
            action()
        else:
            self._enqueue(lambda _: action(), None)

    def discard(self, nowhere: Target) -> int:
        """Forget the messages that are under way, and say how many; actions are kept.

        Args:
            nowhere: Takes what an interceptor holds at this moment.
        """
        before = len(self._queue)
        kept = [entry for entry in self._queue if entry[0] is not self._chain]
        self._queue = deque(kept)
        self._measure()
        self._target = nowhere
        return before - len(kept)

    def stop(self) -> None:
        """Cancel what is under way."""
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()
        if asyncio.iscoroutine(self._pending):
            self._pending.close()  # its task has not begun, and never will

    def _terminal(self, data: Any) -> Any:
        self._target.publish(data)
        return DONE

    def _begin(self, handler: Callable[[Any], Any], data: Any) -> None:
        try:
            result: Awaitable[Any] | None = handler(data)
        except Exception as error:  # noqa: BLE001 - user code: reported, and on
            self._on_fault("interceptor_raised", error)
            return
        if result is not DONE and isinstance(result, Awaitable):
            loop = asyncio.get_running_loop()
            self._pending = result
            self._task = loop.create_task(self._work(result), name="ws interceptors")

    async def _work(self, pending: Awaitable[Any]) -> None:
        self._pending = None
        try:
            await self._settle(pending)
            while self._queue:
                handler, data = self._queue.popleft()
                self._measure()
                try:
                    result: Awaitable[Any] | None = handler(data)
                except Exception as error:  # noqa: BLE001 - as above
                    self._on_fault("interceptor_raised", error)
                    continue
                if result is not DONE and isinstance(result, Awaitable):
                    await self._settle(result)
        finally:
            self._task = None

    async def _settle(self, pending: Awaitable[Any]) -> None:
        try:
            await pending
        except Exception as error:  # noqa: BLE001 - as above
            self._on_fault("interceptor_raised", error)

    def _enqueue(self, handler: Callable[[Any], Any], data: Any) -> None:
        self._queue.append((handler, data))
        self._measure()

    def _measure(self) -> None:
        crowded = len(self._queue) > (
            self._capacity // 4 if self._crowded else self._capacity
        )
        if crowded is not self._crowded:
            self._crowded = crowded
            self._on_backlog(crowded)
