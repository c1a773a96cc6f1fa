"""For the tests of applications: a WebSocket without a network.

    fake = WebSocketClientFake()
    client = ws.WebSocketClient.from_client(fake, options)

The client is the real one, with its reconnection, queue, interceptors and metrics;
only the socket is played. Nothing here sleeps: what happens, happens because the
test says so.
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

Answer = Callable[[Data], Data | Iterable[Data] | None]


class WebSocketClientFake:
    """Plays one connection and its server. Hand it to `WebSocketClient.from_client`.

    Args:
        answer: What the server answers to each message: a message, several, or
            None. Without it the server is silent, and `loop_back()` speaks for it.
        protocol: The subprotocol that the server picks.

    Attributes:
        sent: What has been sent, over all connections.
        urls: Where to, attempt by attempt.

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

    # What the test plays

    def loop_back(self, data: Data) -> None:
        """The server sends a message.

        Raises:
            RuntimeError: There is no open connection that could bring it.
        """
        if not self._state.is_open:
            msg = f"the fake server cannot send: the state is {self._state!r}"
            raise RuntimeError(msg)
        self._messages.publish_one(data)

    def drop(self, code: int = 1006, reason: str = "") -> None:
        """The connection ends: 1006 cuts it, any other code closes it properly.

        Raises:
            RuntimeError: There is no open connection.
        """
        if not self._state.is_open:
            msg = f"there is nothing to drop: the state is {self._state!r}"
            raise RuntimeError(msg)
        if code != 1006:  # noqa: PLR2004 - abnormal closure: no handshake
            self._change(Disconnecting(code, reason))
        self._end(code, reason)

    def refuse(self, status: int | None = None) -> None:
        """The next attempt is refused; call it again for each one more.

        Args:
            status: The HTTP status; None: the network refuses.
        """
        error: Exception = ConnectionRefusedError("the fake network refuses")
        if status is not None:
            error = WSHandshakeError(
                f"the fake server refused with HTTP {status}", status=status
            )
        self._refusals.append(error)

    def stall(self) -> None:
        """From here on the server does not answer: no handshake, no Close."""
        self._stalled = True
        self._released.clear()

    def release(self) -> None:
        """End `stall()`: what waited goes on."""
        self._stalled = False
        self._released.set()

    # What a client asks for

    @property
    def state(self) -> WebSocketClientState:
        """What it is doing now."""
        return self._state

    @property
    def state_changes(self) -> WebSocketStatesStream:
        """Every change of state."""
        return self._state_changes

    @property
    def stream(self) -> WebSocketMessagesStream:
        """What the server sends."""
        return self._stream

    async def connect(self, url: str) -> None:
        """Open a connection, unless the test says otherwise."""
        check_url(url)
        if self._finished:
            raise WSClientClosedError("the fake was closed")
        self.urls.append(url)
        self._change(Connecting(url, len(self.urls)))
        try:
            await self._unstalled()
            self._maybe_refuse()
        except BaseException:
            self._change(Closed())
            raise
        self._connections += 1
        self._messages.reopen()
        self._change(Open(url, self._protocol, self._connections))

    async def add(self, data: Data) -> None:
        """Send a message; the server's answer is here at once."""
        self.add_nowait(data)

    def add_nowait(self, data: Data) -> None:
        """Send a message: it is in `sent` when this returns."""
        if not self._state.is_open:
            raise WSConnectionClosedError("the fake is not connected")
        self.sent.append(data)
        if self._answer is None or self._stalled:
            return
        answer = self._answer(data)
        if answer is None:
            return
        for message in (answer,) if isinstance(answer, str | bytes) else answer:
            if self._state.is_open:
                self._messages.publish_one(message)

    async def disconnect(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close the connection; the server agrees, unless it is stalled."""
        if not self._state.is_open:
            return
        self._change(Disconnecting(code, reason))
        await self._unstalled()
        if isinstance(self._state, Disconnecting):
            self._end(1005 if code is None else code, reason or "")

    async def close(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close for good."""
        await self.disconnect(code, reason)
        self._finished = True
        self._messages.end_all(End(final=True))
        self._states.end_all(End(final=True))

    def __repr__(self) -> str:
        """Show the state and how much was sent."""
        shown = redact(self.urls[-1]) if self.urls else "not connected yet"
        return f"<WebSocketClientFake {shown} {self._state!r}, {len(self.sent)} sent>"

    async def _unstalled(self) -> None:
        if self._stalled:
            await self._released.wait()

    def _maybe_refuse(self) -> None:
        if self._refusals:
            raise self._refusals.pop(0)

    def _change(self, state: WebSocketClientState) -> None:
        self._state = state
        self._states.publish_one(state)

    def _end(self, code: int, reason: str) -> None:
        self._change(Closed(code, reason))


def _raise(_name: str, error: Exception) -> None:
    raise error
