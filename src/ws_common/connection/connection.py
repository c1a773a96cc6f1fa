"""One connection: the sink of its transport, its deadlines, its one teardown.

A connection exists from the moment an attempt begins. What becomes of it is decided
by its table (`connection_machine.py`); this shell feeds the events and carries out
the commands. What it brings goes into the receive pipeline, by way of `incoming`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol

from ws_common.connection import connection_table as machine
from ws_common.connection.confirmations import Confirmations
from ws_common.connection.keepalive import Keepalive
from ws_common.connection.write_buffer import WriteBuffer
from ws_common.diagnostics.metrics import Counters
from ws_common.lifecycle.state_machine import MachineDriver
from ws_common.options.options import WebSocketOptions
from ws_common.receive.end_marker import End
from ws_common.receive.incoming import Incoming
from ws_common.vocabulary.causes import Cause
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.timers import Timer, call_later
from ws_common.vocabulary.transport import NO_TRANSPORT, CloseInfo, Transport

_OVER: Final = (machine.Phase.CLOSED, machine.Phase.ABANDONED)
_LOST: Final = CloseInfo(code=1006)


class Owner(Protocol):
    """Who is told what happens to a connection."""

    def connection_closing(self, connection: "Connection", close: CloseInfo) -> None:
        """A closing handshake has begun that we did not ask for."""

    def connection_ended(
        self, connection: "Connection", cause: Cause, close: CloseInfo
    ) -> None:
        """It is over. Comes once, and not after `abandon()` or `replace()`."""

    def connection_writable(self, connection: "Connection") -> None:
        """Its buffer is below the write limit again."""

    def report(self, name: str, **details: Any) -> None:
        """Report an event."""


class Connection:
    """The sink of one transport.

    Attributes:
        attempt: The id of the attempt that made it.
        url: Where it goes; empty before the transport is attached.
        incoming: Its place in the receive pipeline.
        opened_at: Loop time at which it was opened.
        transport: What it sends by; one that takes nothing before there is one.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_counters",
        "_deadline",
        "_driver",
        "_keepalive",
        "_loop",
        "_options",
        "_over",
        "_owner",
        "_write_buffer",
        "attempt",
        "confirmations",
        "incoming",
        "opened_at",
        "transport",
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
        self.attempt = attempt
        self.url = ""
        self.incoming = incoming
        self.opened_at = 0.0
        self.transport = NO_TRANSPORT
        self._driver = MachineDriver(machine.State(), machine.step, self._carry_out)
        self._loop = asyncio.get_running_loop()
        self._options = options
        self._counters = counters
        self._owner = owner
        self._clock = clock
        self._write_buffer = WriteBuffer(options.write_limit)
        self.confirmations = Confirmations(counters)
        self._keepalive: Keepalive | None = None
        self._deadline: Timer | None = None
        self._over: asyncio.Future[None] | None = None

    # What the transport calls

    def on_messages(self, batch: Sequence[Data], size: int) -> None:
        """Hand on what has arrived."""
        counters = self._counters
        counters.received_count += len(batch)
        counters.received_size += size
        keepalive = self._keepalive
        if keepalive is not None and keepalive.hears_messages:
            batch, size = keepalive.hear(batch, size)
            if not batch:
                return
        self.incoming.push(batch, size)

    def on_closing(self, close: CloseInfo) -> None:
        """A Close frame came, or the protocol failed: a deadline runs from here."""
        self._driver.feed(machine.CloseSeen(close))

    def on_closed(self, close: CloseInfo) -> None:
        """The transport is done."""
        self._driver.feed(machine.EndSeen(close))

    def on_writable(self) -> None:
        """The buffer has drained."""
        if self._keepalive is not None:
            self._keepalive.drained()
        self._write_buffer.drained()
        if not self._driver.state.replaced:
            self._owner.connection_writable(self)

    # What the supervisor calls

    def attach(self, transport: Transport, url: str) -> None:
        """Take the transport that the connector has returned.

        Raises:
            WSConnectionClosedError: The attempt was abandoned meanwhile; the late
                success is freed.
        """
        self.transport = transport
        self.url = url
        self._driver.feed(machine.Attached())
        if self._driver.state.phase is machine.Phase.ABANDONED:
            raise self.closed_error()

    def open(self) -> None:
        """The client has opened it: the keepalive begins."""
        self.opened_at = self._clock.monotonic()
        self._driver.feed(machine.Opened())

    def close(self, code: int | None, reason: str | None) -> None:
        """Begin the closing handshake. A deadline runs; nothing is delivered."""
        self._driver.feed(machine.CloseAsked(code, reason))

    def discard(self) -> None:
        """Deliver nothing more; it is closing already, or over."""
        self._driver.feed(machine.CloseAsked())

    def replace(self) -> None:
        """Let it close in the background: the owner hears no more of it."""
        self._driver.feed(machine.ReplaceAsked())

    def abandon(self) -> None:
        """Free the socket now; the owner hears no more of it."""
        self._driver.feed(machine.AbandonAsked())

    def adjust_reading(self) -> None:
        """Pause reading, or resume it, as what waits to be read demands.

        A transport may deliver what it holds back from inside `resume_reading()`, so
        a pause must reach it there and then.
        """
        pause = self.incoming.should_pause
        event = machine.PauseAsked() if pause else machine.ResumeAsked()
        self._driver.feed_at_once(event)

    def probe(self, *, after_gap: bool = True) -> None:
        """Ask for a sign of life now, whether there is a heartbeat or not.

        Args:
            after_gap: Time may have passed unnoticed.
        """
        state = self._driver.state
        if state.phase is not machine.Phase.OPEN or state.paused:
            return
        if self._keepalive is None:
            self._keepalive = self._make_keepalive()
        self._keepalive.probe(after_gap=after_gap)

    @property
    def number(self) -> int:
        """1 for the client's first connection, then counting."""
        return self.incoming.number

    @property
    def was_opened(self) -> bool:
        """Whether the client has ever opened it."""
        return self._driver.state.opened

    @property
    def uptime(self) -> float:
        """Seconds since it was opened; may be asked for outside of its loop."""
        return self._loop.time() - self.opened_at

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self._driver.state.phase in _OVER

    @property
    def close_info(self) -> CloseInfo:
        """How it ended, or is ending; a loss where nothing is known."""
        return self._driver.state.end or self._driver.state.closing or _LOST

    @property
    def over(self) -> "asyncio.Future[None]":
        """Done once it has ended."""
        if self._over is None:
            self._over = self._loop.create_future()
            if self.is_over:
                self._over.set_result(None)
        return self._over

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message over.

        Raises:
            WSConnectionClosedError: It takes nothing any more.
        """
        state = self._driver.state
        if state.closing is not None or state.phase in _OVER:
            raise self.closed_error()
        self.transport.send(data, text=text)
        size = len(data)  # text is ASCII, or UTF-8 bytes: see `to_wire()`
        self._write_buffer.add(size)
        self.confirmations.add(size)

    def ping(self) -> Awaitable[float] | None:
        """Measure a round trip; None where the platform has no pings.

        Raises:
            WSConnectionClosedError: It ended first.
        """
        pong = self.transport.ping()
        return None if pong is None else self._measured(pong)

    async def _measured(self, pong: Awaitable[float]) -> float:
        confirmed = self.confirmations.handed_over
        try:
            latency = await pong
        except asyncio.CancelledError:
            if not self.is_over:
                raise
            error = self.closed_error()
            raise error from error.__cause__
        self.confirmations.measured(latency, confirmed)
        return latency

    @property
    def above_limit(self) -> bool:
        """Whether its buffer is above `write_limit`."""
        return self._write_buffer.is_above(self.transport)

    async def writable(self) -> None:
        """Wait until the buffer is below the limit.

        Raises:
            WSConnectionClosedError: The connection ended first.
        """
        if self.is_over:
            raise self.closed_error()
        await self._write_buffer.below(self.transport)

    async def flushed(self, within: float) -> None:
        """Wait until all that was handed over has left, or so many seconds."""
        await self._write_buffer.flushed(self.transport, self._clock, within)

    def closed_error(self) -> WSConnectionClosedError:
        """The error that says how it ended, or is ending."""
        close = self.close_info
        # The answer to our Close comes behind all that was sent; a peer that closes
        # first may not have read it, however properly it does that.
        confirmed = close.was_clean and close.initiator == "local"
        error = WSConnectionClosedError(
            close_code=close.code,
            close_reason=close.reason,
            was_clean=close.was_clean,
            unconfirmed=0 if confirmed else self.confirmations.unconfirmed,
        )
        error.__cause__ = close.error
        return error

    # What the table commands

    def _carry_out(self, command: machine.Command, _context: object) -> None:  # noqa: C901, PLR0912 - one line for each command
        match command:
            case machine.PauseReading():
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
            case machine.ReportSilence():
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
        close = CloseInfo(code=1006, error=TimeoutError(missed))
        self._driver.feed(event(close))

    def _tear_down(self) -> None:
        """The one teardown."""
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
        if error.unconfirmed and self._driver.state.opened:
            self._owner.report("messages_unconfirmed", count=error.unconfirmed)
