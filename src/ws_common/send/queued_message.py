"""A message that waits to be sent."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from ws_common.send.receipt import Receipt, Status
from ws_common.send.send_target import SendTarget
from ws_common.vocabulary.errors import WSError
from ws_common.vocabulary.messages import Data


class MessageQueue(Protocol):
    """The queue in which a message waits: a protocol, as imports have no cycles."""

    def discard(self, message: "QueuedMessage") -> None:
        """Take out a message, wherever in the queue it is."""


class QueuedMessage(Receipt):
    """A message that waits to be sent, and its receipt.

    Args:
        via: The only connection that may send it; None: any.
        bounded: Whether it takes room in the outbox: nobody waits for it in `add()`.

    Attributes:
        via: As above.
        bounded: As above.
        waits_in: The queue in which it waits; None: it does not wait.
        data: The payload, as `to_wire()` returns it.
        text: Whether to send a text frame.
        size: The payload in bytes.
        expires: The time after which it is not sent, UTC; None: it never expires.
    """

    # Both in one object: `add_nowait()` returns one for each message, and a message
    # that was resolved can say so without a look-up.
    __slots__ = ("bounded", "data", "expires", "size", "text", "via", "waits_in")

    def __init__(self, *, via: SendTarget | None = None, bounded: bool = False) -> None:
        super().__init__()
        self.via = via
        self.bounded = bounded
        self.waits_in: MessageQueue | None = None
        self.expires: datetime | None = None

    def fill(self, data: Data, *, text: bool) -> None:
        """Set the payload.

        Args:
            data: As `to_wire()` returns it: bytes or ASCII, so that its length is its
                size.
            text: Whether to send a text frame.
        """
        self.data = data
        self.text = text
        self.size = len(data)

    def resolve(self, status: Status, error: WSError | None = None) -> None:
        """Set the outcome and leave the queue. Only the first call counts.

        Args:
            status: The final status.
            error: What awaiting the receipt raises; None: nothing.
        """
        if self.status != "queued":
            return
        self.status, self._error = status, error
        if self.waits_in is not None:
            self.waits_in.discard(self)
        self.data = b""  # a program that keeps the receipt does not keep the payload
        for waiter in self._waiters or ():
            if not waiter.done():  # cancelled, and its task has not run yet
                waiter.set_result(None)


OnDrop = Callable[[QueuedMessage, str], None]
"""Called with a message that the outbox drops, and "dropped" or "expired"."""
