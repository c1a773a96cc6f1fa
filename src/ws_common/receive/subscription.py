"""A listener: a task that calls back for each item of a subscriber."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, TypeVar, cast

from ws_common.receive.subscriber import ReportError, Subscriber

T = TypeVar("T")


class Subscription(AbstractContextManager["Subscription"]):
    """A listener. It lives until it is cancelled or the client is closed.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     fake, received = WebSocketClientFake(), asyncio.Queue()
        ...     async with WebSocketClient.from_client(fake) as client:
        ...         await client.connect("ws://anywhere/")
        ...         with client.stream.listen(received.put):
        ...             fake.loop_back("hello")
        ...             print(await received.get())
        >>> asyncio.run(main())
        hello
    """

    def __init__(
        self,
        subscriber: Subscriber[T],
        callback: Callable[[T], Awaitable[None] | None],
        report: ReportError,
    ) -> None:
        self._subscriber: Subscriber[Any] = subscriber
        work = subscriber._listen(callback, report)  # noqa: SLF001 - our own
        self._task = asyncio.get_running_loop().create_task(work, name="ws listener")
        # A client that has ended and that nobody references is collected together with
        # its listeners. asyncio would log "Task was destroyed but it is pending!", and
        # it offers no other way to prevent that.
        cast("Any", self._task)._log_destroy_pending = False  # noqa: SLF001
        # Also when the task has crashed: a full buffer that nobody reads would pause
        # the socket for all subscribers.
        self._task.add_done_callback(lambda _: subscriber.close())
        subscriber._broadcast.add_listener(self._task)  # noqa: SLF001 - our own

    def cancel(self) -> None:
        """Stop listening. A callback that is awaiting is cancelled."""
        self._task.cancel()
        self._subscriber.close()

    def __exit__(self, *exc: object) -> None:
        """Stop listening."""
        self.cancel()
