"""Has the browser collect messages while very many come.

Calling Python for an event, and waking the task that waits for it, costs more than the
message itself. So in a flood JavaScript collects the events without Python (the event
handler is then the `push` of an array), and Python fetches them every few milliseconds.
W3C Pointer Events calls such events coalesced. A wait that short cannot be noticed.

Collecting begins when more than `MIN_RATE` messages a second come. It also begins at
lower rates where Python cannot keep up: a slow machine or a slow program never accepts
so many messages a second, although it profits most. Python does not keep up when
messages come for all of `COUNTING_TIME` and the loop cannot run anything in between.

A program that answers each message would wait for the next fetch each time. So
collecting does not begin while anything is being sent, and ends with the first fetch
after that. The same holds in a hidden page, whose timers are late. And collected
messages arrive many at a time, so that there has to be room for them: a client with a
`stream_capacity` always gets its messages one by one.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from ws_js.javascript_types import JsArray
from ws_js.pyodide_bridge import PyodideBridge
from ws_js.pyodide_socket import ProxiedSocket

MIN_RATE: Final = 10_000
"""Messages a second above which collecting pays, even if Python keeps up."""

COUNTING_TIME: Final = 0.016
"""Seconds over which messages are counted, and which a flood has to last."""

FETCH_INTERVAL: Final = 0.004
"""Seconds between two fetches."""
# Nested timers of a page fire every 4 ms at most (HTML, timer initialization steps).

MIN_MESSAGES: Final = 10
"""The minimum of messages: in `COUNTING_TIME` to begin, per fetch to go on."""

BATCH_SIZE: Final = 64
"""The messages that are delivered at once, before their readers run."""

MAX_COLLECTED_SIZE: Final = 2**14
"""The maximum size in bytes of messages that are collected.

Above that, the call of Python matters little beside the message. Besides, the browser
counts messages that it has not delivered, and slows the server down.
"""

BACKLOG_PER_BATCH: Final = 8 * BATCH_SIZE
"""For each so many messages that wait, a turn of the loop delivers one more batch.

Collected messages no longer slow the server down. Without this, more and more messages
of an endless flood would wait where nobody counts them.
"""


class Coalescer:
    """Counts the messages of one connection, and collects them in a flood.

    Args:
        bridge: The access to JavaScript.
        proxied_socket: The socket that the messages come from.
        deliver: Called with an array of message events, in order.
        allowed: Whether messages may be delivered many at a time.
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
        # The array exists only while events are collected.
        self._events: JsArray | None = None
        self._timer: asyncio.Handle | None = None
        # Scheduled with `call_soon`, and None again as soon as the loop has run it.
        self._turn: asyncio.Handle | None = None

    @property
    def has_events(self) -> bool:
        """Whether there are events that have not been delivered."""
        return self._events is not None and self._events.length > 0

    def count_message(self, now: float, size: int) -> None:
        """Count a message that was not collected, and begin to collect in a flood.

        Args:
            now: The loop time in seconds.
            size: The bytes of the message.
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
        # The loop has not run what was scheduled `COUNTING_TIME` ago, because messages
        # kept it busy. That costs one `call_soon()` in 16 ms, and nothing below 625
        # messages a second.
        is_late = self._turn is not None
        if count < MIN_RATE * elapsed and not is_late:
            self._turn = self._loop.call_soon(self._mark_turn)
        elif self._proxied_socket.is_live and not self._bridge.is_hidden:
            self._events = self._proxied_socket.collect_messages()
            self._timer = self._loop.call_later(FETCH_INTERVAL, self._fetch)

    def count_send(self) -> None:
        """Note that a message was sent: the program may wait for an answer to it."""
        self._sent = True

    def flush(self) -> None:
        """Stop collecting, and deliver the events that were collected."""
        events = self._events
        self._stop_collecting()
        if events is not None and events.length:
            self._deliver(events)

    def stop(self) -> None:
        """Stop collecting, and drop the events that were collected."""
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
        # An exception of the sink must not end the fetching, so that the next fetch is
        # scheduled in any case.
        is_last = False
        try:
            for _ in range(1 + events.length // BACKLOG_PER_BATCH):
                taken = events.splice(0, BATCH_SIZE)
                self._count += taken.length
                is_last = taken.length < BATCH_SIZE
                if taken.length:
                    self._deliver(taken)
                if is_last or self._events is None:
                    break  # The array is empty, or the sink has aborted.
        finally:
            self._fetch_again(is_last=is_last)

    def _fetch_again(self, *, is_last: bool) -> None:
        if self._events is None:
            return
        if not is_last:
            # This runs after the readers that the last batch has woken.
            self._timer = self._loop.call_soon(self._fetch)
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
