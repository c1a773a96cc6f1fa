"""`WebSocketClient` and `connect`: what programs use.

The methods check their arguments and hand the work on. `runtime/lifecycle_calls.py`
connects and closes, the send queue sends, the receive pipeline receives.
"""

from collections.abc import AsyncIterator, Generator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self, Unpack

from ws_common.client_protocol import IWebSocketClient
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
from ws_common.options.close_codes import check_close, make_sendable_close
from ws_common.options.json_codec import decode_json, encode_json
from ws_common.options.options import (
    AllOptions,
    Connector,
    Url,
    WebSocketOptions,
    merge_options,
)
from ws_common.receive.message_stream import WebSocketMessagesStream
from ws_common.receive.state_stream import WebSocketStatesStream
from ws_common.receive.subscriber import Subscriber
from ws_common.runtime.after_connect_session import is_inside_after_connect
from ws_common.send.receipt import Receipt
from ws_common.vocabulary.callsite import find_callsite
from ws_common.vocabulary.durations import seconds
from ws_common.vocabulary.errors import WSNotConnectedError, WSUnsupportedError
from ws_common.vocabulary.messages import Data
from ws_common.vocabulary.session import Session
from ws_common.vocabulary.transport import Handshake
from ws_common.vocabulary.urls import check_url, redact
from ws_common.wrapped_client import AdapterConnector

if TYPE_CHECKING:
    from ws_common.runtime.supervisor import Supervisor

NO_RETRY_TIMEOUT = 5.0
"""The value of `reconnect_timeout` if reconnection is not configured."""


class WebSocketClient:
    """A WebSocket client that reconnects, the same on every platform.

    A client belongs to the event loop in which it is first used, and is not
    thread-safe: calls from another loop raise RuntimeError. Sends keep their call
    order. `connect()`, `reconnect()`, `disconnect()` and `close()` keep call order
    among themselves, never wait behind sends, and cut short the attempt or the wait
    that is in progress.

    When the client is no longer referenced, and no stream, subscriber, listener or
    session of it is, it is aborted with a ResourceWarning.

    Args:
        options: The options of the client; None for the defaults.
        keywords: Single options, which override those of `options`.

    Example:
        >>> async def chat(url: str) -> None:
        ...     async with WebSocketClient() as client:
        ...         await client.connect(url)
        ...         await client.add("hello")
        ...         print(await client.recv())
    """

    def __init__(
        self, options: WebSocketOptions | None = None, **keywords: Unpack[AllOptions]
    ) -> None:
        if isinstance(options, str):
            raise TypeError(
                "WebSocketClient() takes options, not a URL: use ws.connect(url), or "
                "client.connect(url)"
            )
        self._build(merge_options(options, keywords), None)

    def _build(self, options: WebSocketOptions, connector: Connector | None) -> None:
        # Imported here and not at the top: a program pays for these modules when it
        # makes its first client, and `import ws` stays cheap for those that make none.
        from ws_common.runtime.lifecycle_calls import LifecycleCalls  # noqa: PLC0415
        from ws_common.runtime.supervisor import Supervisor  # noqa: PLC0415

        self._options = options
        self._platform = platform = platforms.current()
        own = connector or options.custom_client
        made: Connector = platform.connector(options) if own is None else own
        self._supervisor = Supervisor(options, platform, made)
        self._requests = LifecycleCalls(self._supervisor)
        self._made_at = find_callsite()
        self._shared_subscriber: Subscriber[Data] | None = None

    @classmethod
    def from_client(
        cls,
        client: IWebSocketClient,
        options: WebSocketOptions | None = None,
        **keywords: Unpack[AllOptions],
    ) -> Self:
        """Wrap a custom or fake implementation of one connection.

        It gains the queue, reconnection, interceptors and metrics.

        Args:
            client: The client to wrap: it opens, sends and receives.
            options: The options of the new client; None for the defaults.
            keywords: Single options, which override those of `options`.
        """
        # A subclass may have an `__init__` with other arguments, so it is not called.
        made = cls.__new__(cls)
        made._build(merge_options(options, keywords), AdapterConnector(client))  # noqa: SLF001
        return made

    @classmethod
    def start(
        cls,
        url: Url,
        options: WebSocketOptions | None = None,
        **keywords: Unpack[AllOptions],
    ) -> Self:
        """Begin connecting in the background and return at once.

        `state_changes` and `state` show what becomes of it.

        Args:
            url: A `ws://` or `wss://` URL, or a provider that returns one. A provider
                is called before each attempt.
            options: The options of the client; None for the defaults.
            keywords: Single options, which override those of `options`.

        Raises:
            WSInvalidUrlError: The URL is invalid.
        """
        client = cls(options, **keywords)
        client._requests.begin_connect(*_check_target(url))
        return client

    # State and figures

    @property
    def is_closed(self) -> bool:
        """Whether the client was closed permanently."""
        return self._supervisor.client_state.phase is Phase.FINISHED

    @property
    def state(self) -> WebSocketClientState:
        """The current state."""
        return self._supervisor.client_state.public_state

    @property
    def state_changes(self) -> WebSocketStatesStream:
        """Every change of state from now on."""
        # A new stream for each access. It holds the client, and the client does not
        # hold it: an attribute would make a reference cycle that only the garbage
        # collector could free, and a client that is no longer used would be aborted
        # late.
        fault = self._supervisor.reporter.report_error
        return WebSocketStatesStream(self._supervisor.states, fault, owner=self)

    @property
    def stream(self) -> WebSocketMessagesStream:
        """The messages that are received."""
        fault = self._supervisor.reporter.report_error
        messages = self._supervisor.received.messages
        json = self._options.json
        return WebSocketMessagesStream(messages, fault, owner=self, json=json)

    @property
    def metrics(self) -> WebSocketMetrics:
        """A snapshot of the figures of this client."""
        # Nothing here asks for the running loop: an exporter takes snapshots in a
        # thread of its own, which has none.
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
            client_name=self._options.name,
        )

    @property
    def reconnect_timeout(self) -> float:
        """Seconds between the loss of a connection and the next attempt.

        While the client waits for an attempt, this is the delay that was drawn for it.
        Otherwise it is `min` of the retry interval, or 5.0 without a retry interval.
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
        """The response to the last handshake that got one; None before the first."""
        # The URL is set together with the transport: without one no handshake has
        # ended.
        connection = self._supervisor.connection
        if connection is None or not connection.url:
            return None
        return connection.transport.handshake

    @property
    def latency(self) -> float | None:
        """The last measured round trip in seconds; None before the first."""
        return self._supervisor.counters.latency

    @property
    def history(self) -> Sequence[HistoryEntry]:
        """The last state changes, oldest first, with time and cause."""
        return self._supervisor.reporter.history

    def explain(self) -> str:
        """Say in plain words what the client does, why, since when and what is next."""
        from ws_common.diagnostics.explain import Snapshot, explain  # noqa: PLC0415 - seldom asked

        # A snapshot, and not the objects themselves: what explains a client cannot
        # change it, and every line of the text is about the same moment.
        supervisor, received = self._supervisor, self._supervisor.received
        snapshot = Snapshot(
            client_state=supervisor.client_state,
            options=supervisor.options,
            now=supervisor.clock.now(),
            history=supervisor.reporter.history,
            last_error=supervisor.connections.retry_decider.last_error,
            holds=supervisor.environment.retry_timer.holds,
            unsent=supervisor.send_queue.waiting,
            is_full=bool(received.messages.full_buffers),
            stuck=received.stalled_readers.descriptions,
            kept=received.messages.kept.waiting if received.messages.kept else 0,
        )
        return explain(snapshot)

    # Connecting, sending, receiving, closing

    async def connect(self, url: Url) -> None:
        """Return when the connection is open, retrying as the options say.

        A connection that is open already is closed and replaced. Cancelling this stops
        the attempt and frees its socket.

        Args:
            url: A `ws://` or `wss://` URL, or a provider that returns one. A provider
                is called before each attempt.

        Raises:
            WSError: What ended the attempts.
            WSSupersededError: A later call overtook this one.
            WSInvalidUrlError: The URL is invalid; this is raised before any I/O.
            WSClientClosedError: The client was closed.
        """
        self._check_outside_after_connect("connect")
        self._supervisor.check_usable()
        await self._requests.connect(*_check_target(url))

    async def add(self, data: Any, *, text: bool | None = None) -> None:
        """Send a message, in call order. Wait if a connection is not open yet.

        This returns when the connection has taken the message and its buffer is below
        `write_limit`. A message that waits is kept across retries and `reconnect()`. It
        fails with a new URL, `disconnect()`, `close()` or a cancelled `connect()`. If
        this is cancelled before the connection has taken the message, it is not sent.

        Args:
            data: `str`, bytes-like, a sequence of integers from 0 to 255, or
                whatever the interceptors turn into one.
            text: True sends UTF-8 bytes as a text message; False sends text as a
                binary message.

        Raises:
            WSNotConnectedError: No connection is open or expected.
            WSConnectionClosedError: The connection ended while this waited for its
                buffer. The message may have been sent.
            WSUnsupportedDataError: The message cannot be sent. The connection stays.
            WSClientClosedError: The client was closed.
        """
        self._check_outside_after_connect("add")
        # The usual message is sent within the call, which then returns None: awaiting a
        # coroutine that never waits would be a good part of the cost of a send.
        pending = self._supervisor.send_queue.add(data, text=text)
        if pending is not None:
            await pending

    send = add

    async def send_json(self, value: Any) -> None:
        """Send a value as JSON text, through the option `json`; else as `send()` does.

        Raises:
            WSUnsupportedDataError: The value cannot be written as JSON; nothing was
                sent.
            WSNotConnectedError: As `send()`.
            WSConnectionClosedError: As `send()`.
        """
        await self.add(encode_json(self._options.json, value), text=True)

    def add_nowait(self, data: Any, *, text: bool | None = None) -> Receipt:
        """Send now if possible; otherwise keep the message in the bounded outbox.

        Args:
            data: As for `add()`.
            text: As for `add()`.

        Returns:
            A receipt, which shows what becomes of the message.

        Raises:
            WSNotConnectedError: No connection is open or expected.
            WSOutboxFullError: The outbox is full and its overflow is "error".
            WSUnsupportedDataError: The message cannot be sent.
            WSClientClosedError: The client was closed.
        """
        self._check_outside_after_connect("add_nowait")
        return self._supervisor.send_queue.add_nowait(data, text=text)

    send_nowait = add_nowait

    async def recv_json(self) -> Any:
        """Return the next message, which must be JSON, through the option `json`.

        Cancelling it loses nothing.

        Raises:
            WSDecodeError: The message is not JSON. It stays consumed, and the next
                call returns the next message.
            WSConnectionClosedError: As `recv()`.
            WSNotConnectedError: As `recv()`.
            WSStreamOverflowError: As `recv()`.
        """
        return decode_json(self._options.json, await self.recv())

    async def recv(self) -> Data:
        """Return the next message. Cancelling it loses nothing.

        `recv()` and `async for message in client` share one subscriber. It is made at
        the first use, and gets the messages that were kept until then.

        Raises:
            WSConnectionClosedError: The messages have ended. Unlike an iteration, this
                also raises if the connection was closed properly.
            WSNotConnectedError: `connect()` was never called.
            WSStreamOverflowError: Messages were lost. This is raised once, and the next
                call waits for the messages that follow.
        """
        return await self._get_subscriber().next()

    def __aiter__(self) -> AsyncIterator[Data]:
        """Iterate over the messages. This shares its subscriber with `recv()`."""
        return self._get_subscriber().reader_for(self)

    def sessions(self) -> AsyncIterator[Session]:
        """Iterate over the connections, for programs that start anew at each one.

        Example:
            >>> async def follow(client: WebSocketClient) -> None:
            ...     async for session in client.sessions():
            ...         await session.add("subscribe")
            ...         async for message in session:
            ...             print(session.connection, message)
        """
        return self._supervisor.sessions.new(self, self._supervisor.open_connection)

    async def ping(self) -> float:
        """Send a Ping, and return the seconds until its Pong.

        Raises:
            WSUnsupportedError: The platform has no pings.
            WSNotConnectedError: No connection is open.
        """
        # Sent by the open connection or not at all. A ping that waited for a connection
        # would measure the wait.
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

        This returns when the connection is open. Cancelling it stops the attempt.

        Raises:
            WSError: What ended the attempts.
            WSSupersededError: A later call overtook this one.
            WSNotConnectedError: `connect()` was never called, so no URL is known.
            WSClientClosedError: The client was closed.
        """
        self._check_outside_after_connect("reconnect")
        await self._requests.reconnect()

    async def disconnect(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close the connection and stop reconnecting. The client can connect again.

        An attempt in progress is aborted. No message is delivered after the call. This
        returns within `close_timeout`, whatever the peer does. Cancelling it aborts the
        connection, and the client still becomes `Closed`.

        Args:
            code: A close code, or None to send none.
            reason: At most 123 bytes of UTF-8. It is not sent without a code.

        Raises:
            WSInvalidCloseError: The code or the reason may not be sent. Nothing has
                changed.
            WSUnsupportedError: This platform may not send the code.
            WSClientClosedError: The client was closed.
        """
        self._supervisor.check_usable()
        await self._requests.disconnect(*check_close(code, reason, self._platform))

    async def close(
        self, code: int | None = 1000, reason: str | None = "NORMAL_CLOSURE"
    ) -> None:
        """Close permanently and free every resource. Idempotent.

        `close()` always closes: a code that may not be sent here is replaced by 1000,
        and reported. A second caller waits for the first. Later calls of other methods
        raise WSClientClosedError. This returns within `close_timeout`. Cancelling it
        aborts the connection, and the client is closed all the same.

        Args:
            code: A close code, or None to send none.
            reason: At most 123 bytes of UTF-8. It is not sent without a code.
        """
        # disconnect() raises for such a code. close() is what `finally` blocks call,
        # and a socket that stays open would be worse than a code that was not the one
        # asked for: browsers throw for 1001, and peers who pass it on leave the socket
        # open.
        code, reason = make_sendable_close(
            code, reason, self._platform, self._supervisor.reporter.report
        )
        await self._requests.close(code, reason)

    async def wait_closed(self) -> None:
        """Wait until `close()` is done. Cancelling it changes nothing."""
        await self._requests.wait_finished()

    async def __aenter__(self) -> Self:
        """Return the client."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close; if cancelled, send Close 1001 and do not wait for the answer."""
        # A program that is being cancelled (Ctrl-C, a timeout) must not wait for a peer
        # that may be silent. RFC 6455, section 7.4.1: 1001 means Going Away.
        if kind is not None and not issubclass(kind, Exception):
            await self._requests.close_without_answer(self._platform.going_away_code)
        else:
            await self.close()

    if not TYPE_CHECKING:  # type checkers know that there is no such method

        def __enter__(self) -> NoReturn:
            """Say what to write: closing a client has to be awaited."""
            raise TypeError("a client is closed with `async with`, not with `with`")

        def __exit__(self, *_: object) -> NoReturn:
            """Never called, as `__enter__()` raises."""

        def __iter__(self) -> NoReturn:
            """Say what to write: the next message has to be awaited."""
            raise TypeError("iterate over a client with `async for`, not with `for`")

    def __repr__(self) -> str:
        """Show the state."""
        return f"<{type(self).__name__} {self.state!r}>"

    def _get_subscriber(self) -> Subscriber[Data]:
        if self._shared_subscriber is None or self._shared_subscriber.has_overflowed:
            messages = self._supervisor.received.messages
            # The subscriber does not hold the client. That would be a reference cycle,
            # and an unreferenced client would live until the garbage collector runs.
            self._shared_subscriber = Subscriber(messages, ())
        return self._shared_subscriber

    def __del__(self) -> None:
        """Abort the client if it is still connecting or connected."""
        # The garbage collector runs in any thread: the loop is asked to do the rest. An
        # instance whose `__init__` has raised has no `_supervisor`.
        supervisor: Supervisor | None = getattr(self, "_supervisor", None)
        if supervisor is not None and not supervisor.client_state.is_idle:
            supervisor.client_loop.call_threadsafe(
                self._requests.abandon, self._made_at
            )

    def _check_outside_after_connect(self, method: str) -> None:
        if is_inside_after_connect(self._supervisor.send_queue):
            raise WSNotConnectedError(
                f"client.{method}() inside after_connect would wait for after_connect "
                "itself: use the session it is handed"
            )
        # Both return only when `after_connect` has received the messages that it waits
        # for. An interceptor that called them would hold these messages back.
        needs_messages = method in ("connect", "reconnect")
        if needs_messages and self._options.after_connect is not None:
            self._supervisor.received.check_not_in_interceptor()


class connect:  # noqa: N801 - reads as a call: `await ws.connect(url)`
    """Make a client and connect it. As a context manager, close it at the end.

    Args:
        url: A `ws://` or `wss://` URL, or a provider that returns one. A provider is
            called before each attempt.
        options: The options of the client; None for the defaults.
        keywords: Single options, which override those of `options`.

    Example:
        >>> async def main() -> None:
        ...     async with connect("ws://127.0.0.1:8000/ws", reconnect=True) as client:
        ...         await client.send("hello")
    """

    def __init__(
        self,
        url: Url,
        options: WebSocketOptions | None = None,
        **keywords: Unpack[AllOptions],
    ) -> None:
        self._url, _ = _check_target(url)
        self._options = merge_options(options, keywords)
        self._client: WebSocketClient | None = None

    async def _connect(self) -> WebSocketClient:
        client = WebSocketClient(self._options)
        try:
            await client.connect(self._url)
        except BaseException:
            # Nobody else has a reference to the client. Without this it would be
            # aborted by its finalizer, with a ResourceWarning.
            client._requests.abort()  # noqa: SLF001 - our own
            raise
        return client

    if not TYPE_CHECKING:  # type checkers know that there is no such attribute

        def __enter__(self) -> NoReturn:
            """Say what to write: connecting has to be awaited."""
            raise TypeError("ws.connect() needs `async with`, not `with`")

        def __exit__(self, *_: object) -> NoReturn:
            """Never called, as `__enter__()` raises."""

        def __getattr__(self, name: str) -> NoReturn:
            """Say what to write where `await` was forgotten."""
            if hasattr(WebSocketClient, name):
                raise AttributeError(
                    f"ws.connect() has no {name!r} before it is awaited: write "
                    "`client = await ws.connect(...)` or `async with ws.connect(...)`"
                )
            raise AttributeError(f"'connect' object has no attribute {name!r}")

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


def _check_target(url: Url) -> tuple[Url, str]:
    """Check a target before any I/O. Return it, and its URL (empty for a provider)."""
    return (url, "") if callable(url) else (checked := check_url(url), checked)
