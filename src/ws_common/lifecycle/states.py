"""The states of a client, as applications see them.

    Connecting ──▶ Open ──▶ Disconnecting ──▶ Closed
        ▲                                 └─▶ Reconnecting ──▶ Connecting

The full diagram, with its causes, is drawn from the table in `machine.py`. Every
state is immutable, good for `match`, and its repr shows no secrets.
"""

from dataclasses import Field, dataclass, fields
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar

from ws_common.vocabulary.errors import WSError
from ws_common.vocabulary.urls import redact


class WebSocketReadyState(IntEnum):
    """The four numbers of the browser's `WebSocket.readyState`.

    Example:
        >>> Closed().ready_state
        <WebSocketReadyState.CLOSED: 3>
        >>> WebSocketReadyState.OPEN == 1
        True
    """

    CONNECTING = 0
    OPEN = 1
    DISCONNECTING = 2
    CLOSED = 3


class _State:
    """What all states share."""

    __slots__ = ()
    ready_state: ClassVar[WebSocketReadyState]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def is_open(self) -> bool:
        """Whether messages flow."""
        return self.ready_state is WebSocketReadyState.OPEN

    @property
    def is_closed(self) -> bool:
        """Whether nothing is open and nothing is coming: `Closed` alone."""
        return isinstance(self, Closed)

    def __repr__(self) -> str:
        """Show every field, the URL without its secrets."""
        shown = (f"{field.name}={self._shown(field.name)!r}" for field in fields(self))
        return f"{type(self).__name__}({', '.join(shown)})"

    def _shown(self, name: str) -> object:
        value = getattr(self, name)
        return redact(value) if name == "url" else value


@dataclass(frozen=True, slots=True, repr=False)
class Connecting(_State):
    """An attempt is under way.

    Attributes:
        url: The whole URL of this attempt.
        attempt: 1 for the first since the last stable connection.

    Example:
        >>> state = Connecting(url="wss://example.org/?token=abc", attempt=1)
        >>> state.is_open, state.url
        (False, 'wss://example.org/?token=abc')
        >>> state
        Connecting(url='wss://example.org/?token=…', attempt=1)
    """

    ready_state = WebSocketReadyState.CONNECTING
    url: str
    attempt: int


@dataclass(frozen=True, slots=True, repr=False)
class Open(_State):
    """Connected: messages flow.

    Attributes:
        url: The whole URL.
        protocol: The subprotocol that the server picked, or None.
        connection: 1 for the client's first connection, then counting.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake(protocol="chat")
        ...     async with WebSocketClient.from_client(fake) as client:
        ...         await client.connect("ws://anywhere/")
        ...         print(client.state)
        >>> asyncio.run(main())
        Open(url='ws://anywhere/', protocol='chat', connection=1)
    """

    ready_state = WebSocketReadyState.OPEN
    url: str
    protocol: str | None
    connection: int


@dataclass(frozen=True, slots=True, repr=False)
class Disconnecting(_State):
    """A closing handshake is under way, begun by either side.

    Attributes:
        close_code: The code of the Close frame that began it.
        close_reason: Its reason.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     client = WebSocketClient.from_client(WebSocketClientFake())
        ...     await client.connect("ws://anywhere/")
        ...     closing = client.state_changes.disconnecting.subscribe()
        ...     await client.close(4000, "enough")
        ...     print(await anext(closing))
        >>> asyncio.run(main())
        Disconnecting(close_code=4000, close_reason='enough')
    """

    ready_state = WebSocketReadyState.DISCONNECTING
    close_code: int | None
    close_reason: str | None


@dataclass(frozen=True, slots=True, repr=False)
class Reconnecting(_State):
    """Lost, and waiting for the next attempt.

    Attributes:
        attempt: The number of the attempt that will be made.
        delay: Seconds between the loss and that attempt.
        at: When it will be made, UTC.
        close_code: How the last connection ended, None where there was none.
        close_reason: The reason that came with it.
        error: Why it ended, or why the last attempt failed.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake()
        ...     options = WebSocketOptions(connection_retry_interval=(0.5, 30))
        ...     async with WebSocketClient.from_client(fake, options) as client:
        ...         await client.connect("ws://anywhere/")
        ...         fake.drop()
        ...         state = await client.state_changes.reconnecting.first()
        ...         print(state.close_code, 0.5 <= state.delay <= 1.0)
        >>> asyncio.run(main())
        1006 True
    """

    ready_state = WebSocketReadyState.CLOSED
    attempt: int
    delay: float
    at: datetime
    close_code: int | None
    close_reason: str | None
    error: WSError | None


@dataclass(frozen=True, slots=True, repr=False)
class Closed(_State):
    """Nothing is open and nothing is coming until `connect()` is called.

    Attributes:
        close_code: How the last connection ended, None where there was none.
        close_reason: The reason that came with it.
        error: What ended it; None where it was asked for.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     client = WebSocketClient.from_client(WebSocketClientFake())
        ...     await client.connect("ws://anywhere/")
        ...     await client.disconnect(4000, "enough")
        ...     match client.state:
        ...         case Closed(error=None, close_code=code):
        ...             print("as asked, with", code)
        ...         case Closed(error=error):
        ...             print("given up:", error)
        >>> asyncio.run(main())
        as asked, with 4000
    """

    ready_state = WebSocketReadyState.CLOSED
    close_code: int | None = None
    close_reason: str | None = None
    error: WSError | None = None


WebSocketClientState = Connecting | Open | Disconnecting | Reconnecting | Closed
