"""One connection of a client, as a program sees it that starts anew at each."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import Handshake


class Session(Protocol):
    """One connection. It ends with its connection.

    Attributes:
        connection: 1 for the client's first connection, then counting.
        url: The whole URL.
        protocol: The subprotocol that the server picked, or None.
        handshake: What the server answered, where the platform shows it.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def log_in(session: Session) -> None:
        ...     await session.add("the password")
        ...     print(await session.recv(), "to connection", session.connection)
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake(answer=lambda data: "welcome")
        ...     options = WebSocketOptions(after_connect=log_in)
        ...     async with WebSocketClient.from_client(fake, options) as client:
        ...         await client.connect("ws://anywhere/")
        >>> asyncio.run(main())
        welcome to connection 1
    """

    connection: int
    url: str
    protocol: str | None
    handshake: Handshake

    async def add(self, data: Any, *, text: bool | None = None) -> None:
        """Send on this connection, never on another.

        Raises:
            WSConnectionClosedError: The connection has ended.
        """

    async def send(self, data: Any, *, text: bool | None = None) -> None:
        """The same as `add()`."""

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON text on this connection, through the option `json`.

        Raises:
            WSUnsupportedDataError: The value cannot be written as JSON.
            WSConnectionClosedError: The connection has ended.
        """

    async def recv_json(self) -> Any:
        """The next message of this connection, which must be JSON.

        Raises:
            WSDecodeError: It is not JSON; it stays consumed.
            WSConnectionClosedError: The connection has ended.
        """

    async def recv(self) -> Data:
        """The next message of this connection. Cancelling it loses nothing.

        Raises:
            WSConnectionClosedError: The connection has ended.
        """
        ...

    def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages of this connection; ends with it."""
        ...
