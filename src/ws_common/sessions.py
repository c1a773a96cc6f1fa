"""Sessions: one connection at a time, for programs that start anew at each."""

from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ws_common.buffer import Buffer, End, Ended, Limits
from ws_common.messages import Data
from ws_common.session import Session
from ws_common.streams import Subscriber
from ws_common.transport import Handshake

if TYPE_CHECKING:
    from ws_common.connection import Connection
    from ws_common.hub import Hub
    from ws_common.outbound import Outbound

inside_after_connect: ContextVar[bool] = ContextVar(
    "inside_after_connect", default=False
)
"""Whether the code that runs was started by `after_connect`."""

PENDING = 16
"""Sessions that may wait for a program that has not asked for the next one."""


class _Session:
    """What both kinds share."""

    def __init__(
        self, connection: "Connection", outbound: "Outbound", number: int
    ) -> None:
        self.connection = number
        self.url = connection.url
        self.protocol: str | None = None
        self.handshake = Handshake()
        if connection.transport is not None:
            self.protocol = connection.transport.protocol
            self.handshake = connection.transport.handshake
        self._connection = connection
        self._outbound = outbound

    async def add(self, data: Any, *, text: bool | None = None) -> None:
        """Send on this connection; never on another."""
        if self._connection.ended is not None:
            raise self._connection.closed_error()
        await self._outbound.add(data, text=text, via=self._connection)

    def __repr__(self) -> str:
        """Show which connection it is."""
        return f"<Session of connection {self.connection}>"


class EarlySession(_Session):
    """The session that `after_connect` is handed. It takes what comes first."""

    async def recv(self) -> Data:
        """The next message of this connection. Cancelling it loses nothing."""
        try:
            return await self._connection.early.buffer.get()  # type: ignore[no-any-return]
        except Ended as ended:
            error = self._error(ended.end)
            raise error from error.__cause__

    async def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages; ends with the connection."""
        while True:
            try:
                message = await self._connection.early.buffer.get()
            except Ended:
                return
            yield message

    def _error(self, end: End) -> Exception:
        return end.error or self._connection.closed_error()


class SessionSubscriber(Subscriber[Data]):
    """Hears one connection alone."""

    def __init__(self, hub: "Hub[Any]", connection: "Connection") -> None:
        super().__init__(hub, (), buffer=hub.attach_now())
        self._connection = connection

    def is_of(self, connection: "Connection") -> bool:
        """Whether it hears this connection."""
        return self._connection is connection

    def end(self) -> None:
        """The connection has ended: what is buffered can still be read."""
        close = self._connection.ended
        self._seal(
            End(
                close_code=close.code if close is not None else None,
                close_reason=close.reason if close is not None else "",
                final=True,
            )
        )


class LiveSession(_Session):
    """One item of `client.sessions()`."""

    def __init__(
        self,
        connection: "Connection",
        outbound: "Outbound",
        number: int,
        hub: "Hub[Any]",
    ) -> None:
        super().__init__(connection, outbound, number)
        self.subscriber = SessionSubscriber(hub, connection)

    async def recv(self) -> Data:
        """The next message of this connection. Cancelling it loses nothing."""
        return await self.subscriber.next()

    def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages; ends with the connection."""
        return self.subscriber


class SessionFeed(AsyncIterator[Session]):
    """What `client.sessions()` returns: one item per connection."""

    def __init__(
        self,
        hub: "Hub[Any]",
        outbound: "Outbound",
        live: "WeakSet[SessionSubscriber]",
    ) -> None:
        self._hub = hub
        self._outbound = outbound
        self._buffer: Buffer[LiveSession] = Buffer(Limits(PENDING, None, "drop_oldest"))
        self._live = live

    def begin(self, connection: "Connection", number: int) -> None:
        """A connection is open."""
        session = LiveSession(connection, self._outbound, number, self._hub)
        self._live.add(session.subscriber)
        self._buffer.put(session)

    def mark(self, end: End) -> None:
        """No further connection comes by itself."""
        self._buffer.mark(end)

    async def __anext__(self) -> Session:
        """Wait for the next connection."""
        try:
            return await self._buffer.get()
        except Ended as ended:
            if ended.end.error is None:
                raise StopAsyncIteration from None
            raise ended.end.error from ended.end.error.__cause__
