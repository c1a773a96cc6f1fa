"""The connections of one client, from the attempt to the end of each.

This module starts attempts, frees what they leave behind, and turns what they and
their connections report into events of the client's table. An event that ends an
attempt or a connection carries the retry decision, which `retry.py` makes.
"""

from typing import Any

from ws_common.connection.connection import Connection
from ws_common.diagnostics.metrics import Counters
from ws_common.diagnostics.reporter import Reporter
from ws_common.lifecycle import client_state as lifecycle
from ws_common.lifecycle.retry import RetryDecider, RetryDecision, Stop
from ws_common.lifecycle.state_machine import MachineDriver
from ws_common.options.backoff import SYSTEM_RANDOM
from ws_common.options.options import (
    ConnectContext,
    Connector,
    Url,
    WebSocketOptions,
)
from ws_common.receive.incoming import Incoming
from ws_common.receive.pipeline import ReceivePipeline
from ws_common.runtime.attempt import Attempt, AttemptFailure
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSError
from ws_common.vocabulary.transport import CloseInfo

# A program may call reconnect() as often as it likes, with a peer that never answers a
# Close frame. Each such connection keeps a socket until `close_timeout`.
MAX_CLOSING_IN_BACKGROUND = 4
"""How many connections may close in the background. Above it the oldest is aborted."""


class Connections:
    """The attempt in progress, the live connection, and those that close.

    Args:
        options: The options of the client.
        connector: Opens the transports.
        driver: Feeds events to the client's table.
        clock: Tells the time.
        reporter: Reports events and errors of user code.
        counters: The figures behind `metrics`.
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
            SYSTEM_RANDOM,
            clock,
            lambda error: reporter.report_error("retry_if_raised", error),
        )
        self.live: Connection | None = None
        self.target: Url | None = None
        self._attempt: Attempt | None = None
        self._closing_in_background: list[Connection] = []

    # Commands of the table

    def start_attempt(self, attempt: int) -> None:
        """Begin an attempt with a connection of its own.

        Args:
            attempt: The id of the attempt.
        """
        client_state = self._driver.state
        if client_state.is_reconnecting:
            self._counters.reconnects_total += 1
        # In order with the messages: the end of the connection before may still wait
        # behind a message that an interceptor holds, and must not be marked after this.
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
        """Cancel the attempt, or abort its connection.

        Args:
            attempt: The id of the attempt.
        """
        connection = self.live
        if connection is None or connection.attempt != attempt:
            # A late success. Its connection was abandoned when the attempt was given
            # up, and has aborted the transport as it was attached.
            return
        # The connection comes first. Code of the attempt may swallow the cancellation
        # and bring a transport later, which an abandoned connection aborts at once.
        connection.abandon()
        if self._attempt is not None:
            self._attempt.cancel()
            self._attempt = None

    def close_in_background(self, attempt: int) -> None:
        """Let the live connection close in the background.

        Args:
            attempt: The id of its attempt.
        """
        connection = self.live
        assert connection is not None  # noqa: S101 - the table has started one
        connection.replace()
        # Those that have ended are removed here and not when they end: a replaced
        # connection reports nothing any more, and there are never more than four.
        self._closing_in_background = [
            one for one in self._closing_in_background if not one.is_over
        ]
        self._closing_in_background.append(connection)
        if len(self._closing_in_background) > MAX_CLOSING_IN_BACKGROUND:
            self._closing_in_background.pop(0).abandon()
        self._driver.feed(lifecycle.Replaced(attempt=attempt), "replaced")

    def abandon_replaced(self) -> None:
        """Abort the connections that still close in the background."""
        while self._closing_in_background:
            self._closing_in_background.pop(0).abandon()

    # Reports of attempts

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
        # An attempt that fails is never the end of a stable connection, whatever the
        # table remembers of the connection before.
        error = failed.error
        decision = self._decide(error, stable=False)
        self._reporter.report("attempt_failed", attempt=attempt, error=error)
        event = lifecycle.AttemptFailed(attempt, error, decision)
        self._driver.feed(event, failed.cause)

    # Reports of connections (`Owner` in connection.py)

    def connection_closing(self, connection: Connection, close: CloseInfo) -> None:
        """Report that a closing handshake has begun that we did not ask for.

        Args:
            connection: The connection that is closing.
            close: The code and the reason, and which side began.
        """
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
        """Report the end of a connection, with the retry decision.

        Args:
            connection: The connection that has ended.
            cause: Why it ended.
            close: The code, the reason, and which side began.
        """
        client_state = self._driver.state
        error = connection.closed_error()
        self.retry_decider.start_timing()
        self.retry_decider.last_error = error
        decision: RetryDecision = Stop(streak=client_state.streak, error=error)
        # If the application asked for the end there is nothing to decide: `retry_if` is
        # not called, and neither a failure nor a refusal is counted.
        if client_state.after_close == "retry":
            decision = self._decide(error, stable=client_state.is_stable)
        event = lifecycle.Lost(
            attempt=connection.attempt,
            code=close.code,
            reason=close.reason,
            decision=decision,
        )
        self._driver.feed(event, cause)

    def connection_writable(self, connection: Connection) -> None:
        """Send the messages that wait, now that the buffer has room again."""
        # A connection that closes in the background may still drain its buffer.
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
