"""What was asked of the lifecycle and is waited for: the latest call counts."""

import asyncio
from typing import Literal

from ws_common.errors import WSError, WSSupersededError

Wish = Literal["open", "rest"]


class Call:
    """One `connect()`, `reconnect()`, `disconnect()` or `close()` under way.

    Attributes:
        name: What was called.
        wish: What it waits for: a connection, or that there is none.
    """

    def __init__(self, name: str, wish: Wish) -> None:
        self.name = name
        self.wish: Wish = wish
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def succeed(self) -> None:
        """What was wished for is here."""
        if not self.outcome.done():
            self.outcome.set_result(None)

    def fail(self, error: WSError) -> None:
        """It will not come."""
        if not self.outcome.done():
            self.outcome.set_exception(error)

    def supersede(self, by: str) -> None:
        """A later call has overtaken it."""
        if self.wish == "rest":
            self.succeed()
        else:
            message = f"{self.name}() was overtaken by a later {by}()"
            self.fail(WSSupersededError(message))
