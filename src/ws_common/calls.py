"""What was asked of the lifecycle and is waited for: the latest call counts.

At most one call waits for a connection. Several may wait for the rest: a
`disconnect()` that a `close()` has overtaken still returns at rest, and not before.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

from ws_common.errors import WSError, WSSupersededError

Wish = Literal["open", "rest"]


class Call:
    """One `connect()`, `reconnect()`, `disconnect()` or `close()` under way.

    Attributes:
        name: What was called.
        wish: What it waits for: a connection, or that there is none.
    """

    __slots__ = ("name", "outcome", "wish")

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


class Calls:
    """The latest call, and those that wait for the same as it does."""

    __slots__ = ("_finished", "_latest", "_resting")

    def __init__(self) -> None:
        self._latest: Call | None = None
        self._resting: list[Call] = []
        self._finished: list[asyncio.Future[None]] = []

    def begin(self, name: str, wish: Wish) -> Call:
        """Note a call; the one under way is overtaken."""
        if wish == "open" or (self._latest and self._latest.wish == "open"):
            self.overtake(name)
        self._latest = Call(name, wish)
        if wish == "rest":
            self._resting.append(self._latest)
        return self._latest

    def overtake(self, name: str) -> None:
        """Something was asked for that overtakes the call under way."""
        overtaken, self._resting = self._resting, []
        if self._latest is not None:
            overtaken.append(self._latest)
            self._latest = None
        for call in overtaken:
            call.supersede(name)

    async def wait(self, call: Call, on_cancel: Callable[[], None]) -> None:
        """Wait for the outcome of a call.

        Args:
            call: What `begin()` has returned.
            on_cancel: Called where the wait is cancelled and no later call has
                come since: nothing may be left under way.
        """
        try:
            await call.outcome
        except asyncio.CancelledError:
            if self._latest is call:
                on_cancel()
            raise

    async def wait_finished(self) -> None:
        """Wait for `finish()`."""
        waiter = asyncio.get_running_loop().create_future()
        self._finished.append(waiter)
        try:
            await waiter
        finally:
            self._finished.remove(waiter)

    def opened(self) -> None:
        """There is a connection."""
        if self._latest is not None and self._latest.wish == "open":
            self._latest.succeed()

    def at_rest(self, error: WSError | None) -> None:
        """Nothing is open and nothing is coming; `error` says why, if not asked for."""
        resting, self._resting = self._resting, []
        for call in resting:
            call.succeed()
        latest = self._latest
        if latest is not None and latest.wish == "open" and error is not None:
            latest.fail(error)

    def finish(self) -> None:
        """The client is closed for good."""
        for waiter in self._finished:
            if not waiter.done():
                waiter.set_result(None)
