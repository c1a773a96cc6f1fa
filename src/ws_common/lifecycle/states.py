"""The states of a client, as applications see them.

    Connecting ──▶ Open ──▶ Disconnecting ──▶ Closed
        ▲                                 └─▶ Reconnecting ──▶ Connecting

The full diagram, with its causes, is drawn from the table in `client_table.py`. Every
state is immutable, can be used in `match`, and has a repr that shows no secrets.
"""

from dataclasses import Field, dataclass, fields
from datetime import datetime
from enum import IntEnum
from typing import Any, ClassVar

from ws_common.vocabulary.errors import WSError
from ws_common.vocabulary.urls import redact


# WHATWG WebSockets, section 3.1, calls 2 CLOSING. The name here is that of the state.
class WebSocketReadyState(IntEnum):
    """The four values of `WebSocket.readyState` in browsers.

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
    """The base class of all states."""

    __slots__ = ()
    ready_state: ClassVar[WebSocketReadyState]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def is_open(self) -> bool:
        """Whether messages can be sent and received."""
        return self.ready_state is WebSocketReadyState.OPEN

    @property
    def is_closed(self) -> bool:
        """Whether no connection is open or expected: True for `Closed` alone."""
        # `Reconnecting` is not closed, though its `ready_state` is CLOSED as a browser
        # would have it: a program that stops at `is_closed` must not stop there.
        return isinstance(self, Closed)

    def __repr__(self) -> str:
        """Show every field, and the URL without its secrets."""
        # States are in logs, in the history and in tracebacks, which travel further
        # than the program. `url` itself is whole, for programs that need it.
        parts = (f"{field.name}={self._redact(field.name)!r}" for field in fields(self))
        return f"{type(self).__name__}({', '.join(parts)})"

    def __str__(self) -> str:
        """Show what changes from one state to the next, in a few words."""
        name = type(self).__name__
        text = self._describe()
        return f"{name}: {text}" if text else name

    def _describe(self) -> str:
        return ""

    def _redact(self, name: str) -> object:
        value = getattr(self, name)
        return redact(value) if name == "url" else value


@dataclass(frozen=True, slots=True, repr=False)
class Connecting(_State):
    """An attempt to connect is in progress.

    Attributes:
        url: The whole URL of this attempt.
        attempt: 1 for the first attempt since the last stable connection.

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

    def _describe(self) -> str:
        return f"attempt {self.attempt}"


@dataclass(frozen=True, slots=True, repr=False)
class Open(_State):
    """Connected: messages can be sent and received.

    Attributes:
        url: The whole URL.
        protocol: The subprotocol that the server selected, or None.
        connection: 1 for the client's first connection, 2 for the second, and so on.

    Example:
        >>> import asyncio
        >>> from ws.testing import WebSocketClientFake
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake(protocol="chat")
        ...     async with WebSocketClient.from_client(fake) as client:
        ...         await client.connect("ws://anywhere/")
        ...         print(client.state)
        >>> asyncio.run(main())
        Open: connection 1
    """

    ready_state = WebSocketReadyState.OPEN
    url: str
    protocol: str | None
    connection: int

    def _describe(self) -> str:
        return f"connection {self.connection}"


@dataclass(frozen=True, slots=True, repr=False)
class Disconnecting(_State):
    """A closing handshake is in progress, begun by either side.

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
        Disconnecting: 4000
    """

    ready_state = WebSocketReadyState.DISCONNECTING
    close_code: int | None
    close_reason: str | None

    def _describe(self) -> str:
        return "" if self.close_code is None else str(self.close_code)


@dataclass(frozen=True, slots=True, repr=False)
class Reconnecting(_State):
    """The connection was lost, and the client waits for the next attempt.

    Attributes:
        attempt: The number of the attempt that will be made.
        delay: Seconds between the loss and that attempt.
        at: The time of that attempt, UTC.
        close_code: The close code of the last connection; None if there was none.
        close_reason: The reason that came with the code.
        error: Why the connection ended, or why the last attempt failed.

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

    # The browser has no state for the time between two connections; CLOSED is the
    # closest, since no socket is there.
    ready_state = WebSocketReadyState.CLOSED
    attempt: int
    delay: float
    at: datetime
    close_code: int | None
    close_reason: str | None
    error: WSError | None

    def _describe(self) -> str:
        code = "" if self.close_code is None else f" after {self.close_code}"
        return f"attempt {self.attempt} in {self.delay:.1f} s{code}"


@dataclass(frozen=True, slots=True, repr=False)
class Closed(_State):
    """No connection is open or expected until `connect()` is called.

    Attributes:
        close_code: The close code of the last connection; None if there was none.
        close_reason: The reason that came with the code.
        error: What ended it; None if the application asked for the end.

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

    def _describe(self) -> str:
        return "" if self.close_code is None else str(self.close_code)


WebSocketClientState = Connecting | Open | Disconnecting | Reconnecting | Closed
