"""What `add_nowait()` returns: it tells what becomes of a message."""

import asyncio
from collections.abc import Generator
from typing import Any, Literal

from ws_common.errors import WSError

Status = Literal["queued", "sent", "dropped", "expired", "failed"]


class Receipt:
    """What became of a message given to `add_nowait()`.

    Awaiting it, as often as you like or never, waits until the message has been
    handed to the connection, and raises where it was dropped, expired or failed.

    Attributes:
        status: "queued", "sent", "dropped", "expired" or "failed".

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     async with WebSocketClient.from_client(WebSocketClientFake()) as client:
        ...         await client.connect("ws://anywhere/")
        ...         receipt = client.add_nowait("hello")
        ...         await receipt
        ...         print(receipt.status)
        >>> asyncio.run(main())
        sent
    """

    __slots__ = ("_error", "_waiters", "status")

    def __init__(self) -> None:
        self.status: Status = "queued"
        self._error: WSError | None = None
        self._waiters: list[asyncio.Future[None]] = []

    def _settle(self, status: Status, error: WSError | None = None) -> None:
        """Say what became of it. The first word counts."""
        if self.status != "queued":
            return
        self.status, self._error = status, error
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for the outcome. Cancelling the wait changes nothing for the message."""
        if self.status == "queued":
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            try:
                yield from waiter
            finally:
                if waiter in self._waiters:
                    self._waiters.remove(waiter)
        if self._error is not None:
            # As often as one likes: the frames of the last time are let go.
            raise self._error.with_traceback(None)

    def __repr__(self) -> str:
        """Show the status."""
        return f"Receipt(status={self.status!r})"


def settle(receipt: Receipt, status: Status, error: WSError | None = None) -> None:
    """Say what became of a message; for us, and not for applications."""
    receipt._settle(status, error)  # noqa: SLF001
