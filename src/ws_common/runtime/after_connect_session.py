"""The session of one connection: what both kinds share, and that of `after_connect`."""

from collections.abc import AsyncIterator
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from ws_common.connection.connection import Connection
from ws_common.options.json_codec import decode_json, encode_json
from ws_common.receive.end_marker import End, Ended
from ws_common.send.send_order import SendOrder
from ws_common.send.send_queue import SendQueue
from ws_common.vocabulary.messages import Data

_active_sessions: ContextVar[tuple["AfterConnectSession", ...]] = ContextVar(
    "ws_inside", default=()
)
"""The sessions of every `after_connect` that the running code was called by."""
# A context variable, and not a comparison of tasks: helper tasks of `after_connect`
# copy its context, and their calls of the client would wait for it just as well.
# Several may be active at once: `after_connect` of one client may use another client.


class BaseSession:
    """The base class of both kinds of session.

    Args:
        connection: The connection of the session.
        send_queue: The send queue of the client.
        order: The order that sends of this session keep among themselves; None if they
            keep the order of the client.
    """

    def __init__(
        self,
        connection: Connection,
        send_queue: SendQueue,
        order: SendOrder | None = None,
    ) -> None:
        self.connection = connection.number
        self.url = connection.url
        self.protocol = connection.transport.protocol
        self.handshake = connection.transport.handshake
        self._connection = connection
        self._send_queue = send_queue
        self._order = order

    async def add(self, data: Any, *, text: bool | None = None) -> None:
        """Send a message on this connection, never on another.

        Args:
            data: The message, as for `client.add()`.
            text: As for `client.add()`.

        Raises:
            WSConnectionClosedError: The connection has ended.
        """
        if self._connection.is_over:
            raise self._connection.closed_error()
        pending = self._send_queue.add(
            data, text=text, via=self._connection, order=self._order
        )
        if pending is not None:
            await pending

    send = add

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON text on this connection, never on another.

        Raises:
            WSUnsupportedDataError: The value cannot be written as JSON.
            WSConnectionClosedError: The connection has ended.
        """
        await self.add(encode_json(self._send_queue.json, value), text=True)

    async def recv(self) -> Data:
        """Return the next message of this connection. Cancelling it loses nothing."""
        raise NotImplementedError

    async def recv_json(self) -> Any:
        """Return the next message of this connection, which must be JSON.

        Raises:
            WSDecodeError: The message is not JSON; it stays consumed.
            WSConnectionClosedError: The connection has ended.
        """
        return decode_json(self._send_queue.json, await self.recv())

    def __repr__(self) -> str:
        """Show the number of the connection."""
        return f"<Session of connection {self.connection}>"


class AfterConnectSession(BaseSession):
    """The session that `after_connect` is called with.

    It receives the first messages of the connection; subscribers get the rest.

    Attributes:
        owner: Identifies the client while `after_connect` runs; else None.
    """

    owner: object = None

    def __init__(self, connection: Connection, send_queue: SendQueue) -> None:
        # Its sends have an order of their own. In the order of the client they would
        # stand behind messages that wait until `after_connect` has returned.
        super().__init__(connection, send_queue, send_queue.new_order())

    async def recv(self) -> Data:
        """Return the next message of this connection. Cancelling it loses nothing.

        Raises:
            WSConnectionClosedError: The connection has ended.
        """
        try:
            return await self._next()
        except Ended as ended:
            error = ended.end.error or self._connection.closed_error()
            raise error from error.__cause__

    async def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages; the iteration ends with the connection."""
        with suppress(Ended):
            while True:
                yield await self._next()

    def activate(self, owner: object) -> None:
        """Begin `after_connect` of this client, in the current task.

        Args:
            owner: Identifies the client.
        """
        self.owner = owner
        _active_sessions.set((*_active_sessions.get(), self))

    def deactivate(self) -> None:
        """End `after_connect`."""
        # Tasks that it has begun still have the session in their context. From now on
        # they may use the client like any other code.
        self.owner = None

    async def _next(self) -> Data:
        held = self._connection.incoming.held
        # Messages that came before the end can still be read. After them nothing would
        # wake a reader: the end of a connection that was not opened is in no buffer.
        if self._connection.is_over and not held.has_next:
            raise Ended(End())
        return await held.get()  # type: ignore[no-any-return]


def is_inside_after_connect(owner: object) -> bool:
    """Return whether the running code was called by `after_connect` of this client.

    Args:
        owner: Identifies the client.
    """
    # This is asked for each message that is sent. Nearly always the tuple is empty.
    sessions = _active_sessions.get()
    return bool(sessions) and any(session.owner is owner for session in sessions)
