"""The protocol of a custom client that `from_client` can wrap."""

from collections.abc import AsyncIterable
from typing import Protocol

from ws_common.lifecycle.states import WebSocketClientState
from ws_common.vocabulary.messages import Data


class IWebSocketClient(Protocol):
    """A client for `from_client`: one connection at a time, no queue and no retries.

    Example:
        A client that receives what it sends:

        >>> import asyncio
        >>> async def endless(queue):
        ...     while True:
        ...         yield await queue.get()
        >>> class Echo:
        ...     def __init__(self) -> None:
        ...         self.state = Closed()
        ...         self.states, self.messages = asyncio.Queue(), asyncio.Queue()
        ...         self.state_changes = endless(self.states)
        ...         self.stream = endless(self.messages)
        ...     def become(self, state) -> None:
        ...         self.state = state
        ...         self.states.put_nowait(state)
        ...     async def connect(self, url):
        ...         self.become(Connecting(url, attempt=1))
        ...         self.become(Open(url, protocol=None, connection=1))
        ...     async def add(self, data):
        ...         self.messages.put_nowait(data)
        ...     async def disconnect(self, code=1000, reason="NORMAL_CLOSURE"):
        ...         self.become(Closed(code, reason))
        ...     close = disconnect
        >>> async def main() -> None:
        ...     async with WebSocketClient.from_client(Echo()) as client:
        ...         await client.connect("ws://anywhere/")
        ...         await client.add("hello")
        ...         print(await client.recv())
        >>> asyncio.run(main())
        hello
    """

    @property
    def state(self) -> WebSocketClientState:
        """The current state."""
        ...

    @property
    def state_changes(self) -> AsyncIterable[WebSocketClientState]:
        """Every change of state from the call on."""
        # Asked for before connect() and once for each connection. So one client can be
        # connected again and again: its streams begin anew with each connection.
        ...

    @property
    def stream(self) -> AsyncIterable[Data]:
        """The messages that are received from the call on."""
        ...

    async def add(self, data: Data) -> None:
        """Send one message."""

    async def connect(self, url: str) -> None:
        """Return when the connection is open, or raise."""

    async def disconnect(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close the connection. The client can connect again."""

    async def close(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close permanently."""
