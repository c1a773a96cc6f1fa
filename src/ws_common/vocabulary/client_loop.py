"""The event loop that a client belongs to: the first one that it is used in."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class ClientLoop:
    """Remembers the loop, and schedules calls from other threads in it.

    Attributes:
        loop: The loop; None until the client is first used in one.
    """

    __slots__ = ("loop",)

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> asyncio.AbstractEventLoop:
        """Return the running loop. The first call binds the client to it.

        Raises:
            RuntimeError: No loop is running in this thread, or a different one is.
        """
        # Futures and transports of asyncio work in one loop only: without this check,
        # a call from another loop would wait for a wake-up that never comes.
        running = asyncio.get_running_loop()
        if self.loop is None:
            self.loop = running
        elif self.loop is not running:
            raise RuntimeError(
                "a client belongs to the event loop it was first used in, and another "
                "loop is running now; make one client for each loop"
            )
        return running

    @property
    def is_closed(self) -> bool:
        """Whether the loop was closed, after which no callback can run."""
        return self.loop is not None and self.loop.is_closed()

    def call_threadsafe(self, action: Callable[..., object], *arguments: Any) -> None:
        """Call something in the loop from a finalizer, which may run in any thread.

        Args:
            action: What to call. It is called at once if the client never had a loop.
            *arguments: What to pass.
        """
        if self.loop is None:
            action(*arguments)
        else:
            # The garbage collector runs `__del__` in whichever thread happens to
            # allocate, so touching the loop directly would be a race. A closed loop
            # raises RuntimeError; everything that waited in it has ended with it.
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(action, *arguments)
