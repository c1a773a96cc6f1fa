"""The stream of state changes."""

from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    Reconnecting,
    WebSocketClientState,
)
from ws_common.receive.stream import Stream


class WebSocketStatesStream(Stream[WebSocketClientState]):
    """Every change of state. Ends with `close()` alone.

    States are not kept for a later subscriber and never hold up the connection: a
    subscriber that does not keep up loses the oldest.

    Example:
        >>> async def greet(states: WebSocketStatesStream) -> None:
        ...     async for state in states.open:
        ...         print("connection", state.connection)
    """

    @property
    def connecting(self) -> Stream[Connecting]:
        """Attempts that begin."""
        return self.where_type(Connecting)

    @property
    def open(self) -> Stream[Open]:
        """Connections that open."""
        return self.where_type(Open)

    @property
    def disconnecting(self) -> Stream[Disconnecting]:
        """Closing handshakes that begin."""
        return self.where_type(Disconnecting)

    @property
    def reconnecting(self) -> Stream[Reconnecting]:
        """Waits for the next attempt."""
        return self.where_type(Reconnecting)

    @property
    def closed(self) -> Stream[Closed]:
        """Ends, after which nothing comes by itself."""
        return self.where_type(Closed)
