"""Messages that wait to be sent.

Every operation takes constant time, however many messages wait: each of them can be
taken out anywhere, since the caller of `add()` may be cancelled and the outbox drops
its oldest message or the ones that are too old. A `deque` would have to be searched.
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

_SOON: Final = 0.001
"""Seconds by which the loop's clock and the wall's may differ."""


class OutboxQueue:
    """The messages that wait, in call order.

    Args:
        outbox: Bounds those for which no caller waits, and says how old they may grow.
        clock: What time it is.
        on_drop: Called with each message that the outbox drops, and why.
    """

    __slots__ = (
        "_clock",
        "_kept",
        "_kept_bytes",
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
        # Those that are in the outbox once more, to find the oldest of them.
        self._kept: OrderedDict[QueuedMessage, None] = OrderedDict()
        self._kept_bytes = 0
        self._timer: Timer | None = None

    def __len__(self) -> int:
        return len(self._order)

    def put(self, message: QueuedMessage) -> None:
        """Put a message behind all others, or drop what there is no room for.

        Raises:
            WSOutboxFullError: There is no room, and the outbox drops nothing for it.
        """
        if not message.bounded:
            self._append(message)
            return
        expired: list[QueuedMessage] = []
        if (ttl := self._outbox.ttl) is not None:
            message.expires = self._clock.now() + timedelta(seconds=seconds(ttl))
            expired = self._take_expired()
        # Reported when all is in order: `on_event` may send something in that call.
        try:
            dropped = self._make_room(message)
        finally:
            self._lose(expired, "expired")
        self._lose(dropped, "dropped")

    def put_back(self, message: QueuedMessage) -> None:
        """Put a message that `pop()` has returned in front of all others again."""
        self._append(message)
        self._order.move_to_end(message, last=False)
        if message.bounded:
            self._kept.move_to_end(message, last=False)

    def pop(self) -> QueuedMessage | None:
        """Take out the first that is not too old; None where all are."""
        if self._outbox.ttl is not None:
            self._lose(self._take_expired(), "expired")
        message = next(iter(self._order), None)
        if message is not None:
            self.discard(message)
        return message

    def discard(self, message: QueuedMessage) -> None:
        """Take out any one that waits here."""
        message.waiting = None
        del self._order[message]
        if message.bounded:
            del self._kept[message]
            self._kept_bytes -= message.size

    def only_via(self, target: SendTarget) -> list[QueuedMessage]:
        """Those that no other connection may carry."""
        return [message for message in self._order if message.via is target]

    def clear(self) -> list[QueuedMessage]:
        """Take out all; nothing is watched any more."""
        if self._timer is not None:
            self._timer.cancel()
        messages = list(self._order)
        for message in messages:
            self.discard(message)
        return messages

    def _append(self, message: QueuedMessage) -> None:
        message.waiting = self
        self._order[message] = None
        if message.bounded:
            self._kept[message] = None
            self._kept_bytes += message.size
            self._watch_age()

    def _make_room(self, message: QueuedMessage) -> list[QueuedMessage]:
        """Append a message; return what has to go for it, or it alone."""
        box = self._outbox
        fits_alone = message.size <= box.max_bytes and box.max_messages > 0
        bytes_before = box.max_bytes - message.size
        dropped: list[QueuedMessage] = []
        while len(self._kept) >= box.max_messages or self._kept_bytes > bytes_before:
            if box.overflow == "drop_newest":
                return [message]
            if box.overflow == "error" or not fits_alone:
                raise WSOutboxFullError(
                    f"the outbox is full ({len(self)} messages wait): slow down, "
                    "raise outbox.max_messages or max_bytes, or choose an overflow"
                )
            dropped.append(self._pop_kept())
        self._append(message)
        return dropped

    def _pop_kept(self) -> QueuedMessage:
        message = next(iter(self._kept))
        self.discard(message)
        return message

    def _take_expired(self) -> list[QueuedMessage]:
        expired: list[QueuedMessage] = []
        now = self._clock.now()
        while (due := self._next_expiry) is not None and due <= now:
            expired.append(self._pop_kept())
        return expired

    @property
    def _next_expiry(self) -> datetime | None:
        oldest = next(iter(self._kept), None)
        return None if oldest is None else oldest.expires

    def _watch_age(self) -> None:
        """Look again when the oldest message is too old."""
        if self._timer is None and (due := self._next_expiry) is not None:
            delay = (due - self._clock.now()).total_seconds()
            self._timer = call_later(max(delay, _SOON), self._look)

    def _look(self) -> None:
        self._timer = None
        expired = self._take_expired()
        self._watch_age()
        self._lose(expired, "expired")

    def _lose(
        self, messages: Sequence[QueuedMessage], status: Literal["dropped", "expired"]
    ) -> None:
        words = "grew too old in" if status == "expired" else "was dropped from"
        for message in messages:
            error = f"a message of {message.size} bytes {words} the outbox"
            message.resolve(status, WSMessageDroppedError(error))
        for message in messages:
            self._on_drop(message, status)
