"""What a connection brings before it is opened: `after_connect` may read it."""

from collections.abc import Callable
from typing import Any

from ws_common.buffer import Buffer, Limits
from ws_common.errors import WSStreamOverflowError


class Early:
    """Keeps what comes before the connection is opened.

    Args:
        limits: Of its buffer.
        on_lost: Told of each message that comes after `forget()`.

    Attributes:
        buffer: What `after_connect` may read; it ends with the connection.
    """

    def __init__(self, limits: Limits, on_lost: Callable[[int], None]) -> None:
        self.buffer: Buffer[Any] = Buffer(limits)
        self._late: list[Any] = []
        self._on_lost = on_lost
        self._forgets = False

    def publish(self, item: Any, /) -> None:
        """Take one; interceptors may bring it when the connection has ended."""
        end = self.buffer.end
        if end is None:
            self.buffer.put(item)
        elif self._forgets:
            self._on_lost(1)
        elif not isinstance(end.error, WSStreamOverflowError):
            self._late.append(item)

    def drain(self) -> list[Any]:
        """Take everything; a pause lasts until the buffer is relieved."""
        items, self._late = [*self.buffer.drain(), *self._late], []
        return items

    def forget(self) -> int:
        """Keep nothing any more, and say how many messages were here."""
        self._forgets = True
        return len(self.drain())
