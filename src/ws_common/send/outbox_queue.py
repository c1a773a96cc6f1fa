"""The messages that wait to be sent.

Every operation takes constant time, however many messages wait. A message can be taken
out anywhere: the caller of `add()` may be cancelled, and the outbox drops its oldest
message or those that have expired. A `deque` would have to be searched for it.
"""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Literal

from ws_common.options.outbox import Outbox
from ws_common.send.queued_message import OnDrop, QueuedMessage
from ws_common.send.send_target import SendTarget
from ws_common.vocabulary.clock import Clock
from ws_common.vocabulary.durations import seconds
from ws_common.vocabulary.errors import WSMessageDroppedError, WSOutboxFullError
from ws_common.vocabulary.timers import Timer, call_later

_CLOCK_TOLERANCE: Final = 0.001
"""Seconds by which a timer of the loop may fire early by the wall clock."""


class OutboxQueue:
    """The messages that wait to be sent, in the order of the calls.

    Args:
        outbox: The limits for messages of `add_nowait()`, and how old they may become.
        clock: The clock of the client.
        on_drop: Called with each message that the outbox drops, and the reason.
    """

    __slots__ = (
        "_bounded",
        "_bounded_size",
        "_clock",
        "_on_drop",
        "_order",
        "_outbox",
        "_timer",
    )

    def __init__(self, outbox: Outbox, clock: Clock, on_drop: OnDrop) -> None:
        self._outbox = outbox
        self._clock = clock
        self._on_drop = on_drop
        self._order: OrderedDict[QueuedMessage, None] = OrderedDict()
        # The messages of the outbox a second time. In `_order` the oldest of them may
        # stand behind any number of messages whose callers wait in `add()`.
        self._bounded: OrderedDict[QueuedMessage, None] = OrderedDict()
        self._bounded_size = 0
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._order)

    def put(self, message: QueuedMessage) -> None:
        """Append a message, and drop those for which there is no room any more.

        Raises:
            WSOutboxFullError: The outbox is full, and its overflow is "error"; or the
                message alone is larger than the outbox.
        """
        if not message.bounded:
            self._append(message)
            return
        expired: list[QueuedMessage] = []
        if (ttl := self._outbox.ttl) is not None:
            message.expires = self._clock.now() + timedelta(seconds=seconds(ttl))
            expired = self._take_expired()
        # Reported only when the queue is consistent again: `on_event` may send another
        # message in that call, and always does so in one of the tests.
        try:
            dropped = self._make_room(message)
        finally:
            self._report_loss(expired, "expired")
        self._report_loss(dropped, "dropped")

    def put_back(self, message: QueuedMessage) -> None:
        """Put a message that `pop()` has returned back to the front."""
        self._append(message)
        self._order.move_to_end(message, last=False)
        if message.bounded:
            self._bounded.move_to_end(message, last=False)

    def pop(self) -> QueuedMessage | None:
        """Take out the first message that has not expired; None if there is none."""
        if self._outbox.ttl is not None:
            self._report_loss(self._take_expired(), "expired")
        message = next(iter(self._order), None)
        if message is not None:
            self.discard(message)
        return message

    def discard(self, message: QueuedMessage) -> None:
        """Take out a message, wherever in the queue it is."""
        message.waits_in = None
        del self._order[message]
        if message.bounded:
            del self._bounded[message]
            self._bounded_size -= message.size

    def messages_via(self, target: SendTarget) -> list[QueuedMessage]:
        """Return the messages that only this connection may send."""
        return [message for message in self._order if message.via is target]

    def clear(self) -> list[QueuedMessage]:
        """Take out all messages, and stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
        messages = list(self._order)
        for message in messages:
            self.discard(message)
        return messages

    def _append(self, message: QueuedMessage) -> None:
        message.waits_in = self
        self._order[message] = None
        if message.bounded:
            self._bounded[message] = None
            self._bounded_size += message.size
            self._start_expiry_timer()

    def _make_room(self, message: QueuedMessage) -> list[QueuedMessage]:
        """Append a message if there is room, or if older ones can be dropped for it.

        Returns:
            The messages that were dropped, or the new one if that is.
        """
        outbox = self._outbox
        fits_alone = message.size <= outbox.max_bytes and outbox.max_messages > 0
        max_before = outbox.max_bytes - message.size
        dropped: list[QueuedMessage] = []
        while (
            len(self._bounded) >= outbox.max_messages or self._bounded_size > max_before
        ):
            if outbox.overflow == "drop_newest":
                return [message]
            # Nothing is dropped for a message that would not fit into an empty outbox.
            if outbox.overflow == "error" or not fits_alone:
                raise WSOutboxFullError(
                    f"the outbox is full ({len(self)} messages wait): slow down, "
                    "raise outbox.max_messages or max_bytes, or choose an overflow"
                )
            dropped.append(self._pop_oldest_bounded())
        self._append(message)
        return dropped

    def _pop_oldest_bounded(self) -> QueuedMessage:
        message = next(iter(self._bounded))
        self.discard(message)
        return message

    def _take_expired(self) -> list[QueuedMessage]:
        expired: list[QueuedMessage] = []
        now = self._clock.now()
        while (due := self._next_expiry) is not None and due <= now:
            expired.append(self._pop_oldest_bounded())
        return expired

    @property
    def _next_expiry(self) -> datetime | None:
        oldest = next(iter(self._bounded), None)
        return None if oldest is None else oldest.expires

    def _start_expiry_timer(self) -> None:
        """Start a timer for the expiry of the oldest message."""
        # One timer for all: messages of the outbox expire in their order, as each has
        # the same ttl. By the wall clock, so that a machine that slept sends nothing
        # old when it wakes; `pop()` looks again, as timers may be late.
        if self._timer is None and (due := self._next_expiry) is not None:
            delay = (due - self._clock.now()).total_seconds()
            self._timer = call_later(max(delay, _CLOCK_TOLERANCE), self._drop_expired)

    def _drop_expired(self) -> None:
        self._timer = None
        expired = self._take_expired()
        self._start_expiry_timer()
        self._report_loss(expired, "expired")

    def _report_loss(
        self, messages: Sequence[QueuedMessage], status: Literal["dropped", "expired"]
    ) -> None:
        how = "grew too old in" if status == "expired" else "was dropped from"
        for message in messages:
            error = f"a message of {message.size} bytes {how} the outbox"
            message.resolve(status, WSMessageDroppedError(error))
        for message in messages:
            self._on_drop(message, status)
