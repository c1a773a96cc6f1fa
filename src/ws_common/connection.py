"""One connection: the sink of its transport, its deadlines, its one teardown.

A connection exists from the moment an attempt begins. It keeps what comes before it
is opened, hands on what comes after, and ends exactly once, in `_end`, whatever the
reason. It decides nothing: its owner is told, and feeds the machine.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, Final, Protocol

from ws_common.buffer import End, Limits
from ws_common.causes import Cause
from ws_common.early import Early
from ws_common.errors import WSConnectionClosedError
from ws_common.heartbeat import Heartbeat
from ws_common.inbound import Nowhere, Target
from ws_common.messages import Data, size_of
from ws_common.metrics import Counters
from ws_common.options import WebSocketOptions
from ws_common.pulse import Pulse, Replies
from ws_common.transport import CloseInfo, Transport

_HEAD: Final = 64
"""Bytes that a message needs besides its payload, at most: those of RFC 6455 section
5.2 and of a TLS record, which some platforms count.
"""


class Owner(Protocol):
    """Who is told what happens to a connection."""

    def connection_closing(self, connection: "Connection", close: CloseInfo) -> None:
        """A closing handshake has begun that we did not ask for."""

    def connection_ended(
        self, connection: "Connection", cause: Cause, close: CloseInfo
    ) -> None:
        """It is over. Comes once, and not after `abandon()`."""

    def connection_writable(self, connection: "Connection") -> None:
        """Its buffer is below the write limit again."""

    def connection_missed_heartbeat(self, connection: "Connection") -> None:
        """It gave no sign of life in time; it ends now."""

    def note(self, name: str, **details: Any) -> None:
        """Report an event."""


class Connection:
    """The sink of one transport.

    Attributes:
        attempt: The id of the attempt that made it.
        url: Where it goes.
        early: What came before it was opened.
        opened_at: Loop time at which it was opened; None before.
        ended: How it ended; None before.
    """

    def __init__(
        self,
        attempt: int,
        options: WebSocketOptions,
        limits: Limits,
        counters: Counters,
        owner: Owner,
    ) -> None:
        self.attempt = attempt
        self.url = ""
        self.early = Early(limits, self._lose_late)
        self.opened_at: float | None = None
        self.ended: CloseInfo | None = None
        self._loop = asyncio.get_running_loop()
        self._options = options
        self._limit = options.write_limit
        self._buffered = float("inf")  # at most; of our messages, until it is asked
        self._counters = counters
        self._owner: Owner | None = owner
        self._report = owner.note  # what is lost is told out of sight too
        self._target: Target = self.early
        self._nowhere = Nowhere(self._lose)
        self._lost = 0
        self._transport: Transport | None = None
        self._closing: CloseInfo | None = None
        self._closing_told = False
        self._asked_to_close = False
        self._owed: int | None = None  # unconfirmed, once it takes no more
        self._cause: Cause = "network_lost"
        self._deadline: asyncio.TimerHandle | None = None
        self._pauses: set[str] = set()
        self._drains: set[asyncio.Future[None]] = set()
        self._pulse: Pulse | None = None
        self._final = self._loop.create_future()
        self.early.buffer.on_pressure = self._early_pressure

    # What the transport calls

    def on_messages(self, batch: Sequence[Data], size: int) -> None:
        """Hand on what has arrived."""
        counters = self._counters
        counters.received_count += len(batch)
        counters.received_size += size
        for data in batch:
            self._target.publish(data)

    def on_closing(self, close: CloseInfo) -> None:
        """A Close frame came, or the protocol failed: a deadline runs from here."""
        if self._closing is not None or self.ended is not None:
            return
        self._closing = close
        self._closing_told = self._asked_to_close  # it is the answer
        self._start_deadline()
        self._read_on()  # no message follows; what does is the end of TCP
        self._tell()

    def on_closed(self, close: CloseInfo) -> None:
        """The transport is done."""
        cause: Cause = "network_lost"
        if self._asked_to_close:
            cause = "closed"
        elif close.initiator == "peer":
            cause = "peer_closed"
        elif close.initiator == "local":
            cause = "protocol_failure"
        self._end(cause, close)

    def on_writable(self) -> None:
        """The buffer has drained."""
        if self._pulse is not None:
            self._pulse.drained()
        self._release(None)
        if self._owner is not None:
            self._owner.connection_writable(self)

    # What the supervisor calls

    def attach(self, transport: Transport, url: str) -> None:
        """Take the transport that the connector has returned.

        Raises:
            WSConnectionClosedError: The attempt was abandoned meanwhile; the late
                success is freed.
        """
        self._transport = transport
        self.url = url
        if self._owner is None:
            transport.abort()
            self._tell_discarded()  # what it brought while nobody wanted it any more
            raise self.closed_error()
        if self._pauses:
            transport.pause_reading()

    def open(self, target: Target) -> None:
        """From here on messages go to `target`, and the heart beats."""
        self.opened_at = self._loop.time()
        self._target = target
        heartbeat = self._options.heartbeat
        alive = self._closing is None and self.ended is None
        if heartbeat is not None and alive and self._transport is not None:
            self._pulse = Pulse(heartbeat, self._transport, self)
            self._pulse.start()
            if self._pauses:
                self._pulse.pause()
            # What cannot pause is a browser's, where timers are late and messages not.
            by_traffic = heartbeat.message is not None and not self.can_pause
            if heartbeat.is_reply is not None or by_traffic:
                self._target = Replies(target, heartbeat.is_reply, self._pulse)
        self._tell()

    def redirect(self, target: Target) -> None:
        """Send messages elsewhere, before it is opened."""
        self._target = target

    def close(self, code: int | None, reason: str | None) -> None:
        """Begin the closing handshake. A deadline runs; nothing is delivered."""
        self._discard()
        if self._asked_to_close or self.ended is not None:
            return
        self._asked_to_close = True
        self._start_deadline()
        if self._transport is not None and self._closing is None:
            self._transport.close(code, reason)

    def retire(self) -> None:
        """Let it close out of sight: the owner hears no more of it."""
        self._owner = None
        self._owed = self._unconfirmed
        self.close(1000, "")

    def abandon(self) -> None:
        """Free the socket now; the owner hears no more of it."""
        self._owner = None
        self._discard()
        if self.opened_at is None:
            self._lose(self.early.forget())
        self._abort("abandoned", CloseInfo(code=1006, initiator="local"))
        self._tell_discarded()

    def pause(self, why: str) -> None:
        """Stop reading, for one more reason; what is closing is always read."""
        if self._asked_to_close or self._closing is not None or self.ended is not None:
            return
        self._pauses.add(why)
        if len(self._pauses) == 1 and self._transport is not None:
            if self._pulse is not None:
                self._pulse.pause()
            self._transport.pause_reading()

    def resume(self, why: str) -> None:
        """Read again, once no reason to pause is left."""
        if why not in self._pauses:
            return
        self._pauses.discard(why)
        if not self._pauses and self._transport is not None:
            if self._pulse is not None:
                self._pulse.resume()
            self._transport.resume_reading()

    def probe(self, *, after_gap: bool = True) -> None:
        """Ask for a sign of life now, whether there is a heartbeat or not.

        Args:
            after_gap: Time may have passed unnoticed.
        """
        if self._transport is None or self._closing is not None or self._pauses:
            return
        pulse = self._pulse or Pulse(Heartbeat(), self._transport, self)
        self._pulse = pulse
        pulse.probe(after_gap=after_gap)

    @property
    def last_activity(self) -> float:
        """Loop time of the last byte from the peer."""
        return 0.0 if self._transport is None else self._transport.last_activity

    @property
    def final(self) -> "asyncio.Future[None]":
        """Done once it has ended."""
        return self._final

    @property
    def transport(self) -> Transport | None:
        """The transport, once the connector has returned it."""
        return self._transport

    @property
    def can_pause(self) -> bool:
        """Whether a pause reaches the socket."""
        return self._transport is not None and self._transport.can_pause

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message over.

        Raises:
            WSConnectionClosedError: It takes nothing any more.
        """
        transport = self._transport
        if transport is None or self.ended is not None or self._closing is not None:
            raise self.closed_error()
        transport.send(data, text=text)
        size = size_of(data)
        self._buffered += size + _HEAD
        counters = self._counters
        counters.transferred_count += 1
        counters.transferred_size += size

    def ping(self) -> Awaitable[float] | None:
        """Measure a round trip; None where the platform has no pings.

        Raises:
            WSConnectionClosedError: It ended first.
        """
        if self._transport is None:
            raise self.closed_error()
        pong = self._transport.ping()
        return None if pong is None else self._measured(pong)

    async def _measured(self, pong: Awaitable[float]) -> float:
        confirmed = self.handed_over
        try:
            latency = await pong
        except asyncio.CancelledError:
            if self.ended is None:
                raise
            error = self.closed_error()
            raise error from error.__cause__
        self.heart_measured(latency, confirmed)
        return latency

    @property
    def above_limit(self) -> bool:
        """Whether its buffer is above `write_limit`.

        The transport is asked only where it can be, as in a browser that costs as
        much as sending a small message.
        """
        if self._buffered <= self._limit or self._transport is None:
            return False
        self._buffered = self._transport.buffered_amount
        return self._buffered > self._limit

    def writable(self) -> Awaitable[None]:
        """Wait until the buffer is below the limit.

        Raises:
            WSConnectionClosedError: The connection ended first.
        """
        drain = self._loop.create_future()
        if self.ended is not None:
            drain.set_exception(self.closed_error())
        elif not self.above_limit:
            drain.set_result(None)
        else:
            self._drains.add(drain)
            drain.add_done_callback(self._drains.discard)
        return drain

    def closed_error(self) -> WSConnectionClosedError:
        """The error that says how it ended, or is ending."""
        close = self.ended or self._closing or CloseInfo(code=1006)
        # The answer to our Close comes behind all that was sent; a peer that closes
        # first may not have read it, however properly it does that.
        settled = close.was_clean and close.initiator == "local"
        error = WSConnectionClosedError(
            close_code=close.code,
            close_reason=close.reason,
            was_clean=close.was_clean,
            unconfirmed=0 if settled else self._unconfirmed,
        )
        error.__cause__ = close.error
        return error

    @property
    def _unconfirmed(self) -> int:
        if self._owed is not None:
            return self._owed
        return self._counters.transferred_count - self._counters.confirmed_count

    # What the heart calls

    def heart_stopped(self) -> None:
        """No sign of life: it ends now, without a closing handshake."""
        if self._owner is not None:
            self._owner.connection_missed_heartbeat(self)
        error = TimeoutError("no sign of life from the peer within heartbeat.timeout")
        close = CloseInfo(code=1006, initiator="network", error=error)
        self._abort("heartbeat_timeout", close)

    def heart_measured(self, latency: float, confirmed: int) -> None:
        """A ping was answered: what was handed over before it has arrived."""
        self._counters.latency = latency
        self._counters.confirmed_count = max(self._counters.confirmed_count, confirmed)

    @property
    def handed_over(self) -> int:
        """How many messages have been handed over, ever."""
        return self._counters.transferred_count

    def note(self, name: str, **details: Any) -> None:
        """Report an event."""
        if self._owner is not None:
            self._owner.note(name, **details)

    # The end

    def _start_deadline(self) -> None:
        if self._pulse is not None:
            self._pulse.stop()
        if self._deadline is None:
            delay = self._options.close_timeout
            self._deadline = self._loop.call_later(delay, self._too_late)

    def _too_late(self) -> None:
        seconds = self._options.close_timeout
        error = TimeoutError(f"the peer did not end the closing within {seconds:g} s")
        close = self._closing or CloseInfo(code=1006, error=error)
        self._abort("close_timeout", close)

    def _abort(self, cause: Cause, close: CloseInfo) -> None:
        if self.ended is None and self._transport is not None:
            self._transport.abort()
        self._end(cause, close)

    def _end(self, cause: Cause, close: CloseInfo) -> None:
        """The one teardown."""
        if self.ended is not None:
            return
        self._owed = self._unconfirmed
        self.ended = close
        if self._deadline is not None:
            self._deadline.cancel()
        if self._pulse is not None:
            self._pulse.stop()
        self._release(self.closed_error)
        error = self.closed_error()
        self.early.buffer.mark(
            End(
                error=error,
                close_code=close.code,
                close_reason=close.reason,
                final=True,
            )
        )
        if not self._final.done():
            self._final.set_result(None)
        self._tell_discarded()
        self._cause = cause
        self._tell()

    def _tell(self) -> None:
        """Tell the owner of a closing and of the end, once each, after the opening."""
        owner = self._owner
        if owner is None or self.opened_at is None:
            return
        if self._closing is not None and not self._closing_told:
            self._closing_told = True
            owner.connection_closing(self, self._closing)
        if self.ended is not None:
            self._owner = None
            owner.connection_ended(self, self._cause, self.ended)

    def _tell_discarded(self) -> None:
        """Report what nobody will see; each message once."""
        count, self._lost = self._lost, 0
        if count:
            self._report("messages_discarded", count=count)

    def _lose_late(self, count: int) -> None:
        self._lose(count)
        self._tell_discarded()

    def _lose(self, count: int) -> None:
        self._lost += count
        self._counters.dropped_count += count

    def _discard(self) -> None:
        """Forget what arrives from here on, and read it: a Close may be behind it."""
        if isinstance(self._target, Replies):
            self._target.target = self._nowhere  # a reply is no loss
        else:
            self._target = self._nowhere
        self._read_on()

    def _read_on(self) -> None:
        if self._pauses and self._transport is not None:
            self._transport.resume_reading()
        self._pauses.clear()

    def _release(self, make_error: Any) -> None:
        for drain in tuple(self._drains):
            if drain.done():
                continue
            if make_error is None:
                drain.set_result(None)
            else:
                drain.set_exception(make_error())

    def _early_pressure(self, _buffer: object, full: bool) -> None:  # noqa: FBT001
        (self.pause if full else self.resume)("early")
