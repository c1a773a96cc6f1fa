"""The asyncio shell around the client's table: feeds events, carries out commands.

It owns the live connection, those that close in the background, and the timers. It
decides nothing: what follows an event is decided by the table (`machine.py`), and
whether and when to try again by `retry.py`.
"""

from typing import Any

from ws_common.connection.connection import Connection
from ws_common.diagnostics.metrics import Counters
from ws_common.diagnostics.reporter import Reporter
from ws_common.lifecycle import client_state as lifecycle
from ws_common.lifecycle import client_table as machine
from ws_common.lifecycle.retry import Failures, RetryDecision, Stop
from ws_common.lifecycle.state_machine import MachineDriver
from ws_common.lifecycle.states import Closed, WebSocketClientState
from ws_common.options.backoff import CHANCE
from ws_common.options.options import (
    ConnectContext,
    Connector,
    Url,
    WebSocketOptions,
)
from ws_common.options.platform import Platform
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.incoming import Incoming
from ws_common.receive.limits import Limits, limits_of
from ws_common.receive.pipeline import ReceivePipeline
from ws_common.runtime.attempt import Attempt, Failed
from ws_common.runtime.environment import Environment
from ws_common.runtime.pending_calls import PendingCalls
from ws_common.runtime.sessions import Sessions, end_of
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.client_loop import ClientLoop
from ws_common.vocabulary.durations import seconds
from ws_common.vocabulary.errors import (
    WSClientClosedError,
    WSError,
)
from ws_common.vocabulary.timers import Timer, call_later
from ws_common.vocabulary.transport import CloseInfo

_STATE_LIMITS = Limits(1024, None, "drop_oldest")
"""State changes in a subscriber's buffer: they never pause anything."""

MAX_CLOSING_IN_BACKGROUND = 4
"""Connections that may close in the background; the oldest is aborted above."""


class Supervisor:
    """Everything behind a client."""

    __slots__ = (
        "__weakref__",
        "_attempt",
        "_closing_in_background",
        "_connector",
        "_stable_timer",
        "calls",
        "client_loop",
        "clock",
        "connection",
        "counters",
        "driver",
        "environment",
        "failures",
        "options",
        "received",
        "reporter",
        "send_queue",
        "sessions",
        "states",
        "target",
    )

    def __init__(
        self, options: WebSocketOptions, platform: Platform, connector: Connector
    ) -> None:
        self.options = options
        self.driver = MachineDriver(
            lifecycle.ClientState(), machine.step, self._carry_out
        )
        self.counters = Counters()
        self.client_loop = ClientLoop()
        self.clock = platform.clock
        self.reporter = Reporter(options.on_event, self.clock, self.counters)
        self.failures = Failures(
            options.connection_retry_interval,
            CHANCE,
            self.clock,
            lambda error: self.reporter.fault("retry_if_raised", error),
        )
        self.connection: Connection | None = None
        self.received = ReceivePipeline(
            options.interceptors,
            limits_of(options, platform),
            report=self.reporter.report,
            count_discarded=self.reporter.discarded,
            on_drop=self.reporter.dropped_in,
            on_watermark=self._adjust_reading,
            client_loop=self.client_loop,
        )
        self.received.messages.on_discarded = self.reporter.unheard
        self.received.messages.check_connect_called = self._check_asked
        self.states: Broadcast[WebSocketClientState] = Broadcast(
            _STATE_LIMITS, keep=False, client_loop=self.client_loop
        )
        self.send_queue = SendQueue(
            options,
            self.clock,
            check_coming=self.check_coming,
            report=self.reporter.report,
            on_drop=self.reporter.dropped_out,
        )
        self.sessions = Sessions(self.received, self.send_queue)
        self._connector = connector
        self.target: Url | None = None
        self._attempt: Attempt | None = None
        self._closing_in_background: list[Connection] = []
        self._stable_timer: Timer | None = None
        self.calls = PendingCalls()
        self.environment = Environment(
            platform,
            CHANCE,
            on_due=self._retry_due,
            probe=self._probe,
            report=self.reporter.report,
        )

    # What can be asked about it

    @property
    def client_state(self) -> lifecycle.ClientState:
        """What the table knows."""
        return self.driver.state

    @property
    def open_connection(self) -> Connection | None:
        """The connection that is open; None while its opening is being reported."""
        connection = self.connection
        is_open = (
            self.client_state.phase is lifecycle.Phase.OPEN and self._live().was_opened
        )
        return connection if is_open else None

    def _check_asked(self) -> None:
        if self.client_state.phase is lifecycle.Phase.NEW:
            raise self.client_state.not_connected()
        self.received.check_not_in_interceptor()

    def check_usable(self) -> None:
        """Raise where it was closed permanently, or belongs to another loop."""
        self.client_loop.check()
        if self.client_state.is_finishing:
            msg = "the client was closed; make a new one"
            raise WSClientClosedError(msg)

    def check_coming(self) -> None:
        """Raise where no connection is open or coming."""
        self.check_usable()
        retries = self.options.connection_retry_interval is not None
        if not self.client_state.is_coming(retries=retries):
            raise self.client_state.not_connected()

    # The table

    def feed(self, event: lifecycle.Event, cause: Cause) -> None:
        """Advance the table; events that this brings about wait for their turn."""
        self.driver.feed(event, cause)

    def _carry_out(self, command: lifecycle.Command, cause: Cause) -> None:  # noqa: C901, PLR0912 - one case for each command
        match command:
            case lifecycle.StartAttempt(attempt):
                self._start_attempt(attempt)
            case lifecycle.Abandon(attempt):
                self._abandon(attempt)
            case lifecycle.BeginClose(_, code, reason):
                self._live().close(code, reason)
            case lifecycle.DiscardReceived():
                self._live().discard()
                self.received.discard()
            case lifecycle.CloseInBackground(attempt):
                self._close_in_background(attempt)
            case lifecycle.Wait(attempt, delay):
                self.environment.wait.begin(attempt, delay)
            case lifecycle.StopWaiting():
                self.environment.wait.stop()
            case lifecycle.FailSends():
                self.send_queue.fail(self.client_state.not_connected)
            case lifecycle.PublishState(state, final):
                self.reporter.changed(state, cause, final=final)
                self.states.publish((state,), 0)
            case lifecycle.OpenConnection():
                self._open_connection()
            case lifecycle.StartStableTimer(attempt):
                interval = self.options.connection_retry_interval
                uptime = 0.0 if interval is None else seconds(interval.min_uptime)
                is_stable = lifecycle.BecameStable(attempt)
                self._stable_timer = call_later(uptime, self.feed, is_stable, "opened")
            case lifecycle.AnswerConnect():
                self.calls.opened()
            case lifecycle.StopSending():
                self.send_queue.shut()
            case lifecycle.CountEnd(code, reason):
                self.counters.ended(self.clock.now(), code, reason)
                if self._stable_timer is not None:
                    self._stable_timer.cancel()
                self.sessions.ended(self._live())
            case lifecycle.WatchEnvironment():
                self.environment.start()
            case lifecycle.StopWatchingEnvironment():
                self.environment.stop()
            case lifecycle.ReportIdle(closed):
                self.sessions.idle(closed)
                self.calls.at_rest(closed.error)
            case lifecycle.Finish(closed):
                self._finish(closed)

    def _live(self) -> Connection:
        assert self.connection is not None  # noqa: S101 - the table has started one
        return self.connection

    # Attempts

    def _start_attempt(self, attempt: int) -> None:
        if self.client_state.is_reconnecting:
            self.counters.reconnects_total += 1
        self.received.call(self.received.messages.reopen)
        incoming = Incoming(self.received, self.client_state.connections + 1)
        connection = Connection(
            attempt, self.options, incoming, self.counters, owner=self, clock=self.clock
        )
        self.connection = connection
        assert self.target is not None  # noqa: S101 - connect() has set it
        self._attempt = Attempt(
            connection, self.target, self._url_resolved, self._attempt_ended
        )
        context = ConnectContext(
            attempt=self.client_state.streak.failures + 1,
            last_error=self.failures.last_error,
        )
        self._attempt.start(self.options, self._connector, self.send_queue, context)

    def _url_resolved(self, attempt: Attempt, url: str) -> None:
        event = lifecycle.UrlResolved(attempt.connection.attempt, url)
        self.feed(event, "url_resolved")

    def _attempt_ended(self, ended: Attempt, failed: Failed | None) -> None:
        self._attempt = None
        attempt = ended.connection.attempt
        if failed is None:
            protocol = ended.connection.transport.protocol
            self.feed(lifecycle.Opened(attempt=attempt, protocol=protocol), "opened")
            return
        error = failed.error
        decision = self._decide(error, stable=False)
        self.reporter.report("attempt_failed", attempt=attempt, error=error)
        self.feed(lifecycle.AttemptFailed(attempt, error, decision), failed.cause)

    def _abandon(self, attempt: int) -> None:
        connection = self.connection
        if connection is None or connection.attempt != attempt:
            return  # a late success: its connection was abandoned, which frees it
        connection.abandon()  # first: what the attempt brings later is freed
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None

    def _close_in_background(self, attempt: int) -> None:
        connection = self._live()
        connection.replace()
        self._closing_in_background = [
            one for one in self._closing_in_background if not one.is_over
        ]
        self._closing_in_background.append(connection)
        if len(self._closing_in_background) > MAX_CLOSING_IN_BACKGROUND:
            self._closing_in_background.pop(0).abandon()
        self.feed(lifecycle.Replaced(attempt=attempt), "replaced")

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
        self.failures.begin()
        self.failures.last_error = error
        decision: RetryDecision = Stop(streak=self.client_state.streak, error=error)
        if self.client_state.after_close == "retry":  # else somebody asked for the end
            decision = self._decide(error, stable=self.client_state.is_stable)
        event = lifecycle.Lost(
            attempt=connection.attempt,
            code=close.code,
            reason=close.reason,
            decision=decision,
        )
        self.feed(event, cause)

    def connection_writable(self, connection: Connection) -> None:
        """Send what waits."""
        if connection is self.connection:
            self.send_queue.flush()

    def report(self, name: str, **details: Any) -> None:
        """Report an event."""
        self.reporter.report(name, **details)

    def _decide(self, error: WSError, *, stable: bool) -> RetryDecision:
        client_state = self.client_state
        return self.failures.decide(
            error,
            client_state.streak,
            stable=stable,
            connected_before=client_state.connected_before,
            provided=callable(self.target) or callable(self.options.headers),
        )

    # What the table commands

    def _open_connection(self) -> None:
        connection = self._live()
        self.counters.opened(self.clock.now(), again=connection.number > 1)
        self.sessions.opened(connection)
        connection.adjust_reading()
        connection.open()
        self.send_queue.open(connection)

    def _finish(self, closed: Closed) -> None:
        self.states.end_all(end_of(closed, final=True))
        self.received.stop()
        self.send_queue.stop()
        self.sessions.closed(closed)
        while self._closing_in_background:
            self._closing_in_background.pop(0).abandon()
        self.calls.finish()

    # What the surroundings tell

    def _retry_due(self, attempt: int, cause: Cause) -> None:
        self.feed(lifecycle.RetryDue(attempt=attempt), cause)

    def _probe(self, *, after_gap: bool) -> None:
        if (
            self.client_state.phase is lifecycle.Phase.OPEN
            and self.connection is not None
        ):
            self.connection.probe(after_gap=after_gap)

    # What flows

    def _adjust_reading(self) -> None:
        if self.connection is not None and not self.client_loop.is_over:
            self.connection.adjust_reading()
