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
from ws_common.lifecycle.retry import Failures, Stop, Verdict
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
from ws_common.receive.pipeline import Incoming, ReceivePipeline, limits_of
from ws_common.receive.subscriber_buffer import Limits
from ws_common.runtime.attempt import Attempt, Failed
from ws_common.runtime.environment import Surroundings
from ws_common.runtime.pending_calls import Calls
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

RETIRING = 4
"""Connections that may close in the background; the oldest is aborted above."""


class Supervisor:
    """Everything behind a client."""

    __slots__ = (
        "__weakref__",
        "_attempt",
        "_connector",
        "_retiring",
        "_stable_timer",
        "calls",
        "clock",
        "connection",
        "counters",
        "driver",
        "failures",
        "home",
        "options",
        "outbound",
        "received",
        "reporter",
        "sessions",
        "states",
        "surroundings",
        "target",
    )

    def __init__(
        self, options: WebSocketOptions, platform: Platform, connector: Connector
    ) -> None:
        self.options = options
        self.driver = MachineDriver(lifecycle.Life(), machine.step, self._carry_out)
        self.counters = Counters()
        self.home = ClientLoop()
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
            report=self.reporter.note,
            count_discarded=self.reporter.discarded,
            on_drop=self.reporter.dropped_in,
            on_pressure=self._adjust_reading,
            home=self.home,
        )
        self.received.messages.on_unheard = self.reporter.unheard
        self.received.messages.check_asked = self._check_asked
        self.states: Broadcast[WebSocketClientState] = Broadcast(
            _STATE_LIMITS, keep=False, home=self.home
        )
        self.outbound = SendQueue(
            options,
            self.clock,
            check_coming=self.check_coming,
            report=self.reporter.note,
            on_drop=self.reporter.dropped_out,
        )
        self.sessions = Sessions(self.received, self.outbound)
        self._connector = connector
        self.target: Url | None = None
        self._attempt: Attempt | None = None
        self._retiring: list[Connection] = []
        self._stable_timer: Timer | None = None
        self.calls = Calls()
        self.surroundings = Surroundings(
            platform,
            CHANCE,
            on_due=self._retry_due,
            probe=self._probe,
            report=self.reporter.note,
        )

    # What can be asked about it

    @property
    def life(self) -> lifecycle.Life:
        """What the table knows."""
        return self.driver.state

    @property
    def open_connection(self) -> Connection | None:
        """The connection that is open; None while its opening is being reported."""
        connection = self.connection
        is_open = self.life.phase is lifecycle.Phase.OPEN and self._live().was_opened
        return connection if is_open else None

    def _check_asked(self) -> None:
        if self.life.phase is lifecycle.Phase.NEW:
            raise self.life.not_connected()
        self.received.check_outside()

    def check_usable(self) -> None:
        """Raise where it was closed permanently, or belongs to another loop."""
        self.home.check()
        if self.life.is_finishing:
            msg = "the client was closed; make a new one"
            raise WSClientClosedError(msg)

    def check_coming(self) -> None:
        """Raise where no connection is open or coming."""
        self.check_usable()
        retries = self.options.connection_retry_interval is not None
        if not self.life.is_coming(retries=retries):
            raise self.life.not_connected()

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
            case lifecycle.Retire(attempt):
                self._retire(attempt)
            case lifecycle.Wait(attempt, delay):
                self.surroundings.wait.begin(attempt, delay)
            case lifecycle.StopWaiting():
                self.surroundings.wait.stop()
            case lifecycle.FailSends():
                self.outbound.fail(self.life.not_connected)
            case lifecycle.Show(state, final):
                self.reporter.changed(state, cause, final=final)
                self.states.publish((state,), 0)
            case lifecycle.OpenConnection():
                self._open_connection()
            case lifecycle.StartStableTimer(attempt):
                interval = self.options.connection_retry_interval
                uptime = 0.0 if interval is None else seconds(interval.min_uptime)
                settled = lifecycle.Settled(attempt)
                self._stable_timer = call_later(uptime, self.feed, settled, "opened")
            case lifecycle.AnswerConnect():
                self.calls.opened()
            case lifecycle.StopSending():
                self.outbound.shut()
            case lifecycle.CountEnd(code, reason):
                self.counters.ended(self.clock.now(), code, reason)
                if self._stable_timer is not None:
                    self._stable_timer.cancel()
                self.sessions.ended(self._live())
            case lifecycle.WatchEnvironment():
                self.surroundings.start()
            case lifecycle.LeaveEnvironment():
                self.surroundings.stop()
            case lifecycle.TellIdle(closed):
                self.sessions.idle(closed)
                self.calls.at_rest(closed.error)
            case lifecycle.Finish(closed):
                self._finish(closed)

    def _live(self) -> Connection:
        assert self.connection is not None  # noqa: S101 - the table has started one
        return self.connection

    # Attempts

    def _start_attempt(self, attempt: int) -> None:
        if self.life.is_reconnecting:
            self.counters.reconnects_total += 1
        self.received.call(self.received.messages.reopen)
        incoming = Incoming(self.received, self.life.connections + 1)
        connection = Connection(
            attempt, self.options, incoming, self.counters, owner=self, clock=self.clock
        )
        self.connection = connection
        assert self.target is not None  # noqa: S101 - connect() has set it
        self._attempt = Attempt(
            connection, self.target, self._addressed, self._attempt_ended
        )
        context = ConnectContext(
            attempt=self.life.run.failures + 1, last_error=self.failures.last_error
        )
        self._attempt.start(self.options, self._connector, self.outbound, context)

    def _addressed(self, addressed: Attempt, url: str) -> None:
        event = lifecycle.Addressed(addressed.connection.attempt, url)
        self.feed(event, "addressed")

    def _attempt_ended(self, ended: Attempt, failed: Failed | None) -> None:
        self._attempt = None
        attempt = ended.connection.attempt
        if failed is None:
            protocol = ended.connection.transport.protocol
            self.feed(lifecycle.Opened(attempt=attempt, protocol=protocol), "opened")
            return
        error = failed.error
        verdict = self._decide(error, stable=False)
        self.reporter.note("attempt_failed", attempt=attempt, error=error)
        self.feed(lifecycle.AttemptFailed(attempt, error, verdict), failed.cause)

    def _abandon(self, attempt: int) -> None:
        connection = self.connection
        if connection is None or connection.attempt != attempt:
            return  # a late success: its connection was abandoned, which frees it
        connection.abandon()  # first: what the attempt brings later is freed
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None

    def _retire(self, attempt: int) -> None:
        connection = self._live()
        connection.replace()
        self._retiring = [one for one in self._retiring if not one.is_over]
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
        self.failures.begin()
        self.failures.last_error = error
        verdict: Verdict = Stop(run=self.life.run, error=error)
        if self.life.sequel == "retry":  # else somebody asked for the end
            verdict = self._decide(error, stable=self.life.settled)
        event = lifecycle.Lost(
            attempt=connection.attempt,
            code=close.code,
            reason=close.reason,
            verdict=verdict,
        )
        self.feed(event, cause)

    def connection_writable(self, connection: Connection) -> None:
        """Send what waits."""
        if connection is self.connection:
            self.outbound.flush()

    def note(self, name: str, **details: Any) -> None:
        """Report an event."""
        self.reporter.note(name, **details)

    def _decide(self, error: WSError, *, stable: bool) -> Verdict:
        life = self.life
        return self.failures.decide(
            error,
            life.run,
            stable=stable,
            connected_before=life.connected_before,
            provided=callable(self.target) or callable(self.options.headers),
        )

    # What the table commands

    def _open_connection(self) -> None:
        connection = self._live()
        self.counters.opened(self.clock.now(), again=connection.number > 1)
        self.sessions.opened(connection)
        connection.adjust_reading()
        connection.open()
        self.outbound.open(connection)

    def _finish(self, closed: Closed) -> None:
        self.states.mark(end_of(closed, final=True))
        self.received.stop()
        self.outbound.stop()
        self.sessions.closed(closed)
        while self._retiring:
            self._retiring.pop(0).abandon()
        self.calls.finish()

    # What the surroundings tell

    def _retry_due(self, attempt: int, cause: Cause) -> None:
        self.feed(lifecycle.RetryDue(attempt=attempt), cause)

    def _probe(self, *, after_gap: bool) -> None:
        if self.life.phase is lifecycle.Phase.OPEN and self.connection is not None:
            self.connection.probe(after_gap=after_gap)

    # What flows

    def _adjust_reading(self) -> None:
        if self.connection is not None and not self.home.is_over:
            self.connection.adjust_reading()
