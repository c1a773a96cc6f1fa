"""The interface between `ws_common` and a platform.

A `Connector` (in `options.py`) opens one connection and returns a `Transport`, which
calls its `TransportSink` when something happens. A transport calls instead of being
asked, because a browser does so anyway, and because one call for all messages of a read
costs less than a `recv()` for each of them.

Events may arrive before the connector has returned: the segment that holds the 101
response may contain frames, and the server may close at once. The sink keeps them.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data

Headers = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """The response of the server to the handshake, as far as the platform shows it.

    Attributes:
        status: The HTTP status; None in a browser.
        headers: The headers of the response, with names in lower case; empty in a
            browser. The repr leaves them out, because a cookie may be a secret.
        extensions: The extensions in use, as in `Sec-WebSocket-Extensions`.
        peer: The address of the peer; None in a browser.

    Example:
        >>> handshake = Handshake(status=101, headers={"server": "example/1.0"})
        >>> handshake.headers.get("server")
        'example/1.0'
        >>> Handshake().status is None  # as in a browser
        True
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    extensions: str = ""
    peer: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseInfo:
    """How a connection ended.

    Attributes:
        code: The code of the first Close frame; 1005 if it contained none, 1006 if
            there was no Close frame. If this side failed the connection, the code for
            its own reason.
        reason: The reason that belongs to the code.
        was_clean: Whether the closing handshake was completed.
        initiator: Who ended the connection.
        error: The exception of the platform; it becomes the `__cause__`.

    Example:
        By default the connection was lost:

        >>> close = CloseInfo(code=1006)
        >>> close.was_clean, close.initiator
        (False, 'network')
    """

    # A server that drops TCP after we failed the connection would turn the code into
    # 1006 on the wire, and the real cause would be lost: hence the code of our own
    # reason.
    code: int | None
    reason: str = ""
    was_clean: bool = False
    initiator: Literal["local", "peer", "network"] = "network"
    error: BaseException | None = None


class TransportSink(Protocol):
    """Receives the events of a transport. Its methods never raise.

    `on_closed` is called exactly once for a connection that was opened, and nothing is
    called after it. It is not called if the connector raises, for a response that is a
    redirect, or after `Transport.abort()`.

    Example:
        The test of a transport can pass a sink that records the events:

        >>> class Recorder:
        ...     def __init__(self) -> None:
        ...         self.events = []
        ...     def on_messages(self, batch: list[Data], size: int) -> None:
        ...         self.events.extend(batch)
        ...     def on_closing(self, close: CloseInfo) -> None:
        ...         self.events.append(("closing", close.code))
        ...     def on_closed(self, close: CloseInfo) -> None:
        ...         self.events.append(("closed", close.code))
        ...     def on_writable(self) -> None:
        ...         self.events.append("writable")
        >>> sink = Recorder()
        >>> sink.on_messages(["hello"], 5)
        >>> sink.events
        ['hello']
    """

    def on_messages(self, batch: Sequence[Data], size: int) -> None:
        """Receive the messages of one read, in order.

        A pause or an abort from inside this call does not take back the rest of the
        batch.

        Args:
            batch: One message or more. Neither side changes it afterwards.
            size: The payload bytes of all of them; text counts as UTF-8.
        """

    def on_closing(self, close: CloseInfo) -> None:
        """Receive the Close frame of the peer; nothing can be sent any more.

        The frame may be the answer to ours. A browser does not report that one.
        """

    def on_closed(self, close: CloseInfo) -> None:
        """Receive the end of the connection; no event follows."""

    def on_writable(self) -> None:
        """Continue sending: `buffered_amount` is below the write limit again."""


class Transport(Protocol):
    """One open connection, which is never reused. All methods return at once.

    Example:
        A transport that echoes every message:

        >>> import asyncio
        >>> class Echo:
        ...     protocol, handshake, can_pause = None, Handshake(), False
        ...     buffered_amount, last_activity = 0, 0.0
        ...     def __init__(self, sink: TransportSink) -> None:
        ...         self.sink = sink
        ...     def send(self, data, *, text):
        ...         payload = data.encode() if isinstance(data, str) else data
        ...         echo = payload.decode() if text else payload
        ...         self.sink.on_messages([echo], len(payload))
        ...     def ping(self):
        ...         return None
        ...     def close(self, code, reason):
        ...         end = CloseInfo(code=code, was_clean=True, initiator="local")
        ...         asyncio.get_running_loop().call_soon(self.sink.on_closed, end)
        ...     def abort(self):
        ...         pass
        ...     pause_reading = resume_reading = abort
        >>> async def open_echo(request: ConnectRequest, sink: TransportSink):
        ...     return Echo(sink)
        >>> async def main() -> None:
        ...     options = WebSocketOptions.vm(custom_client=open_echo)
        ...     async with connect("ws://anywhere/", options) as client:
        ...         await client.add("hello")
        ...         print(await client.recv())
        >>> asyncio.run(main())
        hello
    """

    @property
    def protocol(self) -> str | None:
        """The subprotocol that the server selected, or None."""
        ...

    @property
    def handshake(self) -> Handshake:
        """The response of the server to the handshake."""
        ...

    @property
    def buffered_amount(self) -> int:
        """The bytes that were sent but not yet passed to the network."""
        ...

    @property
    def last_activity(self) -> float:
        """The loop time at which the last byte arrived from the peer."""
        ...

    @property
    def can_pause(self) -> bool:
        """Whether `pause_reading()` stops reading; a browser cannot do that."""
        ...

    def send(self, data: Data, *, text: bool) -> None:
        """Send one message, after those that were sent before.

        Args:
            data: The payload. The client passes ASCII as `str` and all other text as
                UTF-8 bytes, so that text is encoded only once.
            text: True for a text frame; `bytes` are UTF-8 then, which the client has
                checked. False for a binary frame.

        Raises:
            WSConnectionClosedError: The connection accepts no message any more.
            Exception: Any other exception fails this message, and no other.
        """

    def pause_reading(self) -> None:
        """Stop delivering messages and, if `can_pause`, stop reading the socket."""

    def resume_reading(self) -> None:
        """Undo `pause_reading()`."""

    def ping(self) -> Awaitable[float] | None:
        """Send a Ping frame.

        Returns:
            An awaitable for the round-trip time in seconds, or None if the platform
            cannot send pings. The awaitable is cancelled if the connection ends before
            the Pong arrives.

        Raises:
            WSConnectionClosedError: The connection has ended.
        """
        ...

    def close(self, code: int | None, reason: str | None) -> None:
        """Start the closing handshake; `on_closed` follows, unless `abort()` does."""

    def abort(self) -> None:
        """Free the socket at once. No event follows."""


# A null object, and not None: a connection sends, pauses and closes in many places, and
# each of them would have to ask first whether the connector has returned.
class _NoTransport:
    """The transport of a connection for which the connector has not returned yet."""

    __slots__ = ()
    protocol: str | None = None
    handshake = Handshake()
    buffered_amount = 0
    last_activity = 0.0
    can_pause = False

    def send(self, data: Data, *, text: bool) -> None:  # noqa: ARG002 - a protocol
        raise WSConnectionClosedError

    def ping(self) -> Awaitable[float] | None:
        raise WSConnectionClosedError

    def close(self, code: int | None, reason: str | None) -> None:
        """Do nothing: no connection is open."""

    def _ignore(self) -> None:
        """Do nothing: no socket is read or has to be freed."""

    pause_reading = resume_reading = abort = _ignore


NO_TRANSPORT: Final[Transport] = _NoTransport()
"""The transport that a connection has before it has a real one."""
