"""The event loop that a client belongs to: the first it is used in."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
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
            raise RuntimeError(
                "a client belongs to the event loop it was first used in"
            )
        return running

    @property
    def is_closed(self) -> bool:
        """Whether the loop was closed: then nothing happens any more."""
        return self.loop is not None and self.loop.is_closed()

    def call_threadsafe(self, action: Callable[..., object], *arguments: Any) -> None:
        """Do something in the loop, from a finalizer that may run in any thread."""
        if self.loop is None:
            action(*arguments)
        else:
            # Where the loop was closed, all that was waited for has ended with it.
            with suppress(RuntimeError):
                self.loop.call_soon_threadsafe(action, *arguments)
