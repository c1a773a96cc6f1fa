"""The seam: what a platform offers, and what it reports to.

A `Connector` (in `options.py`) opens one connection and returns a `Transport`, which
pushes what happens into its `TransportSink`. Push, because a browser pushes anyway and
because one call for all that a read has brought costs less than a `recv()` for each
message.

Events may come before the connector has returned: frames in the segment of the
101, or a server that closes at once. The sink keeps them.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data

Headers = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """What the server answered, where the platform shows it.

    Attributes:
        status: The HTTP status; None in a browser.
        headers: The response's headers, names in lower case; empty in a browser. The
            repr leaves them out: a cookie may be a secret.
        extensions: The extensions in use, as in `Sec-WebSocket-Extensions`.
        peer: The peer's address; None in a browser.

    Example:
        >>> handshake = Handshake(status=101, headers={"server": "example/1.0"})
        >>> handshake.headers.get("server")
        'example/1.0'
        >>> Handshake().status is None  # a browser shows none
        True
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    extensions: str = ""
    peer: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseInfo:
    """How a connection ends.

    Attributes:
        code: The code of the Close frame that decided; 1005 where it held none,
            1006 where there was none. Where we failed the connection ourselves,
            the code of our own reason, whatever the wire said.
        reason: The reason that came with it.
        was_clean: Whether there was a closing handshake.
        initiator: Who ended it.
        error: What the platform raised; becomes the `__cause__`.

    Example:
        A loss, unless something else is said:

        >>> close = CloseInfo(code=1006)
        >>> close.was_clean, close.initiator
        (False, 'network')
    """

    code: int | None
    reason: str = ""
    was_clean: bool = False
    initiator: Literal["local", "peer", "network"] = "network"
    error: BaseException | None = None


class TransportSink(Protocol):
    """What a transport reports to. Never raises.

    `on_closed` comes exactly once for a connection that was opened, and last. It
    does not come where the connector raises, for the hop of a redirect, or after
    `Transport.abort()`.

    Example:
        The test of a transport hands it one that writes down what it hears:

        >>> class Recorder:
        ...     def __init__(self) -> None:
        ...         self.heard = []
        ...     def on_messages(self, batch: list[Data], size: int) -> None:
        ...         self.heard.extend(batch)
        ...     def on_closing(self, close: CloseInfo) -> None:
        ...         self.heard.append(("closing", close.code))
        ...     def on_closed(self, close: CloseInfo) -> None:
        ...         self.heard.append(("closed", close.code))
        ...     def on_writable(self) -> None:
        ...         self.heard.append("writable")
        >>> sink = Recorder()
        >>> sink.on_messages(["hello"], 5)
        >>> sink.heard
        ['hello']
    """

    def on_messages(self, batch: Sequence[Data], size: int) -> None:
        """Messages have arrived, in order, as many as one read has brought.

        A pause or an abort from inside this call cannot recall the rest of the batch.

        Args:
            batch: One message or more. Neither side changes it afterwards.
            size: Payload bytes of all of them, text counted as UTF-8.
        """

    def on_closing(self, close: CloseInfo) -> None:
        """The peer's Close frame is here: nothing can be sent any more.

        So is the answer to ours, where the platform shows it: not in a browser.
        """

    def on_closed(self, close: CloseInfo) -> None:
        """The connection is over; nothing comes after this."""

    def on_writable(self) -> None:
        """`buffered_amount` has fallen below the write limit again."""


class Transport(Protocol):
    """One open socket, never reused. All methods return at once.

    Example:
        One that speaks to itself:

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
        """The subprotocol that the server picked."""
        ...

    @property
    def handshake(self) -> Handshake:
        """What the server answered."""
        ...

    @property
    def buffered_amount(self) -> int:
        """Bytes handed over that have not left for the network."""
        ...

    @property
    def last_activity(self) -> float:
        """Loop time of the last byte from the peer."""
        ...

    @property
    def can_pause(self) -> bool:
        """Whether `pause_reading()` does anything."""
        ...

    def send(self, data: Data, *, text: bool) -> None:
        """Hand one message over, in order.

        Args:
            data: The payload. The client hands over ASCII as `str`, and all other
                text as UTF-8 bytes, so that it is encoded once.
            text: Whether it goes as a text frame: `str` as it is, `bytes` if they
                are UTF-8, which the client has checked. False: a binary frame.

        Raises:
            WSConnectionClosedError: The connection can take nothing any more.
            Exception: Anything else fails this message, and no other.
        """

    def pause_reading(self) -> None:
        """Stop delivering messages and, where `can_pause`, reading the socket."""

    def resume_reading(self) -> None:
        """Undo `pause_reading()`."""

    def ping(self) -> Awaitable[float] | None:
        """Send a Ping; the awaitable gives the round trip in seconds.

        None where the platform has no pings. The awaitable is cancelled where
        the connection ends before the Pong.
        """
        ...

    def close(self, code: int | None, reason: str | None) -> None:
        """Begin the closing handshake. `on_closed` follows, unless `abort()` does."""

    def abort(self) -> None:
        """Free the socket now. No event comes after it."""


class _NoTransport:
    """What a connection has before the connector has returned a transport."""

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
        """Nothing is open."""

    def _nothing(self) -> None:
        """Nothing is read, and nothing has to be freed."""

    pause_reading = resume_reading = abort = _nothing


NO_TRANSPORT: Final[Transport] = _NoTransport()
"""Takes nothing, brings nothing, and has nothing to free."""
