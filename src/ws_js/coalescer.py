"""Has the browser collect messages while very many come.

Calling Python for an event, and waking the task that waits for it, costs more than the
message does. So where many come, JavaScript alone collects the events (the handler is
the `push` of an array), and Python fetches them every few milliseconds: coalesced, as
W3C Pointer Events calls it. Nobody waits for them so long that it could be seen.

They are many from `RATE` on; and, at whatever rate, where Python is behind: a slow
machine or a slow program never takes so many a second, and needs it most. It is behind
where messages come for all of `SPAN` and the loop has no turn in between: what is to
be run next is kept waiting by messages that wait already.

A program that answers does wait: for each answer until it is fetched. So collecting
does not begin while anything is sent, and ends with the fetch after that; the same in
a hidden page, whose timers are late. And what comes many at a time needs room: where
an application has said how many messages may wait, they come one by one.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from ws_js.javascript_types import JsArray
from ws_js.pyodide_bridge import PyodideBridge
from ws_js.pyodide_socket import Wire

RATE: Final = 10_000
"""Messages a second from which on it pays, even if Python keeps up."""

SPAN: Final = 0.016
"""Seconds over which they are counted: so long it must go on before it is believed."""

PERIOD: Final = 0.004
"""Seconds between two fetches; a page's timers are no faster."""

FEW: Final = 10
"""Messages in a period: with fewer it is over, and in a span it does not begin."""

SLICE: Final = 64
"""Messages after which others have their turn, who want to read them."""

LARGE: Final = 2**14
"""Bytes of a message from which on it costs so much that the call matters little: it
is left where the browser counts it, and slows the server down.
"""

CROWD: Final = 8 * SLICE
"""For each so many that wait, one slice more is delivered in a turn. Who collects takes
the browser's reason to slow the server down: without this, of an endless flood ever
more would wait where nobody counts them.
"""


class Coalescer:
    """Counts the messages of one connection, and collects them where they are many.

    Args:
        bridge: JavaScript.
        wire: Where they come from.
        deliver: Takes a few of their events, in order.
        allowed: Whether they may come many at a time.
    """

    __slots__ = (
        "_allowed",
        "_bridge",
        "_count",
        "_deliver",
        "_events",
        "_loop",
        "_sent",
        "_since",
        "_timer",
        "_turn",
        "_wire",
    )

    def __init__(
        self,
        bridge: PyodideBridge,
        wire: Wire,
        deliver: Callable[[JsArray], None],
        *,
        allowed: bool,
    ) -> None:
        self._allowed = allowed
        self._bridge = bridge
        self._wire = wire
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()
        self._count = 0
        self._sent = False
        self._events: JsArray | None = None  # while they are collected
        self._timer: asyncio.Handle | None = None
        self._turn: asyncio.Handle | None = None  # until the loop has had a turn

    @property
    def holds(self) -> bool:
        """Whether there is anything that has not been delivered."""
        return self._events is not None and self._events.length > 0

    def came(self, now: float, size: int) -> None:
        """Count a message that came by itself; begin to collect, where it is time.

        Args:
            now: Loop time.
            size: Its bytes.
        """
        self._count += 1
        elapsed = now - self._since
        if elapsed < SPAN:
            return
        count, answers = self._count, self._sent
        self._count, self._since, self._sent = 0, now, False
        if count < FEW or size > LARGE or answers or not self._allowed:
            return
        is_late = self._turn is not None
        if count < RATE * elapsed and not is_late:
            self._turn = self._loop.call_soon(self._had_a_turn)
        elif self._wire.is_live and not self._bridge.is_hidden:
            self._events = self._wire.collect()
            self._timer = self._loop.call_later(PERIOD, self._fetch)

    def sent(self) -> None:
        """Something was sent: the program may wait for the answer."""
        self._sent = True

    def flush(self) -> None:
        """Deliver what is here, and collect no more."""
        events = self._events
        self._end()
        if events is not None and events.length:
            self._deliver(events)

    def stop(self) -> None:
        """Forget what is here, and collect no more. The wire listens no more either."""
        self._events = None
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn = None

    def _had_a_turn(self) -> None:
        self._turn = None

    def _fetch(self) -> None:
        events = self._events
        assert events is not None  # noqa: S101 - else there is no timer
        is_rest = False
        try:
            for _ in range(1 + events.length // CROWD):
                taken = events.splice(0, SLICE)
                self._count += taken.length
                is_rest = taken.length < SLICE
                if taken.length:
                    self._deliver(taken)
                if is_rest or self._events is None:
                    break  # no more are here, or whoever took them has ended it
        finally:
            self._fetch_again(is_rest=is_rest)

    def _fetch_again(self, *, is_rest: bool) -> None:
        if self._events is None:
            return
        if not is_rest:
            self._timer = self._loop.call_soon(self._fetch)  # behind who was woken
        elif self._count < FEW or self._sent or self._bridge.is_hidden:
            self._end()
        else:
            self._count = 0
            self._timer = self._loop.call_later(PERIOD, self._fetch)

    def _end(self) -> None:
        if self._events is not None:
            self._wire.listen()
            self._count, self._since = 0, self._loop.time()
        self.stop()
