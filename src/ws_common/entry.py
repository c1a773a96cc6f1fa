"""A message that waits to be sent: for which connection, and until when."""

from collections.abc import Awaitable
from typing import Protocol

from ws_common.errors import WSConnectionClosedError, WSError
from ws_common.messages import Data, size_of
from ws_common.receipt import Receipt


class Gate(Protocol):
    """What the way out asks of the connection that is open now."""

    def send(self, data: Data, *, text: bool) -> None:
        """Hand over, or raise WSConnectionClosedError."""

    def writable(self) -> Awaitable[None]:
        """Wait until the buffer is below the limit, or the connection has ended."""
        ...

    @property
    def above_limit(self) -> bool:
        """Whether the buffer is above `write_limit`."""
        ...

    def closed_error(self) -> WSConnectionClosedError:
        """The error that says how it ended."""
        ...


class Entry:
    """A message in the queue."""

    __slots__ = ("bounded", "data", "expires", "receipt", "size", "text", "via")

    def __init__(
        self, data: Data, receipt: Receipt, *, text: bool, bounded: bool
    ) -> None:
        self.data = data
        self.text = text
        self.receipt = receipt
        self.bounded = bounded
        self.size = size_of(data)
        self.expires: float | None = None
        self.via: Gate | None = None


class Era:
    """The time between two failures of all that waits.

    An interceptor may hold a message that was meant for a server of yesterday.

    Attributes:
        failure: What ended it.
    """

    def __init__(self) -> None:
        self.failure: WSError | None = None

    def check(self) -> None:
        """Raise what ended it."""
        if self.failure is not None:
            raise self.failure.with_traceback(None)
