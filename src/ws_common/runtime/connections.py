"""The connections of one client: each attempt, what it opens, and how that ends.

It starts attempts and frees what they leave behind, and turns what they and their
connections report into events of the client's table. Whether an error is retried is
decided by `retry.py`; the decision is a part of the event.
"""

from typing import Any

from ws_common.connection.connection import Connection
from ws_common.diagnostics.metrics import Counters
from ws_common.diagnostics.reporter import Reporter
from ws_common.lifecycle import client_state as lifecycle
from ws_common.lifecycle.retry import RetryDecider, RetryDecision, Stop
from ws_common.lifecycle.state_machine import MachineDriver
from ws_common.options.backoff import CHANCE
from ws_common.options.options import (
    ConnectContext,
    Connector,
    Url,
    WebSocketOptions,
)
from ws_common.receive.pipeline import Incoming, ReceivePipeline
from ws_common.runtime.attempt import Attempt, AttemptFailure
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSError
from ws_common.vocabulary.transport import CloseInfo

MAX_CLOSING_IN_BACKGROUND = 4
"""Connections that may close in the background; the oldest is aborted above."""


class Connections:
    """The attempt in progress, the live connection, and those that close behind it.

    Args:
        options: The options of the client.
        connector: Opens the transports.
        driver: Feeds events to the client's table.
        clock: What time it is.
        reporter: Reports events and faults.
        counters: The figures of the client.
        received: The receive pipeline.
        send_queue: The send queue.

    Attributes:
        live: The last connection; the table says whether it is live.
        target: The URL of the last `connect()`, or what makes it.
        retry_decider: Decides whether a failure is retried.
    """

    __slots__ = (
        "_attempt",
        "_clock",
        "_closing_in_background",
        "_connector",
        "_counters",
        "_driver",
        "_options",
        "_received",
        "_reporter",
        "_send_queue",
        "live",
        "retry_decider",
        "target",
    )

    def __init__(
        self,
        options: WebSocketOptions,
        connector: Connector,
        driver: MachineDriver[lifecycle.ClientState],
        clock: Clock,
        *,
        reporter: Reporter,
        counters: Counters,
        received: ReceivePipeline,
        send_queue: SendQueue,
    ) -> None:
        self._options = options
        self._connector = connector
        self._driver = driver
        self._clock = clock
        self._reporter = reporter
        self._counters = counters
        self._received = received
        self._send_queue = send_queue
        self.retry_decider = RetryDecider(
            options.connection_retry_interval,
            CHANCE,
            clock,
            lambda error: reporter.fault("retry_if_raised", error),
        )
        self.live: Connection | None = None
        self.target: Url | None = None
        self._attempt: Attempt | None = None
        self._closing_in_background: list[Connection] = []

    # What the table commands

    def start_attempt(self, attempt: int) -> None:
        """Begin attempt `attempt`, with a connection of its own."""
        client_state = self._driver.state
        if client_state.is_reconnecting:
            self._counters.reconnects_total += 1
        self._received.call(self._received.messages.reopen)
        incoming = Incoming(self._received, client_state.connections + 1)
        connection = Connection(
            attempt,
            self._options,
            incoming,
            self._counters,
            owner=self,
            clock=self._clock,
        )
        self.live = connection
        assert self.target is not None  # noqa: S101 - connect() has set it
        self._attempt = Attempt(
            connection, self.target, self._on_url_resolved, self._on_attempt_end
        )
        context = ConnectContext(
            attempt=client_state.streak.failures + 1,
            last_error=self.retry_decider.last_error,
        )
        self._attempt.start(self._options, self._connector, self._send_queue, context)

    def abandon(self, attempt: int) -> None:
        """Cancel the attempt, or abort its connection."""
        connection = self.live
        if connection is None or connection.attempt != attempt:
            return  # a late success: its connection was abandoned, which frees it
        connection.abandon()  # first: what the attempt brings later is freed
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None

    def close_in_background(self, attempt: int) -> None:
        """Let the live connection close in the background, to make room for another."""
        connection = self.live
        assert connection is not None  # noqa: S101 - the table has started one
        connection.replace()
        self._closing_in_background = [
            one for one in self._closing_in_background if not one.is_over
        ]
        self._closing_in_background.append(connection)
        if len(self._closing_in_background) > MAX_CLOSING_IN_BACKGROUND:
            self._closing_in_background.pop(0).abandon()
        self._driver.feed(lifecycle.Replaced(attempt=attempt), "replaced")

    def abandon_replaced(self) -> None:
        """Abort what still closes in the background."""
        while self._closing_in_background:
            self._closing_in_background.pop(0).abandon()

    # What attempts report

    def _on_url_resolved(self, attempt: Attempt, url: str) -> None:
        event = lifecycle.UrlResolved(attempt.connection.attempt, url)
        self._driver.feed(event, "url_resolved")

    def _on_attempt_end(self, ended: Attempt, failed: AttemptFailure | None) -> None:
        self._attempt = None
        attempt = ended.connection.attempt
        if failed is None:
            protocol = ended.connection.transport.protocol
            opened = lifecycle.Opened(attempt=attempt, protocol=protocol)
            self._driver.feed(opened, "opened")
            return
        error = failed.error
        decision = self._decide(error, stable=False)
        self._reporter.report("attempt_failed", attempt=attempt, error=error)
        event = lifecycle.AttemptFailed(attempt, error, decision)
        self._driver.feed(event, failed.cause)

    # What connections report

    def connection_closing(self, connection: Connection, close: CloseInfo) -> None:
        """Feed the beginning of a closing handshake."""
        cause: Cause = (
            "peer_closing" if close.initiator == "peer" else "protocol_failure"
        )
        event = lifecycle.ClosingSeen(
            attempt=connection.attempt, code=close.code, reason=close.reason
        )
        self._driver.feed(event, cause)

    def connection_ended(
        self, connection: Connection, cause: Cause, close: CloseInfo
    ) -> None:
        """Feed the end of a connection, with what to do about it."""
        client_state = self._driver.state
        error = connection.closed_error()
        self.retry_decider.start_timing()
        self.retry_decider.last_error = error
        decision: RetryDecision = Stop(streak=client_state.streak, error=error)
        if client_state.after_close == "retry":  # else somebody asked for the end
            decision = self._decide(error, stable=client_state.is_stable)
        event = lifecycle.Lost(
            attempt=connection.attempt,
            code=close.code,
            reason=close.reason,
            decision=decision,
        )
        self._driver.feed(event, cause)

    def connection_writable(self, connection: Connection) -> None:
        """Send what waits."""
        if connection is self.live:
            self._send_queue.flush()

    def report(self, name: str, **details: Any) -> None:
        """Report an event."""
        self._reporter.report(name, **details)

    def _decide(self, error: WSError, *, stable: bool) -> RetryDecision:
        client_state = self._driver.state
        return self.retry_decider.decide(
            error,
            client_state.streak,
            stable=stable,
            connected_before=client_state.connected_before,
            has_provider=callable(self.target) or callable(self._options.headers),
        )
