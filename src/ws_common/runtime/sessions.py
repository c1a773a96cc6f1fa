"""Sessions: one connection at a time.

A stream of messages goes on over a lost connection. A program that has to log in or to
subscribe again on each connection iterates over `client.sessions()` instead, or uses
the session that `after_connect` is called with.
"""

from collections.abc import AsyncIterator
from typing import Final
from weakref import WeakSet

from ws_common.connection.connection import Connection
from ws_common.lifecycle.states import Closed
from ws_common.receive.end_marker import End, Ended
from ws_common.receive.limits import Limits
from ws_common.receive.pipeline import ReceivePipeline
from ws_common.receive.subscriber import Subscriber
from ws_common.receive.subscriber_buffer import Buffer
from ws_common.runtime.after_connect_session import BaseSession
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.client_loop import ClientLoop
from ws_common.vocabulary.errors import WSConnectionClosedError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.session import Session

MAX_WAITING_SESSIONS = 16
"""How many sessions may wait for a program. Above it the oldest is dropped."""


class LiveSession(BaseSession):
    """One item of `client.sessions()`."""

    # Its subscriber is attached as the session begins, before the program asks for it:
    # the first messages of the connection would go to others otherwise.

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
        """Return the next message of this connection. Cancelling it loses nothing.

        Raises:
            WSConnectionClosedError: The connection has ended.
        """
        return await self._subscriber.next()

    def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages; the iteration ends with the connection."""
        return self._subscriber


class SessionFeed(AsyncIterator[Session]):
    """The iterator that `client.sessions()` returns: one item per connection.

    Attributes:
        owner: The client. A feed or a session that is referenced keeps it alive.
        buffer: The sessions that the program has not asked for yet.
    """

    def __init__(self, client_loop: ClientLoop, owner: object) -> None:
        self.owner = owner
        self.buffer: Buffer[LiveSession] = Buffer(
            Limits(MAX_WAITING_SESSIONS, None, "drop_oldest")
        )
        self._client_loop = client_loop

    async def __anext__(self) -> Session:
        """Wait for the next connection. Cancelling this loses no session.

        Raises:
            WSError: What ended the attempts.
            RuntimeError: The client belongs to another event loop.
        """
        self._client_loop.check()
        try:
            return await self.buffer.get()
        except Ended as ended:
            error = ended.end.error or StopAsyncIteration()
            raise error from error.__cause__


class Sessions:
    """The sessions of a client, for every feed that the program still references.

    Args:
        pipeline: The receive pipeline.
        send_queue: The send queue.
    """

    # Every method but `on_closed` does its work in order with the messages, through
    # `pipeline.call()`: a message of the connection before that an interceptor still
    # holds would otherwise reach the session of the next one.

    __slots__ = ("_feeds", "_pipeline", "_send_queue")

    def __init__(self, pipeline: ReceivePipeline, send_queue: SendQueue) -> None:
        self._pipeline = pipeline
        self._send_queue = send_queue
        # Made for the first feed: most programs have none, and a WeakSet takes 0.8 KiB.
        self._feeds: WeakSet[SessionFeed] | None = None

    def new(self, owner: object, connection: Connection | None) -> SessionFeed:
        """Make a feed. It begins with the open connection, if there is one.

        Args:
            owner: The client.
            connection: The open connection, if there is one.
        """
        feed = SessionFeed(self._pipeline.messages.client_loop, owner)
        if self._feeds is None:
            self._feeds = WeakSet()
        self._feeds.add(feed)
        if connection is not None:
            self._pipeline.call(self._begin_session, feed, connection)
        else:
            self._pipeline.call(self._mark_idle, feed)
        return feed

    def on_opened(self, connection: Connection) -> None:
        """Begin a session in each feed, and begin to deliver messages."""
        for feed in tuple(self._feeds or ()):
            self._pipeline.call(self._begin_session, feed, connection)
        self._pipeline.call(connection.incoming.opened)

    def _begin_session(self, feed: SessionFeed, connection: Connection) -> None:
        session = LiveSession(connection, self._send_queue, self._pipeline, feed.owner)
        feed.buffer.extend((session,), 0)

    def on_ended(self, connection: Connection) -> None:
        """End the session of a connection. Its buffered messages can still be read."""
        close = connection.close_info
        end = End(close_code=close.code, close_reason=close.reason, final=True)
        self._pipeline.call(
            self._pipeline.messages.end_connection, connection.number, end
        )

    def on_idle(self, closed: Closed) -> None:
        """Mark the end for all readers: no connection is open or expected."""
        # The feeds are listed now. An interceptor may hold the end back for a while,
        # and a feed that is made meanwhile may belong to a later connection.
        feeds = tuple(self._feeds or ())
        self._pipeline.call(self._mark_end, make_end(closed), feeds)

    def on_closed(self, closed: Closed) -> None:
        """Mark the final end for all readers, without waiting for interceptors."""
        self._mark_end(make_end(closed, final=True), tuple(self._feeds or ()))

    def _mark_end(self, end: End, feeds: tuple[SessionFeed, ...]) -> None:
        self._pipeline.messages.end_all(end)
        for feed in feeds:
            feed.buffer.append_end(end)

    def _mark_idle(self, feed: SessionFeed) -> None:
        if self._pipeline.messages.ended is not None:
            feed.buffer.append_end(self._pipeline.messages.ended)


def make_end(closed: Closed, *, final: bool = False) -> End:
    """Return the end that readers reach when a client is `Closed`.

    Readers that come later reach the same end as those that were there. The end raises
    no error if the peer closed properly, or if the client was closed permanently.

    Args:
        closed: The state.
        final: Whether the client was closed permanently.
    """
    error = closed.error
    is_quiet = final or (
        isinstance(error, WSConnectionClosedError)
        and error.was_clean
        and error.close_code in _QUIET_CODES
    )
    return End(
        error=None if is_quiet else error,
        close_code=closed.close_code,
        close_reason=closed.close_reason or "",
        final=final,
    )


_QUIET_CODES: Final = frozenset({1000, 1001, 1005})
"""Close codes after which an iteration ends without an error.

Normal Closure, Going Away and No Status Received (RFC 6455, section 7.4.1).
"""
