"""The event loop that a client belongs to: the first it is used in."""

import asyncio
from collections.abc import Callable
from typing import Any


class ClientLoop:
    """Knows the loop, and brings there what happens elsewhere.

    Attributes:
        loop: The loop; None before the client was used in one.
    """

    __slots__ = ("loop",)

    def __init__(self) -> None:
        self.loop: asyncio.AbstractEventLoop | None = None

    def check(self) -> asyncio.AbstractEventLoop:
        """Return the running loop, which becomes the client's if it has none.

        Raises:
            RuntimeError: No loop runs here, or another one: nothing that is waited
                for here would ever come.
        """
        running = asyncio.get_running_loop()
        if self.loop is None:
            self.loop = running
        elif self.loop is not running:
            msg = "a client belongs to the event loop it was first used in"
            raise RuntimeError(msg)
        return running

    @property
    def is_over(self) -> bool:
        """Whether the loop was closed: then nothing happens any more."""
        return self.loop is not None and self.loop.is_closed()

    def hop(self, action: Callable[..., object], *arguments: Any) -> None:
        """Do something in the loop, from a finalizer that may run in any thread."""
        if self.loop is None:
            action(*arguments)
            return
        try:
            self.loop.call_soon_threadsafe(action, *arguments)
        except RuntimeError:
            return  # the loop was closed, and all that was waited for ended with it
