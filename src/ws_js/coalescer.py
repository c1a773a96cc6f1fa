"""Has the browser collect messages while very many come.

Calling Python for an event, and waking the task that waits for it, costs more than the
message does. So where many come, JavaScript alone collects the events (the handler is
the `push` of an array), and Python fetches them every few milliseconds: coalesced, as
W3C Pointer Events calls it. Nobody waits for them so long that it could be seen.

They are many from `MIN_RATE` on; and, at whatever rate, where Python is behind: a slow
machine or a slow program never takes so many a second, and needs it most. It is behind
where messages come for all of `COUNTING_TIME` and the loop has no turn in between: what
is to be run next is kept waiting by messages that wait already.

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
from ws_js.pyodide_socket import ProxiedSocket

MIN_RATE: Final = 10_000
"""Messages a second from which on it pays, even if Python keeps up."""

COUNTING_TIME: Final = 0.016
"""Seconds over which they are counted: so long it must go on before it is believed."""

FETCH_INTERVAL: Final = 0.004
"""Seconds between two fetches; a page's timers are no faster."""

MIN_MESSAGES: Final = 10
"""Messages in a period: with fewer it is over, and in a span it does not begin."""

BATCH_SIZE: Final = 64
"""Messages after which others have their turn, who want to read them."""

MAX_COLLECTED_SIZE: Final = 2**14
"""Bytes of a message from which on it costs so much that the call matters little: it
is left where the browser counts it, and slows the server down.
"""

BACKLOG_PER_BATCH: Final = 8 * BATCH_SIZE
"""For each so many that wait, one slice more is delivered in a turn. Who collects takes
the browser's reason to slow the server down: without this, of an endless flood ever
more would wait where nobody counts them.
"""


class Coalescer:
    """Counts the messages of one connection, and collects them where they are many.

    Args:
        bridge: JavaScript.
        proxied_socket: Where they come from.
        deliver: Takes a few of their events, in order.
        allowed: Whether they may come many at a time.
    """

    __slots__ = (
        "_allowed",
        "_bridge",
        "_count",
        "_counted_since",
        "_deliver",
        "_events",
        "_loop",
        "_proxied_socket",
        "_sent",
        "_timer",
        "_turn",
    )

    def __init__(
        self,
        bridge: PyodideBridge,
        proxied_socket: ProxiedSocket,
        deliver: Callable[[JsArray], None],
        *,
        allowed: bool,
    ) -> None:
        self._allowed = allowed
        self._bridge = bridge
        self._proxied_socket = proxied_socket
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._counted_since = self._loop.time()
        self._count = 0
        self._sent = False
        self._events: JsArray | None = None  # while they are collected
        self._timer: asyncio.Handle | None = None
        self._turn: asyncio.Handle | None = None  # until the loop has had a turn

    @property
    def has_events(self) -> bool:
        """Whether there is anything that has not been delivered."""
        return self._events is not None and self._events.length > 0

    def count_message(self, now: float, size: int) -> None:
        """Count a message that came by itself; begin to collect, where it is time.

        Args:
            now: Loop time.
            size: Its bytes.
        """
        self._count += 1
        elapsed = now - self._counted_since
        if elapsed < COUNTING_TIME:
            return
        count, answers = self._count, self._sent
        self._count, self._counted_since, self._sent = 0, now, False
        if count < MIN_MESSAGES or size > MAX_COLLECTED_SIZE:
            return
        if answers or not self._allowed:
            return
        is_late = self._turn is not None
        if count < MIN_RATE * elapsed and not is_late:
            self._turn = self._loop.call_soon(self._mark_turn)
        elif self._proxied_socket.is_live and not self._bridge.is_hidden:
            self._events = self._proxied_socket.collect_messages()
            self._timer = self._loop.call_later(FETCH_INTERVAL, self._fetch)

    def count_send(self) -> None:
        """Something was sent: the program may wait for the answer."""
        self._sent = True

    def flush(self) -> None:
        """Deliver what is here, and collect no more."""
        events = self._events
        self._stop_collecting()
        if events is not None and events.length:
            self._deliver(events)

    def stop(self) -> None:
        """Forget what is here, and collect no more. The wire listens no more either."""
        self._events = None
        for handle in (self._timer, self._turn):
            if handle is not None:
                handle.cancel()
        self._timer = self._turn = None

    def _mark_turn(self) -> None:
        self._turn = None

    def _fetch(self) -> None:
        events = self._events
        assert events is not None  # noqa: S101 - else there is no timer
        is_last = False
        try:
            for _ in range(1 + events.length // BACKLOG_PER_BATCH):
                taken = events.splice(0, BATCH_SIZE)
                self._count += taken.length
                is_last = taken.length < BATCH_SIZE
                if taken.length:
                    self._deliver(taken)
                if is_last or self._events is None:
                    break  # no more are here, or whoever took them has ended it
        finally:
            self._fetch_again(is_last=is_last)

    def _fetch_again(self, *, is_last: bool) -> None:
        if self._events is None:
            return
        if not is_last:
            self._timer = self._loop.call_soon(self._fetch)  # behind who was woken
        elif self._count < MIN_MESSAGES or self._sent or self._bridge.is_hidden:
            self._stop_collecting()
        else:
            self._count = 0
            self._timer = self._loop.call_later(FETCH_INTERVAL, self._fetch)

    def _stop_collecting(self) -> None:
        if self._events is not None:
            self._proxied_socket.stop_collecting()
            self._count, self._counted_since = 0, self._loop.time()
        self.stop()
