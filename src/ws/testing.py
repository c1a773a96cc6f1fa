"""A fake WebSocket for the tests of applications; it needs no network.

    fake = WebSocketClientFake()
    client = ws.WebSocketClient.from_client(fake, options)

The client is the real one, with its reconnection, queue, interceptors and metrics; only
the connection is a fake. Nothing in this module sleeps: every event happens because the
test triggers it.
"""

import asyncio
from collections.abc import Callable, Iterable

from ws_common.lifecycle.states import (
    Closed,
    Connecting,
    Disconnecting,
    Open,
    WebSocketClientState,
)
from ws_common.receive.broadcast import Broadcast
from ws_common.receive.end_marker import End
from ws_common.receive.limits import Limits
from ws_common.receive.message_stream import WebSocketMessagesStream
from ws_common.receive.state_stream import WebSocketStatesStream
from ws_common.vocabulary.errors import (
    WSClientClosedError,
    WSConnectionClosedError,
    WSHandshakeError,
)
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.urls import check_url, redact

# Not imported by `import ws`: programs that do not test pay nothing for it.
Answer = Callable[[Data], Data | Iterable[Data] | None]


class WebSocketClientFake:
    """A fake connection with its server, to pass to `WebSocketClient.from_client`.

    Args:
        answer: Called with each message; returns the answer of the server: a message,
            several messages, or None. Without it the server sends only what
            `loop_back()` is called with.
        protocol: The subprotocol that the server selects.

    Attributes:
        sent: All messages that were sent, on any connection.
        urls: The URL of every attempt.

    Example:
        >>> import asyncio, ws
        >>> async def main() -> None:
        ...     fake = WebSocketClientFake()
        ...     async with ws.WebSocketClient.from_client(fake) as client:
        ...         await client.connect("ws://anywhere/")
        ...         await client.add("hello")
        ...         fake.loop_back("world")
        ...         print(fake.sent, await client.recv())
        >>> asyncio.run(main())
        ['hello'] world
    """

    def __init__(
        self, *, answer: Answer | None = None, protocol: str | None = None
    ) -> None:
        self.sent: list[Data] = []
        self.urls: list[str] = []
        self._answer = answer
        self._protocol = protocol
        self._state: WebSocketClientState = Closed()
        self._connections = 0
        self._refusals: list[Exception] = []
        self._stalled = False
        self._finished = False
        self._released = asyncio.Event()
        limits = Limits(None, None, "error")
        self._messages: Broadcast[Data] = Broadcast(limits, keep=True)
        self._states: Broadcast[WebSocketClientState] = Broadcast(limits, keep=False)
        self._stream = WebSocketMessagesStream(self._messages, _raise)
        self._state_changes = WebSocketStatesStream(self._states, _raise)

    # The methods that a test calls to play the server and the network

    def loop_back(self, data: Data) -> None:
        """Let the server send a message.

        Args:
            data: The message.

        Raises:
            RuntimeError: No connection is open.
        """
        if not self._state.is_open:
            msg = f"the fake server cannot send: the state is {self._state!r}"
            raise RuntimeError(msg)
        self._messages.publish_one(data)

    def drop(self, code: int = 1006, reason: str = "") -> None:
        """End the connection: cut it, or let the server close it.

        Args:
            code: 1006 cuts the connection; with any other code the closing handshake is
                completed.
            reason: The close reason.

        Raises:
            RuntimeError: No connection is open.
        """
        if not self._state.is_open:
            msg = f"there is no connection to drop: the state is {self._state!r}"
            raise RuntimeError(msg)
        if code != 1006:  # noqa: PLR2004 - abnormal closure: no handshake
            self._set_state(Disconnecting(code, reason))
        self._set_closed(code, reason)

    def refuse(self, status: int | None = None) -> None:
        """Refuse the next attempt; each further call refuses one attempt more.

        Args:
            status: The HTTP status of the response; None: the network refuses the
                connection, with ConnectionRefusedError.
        """
        error: Exception = ConnectionRefusedError(
            "the fake network refused the connection"
        )
        if status is not None:
            error = WSHandshakeError(
                f"the fake server refused with HTTP {status}", status=status
            )
        self._refusals.append(error)

    def stall(self) -> None:
        """Let the server stop answering: handshakes and Close frames have to wait."""
        self._stalled = True
        self._released.clear()

    def release(self) -> None:
        """End `stall()`: the calls that wait for the server continue."""
        self._stalled = False
        self._released.set()

    # The methods of `IWebSocketClient`, which the real client calls

    @property
    def state(self) -> WebSocketClientState:
        """The current state."""
        return self._state

    @property
    def state_changes(self) -> WebSocketStatesStream:
        """Every change of state."""
        return self._state_changes

    @property
    def stream(self) -> WebSocketMessagesStream:
        """The messages that the server sends."""
        return self._stream

    async def connect(self, url: str) -> None:
        """Open a connection, unless the test has called `refuse()` or `stall()`.

        Cancelling it leaves the fake closed.

        Raises:
            WSInvalidUrlError: The URL is not valid.
            WSClientClosedError: `close()` was called before.
            ConnectionRefusedError: `refuse()` was called.
            WSHandshakeError: `refuse()` was called with a status.
        """
        check_url(url)
        if self._finished:
            raise WSClientClosedError("the fake was closed; make a new one")
        self.urls.append(url)
        self._set_state(Connecting(url, len(self.urls)))
        try:
            await self._wait_for_release()
            self._raise_refusal()
        except BaseException:  # a cancelled attempt must not stay `Connecting` either
            self._set_state(Closed())
            raise
        self._connections += 1
        # Before the state changes: whoever sees `Open` may call `loop_back()`.
        self._messages.reopen()
        self._set_state(Open(url, self._protocol, self._connections))

    async def add(self, data: Data) -> None:
        """Send a message; the answer of the server has arrived when this returns.

        Raises:
            WSConnectionClosedError: No connection is open.
        """
        self.add_nowait(data)

    def add_nowait(self, data: Data) -> None:
        """Send a message; it is in `sent` when this returns.

        Raises:
            WSConnectionClosedError: No connection is open.
        """
        if not self._state.is_open:
            raise WSConnectionClosedError("the fake is not connected")
        self.sent.append(data)
        if self._answer is None or self._stalled:
            return
        answer = self._answer(data)
        if answer is None:
            return
        for message in (answer,) if isinstance(answer, str | bytes) else answer:
            # A reader of the first answer may close the connection before the second.
            if self._state.is_open:
                self._messages.publish_one(message)

    async def disconnect(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close the connection. The server agrees at once, unless it is stalled.

        Cancelling it while the server is stalled leaves the state `Disconnecting`.
        """
        if not self._state.is_open:
            return
        self._set_state(Disconnecting(code, reason))
        await self._wait_for_release()
        # Several calls may have waited for `release()`: the first one has closed it.
        if isinstance(self._state, Disconnecting):
            self._set_closed(1005 if code is None else code, reason or "")

    async def close(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close the connection; the fake cannot connect again."""
        await self.disconnect(code, reason)
        self._finished = True
        self._messages.end_all(End(final=True))
        self._states.end_all(End(final=True))

    def __repr__(self) -> str:
        """Show the state and the number of messages that were sent."""
        url = redact(self.urls[-1]) if self.urls else "not connected yet"
        return f"<WebSocketClientFake {url} {self._state!r}, {len(self.sent)} sent>"

    async def _wait_for_release(self) -> None:
        if self._stalled:
            await self._released.wait()

    def _raise_refusal(self) -> None:
        if self._refusals:
            raise self._refusals.pop(0)

    def _set_state(self, state: WebSocketClientState) -> None:
        self._state = state
        self._states.publish_one(state)

    def _set_closed(self, code: int, reason: str) -> None:
        self._set_state(Closed(code, reason))


def _raise(_name: str, error: Exception) -> None:
    raise error
