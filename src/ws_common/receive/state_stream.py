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
    """Every change of the client's state. Only `close()` ends it.

    States are not kept for later subscribers, and they never pause the connection: a
    subscriber that does not keep up loses the oldest ones.

    Example:
        >>> async def greet(states: WebSocketStatesStream) -> None:
        ...     async for state in states.open:
        ...         print("connection", state.connection)
    """

    # Each property is a filter on a class of states and has no buffer of its own. A
    # state that was missed can still be found in `client.history`.

    @property
    def connecting(self) -> Stream[Connecting]:
        """Attempts to connect that begin."""
        return self.where_type(Connecting)

    @property
    def open(self) -> Stream[Open]:
        """Connections that have opened."""
        return self.where_type(Open)

    @property
    def disconnecting(self) -> Stream[Disconnecting]:
        """Closing handshakes that have begun."""
        return self.where_type(Disconnecting)

    @property
    def reconnecting(self) -> Stream[Reconnecting]:
        """Waits that have begun, for the next attempt to connect."""
        return self.where_type(Reconnecting)

    @property
    def closed(self) -> Stream[Closed]:
        """Ends after which the client does not reconnect by itself."""
        return self.where_type(Closed)
