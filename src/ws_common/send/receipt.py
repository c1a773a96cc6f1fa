"""What `add_nowait()` returns: it tells what becomes of a message."""

import asyncio
from collections.abc import Generator
from typing import Any, Literal

from ws_common.vocabulary.errors import WSError

Status = Literal["queued", "sent", "dropped", "expired", "failed"]


class Receipt:
    """What became of a message given to `add_nowait()`.

    Awaiting it, as often as you like or never, waits until the message has been
    handed to the connection, and raises where it was dropped, expired or failed.
    Cancelling the wait changes nothing for the message.

    With interceptors it is the receipt of the first message that they hand on:

    - They call `next`, at once or later: what becomes of that message counts, and the
      status is "queued" until then. What else they make of it has no receipt.
    - They let go of `next` without having called it: "dropped".
    - One of them raises, or what it awaits is cancelled: "failed", unless the message
      is sent already. `next` raises from then on, so that nothing is sent after all.
    - The client gives up what waits (`disconnect()`, `close()`, another URL) while
      `next` may still be called: "failed". After `close()` no receipt is "queued".

    Attributes:
        status: "queued", "sent", "dropped", "expired" or "failed". All but the first
            are final.

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

    def __init__(self, status: Status = "queued") -> None:
        self.status: Status = status
        self._error: WSError | None = None
        # Ordered and without a search: any number may wait, and be cancelled.
        self._waiters: dict[asyncio.Future[None], None] | None = None

    def __await__(self) -> Generator[Any, None, None]:
        """Wait for the outcome. Cancelling the wait changes nothing for the message."""
        if self.status == "queued":
            self._waiters = waiters = self._waiters or {}
            waiter = asyncio.get_running_loop().create_future()
            waiters[waiter] = None
            try:
                yield from waiter
            finally:
                del waiters[waiter]
        if self._error is not None:
            # Raised as often as somebody awaits: drop the frames of the last time.
            raise self._error.with_traceback(None)

    def __repr__(self) -> str:
        """Show the status."""
        return f"Receipt(status={self.status!r})"
