"""The beating heart of one connection: asks for a sign of life, and says if none came.

One timer. Every `interval` it asks, with a protocol ping or the application's
`message`; a byte from the peer since then, or a send buffer that drains, is an
answer. Where none has come within `timeout`, the connection is dead at that very
moment. While reading is paused nothing can be heard, so nothing is asked or missed.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

from ws_common.durations import seconds
from ws_common.heartbeat import Heartbeat
from ws_common.messages import to_wire
from ws_common.transport import Transport


class Body(Protocol):
    """Whose heart it is."""

    def heart_stopped(self) -> None:
        """No sign of life came in time."""

    def heart_measured(self, latency: float, confirmed: int) -> None:
        """A ping was answered after `latency` seconds."""

    @property
    def handed_over(self) -> int:
        """How many messages have been handed over, ever."""

    def note(self, name: str, **details: Any) -> None:
        """Report an event."""


class Pulse:
    """Beats from the moment it is made until `stop()`."""

    def __init__(self, heartbeat: Heartbeat, transport: Transport, body: Body) -> None:
        self._interval = seconds(heartbeat.interval)
        self._timeout = seconds(heartbeat.timeout)
        self._message = heartbeat.message
        self._transport = transport
        self._body = body
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._asked_at = 0.0
        self._buffered = 0
        self._pongs: set[asyncio.Future[float]] = set()
        self._rest()

    def probe(self) -> None:
        """Ask now, whatever the interval says: time may have passed unnoticed."""
        if self._timer is not None:
            self._timer.cancel()
            self._ask()

    def pause(self) -> None:
        """Nothing is read from here on: silence says nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def resume(self) -> None:
        """Reading goes on; the peer has the whole of `interval` and `timeout` again."""
        if self._timer is None:
            self._rest()

    def stop(self) -> None:
        """Beat no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for pong in tuple(self._pongs):
            pong.cancel()

    def _rest(self) -> None:
        self._timer = self._loop.call_later(self._interval, self._ask)

    def _ask(self) -> None:
        self._asked_at = self._loop.time()
        self._buffered = self._transport.buffered_amount
        if not self._send():
            self._rest()  # the platform has no pings, and no message was given
            return
        self._timer = self._loop.call_at(self._asked_at + self._timeout, self._check)

    def _send(self) -> bool:
        """Ask; False where there is nothing to ask with."""
        try:
            pong = self._transport.ping()
            if pong is not None:
                self._watch(pong)
                return True
            if self._message is None:
                return False
            message = self._message
            data, text = to_wire(message() if callable(message) else message)
            self._transport.send(data, text=text)
        except Exception as error:  # noqa: BLE001 - user code, or a socket that ends
            self._body.note("heartbeat_failed", error=error)
        return True

    def _watch(self, pong: Awaitable[float]) -> None:
        confirmed = self._body.handed_over
        future = asyncio.ensure_future(pong)
        self._pongs.add(future)

        def answered(done: asyncio.Future[float]) -> None:
            self._pongs.discard(done)
            if not done.cancelled() and done.exception() is None:
                self._body.heart_measured(done.result(), confirmed)

        future.add_done_callback(answered)

    def _check(self) -> None:
        buffered = self._transport.buffered_amount
        heard = self._transport.last_activity >= self._asked_at
        if heard or buffered < self._buffered:
            wait = self._asked_at + self._interval - self._loop.time()
            self._timer = self._loop.call_later(max(wait, 0.0), self._ask)
            return
        self._timer = None
        self._body.heart_stopped()
