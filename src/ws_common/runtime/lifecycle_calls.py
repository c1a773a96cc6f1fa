"""The calls of a program that change the lifecycle, such as connect() and close().

Each method feeds an event and waits for the outcome. Connecting and closing keep call
order among themselves, and the latest call counts (`pending_calls.py`).
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
"""Seconds for which a cancelled program waits until its last messages are sent."""


class LifecycleCalls:
    """The lifecycle calls of one client.

    Args:
        supervisor: Carries out what they ask for.
    """

    __slots__ = ("_calls", "_supervisor")

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._calls = supervisor.calls

    async def connect(self, target: Url, url: str) -> None:
        """Connect, and wait until the connection is open.

        Cancelling this aborts the attempt, unless a later call has come.

        Args:
            target: The URL, or a provider that returns one.
            url: The URL; empty for a provider.

        Raises:
            WSError: What ended the attempts.
        """
        await self._wait_for_on_event()
        self._supervisor.check_usable()
        await self._feed_and_wait("connect", "open", self._set_target(target, url))

    def begin_connect(self, target: Url, url: str) -> None:
        """Begin to connect without waiting for the outcome.

        Args:
            target: The URL, or a provider that returns one.
            url: The URL; empty for a provider.
        """
        self._supervisor.client_loop.check()
        self._supervisor.feed(self._set_target(target, url), "connect")

    async def reconnect(self) -> None:
        """Open a new connection to the same target, and wait until it is open.

        Cancelling this aborts the attempt, unless a later call has come.

        Raises:
            WSNotConnectedError: `connect()` was never called.
            WSError: What ended the attempts.
        """
        await self._wait_for_on_event()
        self._supervisor.check_usable()
        if self._supervisor.connections.target is None:
            raise WSNotConnectedError(
                "reconnect() needs a connect() before it: there is no URL yet"
            )
        self._supervisor.connections.retry_decider.start_timing()
        await self._feed_and_wait("reconnect", "open", lifecycle.ReconnectAsked())

    async def disconnect(self, code: int | None, reason: str) -> None:
        """Close the connection, open no other, and wait for the end.

        Cancelling this aborts the connection, unless a later call has come.

        Args:
            code: The close code; None to send none.
            reason: The reason; empty to send none.
        """
        await self._wait_for_on_event()
        self._supervisor.check_usable()
        if self._supervisor.client_state.phase in (Phase.NEW, Phase.CLOSED):
            return
        event = lifecycle.DisconnectAsked(code=code, reason=reason)
        await self._feed_and_wait("disconnect", "idle", event)

    async def close(self, code: int | None, reason: str) -> None:
        """Close permanently, and wait for the end. A second caller waits for the first.

        Cancelling this aborts the connection, and the client is closed all the same.

        Args:
            code: The close code; None to send none.
            reason: The reason; empty to send none.
        """
        self._supervisor.client_loop.check()
        await self._wait_for_on_event()
        # Asked after the wait: another close() may have come meanwhile.
        if self._supervisor.client_state.is_finishing:
            await self.wait_finished()
            return
        event = lifecycle.CloseAsked(code=code, reason=reason)
        await self._feed_and_wait("close", "idle", event)

    def abort(self) -> None:
        """Close permanently at once, without a closing handshake."""
        self._calls.supersede("close")
        self._supervisor.feed(lifecycle.AbortAsked(finish=True), "cancelled")

    def abandon(self, made_at: str) -> None:
        """Abort a client that is no longer referenced, with a ResourceWarning.

        Args:
            made_at: The line of the program that made the client.
        """
        # The finalizer asked this too, but maybe in another thread, some time ago.
        if self._supervisor.client_state.is_idle:
            return
        warnings.warn(
            f"the client made at {made_at} was not closed and is no longer "
            "referenced: it is aborted. Keep a reference to it, and close it",
            ResourceWarning,
            stacklevel=2,
        )
        self.abort()

    async def close_without_answer(self, code: int) -> None:
        """Send a Close frame, and abort without waiting for the answer.

        Messages that were handed over are sent first, within `FLUSH_TIMEOUT` seconds.
        Cancelling this aborts at once.

        Args:
            code: The close code.
        """
        supervisor, connection = self._supervisor, self._supervisor.connection
        try:
            if supervisor.client_state.phase is Phase.OPEN and connection is not None:
                self._calls.supersede("close")
                supervisor.feed(lifecycle.CloseAsked(code=code, reason=""), "close")
                await connection.wait_flushed(FLUSH_TIMEOUT)
        finally:  # also after a second Ctrl-C, which cancels the wait
            self.abort()

    async def wait_finished(self) -> None:
        """Wait until the client is closed permanently. Cancelling changes nothing."""
        if self._supervisor.client_state.phase is not Phase.FINISHED:
            self._supervisor.client_loop.check()
            await self._calls.wait_finished()

    async def _wait_for_on_event(self) -> None:
        """Wait until `on_event` has returned, if this call was made inside it."""
        # Only an eager task can begin a call inside `on_event`. The commands of the
        # event that `on_event` was called with are still being carried out: they would
        # answer this call, with the error of the connection before or before its own is
        # open.
        while self._supervisor.driver.is_busy:  # noqa: ASYNC110 - it is soon over
            await asyncio.sleep(0)

    def _set_target(self, target: Url, url: str) -> lifecycle.ConnectAsked:
        """Store the target of a connect(), and return the event to feed."""
        supervisor = self._supervisor
        same = target == supervisor.connections.target
        supervisor.connections.target = target
        supervisor.connections.retry_decider.start_timing()
        supervisor.connections.retry_decider.last_error = None
        return lifecycle.ConnectAsked(url=url, same_target=same)

    async def _feed_and_wait(
        self, name: Cause, condition: WaitCondition, event: lifecycle.Event
    ) -> None:
        """Feed an event, and wait for the outcome.

        Args:
            name: The name of the method that was called.
            condition: What the call waits for.
            event: The event of the call.
        """
        call = self._calls.begin(name, condition)
        self._supervisor.feed(event, name)
        try:
            await call.outcome
        except asyncio.CancelledError:
            # A cancelled call leaves nothing behind: no attempt, no socket. But where a
            # later call has come, what is in progress belongs to that one.
            if self._calls.is_latest(call):
                abort = lifecycle.AbortAsked(finish=name == "close")
                self._supervisor.feed(abort, "cancelled")
            raise
