"""The send buffer of a `WebSocket`, polled because a browser does not report its level.

`bufferedAmount` can only be read. It is polled by a timer while the buffer is known to
be full, and not at all before that: messages are counted here when they are sent. The
timers of a hidden page fire once a second or once a minute, but its messages arrive in
time. So a message that arrives after the timer should have fired polls instead of it.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from ws_common.vocabulary.messages import Data
from ws_js.browser_types import JsWebSocket

FIRST_POLL: Final = 0.004
LONGEST_POLL: Final = 0.05
"""Seconds between two polls of a full buffer.

While the buffer does not drain, they are doubled from the first to the second value.
The nested timers of a page fire every 4 ms at most.
"""

_MAX_HEADER_SIZE: Final = 14
"""The most bytes of a frame header (RFC 6455 section 5.2). Node.js counts them too."""


class SendBuffer:
    """Polls `bufferedAmount`, and reports when there is room again.

    Args:
        socket: The `WebSocket`.
        limit: The number of bytes above which the buffer is full.
        on_writable: Called when the buffer is no longer full.
    """

    __slots__ = (
        "_amount",
        "_due",
        "_limit",
        "_loop",
        "_on_writable",
        "_socket",
        "_timer",
        "_upper_bound",
    )

    def __init__(
        self, socket: JsWebSocket, limit: int, on_writable: Callable[[], None]
    ) -> None:
        self._socket = socket
        self._limit = limit
        self._on_writable = on_writable
        self._loop = asyncio.get_running_loop()
        self._amount = 0  # `bufferedAmount` when it was polled last.
        self._upper_bound = 0  # The same, plus everything that was sent since then.
        self._timer: asyncio.Handle | None = None
        self._due = float("inf")  # The loop time at which the timer should fire.

    @property
    def is_polling(self) -> bool:
        """Whether the buffer was full when it was polled last."""
        return self._timer is not None

    def count_message(self, data: Data) -> None:
        """Count a message that was sent, and poll if it may have filled the buffer."""
        # This is an upper bound, since no character needs more than four bytes of UTF-8
        # (RFC 3629). Encoding the text would cost more, and so would polling after each
        # message: reading an attribute of JavaScript takes 0.6 us.
        self._upper_bound += 4 * len(data) + _MAX_HEADER_SIZE
        if self._upper_bound > self._limit and self._timer is None and self._is_full():
            self._poll_in(FIRST_POLL)

    def poll_if_late(self, now: float) -> None:
        """Poll if the timer should have fired before `now` (loop time in seconds)."""
        if self._timer is not None and self._due <= now:
            self._timer.cancel()
            self._poll(FIRST_POLL)

    def stop(self) -> None:
        """Stop polling."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_full(self) -> bool:
        self._amount = self._upper_bound = self._socket.bufferedAmount
        return self._amount > self._limit

    def _poll_in(self, delay: float) -> None:
        self._due = self._loop.time() + delay
        self._timer = self._loop.call_later(delay, self._poll, delay)

    def _poll(self, delay: float) -> None:
        self._timer = None
        before = self._amount
        if not self._is_full():
            self._on_writable()
        elif self._amount < before:
            self._poll_in(FIRST_POLL)
        else:
            self._poll_in(min(2 * delay, LONGEST_POLL))
