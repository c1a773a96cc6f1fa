"""The send buffer: tells when it has drained, which a browser does not.

It can only be asked. It is asked while it is known to be full, by a timer, and not at
all before that: what was handed over is counted here. The timers of a hidden page fire
once a second, or once a minute, but its messages come as ever: a message that arrives
after a timer should have fired asks in its stead.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from ws_common.vocabulary.messages import Data
from ws_js.browser_types import JsWebSocket

FIRST_POLL: Final = 0.004
LONGEST_POLL: Final = 0.05
"""Seconds between two looks at a full buffer, doubling up to the last while it stands
still. A browser's timers are no faster than the first.
"""

_MAX_HEADER_SIZE: Final = 14
"""Bytes before a payload, at most (RFC 6455 section 5.2). Node counts them too."""


class SendBuffer:
    """Watches `bufferedAmount`.

    Args:
        socket: Whose.
        limit: Above this many bytes the buffer is full.
        on_writable: Called when it is no longer.
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
        self._amount = 0  # when it was last asked
        self._upper_bound = 0  # the same, and at most what was handed over since
        self._timer: asyncio.Handle | None = None
        self._due = float("inf")  # when the timer should fire, in loop time

    @property
    def is_polling(self) -> bool:
        """Whether the buffer was full when it was last asked."""
        return self._timer is not None

    def count_message(self, data: Data) -> None:
        """Count a message that was handed over; ask where it may have filled it."""
        # An upper bound, as no character needs more than four bytes: asking after each
        # message would cost more than counting, and so would encoding text.
        self._upper_bound += 4 * len(data) + _MAX_HEADER_SIZE
        if self._upper_bound > self._limit and self._timer is None and self._is_full():
            self._poll_in(FIRST_POLL)

    def poll_if_late(self, now: float) -> None:
        """Ask now if the timer should have fired before `now` (loop time, seconds)."""
        if self._timer is not None and self._due <= now:
            self._timer.cancel()
            self._poll(FIRST_POLL)

    def stop(self) -> None:
        """Never ask again."""
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
