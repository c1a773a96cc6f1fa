"""The calls of the lifecycle that wait for an outcome. The latest call counts.

At most one call waits for a connection. Several may wait until no connection is left:
a `disconnect()` that a `close()` follows returns with it, and not before.
"""

import asyncio
from typing import Literal

from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.errors import WSError, WSSupersededError

WaitCondition = Literal["open", "idle"]
"""What a call waits for: an open connection, or that none is open or expected."""


class Call:
    """A `connect()`, `reconnect()`, `disconnect()` or `close()` in progress.

    Attributes:
        name: The name of the method.
        condition: What the call waits for.
        outcome: Done when the call may return or has to raise.
    """

    __slots__ = ("condition", "name", "outcome")

    def __init__(self, name: str, condition: WaitCondition) -> None:
        self.name = name
        self.condition: WaitCondition = condition
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def succeed(self) -> None:
        """Let the call return."""
        # A cancelled call leaves a cancelled future behind, which takes no result.
        if not self.outcome.done():
            self.outcome.set_result(None)

    def fail(self, error: WSError) -> None:
        """Let the call raise this error."""
        if not self.outcome.done():
            self.outcome.set_exception(error)


class PendingCalls:
    """The calls in progress: one that waits to open, or several that wait for idle."""

    __slots__ = ("_calls", "_finished")

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._finished: asyncio.Event | None = None

    def begin(self, name: Cause, condition: WaitCondition) -> Call:
        """Add a call. Calls that wait for something else are superseded.

        Args:
            name: The name of the method.
            condition: What the call waits for.
        """
        # Two calls that wait for the same end do not contradict each other. Two calls
        # that wait for a connection do: their URLs may differ.
        if condition == "open" or (self._calls and self._calls[-1].condition == "open"):
            self.supersede(name)
        call = Call(name, condition)
        self._calls.append(call)
        return call

    def supersede(self, name: str) -> None:
        """End the calls in progress, since a later call of this name overtakes them."""
        superseded, self._calls = self._calls, []
        for call in superseded:
            # disconnect() wanted the old connection closed, and it is being replaced:
            # there is nothing to complain about. connect() did not get what it wanted.
            if call.condition == "idle":
                call.succeed()
            else:
                message = f"{call.name}() was overtaken by a later {name}()"
                call.fail(WSSupersededError(message))

    def is_latest(self, call: Call) -> bool:
        """Return whether no other call has come after this one."""
        return self._calls[-1:] == [call]

    async def wait_finished(self) -> None:
        """Wait for `finish()`. Cancelling this changes nothing."""
        # The event is made when somebody waits, which is seldom: an idle client is
        # measured in single kibibytes, and each empty deque is most of one.
        self._finished = self._finished or asyncio.Event()
        await self._finished.wait()

    def on_opened(self) -> None:
        """Let the calls return that wait for a connection: it is open."""
        for call in self._calls:
            if call.condition == "open":
                call.succeed()

    def on_idle(self, error: WSError | None) -> None:
        """End the calls now that no connection is open or expected.

        Args:
            error: What ended the attempts; None if the application asked for the end.
        """
        for call in self._calls:
            if call.condition == "idle":
                call.succeed()
            elif error is not None:
                call.fail(error)
        # A connect() that has just been called is not answered by the end that an
        # earlier disconnect() has brought. Its own outcome is still to come.
        self._calls = [call for call in self._calls if call.condition == "open"]

    def finish(self) -> None:
        """Wake those who wait: the client is closed permanently."""
        if self._finished is not None:
            self._finished.set()
