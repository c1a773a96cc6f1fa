"""The receipt of a message, which `add_nowait()` returns."""

import asyncio
from collections.abc import Generator
from typing import Any, Literal

from ws_common.vocabulary.errors import WSError

Status = Literal["queued", "sent", "dropped", "expired", "failed"]


class Receipt:
    """The outcome of a message that was given to `add_nowait()`.

    Awaiting the receipt waits until the message has been handed to the connection, and
    raises if it was dropped, has expired or has failed. It may be awaited any number of
    times, or never. Cancelling the wait changes nothing for the message.

    With interceptors it is the receipt of the first message that they hand on:

    - If they call `next`, at once or later, the outcome of that message counts, and the
      status is "queued" until then. Further messages that they make have no receipt.
    - If they drop the last reference to `next` without having called it, the status is
      "dropped".
    - If one of them raises, or what it awaits is cancelled, the status is "failed",
      unless the message has been sent already. From then on `next` raises, so that
      nothing is sent after the failure.
    - If the client gives up what waits (`disconnect()`, `close()`, another URL) while
      `next` may still be called, the status is "failed". After `close()` no receipt is
      "queued".

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
        # A dictionary as an ordered set: any number of tasks may wait, and one that is
        # cancelled is taken out without a search. Most receipts are never awaited.
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
            # The same error is raised for every `await`: without the frames of the
            # previous one, which would keep its locals alive.
            raise self._error.with_traceback(None)

    def __repr__(self) -> str:
        """Show the status."""
        return f"Receipt(status={self.status!r})"
