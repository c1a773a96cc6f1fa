"""One connection: the sink of its transport, its deadlines and its teardown.

A connection exists from the moment an attempt begins. Its table
(`connection_table.py`) decides what becomes of it; this shell feeds the events and
carries out the commands. Received messages enter the receive pipeline by `incoming`.
"""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from ws_common.connection import connection_table as machine
from ws_common.connection.connection_writer import ConnectionWriter
from ws_common.connection.keepalive import Keepalive
from ws_common.connection.write_buffer import WriteBuffer
from ws_common.diagnostics.metrics import Counters
from ws_common.lifecycle.state_machine import MachineDriver
from ws_common.options.options import WebSocketOptions
from ws_common.receive.end_marker import End
from ws_common.receive.incoming import Incoming
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.timers import Timer, call_later
from ws_common.vocabulary.transport import CloseInfo, Transport


class Owner(Protocol):
    """The owner of a connection: it is called when something happens to it."""

    def connection_closing(self, connection: "Connection", close: CloseInfo) -> None:
        """The peer, or a protocol failure, has begun the closing handshake."""

    def connection_ended(
        self, connection: "Connection", cause: Cause, close: CloseInfo
    ) -> None:
        """The connection has ended.

        It is called once at most, and never after `abandon()` or `replace()`.
        """

    def connection_writable(self, connection: "Connection") -> None:
        """The send buffer is below the write limit again."""

    def report(self, name: str, **details: Any) -> None:
        """Report an event."""


class Connection(ConnectionWriter):
    """One connection, and the sink of its transport.

    Attributes:
        attempt: The id of the attempt that made the connection.
        url: The URL of the server; empty before the transport is attached.
        incoming: The place of the connection in the receive pipeline.
        opened_at: The loop time at which the connection was opened, in seconds.
    """

    __slots__ = (
        "__weakref__",
        "_counters",
        "_deadline",
        "_keepalive",
        "_loop",
        "_options",
        "_over",
        "_owner",
        "attempt",
        "incoming",
        "opened_at",
        "url",
    )

    def __init__(
        self,
        attempt: int,
        options: WebSocketOptions,
        incoming: Incoming,
        counters: Counters,
        *,
        owner: Owner,
        clock: Clock,
    ) -> None:
        driver = MachineDriver(machine.State(), machine.step, self._carry_out)
        super().__init__(driver, WriteBuffer(options.write_limit), counters, clock)
        self.attempt = attempt
        self.url = ""
        self.incoming = incoming
        self.opened_at = 0.0
        self._loop = asyncio.get_running_loop()
        self._options = options
        self._counters = counters
        self._owner = owner
        self._keepalive: Keepalive | None = None
        self._deadline: Timer | None = None
        # Made when somebody waits for it: a client that is idle holds no future.
        self._over: asyncio.Future[None] | None = None

    # What the transport calls

    def on_messages(self, batch: Sequence[Data], size: int) -> None:
        """Count a batch and push it into the receive pipeline."""
        counters = self._counters
        counters.received_count += len(batch)
        counters.received_size += size
        # This runs for every read of the socket: a connection whose heartbeat has no
        # `is_reply` must not pay for more than this one test.
        keepalive = self._keepalive
        if keepalive is not None and keepalive.inspects_messages:
            batch, size = keepalive.take_replies(batch, size)
            if not batch:
                return
        self.incoming.push(batch, size)

    def on_closing(self, close: CloseInfo) -> None:
        """Start the deadline: a Close frame came, or the protocol failed."""
        self._driver.feed(machine.CloseSeen(close))

    def on_closed(self, close: CloseInfo) -> None:
        """Tear down: the transport has ended."""
        self._driver.feed(machine.EndSeen(close))

    def on_writable(self) -> None:
        """Wake the senders that wait: the send buffer has drained."""
        if self._keepalive is not None:
            self._keepalive.on_drained()
        self._write_buffer.on_drained()
        if not self._driver.state.replaced:
            self._owner.connection_writable(self)

    # What the supervisor calls

    def attach(self, transport: Transport, url: str) -> None:
        """Take the transport that the connector has returned.

        Raises:
            WSConnectionClosedError: The attempt was abandoned while the connector
                ran; the transport has been aborted.
        """
        self.transport = transport
        self.url = url
        self._driver.feed(machine.Attached())
        if self._driver.state.phase is machine.Phase.ABANDONED:
            raise self.closed_error()

    def open(self) -> None:
        """Open the connection for the client, and start the keepalive."""
        self.opened_at = self._clock.monotonic()
        self._driver.feed(machine.Opened())

    def close(self, code: int | None, reason: str | None) -> None:
        """Begin the closing handshake; discard what arrives from now on.

        The connection ends with the answer, or after `close_timeout`.
        """
        self._driver.feed(machine.CloseAsked(code, reason))

    def discard(self) -> None:
        """Discard what arrives from now on; the connection is closing, or closed."""
        self._driver.feed(machine.CloseAsked())

    def replace(self) -> None:
        """Close in the background: nothing more is reported to the owner."""
        self._driver.feed(machine.ReplaceAsked())

    def abandon(self) -> None:
        """Free the socket at once: nothing more is reported to the owner."""
        self._driver.feed(machine.AbandonAsked())

    def adjust_reading(self) -> None:
        """Pause or resume reading, by how much waits to be read."""
        # Not through the queue of events: a transport may deliver what it held back
        # from inside `resume_reading()`, and a pause has to reach it in that call.
        pause = self.incoming.should_pause
        event = machine.PauseAsked() if pause else machine.ResumeAsked()
        self._driver.feed_at_once(event)

    def probe(self, *, after_gap: bool = True) -> None:
        """Send a ping now, whether a heartbeat is configured or not.

        Args:
            after_gap: Whether the process or page may have been suspended.
        """
        # While reading is paused no Pong can be read, so silence proves nothing.
        state = self._driver.state
        if state.phase is not machine.Phase.OPEN or state.paused:
            return
        if self._keepalive is None:
            self._keepalive = self._make_keepalive()
        self._keepalive.probe(after_gap=after_gap)

    @property
    def number(self) -> int:
        """The number of the connection: 1 for the client's first one."""
        return self.incoming.number

    @property
    def was_opened(self) -> bool:
        """Whether the client has opened the connection."""
        return self._driver.state.opened

    @property
    def uptime(self) -> float:
        """Seconds since the connection was opened; readable outside of its loop."""
        return self._loop.time() - self.opened_at

    @property
    def over(self) -> "asyncio.Future[None]":
        """A future that is done once the connection has ended."""
        if self._over is None:
            self._over = self._loop.create_future()
            if self.is_over:
                self._over.set_result(None)
        return self._over

    # What the table commands

    def _carry_out(self, command: machine.Command, _context: object) -> None:  # noqa: C901, PLR0912 - one line for each command
        match command:
            case machine.PauseReading():
                # The keepalive first: asyncio reports neither bytes nor FIN of a
                # socket that is not read, so silence would look like a dead peer.
                if self._keepalive is not None:
                    self._keepalive.pause()
                self.transport.pause_reading()
            case machine.ResumeReading():
                if self._keepalive is not None:
                    self._keepalive.start()
                self.transport.resume_reading()
            case machine.StartKeepalive():
                if self._options.heartbeat is not None:
                    self._keepalive = self._make_keepalive()
                    if not self._driver.state.paused:
                        self._keepalive.start()
            case machine.StopKeepalive():
                self._stop_keepalive()
            case machine.StartDeadline():
                delay = self._options.close_timeout
                missed = f"the peer did not end the closing within {delay:g} s"
                expired = machine.DeadlineExpired
                self._deadline = call_later(delay, self._expire, expired, missed)
            case machine.Discard():
                self.incoming.discard()
            case machine.SendClose(code, reason):
                self.transport.close(code, reason)
            case machine.FreezeUnconfirmed():
                self.confirmations.freeze()
            case machine.Abort():
                self.transport.abort()
            case machine.TearDown():
                self._tear_down()
            case machine.ReportSilence():  # before `Abort`: see the table
                silent = self._clock.monotonic() - self.transport.last_activity
                self._owner.report("heartbeat_missed", silent_for=silent)
            case machine.ReportClosing(close):
                self._owner.connection_closing(self, close)
            case machine.ReportEnd(cause, close):
                self._owner.connection_ended(self, cause, close)

    def _make_keepalive(self) -> Keepalive:
        missed = "no sign of life from the peer within heartbeat.timeout"
        return Keepalive(
            self._options.heartbeat,
            self.transport,
            self.confirmations,
            self._clock,
            report=self._owner.report,
            on_expired=partial(self._expire, machine.KeepaliveExpired, missed),
        )

    def _stop_keepalive(self) -> None:
        if self._keepalive is not None:
            self._keepalive.stop()

    def _expire(self, event: Callable[[CloseInfo], machine.Event], missed: str) -> None:
        # RFC 6455, section 7.4.1: 1006 says that no Close frame was received.
        close = CloseInfo(code=1006, error=TimeoutError(missed))
        self._driver.feed(event(close))

    def _tear_down(self) -> None:
        """Release everything. Every way to lose a connection ends here."""
        # `closed_error()` is called again later, when the client's counters include
        # the messages of the next connection.
        self.confirmations.freeze()
        if self._deadline is not None:
            self._deadline.cancel()
        self._stop_keepalive()
        self._write_buffer.fail(self.closed_error)
        error, close = self.closed_error(), self.close_info
        end = End(error=error, close_code=close.code, close_reason=close.reason)
        self.incoming.ended(end)
        if self._over is not None and not self._over.done():
            self._over.set_result(None)
        # Last, since `on_event` may call back, and must find everything released.
        if error.unconfirmed and self._driver.state.opened:
            self._owner.report("messages_unconfirmed", count=error.unconfirmed)
