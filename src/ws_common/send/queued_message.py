"""A message that waits to be sent."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from ws_common.send.receipt import Receipt, Status
from ws_common.send.send_target import SendTarget
from ws_common.vocabulary.errors import WSError
from ws_common.vocabulary.messages import Data


class MessageQueue(Protocol):
    """Where a message waits."""

    def discard(self, message: "QueuedMessage") -> None:
        """Take out any one that waits here."""


class QueuedMessage(Receipt):
    """A message that waits to be sent, and the receipt that tells what becomes of it.

    Args:
        via: The only connection that may carry it; None: any.
        bounded: Whether it takes room in the outbox, since no caller waits for it.

    Attributes:
        via: As above.
        bounded: As above.
        queue: Where it waits; None: nowhere.
        data: The payload.
        text: Whether it goes as a text frame.
        size: Payload bytes.
        expires: When it is too old to be sent; None: never.
    """

    __slots__ = ("bounded", "data", "expires", "queue", "size", "text", "via")

    def __init__(self, *, via: SendTarget | None = None, bounded: bool = False) -> None:
        super().__init__()
        self.via = via
        self.bounded = bounded
        self.queue: MessageQueue | None = None
        self.expires: datetime | None = None

    def fill(self, data: Data, *, text: bool) -> None:
        """Set what is sent: as of `to_wire()`, so that its length is its size."""
        self.data = data
        self.text = text
        self.size = len(data)

    def resolve(self, status: Status, error: WSError | None = None) -> None:
        """Say what became of it: it waits no more. Only the first call counts."""
        if self.status != "queued":
            return
        self.status, self._error = status, error
        if self.queue is not None:
            self.queue.discard(self)
        self.data = b""  # whoever keeps the receipt does not keep the payload
        for waiter in self._waiters or ():
            if not waiter.done():
                waiter.set_result(None)


OnDrop = Callable[[QueuedMessage, str], None]
