"""What was asked of the lifecycle and is waited for: the latest call counts.

At most one call waits for a connection. Several may wait for the rest: a
`disconnect()` that a `close()` has superseded still returns at rest, and not before.
"""

import asyncio
from typing import Literal

from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.errors import WSError, WSSupersededError

WaitCondition = Literal["open", "idle"]


class Call:
    """One `connect()`, `reconnect()`, `disconnect()` or `close()` under way.

    Attributes:
        name: What was called.
        wish: What it waits for: a connection, or that there is none.
    """

    __slots__ = ("condition", "name", "outcome")

    def __init__(self, name: str, condition: WaitCondition) -> None:
        self.name = name
        self.condition: WaitCondition = condition
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def succeed(self) -> None:
        """What was wished for is here."""
        if not self.outcome.done():
            self.outcome.set_result(None)

    def fail(self, error: WSError) -> None:
        """It will not come."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


class PendingCalls:
    """The calls under way: one that waits for a connection, or those for rest."""

    __slots__ = ("_calls", "_finished")

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._finished: asyncio.Event | None = None

    def begin(self, name: Cause, condition: WaitCondition) -> Call:
        """Note a call; what waits for something else is superseded."""
        if condition == "open" or (self._calls and self._calls[-1].condition == "open"):
            self.supersede(name)
        call = Call(name, condition)
        self._calls.append(call)
        return call

    def supersede(self, name: str) -> None:
        """Something was asked for that overtakes the calls under way."""
        superseded, self._calls = self._calls, []
        for call in superseded:
            if call.condition == "idle":
                call.succeed()
            else:
                message = f"{call.name}() was overtaken by a later {name}()"
                call.fail(WSSupersededError(message))

    def is_latest(self, call: Call) -> bool:
        """Whether no later call has come since."""
        return self._calls[-1:] == [call]

    async def wait_finished(self) -> None:
        """Wait for `finish()`."""
        self._finished = self._finished or asyncio.Event()
        await self._finished.wait()

    def on_opened(self) -> None:
        """There is a connection."""
        for call in self._calls:
            if call.condition == "open":
                call.succeed()

    def on_idle(self, error: WSError | None) -> None:
        """Nothing is open and nothing is coming; `error` says why, if not asked for."""
        for call in self._calls:
            if call.condition == "idle":
                call.succeed()
            elif error is not None:
                call.fail(error)
        self._calls = [call for call in self._calls if call.condition == "open"]

    def finish(self) -> None:
        """The client is closed for good."""
        if self._finished is not None:
            self._finished.set()
