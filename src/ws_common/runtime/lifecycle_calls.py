"""What a program asks of a client: to connect, to close, and to wait for either.

Each method feeds an event and waits for the outcome. Connecting and closing keep call
order among themselves, and the latest call counts (`calls.py`).
"""

import asyncio
import warnings

from ws_common.lifecycle import client_state as lifecycle
from ws_common.lifecycle.client_state import Phase
from ws_common.options.options import Url
from ws_common.runtime.pending_calls import WaitCondition
from ws_common.runtime.supervisor import Supervisor
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.errors import WSNotConnectedError

FLUSH_TIMEOUT = 1.0
"""Seconds that a program which was cancelled gives its last messages to leave."""


class LifecycleCalls:
    """The calls of one client.

    Args:
        behind: What carries them out.
    """

    __slots__ = ("_calls", "_supervisor")

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._calls = supervisor.calls

    async def connect(self, target: Url, url: str) -> None:
        """Connect to a target; `url` is it, or empty for a provider."""
        await self._wait_for_on_event()
        self._supervisor.check_usable()
        await self._feed_and_wait("connect", "open", self._set_target(target, url))

    def begin_connect(self, target: Url, url: str) -> None:
        """Begin to connect, without waiting for the outcome."""
        self._supervisor.client_loop.check()
        self._supervisor.feed(self._set_target(target, url), "connect")

    async def reconnect(self) -> None:
        """Make a new connection to the same target, whatever is under way."""
        await self._wait_for_on_event()
        self._supervisor.check_usable()
        if self._supervisor.connections.target is None:
            raise WSNotConnectedError(
                "reconnect() needs a connect() before it: there is no URL yet"
            )
        self._supervisor.connections.retry_decider.start_timing()
        await self._feed_and_wait("reconnect", "open", lifecycle.ReconnectAsked())

    async def disconnect(self, code: int | None, reason: str) -> None:
        """Close the connection, and make no other."""
        await self._wait_for_on_event()
        self._supervisor.check_usable()
        if self._supervisor.client_state.phase in (Phase.NEW, Phase.CLOSED):
            return
        event = lifecycle.DisconnectAsked(code=code, reason=reason)
        await self._feed_and_wait("disconnect", "idle", event)

    async def close(self, code: int | None, reason: str) -> None:
        """Close permanently. A second caller waits for the first."""
        self._supervisor.client_loop.check()
        await self._wait_for_on_event()
        if self._supervisor.client_state.is_finishing:
            await self.wait_finished()
            return
        event = lifecycle.CloseAsked(code=code, reason=reason)
        await self._feed_and_wait("close", "idle", event)

    def abort(self) -> None:
        """Close permanently, now and without a closing handshake."""
        self._calls.supersede("close")
        self._supervisor.feed(lifecycle.AbortAsked(finish=True), "cancelled")

    def abandon(self, made_at: str) -> None:
        """Abort a client that nobody holds any more, and say which it was."""
        if self._supervisor.client_state.is_idle:
            return
        warnings.warn(
            f"the client made at {made_at} was not closed, and nobody holds it any "
            "more: it is aborted. Keep it in a variable, and close it",
            ResourceWarning,
            stacklevel=2,
        )
        self.abort()

    async def close_without_answer(self, code: int) -> None:
        """Say that we go, and go without waiting for the answer.

        What was handed over is sent first, within `FLUSH_TIMEOUT` seconds.
        """
        supervisor, connection = self._supervisor, self._supervisor.connection
        try:
            if supervisor.client_state.phase is Phase.OPEN and connection is not None:
                self._calls.supersede("close")
                supervisor.feed(lifecycle.CloseAsked(code=code, reason=""), "close")
                await connection.flushed(FLUSH_TIMEOUT)
        finally:  # whoever presses Ctrl-C twice does not wait
            self.abort()

    async def wait_finished(self) -> None:
        """Wait until the client is closed permanently."""
        if self._supervisor.client_state.phase is not Phase.FINISHED:
            self._supervisor.client_loop.check()
            await self._calls.wait_finished()

    async def _wait_for_on_event(self) -> None:
        """Wait until `on_event` has returned, where an eager task calls from inside.

        What the event that it was told of brings about would else answer this call.
        """
        while self._supervisor.driver.is_busy:  # noqa: ASYNC110 - it is soon over
            await asyncio.sleep(0)

    def _set_target(self, target: Url, url: str) -> lifecycle.ConnectAsked:
        """Take a target; what failed on the way to the one before counts no more."""
        supervisor = self._supervisor
        same = target == supervisor.connections.target
        supervisor.connections.target = target
        supervisor.connections.retry_decider.start_timing()
        supervisor.connections.retry_decider.last_error = None
        return lifecycle.ConnectAsked(url=url, same_target=same)

    async def _feed_and_wait(
        self, name: Cause, condition: WaitCondition, event: lifecycle.Event
    ) -> None:
        """Feed an event, and wait until what it asks for is here.

        Where the wait is cancelled and no later call has come since, nothing is left
        under way.
        """
        call = self._calls.begin(name, condition)
        self._supervisor.feed(event, name)
        try:
            await call.outcome
        except asyncio.CancelledError:
            if self._calls.is_latest(call):
                abort = lifecycle.AbortAsked(finish=name == "close")
                self._supervisor.feed(abort, "cancelled")
            raise
