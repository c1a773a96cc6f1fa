"""Whether the socket is read, and a sip now and then while it is not.

asyncio reports nothing of a socket that is not read: no FIN, no reset, and no Ping,
so that a peer with a keepalive of its own takes us for dead. Therefore a socket that
stays unread is read once in each interval: until the first bytes come that must be
kept, at once or later, for until then nothing fills memory.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

SIP_INTERVAL = 20.0
"""Seconds between sips where there is no heartbeat to take them from."""

MAX_SIPPED = 2**20
"""Bytes that wait above which there is no sip: from there on, as long as nobody
reads, neither the peer's Pings nor its death are noticed."""


class Sips:
    """The reading side of one socket.

    Args:
        loop: The connection's.
        interval: Seconds between sips.
        on_due: Called when a sip is due; it calls `sip()`, or does not.

    Attributes:
        tcp: The socket's transport, once there is one.
    """

    __slots__ = ("_interval", "_loop", "_on_due", "_state", "_timer", "tcp")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        interval: float,
        on_due: Callable[[], None],
    ) -> None:
        self.tcp: asyncio.Transport | None = None
        self._loop = loop
        self._interval = interval
        self._on_due = on_due
        self._state: Literal["reading", "stopped", "sipping"] = "reading"
        self._timer: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        """Read no more but sips, the first one after an interval."""
        if self._state == "reading":
            self._arm()
            self._pause()

    def resume(self) -> None:
        """Read on."""
        if self._state == "reading":
            return
        self.cancel()
        self._resume()
        self._state = "reading"

    def sip(self) -> None:
        """Read until something has come that is kept."""
        if self._state == "stopped":
            self._resume()
            self._state = "sipping"

    def sipped(self) -> None:
        """End the sip: bytes have come that are kept."""
        if self._state == "sipping":
            self._pause()

    def cancel(self) -> None:
        """Sip no more: nothing is left with the loop."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._timer = self._loop.call_later(self._interval, self._due)

    def _due(self) -> None:
        self._arm()  # first: what is called may cancel it
        self._on_due()

    def _pause(self) -> None:
        if self.tcp is not None:
            self._state = "stopped"
            self.tcp.pause_reading()

    def _resume(self) -> None:
        if self.tcp is not None:
            self.tcp.resume_reading()
