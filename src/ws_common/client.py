"""`WebSocketClient`: the face of everything behind it."""

from collections.abc import AsyncIterator, Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ws_common.diagnostics.metrics import WebSocketMetrics
from ws_common.diagnostics.reporter import HistoryEntry
from ws_common.lifecycle.client_state import Phase
from ws_common.lifecycle.states import (
    Connecting,
    Open,
    Reconnecting,
    WebSocketClientState,
)
from ws_common.options import platform as platforms
from ws_common.options.close_codes import check_close, sendable_close
from ws_common.options.options import (
    Connector,
    Url,
    WebSocketOptions,
    default_options,
)
from ws_common.receive.message_stream import WebSocketMessagesStream
from ws_common.receive.state_stream import WebSocketStatesStream
from ws_common.receive.subscriber import Subscriber
from ws_common.runtime.sessions import is_inside_after_connect
from ws_common.send.receipt import Receipt
from ws_common.vocabulary.callsite import callsite
from ws_common.vocabulary.durations import seconds
from ws_common.vocabulary.errors import WSNotConnectedError, WSUnsupportedError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.session import Session
from ws_common.vocabulary.transport import Handshake
from ws_common.vocabulary.urls import check_url, redact
from ws_common.wrapped_client import AdapterConnector, IWebSocketClient

if TYPE_CHECKING:
    from ws_common.runtime.supervisor import Supervisor

NO_RETRY_TIMEOUT = 5.0
"""What `reconnect_timeout` says where reconnection is not configured."""


class WebSocketClient:
    """A WebSocket that reconnects. The same on every platform.

    Belongs to the event loop it is first used in; not thread-safe: calls from another
    loop raise RuntimeError. Sends keep call order among themselves; `connect()`,
    `reconnect()`, `disconnect()` and `close()` keep call order among themselves, never
    wait behind sends, and cut short the attempt or the wait that is in progress.

    When nobody holds the client, nor a stream, a subscriber, a listener or a session of
    it, it is aborted with a ResourceWarning.

    Args:
        options: What it is told; None: the defaults.

    Example:
        >>> async def chat(url: str) -> None:
        ...     async with WebSocketClient() as client:
        ...         await client.connect(url)
        ...         await client.add("hello")
        ...         print(await client.recv())
    """

    def __init__(self, options: WebSocketOptions | None = None) -> None:
        self._build(options, None)

    def _build(
        self, options: WebSocketOptions | None, connector: Connector | None
    ) -> None:
        # Here and not above: a program pays for it as it makes its first client,
        # and `import ws` stays cheap.
        from ws_common.runtime.lifecycle_calls import LifecycleCalls  # noqa: PLC0415
        from ws_common.runtime.supervisor import Supervisor  # noqa: PLC0415

        self._options = options = options or default_options()
        self._platform = platform = platforms.current()
        own = connector or options.custom_client
        made: Connector = platform.connector(options) if own is None else own
        self._supervisor = Supervisor(options, platform, made)
        self._requests = LifecycleCalls(self._supervisor)
        self._made_at = callsite()
        self._shared: Subscriber[Data] | None = None

    @classmethod
    def from_client(
        cls, client: IWebSocketClient, options: WebSocketOptions | None = None
    ) -> Self:
        """Wrap a custom or fake implementation of one connection.

        It gains the queue, reconnection, interceptors and metrics.

        Args:
            client: What opens, sends and receives.
            options: What the new client is told; None: the defaults.
        """
        made = cls.__new__(cls)
        made._build(options, AdapterConnector(client))  # noqa: SLF001
        return made

    @classmethod
    def start(cls, url: Url, options: WebSocketOptions | None = None) -> Self:
        """Begin connecting in the background and return at once.

        Failures show in `state_changes` and in `state`.

        Raises:
            WSInvalidUrlError: The URL is none.
        """
        client = cls(options)
        client._requests.begin_connect(*_target(url))
        return client

    # What it is doing

    @property
    def is_closed(self) -> bool:
        """Whether it was closed for good."""
        return self._supervisor.client_state.phase is Phase.FINISHED

    @property
    def state(self) -> WebSocketClientState:
        """What it is doing now."""
        return self._supervisor.client_state.public_state

    @property
    def state_changes(self) -> WebSocketStatesStream:
        """Every change of state from now on."""
        fault = self._supervisor.reporter.fault
        return WebSocketStatesStream(self._supervisor.states, fault, owner=self)

    @property
    def stream(self) -> WebSocketMessagesStream:
        """The messages that arrive."""
        fault = self._supervisor.reporter.fault
        messages = self._supervisor.received.messages
        return WebSocketMessagesStream(messages, fault, owner=self)

    @property
    def metrics(self) -> WebSocketMetrics:
        """A snapshot of its figures."""
        supervisor = self._supervisor
        counters, state = supervisor.counters, supervisor.client_state.public_state
        connection, opened = supervisor.connection, supervisor.open_connection
        buffered = 0 if connection is None else connection.transport.buffered_amount
        next_at = state.at if isinstance(state, Reconnecting) else None
        retrying = (
            isinstance(state, Connecting) and supervisor.client_state.is_reconnecting
        )
        return WebSocketMetrics(
            timestamp=supervisor.clock.now(),
            ready_state=state.ready_state,
            transferred_size=counters.transferred_size,
            received_size=counters.received_size,
            transferred_count=counters.transferred_count,
            received_count=counters.received_count,
            reconnects_successful=counters.reconnects_successful,
            reconnects_total=counters.reconnects_total,
            disconnects=counters.disconnects,
            last_successful_connection_time=counters.last_successful_connection_time,
            last_disconnect_time=counters.last_disconnect_time,
            last_disconnect_code=counters.last_disconnect_code,
            last_disconnect_reason=counters.last_disconnect_reason,
            last_url=redact(supervisor.client_state.url)
            if supervisor.client_state.url
            else None,
            is_reconnection_active=next_at is not None or retrying,
            current_reconnect_attempts=supervisor.client_state.streak.failures,
            next_reconnection_attempt=next_at,
            latency=counters.latency,
            uptime=0.0 if opened is None else opened.uptime,
            buffered_amount=buffered,
            unconfirmed_count=counters.transferred_count - counters.confirmed_count,
            dropped_count=counters.dropped_count,
            skipped_count=counters.skipped_count,
        )

    @property
    def reconnect_timeout(self) -> float:
        """Seconds between the loss of a connection and the next attempt.

        The delay drawn for the attempt now waited for, else the retry interval's
        `min`; 5.0 where reconnection is not configured.
        """
        if isinstance(self.state, Reconnecting):
            return self.state.delay
        interval = self._options.connection_retry_interval
        return NO_RETRY_TIMEOUT if interval is None else seconds(interval.min)

    @property
    def protocol(self) -> str | None:
        """The subprotocol of the open connection."""
        return self.state.protocol if isinstance(self.state, Open) else None

    @property
    def handshake(self) -> Handshake | None:
        """What the server answered to the last attempt that got that far."""
        connection = self._supervisor.connection
        if connection is None or not connection.url:
            return None
        return connection.transport.handshake

    @property
    def latency(self) -> float | None:
        """Seconds of the last measured round trip; None before the first."""
        return self._supervisor.counters.latency

    @property
    def history(self) -> Sequence[HistoryEntry]:
        """The last state changes, oldest first, with time and cause."""
        return self._supervisor.reporter.history

    def explain(self) -> str:
        """Say in plain words what it is doing, since when, why, and what comes next."""
        from ws_common.diagnostics.explain import Snapshot, explain  # noqa: PLC0415 - seldom asked

        supervisor, received = self._supervisor, self._supervisor.received
        snapshot = Snapshot(
            client_state=supervisor.client_state,
            options=supervisor.options,
            now=supervisor.clock.now(),
            history=supervisor.reporter.history,
            last_error=supervisor.failures.last_error,
            holds=supervisor.environment.wait.holds,
            unsent=supervisor.send_queue.waiting,
            is_full=bool(received.messages.full_buffers),
            stuck=received.stalled_readers.descriptions,
            kept=received.messages.kept.waiting if received.messages.kept else 0,
        )
        return explain(snapshot)

    # What you ask of it

    async def connect(self, url: Url) -> None:
        """Return when the connection is open, retrying as the options say.

        Where a connection is open already, it is closed and replaced. Cancelling
        this stops the attempt and frees its socket.

        Args:
            url: `ws://` or `wss://`, or what makes one, asked before each attempt.

        Raises:
            WSError: What ended the attempts.
            WSSupersededError: A later call overtook this one.
            WSInvalidUrlError: The URL is none; raised before any I/O.
            WSClientClosedError: The client was closed.
        """
        self._not_inside("connect")
        self._supervisor.check_usable()
        await self._requests.connect(*_target(url))

    async def add(self, data: Any, *, text: bool | None = None) -> None:
        """Send a message, in call order; wait while a connection is on its way.

        Returns when the connection has taken the message and its buffer is below
        `write_limit`. What waits is kept across retries and `reconnect()`, and
        fails with a new URL, `disconnect()`, `close()` or a cancelled `connect()`.
        Cancelled before the connection has taken the message, it is not sent.

        Args:
            data: `str`, bytes-like, a sequence of integers from 0 to 255, or
                whatever the interceptors turn into one.
            text: True sends UTF-8 bytes as a text frame; False sends text as a
                binary frame.

        Raises:
            WSNotConnectedError: No connection is open or coming.
            WSConnectionClosedError: The connection died while this waited for its
                buffer; the message may have gone.
            WSUnsupportedDataError: It cannot be sent. The connection stays.
            WSClientClosedError: The client was closed.
        """
        self._not_inside("add")
        rest = self._supervisor.send_queue.add(data, text=text)
        if rest is not None:
            await rest

    send = add

    def add_nowait(self, data: Any, *, text: bool | None = None) -> Receipt:
        """Send now if possible, else keep the message in the bounded outbox.

        Args:
            data: As `add()` takes it.
            text: As `add()` takes it.

        Returns:
            What becomes of the message.

        Raises:
            WSNotConnectedError: No connection is open or coming.
            WSOutboxFullError: The outbox is full and its overflow is "error".
            WSUnsupportedDataError: It cannot be sent.
            WSClientClosedError: The client was closed.
        """
        self._not_inside("add_nowait")
        return self._supervisor.send_queue.add_nowait(data, text=text)

    async def recv(self) -> Data:
        """Return the next message. Cancelling it loses nothing.

        `recv()` and `async for message in client` share one subscriber, made at the
        first use; it is given the messages that were kept.

        Raises:
            WSConnectionClosedError: The end was reached, a quiet one too.
            WSNotConnectedError: It was never asked to connect.
            WSStreamOverflowError: Messages were lost; raised once, and the next call
                waits for what comes afterwards.
        """
        return await self._subscriber().next()

    def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages; shares its subscriber with `recv()`."""
        return self._subscriber().reader_for(self)

    def sessions(self) -> AsyncIterator[Session]:
        """One item per connection, so that a program can start anew at each.

        Example:
            >>> async def follow(client: WebSocketClient) -> None:
            ...     async for session in client.sessions():
            ...         await session.add("subscribe")
            ...         async for message in session:
            ...             print(session.connection, message)
        """
        return self._supervisor.sessions.new(self, self._supervisor.open_connection)

    async def ping(self) -> float:
        """Return the seconds of a round trip.

        Raises:
            WSUnsupportedError: The platform has no pings.
            WSNotConnectedError: No connection is open.
        """
        self._supervisor.check_usable()
        connection = self._supervisor.open_connection
        if connection is None:
            raise self._supervisor.client_state.not_connected()
        round_trip = connection.ping()
        if round_trip is None:
            raise WSUnsupportedError(
                "this platform cannot send pings: a page has none. Set "
                "Heartbeat(message=…) to have an application-level one"
            )
        return await round_trip

    async def reconnect(self) -> None:
        """Drop the connection, or the wait for the next attempt, and connect now.

        Returns when the connection is open. Cancelling it stops the attempt.

        Raises:
            WSError: What ended the attempts.
            WSSupersededError: A later call overtook this one.
            WSNotConnectedError: There was no `connect()` before: no URL is known.
            WSClientClosedError: The client was closed.
        """
        self._not_inside("reconnect")
        await self._requests.reconnect()

    async def disconnect(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close the connection and stop reconnecting. The client can connect again.

        Also aborts an attempt under way. No message is delivered after the call.
        Returns within `close_timeout`, whatever the peer does. Cancelled, it aborts
        and still ends in `Closed`.

        Args:
            code: A close code, or None to send none.
            reason: At most 123 bytes of UTF-8; none goes without a code.

        Raises:
            WSInvalidCloseError: A code or reason that may not be sent; nothing is
                touched.
            WSUnsupportedError: A code that this platform may not send.
            WSClientClosedError: The client was closed.
        """
        self._supervisor.check_usable()
        await self._requests.disconnect(*check_close(code, reason, self._platform))

    async def close(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close for good and free every resource. Idempotent.

        A second caller waits for the first. Always closes: a code that may not be
        sent here is replaced by 1000 and reported. Later calls of other methods
        raise WSClientClosedError. Returns within `close_timeout`; cancelled, it
        aborts and the client is closed.

        Args:
            code: A close code, or None to send none.
            reason: At most 123 bytes of UTF-8; none goes without a code.
        """
        code, reason = sendable_close(
            code, reason, self._platform, self._supervisor.report
        )
        await self._requests.close(code, reason)

    async def wait_closed(self) -> None:
        """Wait until `close()` is done. Cancelling it changes nothing."""
        await self._requests.wait_finished()

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close; under cancellation say Close 1001, and do not wait for the answer."""
        if kind is not None and not issubclass(kind, Exception):
            await self._requests.leave(self._platform.going_away_code)
        else:
            await self.close()

    def __repr__(self) -> str:
        """Show the state."""
        return f"<{type(self).__name__} {self.state!r}>"

    def _subscriber(self) -> Subscriber[Data]:
        if self._shared is None or self._shared.has_overflowed:
            messages = self._supervisor.received.messages
            self._shared = Subscriber(messages, ())  # which may not hold the client
        return self._shared

    def __del__(self) -> None:
        """Abort where nobody holds the client, a stream or a subscriber any more."""
        supervisor: Supervisor | None = getattr(self, "_supervisor", None)
        if supervisor is not None and not supervisor.client_state.is_idle:
            supervisor.client_loop.hop(self._requests.abandon, self._made_at)

    def _not_inside(self, method: str) -> None:
        if is_inside_after_connect(self._supervisor.send_queue):
            raise WSNotConnectedError(
                f"client.{method}() inside after_connect would wait for after_connect "
                "itself: use the session it is handed"
            )
        # These end only when `after_connect` has received what it waits for.
        needs_messages = method in ("connect", "reconnect")
        if needs_messages and self._options.after_connect is not None:
            self._supervisor.received.check_not_in_interceptor()


class connect:  # noqa: N801 - reads as a call: `await ws.connect(url)`
    """Make a client, connect it and, as a context manager, close it on the way out.

    Args:
        url: `ws://` or `wss://`, or what makes one, asked before each attempt.
        options: What the client is told; None: the defaults.

    Example:
        >>> async def main() -> None:
        ...     async with connect("ws://127.0.0.1:8000/ws") as client:
        ...         await client.add("hello")
    """

    def __init__(self, url: Url, options: WebSocketOptions | None = None) -> None:
        self._url, _ = _target(url)
        self._options = options
        self._client: WebSocketClient | None = None

    async def _connect(self) -> WebSocketClient:
        client = WebSocketClient(self._options)
        try:
            await client.connect(self._url)
        except BaseException:
            client._requests.abort()  # noqa: SLF001 - our own
            raise
        return client

    def __await__(self) -> Generator[Any, None, WebSocketClient]:
        """Return a connected client. Cancelling it leaves nothing behind."""
        return self._connect().__await__()

    async def __aenter__(self) -> WebSocketClient:
        """Return a connected client."""
        self._client = await self._connect()
        return self._client

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.__aexit__(kind, error, traceback)


def _target(url: Url) -> tuple[Url, str]:
    """The target, checked before any I/O, and its URL; empty where one is asked for."""
    return (url, "") if callable(url) else (checked := check_url(url), checked)
