"""A connector and transports whose network the test plays, on any clock.

connector = FakeConnector()
client = ws.WebSocketClient(connector.options(timeout=5))
asking = asyncio.ensure_future(client.connect("ws://host/"))
attempt = await connector.next()
transport = attempt.open()
transport.message("hello")
transport.closed(1006)
"""

import asyncio
from collections.abc import Callable
from typing import Any, Literal

from tests.support.idle import until_idle
from ws_common.options.options import (
    Connector,
    ConnectRequest,
    WebSocketOptions,
)
from ws_common.vocabulary.errors import WSConnectionClosedError, WSHandshakeError
from ws_common.vocabulary.messages import Data, size_of
from ws_common.vocabulary.transport import (
    CloseInfo,
    Handshake,
    Transport,
    TransportSink,
)

Initiator = Literal["local", "peer", "network"]


class FakeTransport:
    """One connection whose peer and network are played by the test.

    Attributes:
        sent: The messages that the client has sent.
        closes: The arguments of each `close()`.
        aborted: How often `abort()` was called.
        over: Whether `closed()` was called.
        paused: Whether the client has paused reading.
        pauses: Each pause (True) and resumption (False), in order.
        pings: The loop time of each Ping. `pong()` answers them all.
    """

    def __init__(self, sink: TransportSink, *, pings: bool, can_pause: bool) -> None:
        self.sink = sink
        self.protocol: str | None = None
        self.handshake = Handshake(status=101)
        self.buffered_amount = 0
        self.can_pause = can_pause
        self.sent: list[Data] = []
        self.closes: list[tuple[int | None, str | None]] = []
        self.aborted = 0
        self.over = False
        self.pauses: list[bool] = []
        self.pings: list[float] = []
        self._loop = asyncio.get_running_loop()
        self._has_pings = pings
        self._pongs: list[tuple[float, asyncio.Future[float]]] = []
        self.last_activity = self._loop.time()

    @property
    def is_free(self) -> bool:
        """Whether no socket is left."""
        return self.over or bool(self.aborted)

    @property
    def paused(self) -> bool:
        return self.pauses[-1:] == [True]

    # What the client asks for

    def send(self, data: Data, *, text: bool) -> None:
        if self.is_free or self.closes:
            raise WSConnectionClosedError
        payload = data.encode() if isinstance(data, str) else data
        self.sent.append(payload.decode() if text else payload)

    def pause_reading(self) -> None:
        self.pauses.append(True)

    def resume_reading(self) -> None:
        self.pauses.append(False)

    def ping(self) -> "asyncio.Future[float] | None":
        if not self._has_pings:
            return None
        self.pings.append(self._loop.time())
        pong: asyncio.Future[float] = self._loop.create_future()
        self._pongs.append((self._loop.time(), pong))
        return pong

    def close(self, code: int | None, reason: str | None) -> None:
        self.closes.append((code, reason))

    def abort(self) -> None:
        self.aborted += 1
        self._forget_pongs()

    # What the test plays

    def byte(self) -> None:
        """Receive a byte from the peer, which is no whole message."""
        self.last_activity = self._loop.time()

    def message(self, data: Data) -> None:
        self.byte()
        self.sink.on_messages([data], size_of(data))

    def batch(self, *messages: Data) -> None:
        """Receive several messages in one read."""
        self.byte()
        self.sink.on_messages(messages, sum(map(size_of, messages)))

    def pong(self) -> None:
        """Receive the Pong to every Ping so far."""
        self.byte()
        now = self._loop.time()
        for sent_at, pong in self._pongs:
            if not pong.done():
                pong.set_result(now - sent_at)
        self._pongs.clear()

    def closing(
        self,
        code: int,
        reason: str = "",
        *,
        initiator: Initiator = "peer",
        clean: bool | None = None,
    ) -> None:
        """Receive a Close frame, or let the protocol fail (`initiator="local"`).

        A local one that is clean is the answer to our own Close frame.
        """
        clean = initiator == "peer" if clean is None else clean
        close = CloseInfo(
            code=code, reason=reason, was_clean=clean, initiator=initiator
        )
        self.sink.on_closing(close)

    def closed(
        self,
        code: int = 1006,
        reason: str = "",
        *,
        initiator: Initiator | None = None,
        clean: bool | None = None,
    ) -> None:
        """End the TCP connection."""
        clean = code != 1006 if clean is None else clean
        self.over = True
        self._forget_pongs()
        close = CloseInfo(
            code=code,
            reason=reason,
            was_clean=clean,
            initiator=initiator or ("peer" if clean else "network"),
        )
        self.sink.on_closed(close)

    def drain(self, left: int = 0) -> None:
        """Let the network take what is buffered, but for so many bytes."""
        self.buffered_amount = left
        self.sink.on_writable()

    def _forget_pongs(self) -> None:
        for _, pong in self._pongs:
            pong.cancel()
        self._pongs.clear()


class FakeAttempt:
    """A call of the connector, which waits until the test decides about it.

    Attributes:
        request: The request of the client.
        at: The loop time of the call.
        stubborn: Whether it swallows its cancellation.
        cancelled: Whether it was cancelled.
        transport: The transport that `open()` or `early()` has made.
    """

    def __init__(
        self, request: ConnectRequest, sink: TransportSink, **how: bool
    ) -> None:
        self.request = request
        self.sink = sink
        self.stubborn = False
        self.cancelled = False
        self.transport: FakeTransport | None = None
        self._how = how
        loop = asyncio.get_running_loop()
        self.at = loop.time()
        self._outcome: asyncio.Future[FakeTransport] = loop.create_future()

    def early(self) -> FakeTransport:
        """Make the transport before the connector returns it."""
        self.transport = FakeTransport(self.sink, **self._how)
        return self.transport

    def open(self) -> FakeTransport:
        transport = self.transport or self.early()
        self._outcome.set_result(transport)
        return transport

    def refuse(self, error: BaseException | None = None) -> None:
        self._outcome.set_exception(error or ConnectionRefusedError("no server there"))

    async def wait(self) -> FakeTransport:
        """Wait for the decision of the test."""
        while True:
            try:
                return await asyncio.shield(self._outcome)
            except asyncio.CancelledError:
                self.cancelled = True
                if not self.stubborn:
                    if self.transport is not None:
                        self.transport.abort()
                    raise


class FakeConnector:
    """A connector whose attempts and connections are played by the test.

    Args:
        script: Called with each attempt as it begins; None: the test decides later.
        pings: Whether its connections have protocol pings, as none in a browser has.
        can_pause: Whether they can be paused, as none in a browser can.

    Attributes:
        attempts: All attempts so far.
    """

    def __init__(
        self,
        script: Callable[[FakeAttempt], Any] | None = None,
        *,
        pings: bool = True,
        can_pause: bool = True,
    ) -> None:
        self.attempts: list[FakeAttempt] = []
        self._script = script
        self._how = {"pings": pings, "can_pause": can_pause}
        self._seen = 0
        self._began = asyncio.Event()

    async def __call__(self, request: ConnectRequest, sink: TransportSink) -> Transport:
        attempt = FakeAttempt(request, sink, **self._how)
        self.attempts.append(attempt)
        self._began.set()
        if self._script is not None:
            self._script(attempt)
        return await attempt.wait()

    @property
    def unseen(self) -> int:
        """How many attempts `next()` would return at once."""
        return len(self.attempts) - self._seen

    async def next(self) -> FakeAttempt:
        """Return the first attempt that this has not returned yet; wait for it."""
        while not self.unseen:
            self._began.clear()
            await self._began.wait()
        self._seen += 1
        return self.attempts[self._seen - 1]

    async def opened(self) -> FakeTransport:
        """Let the next attempt succeed, and wait until the client has noticed."""
        transport = (await self.next()).open()
        await until_idle()
        return transport

    def options(self, **options: Any) -> WebSocketOptions:
        """Return options with which a client uses this connector."""
        return WebSocketOptions.vm(custom_client=self, **options)

    @property
    def sockets(self) -> list[FakeTransport]:
        """The transports whose socket was not freed."""
        made = [attempt.transport for attempt in self.attempts]
        return [one for one in made if one is not None and not one.is_free]


def accept(attempt: FakeAttempt) -> None:
    """A script: every attempt succeeds."""
    attempt.open()


def refuse(attempt: FakeAttempt) -> None:
    """A script: nobody listens."""
    attempt.refuse()


def refuse_with(
    status: int, retry_after: float | None = None
) -> Callable[[FakeAttempt], None]:
    """A script: every attempt gets this answer."""

    def script(attempt: FakeAttempt) -> None:
        error = WSHandshakeError("no", status=status, retry_after=retry_after)
        attempt.refuse(error)

    return script


def _conforms(transport: FakeTransport, connector: FakeConnector) -> None:
    _: tuple[Transport, Connector] = transport, connector
