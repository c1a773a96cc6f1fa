"""The asyncio shell around the machine: feeds it events, carries out its commands.

It owns the live connection, those that close out of sight, and the timers. It
decides nothing about the lifecycle: that is the table's (`machine.py`) and the
judge's (`retry.py`). What flows through the connections is `flow.py`'s.
"""

import asyncio
from collections import deque
from datetime import UTC, datetime
from typing import Any

from ws_common import lifecycle, machine
from ws_common.attempt import Failed, run_attempt
from ws_common.backoff import CHANCE
from ws_common.broadcast import Broadcast
from ws_common.buffer import Buffer, End, Limits
from ws_common.calls import Call, Calls
from ws_common.causes import Cause
from ws_common.connection import Connection
from ws_common.durations import seconds
from ws_common.entry import Entry
from ws_common.errors import (
    WSClientClosedError,
    WSConnectionClosedError,
    WSError,
    WSNotConnectedError,
)
from ws_common.lifecycle import Life, Phase
from ws_common.metrics import Counters
from ws_common.options import ConnectContext, Url, WebSocketOptions
from ws_common.outbound import Outbound
from ws_common.platform import Platform
from ws_common.receive_pipeline import Incoming, ReceivePipeline
from ws_common.reporter import Reporter
from ws_common.retry import Failure, Stop, Verdict, judge
from ws_common.sessions import SessionFeed, Sessions
from ws_common.states import (
    Closed,
    Disconnecting,
    Open,
    Reconnecting,
    WebSocketClientState,
)
from ws_common.stuckwatch import StuckWatch
from ws_common.surroundings import Surroundings
from ws_common.transport import CloseInfo, Connector

STATES_KEPT = 1024
"""State changes in a subscriber's buffer."""

RETIRING = 4
"""Connections that may close out of sight at once; the oldest is aborted above."""

_QUIET = frozenset({1000, 1001, 1005})
"""Close codes of a peer after which iteration ends without an error."""


class Supervisor:
    """Everything behind a client."""

    def __init__(
        self, options: WebSocketOptions, platform: Platform, connector: Connector
    ) -> None:
        self.options = options
        self.life = Life()
        self.counters = Counters()
        self.reporter = Reporter(options.on_event)
        self.connection: Connection | None = None
        limits = Limits(
            options.stream_capacity,
            platform.stream_max_bytes,
            options.stream_overflow,
            can_pause=platform.stream_overflow == "pause",
        )
        self.received = ReceivePipeline(
            options.interceptors,
            limits,
            report=self.reporter.note,
            count_discarded=self._count_discarded,
            on_drop=self._messages_dropped,
            on_pressure=self._adjust_reading,
        )
        self.states: Broadcast[WebSocketClientState] = Broadcast(
            Limits(STATES_KEPT, None, "drop_oldest"), keep=False
        )
        self.outbound = Outbound(options, self.check_coming, self._entry_dropped)
        self.sessions = Sessions(self.received, self.outbound)
        self.stuck = StuckWatch(self.received.messages, self.reporter.note)
        self._connector = connector
        self._loop: asyncio.AbstractEventLoop | None = None
        self._target: Url | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._abandoned: set[asyncio.Task[None]] = set()
        self._retiring: list[Connection] = []
        self._settle_timer: asyncio.TimerHandle | None = None
        self._calls = Calls()
        self._events: deque[tuple[lifecycle.Event, Cause]] = deque()
        self._stepping = False
        self._since = 0.0
        self._last_error: WSError | None = None
        self.surroundings = Surroundings(platform, self, CHANCE)

    # What is asked for

    async def connect(self, target: Url, url: str) -> None:
        """Connect to a target; `url` is it, or empty for a provider."""
        self.check_usable()
        call = self._calls.begin("connect", "open")
        self.begin_connect(target, url)
        await self._wait(call)

    def begin_connect(self, target: Url, url: str) -> None:
        """Begin to connect, without waiting for the outcome."""
        same = target == self._target
        self._target = target
        self._since = self.loop.time()
        self._last_error = None
        event = lifecycle.ConnectAsked(url=url, same_target=same)
        self.feed(event, "connect")

    async def reconnect(self) -> None:
        """Make a new connection to the same target, whatever is under way."""
        self.check_usable()
        if self._target is None:
            raise WSNotConnectedError(
                "reconnect() needs a connect() before it: there is no URL yet"
            )
        call = self._calls.begin("reconnect", "open")
        self._since = self.loop.time()
        self.feed(lifecycle.ReconnectAsked(), "reconnect")
        await self._wait(call)

    async def disconnect(self, code: int | None, reason: str) -> None:
        """Come to rest, and stay there."""
        if self.life.phase in (Phase.NEW, Phase.CLOSED):
            return
        call = self._calls.begin("disconnect", "rest")
        self.feed(lifecycle.DisconnectAsked(code=code, reason=reason), "disconnect")
        await self._wait(call)

    async def close(self, code: int | None, reason: str) -> None:
        """Come to rest for good. A second caller waits for the first."""
        if self.is_finishing:
            await self.wait_finished()
            return
        call = self._calls.begin("close", "rest")
        self.feed(lifecycle.CloseAsked(code=code, reason=reason), "close")
        await self._wait(call, finish=True)

    def abort(self) -> None:
        """Come to rest for good, now and without ceremony."""
        self._calls.overtake("close")
        self.feed(lifecycle.AbortAsked(finish=True), "cancelled")

    async def wait_finished(self) -> None:
        """Wait until the client is closed for good."""
        if self.life.phase is not Phase.FINISHED:
            await self._calls.wait_finished()

    async def _wait(self, call: Call, *, finish: bool = False) -> None:
        def stop() -> None:
            self.feed(lifecycle.AbortAsked(finish=finish), "cancelled")

        await self._calls.wait(call, stop)

    # What can be asked about it

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop that the client belongs to: the first it is used in."""
        running = asyncio.get_running_loop()
        if self._loop is None:
            self._loop = running
        elif self._loop is not running:
            msg = "a client belongs to the event loop it was first used in"
            raise RuntimeError(msg)
        return running

    def check_usable(self) -> None:
        """Raise where the client was closed for good."""
        self.loop  # noqa: B018 - raises in a foreign loop
        if self.is_finishing:
            msg = "the client was closed; make a new one"
            raise WSClientClosedError(msg)

    @property
    def is_finished(self) -> bool:
        """Whether the client is closed for good."""
        return self.life.phase is Phase.FINISHED

    @property
    def is_finishing(self) -> bool:
        """Whether `close()` has been called."""
        return self.life.phase is Phase.FINISHED or self.life.sequel == "finish"

    @property
    def last_error(self) -> WSError | None:
        """Why the attempt before failed, or the connection was lost."""
        return self._last_error

    @property
    def is_reconnecting(self) -> bool:
        """Whether the attempt under way is not a first one."""
        return bool(self.life.run.retries or self.life.connections)

    def check_coming(self) -> None:
        """Raise where no connection is open or coming."""
        self.check_usable()
        life = self.life
        match life.phase:
            case Phase.CONNECTING | Phase.OPEN | Phase.RECONNECTING:
                return
            case Phase.DISCONNECTING if life.sequel == "retry":
                if self.options.connection_retry_interval is not None:
                    return
            case _:
                pass
        raise self.not_connected()

    def not_connected(self) -> WSNotConnectedError:
        """The error that says why there is no connection."""
        error: WSError | None = None
        match self.life.shown:
            case Closed(error=WSError() as error):
                reason = f"the last one ended: {error}"
            case Closed() if self.life.phase is Phase.NEW:
                reason = "call connect() first"
            case Disconnecting():
                reason = "it is being closed"
            case _:
                reason = "it was closed; call connect() again"
        raised = WSNotConnectedError(f"no connection is open or coming: {reason}")
        raised.__cause__ = error
        return raised

    # The loop of the machine

    def feed(self, event: lifecycle.Event, cause: Cause) -> None:
        """Advance the machine; events that this brings about wait their turn."""
        self._events.append((event, cause))
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._events:
                self._step(*self._events.popleft())
        finally:
            self._stepping = False

    def _step(self, event: lifecycle.Event, cause: Cause) -> None:
        before = self.life
        self.life, commands = machine.step(before, event)
        if self.life.shown is not before.shown:
            self._announce(cause)
        for command in commands:
            self._carry_out(command)
        if self.life.phase is Phase.FINISHED and before.phase is not Phase.FINISHED:
            self._finish()

    def _carry_out(self, command: lifecycle.Command) -> None:
        match command:
            case lifecycle.StartAttempt(attempt):
                self._start_attempt(attempt)
            case lifecycle.Abandon(attempt):
                self._abandon(attempt)
            case lifecycle.BeginClose(_, code, reason):
                if self.connection is not None:
                    self.connection.close(code, reason)
            case lifecycle.Retire(attempt):
                self._retire(attempt)
            case lifecycle.Wait(attempt, delay):
                self.surroundings.wait.begin(attempt, delay)
            case lifecycle.StopWaiting():
                self.surroundings.wait.stop()
            case lifecycle.FailSends():
                self.outbound.fail(self.not_connected)

    # Attempts

    def _start_attempt(self, attempt: int) -> None:
        if self.is_reconnecting:
            self.counters.reconnects_total += 1
        self.received.call(self.received.messages.reopen)
        incoming = Incoming(self.received, self.life.connections + 1)
        connection = Connection(attempt, self.options, incoming, self.counters, self)
        self.connection = connection
        context = ConnectContext(
            attempt=self.life.run.failures + 1, last_error=self._last_error
        )
        self._attempt = self.loop.create_task(
            self._run_attempt(connection, context), name=f"ws attempt {attempt}"
        )

    async def _run_attempt(
        self, connection: Connection, context: ConnectContext
    ) -> None:
        attempt = connection.attempt
        assert self._target is not None  # noqa: S101 - connect() has set it
        try:
            await run_attempt(
                connection,
                target=self._target,
                context=context,
                options=self.options,
                connector=self._connector,
                outbound=self.outbound,
                on_url=lambda url: self.feed(
                    lifecycle.Addressed(attempt=attempt, url=url), "addressed"
                ),
            )
        except Failed as failed:
            connection.abandon()
            self._last_error = failed.error
            verdict = self._judge(failed.error, stable=False)
            self.reporter.note("attempt_failed", attempt=attempt, error=failed.error)
            event = lifecycle.AttemptFailed(
                attempt=attempt, error=failed.error, verdict=verdict
            )
            self.feed(event, failed.cause)
        except BaseException:
            connection.abandon()
            raise
        else:
            protocol = connection.transport.protocol
            self.feed(lifecycle.Opened(attempt=attempt, protocol=protocol), "opened")

    def _abandon(self, attempt: int) -> None:
        connection, task = self.connection, self._attempt
        if connection is not None and connection.attempt == attempt:
            self.connection = self._attempt = None
            connection.abandon()
            self._count_end(connection, 1006, "")
            if task is not None and not task.done():
                self._abandoned.add(task)
                task.add_done_callback(self._abandoned.discard)
                task.cancel()

    def _retire(self, attempt: int) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            self._retiring = [one for one in self._retiring if not one.is_over]
            connection.replace()
            self._count_end(connection, 1000, "")
            self._retiring.append(connection)
            if len(self._retiring) > RETIRING:
                self._retiring.pop(0).abandon()
        self.feed(lifecycle.SteppedAside(attempt=attempt), "replaced")

    # What connections tell

    def connection_closing(self, connection: Connection, close: CloseInfo) -> None:
        """Feed the beginning of a closing handshake."""
        cause: Cause = (
            "peer_closing" if close.initiator == "peer" else "protocol_failure"
        )
        event = lifecycle.ClosingSeen(
            attempt=connection.attempt, code=close.code, reason=close.reason
        )
        self.feed(event, cause)

    def connection_ended(
        self, connection: Connection, cause: Cause, close: CloseInfo
    ) -> None:
        """Feed the end of a connection, with what to do about it."""
        error = connection.closed_error()
        self._last_error = error
        self._since = self.loop.time()
        self._count_end(connection, close.code, close.reason)
        verdict: Verdict = Stop(run=self.life.run, error=error)
        if self.life.sequel == "retry":  # else somebody asked for the end
            verdict = self._judge(error, stable=self.life.settled)
        event = lifecycle.Lost(
            attempt=connection.attempt,
            code=close.code,
            reason=close.reason,
            verdict=verdict,
        )
        self.feed(event, cause)

    def _count_end(self, connection: Connection, code: int | None, reason: str) -> None:
        """Whatever ended a connection that was open: count it, end its session."""
        if not connection.was_opened:
            return
        counters = self.counters
        counters.disconnects += 1
        counters.last_disconnect_time = datetime.now(UTC)
        counters.last_disconnect_code = code
        counters.last_disconnect_reason = reason
        counters.confirmed_count = counters.transferred_count
        if self._settle_timer is not None:
            self._settle_timer.cancel()
        self.sessions.ended(connection)

    def connection_writable(self, connection: Connection) -> None:
        """Send what waits."""
        if connection is self.connection:
            self.outbound.flush()

    def note(self, name: str, **details: Any) -> None:
        """Report an event."""
        self.reporter.note(name, **details)

    def _judge(self, error: WSError, *, stable: bool) -> Verdict:
        failure = Failure(
            error=error,
            run=self.life.run,
            stable=stable,
            connected_before=self.life.connected_before,
            elapsed=self.loop.time() - self._since,
            now=datetime.now(UTC),
        )
        interval = self.options.connection_retry_interval
        return judge(failure, interval, CHANCE, self._retry_if_raised)

    def _retry_if_raised(self, error: Exception) -> None:
        self.reporter.fault("retry_if_raised", error)

    # States

    def _announce(self, cause: Cause) -> None:
        state = self.life.shown
        final = self.life.phase is Phase.FINISHED
        self.reporter.changed(state, cause, final=final)
        self.states.publish((state,), 0)
        match state:
            case Open():
                self._opened()
            case Disconnecting() | Reconnecting():
                self.outbound.shut()
            case Closed():
                self.outbound.shut()
                self.surroundings.stop()
                self._rest(state)
            case _:
                self.surroundings.start()

    def _opened(self) -> None:
        if self.life.connections > 1:
            self.counters.reconnects_successful += 1
        self.counters.last_successful_connection_time = datetime.now(UTC)
        connection = self.connection
        assert connection is not None  # noqa: S101 - the machine has one in OPEN
        self.sessions.opened(connection)
        connection.adjust_reading()
        connection.open()
        self.outbound.open(connection)
        interval = self.options.connection_retry_interval
        uptime = 0.0 if interval is None else seconds(interval.min_uptime)
        settled = lifecycle.Settled(attempt=connection.attempt)
        self._settle_timer = self.loop.call_later(uptime, self.feed, settled, "opened")
        self._calls.opened()

    def _rest(self, state: Closed) -> None:
        error = state.error
        quiet = (
            isinstance(error, WSConnectionClosedError)
            and error.was_clean
            and error.close_code in _QUIET
        )
        self.sessions.idle(
            End(
                error=None if quiet else error,
                close_code=state.close_code,
                close_reason=state.close_reason or "",
            )
        )
        self._calls.at_rest(error)

    def _finish(self) -> None:
        # Readers who come now hear how it ended, as those did who were there.
        shown = self.life.shown
        code = shown.close_code if isinstance(shown, Closed) else None
        reason = shown.close_reason if isinstance(shown, Closed) else None
        end = End(close_code=code, close_reason=reason or "", final=True)
        self.states.mark(end)
        self.received.stop()
        self.outbound.stop()
        self.stuck.stop()
        self.sessions.closed(end)
        self.surroundings.stop()
        while self._retiring:
            self._retiring.pop(0).abandon()
        self._calls.finish()

    # What the surroundings tell

    def wait_is_over(self, attempt: int, cause: Cause) -> None:
        """Feed that the next attempt is due."""
        self.feed(lifecycle.RetryDue(attempt=attempt), cause)

    def probe(self, *, after_gap: bool) -> None:
        """Ask an open connection whether it lives."""
        if self.life.phase is Phase.OPEN and self.connection is not None:
            self.connection.probe(after_gap=after_gap)

    # What flows

    def new_feed(self) -> SessionFeed:
        """Make what `sessions()` returns; it begins with the open connection."""
        connection = self.connection
        if self.life.phase is not Phase.OPEN or connection is None:
            return self.sessions.new(None)
        # Asked for by an `on_event` that is told of the opening: that comes to it.
        return self.sessions.new(connection if connection.was_opened else None)

    def _adjust_reading(self) -> None:
        if self.connection is not None:
            self.connection.adjust_reading()
        self.stuck.watch()

    def _count_discarded(self, count: int) -> None:
        self.counters.dropped_count += count

    def _messages_dropped(self, _buffer: Buffer[Any], count: int) -> None:
        self.counters.dropped_count += count
        self.reporter.note("message_dropped", direction="in", count=count)

    def _entry_dropped(self, entry: Entry, why: str) -> None:
        self.counters.dropped_count += 1
        self.reporter.note("message_dropped", direction="out", size=entry.size, why=why)
