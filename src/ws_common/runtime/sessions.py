"""Sessions: one connection at a time, for programs that start anew at each."""

from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Final
from weakref import WeakSet

from ws_common.connection.connection import Connection
from ws_common.lifecycle.states import Closed
from ws_common.receive.end_marker import End, Ended
from ws_common.receive.limits import Limits
from ws_common.receive.pipeline import ReceivePipeline
from ws_common.receive.subscriber import Subscriber
from ws_common.receive.subscriber_buffer import Buffer
from ws_common.send.intercepted_sends import InterceptedSends
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.client_loop import ClientLoop
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.session import Session

_inside: ContextVar[tuple["AfterConnectSession", ...]] = ContextVar(
    "ws_inside", default=()
)
"""The sessions of every `after_connect` in whose context the code runs."""

PENDING = 16
"""Sessions that may wait for a program that has not asked for the next one."""


class _Session:
    """What both kinds share."""

    def __init__(
        self,
        connection: Connection,
        send_queue: SendQueue,
        order: InterceptedSends | None = None,
    ) -> None:
        self.connection = connection.number
        self.url = connection.url
        self.protocol = connection.transport.protocol
        self.handshake = connection.transport.handshake
        self._connection = connection
        self._send_queue = send_queue
        self._order = order

    async def add(self, data: Any, *, text: bool | None = None) -> None:
        """Send on this connection; never on another."""
        if self._connection.is_over:
            raise self._connection.closed_error()
        rest = self._send_queue.add(
            data, text=text, via=self._connection, order=self._order
        )
        if rest is not None:
            await rest

    def __repr__(self) -> str:
        """Show which connection it is."""
        return f"<Session of connection {self.connection}>"


class AfterConnectSession(_Session):
    """The session that `after_connect` is handed. It takes what comes first.

    Attributes:
        owner: Identifies the client while `after_connect` runs; else None.
    """

    owner: object = None

    def __init__(self, connection: Connection, send_queue: SendQueue) -> None:
        super().__init__(connection, send_queue, send_queue.new_order())

    async def recv(self) -> Data:
        """The next message of this connection. Cancelling it loses nothing."""
        try:
            return await self._next()
        except Ended as ended:
            error = ended.end.error or self._connection.closed_error()
            raise error from error.__cause__

    async def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages; ends with the connection."""
        with suppress(Ended):
            while True:
                yield await self._next()

    def enter(self, owner: object) -> None:
        """`after_connect` of this client begins, in the current task."""
        self.owner = owner
        _inside.set((*_inside.get(), self))

    def leave(self) -> None:
        """`after_connect` is over; tasks that it has begun are not inside any more."""
        self.owner = None

    async def _next(self) -> Data:
        held = self._connection.incoming.held
        if self._connection.is_over and not held.has_next:
            raise Ended(End())
        return await held.get()  # type: ignore[no-any-return]


def is_inside_after_connect(owner: object) -> bool:
    """Whether the code that runs was called by `after_connect` of this client."""
    inside = _inside.get()  # empty, but for what `after_connect` runs
    return bool(inside) and any(session.owner is owner for session in inside)


class LiveSession(_Session):
    """One item of `client.sessions()`."""

    def __init__(
        self,
        connection: Connection,
        send_queue: SendQueue,
        pipeline: ReceivePipeline,
        owner: object,
    ) -> None:
        super().__init__(connection, send_queue)
        messages = pipeline.messages
        buffer = messages.attach(connection=connection.number)
        self._subscriber: Subscriber[Data] = Subscriber(
            messages, (), buffer=buffer, owner=owner
        )

    async def recv(self) -> Data:
        """The next message of this connection. Cancelling it loses nothing."""
        return await self._subscriber.next()

    def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages; ends with the connection."""
        return self._subscriber


class SessionFeed(AsyncIterator[Session]):
    """What `client.sessions()` returns: one item per connection.

    Attributes:
        owner: The client: whoever holds a feed or a session holds it.
        buffer: The sessions that nobody has asked for yet.
    """

    def __init__(self, client_loop: ClientLoop, owner: object) -> None:
        self.owner = owner
        self.buffer: Buffer[LiveSession] = Buffer(Limits(PENDING, None, "drop_oldest"))
        self._client_loop = client_loop

    async def __anext__(self) -> Session:
        """Wait for the next connection."""
        self._client_loop.check()
        try:
            return await self.buffer.get()
        except Ended as ended:
            error = ended.end.error or StopAsyncIteration()
            raise error from error.__cause__


class Sessions:
    """The sessions of a client, for every feed that a program still holds.

    Every method does its work in order with the messages: a session neither begins
    nor ends in front of what an interceptor still holds.
    """

    __slots__ = ("_feeds", "_pipeline", "_send_queue")

    def __init__(self, pipeline: ReceivePipeline, send_queue: SendQueue) -> None:
        self._pipeline = pipeline
        self._send_queue = send_queue
        self._feeds: WeakSet[SessionFeed] | None = None  # until there is one

    def new(self, owner: object, connection: Connection | None) -> SessionFeed:
        """Make one; it begins with the connection that is open, if one is."""
        feed = SessionFeed(self._pipeline.messages.client_loop, owner)
        if self._feeds is None:
            self._feeds = WeakSet()
        self._feeds.add(feed)
        if connection is not None:
            self._pipeline.call(self._begin, feed, connection)
        else:
            self._pipeline.call(self._mark_idle, feed)
        return feed

    def opened(self, connection: Connection) -> None:
        """Begin a session, and let flow what the connection brings."""
        for feed in tuple(self._feeds or ()):
            self._pipeline.call(self._begin, feed, connection)
        self._pipeline.call(connection.incoming.opened)

    def _begin(self, feed: SessionFeed, connection: Connection) -> None:
        session = LiveSession(connection, self._send_queue, self._pipeline, feed.owner)
        feed.buffer.extend((session,), 0)

    def ended(self, connection: Connection) -> None:
        """End the session of a connection; what is buffered can still be read."""
        close = connection.close_info
        end = End(close_code=close.code, close_reason=close.reason, final=True)
        self._pipeline.call(
            self._pipeline.messages.end_connection, connection.number, end
        )

    def idle(self, closed: Closed) -> None:
        """Nothing comes any more by itself; readers meet the end in its place."""
        # Only those that are there now: later ones may be of a later connection.
        feeds = tuple(self._feeds or ())
        self._pipeline.call(self._mark, end_of(closed), feeds)

    def closed(self, closed: Closed) -> None:
        """Nothing comes any more, ever; nothing that is under way is waited for."""
        self._mark(end_of(closed, final=True), tuple(self._feeds or ()))

    def _mark(self, end: End, feeds: tuple[SessionFeed, ...]) -> None:
        self._pipeline.messages.end_all(end)
        for feed in feeds:
            feed.buffer.append_end(end)

    def _mark_idle(self, feed: SessionFeed) -> None:
        if self._pipeline.messages.ended is not None:
            feed.buffer.append_end(self._pipeline.messages.ended)


def end_of(closed: Closed, *, final: bool = False) -> End:
    """What readers meet where a client is `Closed`.

    Readers who come later hear how it ended, as those did who were there. The end is
    quiet where a peer closed properly, and where the client was closed permanently.
    """
    error = closed.error
    quiet = final or (
        isinstance(error, WSConnectionClosedError)
        and error.was_clean
        and error.close_code in _QUIET
    )
    return End(
        error=None if quiet else error,
        close_code=closed.close_code,
        close_reason=closed.close_reason or "",
        final=final,
    )


_QUIET: Final = frozenset({1000, 1001, 1005})
"""Close codes of a peer after which iteration ends without an error."""
