"""A single connection of a client, for programs that start again at each one."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.transport import Handshake


class Session(Protocol):
    """A single connection of a client. It never continues on the next connection.

    Attributes:
        connection: The number of the connection: 1 for the first one of the client.
        url: The complete URL, with credentials and query.
        protocol: The subprotocol that the server selected, or None.
        handshake: The response of the server, as far as the platform shows it.

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

    # A Protocol, so that the types of interceptors and options need not import the
    # class that implements it, which lies in `runtime`, above them.
    connection: int
    url: str
    protocol: str | None
    handshake: Handshake

    async def add(self, data: Any, *, text: bool | None = None) -> None:
        """Send a message on this connection, never on a later one.

        Cancelled before the transport has taken the message, it is not sent.

        Args:
            data: The message, as for `WebSocketClient.add()`.
            text: Whether to send it as a text frame; None chooses by its type.

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
        """Return the next message of this connection. Cancelling it loses no message.

        Raises:
            WSConnectionClosedError: The connection has ended.
        """
        ...

    def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages of this connection, until it ends."""
        ...
